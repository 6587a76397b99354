"""What neighbouring voxels say together about the study's mean: their mean curve has a fraction of their noise.

A prior that is learnt from single noisy curves takes over their skewness: flow against plasma volume and delay is a curved
valley, and the modes of all voxels lie to one side of the truth. At usual noise that moves the mean of a whole study by
several per cent. The mean curve of some twenty voxels is fitted without that, provided that they are alike (then the
mean of their curves is the curve of their means). So the prior's mean is held where the regions' fits are:

    mean  ->  mean + < x of a region's mean curve  -  mean of x over its voxels >        over all voxels of all such regions
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..fit import TissueCurves
from ..prior import GaussianPrior
from .batches import Batch

LARGEST, FEWEST_REGIONS, MOST_REGIONS = 32, 5, 100
MOST_UNLIKE = 0.15


@dataclass(frozen=True)
class Regions:
    """Mean curves of regions of one clock, a ``batch``, and the ``members`` (rows of the study's curves) of each."""

    batch: Batch
    members: list[np.ndarray]


@dataclass(frozen=True)
class Anchor:
    """``x`` (r, m) of the regions' mean curves, and ``members`` of each."""

    x: np.ndarray
    members: list[np.ndarray]

    def held(self, gaussian: GaussianPrior, rows: np.ndarray, x: np.ndarray) -> GaussianPrior:
        """The Gaussian learnt from the modes x (n, m) of the curves ``rows`` (n,), moved to where the regions are."""
        off, weight = np.zeros(self.x.shape[1]), 0
        for own, members in zip(self.x, self.members, strict=True):
            here = np.isin(rows, members)
            off, weight = off + (own - x[here]).sum(axis=0), weight + here.sum()
        return replace(gaussian, mean=gaussian.mean + off / max(weight, 1))


def alike_regions(curves: TissueCurves, usable: np.ndarray) -> list[Regions]:
    """Regions of ``LARGEST`` neighbours at most, of the ``usable`` (n,) curves, whose curves differ by little but noise.

    Some ``MOST_REGIONS`` of a clock; none where there are fewer than ``FEWEST_REGIONS`` in all, or where the curves have no places.
    """
    found = []
    for row, time in enumerate(curves.time):
        rows = np.flatnonzero(usable & (curves.clock == row))
        if rows.size and np.ptp(curves.voxels[rows], axis=0).any():
            root_weight = np.sqrt(curves.weight[row])
            near = [members for members in _blocks(rows, curves.voxels) if _alike(curves, members, root_weight)]
            near = near[:: max(len(near) // MOST_REGIONS, 1)]
            if near:
                mean = np.stack([curves.C_t[members].mean(axis=0) for members in near])
                found.append(Regions(Batch(np.where(root_weight > 0, mean, 0.0), time, root_weight), near))
    return found if sum(len(regions.members) for regions in found) >= FEWEST_REGIONS else []


def _blocks(rows: np.ndarray, voxels: np.ndarray) -> list[np.ndarray]:
    """``rows`` halved across their longer side until a part holds ``LARGEST`` at most."""
    if len(rows) <= LARGEST:
        return [rows]
    places = voxels[rows]
    order = rows[np.argsort(places[:, np.ptp(places, axis=0).argmax()], kind="stable")]
    half = len(order) // 2
    return [*_blocks(order[:half], voxels), *_blocks(order[half:], voxels)]


def _alike(curves: TissueCurves, members: np.ndarray, root_weight: np.ndarray) -> bool:
    """Whether the curves' differences, less their noise, are a small share of their mean."""
    if len(members) < LARGEST // 4:
        return False
    weighted = np.where(root_weight > 0, curves.C_t[members], 0.0) * root_weight
    noise = Batch(weighted, curves.time[0], (root_weight > 0).astype(float)).noise_power().mean()
    mean = weighted.mean(axis=0)
    unlike = ((weighted - mean) ** 2).sum() / (len(members) - 1) - noise
    return bool(unlike < MOST_UNLIKE**2 * (mean**2).sum())
