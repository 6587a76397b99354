"""From what a Python said of itself (``probe``) to one sentence: the engine's networks run in it, or why not."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..events import Progress
from ..launching import how_it_ended
from .probe import MARK
from .status import PYTHONS, EnvironmentState, Status
from .work import Launch, Say, Steps, heard

PROBE = Path(__file__).with_name("probe.py")
OLDEST_PYTHON = (3, 10)
# The same floors as pyproject.toml; the first three come with Slicer.
FLOORS = {"numpy": (2, 0), "scipy": (1, 11), "SimpleITK": (2, 3), "tensorflow": (2, 18), "keras": (3,)}
CHECK_SECONDS = 300.0
_ILL = ("SIGILL", "exit code 3221225501")


@dataclass
class Facts:
    """What a probe told until it ended with exit code ``code``."""

    python: tuple[int, ...] = ()
    libraries: dict[str, dict] = field(default_factory=dict)
    looking: str = ""
    devices: tuple[str, ...] = ()
    size: int = 0
    done: bool = False

    def hear(self, line: str) -> bool:
        """True for a line that held a fact."""
        if not line.startswith(MARK):
            return False
        fact = json.loads(line[len(MARK) :])
        if "library" in fact:
            self.libraries[fact["library"]] = fact
        else:
            for name, value in fact.items():
                setattr(self, name, tuple(value) if isinstance(value, list) else value)
        return True


def probed(
    python: str, env: Mapping[str, str], say: Say, *, folder: Path | None = None, launch: Launch, start: float = 0.0
) -> Steps[Status]:
    """Ask ``python`` what it is and holds; ``folder``: where the packages lie that are measured. Its status."""
    facts = Facts()

    def hear(line: str) -> Progress:
        if line and not facts.hear(line):
            say(line)
        share = len(facts.libraries) / (len(FLOORS) + 1)
        return Progress("checking", start + (1 - start) * share, detail=facts.looking)

    command = [python, str(PROBE), str(folder or ""), ",".join(FLOORS)]
    code = yield from heard(command, env, hear, launch=launch, limit=CHECK_SECONDS)
    return judged(facts, code, python, own=folder is not None)


def judged(facts: Facts, code: int, python: str, *, own: bool = False) -> Status:
    """What the facts mean; ``own``: the packages are the environment's, so that nothing is to be put into ``python`` itself."""
    trouble, hint = _trouble(facts, code, python)
    if own and "-m pip install" in hint:
        hint = "Repair the environment."
    if trouble:
        return Status(EnvironmentState.BROKEN, trouble=trouble, hint=hint, size=facts.size, checked=_now())
    return Status(
        EnvironmentState.READY,
        tensorflow=facts.libraries["tensorflow"]["version"],
        device=facts.devices[0] if facts.devices else "",
        size=facts.size,
        checked=_now(),
        python=_dotted(facts.python),
    )


def _trouble(facts: Facts, code: int, python: str) -> tuple[str, str]:
    """What is wrong and a hint; nothing of either where all is well."""
    if not facts.python:
        return f"{python} is no Python that answers ({how_it_ended(code)}).", "Name the program python itself."
    if facts.python < OLDEST_PYTHON:
        return (
            f"{python} is Python {_dotted(facts.python)}, and MyoPINN needs {_dotted(OLDEST_PYTHON)} or later.",
            f"{PYTHONS}.",
        )
    for name, floor in FLOORS.items():
        fact = facts.libraries.get(name)
        if fact is None:
            break
        if "error" in fact:
            return _unloaded(name, fact, python)
        if _numbers(fact["version"]) < floor:
            return (
                f"{name} is version {fact['version']} in {python}, and MyoPINN needs {_dotted(floor)} or later.",
                f'Bring it up to date: "{python}" -m pip install --upgrade {name}',
            )
    if not facts.done:
        ill = any(word in how_it_ended(code) for word in _ILL)
        return (
            f"{facts.looking or 'The check'} ended the whole Python ({how_it_ended(code)}).",
            "This processor may lack AVX, which TensorFlow needs." if ill else "Repair the environment.",
        )
    return "", ""


def _unloaded(name: str, fact: Mapping, python: str) -> tuple[str, str]:
    if fact["missing"]:
        return f"{python} has no {name}.", f'Install it there: "{python}" -m pip install {name}'
    return f"{name} is there but does not load ({fact['error']}).", "Look into the log, and install it anew."


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: (2, 21, 0) of 2.21.0rc1."""
    parts = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        parts.append(int(digits))
    return tuple(parts)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M")
