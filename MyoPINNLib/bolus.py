"""Where in time the bolus is: baseline, arrival, peak, and a pre-bolus apart from the main one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import medfilt

from .errors import InputError
from .robust import width

FOOT = 0.03
NOISE_WIDTHS = 4.0
SMALLEST_RISE = 0.5
SMALLEST_HUMP, HUMP_FOOT, HUMP_NOISE_WIDTHS = 0.05, 0.05, 6.0
SMALLEST_PRE_BOLUS = 0.25
FALLEN = 0.6
ENOUGH_BASELINE = 4


@dataclass(frozen=True)
class Bolus:
    """Frames of one passage: ``foot`` the last frame before the rise, ``peak`` its highest."""

    foot: int
    peak: int

    @property
    def baseline(self) -> int:
        """How many frames are surely before the contrast agent: the last one or two before the rise may hold a little."""
        return self.foot - 1 if self.foot >= ENOUGH_BASELINE else max(self.foot, 1)


def noise_of(curve: np.ndarray) -> float:
    """Standard deviation of the noise of a smooth curve (t,), from its second differences."""
    return float(width(np.diff(curve, n=2)) / np.sqrt(6.0))


def find_bolus(curve: np.ndarray) -> Bolus:
    """The highest passage of ``curve`` (t,); its foot is where the rise starts.

    The baseline is the median of what lies before the rise, found by going back from the peak to the last frame that is
    no higher than the start by ``FOOT`` of the rise or by its noise.
    """
    peak = int(np.argmax(curve))
    before = curve[: peak + 1]
    level = float(np.median(before[: max(peak // 2, 1)]))
    for _ in range(5):
        limit = level + max(FOOT * (before[peak] - level), NOISE_WIDTHS * noise_of(curve))
        low = np.flatnonzero(before <= limit)
        if not low.size:
            return Bolus(0, peak)
        level = float(np.median(before[: low[-1] + 1]))
    return Bolus(int(low[-1]), peak)


def main_bolus(curve: np.ndarray) -> Bolus:
    """The highest passage of ``curve`` (t,); its foot is the valley before its steepest rise: a pre-bolus's tail, or rest."""
    peak = int(np.argmax(curve))
    foot = int(np.argmax(np.diff(curve[: peak + 1]))) if peak else 0
    while foot > 0 and curve[foot - 1] < curve[foot]:
        foot -= 1
    return Bolus(foot, peak)


def earlier_hump(curve: np.ndarray) -> Bolus | None:
    """A smaller passage before the highest one of ``curve`` (t,), or None: where it is, the baseline ends before it."""
    main = main_bolus(curve)
    part = curve[: main.foot + 1]
    if len(part) < 2 * ENOUGH_BASELINE:
        return None
    smooth = medfilt(part, 3)
    low, noise = float(np.quantile(part, 0.1)), noise_of(part)
    peak = int(np.argmax(smooth[1:-1])) + 1
    height = smooth[peak] - low
    if height < max(SMALLEST_HUMP * (curve[main.peak] - low), HUMP_NOISE_WIDTHS * noise):
        return None
    under = np.flatnonzero(part[:peak] <= low + max(HUMP_FOOT * height, NOISE_WIDTHS * noise))
    return Bolus(int(under[-1]), peak) if under.size else None


def checked_bolus(curve: np.ndarray, time: np.ndarray) -> Bolus:
    """The bolus of the blood's signal ``curve`` (t,) at ``time`` (t,) s, or an InputError that says why there is none."""
    bolus = find_bolus(curve)
    start = float(np.median(curve[: bolus.foot + 1]))
    rise = float(curve[bolus.peak]) - start
    if not np.isfinite(rise) or rise < max(SMALLEST_RISE * start, 2 * NOISE_WIDTHS * noise_of(curve)) or rise <= 0:
        share = rise / start if start > 0 else 0.0
        raise InputError(
            f"There is no bolus in the LV blood pool: its signal rises from {start:.4g} to {curve[bolus.peak]:.4g} ({share:.0%}).",
            "Check that the blood pool mask lies in the left ventricle and that this is the perfusion series.",
        )
    if bolus.foot < 1 or bolus.foot == bolus.peak:
        raise InputError(
            f"The contrast agent is in the blood pool from the start (frame {bolus.foot + 1}, {time[bolus.foot]:.3g} s): there is no baseline.",
            "The series must begin at least two frames before the bolus.",
        )
    if bolus.peak == len(curve) - 1:
        raise InputError(
            f"The blood pool's signal still rises at the last frame ({time[-1]:.3g} s): the series ends before the bolus has passed.",
            "Choose the whole series.",
        )
    return bolus


def pre_bolus_before(concentration: np.ndarray, main: Bolus, time: np.ndarray, dose_ratio: float) -> Bolus:
    """The pre-bolus ahead of the ``main`` bolus of the blood's concentration (t,) mM, or an InputError."""
    expected = dose_ratio * float(concentration[main.peak])
    before = concentration[: main.foot + 1]
    if len(before) > ENOUGH_BASELINE:
        pre = find_bolus(before)
        height = float(before[pre.peak])
        enough = height > max(SMALLEST_PRE_BOLUS * expected, NOISE_WIDTHS * noise_of(before))
        if enough and before[-1] < FALLEN * height and 0 < pre.foot < pre.peak:
            return pre
    raise InputError(
        f"Only one bolus was found, at {time[main.peak]:.3g} s; a dual-bolus study has a pre-bolus of about {expected:.2g} mM before it.",
        "Choose the single bolus, or a series that holds both.",
    )
