"""The panel's Compute: what is chosen becomes an analysis in the scene, step by step, and can be cancelled and resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..engine import State
from ..errors import InputError
from ..events import Failed
from ..log import LOG
from ..quantities import percent
from ..scene import Run, quantify, resume
from ..settings import Settings
from .choices import Study, by_weight, chosen_twice, left_words, trouble, without_options
from .dialogs import TextWindow
from .tasks import Task, Tasks
from .trainings import Training, Trainings

READY = "Ready to compute."
_CANCELLED = "Cancelled: the scene is as it was."
_SHOW_LOG = "Press Log to read what is known."
_LOSSES = 3


class ComputeSection:
    """``asked`` gives what the user is asked to do now, "" nothing; ``studies`` gives what is chosen, in the order of its computing; ``settings`` the settings; ``engine`` says in which
    Python it runs (``trouble(settings)``, ``place(settings)``); ``jobs`` is where trainings keep their files until they are
    done; ``shown`` gets each analysis that came into the scene with its study.
    """

    def __init__(self, ui, tasks: Tasks, *, asked, studies, settings, engine, jobs: Callable[[], Path], shown) -> None:
        self._ui, self._tasks = ui, tasks
        self._asked, self._studies, self._settings = asked, studies, settings
        self._engine, self._shown = engine, shown
        self._words, self._tip, self._log, self._about = "", "", "", ()
        self._trainings = Trainings(jobs)
        self._seen: tuple = ()
        self.window: TextWindow | None = None
        ui.computeButton.connect("clicked()", self.compute)
        ui.cancelButton.connect("clicked()", self.cancel)
        ui.resumeButton.connect("clicked()", self.resume)
        ui.logButton.connect("clicked()", self.show_log)

    def say(self, words: str, tip: str = "") -> None:
        """A sentence for the status line, with more in its tooltip; it stands until something else is chosen."""
        self._words, self._tip, self._about = words, tip, self._chosen()
        self.update()

    def compute(self) -> None:
        """Compute every chosen study, one after the other."""
        try:
            settings = self._settings()
        except InputError as error:
            self.say(str(error))
            return
        if why_not := self._engine.trouble(settings):
            self.say(why_not)
            self._engine.offer(self.compute)
            return
        self._words = self._tip = ""
        for study in self._studies():
            if not self._tasks.holds((study.key, settings.digest())):
                self._add(study, settings, self._trainings.begin(study, settings), begun=False)

    def resume(self) -> None:
        """Go on with the last training that was cut short."""
        last = self._trainings.last
        if why_not := self._engine.trouble(last.settings):
            self.say(why_not)
            self._engine.offer(self.resume)
            return
        self._words = self._tip = ""
        self._add(last.study, last.settings, self._trainings.resume(), begun=True)

    def cancel(self) -> None:
        """Drop what waits, and end what runs."""
        self._tasks.cancel()
        self.say(_CANCELLED)

    def show_log(self) -> None:
        """What the engine said."""
        self.window = TextWindow("MyoPINN engine log", self._log)

    def forget(self) -> None:
        """The scene has closed: its studies are gone."""
        self._trainings.forget()
        self._words = self._tip = ""

    def beat(self) -> None:
        """While something runs: what it says now, and the buttons only where they may have changed."""
        if self._tasks.busy and self._seen == self._now():
            self._show_progress("")
        else:
            self.update()

    def _now(self) -> tuple:
        """What the buttons depend on while something runs; () while nothing does."""
        tasks = self._tasks
        return (tasks.title, tasks.running, getattr(tasks.running, "state", None)) if tasks.busy else ()

    def update(self) -> None:
        """Buttons, bar and status line, and why a button cannot be pressed."""
        self._seen = self._now()
        why_not = self._why_not()
        self._enable(self._ui.computeButton, why_not, "Computes the maps and shows them with the bull's-eye.")
        self._enable(
            self._ui.cancelButton,
            self._why_no_cancel(),
            "Ends it; nothing is changed.",
        )
        self._enable(
            self._ui.resumeButton,
            "" if self._trainings.last and not self._tasks.busy else "No training was cancelled or broke off.",
            "Goes on with the training that was cancelled or broke off.",
        )
        self._enable(
            self._ui.logButton, "" if self._log else "The engine has said nothing yet.", "What the engine said."
        )
        self._show_progress(why_not)

    def _why_no_cancel(self) -> str:
        if not self._tasks.busy:
            return "Nothing is being computed."
        return "It is being cancelled." if self._cancelling else ""

    @property
    def _cancelling(self) -> bool:
        return getattr(self._tasks.running, "state", None) is State.CANCELLING

    def _why_not(self) -> str:
        studies = self._studies()
        told = next((words for study in studies if (words := trouble(study))), "")
        told = told or chosen_twice(studies)
        if told or not studies:
            return told or trouble(Study(""))
        try:
            settings = self._settings()
        except InputError as error:
            return str(error)
        if all(self._tasks.holds((study.key, settings.digest())) for study in studies):
            return "This study is being computed."
        return ""

    @staticmethod
    def _enable(button, why_not: str, tip: str) -> None:
        button.enabled = not why_not
        button.toolTip = why_not or tip

    def _chosen(self) -> tuple:
        """What the words of the status line are about."""
        return tuple(study.key for study in self._studies())

    def _show_progress(self, why_not: str) -> None:
        running = self._tasks.running
        progress = getattr(running, "progress", None)
        self._ui.progressBar.visible = self._tasks.busy
        self._ui.progressBar.value = int(percent(progress.fraction)) if progress else 0
        if not self._tasks.busy:
            if self._words and self._about != self._chosen():
                self._words = self._tip = ""
            self._ui.statusLabel.text = self._asked() or self._words or why_not or READY
            self._ui.statusLabel.toolTip = self._tip or self._ui.statusLabel.text
            return
        if self._cancelling:
            self._ui.statusLabel.text = f"{self._tasks.title} · Cancelling"
            return
        words = [self._tasks.title, getattr(progress, "stage", ""), getattr(progress, "detail", "")]
        words += [left_words(getattr(progress, "seconds_left", None))]
        self._ui.statusLabel.text = " · ".join(filter(None, words))
        losses = getattr(progress, "losses", None) or {}
        self._ui.statusLabel.toolTip = "\n".join(f"{name}: {value:.4g}" for name, value in losses.items())
        if losses:
            first = list(losses.items())[:_LOSSES]
            self._ui.statusLabel.text += "\n" + ", ".join(f"{name} {value:.3g}" for name, value in first)

    def _add(self, study: Study, settings: Settings, training: Training | None, *, begun: bool) -> None:
        self._tasks.add(
            Task(
                study.name,
                lambda: self._start(study, settings, training.job if training else None, begun),
                lambda outcome: self._ended(study, outcome, training),
                (study.key, settings.digest()),
            )
        )

    def _start(self, study: Study, settings: Settings, job: Path | None, begun: bool) -> Run:
        python, env = self._engine.place(settings)
        where = {"python": python, "env": env, "name": study.name}
        if begun:
            return resume(job, series=study.series, segmentation=study.segmentation, **where)
        return quantify(
            list(study.series),
            study.segmentation,
            myocardium=study.myocardium,
            blood_pool=study.blood_pool,
            insertion=study.points,
            settings=settings,
            wait=False,
            keep_job=job,
            **where,
        )

    def _ended(self, study: Study, outcome: Run | Failed, training: Training | None) -> None:
        """A run that is over, or one that could not begin."""
        if training is not None:
            self._trainings.ended(training, outcome)
        if isinstance(outcome, Failed):
            self._tell(_sentence(study, outcome))
            return
        self._log = outcome.log or self._log
        if outcome.state is State.DONE:
            self._done(study, outcome)
        elif outcome.state is State.CANCELLED:
            self.say(_CANCELLED)
        else:
            self._tell(_sentence(study, outcome.failure))

    def _tell(self, words: str, tip: str = "") -> None:
        """Below what was said of the study before, where two were computed."""
        self.say(*("\n".join(filter(None, pair)) for pair in ((self._words, words), (self._tip, tip))))

    def _done(self, study: Study, run: Run) -> None:
        summary = run.analysis.summary
        outcomes = summary.get("voxels", {})
        notes = run.warnings
        device = summary.get("training", {}).get("device", "")
        words = f"{run.analysis.name}: {outcomes.get('valid', 0)} of {sum(outcomes.values())} voxels are reliable"
        words += f"; computed on {device}" if device else ""
        self._shown(run.analysis, study)
        self._tell("\n".join([f"{words}.", *(f"• {note}" for note in by_weight(notes))]))


def _sentence(study: Study, failure: Failed) -> str:
    """What the user reads of a study that could not be computed."""
    hint = _SHOW_LOG if LOG in failure.hint else failure.hint
    return without_options(f"{study.name}: {failure.text} {hint}".strip())
