"""Which parameters a voxel's own curve tells: where its posterior is as wide as the study's prior, the value is the prior's.

The flow of such a voxel may well be sure. So a voxel stays valid, and each parameter is judged for itself.
"""

from __future__ import annotations

import numpy as np

from ..fit import PARAMETERS, FitResult
from ..settings import FitSettings
from .outcomes import AT_LIMIT
from .starts import LOGARITHMS

TOLD = 0.9
FEW, MOST_UNTOLD = 20, 0.5
MOST_NOISE = 0.15


def told_by_curves(result: FitResult, spread: np.ndarray, settings: FitSettings) -> dict[str, np.ndarray]:
    """Parameter -> (n,) bool: the deviation is below ``TOLD`` of the prior's ``spread`` (m,) (of logarithms, and of T_a s), and
    the value does not lie on a limit of its range.
    """
    assert result.sd is not None
    found = {}
    for name, usual in zip(PARAMETERS, spread, strict=False):
        value, sd = getattr(result.parameters, name), getattr(result.sd, name)
        low, high = getattr(settings, f"{name}_range")
        margin = AT_LIMIT * (high - low if name == "T_a" else value)
        scale = value if name in LOGARITHMS else 1.0
        found[name] = (sd < TOLD * usual * scale) & (value > low + margin) & (value < high - margin)
    return found


def untold_notes(result: FitResult) -> tuple[str, ...]:
    """A sentence for each parameter that the curves of most valid voxels do not tell; none of a few curves."""
    count = int(result.valid.sum())
    untold = {name: int((~told & result.valid).sum()) for name, told in result.told.items()}
    return tuple(
        f"In {untold[name]} of {count} valid voxels the curve does not tell {name}: it is what the study's voxels have in common. "
        "Read its map with its standard deviations."
        for name in untold
        if count >= FEW and untold[name] > MOST_UNTOLD * count
    )


def noise_notes(result: FitResult, variance) -> tuple[str, ...]:
    """A sentence where the learnt noise, ``variance`` mM^2, is a large share of the valid curves' peaks; none of a few curves."""
    if result.valid.sum() < FEW:
        return ()
    share = float(np.sqrt(variance) / np.median(result.C_t[result.valid].max(axis=1)))
    if share < MOST_NOISE:
        return ()
    return (
        f"A voxel's noise is {share:.0%} of the muscle's peak. Beyond {MOST_NOISE:.0%} the flow of a whole study can be tens of per cent too high, "
        "more than its standard deviations say.",
    )
