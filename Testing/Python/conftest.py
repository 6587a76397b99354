"""What several test files share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from MyoPINNLib import cli
from MyoPINNLib.aif import ArterialInput
from Testing.SlicerHarness.libraries import missing

ROOT = Path(__file__).parents[2]

# A slow machine is no failure, and the same examples every time make a red test reproducible.
settings.register_profile("myopinn", deadline=None, derandomize=True, max_examples=50, database=None)
settings.load_profile("myopinn")


# TensorFlow and VTK's windows end each other's process (both bring an LLVM), as they do in Slicer: "make test" runs them apart.
WINDOWS = (
    *(f"test_{name}.py" for name in ("bullseye_view", "curves", "environment_panel", "harness_desktop", "harness_qt")),
    "test_module_*.py",
)
PART = os.environ.get("MYOPINN_TESTS", "all")  # "windows", "others"


def has_windows(path: Path) -> bool:
    """True for a file whose tests draw windows."""
    return any(path.match(pattern) for pattern in WINDOWS)


def pytest_ignore_collect(collection_path: Path, config) -> bool | None:
    """Leave out the other part's files."""
    part = "windows" if has_windows(collection_path) else "others"
    return True if collection_path.suffix == ".py" and PART in {"windows", "others"} - {part} else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item) -> None:
    """Where both are asked for at once, the windows give way."""
    if has_windows(item.path) and "tensorflow" in sys.modules:
        pytest.skip("TensorFlow is loaded, and it cannot share a process with windows: MYOPINN_TESTS=windows pytest")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of third-party reference data, which the project does not copy."""
    folder = Path(os.environ.get("MYOPINN_REFERENCE_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "osipi").is_dir():
        pytest.skip(f"no reference data in {folder}; name their folder in MYOPINN_REFERENCE_DATA")
    return folder


@pytest.fixture(scope="session")
def the_benchmarks():
    """The folder of benchmarks, whose modules find each other by it."""
    folder = ROOT / "Testing" / "Benchmarks"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def a_study(tmp_path_factory) -> Path:
    """A small synthetic study as DICOM with its masks; nobody changes it."""
    folder = tmp_path_factory.mktemp("study") / "fast"
    assert cli.main(["simulate", "fast", "-o", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture
def an_aif() -> ArterialInput:
    """A first pass that starts at 4 s and peaks at 8 mM plasma, sampled at uneven heartbeats."""
    time = np.cumsum(np.random.default_rng(1).uniform(0.7, 0.9, 75)) - 0.8
    after = np.clip(time - 4, 0, None) / 4
    return ArterialInput(time, 8.0 * after**3 * np.exp(3 * (1 - after)))


@pytest.fixture(scope="session")
def an_application():
    """Slicer's core without windows: slicer.app, slicer.mrmlScene, slicer.modules.<name>.logic()."""
    trouble = missing("slicer", "slicer.util")
    if trouble:
        pytest.skip(trouble)
    from Testing.SlicerHarness.application import core_application

    return core_application()


@pytest.fixture
def a_scene(an_application):
    """Slicer's scene, empty but for what every scene holds; emptied again after the test."""
    from Testing.SlicerHarness.application import close_scene

    close_scene()
    yield an_application.mrmlScene()
    close_scene()


@pytest.fixture
def a_desktop():
    """Slicer with its windows, off screen, as it starts: an empty scene, four views; the same again after the test.

    What a slot or an observer raises fails the test.
    """
    trouble = missing("slicer", "slicer.util", "PySide6.QtWidgets", "PySide6.QtTest")
    if trouble:
        pytest.skip(trouble)
    from Testing.SlicerHarness.desktop import desktop
    from Testing.SlicerHarness.pythonqt import loud

    running = desktop()
    running.reset()
    with loud():
        yield running
        running.reset()


@pytest.fixture(scope="session")
def a_loaded_module():
    """MyoPINN.py as Slicer loads it, once; it outlives the scenes of the tests."""
    trouble = missing("slicer", "slicer.util", "PySide6.QtWidgets", "PySide6.QtTest")
    if trouble:
        pytest.skip(trouble)
    from Testing.SlicerHarness.desktop import desktop
    from Testing.SlicerHarness.loading import load_module

    desktop()
    return load_module(ROOT / "MyoPINN" / "MyoPINN.py")


@pytest.fixture
def a_module(a_desktop, a_loaded_module):
    """The module opened in an empty scene."""
    import slicer
    from module_cases import Module

    slicer.util.selectModule("MyoPINN")
    return Module(a_loaded_module.widget)


@pytest.fixture(scope="session")
def a_small_heart():
    """A small stress study, noise-free, with one clock; nobody changes it."""
    from scene_cases import a_heart

    return a_heart(shared_clock=True)


@pytest.fixture
def a_patient(a_module, a_small_heart):
    """The module, opened beside a small stress study, with the quickest method."""
    from module_cases import QUICK, add_case

    add_case(a_small_heart)
    a_module.widget.enter()
    a_module.choose_method(QUICK)
    yield a_module
    a_module.panel.tasks.kill()


@pytest.fixture
def a_review(a_module):
    """An upright heart with all maps of the usual method, looked at."""
    from review_cases import Heart, open_analysis

    return open_analysis(a_module, Heart.UPRIGHT)[0]


@pytest.fixture
def an_oblique_review(a_module):
    """The same of a heart that lies turned in space."""
    from review_cases import Heart, open_analysis

    return open_analysis(a_module, Heart.OBLIQUE)[0]


@pytest.fixture(scope="session")
def the_packages(tmp_path_factory) -> str:
    """A local folder with tiny packages in place of TensorFlow's."""
    from environment_cases import fill

    return fill(tmp_path_factory.mktemp("wheels"))


@pytest.fixture
def an_environment(tmp_path):
    """The engine's environment: none yet, in a folder that is not there."""
    from environment_cases import LINUX

    from MyoPINNLib.environment import EngineEnvironment

    (tmp_path / "requirements.txt").write_text("tensorflow>=2.18\n")
    return EngineEnvironment(tmp_path / "engine", tmp_path / "requirements.txt", machine=lambda: LINUX)
