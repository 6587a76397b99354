"""The part of the module's window that installs TensorFlow: real clicks, real pip, and nobody waits for it."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace

import pytest
from environment_cases import PIP, SLEEP, FakeProcess, fill, named_packages

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets", "PySide6.QtTest"):
    pytest.skip(trouble, allow_module_level=True)

from Testing.SlicerHarness import clicks
from Testing.SlicerHarness.pythonqt import qt

import Testing.SlicerHarness.ctk_widgets  # noqa: F401  isort: skip

from MyoPINNLib.environment import EngineEnvironment, EnvironmentState, Machine
from MyoPINNLib.events import Progress
from MyoPINNLib.gui.environment_panel import PYTHON_KEY, SOURCE_KEY, EnvironmentPanel
from MyoPINNLib.gui.environment_words import Action, barred, progress_words


class Settings(dict):
    """QSettings in memory."""

    def value(self, key, default=None):
        return self.get(key, default)

    setValue = dict.__setitem__


class Window:
    """A panel in a window, and what it asked and told."""

    def __init__(self, environment: EngineEnvironment, settings: Settings, answer: bool = True, **options) -> None:
        self.asked, self.changes, self.answer = [], 0, answer
        self.box = qt.QWidget()
        self.box.resize(430, 380)
        layout = qt.QVBoxLayout(self.box)
        self.panel = EnvironmentPanel(
            layout, environment, settings=settings, ask=self._ask, on_change=self._change, **options
        )
        layout.addStretch()
        self.box.show()

    def _ask(self, text: str) -> bool:
        self.asked.append(text)
        return self.answer

    def _change(self) -> None:
        self.changes += 1

    def button(self, action: Action):
        return self.panel.widgets.buttons[action]

    def click(self, action: Action, *, end: bool = True) -> None:
        clicks.click(self.button(action))
        if end:
            clicks.wait(lambda: not self.panel.busy)

    def close(self) -> None:
        """Gone now, and not whenever Python collects it, perhaps in a thread."""
        self.panel.close()
        self.box.close()
        self.box.deleteLater()
        qt.QApplication.sendPostedEvents(self.box, qt.QEvent.DeferredDelete)

    @property
    def usable(self) -> set[Action]:
        return {action for action in Action if self.button(action).enabled}

    @property
    def said(self) -> str:
        return self.panel.widgets.state.text


@pytest.fixture
def open_window(a_desktop):
    """Opens windows that are closed at the end."""
    opened = []

    def open_window(*what, **options) -> Window:
        opened.append(Window(*what, **options))
        return opened[-1]

    yield open_window
    for window in opened:
        window.close()


@pytest.fixture
def a_window(open_window, an_environment, the_packages) -> Window:
    """A panel whose local folder of packages is named."""
    return open_window(an_environment, Settings({SOURCE_KEY: the_packages}))


def test_at_first_nothing_is_there_and_only_install_can_be_clicked(a_window):
    assert a_window.said.startswith("TensorFlow is not installed")
    assert a_window.usable == {Action.INSTALL}
    assert a_window.button(Action.REPAIR).toolTip == "Nothing is installed yet."


def test_an_installation_asks_once_shows_progress_and_is_ready(a_window):
    a_window.click(Action.INSTALL, end=False)
    assert a_window.said == "TensorFlow is being installed; Slicer can be used meanwhile."
    assert a_window.usable == {Action.CANCEL}
    clicks.wait(lambda: a_window.panel.widgets.bar.value > 0)
    clicks.screenshot(a_window.box, "environment_installing")
    clicks.wait(lambda: not a_window.panel.busy)
    assert a_window.said.startswith("TensorFlow 2.99.1 on the CPU")
    assert len(a_window.asked) == 1 and "Slicer's own packages stay as they are" in a_window.asked[0]
    assert a_window.usable == {Action.CHECK, Action.REPAIR, Action.REMOVE} and a_window.changes == 1
    clicks.screenshot(a_window.box, "environment_ready")


def test_the_window_never_stands_still_while_it_installs(a_window):
    with clicks.heartbeat() as beat:
        a_window.click(Action.INSTALL)
    assert beat.longest < 0.1


def test_a_user_who_declines_gets_nothing_installed(a_window):
    a_window.answer = False
    a_window.click(Action.INSTALL)
    assert a_window.usable == {Action.INSTALL}
    assert not a_window.panel.environment.folder.exists()


def test_what_cannot_be_done_is_told_and_not_asked(a_window, tmp_path):
    (tmp_path / "empty").mkdir()
    a_window.panel.widgets.source.currentPath = str(tmp_path / "empty")
    a_window.click(Action.INSTALL)
    assert "holds no packages (*.whl). Fill it" in a_window.said and not a_window.asked


def test_a_cancel_is_quick_and_leaves_nothing(open_window, an_environment, the_packages):
    hanging = replace(an_environment, launch=FakeProcess(PIP, SLEEP))
    window = open_window(hanging, Settings({SOURCE_KEY: the_packages}))
    window.click(Action.INSTALL, end=False)
    clicks.wait(lambda: window.panel.widgets.bar.value > 0)
    begun = time.monotonic()
    window.click(Action.CANCEL)
    assert time.monotonic() - begun < 1
    assert window.usable == {Action.INSTALL}
    clicks.wait(lambda: not an_environment.folder.exists())


def test_a_failure_is_told_with_its_hint_and_the_log_can_be_read(a_window, tmp_path):
    fill(tmp_path / "bad", "raise ImportError('no AVX')")
    a_window.panel.widgets.source.currentPath = str(tmp_path / "bad")
    a_window.click(Action.INSTALL)
    assert a_window.said.endswith("does not load (ImportError: no AVX). Look into the log, and install it anew.")
    clicks.click(a_window.panel.widgets.log_button)
    assert "Successfully installed" in a_window.panel.widgets.log.toPlainText()
    assert a_window.panel.widgets.log.visible and a_window.panel.widgets.log_button.text == "Hide log"
    clicks.screenshot(a_window.box, "environment_failed")


def test_check_repair_and_remove_work_by_clicks(a_window):
    a_window.click(Action.INSTALL)
    (module,) = a_window.panel.environment.folder.glob("packages-*/tensorflow/__init__.py")
    module.write_text("raise OSError('gone')")
    a_window.click(Action.CHECK)
    assert "does not load (OSError: gone)" in a_window.said
    a_window.click(Action.REPAIR)
    assert a_window.said.startswith("TensorFlow 2.99.1 on the CPU")
    a_window.click(Action.REMOVE)
    assert a_window.usable == {Action.INSTALL} and not a_window.panel.environment.folder.exists()


@pytest.fixture
def a_named_window(open_window, an_environment, the_packages, tmp_path) -> Window:
    """A panel whose user has a Python with TensorFlow."""
    env = {**os.environ, "PYTHONPATH": named_packages(tmp_path / "own", the_packages)}
    return open_window(replace(an_environment, named_env=env), Settings())


def test_a_python_of_the_user_s_own_is_checked_as_soon_as_it_is_named(a_named_window):
    clicks.type_text(a_named_window.panel.widgets.python.findChild(qt.QLineEdit), sys.executable)
    clicks.wait(lambda: not a_named_window.panel.busy)
    assert a_named_window.said == "TensorFlow 2.99.1 on the CPU."
    assert a_named_window.usable == {Action.CHECK}
    assert "empty that line first" in a_named_window.button(Action.INSTALL).toolTip
    assert a_named_window.panel.environment.status.state is EnvironmentState.READY


def test_a_path_that_is_no_python_is_told(a_named_window):
    clicks.type_text(a_named_window.panel.widgets.python.findChild(qt.QLineEdit), "/bin/true")
    clicks.wait(lambda: not a_named_window.panel.busy)
    assert a_named_window.said.startswith('"/bin/true" is no path of a Python.')


def test_the_paths_are_kept_for_the_next_time(open_window, an_environment):
    settings = Settings()
    first = open_window(an_environment, settings)
    first.panel.widgets.python.currentPath = "/opt/none/python"
    first.panel.widgets.source.currentPath = "/media/packages"
    assert settings == {PYTHON_KEY: "/opt/none/python", SOURCE_KEY: "/media/packages"}
    again = open_window(an_environment, settings)
    assert again.panel.environment.named == "/opt/none/python"
    assert again.panel.widgets.source.currentPath == "/media/packages"


def test_closing_the_window_ends_what_it_started(open_window, an_environment, the_packages):
    window = open_window(replace(an_environment, launch=FakeProcess(PIP, SLEEP)), Settings({SOURCE_KEY: the_packages}))
    window.click(Action.INSTALL, end=False)
    clicks.wait(lambda: window.panel.widgets.bar.value > 0)
    window.panel.close()
    clicks.wait(lambda: not an_environment.folder.exists())
    assert not window.panel.busy


def test_what_will_compute_on_a_gpu_is_asked_so(open_window, an_environment):
    gpu = replace(an_environment, machine=lambda: Machine("Linux", "x86_64", ("NVIDIA H200",)))
    window = open_window(gpu, Settings(), answer=False)
    window.click(Action.INSTALL)
    assert "about 3.5 GB" in window.asked[0] and "GPU (NVIDIA H200)" in window.asked[0]


@pytest.mark.parametrize("action", list(Action))
def test_while_something_runs_only_a_cancel_can_be_clicked(action):
    why = barred(action, own=EnvironmentState.READY, named=False, busy=True)
    assert (not why) == (action is Action.CANCEL)


def test_a_broken_environment_can_be_repaired_and_removed():
    can = {each for each in Action if not barred(each, own=EnvironmentState.BROKEN, named=False, busy=False)}
    assert can == {Action.CHECK, Action.REPAIR, Action.REMOVE}


def test_what_an_analysis_needs_is_neither_repaired_nor_removed_meanwhile(open_window, a_window):
    a_window.click(Action.INSTALL)
    running = open_window(a_window.panel.environment, Settings(), in_use=lambda: True)
    assert running.button(Action.REMOVE).toolTip == "An analysis runs; wait for its end."
    running.panel.remove()
    running.panel.repair()
    assert not running.panel.busy and running.panel.environment.status.state is EnvironmentState.READY


def test_progress_is_told_in_words():
    assert progress_words(Progress("downloading", 0.35, 125.0, detail="tensorflow")) == (
        "35 %, downloading tensorflow, 2 min left"
    )
