"""What is known of the engine's own environment, and the small file in its folder that remembers it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from pathlib import Path

from ..job import draft_of
from ..untrusted import NotJson, json_object

MEMORY, BUSY = "environment.json", "busy"
PACKAGES, WORKSHOP = "packages-", "workshop-"
SCHEMA = 1
GB = 1e9
PYTHONS = "TensorFlow has packages for Python 3.10 to 3.13"
_MOST_BYTES = 100_000
_OURS = re.compile(f"({PACKAGES}|{WORKSHOP})[0-9a-f]{{8}}")


class EnvironmentState(str, Enum):
    """Whether the networks can run."""

    MISSING = "missing"
    READY = "ready"
    BROKEN = "broken"


@dataclass(frozen=True)
class Status:
    """``device``: the GPU's name, empty for the CPU; ``size`` bytes; ``made`` and ``checked``: day and minute; ``python``: its
    version; where it is broken, ``trouble`` and ``hint`` say why.
    """

    state: EnvironmentState = EnvironmentState.MISSING
    tensorflow: str = ""
    device: str = ""
    size: int = 0
    made: str = ""
    checked: str = ""
    python: str = ""
    trouble: str = ""
    hint: str = ""

    @property
    def sentence(self) -> str:
        """All of it in one line for the user."""
        if self.state is EnvironmentState.MISSING:
            return self.trouble or "TensorFlow is not installed; the networks need it, the other methods do not."
        if self.state is EnvironmentState.BROKEN:
            return self.trouble
        size = f", {self.size / GB:.1f} GB" if self.size else ""
        made = f", made {self.made}" if self.made else ""
        return f"TensorFlow {self.tensorflow} on {self.device or 'the CPU'}{size}{made}."


@dataclass(frozen=True)
class Recipe:
    """What is installed: with the libraries of an NVIDIA ``gpu``, and from a local folder ``source`` of packages, if any."""

    gpu: bool = False
    source: str = ""


@dataclass(frozen=True)
class Memory:
    """What the folder remembers: its ``packages`` (a folder in it) and how they were made, and the user's ``named`` Python."""

    packages: str = ""
    recipe: Recipe = field(default_factory=Recipe)
    status: Status = field(default_factory=Status)
    named: str = ""
    named_status: Status = field(default_factory=Status)

    @classmethod
    def read(cls, folder: Path) -> Memory:
        """What ``folder`` remembers; broken where that cannot be read, nothing where there is no file."""
        try:
            values = json_object(folder / MEMORY, _MOST_BYTES)
            memory = cls(
                values["packages"],
                _made(Recipe, values["recipe"]),
                _status(values["status"]),
                values["named"],
                _status(values["named_status"]),
            )
            if memory.packages and not is_ours(memory.packages):
                raise NotJson(memory.packages)
        except FileNotFoundError:
            return cls()
        except (NotJson, OSError, KeyError, TypeError, ValueError):
            return cls(status=_broken(f'What "{MEMORY}" says of the environment cannot be read.'))
        if memory.packages and not (folder / memory.packages).is_dir():
            return replace(memory, status=_broken("The environment's packages were taken away."))
        return memory

    def write(self, folder: Path) -> None:
        """Remember it in ``folder``, whole or not at all."""
        with draft_of(folder / MEMORY) as file:
            file.write((json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n").encode())


def is_ours(name: str) -> bool:
    """True for the name of a folder that an installation makes."""
    return _OURS.fullmatch(name) is not None


def _broken(trouble: str) -> Status:
    return Status(EnvironmentState.BROKEN, trouble=trouble, hint="Repair the environment.")


def _status(values: dict) -> Status:
    return _made(Status, values | {"state": EnvironmentState(values["state"])})


def _made(kind: type, values: dict):
    """A dataclass from its values, each of its own type."""
    made = kind(**values)
    if any(type(getattr(made, item.name)) is not type(item.default) for item in fields(kind)):
        raise TypeError(kind.__name__)
    return made
