"""One choice of the user: which values it takes, its unit at the doors, and what is said when a value is refused.

An option stands in the metadata of a settings field. ``read`` turns a JSON value (shown unit) into the library's (inside
unit), ``write`` goes back, and ``check`` guards the field however it was set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from numbers import Integral, Real
from typing import Any

from . import quantities
from .errors import InputError

DIGITS = 12
HUGE = 1e300


@dataclass(frozen=True)
class Unit:
    """A unit at the doors: ``suffix`` of the key ("_ms"), its words in a sentence, and the way in and out."""

    suffix: str
    words: str
    inside: Callable[[float], float] = float
    shown: Callable[[float], float] = float


def unit_of(name: str) -> Unit:
    """The shown unit of a quantity of the table (``quantities.QUANTITIES``)."""
    quantity = quantities.QUANTITIES[name]
    return Unit(quantity.column[len(name) :], quantity.unit, quantity.inside, quantity.shown)


PLAIN = Unit("", "")
SECONDS = Unit("_s", "s")
MILLISECONDS = Unit("_ms", "ms", quantities.seconds_from_milliseconds, quantities.milliseconds_from_seconds)
DEGREES = Unit("_deg", "degrees", quantities.radians_from_degrees, quantities.degrees_from_radians)
PER_S_MM = Unit("_per_s_mM", "/s/mM")
G_ML = Unit("_g_mL", "g/mL")
LPS_MM = Unit("_mm", "mm")


@dataclass(frozen=True)
class Number:
    """A number from ``low`` to ``high`` (shown unit); ``hint`` is said when it is refused."""

    low: float
    high: float
    unit: Unit = PLAIN
    whole: bool = False
    optional: bool = False
    hint: str = ""

    def read(self, key: str, value):
        """The inside value of a JSON value."""
        if value is None and self.optional:
            return None
        number = self._number(key, value)
        return int(number) if self.whole else _rounded(self.unit.inside(number))

    def write(self, value):
        """The JSON value of an inside value."""
        return value if value is None or self.whole else _rounded(self.unit.shown(value))

    def check(self, key: str, value):
        """``value`` (inside unit) as a plain number, or an InputError in the shown unit."""
        if value is None and self.optional:
            return None
        number = self._number(key, value)
        shown = number if self.whole else _rounded(self.unit.shown(number))
        if not self.low <= shown <= self.high:
            raise InputError(
                f"{key} is {self._words(shown)}; it must lie from {self.low:g} to {self._words(self.high)}.", self.hint
            )
        return int(number) if self.whole else float(number)

    def _number(self, key: str, value):
        kind = Integral if self.whole else Real
        if isinstance(value, bool) or not isinstance(value, kind) or not abs(value) < HUGE:  # type: ignore[operator]
            what = "a whole number" if self.whole else "a number"
            raise InputError(f"{key} is {_quoted(value)}; it must be {what}{self._in_unit()}.", self.hint)
        return value

    def _words(self, number: float) -> str:
        return f"{number:g} {self.unit.words}".strip()

    def _in_unit(self) -> str:
        return f" in {self.unit.words}" if self.unit.words else ""


@dataclass(frozen=True)
class Choice:
    """One of an enum's values."""

    kind: type[Enum]
    unit: Unit = PLAIN

    def read(self, key: str, value):
        """The enum's member of a JSON word or number."""
        return self.check(key, value)

    def write(self, value):
        """The JSON word of a member."""
        return value.value

    def check(self, key: str, value):
        """The member, or an InputError that names the choices there are."""
        try:
            return self.kind(value)
        except (ValueError, TypeError):
            there = ", ".join(str(member.value) for member in self.kind)
            raise InputError(f"{key} is {_quoted(value)}, which does not exist.", f"Choose one of: {there}.") from None


@dataclass(frozen=True)
class OneOf:
    """One of a few numbers."""

    values: tuple
    unit: Unit = PLAIN

    def read(self, key: str, value):
        """The value itself."""
        return self.check(key, value)

    def write(self, value):
        """The value itself."""
        return value

    def check(self, key: str, value):
        """The value, or an InputError that names the choices there are."""
        if isinstance(value, bool) or not isinstance(value, Integral) or value not in self.values:
            there = " or ".join(map(str, self.values))
            raise InputError(f"{key} is {_quoted(value)}; it must be {there}.")
        return int(value)


@dataclass(frozen=True)
class Each:
    """A list whose items are ``item`` (itself an option), ``size`` of them where that is given; ``rising``: lower first."""

    item: Any
    size: int | None = None
    optional: bool = True
    rising: bool = False

    @property
    def unit(self) -> Unit:
        """The unit of the items."""
        return self.item.unit

    def read(self, key: str, value):
        """The tuple (inside unit) of a JSON list."""
        return self._mapped(key, value, self.item.read)

    def write(self, value):
        """The JSON list of a tuple."""
        return None if value is None else [self.item.write(item) for item in value]

    def check(self, key: str, value):
        """The tuple, or an InputError."""
        items = self._mapped(key, value, self.item.check)
        if self.rising and sorted(items) != list(items):
            raise InputError(f"{key} is {self.write(items)}; the lower limit comes first.")
        return items

    def _mapped(self, key: str, value, change: Callable):
        if value is None and self.optional:
            return None
        if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
            raise InputError(
                f"{key} is {_quoted(value)}; it must be a list{f' of {self.size} values' if self.size else ''}."
            )
        if self.size is not None and len(value) != self.size:
            raise InputError(f"{key} has {len(value)} values; it must have {self.size}.")
        return tuple(change(key, item) for item in value)


def option(default, kind) -> Any:
    """A settings field with its default (inside unit) and its option."""
    return field(default=default, metadata={"option": kind})


def key_of(settings_field) -> str:
    """The JSON key of a settings field: its name with its unit ("TS_ms")."""
    return settings_field.name + settings_field.metadata["option"].unit.suffix


def checked(settings) -> None:
    """Check every field of a settings dataclass in place (called from ``__post_init__``); raises InputError."""
    for f in fields(settings):
        if "option" in f.metadata:
            value = f.metadata["option"].check(key_of(f), getattr(settings, f.name))
            object.__setattr__(settings, f.name, value)


def read(kind: type, values, where: str):
    """The settings dataclass ``kind`` from a JSON object; raises InputError for an unknown key and a bad value."""
    if not isinstance(values, Mapping):
        raise InputError(f"{where} is {_quoted(values)}; it must be an object with named values.")
    there = {key_of(f) if "option" in f.metadata else f.name: f for f in fields(kind)}
    for key in values:
        if key not in there:
            raise InputError(f"{where} holds {_quoted(key)}, which is not known.", f"Known are: {', '.join(there)}.")
    return kind(**{f.name: _read(f, key, values[key]) for key, f in there.items() if key in values})


def _read(settings_field, key: str, value):
    known = settings_field.metadata.get("option")
    return known.read(key, value) if known else read(settings_field.default_factory, value, f'"{key}"')


def write(settings) -> dict:
    """A settings dataclass as plain JSON values in shown units, keys with their units."""
    values = {}
    for f in fields(settings):
        value, known = getattr(settings, f.name), f.metadata.get("option")
        values[key_of(f) if known else f.name] = known.write(value) if known else write(value)
    return values


def _quoted(value) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
