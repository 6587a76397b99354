"""How alike neighbours are in this study: its parameters as a few independent random fields, learnt from first fits.

    x - mean = root^-1 axes f        f_p: variance 1, correlation s_p rho(d / l_p) between voxels d apart in a slice
    rho(r) = (1 + r) exp(-r)         Matern 3/2; the share 1 - s_p of the variance is each voxel's own

With a posterior of mean a_i and covariance S_i in whitened coordinates (prior N(0, 1)), the gain G_i = 1 - S_i says how much
of a_i is the voxel's own curve: E[a_i a_j'] = G_i C(d) G_j for another voxel of covariance C(d). So the sums over all pairs
give C(d) without the noise of the curves; the axes diagonalise that of the nearest neighbours. A field that chance could have made is
not coupled (s_p = 0), so a study without order in space stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REACH = 2
SURE = 4.0
MOST_SHARE = 0.98
LENGTHS = (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
_NEAREST = 2
_RIDGE = 1e-9


@dataclass(frozen=True)
class Beliefs:
    """Of each voxel ``mean`` (n, m) and ``covariance`` (n, m, m): its posterior under a prior that is the same for all."""

    mean: np.ndarray
    covariance: np.ndarray

    def turned(self, matrix: np.ndarray, origin: np.ndarray | float = 0.0) -> Beliefs:
        """In coordinates matrix (x - origin)."""
        return Beliefs((self.mean - origin) @ matrix.T, matrix @ self.covariance @ matrix.T)

    @property
    def whole(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean (m,) and covariance (m, m) of all voxels together."""
        mean = self.mean.mean(axis=0)
        off = self.mean - mean
        return mean, off.T @ off / len(off) + self.covariance.mean(axis=0)


@dataclass(frozen=True)
class Fields:
    """``mean`` (m,) and ``covariance`` (m, m) of x; ``inward`` (m, m): f = inward (x - mean); ``share`` s (m,), ``length`` (m,)
    voxels."""

    mean: np.ndarray
    covariance: np.ndarray
    inward: np.ndarray
    share: np.ndarray
    length: np.ndarray

    @property
    def coupled(self) -> bool:
        """Whether any field is."""
        return bool((self.share > 0).any())

    def correlation(self, distance: np.ndarray) -> np.ndarray:
        """(..., m) between the fields of two voxels ``distance`` (...) apart, not 0."""
        ratio = np.asarray(distance)[..., None] / self.length
        return self.share * (1 + ratio) * np.exp(-ratio)


def windows(voxels: np.ndarray, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours (n, w) of voxels (n, 3) k, j, i in a window of their slice, as rows (-1: none that is ``usable`` (n,)),
    and their offsets (w, 2), those after the middle last, in the opposite order of those before it."""
    steps = np.arange(-REACH, REACH + 1)
    offsets = np.array([(j, i) for j in steps for i in steps if (j, i) != (0, 0)])
    place = voxels - voxels.min(axis=0) + (0, REACH, REACH)
    grid = np.full(place.max(axis=0) + np.array([1, REACH + 1, REACH + 1]), -1)
    grid[tuple(place[usable].T)] = np.flatnonzero(usable)
    k, j, i = place.T
    return np.stack([grid[k, j + down, i + right] for down, right in offsets], axis=1), offsets


def learnt_fields(beliefs: Beliefs, near: np.ndarray, offsets: np.ndarray, usable: np.ndarray) -> Fields:
    """The fields behind the ``beliefs`` in x; ``near`` (n, w) and ``offsets`` (w, 2) of ``windows``, ``usable`` (n,)."""
    mean, covariance = Beliefs(beliefs.mean[usable], beliefs.covariance[usable]).whole
    root = np.linalg.cholesky(np.linalg.inv(covariance)).T
    white = beliefs.turned(root, mean)
    squares = (offsets**2).sum(axis=1)
    sums = {int(square): _sums(white, *_pairs(near, squares == square, usable)) for square in np.unique(squares)}
    close = [sum(part) for part in zip(*(sums[s] for s in sums if s <= _NEAREST), strict=True)]
    axes = np.linalg.eigh(_solved(*close))[1]
    share, length = _fitted(sums, axes)
    error = 1 / np.sqrt(np.maximum(_along(close[1], axes) / 2, _RIDGE))
    nearest = np.einsum("ip,ij,jp->p", axes, _solved(*close), axes)
    return Fields(mean, covariance, axes.T @ root, np.where(nearest > SURE * error, share, 0.0), length)


def _pairs(near: np.ndarray, columns: np.ndarray, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the voxels of all usable pairs in some columns of the window; each pair twice, once from either side."""
    first, column = np.nonzero((near >= 0) & columns & usable[:, None])
    return first, near[first, column]


def _sums(white: Beliefs, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Over all pairs, sum a_i a_j' (m, m) and the sum of G_i (x) G_j (m, m, m, m) that turns C into it."""
    gain = np.eye(white.mean.shape[1]) - white.covariance
    return white.mean[first].T @ white.mean[second], np.tensordot(gain[first], gain[second], axes=(0, 0))


def _solved(products: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """C (m, m), symmetric, with sum G_i C G_j = ``products``."""
    m = len(products)
    system = gains.transpose(0, 3, 1, 2).reshape(m * m, m * m)
    system = system + _RIDGE * (1 + np.trace(system)) * np.eye(m * m)
    C = np.linalg.solve(system, products.ravel()).reshape(m, m)
    return (C + C.T) / 2


def _along(gains: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(m,) sum of G_i G_j along each axis."""
    return np.einsum("abcd,ap,bp,cp,dp->p", gains, axes, axes, axes, axes, optimize=True)


def _fitted(sums: dict, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share s and length l (m,) of the correlation nearest to that of each axis at all distances of the window."""
    distance = np.sqrt(np.array(list(sums)))
    seen = np.stack([np.einsum("ip,ij,jp->p", axes, _solved(*part), axes) for part in sums.values()])
    weight = np.stack([np.maximum(_along(gains, axes), _RIDGE) for _, gains in sums.values()])
    tried = []
    for length in LENGTHS:
        rho = ((1 + distance / length) * np.exp(-distance / length))[:, None]
        share = np.clip((weight * rho * seen).sum(axis=0) / (weight * rho**2).sum(axis=0), 0.0, MOST_SHARE)
        tried.append((share, (weight * (seen - share * rho) ** 2).sum(axis=0)))
    shares, misfits = (np.stack(part) for part in zip(*tried, strict=True))
    best = misfits.argmin(axis=0)
    return shares[best, np.arange(shares.shape[1])], np.array(LENGTHS)[best]
