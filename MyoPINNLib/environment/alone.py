"""One installation at a time in the environment's folder, which must be ours; and what it leaves is swept out."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from ..aside import MOMENT, Aside
from ..errors import InputError
from ..events import Progress
from ..swap import hold
from .status import BUSY, MEMORY, Memory, is_ours
from .work import Steps, Value, beside

PATIENCE = 10.0
_PID_AT = 1  # Windows: the first byte is held, and nobody else can read it


class Busy:
    """The file ``busy`` of ``folder``, held by this process (whose id stands in it) until ``leave``; a crash leaves too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = os.open(folder / BUSY, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        self.held = self._hold()

    def _hold(self) -> bool:
        held = False
        try:
            held = hold(self._descriptor) and os.path.samestat(os.fstat(self._descriptor), os.stat(self._folder / BUSY))
            if held:
                os.write(self._descriptor, f" {os.getpid():<10}".encode())
        except FileNotFoundError:
            held = False
        except OSError:  # a full disk: nobody else is to be kept out for it
            os.close(self._descriptor)
            raise
        if not held:
            os.close(self._descriptor)
        return held

    def leave(self) -> None:
        """Let others in; the folder goes where nothing is left in it."""
        if os.name != "nt":
            (self._folder / BUSY).unlink(missing_ok=True)
        os.close(self._descriptor)
        try:
            if os.name == "nt":
                (self._folder / BUSY).unlink(missing_ok=True)
            self._folder.rmdir()
        except OSError:  # something lies in it, as a rule
            return


def alone(folder: Path, steps: Steps[Value], *, clock: Callable[[], float] = time.monotonic) -> Steps[Value]:
    """``steps`` while nobody else works in ``folder``; whatever comes of them, what they left is swept out after them."""
    claim(folder)
    busy = yield from _entered(folder, clock)

    def leave() -> None:
        try:
            sweep(folder)
        finally:
            busy.leave()

    try:
        value = yield from steps
    except BaseException:
        Aside(leave)
        raise
    yield from beside(leave, Progress("cleaning up", 1.0))
    return value


def claim(folder: Path) -> None:
    """Make ``folder``; InputError where it cannot be made, or holds what is not ours."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
        if not names & {MEMORY} and any(not is_ours(name) and name != BUSY for name in names):
            raise InputError(f'The folder "{folder}" holds other files.', "Choose an empty folder.")
        if MEMORY not in names:
            Memory().write(folder)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(f'The folder "{folder}" cannot be written to: {why}.', "Choose another folder.") from error


def sweep(folder: Path) -> None:
    """Delete the packages that are no longer, or never were, the environment; all of it where there is none."""
    memory = Memory.read(folder)
    for path in folder.iterdir():
        if is_ours(path.name) and path.name != memory.packages and not path.is_symlink():
            _remove(path)
    if memory == Memory():
        (folder / MEMORY).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    """Delete a folder; on Windows what was killed just now may hold its files a little longer."""
    for _ in range(10):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        time.sleep(0.2)


def _entered(folder: Path, clock: Callable[[], float]) -> Steps[Busy]:
    end = clock() + PATIENCE
    while True:
        busy = Busy(folder)
        if busy.held:
            return busy
        if clock() >= end:
            raise InputError(
                f'Another MyoPINN ({_who(folder)}) installs into "{folder}".',
                "Wait for its end or choose another folder.",
            )
        time.sleep(MOMENT)  # in Slicer a sweep of our own, a thread, works only while the main thread waits
        yield Progress("waiting for another installation", 0.0)


def _who(folder: Path) -> str:
    try:
        with (folder / BUSY).open("rb", buffering=0) as file:
            file.seek(_PID_AT)
            return f"process {int(file.read(20))}"
    except (OSError, ValueError):
        return "process unknown"
