"""Work that takes time, one piece after the other, moved on by a timer: nothing here waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..events import failed_by


@dataclass(frozen=True)
class Task:
    """``start`` begins the work and gives what is polled (``poll``, ``done``, ``cancel``, ``kill``); ``ended`` gets that, or
    a Failed where it did not even begin. ``key`` tells it from other work; ``title`` is shown.
    """

    title: str
    start: Callable[[], Any]
    ended: Callable[[Any], None]
    key: object = None


class Tasks:
    """A queue of tasks. ``timer`` beats while there is work (a QTimer, or what has its ``start`` and ``stop``);
    ``changed`` is called at every beat and change.
    """

    def __init__(self, timer, changed: Callable[[], None]) -> None:
        self._timer, self._changed = timer, changed
        self._waiting: deque[Task] = deque()
        self._task: Task | None = None
        self._running: Any = None

    @property
    def busy(self) -> bool:
        """True while there is work."""
        return self._task is not None or bool(self._waiting)

    @property
    def running(self):
        """What is polled now; None between two tasks."""
        return self._running

    @property
    def title(self) -> str:
        """Of the task that runs, with how many wait behind it."""
        if self._task is None:
            return ""
        behind = f" ({len(self._waiting)} waiting)" if self._waiting else ""
        return self._task.title + behind

    def holds(self, key: object) -> bool:
        """True where a task of this key runs or waits."""
        tasks = [*self._waiting, *([self._task] if self._task else [])]
        return any(task.key == key for task in tasks)

    def add(self, task: Task) -> None:
        """Put a task at the end of the queue."""
        self._waiting.append(task)
        self._timer.start()
        self._changed()

    def beat(self) -> None:
        """Move on: begin the next task, or hear the one that runs."""
        if self._running is None and self._waiting:
            self._begin(self._waiting.popleft())
        elif self._running is not None:
            self._running.poll()
            if self._running.done:
                self._end(self._running)
        if not self.busy:
            self._timer.stop()
        self._changed()

    def cancel(self) -> None:
        """Drop what waits and ask what runs to end."""
        self._waiting.clear()
        if self._running is not None:
            self._running.cancel()
        self._changed()

    def kill(self) -> None:
        """End everything now: the scene or Slicer closes."""
        self._waiting.clear()
        running, self._task, self._running = self._running, None, None
        self._timer.stop()
        if running is not None:
            running.kill()
        self._changed()

    def _begin(self, task: Task) -> None:
        self._task = task
        try:
            self._running = task.start()
        except Exception as error:
            self._end(failed_by(error))

    def _end(self, outcome) -> None:
        task, self._task, self._running = self._task, None, None
        task.ended(outcome)
