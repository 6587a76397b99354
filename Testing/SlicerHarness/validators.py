"""The annotations of a parameter: what Slicer's parameterNodeWrapper exports as WithinRange, Choice, Default, ..."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class Validator:
    """Refuses values: ``validate`` raises ValueError (TypeError, where the type is wrong)."""

    def validate(self, value) -> None:
        if not self.holds(value):
            raise ValueError(f"{value!r} is not allowed: {self}")


@dataclass(eq=False)
class NotNone(Validator):
    def holds(self, value) -> bool:
        return value is not None


@dataclass(eq=False)
class IsInstance(Validator):
    classtype: object

    def validate(self, value) -> None:
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"{value!r} is a {type(value).__name__} where {self.classtype} is expected")


@dataclass(eq=False)
class WithinRange(Validator):
    minimum: float
    maximum: float

    def holds(self, value) -> bool:
        return self.minimum <= value <= self.maximum


@dataclass(eq=False)
class Minimum(Validator):
    minimum: float

    def holds(self, value) -> bool:
        return value >= self.minimum


@dataclass(eq=False)
class Maximum(Validator):
    maximum: float

    def holds(self, value) -> bool:
        return value <= self.maximum


@dataclass(eq=False)
class Choice(Validator):
    choices: list

    def holds(self, value) -> bool:
        return value in self.choices


@dataclass(eq=False)
class Decimals:
    """For the widget: digits after the point."""

    value: int


@dataclass(eq=False)
class SingleStep:
    """For the widget: what one click changes."""

    value: float


class Default:
    """What a parameter holds at first: a value, or what ``generator()`` gives."""

    def __init__(self, value=None, *, generator: Callable | None = None) -> None:
        self._generator = generator or (lambda: value)

    @property
    def value(self):
        return self._generator()
