"""Whether curves look like a perfusion study: swapped masks are refused, the rest is said as a doubt."""

from __future__ import annotations

import numpy as np

from .errors import InputError
from .fit import TissueCurves

BLOOD_PEAK, TISSUE_PEAK = (1.5, 7.0), (0.15, 1.5)
FLAT_TOP = 0.62
OF_BLOOD, HIGH = 2.0, 90
_WORTH_A_WORD = 0.01


def doubts(curves: TissueCurves, aif_time: np.ndarray, C_ab: np.ndarray) -> tuple[str, ...]:
    """Doubts in plain words about tissue ``curves`` and blood ``C_ab`` (m,) mM at ``aif_time`` (m,) s.

    Raises InputError where the myocardium enhances more than the blood.
    """
    counted = curves.weight[curves.clock] > 0
    peaks = np.where(counted, curves.C_t, -np.inf).max(axis=1)
    known = peaks[np.isfinite(peaks)]  # a dead voxel has no curve
    blood, tissue = float(C_ab.max()), float(np.median(known)) if known.size else 0.0
    if tissue > blood:
        raise InputError(
            f"The myocardium enhances to {tissue:.2g} mM and the LV blood pool to {blood:.2g} mM; blood enhances more.",
            "Are the two masks swapped?",
        )
    said = []
    if not BLOOD_PEAK[0] <= blood <= BLOOD_PEAK[1]:
        said.append(
            f"The blood's peak is {blood:.2g} mM; {BLOOD_PEAK[0]:g} to {BLOOD_PEAK[1]:g} mM is usual: check dose, TS and T1."
        )
    if not TISSUE_PEAK[0] <= tissue <= TISSUE_PEAK[1]:
        said.append(
            f"The myocardium's peak is {tissue:.2g} mM; {TISSUE_PEAK[0]:g} to {TISSUE_PEAK[1]:g} mM is usual: check the mask, TS and T1."
        )
    share = flatness(aif_time, C_ab)
    if share > FLAT_TOP:
        said.append(
            f"The arterial input looks saturated: it is above 90 % of its peak for {share:.0%} of the time it is above half "
            "(a bolus: 35 to 45 %). The flow may come out too high; a dual bolus avoids it."
        )
    return tuple(said)


def with_blood(curves: TissueCurves, label: np.ndarray) -> np.ndarray:
    """(n,) bool: curves that have blood in them, since they enhance ``OF_BLOOD`` times as much as muscle does.

    ``label`` (n,): the segment of each, 0 for none. How much a curve enhances is its 90th percentile over time; muscle's is the
    largest of the median of its segment, its slice and the study, so that muscle of good flow beside ischaemia is not taken for blood.
    """
    level = np.full(len(curves), np.nan)
    for row, weight in enumerate(curves.weight):
        here = curves.clock == row
        level[here] = np.percentile(curves.C_t[here][:, weight > 0], HIGH, axis=1) if (weight > 0).any() else np.nan
    known = np.isfinite(level)
    usual = np.full(len(curves), np.median(level[known]) if known.any() else np.nan)
    for group in (curves.voxels[:, 0], label):
        for one in np.unique(group[known & (label > 0)]):
            here = known & (group == one)
            usual[here] = np.maximum(usual[here], np.median(level[here]))
    return known & (label > 0) & (level > OF_BLOOD * usual)


def blood_note(bloody: np.ndarray) -> tuple[str, ...]:
    """What is said where more than a few of the myocardium's voxels are ``bloody`` (n,) bool."""
    if bloody.mean() <= _WORTH_A_WORD:
        return ()
    return (
        f"{bloody.sum()} of {bloody.size} voxels of the myocardium enhance more than twice as much as muscle does, so there is blood in "
        "them: they take no part in the segments' mean curves. Check the myocardium's outline.",
    )


def flatness(time: np.ndarray, C_ab: np.ndarray) -> float:
    """Time that the first pass is above 90 % of its peak over the time it is above half of it."""
    fine = np.linspace(time[0], time[-1], 20 * time.size)
    curve = np.interp(fine, time, C_ab) / C_ab.max()
    peak = int(np.argmax(curve))
    high, half = (_width(curve, peak, level) for level in (0.9, 0.5))
    return high / half


def _width(curve: np.ndarray, peak: int, level: float) -> int:
    """Samples around ``peak`` that stay above ``level``."""
    below = np.flatnonzero(curve < level)
    before, after = below[below < peak], below[below > peak]
    return int((after[0] if after.size else curve.size) - (before[-1] if before.size else -1) - 1)
