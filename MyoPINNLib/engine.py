"""The engine seen from outside: starts it in a process of its own, listens, cancels, and says how it ended.

No Qt and no waiting: call ``poll()`` from a timer. The run is done where the process ended with 0 **and** wrote a new
``result.json``; nothing that it printed counts.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from .events import MAX_LINE, Event, Failed, Fault, from_line
from .job import CANCEL, RESULT
from .log import LOG, EngineLog

GRACE = 1.4
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
    """The command that runs ``job`` in the interpreter ``python``."""
    return [python, "-m", "MyoPINNLib", "run", str(job), "--events", "--watch-stdin"]


def launch(command: Sequence[str]) -> subprocess.Popen:
    """Start ``command`` at the head of a process group of its own, all three streams as pipes."""
    library = str(Path(__file__).resolve().parents[1])
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    own_group: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"},
        **own_group,
    )


class EngineRun:
    """One run of one job folder.

    ``command`` is what is run (``engine_command``), ``launch`` starts it, ``clock`` gives seconds.
    ``state`` says where it stands, ``failure`` why it failed, ``text`` holds the last lines that were no events.
    """

    def __init__(
        self,
        job: Path,
        *,
        command: Sequence[str] | None = None,
        launch: Callable[[Sequence[str]], subprocess.Popen] = launch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.job = Path(job)
        self.state = State.READY
        self.failure: Failed | None = None
        self.text: deque[str] = deque(maxlen=KEPT_LINES)
        self._command = list(command or engine_command(self.job))
        self._launch, self._clock = launch, clock
        self._lines: queue.Queue[str] = queue.Queue(WAITING_LINES)
        self._readers: list[threading.Thread] = []
        self._process: subprocess.Popen | None = None
        self._kill_at = self._give_up_at = float("inf")

    def start(self) -> None:
        """Start the engine; where that fails the state says so."""
        if self.state is not State.READY:
            raise ValueError(f"This run is {self.state.value}; a run starts once.")
        self._earlier = self._result()
        self._forget_cancel()
        try:
            self._process = self._launch(self._command)
        except OSError as error:
            self._fail(f"The engine could not be started: {error.strerror}.", "Check the engine's Python environment.")
            return
        self.state = State.RUNNING
        for stream in (self._process.stdout, self._process.stderr):
            reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
            reader.start()
            self._readers.append(reader)

    def poll(self) -> list[Event]:
        """The events since the last call, never more than a timer's beat can bear; moves the state on."""
        if self._process is None or self.state.ended:
            return []
        ended = self._process.poll() is not None
        events = self._heard()
        if ended:
            self._close()
        elif self._clock() >= self._kill_at:
            kill_tree(self._process)
        return events + (self._heard() if self.state.ended else [])

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

    def _read(self, stream) -> None:
        """One stream into the queue, line by line; an endless line comes in pieces. Blocks where nobody polls."""
        with stream:
            for line in iter(lambda: stream.readline(MAX_LINE), b""):
                self._lines.put(line.decode("utf-8", "replace"))

    def _heard(self) -> list[Event]:
        events = []
        for line in self._waiting():
            event = from_line(line)
            if event is None:
                self.text.append(line.rstrip())
                continue
            if isinstance(event, Failed):
                self.failure = event
            events.append(event)
        return events

    def _waiting(self) -> Iterable[str]:
        for _ in range(EVENTS_A_POLL):
            try:
                yield self._lines.get_nowait()
            except queue.Empty:
                return

    def _close(self) -> None:
        """The process has ended: end what it started, hear all that was said, then judge."""
        if self._give_up_at == float("inf"):
            kill_tree(self._process)
            self._give_up_at = self._clock() + LAST_WORDS
        reading = any(reader.is_alive() for reader in self._readers)
        if self._lines.empty() and (not reading or self._clock() >= self._give_up_at):
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
            self._fail(f"The engine stopped without a result ({_how(code)}).", f"What is known of it is in {LOG}.")
        return State.FAILED

    def _settle(self, state: State) -> None:
        self.state = state
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


def kill_tree(process: subprocess.Popen) -> None:
    """End a process that ``launch`` started and all that it started; needs psutil nowhere, uses it where it is."""
    for kill in (_kill_family, _kill_group):
        kill(process)


def _kill_family(process: subprocess.Popen) -> None:
    try:
        import psutil
    except ImportError:
        return
    if process.poll() is not None:
        return
    try:
        parent = psutil.Process(process.pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.Error:
        return
    for member in family:
        with contextlib.suppress(psutil.Error):
            member.kill()


def _kill_group(process: subprocess.Popen) -> None:
    if sys.platform == "win32":
        if process.poll() is None:
            tree = ["taskkill", "/PID", str(process.pid), "/T", "/F"]
            subprocess.run(tree, capture_output=True, check=False, creationflags=subprocess.CREATE_NO_WINDOW)
        return
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _how(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"ended by {name}" + (", often a lack of memory" if name == "SIGKILL" else "")
    return f"exit code {code}"
