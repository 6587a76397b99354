"""The engine seen from outside: starts it in a process of its own, listens, cancels, and says how it ended.

No Qt and no waiting: call ``poll()`` from a timer. The run is done where the process ended with 0 **and** wrote a new
``result.json``; nothing that it printed counts.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path

from .events import MAX_LINE, Event, Failed, Fault, from_line
from .job import CANCEL, RESULT
from .launching import Lines, how_it_ended, kill_tree, launch
from .log import LOG, EngineLog

GRACE = 1.4
KILL_AGAIN = 1.0
REAP = 0.5
LAST_WORDS = 1.0
EVENTS_A_POLL = 2000
WAITING_LINES = 10000
KEPT_LINES = 200


class State(Enum):
    """Where a run stands."""

    READY = "ready"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """True where nothing more will come."""
        return self in (State.DONE, State.FAILED, State.CANCELLED)


def engine_command(job: Path, python: str = sys.executable) -> list[str]:
    """The command that runs ``job`` in the interpreter ``python``; a bare name is looked up in PATH."""
    python = os.path.abspath(python) if os.path.dirname(python) else python
    return [python, "-m", "MyoPINNLib", "run", str(Path(job).absolute()), "--events", "--watch-stdin"]


class EngineRun:
    """One run of one job folder.

    ``command`` is what is run (``engine_command``), ``env`` its environment (``launching.surroundings`` where left out;
    in Slicer, whose libraries are in the way of another Python's, ``slicer.util.startupEnvironment()`` is a good start),
    ``launch`` starts it, ``clock`` gives seconds.
    ``state`` says where it stands, ``failure`` why it failed, ``text`` holds the last lines that were no events.
    """

    def __init__(
        self,
        job: Path,
        *,
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        launch: Callable[[Sequence[str], Mapping[str, str] | None], subprocess.Popen] = launch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.job = Path(job).absolute()
        self.state = State.READY
        self.failure: Failed | None = None
        self.text: deque[str] = deque(maxlen=KEPT_LINES)
        self._command = list(command or engine_command(self.job))
        self._env, self._launch, self._clock = env, launch, clock
        self._lines: Lines | None = None
        self._process: subprocess.Popen | None = None
        self._kill_at = self._give_up_at = float("inf")

    def start(self) -> None:
        """Start the engine; where that fails the state says so."""
        if self.state is not State.READY:
            raise ValueError(f"This run is {self.state.value}; a run starts once.")
        self._earlier = self._result()
        self._forget_cancel()
        try:
            self._process = self._launch(self._command, self._env)
        except OSError as error:
            self._fail(f"The engine could not be started: {error.strerror}.", "Check the engine's Python environment.")
            return
        self.state = State.RUNNING
        self._lines = Lines(self._process.stdout, self._process.stderr, room=WAITING_LINES, longest=MAX_LINE)

    def poll(self) -> list[Event]:
        """The events since the last call, never more than a timer's beat can bear; moves the state on."""
        if self._process is None or self.state.ended:
            return []
        ended = self._process.poll() is not None
        events = self._heard()
        if ended:
            self._close()
        elif self._clock() >= self._kill_at:
            self._kill_at = self._clock() + KILL_AGAIN
            kill_tree(self._process)
        return events

    def cancel(self) -> None:
        """Ask the engine to end; ``poll`` kills it where it does not."""
        if self.state is not State.RUNNING:
            return
        self.state, self._kill_at = State.CANCELLING, self._clock() + GRACE
        with contextlib.suppress(OSError):  # closing stdin says the same
            (self.job / CANCEL).touch()
        self._close_stdin()

    def kill(self) -> None:
        """End the whole process tree now (the program closes); the state is then cancelled."""
        if self._process is not None and not self.state.ended:
            self._close_stdin()
            kill_tree(self._process)
            self._settle(State.CANCELLED)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(REAP)

    def _heard(self) -> list[Event]:
        events = []
        for line in self._lines.take(EVENTS_A_POLL):
            event = from_line(line)
            if event is None:
                self.text.append(line.rstrip())
                continue
            if isinstance(event, Failed):
                self.failure = event
            events.append(event)
        return events

    def _close(self) -> None:
        """The process has ended: end what it started, hear all that was said, then judge."""
        if self._give_up_at == float("inf"):
            kill_tree(self._process)
            self._give_up_at = self._clock() + LAST_WORDS
        reading = self._lines.reading
        if self._lines.empty and (not reading or self._clock() >= self._give_up_at):
            self._settle(self._verdict(self._process.returncode))

    def _verdict(self, code: int) -> State:
        if code == 0 and self._result() not in (None, self._earlier):
            return State.DONE
        told = self.failure
        if (
            self.state is State.CANCELLING
            or code == Fault.CANCELLED.exit_code
            or (told and told.kind is Fault.CANCELLED)
        ):
            return State.CANCELLED
        if told is None:
            EngineLog(self.job).crash(code, self.text)
            self._fail(
                f"The engine stopped without a result ({how_it_ended(code)}).", f"What is known of it is in {LOG}."
            )
        return State.FAILED

    def _settle(self, state: State) -> None:
        self.state = state
        self._lines.stop()
        self._close_stdin()
        if state is not State.FAILED:
            self.failure = None
        self._forget_cancel()

    def _fail(self, sentence: str, hint: str) -> None:
        self.state, self.failure = State.FAILED, Failed(Fault.DEFECT, sentence, hint)

    def _forget_cancel(self) -> None:
        with contextlib.suppress(OSError):  # the engine says what is wrong with its folder
            (self.job / CANCEL).unlink(missing_ok=True)

    def _close_stdin(self) -> None:
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _result(self) -> tuple[int, int] | None:
        """What tells one result.json from another (it is always a new file), None where there is none."""
        try:
            facts = (self.job / RESULT).stat()
        except OSError:
            return None
        return facts.st_ino, facts.st_mtime_ns
