"""The module's panel: its sections joined to each other, to the scene and to the queue of work. MyoPINN.py is its shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer

from ..engine import State
from ..events import Failed
from ..looks import Mode
from ..scene import Loading, SceneAnalysis, at_rest, find_analyses, offered
from ..scene.analysis import REST as REST_STATE
from ..scene.analysis import STATE
from ..scene.samples import Sample, SampleLoading
from ..settings import Method, Settings
from .anatomy_section import AnatomySection
from .bullseye_view import new_view
from .choices import Study, settings_of
from .compute_section import ComputeSection
from .engine_section import EngineSection
from .export_section import ExportSection
from .input_section import REST, STRESS, InputSection
from .loading_windows import question
from .placing import WAITING
from .review_section import ReviewSection
from .tasks import Task, Tasks

BEAT = 50  # ms
_NOTHING_LOADED = "Cancelled: nothing was loaded."
_DRAW = "The series is loaded. Draw LV blood pool and myocardium on it in the Segment Editor."


class Panel:
    """``ui`` holds the widgets of MyoPINN.ui, ``parameters`` gives the parameter node's wrapper, ``jobs`` a new folder for the
    files of a training. It survives the scene: ``scene_closed`` and ``scene_opened`` tell it what happened.
    """

    def __init__(self, ui, parameters: Callable, *, jobs: Callable[[], Path], requirements: Path) -> None:
        self._ui, self._parameters = ui, parameters
        self._open = self._busy = self._looking = self._left = False
        self._waiting: Callable | None = None  # what is to be shown when the module is entered
        self._offered: set[str] = set()
        self.question: Any = None
        self._timer = qt.QTimer()
        self._timer.setInterval(BEAT)
        self.tasks = Tasks(self._timer, self._beat_changed)
        self._timer.connect("timeout()", self._beat)
        self.images = InputSection(ui, lambda: parameters() and parameters().parameterNode, self.update)
        self.anatomy = AnatomySection(ui, parameters, self.images, self.update)
        self.engine = EngineSection(ui, requirements=requirements, changed=self.update, in_use=lambda: self.tasks.busy)
        self.compute = ComputeSection(
            ui,
            self.tasks,
            asked=lambda: WAITING if self.anatomy.placing.points is not None else "",
            studies=self.studies,
            settings=self.settings,
            engine=self.engine,
            jobs=jobs,
            shown=self._show,
        )
        self.review = ReviewSection(ui, parameters, new_view(), self.compute.say)
        self.export = ExportSection(ui, self.review, self.compute.say)
        ui.sampleButton.connect("clicked()", self.load_sample)
        ui.dicomButton.connect("clicked()", self.choose_folder)
        ui.computeButton.connect("pressed()", self._finish_typing)

    def studies(self) -> list[Study]:
        """What is chosen: the stress study, and the rest study where there is one."""
        stress = self.anatomy.study("Stress", self.images.series)
        rest = self.images.rest
        if not rest:
            return [stress]
        return [stress, self.anatomy.study("Rest", rest, rest=True)]

    def settings(self) -> Settings:
        """The settings that are chosen; raises InputError where one cannot be used."""
        return settings_of(self._parameters(), self.anatomy.levels)

    def load_sample(self, sample: Sample = Sample.STRESS) -> None:
        """Draw a synthetic study and choose it."""
        self._arrive("Sample", SampleLoading(sample), self._take_sample)

    def choose_folder(self) -> None:
        """Ask for a DICOM folder and load it."""
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), "Folder of the perfusion study (DICOM)")
        if folder:
            self.load_folder(folder)

    def load_folder(self, folder: str | Path, *, rest: bool | None = None, **choices) -> None:
        """Read a DICOM folder and choose its series; ``choices`` as ``scene.Loading`` takes them.

        ``rest`` says whether it is the rest series, None: by its name. What the folder does not tell is asked.
        """

        def again(**more) -> None:
            self.load_folder(folder, **{"rest": rest, **choices, **more})

        def ask(loading) -> None:
            self.question = question(loading, again, lambda: self.compute.say(_NOTHING_LOADED))

        self._arrive("DICOM folder", Loading(folder, **choices), lambda done: self._take_loaded(done, rest), ask)

    def scene_opened(self) -> None:
        """A new parameter node: choose by usual names what is not chosen, and show what the scene holds."""
        self._open = True
        if not find_analyses():
            self._ui.inputSection.collapsed = self._ui.anatomySection.collapsed = False
        self.guess()

    def enter(self) -> None:
        """The module is opened: choose what has come by its usual name, and show what waited for it."""
        self._left = False
        self.guess()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()

    def leave(self) -> None:
        """Another module is opened: a computation goes on, but from now on the screen is that module's."""
        self._left = True
        if self.anatomy.placing.points is not None:
            self.anatomy.placing.stop()

    def scene_imports(self) -> None:
        """Another scene comes into this one, and with it a parameter node: nothing is read or written until it is there."""
        self._open = False

    def scene_closed(self) -> None:
        """The scene is about to close: end all work, forget its nodes."""
        self._waiting = None
        if self.question is not None:
            self.question.dismiss()
        self._open = False
        self.tasks.kill()
        self.engine.forget()
        self.images.forget()
        self.anatomy.forget()
        self.compute.forget()
        self.review.forget()

    def guess(self) -> None:
        """Choose by usual names where nothing is chosen yet."""
        self._offered = offered()
        self.images.guess()
        self.anatomy.guess()
        self.review.guess()
        self.update()

    def update(self) -> None:
        """Bring all widgets to what is chosen."""
        if not self._open or self._left:
            return
        self.images.update()
        self.anatomy.update()
        self._show_method()
        self.review.update()
        self.export.update()
        self.compute.update()

    def nodes_changed(self) -> None:
        """Nodes came or went, often many at once: look at it when Slicer has time, and the user at the module."""
        if self._left:
            self.review.let_go()
        elif self._open and not self._looking:
            self._looking = True
            qt.QTimer.singleShot(0, self._look)

    def _look(self) -> None:
        """What has come is chosen by its usual name where nothing is chosen yet."""
        self._looking = False
        if not self._open or self._left:
            return
        before, self._offered = self._offered, offered()
        if self._offered - before:
            self.images.guess()
            self.anatomy.guess()
        self.update()

    def close(self) -> None:
        """The module or Slicer ends."""
        self.scene_closed()
        self.images.close()
        self.engine.close()
        self.review.close()

    def _finish_typing(self) -> None:
        """A number still being typed counts: a button takes no focus on macOS."""
        field = qt.QApplication.focusWidget()
        if field is not None and field != self._ui.computeButton:
            field.clearFocus()

    def _beat(self) -> None:
        """Move the queue on; not while a scene comes in, when there is nothing to take its results."""
        if self._open:
            self.tasks.beat()

    def _beat_changed(self) -> None:
        if self._open:
            self.compute.beat()
        if self._busy != self.tasks.busy:
            self._busy = self.tasks.busy
            self.engine.panel.refresh()

    def _show_method(self) -> None:
        """What a method does not use cannot be set; the tooltip says so."""
        method, ui = self._parameters().method, self._ui
        rules = (
            ((ui.stepsSpin, ui.startSelector), method.is_network, "Only the networks are trained."),
            ((ui.spatialCheck,), method.learns, "Only MAP and one-shot know a voxel's neighbours."),
            ((ui.deviceSelector,), method.is_network or method is Method.ONE_SHOT, "This method runs on the CPU."),
        )
        for widgets, used, why_not in rules:
            for widget in widgets:
                tip = widget.property("ownToolTip") or widget.toolTip
                widget.setProperty("ownToolTip", tip)
                widget.enabled = used
                widget.toolTip = tip if used else f"{why_not} {tip}"

    def _arrive(self, title: str, loading, take: Callable, failed: Callable = lambda loading: None) -> None:
        def begin():
            loading.start()
            return loading

        self.tasks.add(Task(title, begin, lambda outcome: self._arrived(outcome, take, failed)))

    def _arrived(self, outcome, take: Callable, failed: Callable) -> None:
        if isinstance(outcome, Failed):
            self.compute.say(f"{outcome.text} {outcome.hint}".strip())
        elif outcome.state is State.FAILED:
            self.compute.say(f"{outcome.failure.text} {outcome.failure.hint}".strip())
            failed(outcome)
        elif outcome.state is State.CANCELLED:
            self.compute.say(_NOTHING_LOADED)
        else:
            take(outcome)

    def _take_sample(self, loading: SampleLoading) -> None:
        sample = loading.result
        self._begin_anew()
        self.anatomy.choose(sample.segmentation, sample.insertion)
        self.images.choose(STRESS, sample.stress.nodes)
        self.images.choose(REST, sample.rest.nodes if sample.rest else [])
        self._look_at(sample.stress.nodes)
        self.compute.say("")

    def _take_loaded(self, loading: Loading, rest: bool | None) -> None:
        nodes = loading.study.nodes
        if rest is None:
            rest = bool(self.images.series) and all(map(at_rest, nodes))
        if not rest and self.images.series:
            self._begin_anew()
        self.images.choose(REST if rest else STRESS, nodes)
        self.anatomy.guess()
        self._look_at(nodes)
        drawn = self._parameters().segmentation is not None
        self.compute.say("" if drawn else _DRAW)

    def _begin_anew(self) -> None:
        """Another study takes the place of the one that was chosen: none of its nodes stays chosen beside it."""
        chosen = self._parameters()
        self.anatomy.begin_anew()
        self.images.choose(REST, [])
        chosen.analysis = chosen.restAnalysis = None

    def _show(self, analysis: SceneAnalysis, study: Study) -> None:
        """An analysis came into the scene: a rest one stands beside its stress one, any other is looked at."""
        chosen = self._parameters()
        if study.rest:
            analysis.node.SetAttribute(STATE, REST_STATE)
        if study.rest and chosen.analysis is not None:
            chosen.restAnalysis = analysis.node
            self.update()
        else:
            chosen.analysis, chosen.mode = analysis.node, Mode.ANALYSIS
            self._when_entered(self._show_chosen)
            if self._left:
                slicer.util.showStatusMessage(f'"{analysis.name}" is computed. Open MyoPINN to see it.')

    def _show_chosen(self) -> None:
        self.update()
        self.review.show()
        self._ui.inputSection.collapsed = self._ui.anatomySection.collapsed = True
        self._ui.reviewSection.collapsed = False

    def _look_at(self, series) -> None:
        def show() -> None:
            if all(node.GetScene() is not None for node in series):
                self.review.show_images(series)

        self._when_entered(show)

    def _when_entered(self, show: Callable[[], None]) -> None:
        """Change layout and views now, or when the user comes back to the module: the last such change alone."""
        if self._left:
            self._waiting = show
        else:
            show()
