"""The networks from the module's window: their environment offered, declined, installed; trained, cancelled, shot, resumed."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets", "PySide6.QtTest"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from environment_cases import fill, wheel
from module_cases import A_HANG, add_case, engines

from MyoPINNLib.gui.environment_words import Action
from MyoPINNLib.scene import find_analyses
from Testing.SlicerHarness.clicks import click, heartbeat, screenshot, type_text, wait

COMBINED = "PINN combined (van Herten's best)"
WAY_OUT = "Install it under Engine, or choose the method map, nlls, fermi or one-shot on the CPU."


@pytest.fixture
def a_network(a_module, a_small_heart):
    """The module, opened beside a small stress study, with the combined network chosen and no TensorFlow."""
    add_case(a_small_heart)
    a_module.widget.enter()
    a_module.choose_method(COMBINED)
    click(a_module.ui.engineSection)
    yield a_module
    a_module.panel.tasks.kill()
    engine = a_module.panel.engine.panel
    engine.cancel()
    engine.widgets.python.currentPath = engine.widgets.source.currentPath = ""
    engine.environment.remove().wait()
    a_module.ui.engineSection.collapsed = True


@pytest.fixture(scope="session")
def the_packages(tmp_path_factory) -> str:
    """What the requirements ask for, as tiny packages."""
    folder = tmp_path_factory.mktemp("wheels")
    for name, version in (("numpy", "2.99"), ("scipy", "1.99"), ("psutil", "9.0")):
        wheel(folder, name, version, f'__version__ = "{version}"')
    return fill(folder)


def widgets(module):
    """The widgets of the Engine section."""
    return module.panel.engine.panel.widgets


def test_the_environment_lies_where_large_files_do_not_travel_with_a_profile(a_network):
    import qt

    large = qt.QStandardPaths.writableLocation(qt.QStandardPaths.GenericDataLocation)
    assert a_network.panel.engine.environment.folder == Path(large) / "MyoPINN" / "engine"


def test_who_declines_tensorflow_gets_nothing_installed_and_reads_what_to_do_instead(a_network):
    slicer.app.answers.give(False)
    click(a_network.ui.computeButton)
    wait(lambda: slicer.app.answers.said and not a_network.panel.engine.panel.busy)
    assert "TensorFlow" in slicer.app.answers.said[-1][1]
    assert not a_network.panel.engine.environment.folder.exists() and not a_network.busy
    assert a_network.status.startswith("TensorFlow is needed and is not ready.") and a_network.status.endswith(WAY_OUT)
    screenshot(a_network.window, "engine_1_declined")


def test_after_an_installation_from_a_local_folder_the_computation_begins_by_itself(a_network, the_packages):
    type_text(widgets(a_network).source, the_packages)
    click(a_network.ui.computeButton)
    wait(lambda: widgets(a_network).bar.value > 0)
    screenshot(a_network.window, "engine_2_installing")
    wait(lambda: a_network.panel.tasks.title == "Stress")
    assert widgets(a_network).state.text.startswith("TensorFlow 2.99.1 on the CPU")
    assert widgets(a_network).buttons[Action.REMOVE].toolTip == "An analysis runs; wait for its end."
    screenshot(a_network.window, "engine_3_begun_by_itself")
    click(a_network.ui.cancelButton)
    a_network.finish()


def test_a_python_that_is_not_there_is_one_sentence(a_network):
    type_text(widgets(a_network).python, "/nowhere/bin/python")
    click(a_network.ui.computeButton)
    assert a_network.status.startswith("TensorFlow is needed and is not ready.")
    assert "/nowhere/bin/python" in a_network.status or "Python of your own" in a_network.status
    assert slicer.app.answers.said == [] and not a_network.busy
    screenshot(a_network.window, "engine_4_no_such_python")


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_the_combined_network_is_trained_cancelled_resumed_shot_and_resumed_to_its_end(a_network):
    ui = a_network.ui
    type_text(widgets(a_network).python, sys.executable)
    wait(lambda: not a_network.panel.engine.panel.busy, 120)
    assert widgets(a_network).state.text.startswith("TensorFlow ")
    type_text(ui.stepsSpin, "100")
    with heartbeat() as beat:
        click(ui.computeButton)
        wait(lambda: "data" in ui.statusLabel.toolTip, 180)
    screenshot(a_network.window, "engine_5_training")
    assert beat.longest < A_HANG, f"the GUI stood still for {beat.longest * 1000:.0f} ms"
    click(ui.cancelButton)
    a_network.finish()
    assert a_network.status == "Cancelled: the scene is as it was." and find_analyses() == []
    click(ui.resumeButton)
    wait(engines)
    os.kill(engines()[0], signal.SIGKILL)
    a_network.finish()
    assert "stopped without a result (ended by SIGKILL" in a_network.status and ui.logButton.enabled
    screenshot(a_network.window, "engine_6_shot")
    click(ui.resumeButton)
    a_network.finish(300)
    (analysis,) = find_analyses()
    device = analysis.summary["training"]["device"]
    assert device.startswith(("CPU", "GPU")) and f"computed on {device}" in a_network.status
    assert a_network.panel.review.bullseye.bullseye.content.known.keys() == set(range(1, 17))
    assert np.isfinite(analysis.maps["MBF"]).any() and a_network.panel.review.curves.csv()
    assert not ui.resumeButton.enabled
    screenshot(a_network.window, "engine_7_result")
