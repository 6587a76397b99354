"""What neighbouring voxels say together about the study's mean: their mean curve has a fraction of their noise.

A prior that is learnt from single noisy curves takes over their skewness: flow against plasma volume and delay is a curved
valley, and the modes of all voxels lie to one side of the truth. At usual noise that moves the mean of a whole study by
several per cent. The mean curve of some twenty voxels is fitted without that, so the prior's mean is moved by

    < x of a region's mean curve  -  x of the mean of its voxels' fitted curves >        over all regions

Both sides are fits of a mean of unlike curves, and what that does to a fit drops out of their difference, as long as they are not
very unlike: a heart's muscle is alike within a region; fields that vary from voxel to voxel are not, and tell nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..fit import TissueCurves
from ..prior import GaussianPrior
from .batches import Batch
from .modes import Problem

LARGEST, FEWEST_REGIONS, MOST_REGIONS = 32, 5, 100
MOST_UNLIKE, LEAST_SHARE = 0.14, 0.5


@dataclass(frozen=True)
class Regions:
    """Mean curves of regions of one clock, a ``batch``, and the ``members`` (rows of the study's curves) of each."""

    batch: Batch
    members: list[np.ndarray]


@dataclass(frozen=True)
class Fitted:
    """Regions of one clock: the ``problem`` of their mean curves, its mode ``x`` (r, m), and the ``members`` of each."""

    problem: Problem
    x: np.ndarray
    members: list[np.ndarray]


@dataclass(frozen=True)
class Anchor:
    """All clocks' ``regions``, fitted with a ``gaussian`` of their own."""

    regions: list[Fitted]
    gaussian: GaussianPrior

    def held(self, gaussian: GaussianPrior, rows: np.ndarray, x: np.ndarray) -> GaussianPrior:
        """The Gaussian learnt from the modes x (n, m) of the curves ``rows`` (n,), moved to where the regions are."""
        of_row = np.empty((rows.max() + 1, x.shape[1]))
        of_row[rows] = x
        off, size = [], []
        for some in self.regions:
            y = np.stack([some.problem.compression.curves(of_row[members]).mean(axis=0) for members in some.members])
            off.append(some.x - replace(some.problem, y=y).mode(some.x, self.gaussian).x)
            size += [len(members) for members in some.members]
        return replace(gaussian, mean=gaussian.mean + np.average(np.concatenate(off), axis=0, weights=size))


def alike_regions(curves: TissueCurves, usable: np.ndarray) -> list[Regions]:
    """Regions of ``LARGEST`` neighbours at most, of the ``usable`` (n,) curves, whose curves differ by little but noise.

    Some ``MOST_REGIONS`` of a clock; none where there are fewer than ``FEWEST_REGIONS`` in all, where they hold less than
    ``LEAST_SHARE`` of the curves (which then are of another kind than the rest), or where the curves have no places.
    """
    found, held = [], 0
    for row, time in enumerate(curves.time):
        rows = np.flatnonzero(usable & (curves.clock == row))
        if rows.size and np.ptp(curves.voxels[rows], axis=0).any():
            root_weight = np.sqrt(curves.weight[row])
            near = [members for members in _blocks(rows, curves.voxels) if _alike(curves, members, root_weight)]
            held += sum(map(len, near))
            near = near[:: max(len(near) // MOST_REGIONS, 1)]
            if near:
                mean = np.stack([curves.C_t[members].mean(axis=0) for members in near])
                found.append(Regions(Batch(np.where(root_weight > 0, mean, 0.0), time, root_weight), near))
    enough = sum(len(regions.members) for regions in found) >= FEWEST_REGIONS and held >= LEAST_SHARE * usable.sum()
    return found if enough else []


def _blocks(rows: np.ndarray, voxels: np.ndarray) -> list[np.ndarray]:
    """``rows`` halved across their longer side until a part holds ``LARGEST`` at most."""
    if len(rows) <= LARGEST:
        return [rows]
    places = voxels[rows]
    order = rows[np.argsort(places[:, np.ptp(places, axis=0).argmax()], kind="stable")]
    half = len(order) // 2
    return [*_blocks(order[:half], voxels), *_blocks(order[half:], voxels)]


def _alike(curves: TissueCurves, members: np.ndarray, root_weight: np.ndarray) -> bool:
    """Whether the curves' differences, less their noise, are small: a share of their mean and, since the noise of each baseline is in
    all of its curve and is not taken off, as much again as the noise (the squares add).
    """
    if len(members) < LARGEST // 4:
        return False
    weighted = np.where(root_weight > 0, curves.C_t[members], 0.0) * root_weight
    noise = Batch(weighted, curves.time[0], (root_weight > 0).astype(float)).noise_power().mean()
    mean = weighted.mean(axis=0)
    unlike = ((weighted - mean) ** 2).sum() / (len(members) - 1) - noise
    return bool(unlike < MOST_UNLIKE**2 * (mean**2).sum() + noise)
