"""Work beside the GUI: files are written and read in a thread, the scene is touched by the main thread alone.

Slicer's main thread keeps Python's lock while it idles in Qt's event loop, so that threads stand still between two beats of
a timer. Whoever polls such work gives way to it for a moment (``give_way``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")
MOMENT = 0.03  # s; short enough that nobody feels it


class Aside(Generic[Value]):
    """``work`` in a thread of its own, begun at once. ``over`` says that it ended; ``result`` is its value, or raises."""

    def __init__(self, work: Callable[[], Value]) -> None:
        self._work = work
        self._value: Value | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """True once the work ended, well or not."""
        return not self._thread.is_alive()

    def give_way(self) -> None:
        """Let the thread work for ``MOMENT``, or until it is over."""
        self._thread.join(MOMENT)

    def result(self) -> Value:
        """What the work gave, at its end; raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value

    def then(self, last: Callable[[], None]) -> None:
        """Do ``last`` when the work is over, whoever waits or not."""

        def wait() -> None:
            self._thread.join()
            last()

        if self.over:
            last()
        else:
            threading.Thread(target=wait, daemon=True).start()

    def _run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as error:
            self._error = error
