"""Another Python as a process of its own: started so that nothing leads it astray, heard, and ended with all it started.

The Python may be any (3.10 or later, a virtual environment, Slicer's own), and the data that it works on may come from
anyone. So it stands in the library's folder, never in a study's; it does not search the folder it stands in (3.11 and
later); and it hears nothing of the variables by which the present Python finds its own files.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

LIBRARY = Path(__file__).resolve().parents[1]
TASKKILL = 2.0
_OWN_PYTHON = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP")


def surroundings() -> dict[str, str]:
    """This process's environment without what is meant for its own Python: Slicer's PYTHONHOME breaks any other."""
    return {name: value for name, value in os.environ.items() if name not in _OWN_PYTHON}


def launch(command: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.Popen:
    """Start ``command`` at the head of a process group of its own, all three streams as pipes.

    ``env`` is its environment (``surroundings()`` where left out); the library is added to its PYTHONPATH. Paths in
    ``command`` must be absolute, since it stands in the library's folder.
    """
    env = dict(surroundings() if env is None else env)
    paths = [str(LIBRARY), *filter(None, [env.get("PYTHONPATH")])]
    own_group: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=LIBRARY,
        env=env | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"},
        **own_group,
    )


class Lines:
    """What a process says on its ``streams``, line by line, read by threads of their own; an endless line comes in pieces.

    At most ``room`` lines wait, of ``longest`` bytes each: where nobody takes them the threads stand still, and with them
    the process, until ``stop``.
    """

    def __init__(self, *streams: IO[bytes], room: int, longest: int) -> None:
        self._waiting: queue.Queue[str] = queue.Queue(room)
        self._longest, self._stopped = longest, threading.Event()
        self._readers = [threading.Thread(target=self._read, args=(stream,), daemon=True) for stream in streams]
        for reader in self._readers:
            reader.start()

    @property
    def reading(self) -> bool:
        """True where a stream is still open; a process that the first one started may hold it."""
        return any(reader.is_alive() for reader in self._readers)

    @property
    def empty(self) -> bool:
        """True where no line waits."""
        return self._waiting.empty()

    def take(self, most: int) -> Iterator[str]:
        """The lines that wait, never more than ``most``."""
        for _ in range(most):
            try:
                yield self._waiting.get_nowait()
            except queue.Empty:
                return

    def stop(self) -> None:
        """From here on read to the end and keep nothing; sets threads free that stand still with a line in their hands."""
        self._stopped.set()
        for _ in self.take(self._waiting.maxsize):
            pass

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in iter(lambda: stream.readline(self._longest), b""):
                if not self._stopped.is_set():
                    self._waiting.put(line.decode("utf-8", "replace"))


def kill_tree(process: subprocess.Popen) -> None:
    """End a process that ``launch`` started and all that it started; needs psutil nowhere, uses it where it is."""
    by_psutil = _kill_family(process)
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # also those whose parent has died; there is no such group any more
            os.killpg(process.pid, signal.SIGKILL)
    elif not by_psutil and process.poll() is None:
        kill_by_taskkill(process)


def kill_by_taskkill(process: subprocess.Popen) -> None:
    """Windows without psutil: end the tree within ``TASKKILL`` s; where that fails, at least the process itself."""
    command = ["taskkill", "/PID", str(process.pid), "/T", "/F"]
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        subprocess.run(command, capture_output=True, check=False, timeout=TASKKILL, creationflags=flags)
    except (OSError, subprocess.TimeoutExpired):
        with contextlib.suppress(OSError):
            process.kill()


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"ended by {name}" + (", often a lack of memory" if name == "SIGKILL" else "")


def _kill_family(process: subprocess.Popen) -> bool:
    """True where psutil is there and knows the process: it is killed, and what it started too."""
    try:
        import psutil
    except ImportError:
        return False
    if process.poll() is not None:
        return False
    try:
        parent = psutil.Process(process.pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.Error:
        return False
    for member in family:
        with contextlib.suppress(psutil.Error):
            member.kill()
    return True
