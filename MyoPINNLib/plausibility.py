"""Whether curves look like a perfusion study: swapped masks are refused, the rest is said as a doubt."""

from __future__ import annotations

import numpy as np

from .errors import InputError
from .fit import TissueCurves

BLOOD_PEAK, TISSUE_PEAK = (1.5, 7.0), (0.15, 1.5)
FLAT_TOP = 0.62


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
