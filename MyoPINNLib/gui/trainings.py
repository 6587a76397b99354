"""Trainings that were cut short: their job folders outlive a cancel and a crash, and go when they are of no more use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..engine import State
from ..events import Failed, Fault
from ..scene import Run
from ..settings import Settings
from .choices import Study


@dataclass(frozen=True)
class Training:
    """A job folder, what it is of, and under which settings."""

    job: Path
    study: Study
    settings: Settings


class Trainings:
    """``jobs`` gives a new folder for the files of a training."""

    def __init__(self, jobs: Callable[[], Path]) -> None:
        self._jobs = jobs
        self._folders: set[Path] = set()
        self._unfinished: list[Training] = []

    @property
    def last(self) -> Training | None:
        """The one that was cut short last, None where there is none."""
        return self._unfinished[-1] if self._unfinished else None

    def begin(self, study: Study, settings: Settings) -> Training | None:
        """A new one; None for a method that cannot be resumed, whose files are the run's own."""
        if not settings.fit.method.is_network:
            return None
        job = self._jobs()
        self._folders.add(job)
        return Training(job, study, settings)

    def resume(self) -> Training:
        """The last one, which is on its way again."""
        return self._unfinished.pop()

    def ended(self, training: Training, outcome: Run | Failed) -> None:
        """Keep the files of one that was cut short; those of any other go."""
        if _cut_short(outcome) and training.job.exists():
            self._unfinished.append(training)
        else:
            self._folders.discard(training.job)
            shutil.rmtree(training.job, ignore_errors=True)

    def forget(self) -> None:
        """The scene has closed: nobody comes back to any of them."""
        self._unfinished.clear()
        while self._folders:
            shutil.rmtree(self._folders.pop(), ignore_errors=True)


def _cut_short(outcome: Run | Failed) -> bool:
    if isinstance(outcome, Failed):  # it did not even begin, and may another time
        return True
    broke_off = outcome.state is State.FAILED and outcome.failure.kind is not Fault.INPUT
    return broke_off or outcome.state is State.CANCELLED
