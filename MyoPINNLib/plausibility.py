"""Whether curves look like a perfusion study: swapped masks are refused, the rest is said as a doubt."""

from __future__ import annotations

import numpy as np

from .errors import InputError
from .fit import TissueCurves
from .robust import width

BLOOD_PEAK, TISSUE_PEAK = (1.5, 7.0), (0.15, 1.5)
FLAT_TOP = 0.62
OF_BLOOD, SCATTERS, HIGH = 2.0, 4.0, 90
LATER = 10.0
_FEWEST_FRAMES = 5


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


def with_blood(curves: TissueCurves, label: np.ndarray, *, first_pass: float = np.inf) -> np.ndarray:
    """(n,) bool: curves that have blood in them, since they enhance more than ``OF_BLOOD`` times as much as muscle does, and
    by more than ``SCATTERS`` times what the muscle's own enhancements scatter.

    ``label`` (n,): the segment of each, 0 for none; ``first_pass``: when the input's first pass ends, s. How much a curve enhances is its
    90th percentile until ``LATER`` s after that. Muscle's is the largest of the median of its segment, its slice and the study, so
    that muscle of good flow beside ischaemia is not taken for blood; the first two are at most ``OF_BLOOD`` times the study's, so that
    a segment which is mostly blood does not speak for itself.
    """
    level = _levels(curves, first_pass)
    known = np.isfinite(level) & (label > 0)
    if not known.any():
        return known
    study = np.median(level[known])
    usual, own = np.full(len(curves), study), np.full(len(curves), study)
    for group in (curves.voxels[:, 0], label):
        for one in np.unique(group[known]):
            here = known & (group == one)
            own[here] = np.median(level[here])
            usual[here] = np.maximum(usual[here], min(own[here][0], OF_BLOOD * study))
    scatter = width(level[known] / np.where(own > 0, own, np.inf)[known] - 1)
    return known & (level > max(OF_BLOOD, 1 + SCATTERS * scatter) * usual)


def _levels(curves: TissueCurves, first_pass: float) -> np.ndarray:
    """(n,) mM: how much each curve enhances in the first pass; NaN where that is not known."""
    level = np.full(len(curves), np.nan)
    for row, weight in enumerate(curves.weight):
        here, counted = curves.clock == row, weight > 0
        early = counted & (curves.time[row] <= first_pass + LATER)
        counted = early if early.sum() >= _FEWEST_FRAMES else counted
        if counted.any():
            level[here] = np.percentile(curves.C_t[here][:, counted], HIGH, axis=1)
    return level


def blood_note(bloody: np.ndarray) -> tuple[str, ...]:
    """What is said where some of the myocardium's voxels are ``bloody`` (n,) bool."""
    if not bloody.any():
        return ()
    return (
        f"{bloody.sum()} of {bloody.size} voxels of the myocardium enhance far more than muscle does (blood in them, motion, or noise): they count as "
        "not valid and take no part in the segments' mean curves. Check the myocardium's outline, and read the segments' medians.",
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
