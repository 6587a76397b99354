"""What a run tells while it works: five kinds of event, each one line of JSON with the key "myopinn" first.

    {"myopinn": "progress", "stage": "fit", "fraction": 0.25, "seconds_left": 12.0, "losses": {}}

A library function takes a ``report`` and calls it; it never prints. A report may raise ``errors.Cancelled``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum

from .errors import Cancelled, EngineError, InputError, MyoPINNError

MAX_LINE = 65536
KEY = "myopinn"


class Fault(str, Enum):
    """Whose fault a failure is."""

    INPUT = "input"
    CANCELLED = "cancelled"
    DEFECT = "defect"

    @property
    def exit_code(self) -> int:
        """The exit code of a process that failed so; 0 is a process that did its work."""
        return {Fault.DEFECT: 1, Fault.INPUT: 2, Fault.CANCELLED: 130}[self]


@dataclass(frozen=True)
class Started:
    """The engine runs: its version and its process id."""

    version: str
    process: int = 0


@dataclass(frozen=True)
class Progress:
    """``stage`` in plain words, ``fraction`` done of the whole, 0 to 1, seconds left where known; of a training the losses
    and mean parameters (shown units) by name; ``detail``: where inside the stage, in words.
    """

    stage: str
    fraction: float
    seconds_left: float | None = None
    losses: dict = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True)
class Warned:
    """Something that the user should know; the run goes on."""

    text: str


@dataclass(frozen=True)
class Finished:
    """All is written: seconds of the whole run and the files, relative to the output folder."""

    seconds: float
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """Nothing was written: whose fault it is, one sentence and a hint."""

    kind: Fault
    text: str
    hint: str = ""

    def error(self) -> MyoPINNError:
        """The error to raise, where a script asks."""
        if self.kind is Fault.CANCELLED:
            return Cancelled()
        return (InputError if self.kind is Fault.INPUT else EngineError)(self.text, self.hint)


Event = Started | Progress | Warned | Finished | Failed
Report = Callable[[Event], None]

_KINDS = {"started": Started, "progress": Progress, "warning": Warned, "finished": Finished, "failed": Failed}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def failed_by(error: BaseException, *, details: str = "Please report it.") -> Failed:
    """What the user reads of an error, and whose fault it is; of one that nobody foresaw its kind alone, with ``details``."""
    if isinstance(error, (Cancelled, KeyboardInterrupt)):
        stopped = error if isinstance(error, Cancelled) else Cancelled()
        return Failed(Fault.CANCELLED, stopped.sentence, stopped.hint)
    if isinstance(error, MyoPINNError):
        return Failed(Fault.DEFECT if isinstance(error, EngineError) else Fault.INPUT, error.sentence, error.hint)
    if isinstance(error, MemoryError):
        return Failed(Fault.DEFECT, "The computer has not enough memory for this study.", "Close other programs.")
    return Failed(Fault.DEFECT, f"MyoPINN met a defect of its own ({type(error).__name__}).", details)


def silent(event: Event) -> None:
    """A report that does nothing."""


def within(report: Report, low: float, high: float, *, stage: str | None = None) -> Report:
    """A report whose progress from 0 to 1 is shown as ``low`` to ``high`` of the whole, under the name ``stage`` where that
    is given; other events pass unchanged.
    """

    def rescaled(event: Event) -> None:
        if isinstance(event, Progress):
            event = replace(event, stage=stage or event.stage, fraction=low + (high - low) * event.fraction)
        report(event)

    return rescaled


def to_line(event: Event) -> str:
    """The event as one line of JSON, without the line's end; numbers that are not finite become null."""
    return json.dumps({KEY: _NAMES[type(event)], **_finite(asdict(event))}, allow_nan=False)


def from_line(line: str) -> Event | None:
    """The event that a line holds; None for log text of any kind, also for what only looks like an event."""
    line = line.strip()
    if not line.startswith("{") or len(line) > MAX_LINE:
        return None
    try:
        values = json.loads(line)
        kind = _KINDS.get(values.pop(KEY, None))
        return None if kind is None else _checked(kind, values)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _checked(kind: type, values: dict) -> Event:
    """``kind`` from JSON values; keys of a later version are left out. Raises ValueError or TypeError for bad ones."""
    known = {f.name: values[f.name] for f in fields(kind) if f.name in values}
    if kind is Progress:
        known.update(fraction=_number(known["fraction"]) if "fraction" in known else 0.0)
        known.update(losses=dict(known.get("losses") or {}), stage=str(known.get("stage", "")))
        known.update(detail=str(known.get("detail") or ""))
        left = known.get("seconds_left")
        known.update(seconds_left=None if left is None else float(left))
    if kind is Finished:
        known.update(seconds=float(known.get("seconds") or 0.0), outputs=tuple(map(str, known.get("outputs") or ())))
    if kind is Failed:
        known.update(kind=Fault(known.get("kind")), text=str(known["text"]) if "text" in known else "")
    return kind(**known)


def _number(value) -> float:
    return min(max(float(value), 0.0), 1.0)


def _finite(value):
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
