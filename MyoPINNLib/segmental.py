"""How sure the mean of a segment's voxels is: what their posteriors have in common does not average out.

    var = c sum s_i^2 / n^2  +  (lack tau)^2  +  COMMON (sum s_i / n)^2  +  (shared mean)^2

s_i: posterior standard deviation of voxel i; c = 1, or ``OVERLAP`` where neighbours had a say: they share their noise. A learnt prior pulls each voxel towards the study's mean by the share
lack_i = s_i^2 / total^2 (total^2 = variance of the values + mean of s^2, what the prior expects), and pulls a segment that lies off
that mean as a whole: lack is the mean over the segment, tau the spread of the segments' own means, told by the fits of their mean
curves, whose noise is so small that their own prior pulls them little (or else by the voxels', with the pull undone). COMMON is the share of the variance that voxels' errors have in common beyond that (posteriors
that are skewed alike, the prior's own error): measured on phantoms of known truth (seeds 316 to 320 and 411 to 416), which ask for 0 to 0.1 by quantity and study. ``shared`` is what
all voxels of the study have in common, relative (the input's noise, the prior's mean: solvers/input_noise.py).
"""

from __future__ import annotations

import numpy as np

from .aha import AHASegments
from .maps import ParameterMaps

COMMON = 0.04
OVERLAP = 8.0
_LEAST_KNOWN = 0.1
_FEWEST_FOR_SPREAD = 3


def mean_deviations(
    maps: ParameterMaps,
    segments: AHASegments,
    quantity: str,
    *,
    coupled: bool = False,
    spread: float | None = None,
    shared: float = 0.0,
) -> dict[int, float]:
    """Segment number -> standard deviation of the mean of its valid voxels' ``quantity``, inside unit, from their posteriors.

    ``coupled``: neighbours had a say in the voxels; ``spread`` tau, where mean curves tell it; ``shared`` relative.

    A segment without a valid voxel is absent; so are all where the method gives no deviation of the quantity.
    """
    if quantity not in maps.sd:
        return {}
    values, sd = maps[quantity], maps.sd[quantity]
    trusted = maps.valid & np.isfinite(values) & np.isfinite(sd)
    members = {number: trusted & segments.voxels_in(number) for number in segments.numbers}
    members = {number: here for number, here in members.items() if here.any()}
    if not members:
        return {}
    total = values[trusted].var() + (sd[trusted] ** 2).mean()
    size = np.array([here.sum() for here in members.values()])
    mean = np.array([values[here].mean() for here in members.values()])
    lack = np.array([(sd[here] ** 2).mean() for here in members.values()]) / max(total, np.finfo(float).tiny)
    alone = (OVERLAP if coupled else 1.0) * np.array([(sd[here] ** 2).sum() for here in members.values()]) / size**2
    usual = np.array([sd[here].mean() for here in members.values()])
    tau = _spread(mean - values[trusted].mean(), alone, lack) if spread is None else spread
    variance = alone + (lack * tau) ** 2 + COMMON * usual**2 + (shared * mean) ** 2
    return dict(zip(members, np.sqrt(variance).tolist(), strict=True))


def true_spread(values: np.ndarray, sd: np.ndarray) -> float | None:
    """SD of what ``values`` (n,) measure with deviations ``sd`` (n,); None where fewer than three are known."""
    known = np.isfinite(values) & np.isfinite(sd)
    if known.sum() < _FEWEST_FOR_SPREAD:
        return None
    return float(np.sqrt(max(values[known].var(ddof=1) - (sd[known] ** 2).mean(), 0.0)))


def _spread(off: np.ndarray, alone: np.ndarray, lack: np.ndarray) -> float:
    """SD of the segments' true means about the study's, from how far theirs lie ``off`` (n,) with the pull undone."""
    known = np.maximum(1 - lack, _LEAST_KNOWN)
    return float(np.sqrt(max(((off**2 - alone) / known**2).mean(), 0.0)))
