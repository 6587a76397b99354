"""Where in time the bolus is: baseline, arrival, peak, and a pre-bolus apart from the main one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import InputError

FOOT = 0.03
NOISE_WIDTHS = 4.0
SMALLEST_RISE = 0.5
RISING_LEVELS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
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
        """How many frames are surely before the contrast agent: not the last two before the rise, where there are more."""
        return self.foot - 1 if self.foot >= ENOUGH_BASELINE else self.foot + 1


def noise_of(curve: np.ndarray) -> float:
    """Standard deviation of the noise of a smooth curve (t,), from its second differences."""
    return float(np.median(np.abs(np.diff(curve, n=2))) / (0.6745 * np.sqrt(6.0)))


def find_bolus(curve: np.ndarray, first: int = 0, last: int | None = None) -> Bolus:
    """The highest passage of ``curve`` (t,) among frames ``first`` .. ``last``; its foot is where the rise starts.

    The baseline is the median of what lies before the rise, found by going back from the peak to the first frame
    that is no higher than the start by ``FOOT`` of the rise or by its noise.
    """
    part = curve[first:last]
    peak = int(np.argmax(part))
    before = part[: peak + 1]
    level = float(np.median(before[: max(peak // 2, 1)]))
    for _ in range(5):
        limit = level + max(FOOT * (before[peak] - level), NOISE_WIDTHS * noise_of(part))
        low = np.flatnonzero(before <= limit)
        if not low.size:
            return Bolus(first, first + peak)
        level = float(np.median(before[: low[-1] + 1]))
    return Bolus(first + int(low[-1]), first + peak)


def main_bolus(curve: np.ndarray) -> Bolus:
    """The highest passage of ``curve`` (t,); its foot is the valley before its steepest rise: a pre-bolus's tail, or rest."""
    peak = int(np.argmax(curve))
    foot = int(np.argmax(np.diff(curve[: peak + 1]))) if peak else 0
    while foot > 0 and curve[foot - 1] < curve[foot]:
        foot -= 1
    return Bolus(foot, peak)


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


def rise_times(time: np.ndarray, curve: np.ndarray, bolus: Bolus, height: float) -> np.ndarray:
    """Times s at which the rise of ``curve`` (its baseline is 0) crosses each of ``RISING_LEVELS`` of ``height``."""
    rising = slice(bolus.foot, bolus.peak + 1)
    level = np.maximum.accumulate(curve[rising])
    apart = np.concatenate([[True], np.diff(level) > 0])
    return np.interp(np.array(RISING_LEVELS) * height, level[apart], time[rising][apart])


def pre_bolus_before(concentration: np.ndarray, main: Bolus, time: np.ndarray, dose_ratio: float) -> Bolus:
    """The pre-bolus ahead of the ``main`` bolus of the blood's concentration (t,) mM, or an InputError."""
    end = main.foot + 1
    expected = dose_ratio * float(concentration[main.peak])
    if end > 3:
        pre = find_bolus(concentration, 0, end)
        height, left = float(concentration[pre.peak]), float(concentration[main.foot])
        enough = height > max(SMALLEST_PRE_BOLUS * expected, NOISE_WIDTHS * noise_of(concentration[:end]))
        if enough and left < FALLEN * height and 0 < pre.foot < pre.peak:
            return pre
    raise InputError(
        f"Only one bolus was found, at {time[main.peak]:.3g} s; a dual-bolus study has a pre-bolus of about {expected:.2g} mM before it.",
        "Choose the single bolus, or a series that holds both.",
    )
