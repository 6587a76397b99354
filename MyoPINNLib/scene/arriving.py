"""What is on its way into the scene: read or made in a thread, put into the scene by the main thread, all or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..aside import Aside
from ..engine import State
from ..errors import Cancelled
from ..events import Event, Failed, Progress, failed_by
from .nodes import the_scene
from .run import BEAT

Read = TypeVar("Read")
Shown = TypeVar("Shown")


class Arriving(Generic[Read, Shown]):
    """``work(report)`` in a thread of its own; what it gives is put into the scene by ``bring`` in the thread that polls.

    ``state`` says where it stands, ``progress`` how far it is, ``failure`` why it failed, ``error`` the error itself; once
    it is done, ``result`` is what ``bring`` gave. Closing the scene cancels it.
    """

    def __init__(
        self,
        work: Callable[[Callable[[Event], None]], Read],
        bring: Callable[[Read], Shown],
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.state = State.READY
        self.progress = Progress("starting", 0.0)
        self.failure: Failed | None = None
        self.error: Exception | None = None
        self.result: Shown | None = None
        self._work, self._bring, self._on_progress = work, bring, on_progress
        self._aside: Aside[Read] | None = None
        self._latest = self.progress
        self._scene, self._closing = the_scene(), 0

    @property
    def done(self) -> bool:
        """True once nothing more will come, well or not."""
        return self.state.ended

    def start(self) -> None:
        """Begin."""
        self.state = State.RUNNING
        self._closing = self._scene.AddObserver(self._scene.StartCloseEvent, lambda *_: self._end(State.CANCELLED))
        self._aside = Aside(lambda: self._work(self._hear))

    def poll(self) -> None:
        """For a timer: tells the progress, and brings the result into the scene once it is there."""
        if self._aside is None or self.done:
            return
        self._aside.give_way()
        if self.progress is not self._latest:
            self.progress = self._latest
            if self._on_progress is not None:
                self._on_progress(self.progress)
        if self._aside.over:
            self._arrive()

    def wait(self):
        """Poll until the end; raises what went wrong, and cancels where it is interrupted."""
        try:
            while not self.done:
                self.poll()
                time.sleep(0 if self.done else BEAT)
        except BaseException:
            self._end(State.CANCELLED)
            raise
        self.check()
        return self.result

    def check(self) -> None:
        """Raise what went wrong, where it has."""
        if self.state is State.CANCELLED:
            raise Cancelled()
        if self.state is State.FAILED:
            raise self.failure.error() from self.error

    def cancel(self) -> None:
        """Stop; the scene stays as it is. The thread ends by itself at its next report."""
        self._end(State.CANCELLED)

    def kill(self) -> None:
        """The same, for a program that closes."""
        self.cancel()

    def _hear(self, event: Event) -> None:
        """In the thread: keep the latest progress; stop where nobody waits any more."""
        if self.done:
            raise Cancelled()
        if isinstance(event, Progress):
            self._latest = event

    def _arrive(self) -> None:
        try:
            self.result = self._bring(self._aside.result())
        except Exception as error:
            self.error, self.failure = error, self._failure(error)
            self._end(State.FAILED)
        else:
            self._end(State.DONE)

    def _failure(self, error: Exception) -> Failed:
        """What the user reads of an error."""
        return failed_by(error)

    def _end(self, state: State) -> None:
        if self.done:
            return
        self.state, self._aside = state, None
        if self._closing:
            self._scene.RemoveObserver(self._closing)
            self._closing = 0
