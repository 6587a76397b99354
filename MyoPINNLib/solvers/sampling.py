"""The posterior of every voxel by importance sampling.

Samples are drawn in the residue function's coordinates u (residue.py), where a posterior is a nearly straight cloud: from
Student t clouds around the modes that several starts found, somewhat wider than Laplace's. Every sample's log-weight, without the prior, is

    ln w = ln likelihood(x) + ln|dx/du| - ln sum_over_clouds (share t(u))

so one set of samples serves every prior. The points are a low-discrepancy sequence, another stretch of it for each voxel: with one
set for all, the study's prior would learn the points' chance gaps. Clouds do not adapt to what they drew: where the first samples had no
weight by chance there would be no later ones, every mean would lean by some hundredths of its SD, and a study's prior adds them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaincinv, ndtri

from ..prior import normalised_weights
from ..residue import logs_by_residue, logs_from_residue, residue_from_logs
from .levenberg import Minimum
from .modes import Problem, covariances

SIZE = 288
WIDER = 1.5
FREEDOM = 6.0
_POINTS = 1 << 14
_EDGE = 1e-6
_IMPOSSIBLE = -1e6
_FOLD, _HIGH, _GOLDEN = np.uint64(29), np.uint64(40), np.uint64(0x9E3779B97F4A7C15)


@dataclass
class Clouds:
    """Of each voxel, j clouds: ``mean`` (n, j, m) and ``covariance`` (n, j, m, m) of u, ``share`` (n, j)."""

    mean: np.ndarray
    covariance: np.ndarray
    share: np.ndarray

    @classmethod
    def around(cls, modes: list[Minimum]) -> Clouds:
        """Laplace clouds around modes in x, the likelier ones with the larger share."""
        means, spreads, weights = [], [], []
        for mode in modes:
            u = residue_from_logs(mode.x)
            back = logs_by_residue(u)
            spread = covariances(np.swapaxes(back, 1, 2) @ mode.curvature @ back)
            means.append(u)
            spreads.append(spread)
            weights.append(-mode.cost / 2 + np.linalg.slogdet(spread)[1] / 2)
        share = normalised_weights(np.stack(weights, axis=1))
        return cls(np.stack(means, axis=1), np.stack(spreads, axis=1), (share + 1 / len(modes)) / 2)

    def draw(self, size: int, which: np.ndarray) -> np.ndarray:
        """u (n, size, m); ``which`` (n,) stretch of the sequence each voxel takes."""
        n, j, m = self.mean.shape
        points = t_points(m)
        points = points[: len(points) // size * size].reshape(-1, size, m)
        e = points[which % len(points)]
        levels = (np.arange(size) + 0.5) / size
        cloud = (levels[None, :, None] > np.cumsum(self.share, axis=1)[:, None, :-1]).sum(axis=-1)
        rows = np.arange(n)[:, None]
        root = np.linalg.cholesky(self.covariance)
        u = self.mean[rows, cloud]
        for i in range(j):
            moved = e @ np.swapaxes(root[:, i], 1, 2)
            u += np.where((cloud == i)[:, :, None], moved, 0.0)
        return u

    def log_density(self, u: np.ndarray) -> np.ndarray:
        """ln(share t(u)) (n, j, s) up to one constant, at u (n, s, m)."""
        root = np.linalg.cholesky(self.covariance)
        inverse = np.linalg.inv(root)
        size = np.log(np.einsum("njmm->njm", root)).sum(axis=-1)
        m = u.shape[2]
        density = np.empty((*self.share.shape, u.shape[1]))
        for i in range(self.share.shape[1]):
            white = (u - self.mean[:, i, None]) @ np.swapaxes(inverse[:, i], 1, 2)
            distance = np.einsum("nsm,nsm->ns", white, white)
            density[:, i] = -(FREEDOM + m) / 2 * np.log1p(distance / FREEDOM)
        return density + (np.log(self.share) - size)[:, :, None]

    def widened(self, factor: float) -> Clouds:
        """The same clouds with all standard deviations times ``factor``."""
        return Clouds(self.mean, self.covariance * factor**2, self.share)


@dataclass
class Samples:
    """Of each voxel, ``x`` (n, s, m) and their ``log_weight`` (n, s) before any prior."""

    x: np.ndarray
    log_weight: np.ndarray


def sample(problem: Problem, modes: list[Minimum], which: np.ndarray, *, times: int = 1) -> Samples:
    """Samples of every voxel of ``problem`` about its ``modes``.

    ``which`` (n,) whole numbers choose each voxel's points; ``times`` as many samples as usual.
    """
    clouds = Clouds.around(modes).widened(WIDER)
    u = clouds.draw(SIZE * times, which)
    x, log_volume = logs_from_residue(u)
    log_weight = problem.log_likelihood(x) + log_volume - _log_sum(clouds.log_density(u))
    return Samples(x, np.maximum(np.nan_to_num(log_weight, nan=_IMPOSSIBLE), _IMPOSSIBLE))


@lru_cache(maxsize=4)
def t_points(m: int) -> np.ndarray:
    """(p, m) points of a Student t distribution of ``FREEDOM``: a Kronecker sequence of m + 1 dimensions, bent."""
    ratio = 2.0
    for _ in range(50):
        ratio = (1 + ratio) ** (1 / (m + 2))
    steps = ratio ** -np.arange(1.0, m + 2)
    uniform = np.clip((0.5 + np.outer(np.arange(1, _POINTS + 1), steps)) % 1.0, _EDGE, 1 - _EDGE)
    normal, chi_square = ndtri(uniform[:, :m]), 2 * gammaincinv(FREEDOM / 2, uniform[:, m])
    points = normal * np.sqrt(FREEDOM / chi_square)[:, None]
    points.setflags(write=False)
    return points


def _log_sum(terms: np.ndarray) -> np.ndarray:
    """ln sum_j exp(terms) (n, s) of terms (n, j, s)."""
    highest = terms.max(axis=1)
    terms = terms - highest[:, None]
    return highest + np.log(np.exp(terms, out=terms).sum(axis=1))


def fingerprint(C_t: np.ndarray) -> np.ndarray:
    """(n,) whole numbers that only a curve's own values (n, t) decide: so batches do not change the answer."""
    bits = np.ascontiguousarray(C_t).view(np.uint64)
    odd = 2 * np.arange(1, C_t.shape[1] + 1, dtype=np.uint64) + 1
    mixed = ((bits ^ (bits >> _FOLD)) * odd).sum(axis=1, dtype=np.uint64)
    return ((mixed * _GOLDEN) >> _HIGH).astype(int)
