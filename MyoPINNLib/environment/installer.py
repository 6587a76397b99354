"""What pip is asked to do, how far it is by what it says, and why it failed in one sentence."""

from __future__ import annotations

import contextlib
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import EngineError, InputError
from ..events import Progress
from ..launching import how_it_ended
from .judging import OLDEST_PYTHON
from .machine import fill_command, sizes
from .status import PYTHONS, Recipe
from .work import Launch, Say, Steps, heard

LOADING, UNPACKING, CHECKING = 0.02, 0.7, 0.9  # where these stages begin, of the whole
PIP_SECONDS = 120.0
KEPT = 60
LOOK = 0.5
_VERSION = re.compile(r"pip \d\S* from .*\(python (\d+)\.(\d+)\)")
_PACKAGE = re.compile(r"\s*Downloading (?:https?://\S*/)?([^-/\s]+)-\S+\.whl \(")
_PROXY = "Check the network, or the proxy of pip (pip config); or install from a local folder of packages."
# What pip or the system says -> what the user reads, and a hint; the first that is found counts.
_FAILURES = (
    (
        r"No space left on device|not enough space on the disk|Disk quota exceeded",
        "The disk is full.",
        "Free space there or choose another folder.",
    ),
    (
        r"Permission denied|Access is denied|Read-only file system",
        "The folder cannot be written to.",
        "Choose another folder.",
    ),
    (
        r"Windows Long Path support",
        "The folder's path is too long for Windows.",
        "Choose a folder with a short path, or enable long paths in Windows.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "The package server's certificate was refused.",
        "A firewall may stand between; name its certificate with: pip config set global.cert FILE",
    ),
    (
        r"ProxyError|NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ConnectionResetError|IncompleteRead"
        r"|Connection (?:broken|aborted|refused)|name resolution|Network is unreachable|getaddrinfo",
        "The package server was not reached.",
        _PROXY,
    ),
    (r"DO NOT MATCH THE HASHES", "A package did not arrive whole.", "Try again."),
)


def pip_command(python: str, target: Path, requirements: Path, recipe: Recipe) -> list[str]:
    """The command that puts what ``requirements`` names into the folder ``target``; nothing of it is built or cached."""
    what = ["--requirement", str(requirements), *(["tensorflow[and-cuda]"] if recipe.gpu else [])]
    where = ["--no-index", "--find-links", str(Path(recipe.source).absolute())] if recipe.source else []
    quiet = ["--no-input", "--disable-pip-version-check", "--no-warn-script-location", "--no-cache-dir"]
    bar = ["--progress-bar", "off"]
    return [
        *(python, "-m", "pip", "install", "--target", str(target), "--only-binary", ":all:"),
        *(*quiet, *bar, *where, *what),
    ]


def pip_environment(env: Mapping[str, str], workshop: Path) -> dict[str, str]:
    """``env`` in which pip unpacks in ``workshop``, and what a user's pip.conf asks for cannot stand in the way."""
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(workshop))
    return {**env, **places, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONUNBUFFERED": "1"}


def check_pip(python: str, env: Mapping[str, str], say: Say, *, launch: Launch) -> Steps[None]:
    """Raise where ``python`` has no pip, or is too old itself."""
    told: list[str] = []

    def hear(line: str) -> Progress:
        told.append(line)
        return Progress("looking for pip", 0.0)

    code = yield from heard([python, "-m", "pip", "--version"], env, hear, launch=launch, limit=PIP_SECONDS)
    found = next(filter(None, map(_VERSION.match, told)), None)
    if code or found is None:
        for line in filter(None, told):
            say(line)
        raise EngineError(f"{python} has no pip, which installs packages.", f'Run: "{python}" -m ensurepip')
    version = tuple(map(int, found.groups()))
    if version < OLDEST_PYTHON:
        raise InputError(
            f"{python} is Python {version[0]}.{version[1]}, and TensorFlow needs 3.10 or later.",
            f"{PYTHONS}.",
        )


def installed(
    command: Sequence[str],
    env: Mapping[str, str],
    recipe: Recipe,
    say: Say,
    *,
    workshop: Path,
    launch: Launch,
    clock: Callable[[], float] = time.monotonic,
) -> Steps[None]:
    """Run pip's ``command``, which works in the folder ``workshop``; raises what went wrong."""
    hearing = Hearing(sizes(recipe)[0], lambda: bytes_loaded(workshop), clock)
    kept: deque[str] = deque(maxlen=KEPT)

    def hear(line: str) -> Progress:
        if line:
            say(line)
            kept.append(line)
        return hearing.hear(line)

    code = yield from heard(command, env, hear, launch=launch, clock=clock)
    if code:
        raise why_pip_failed(kept, code, recipe)


class Hearing:
    """How far pip is: ``loaded()`` bytes of ``expected`` are there, looked at once a ``LOOK``; it counts only for a terminal."""

    def __init__(self, expected: float, loaded: Callable[[], float], clock: Callable[[], float]) -> None:
        self.progress = Progress("looking up packages", LOADING)
        self._expected, self._loaded, self._clock = expected, loaded, clock
        self._begun = self._next = clock()

    def hear(self, line: str) -> Progress:
        """Take in a line, empty where pip is silent."""
        package = _PACKAGE.match(line)
        if package:
            self.progress = replace(self.progress, stage="downloading", detail=package[1])
        elif line.startswith("Installing collected packages"):
            self.progress = Progress("unpacking, a minute or more", UNPACKING)
        now = self._clock()
        if self.progress.stage == "downloading" and now >= self._next:
            self._next = now + LOOK
            done = min(self._loaded() / self._expected, 1.0)
            left = (now - self._begun) * (1 - done) / done if done > LOADING else None
            fraction = LOADING + (UNPACKING - LOADING) * done
            self.progress = replace(self.progress, fraction=fraction, seconds_left=left)
        return self.progress


def bytes_loaded(workshop: Path) -> float:
    """Bytes of the packages that pip has downloaded into ``workshop``, a package on its way too."""
    sizes = 0.0
    for file in workshop.glob("pip-unpack-*/*.whl"):
        with contextlib.suppress(OSError):
            sizes += file.stat().st_size
    return sizes


def why_pip_failed(told: Sequence[str], code: int, recipe: Recipe) -> EngineError:
    """What the user reads of a pip that ended with ``code`` after the lines ``told``."""
    text = "\n".join(told)
    for pattern, sentence, hint in _FAILURES:
        if re.search(pattern, text):
            return EngineError(sentence, hint)
    missing = re.search(r"No matching distribution found for (\S+)", text)
    if missing:
        place = f'The folder "{recipe.source}"' if recipe.source else "The package server"
        return EngineError(
            f"{place} has no {missing[1]} for this computer and its Python.",
            f"{PYTHONS}; fill a folder with: {fill_command()}",
        )
    return EngineError(f"pip stopped ({how_it_ended(code)}).", "Look into the log.")
