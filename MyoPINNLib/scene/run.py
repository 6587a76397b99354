"""A run of the engine in a process of its own that ends as an analysis in the scene; nobody waits for it who does not want to."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ..aside import Aside
from ..engine import EngineRun, State, engine_command
from ..errors import Cancelled, InputError
from ..events import Event, Failed, Fault, Progress, failed_by
from ..log import LOG
from .analysis import SceneAnalysis
from .finished import Finished, Table, read_finished
from .nodes import the_scene
from .show import show_finished

BEAT = 0.05
_LOG_BYTES = 20_000
_SLICERS_PYTHON = "PythonSlicer"


class Run:
    """A run of the engine on the folder ``job``, which ``write`` fills; it ends as an analysis in the scene.

    Files are written and read beside the main thread, so that no ``poll`` takes longer than the nodes themselves do.
    ``state`` says where it stands, ``progress`` how far it is, ``failure`` why it failed, ``warnings`` what was said; once
    it is done, ``analysis`` holds what came of it, and ``maps``, ``segments``, ``nodes`` and ``remove`` are the analysis's.
    """

    def __init__(
        self,
        job: Path,
        write: Callable[[], object],
        show: Mapping,
        *,
        passing: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
        python: str | None = None,
        env: Mapping[str, str] | None = None,
        engine: Callable[..., EngineRun] = EngineRun,
    ) -> None:
        self.job, self.progress, self.warnings = Path(job), Progress("starting", 0.0), list[str]()
        self.failure: Failed | None = None
        self.analysis: SceneAnalysis | None = None
        self._show, self._passing, self._on_progress = dict(show), passing, on_progress
        command = engine_command(job, python or engine_python())
        self._engine = engine(job, command=command, env=_environment(python, env))
        self._write = write
        self._writing: Aside | None = None
        self._reading: Aside[Finished] | None = None
        self._cancelled = False
        self._scene = the_scene()
        self._closing: int | None = None
        self._state: State | None = None
        self._happened = ""

    @property
    def state(self) -> State:
        """Where the run stands; DONE once the analysis is in the scene."""
        if self._state is not None:
            return self._state
        if self._cancelled:
            return State.CANCELLING
        return State.READY if self._writing is None else State.RUNNING

    @property
    def done(self) -> bool:
        """True once nothing more will come, well or not."""
        return self.state.ended

    @property
    def log(self) -> str:
        """What is known of the run: what happened when, once it has ended, and the last lines that the engine said."""
        return "\n".join(filter(None, [self._happened, *self._engine.text]))

    def start(self) -> None:
        """Write the job, then start the engine; closing the scene cancels it from then on."""
        self._closing = self._scene.AddObserver(self._scene.StartCloseEvent, lambda *_: self.kill())
        self._writing = Aside(self._write)

    def poll(self) -> list[Event]:
        """The events since the last call, for a timer; brings the result into the scene when the engine is done."""
        if self._writing is None or self._state is not None:
            return []
        (self._reading or self._writing).give_way()
        if not self._writing.over:
            return []
        if self._engine.state is State.READY:
            self._begin()
            return []
        events = self._engine.poll()
        for event in events:
            self._hear(event)
        if self._engine.state is State.DONE:
            self._bring()
        elif self._engine.state.ended:
            self._end(self._engine.state, self._engine.failure)
        return events

    def wait(self) -> Run:
        """Poll until the end; raises what went wrong, and cancels where it is interrupted."""
        try:
            while not self.done:
                self.poll()
                time.sleep(0 if self.done else BEAT)
        except BaseException:
            self.kill()
            raise
        self.check()
        return self

    def check(self) -> None:
        """Raise what went wrong with a run that has ended."""
        if self.state is State.CANCELLED:
            raise Cancelled()
        if self.state is State.FAILED:
            raise self.failure.error()

    def cancel(self) -> None:
        """Ask the engine to end; ``poll`` tells when it has. The scene stays as it is."""
        if self._state is None:
            self._cancelled = True
            self._engine.cancel()

    def kill(self) -> None:
        """End the engine now (Slicer or the scene closes): nothing of this run belongs into the next scene."""
        if self._state is None:
            self._engine.kill()
            self._end(State.CANCELLED)

    @property
    def maps(self):
        """Quantity -> (k, j, i), shown units."""
        return self._there().maps

    @property
    def segments(self) -> Table:
        """The table of the AHA segments."""
        return self._there().segments

    @property
    def nodes(self) -> dict[str, list]:
        """Role -> nodes in the scene."""
        return self._there().nodes

    def remove(self) -> None:
        """Take the analysis out of the scene."""
        self._there().remove()

    def _there(self) -> SceneAnalysis:
        self.check()
        if self.analysis is None:
            raise InputError(f"The run is not done ({self.progress.fraction:.0%}).", "Wait for its end.")
        return self.analysis

    def _hear(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.progress = event
            if self._on_progress is not None:
                self._on_progress(event)
        elif hasattr(event, "text") and not isinstance(event, Failed):
            self.warnings.append(event.text)

    def _begin(self) -> None:
        """The job is written, or could not be: start the engine, unless a cancel came meanwhile."""
        try:
            self._writing.result()
        except Exception as error:
            self._end(State.FAILED, failed_by(error))
            return
        if self._cancelled:
            self._end(State.CANCELLED)
            return
        self._engine.start()
        if self._engine.state.ended:
            self._end(State.FAILED, self._engine.failure)

    def _bring(self) -> None:
        """The result into the scene, all of it or nothing: first read beside, then shown."""
        if self._cancelled:
            self._end(State.CANCELLED)
            return
        if self._reading is None:
            self._reading = Aside(lambda: read_finished(self.job))
        if not self._reading.over:
            return
        try:
            self.analysis = show_finished(self._reading.result(), **self._show)
        except Exception as error:
            self._end(State.FAILED, replace(failed_by(error), kind=Fault.DEFECT))
        else:
            self._end(State.DONE)

    def _end(self, state: State, failure: Failed | None = None) -> None:
        self._state, self.failure = state, failure
        self._happened = _last_words(self.job / LOG)
        if self._closing is not None:
            self._scene.RemoveObserver(self._closing)
            self._closing = None
        if self._passing:
            for work in (self._writing, self._reading):
                if work is not None:
                    work.then(lambda: shutil.rmtree(self.job, ignore_errors=True))


def _last_words(log: Path) -> str:
    """The end of an engine.log, "" where there is none."""
    try:
        return log.read_bytes()[-_LOG_BYTES:].decode("utf-8", "replace").strip()
    except OSError:
        return ""


def engine_python() -> str:
    """The Python that runs the engine where the user names none: Slicer's own in Slicer, else the present one."""
    return shutil.which(_SLICERS_PYTHON) or sys.executable


def _environment(python: str | None, env: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Slicer's own Python needs Slicer's environment; any other the one that Slicer was started in."""
    if env is not None:
        return env
    if shutil.which(_SLICERS_PYTHON) is None:
        return None
    if python is None or Path(python).stem == _SLICERS_PYTHON:
        return dict(os.environ)
    from slicer.util import startupEnvironment

    return startupEnvironment()
