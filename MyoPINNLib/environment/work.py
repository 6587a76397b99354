"""Work that a timer polls: its steps are a generator that gives its progress while it waits, and its value at the end.

    def steps(say):
        code = yield from heard(command, env, say)      a process
        yield from beside(lambda: shutil.rmtree(old))   a thread
        return value

Nothing here waits: a step that would is a process or a thread, and ``poll`` only looks at it.
"""

from __future__ import annotations

import subprocess
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Generic, TypeVar

from ..aside import Aside
from ..engine import KEPT_LINES, State
from ..errors import Cancelled, EngineError
from ..events import Failed, Fault, Progress, failed_by
from ..launching import Lines, kill_tree, launch

LINES_A_POLL, WAITING_LINES, LONGEST_LINE = 500, 10000, 4096
LAST_WORDS = 1.0

Value = TypeVar("Value")
Say = Callable[[str], None]
Launch = Callable[[Sequence[str], Mapping[str, str] | None], subprocess.Popen]
Steps = Generator[Progress, None, Value]


class Work(Generic[Value]):
    """``steps`` as work that runs from now on.

    ``state`` says where it stands, ``progress`` how far it is, ``value`` what came of it, ``failure`` why it failed, and
    ``text`` holds the last lines that its processes said.
    """

    def __init__(self, steps: Callable[[Say], Steps[Value]]) -> None:
        self.state, self.progress = State.RUNNING, Progress("starting", 0.0)
        self.failure: Failed | None = None
        self.value: Value | None = None
        self.text: deque[str] = deque(maxlen=KEPT_LINES)
        self._steps = steps(self.text.append)

    def poll(self) -> Progress:
        """Look at what runs, and move on where it has ended."""
        if self.state.ended:
            return self.progress
        try:
            self.progress = next(self._steps)
        except StopIteration as end:
            self.value, self.state, self.progress = end.value, State.DONE, Progress("done", 1.0)
        except OSError as error:
            told = f"A file could not be written: {error.strerror or type(error).__name__}."
            self._fail(Failed(Fault.INPUT, told, "Free space there or choose another folder."))
        except Exception as error:
            self._fail(failed_by(error))
        return self.progress

    def _fail(self, failure: Failed) -> None:
        self.state, self.failure = State.FAILED, failure

    def cancel(self) -> None:
        """End it now, with all that it started; what was there before stays."""
        if not self.state.ended:
            self.state = State.CANCELLED
            self._steps.close()

    def wait(self, seconds: float = 600.0) -> Value:
        """Poll until the end, in a script; raises what went wrong. Never for a GUI."""
        end = time.monotonic() + seconds
        while not self.state.ended:
            self.poll()
            if time.monotonic() > end:
                self.cancel()
            time.sleep(0.02)
        if self.state is State.CANCELLED:
            raise Cancelled
        if self.state is State.FAILED:
            raise self.failure.error()
        return self.value


def heard(
    command: Sequence[str],
    env: Mapping[str, str] | None,
    hear: Callable[[str], Progress],
    *,
    launch: Launch = launch,
    limit: float = float("inf"),
    clock: Callable[[], float] = time.monotonic,
) -> Steps[int]:
    """Run ``command`` and give every line that it says to ``hear``, and an empty one at each look; the exit code.

    Raises EngineError where it cannot be started or takes longer than ``limit`` s. Its whole tree ends with this.
    """
    try:
        process = launch(command, env)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise EngineError(f"The Python {command[0]} could not be started: {why}.", "Check its path.") from error
    lines = Lines(process.stdout, process.stderr, room=WAITING_LINES, longest=LONGEST_LINE)
    begun, last_words = clock(), float("inf")
    try:
        process.stdin.close()
        while True:
            ended = process.poll() is not None
            for line in lines.take(LINES_A_POLL):
                hear(line.rstrip())
            if ended and lines.empty and (not lines.reading or clock() >= last_words):
                return process.returncode
            if ended:
                last_words = min(last_words, clock() + LAST_WORDS)
            elif clock() - begun > limit:
                raise EngineError(f"The Python {command[0]} did not answer within {limit:.0f} s.", "Try again.")
            yield hear("")
    finally:
        kill_tree(process)
        lines.stop()


def beside(do: Callable[[], object], progress: Progress) -> Steps[None]:
    """``do`` in a thread that also ends its work where nobody waits any more."""
    aside = Aside(do)
    while not aside.over:
        aside.give_way()
        yield progress
    aside.result()
