"""Contrast agent in blood: a bolus that passes the right, then the left ventricle, comes round again and washes out.

    C_ab(t) = peak [ g(t - t0; t_peak, a) + second g(t - t0 - t_round; 1.3 t_peak, a)
                     + tail (1 - exp(-((t - t0 - t_round)/t_peak)^2)) exp(-(t - t0 - t_round)/washout) ]
    g(t; t_peak, a) = (t/t_peak)^a exp(a (1 - t/t_peak)) for t > 0: a gamma variate that peaks at 1

Also the heartbeats on which the frames are acquired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..aif import ArterialInput

_KNOT_STEP = 1.0
_TOLERANCE = 1e-5
_SECOND_IS_WIDER = 1.3
_LARGEST_JITTER = 2.5
_BREATH_SHARE = 0.4
_BREATH_BEATS = 5.3
_TIME_DECIMALS = 6


@dataclass(frozen=True)
class Passage:
    """One bolus as it passes one place; the first peak is exactly ``peak`` mM of whole blood.

    ``arrival`` s; ``to_peak`` s from arrival; ``steepness`` a; ``round_trip`` s until it comes again; ``second`` and
    ``tail`` shares of the peak; ``washout`` s.
    """

    arrival: float
    peak: float
    to_peak: float
    steepness: float = 2.8
    round_trip: float = 10.5
    second: float = 0.2
    tail: float = 0.13
    washout: float = 160.0

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """C_ab mM at times s."""
        since = np.asarray(t, dtype=float) - self.arrival
        again = since - self.round_trip
        first = gamma_variate(since, self.to_peak, self.steepness)
        second = gamma_variate(again, self.to_peak * _SECOND_IS_WIDER, self.steepness)
        later = np.maximum(again, 0.0)
        tail = -np.expm1(-((later / self.to_peak) ** 2)) * np.exp(-later / self.washout)
        return self.peak * (first + self.second * second + self.tail * tail)

    def scaled(self, *, share: float, delay: float) -> Passage:
        """The same passage of ``share`` of the dose, given ``delay`` s later."""
        return replace(self, peak=self.peak * share, arrival=self.arrival + delay)


def gamma_variate(t: np.ndarray, to_peak: float, steepness: float) -> np.ndarray:
    """(t/t_peak)^a exp(a (1 - t/t_peak)), 0 before t = 0."""
    x = np.maximum(t, 0.0) / to_peak
    return x**steepness * np.exp(steepness * (1 - x))


@dataclass(frozen=True)
class Blood:
    """Whole blood at one place: the sum of what every injection sends there."""

    passages: tuple[Passage, ...]

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """C_ab mM at times s."""
        return np.sum([passage(t) for passage in self.passages], axis=0)

    def plasma_input(self, end: float, hct: float) -> ArterialInput:
        """The true arterial input, plasma mM, from 0 to ``end`` s: a function of time, not samples."""
        turns = [t for p in self.passages for t in (p.arrival, p.arrival + p.round_trip) if 0 < t < end]
        knots = np.unique([*np.arange(0.0, end, _KNOT_STEP), end, *turns])
        whole = ArterialInput.from_function(self, knots, tolerance=_TOLERANCE)
        return ArterialInput.from_blood(whole.time, whole.C_ap, hct, interpolation=whole.interpolation)


def heartbeats(rng: np.random.Generator, *, frames: int, interval: float, jitter: float) -> np.ndarray:
    """Times of R waves (t,) s, the first at 0: intervals sway with the breath and at random by ``jitter`` (a share)."""
    beat = np.arange(frames - 1)
    sway = np.sin(2 * np.pi * beat / _BREATH_BEATS + rng.uniform(0, 2 * np.pi))
    random = np.clip(rng.standard_normal(frames - 1), -_LARGEST_JITTER, _LARGEST_JITTER)
    steps = interval * (1 + jitter * (_BREATH_SHARE * sway + random))
    return np.concatenate([[0.0], np.cumsum(steps)])


def slice_clocks(beats: np.ndarray, offsets: Sequence[float]) -> np.ndarray:
    """Frame times (k, t) s: each slice at its own place in the heartbeat; the first frame of the study is at 0.

    Whole microseconds, as DICOM keeps them.
    """
    places = np.asarray(offsets, dtype=float)[:, None]
    return np.round(beats + places - places.min(), _TIME_DECIMALS)
