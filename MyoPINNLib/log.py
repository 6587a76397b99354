"""``engine.log`` of a job: what happened, when and where in our code.

Names of patients stand in file names, and no pattern tells every name from a word. So no text that comes from outside is
written at all: a line is made of words of this file, of numbers, of versions, and of places in our own source. What an
error or a warning says is for the user's eyes; the log keeps its kind and where it arose.
"""

from __future__ import annotations

import errno
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from types import FrameType

from .events import Event, Finished, Progress, Started, Warned
from .quantities import percent

LOG = "engine.log"
MAX_LOG_BYTES = 1_000_000
STAGES = {"starting", "reading", "curves", "fit of segments", "fit of voxels", "fit of segments and voxels", "writing"}
_LIBRARIES = ("numpy", "scipy", "SimpleITK", "pydicom", "matplotlib", "tensorflow", "keras", "psutil")
_LAST_WORDS = (
    *("Fatal Python error", "Segmentation fault", "Illegal instruction", "Bus error", "MemoryError", "std::bad_alloc"),
    *("ut of memory", "free(): invalid pointer", "double free", "malloc", "CUDA", "DLL load failed", "GLIBC"),
    *("cannot open shared object file", "Library not loaded", "undefined symbol", "ImportError", "SyntaxError"),
    *(f"No module named '{name}" for name in ("MyoPINNLib", *_LIBRARIES)),
)
_VERSION = re.compile(r"\d[0-9a-z.+-]{0,30}")
_HOME = Path(__file__).parent
_FRAMES = 30
_CAUSES = 5


class EngineLog:
    """``engine.log`` in ``folder``, without any text from outside; never a reason to fail. ``clock`` gives seconds."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._path, self._clock = folder, folder / LOG, clock
        self._begun, self._stage, self._warnings = clock(), "", 0

    def __call__(self, event: Event) -> None:
        """Write an event down; of progress only a new stage, of a warning only that there was one."""
        if isinstance(event, Progress):
            if event.stage != self._stage:
                stage = event.stage if event.stage in STAGES else "another stage"
                self._write(f"{stage}, {percent(event.fraction):.0f} % after {self._clock() - self._begun:.1f} s")
            self._stage = event.stage
        elif isinstance(event, Started):
            python = ".".join(map(str, sys.version_info[:3]))
            self._write(f"started: MyoPINN {_version(event.version)}, Python {python} on {sys.platform}")
        elif isinstance(event, Warned):
            self._warnings += 1
            self._write(f"warning {self._warnings}")
        elif isinstance(event, Finished):
            self._write(f"finished after {event.seconds:.1f} s{_loaded()}")
        else:
            self._write(f"failed ({event.kind.value}){_loaded()}")

    def sizes(self, **numbers: int) -> None:
        """Write down how large a study is: counts of slices, frames, voxels."""
        self._write("sizes: " + ", ".join(f"{name} {number:d}" for name, number in numbers.items()))

    def error(self, error: BaseException) -> None:
        """Write down which exception it was and where in our code it arose; not what it says."""
        self._write(trail(error))

    def crash(self, code: int, lines: Iterable[str]) -> None:
        """Write down that a process ended with ``code`` and no result; of its last ``lines`` the words known here."""
        lines = list(lines)
        known = [words for words in _LAST_WORDS if any(words in line for line in lines)]
        self._write(
            f"no result, exit code {code:d}; in the last {len(lines)} lines: {', '.join(known) or 'no known words'}"
        )

    def _write(self, text: str) -> None:
        """Add ``text`` with the time of day; a log grown large begins anew."""
        try:
            if self._path.is_symlink() or not self._folder.is_dir():
                return
            small = not self._path.exists() or self._path.stat().st_size < MAX_LOG_BYTES
            with self._path.open("a" if small else "w", encoding="utf-8", errors="replace") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
        except OSError:
            pass


def trail(error: BaseException) -> str:
    """An exception and its causes as types and places: of our files the line and function, of others the package."""
    return ", caused by ".join(
        f"{_kind(cause)} at {' > '.join(_places(cause)) or 'no place'}" for cause in _causes(error)
    )


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes and len(causes) < _CAUSES:
        causes.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return causes


def _kind(error: BaseException) -> str:
    code = errno.errorcode.get(error.errno) if isinstance(error, OSError) else None
    return type(error).__name__ + (f" ({code})" if code else "")


def _places(error: BaseException) -> list[str]:
    """Where it went through, outermost first; a package is named once for all its frames in a row."""
    places = [_place(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return [place for place, _ in groupby(places[-_FRAMES:])]


def _place(frame: FrameType, line: int) -> str:
    file = Path(frame.f_code.co_filename)
    if file.is_relative_to(_HOME):
        return f"{file.relative_to(_HOME).as_posix()}:{line} in {frame.f_code.co_name}"
    package = str(frame.f_globals.get("__name__")).split(".")[0]
    return package if package in _LIBRARIES or package in sys.stdlib_module_names else "another package"


def _loaded() -> str:
    """The versions of the libraries that this process has loaded; asking the disk would cost the start of a run."""
    return "".join(f"; {name} {_version(module.__version__)}" for name, module in _modules())


def _modules() -> Iterator:
    modules = ((name, sys.modules.get(name)) for name in _LIBRARIES)
    return ((name, module) for name, module in modules if hasattr(module, "__version__"))


def _version(text: str) -> str:
    return text if _VERSION.fullmatch(str(text)) else "of unknown version"
