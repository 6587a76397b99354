"""The arterial input: plasma concentration as a function of time, held as polynomial pieces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator, PPoly

from .errors import InputError

MIN_HCT, MAX_HCT = 0.0, 0.9


class Interpolation(str, Enum):
    """What stands between two samples."""

    LINEAR = "linear"
    MONOTONE_CUBIC = "monotone-cubic"
    SPLINE = "spline"


@dataclass(frozen=True)
class ArterialInput:
    """Arterial plasma concentration C_ap(t), mM, of an input that begins at ``time[0]``.

    ``time`` (m,) s, increasing, on any grid; ``C_ap`` (m,) mM at those times; ``delay`` s shifts it to later times.
    Before its first sample the input is zero, after its last it stays at the last value.
    Raises InputError for unequal lengths, fewer than two samples, times that do not increase, values not finite.
    Source: OSIPI Q.IC1.001 (arterial plasma); paper: C_AIF.
    """

    time: np.ndarray
    C_ap: np.ndarray
    interpolation: Interpolation = Interpolation.MONOTONE_CUBIC
    delay: float = 0.0

    def __post_init__(self) -> None:
        time, C_ap = np.array(self.time, dtype=float), np.array(self.C_ap, dtype=float)
        if time.ndim != 1 or time.shape != C_ap.shape:
            raise InputError(
                f"The arterial input has {time.size} times and {C_ap.size} values; it needs as many of each."
            )
        if time.size < 2:
            raise InputError(f"The arterial input has {time.size} sample; it needs two at least.")
        if not (np.isfinite(time).all() and np.isfinite(C_ap).all()):
            raise InputError(
                "The arterial input holds values that are not numbers.", "Check the blood pool mask and the images."
            )
        if (np.diff(time) <= 0).any():
            raise InputError("The times of the arterial input do not increase.", "Check the time axis.")
        for name, value in (("time", time), ("C_ap", C_ap)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "interpolation", Interpolation(self.interpolation))

    @classmethod
    def from_blood(cls, time: np.ndarray, C_ab: np.ndarray, hct: float, **options) -> ArterialInput:
        """The plasma input of a whole-blood curve: C_ap = C_ab / (1 - Hct); contrast stays out of the red cells."""
        if not MIN_HCT <= hct < MAX_HCT:
            raise InputError(
                f"The haematocrit is {hct:g}; it is a fraction, usually 0.35 to 0.5.", "Give 0.45 for 45 %."
            )
        return cls(time, np.asarray(C_ab, dtype=float) / (1.0 - hct), **options)

    @classmethod
    def from_function(
        cls, function: Callable[[np.ndarray], np.ndarray], knots: np.ndarray, *, tolerance: float = 1e-6
    ) -> ArterialInput:
        """A callable input held as a spline: intervals are halved until it is true to ``tolerance`` of the peak."""
        knots = np.asarray(knots, dtype=float)
        peak = float(np.abs(function(np.linspace(knots[0], knots[-1], 2001))).max()) or 1.0
        for _ in range(14):
            spline = cls(knots, function(knots), Interpolation.SPLINE)
            quarters = (knots[:-1, None] + np.diff(knots)[:, None] * np.array([0.25, 0.5, 0.75])).ravel()
            off = np.abs(spline(quarters) - function(quarters)).reshape(-1, 3).max(axis=1) > tolerance * peak
            if not off.any():
                break
            knots = np.sort(np.concatenate([knots, (knots[:-1] + np.diff(knots) / 2)[off]]))
        return spline

    def delayed(self, T_a: float) -> ArterialInput:
        """The same input ``T_a`` seconds later."""
        return replace(self, delay=self.delay + float(T_a))

    def __call__(self, t) -> np.ndarray:
        """C_ap(t) mM for any array of times, s."""
        t = np.asarray(t, dtype=float)
        inside = np.clip(t - self.delay, self.time[0], self.time[-1])
        return np.where(t < self.knots[0], 0.0, self._pieces(inside))

    def derivative(self, t) -> np.ndarray:
        """dC_ap/dt, mM/s."""
        t = np.asarray(t, dtype=float)
        inside = np.clip(t - self.delay, self.time[0], self.time[-1])
        return np.where((t < self.knots[0]) | (t > self.knots[-1]), 0.0, self._slope(inside))

    @cached_property
    def _pieces(self) -> PPoly:
        if self.interpolation is Interpolation.MONOTONE_CUBIC and self.time.size > 2:
            return _as_pieces(PchipInterpolator(self.time, self.C_ap))
        if self.interpolation is Interpolation.SPLINE and self.time.size > 3:
            return _as_pieces(CubicSpline(self.time, self.C_ap))
        slopes = np.diff(self.C_ap) / np.diff(self.time)
        return PPoly(np.stack([slopes, self.C_ap[:-1]]), self.time)

    @cached_property
    def _slope(self) -> PPoly:
        return self._pieces.derivative()

    @cached_property
    def knots(self) -> np.ndarray:
        """(m,) s: where the polynomial pieces meet (delay included)."""
        return self.time + self.delay

    @cached_property
    def coefficients(self) -> np.ndarray:
        """(4, m): C_ap on the piece that starts at knot q is sum_p coefficients[p, q] (t - knots[q])^p, mM/s^p.

        The last column is the constant that holds after the last knot.
        """
        rising = self._pieces.c[::-1]
        table = np.zeros((4, self.time.size))
        table[: rising.shape[0], :-1] = rising
        table[0, -1] = self._pieces(self.time[-1])
        return table


def _as_pieces(interpolator) -> PPoly:
    return PPoly(interpolator.c, interpolator.x)


def first_pass_end(aif: ArterialInput) -> float:
    """Time s of the input's first sample after its peak that is under half of it; its last sample where none is."""
    peak = int(np.argmax(aif.C_ap))
    below = np.flatnonzero(aif.C_ap[peak:] < aif.C_ap[peak] / 2)
    return float(aif.knots[peak + below[0]] if below.size else aif.knots[-1])
