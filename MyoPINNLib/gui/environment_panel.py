"""The part of the module's window that installs TensorFlow, and says what is there.

panel = EnvironmentPanel(box.layout(), environment, settings=qt.QSettings(), on_change=self.check_can_apply)
python, env = panel.environment.python_and_env(settings)
panel.close()
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import qt

from ..aside import Aside
from ..engine import State
from ..environment import EngineEnvironment, EnvironmentState, Plan, Work, python_in
from .environment_widgets import STEPS, PanelWidgets
from .environment_words import Action, barred, headline, progress_words

BEAT = 100
PYTHON_KEY, SOURCE_KEY = "MyoPINN/EnginePython", "MyoPINN/EnginePackages"


def ask_user(text: str) -> bool:
    """Slicer's own question with OK and Cancel."""
    import slicer

    return bool(slicer.util.confirmOkCancelDisplay(text, windowTitle="Install TensorFlow"))


class EnvironmentPanel:
    """Puts its widgets into ``layout``. ``settings`` keeps the two paths (value, setValue); ``ask`` is asked once before anything
    is downloaded; ``timer_factory`` gives a QTimer; ``in_use`` says whether an analysis runs, which may need the packages;
    ``on_change`` is called where the environment is another than before.
    """

    def __init__(
        self,
        layout,
        environment: EngineEnvironment,
        *,
        settings,
        ask: Callable[[str], bool] = ask_user,
        timer_factory: Callable = qt.QTimer,
        in_use: Callable[[], bool] = lambda: False,
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        self.widgets = PanelWidgets(layout)
        self._environment, self._settings, self._ask = environment, settings, ask
        self._in_use, self._on_change = in_use, on_change
        self._planning: Aside[Plan] | None = None
        self._work: Work | None = None
        self._action: Action | None = None
        self._trouble = ""
        self._timer = timer_factory()
        self._timer.connect("timeout()", self._beat)
        self.widgets.python.currentPath = settings.value(PYTHON_KEY, "") or ""
        self.widgets.source.currentPath = settings.value(SOURCE_KEY, "") or ""
        self._connect()
        self.refresh()

    @property
    def environment(self) -> EngineEnvironment:
        """The environment with the Python that the user names now."""
        return replace(self._environment, named=python_in(self.widgets.python.currentPath.strip()))

    @property
    def busy(self) -> bool:
        """True while something is planned, installed, checked or removed."""
        return self._action is not None

    def install(self) -> None:
        """Plan, ask, and install; what is said then depends on the user's answer."""
        environment, source = self.environment, self.widgets.source.currentPath.strip()
        self._planning = Aside(lambda: environment.plan(source))
        self._begin(Action.INSTALL)

    def check(self) -> None:
        """Run it and see."""
        self._begin(Action.CHECK, self.environment.check())

    def repair(self) -> None:
        """Install it anew as it was installed, once the user knows what is downloaded."""
        if not self._in_use():
            environment = self.environment
            self._planning = Aside(lambda: environment.plan(environment.recipe.source))
            self._begin(Action.REPAIR)
        self.refresh()

    def remove(self) -> None:
        """Delete the packages."""
        if not self._in_use():
            self._begin(Action.REMOVE, self.environment.remove())
        self.refresh()

    def cancel(self) -> None:
        """End what runs; what was there before stays."""
        if self._work is not None:
            self._work.cancel()
        if self.busy:
            self._end("")

    def close(self) -> None:
        """End all; the window goes."""
        self._timer.stop()
        if self._work is not None:
            self._work.cancel()
        self._work = self._planning = self._action = None

    def _connect(self) -> None:
        for action, do in {
            Action.INSTALL: self.install,
            Action.CHECK: self.check,
            Action.REPAIR: self.repair,
            Action.REMOVE: self.remove,
            Action.CANCEL: self.cancel,
        }.items():
            self.widgets.buttons[action].connect("clicked()", do)
        self.widgets.python.connect("currentPathChanged(QString)", self._named)
        self.widgets.source.connect("currentPathChanged(QString)", self._sourced)

    def _named(self, path: str) -> None:
        """Another Python: what was known of the one before does not count, and one that is there is asked at once."""
        self._settings.setValue(PYTHON_KEY, path)
        self.cancel()
        self._trouble = ""
        environment = self.environment
        if (
            environment.named
            and environment.status.state is EnvironmentState.MISSING
            and Path(environment.named).is_file()
        ):
            self.check()
        self.refresh()
        self._on_change()

    def _sourced(self, path: str) -> None:
        self._settings.setValue(SOURCE_KEY, path)

    def _begin(self, action: Action, work: Work | None = None) -> None:
        self._action, self._work, self._trouble = action, work, ""
        self._timer.start(BEAT)
        self.refresh()

    def _beat(self) -> None:
        """Look at what runs."""
        if self._planning is not None:
            self._planning.give_way()
            if self._planning.over:
                self._planned()
            return
        if self._work is None:
            return
        self._work.poll()
        self._show_progress()
        if self._work.state.ended:
            failure = self._work.failure
            self._end(f"{failure.text} {failure.hint}" if self._work.state is State.FAILED else "")

    def _planned(self) -> None:
        planning, self._planning = self._planning, None
        self._timer.stop()  # the question runs an event loop of its own
        try:
            plan = planning.result()
        except OSError as error:
            self._end(f"The folder cannot be looked at: {error.strerror}.")
            return
        if plan.obstacle:
            self._end(f"{plan.obstacle} {plan.hint}")
        elif self._ask(plan.text):
            self._begin(self._action, self.environment.make(plan.recipe))
        else:
            self._end("")

    def _end(self, trouble: str) -> None:
        self._timer.stop()
        self._work = self._planning = self._action = None
        self._trouble = trouble
        self.refresh()
        self._on_change()

    def _show_progress(self) -> None:
        progress = self._work.progress
        self.widgets.bar.value = round(progress.fraction * STEPS)
        self.widgets.bar.format = progress_words(progress)
        self.widgets.say("\n".join(self._work.text))

    def refresh(self) -> None:
        """Say where it stands, and which button can be used or why not; also to be called where ``in_use`` changes."""
        environment = self.environment
        own = replace(environment, named="").status.state
        self.widgets.state.text = headline(environment.status, self._action, self._trouble)
        for action, button in self.widgets.buttons.items():
            why = barred(action, own=own, named=bool(environment.named), busy=self.busy, in_use=self._in_use())
            button.enabled, button.toolTip = not why, why or action.says
        for edit in (self.widgets.python, self.widgets.source):
            edit.enabled = self._action in (None, Action.CHECK)
        self.widgets.bar.value, self.widgets.bar.format = 0, "looking"
        self.widgets.working.setVisible(self.busy)
