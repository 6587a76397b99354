"""What the user sees while a command runs: a bar with the time left on a terminal, plain lines elsewhere, or events."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable

from ..events import Event, Failed, Progress, Warned, to_line
from ..quantities import minutes_and_seconds, percent

BAR = 24
BEAT = 0.1
LINE_EVERY = 10.0
_WIPE = "\r\x1b[K"


class Terminal:
    """A report for people (on ``stream``, stderr where left out) or, with ``events``, for programs (JSON on stdout)."""

    def __init__(
        self, *, quiet: bool = False, events: bool = False, stream=None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.quiet, self.events = quiet, events
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._drawn, self._stage, self._at = False, "", float("-inf")

    def report(self, event: Event) -> None:
        """Show one event."""
        if self.events:
            print(to_line(event), flush=True)
        if isinstance(event, Failed):
            self.line(f"{event.text} {event.hint}".strip())
        elif self.quiet or self.events:
            return
        elif isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, Warned):
            self.line(f"Note: {event.text}")

    def line(self, text: str) -> None:
        """One line on the stream, the bar out of the way."""
        self.wipe()
        print(text, file=self._stream, flush=True)

    def wipe(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._stream.write(_WIPE)
            self._stream.flush()
        self._drawn = False

    def _progress(self, event: Progress) -> None:
        now, new = self._clock(), event.stage != self._stage
        alive = self._stream.isatty()
        if not new and now - self._at < (BEAT if alive else LINE_EVERY):
            return
        self._stage, self._at = event.stage, now
        words = ", ".join(part for part in (event.stage, event.detail, _loss(event.losses)) if part)
        words = f"{percent(event.fraction):3.0f} %  {words}{_left(event.seconds_left)}"
        if not alive:
            self.line(words)
            return
        full = round(BAR * event.fraction)
        line = f"[{'#' * full}{'-' * (BAR - full)}] {words}"
        self._stream.write(_WIPE + line[: shutil.get_terminal_size().columns - 1])
        self._stream.flush()
        self._drawn = True


def _loss(losses: dict) -> str:
    """The whole loss of a training, in words."""
    total = losses.get("total")
    return f"loss {total:.2e}" if isinstance(total, float) else ""


def _left(seconds: float | None) -> str:
    """The time left in words; nothing where it is not known or over."""
    if seconds is None or seconds < 1:
        return ""
    minutes, rest = minutes_and_seconds(seconds)
    return f", {minutes} min {rest} s left" if minutes else f", {rest} s left"
