"""The panel's Engine: in which Python a study is computed, and the environment that the networks need."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import qt
import slicer

from ..environment import EngineEnvironment, EnvironmentState, Interpreter
from ..errors import InputError
from ..scene import engine_python
from ..settings import Settings
from .environment_panel import EnvironmentPanel

FOLDER = "MyoPINN/engine"


class EngineSection:
    """``requirements`` names the packages of the networks; ``changed`` is called when what is installed changes."""

    def __init__(
        self, ui, *, requirements: Path, changed: Callable[[], None], in_use: Callable[[], bool] = lambda: False
    ) -> None:
        self._ui = ui
        self._then: Callable[[], None] | None = None
        self._changed = changed
        environment = EngineEnvironment(
            _data_folder() / FOLDER,
            requirements,
            python=engine_python(),
            env=dict(os.environ),
            named_env=slicer.util.startupEnvironment(),
        )
        self.panel = EnvironmentPanel(
            qt.QVBoxLayout(ui.enginePanel),
            environment,
            settings=slicer.app.userSettings(),
            in_use=in_use,
            on_change=self._environment_changed,
        )

    @property
    def environment(self) -> EngineEnvironment:
        """The environment as it is chosen now."""
        return self.panel.environment

    def trouble(self, settings: Settings) -> str:
        """Why the engine cannot compute ``settings``; "" where it can."""
        try:
            self.place(settings)
        except InputError as error:
            return str(error)
        return ""

    def place(self, settings: Settings) -> Interpreter:
        """The Python and the variables that compute ``settings``; raises InputError where TensorFlow is not ready."""
        return self.environment.python_and_env(settings)

    def offer(self, then: Callable[[], None]) -> None:
        """Ask whether to install what is lacking, or look at the user's own Python; ``then`` is called once it is there."""
        self._ui.engineSection.collapsed = False
        named = self.environment.named
        if self.panel.busy or (named and not Path(named).is_file()):
            return
        self._then = then
        if named:
            self.panel.check()
        else:
            self.panel.install()

    def forget(self) -> None:
        """The scene closes: nothing waits for an installation any more."""
        self._then = None

    def close(self) -> None:
        """Slicer ends, and with it an installation."""
        self.panel.close()

    def _environment_changed(self) -> None:
        """Installed, removed, or another Python: what waited for it begins where it can."""
        then, self._then = self._then, None
        self._changed()
        if then is not None and self.environment.status.state is EnvironmentState.READY:
            then()


def _data_folder() -> Path:
    """Where programs keep large files of the user's: on this computer, beside no settings that travel with a profile."""
    return Path(qt.QStandardPaths.writableLocation(qt.QStandardPaths.GenericDataLocation))
