"""What a study's own voxels say about its parameters before each voxel's curve is looked at: empirical Bayes.

The parameters are logarithms x = ln F_p, ln v_p, ln v_e, ln PS (and T_a where it is fitted). Two priors, both learnt:

    Gaussian   x ~ N(mean, covariance)                            where to look, and all there is for a few voxels
    Marginals  p(x) = prod_j f_j(x_j) . c(z; R),  z_j = Phi^-1(F_j(x_j)),  c = N(z; 0, R) / N(z; 0, 1)

f_j is a smooth density of any shape on a grid (so an ischaemic territory keeps a peak of its own), R the correlation of
the normal scores z. Both are re-estimated from all voxels' posteriors in turn (EM; the densities are smoothed after each
step: Silverman's EMS). The Gaussian starts from a weak default that is worth ``DEFAULT_WORTH`` voxels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

DEFAULT_WORTH = 10.0
DEFAULT_SHAPE = {"washin": np.log(0.3), "exchange": np.log(0.7), "interstitium": np.log(3.0)}
DEFAULT_SD = 1.0
DEFAULT_DELAY_SD = 1.5
FEWEST_FOR_MARGINALS = 200
FREE_STEPS, HELD_STEPS = (12, 9), (0, 4)  # of the Gaussian and of the densities
SMOOTHING = 0.2
_BINS = 64
_PART = 100
_SPAN = 4.0
_FLOOR = 1e-5
_OUTSIDE = 3.0
_EDGE = 1e-5
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class GaussianPrior:
    """``mean`` (..., m), ``covariance`` (..., m, m) of x: one for all voxels, or one a voxel."""

    mean: np.ndarray
    covariance: np.ndarray

    @property
    def root(self) -> np.ndarray:
        """(..., m, m) upper triangle W with W'W = covariance^-1: W (x - mean) is white."""
        return np.swapaxes(np.linalg.cholesky(np.linalg.inv(self.covariance)), -1, -2)

    @property
    def spread(self) -> np.ndarray:
        """(..., m) standard deviations of x."""
        return np.sqrt(np.einsum("...ii->...i", self.covariance))

    def step_towards(self, x: np.ndarray, weight: np.ndarray) -> GaussianPrior:
        """One EM step: the moments of the voxels' posteriors, samples x (n, s, m) of ``weight`` (n, s)."""
        mean = np.einsum("ns,nsi->i", weight, x) / len(x)
        off = x - mean
        covariance = np.einsum("ns,nsi,nsj->ij", weight, off, off, optimize=True) / len(x)
        return GaussianPrior(mean, covariance + _LEAST_VARIANCE * np.eye(len(mean)))

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """ln p (...) at x (..., m)."""
        root = self.root
        white = (x - self.mean) @ root.T
        constant = np.log(np.diag(root)).sum() - len(self.mean) / 2 * np.log(2 * np.pi)
        return constant - (white**2).sum(axis=-1) / 2

    def slope(self, x: np.ndarray) -> np.ndarray:
        """d ln p/dx (..., m) at x (..., m)."""
        return (self.mean - x) @ np.linalg.inv(self.covariance)

    def moved(self, by: np.ndarray) -> GaussianPrior:
        """The same with its mean ``by`` (m,) further on."""
        return replace(self, mean=self.mean + by)


def default_prior(volume: np.ndarray, delay: np.ndarray | None) -> GaussianPrior:
    """The weak prior before anything is learnt: flow, exchange and volumes of usual proportion, each within a factor e.

    F_p/v_p = 0.3 /s, PS/F_p = 0.7, v_e/v_p = 3. Their common scale is the curves' own: ``volume`` (n,) v_p + v_e and
    ``delay`` (n,) s (None: not fitted) of first fits; so the prior scales with the input, as the parameters do.
    """
    v_p = np.log(np.median(volume)) - np.log1p(np.exp(DEFAULT_SHAPE["interstitium"]))
    F_p = v_p + DEFAULT_SHAPE["washin"]
    mean = [F_p, v_p, v_p + DEFAULT_SHAPE["interstitium"], F_p + DEFAULT_SHAPE["exchange"]]
    of_scale, of_washin, of_interstitium, of_exchange = [1, 1, 1, 1], [1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]
    mixing = DEFAULT_SD * np.array([of_scale, of_washin, of_interstitium, of_exchange], dtype=float).T
    covariance = mixing @ mixing.T
    if delay is None:
        return GaussianPrior(np.array(mean), covariance)
    whole = np.zeros((5, 5))
    whole[:4, :4], whole[4, 4] = covariance, DEFAULT_DELAY_SD**2
    return GaussianPrior(np.array([*mean, np.median(delay)]), whole)


def learnt_gaussian(default: GaussianPrior, x: np.ndarray, covariance: np.ndarray) -> GaussianPrior:
    """One EM step: the moments of all voxels' posteriors, modes x (n, m) and covariances (n, m, m), with the default's."""
    total = len(x) + DEFAULT_WORTH
    mean = (x.sum(axis=0) + DEFAULT_WORTH * default.mean) / total
    off, away = x - mean, default.mean - mean
    spread = off.T @ off + covariance.sum(axis=0)
    spread += DEFAULT_WORTH * (default.covariance + np.outer(away, away))
    return GaussianPrior(mean, spread / total + _LEAST_VARIANCE * np.eye(len(mean)))


@dataclass(frozen=True)
class MarginalsPrior:
    """Densities ``f`` (m, bins) on bins from ``low`` (m,), ``step`` (m,) wide; ``correlation`` (m, m) of normal scores.

    ``scale`` (m,): standard deviations that set smoothing and the fall of the density beyond the grid.
    """

    low: np.ndarray
    step: np.ndarray
    scale: np.ndarray
    f: np.ndarray
    correlation: np.ndarray

    @classmethod
    def from_gaussian(cls, prior: GaussianPrior) -> MarginalsPrior:
        """The same density, on a grid of ``_SPAN`` standard deviations to each side."""
        scale = prior.spread
        step = 2 * _SPAN * scale / _BINS
        z = (np.arange(_BINS) + 0.5) * 2 * _SPAN / _BINS - _SPAN
        f = np.exp(-(z**2) / 2) / scale[:, None]
        correlation = prior.covariance / np.outer(scale, scale)
        return cls(prior.mean - _SPAN * scale, step, scale, _normalised(f, step), correlation)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """ln p (...) at x (..., m)."""
        return self._density(self._placed(x))[0].reshape(x.shape[:-1])

    def slope(self, x: np.ndarray) -> np.ndarray:
        """d ln p/dx (..., m) at x (..., m): of each density's own, and of the normal scores' correlation.

        d ln p/dx_j = f_j'/f_j - (R^-1 z - z)_j dz_j/dx_j
        """
        placed, scores = self._placed(x), self._scores
        z = np.stack([place.read(values) for place, values in zip(placed.edges, scores, strict=True)])
        turned = (np.linalg.inv(self.correlation) - np.eye(len(self.low))) @ z
        found = np.empty_like(z)
        for j, log_f in enumerate(self._logarithms):
            found[j] = (placed.middles[j].rise(log_f) - turned[j] * placed.edges[j].rise(scores[j])) / self.step[j]
        place = (x.reshape(-1, len(self.low)).T - self.low[:, None]) / self.step[:, None]
        found += (_OUTSIDE / self.scale)[:, None] * ((place < 0).astype(float) - (place > _BINS))
        return found.T.reshape(x.shape)

    @property
    def spread(self) -> np.ndarray:
        """(m,) standard deviations of x."""
        share, middle = self.f * self.step[:, None], np.arange(_BINS) * self.step[:, None]
        mean = (share * middle).sum(axis=1, keepdims=True)
        return np.sqrt((share * (middle - mean) ** 2).sum(axis=1))

    def step_towards(self, counts: list[tuple[np.ndarray, np.ndarray]]) -> MarginalsPrior:
        """One EMS step: the densities that some voxels' posteriors add up to, ``_counted`` part by part, smoothed."""
        f, moments = (sum(part) for part in zip(*counts, strict=True))
        f = np.stack([_smoothed(own, width) for own, width in zip(f, SMOOTHING * self.scale / self.step, strict=True)])
        size = np.sqrt(np.diag(moments))
        return replace(self, f=_normalised(f, self.step), correlation=moments / np.outer(size, size))

    def _placed(self, x: np.ndarray) -> _Placed:
        """Where x (..., m) lies on the grid."""
        place = (x.reshape(-1, len(self.low)).T - self.low[:, None]) / self.step[:, None]
        beyond = np.maximum(np.maximum(-place, place - _BINS), 0.0)
        middles, edges = (
            [_Between.of(row - 0.5, _BINS) for row in place],
            [_Between.of(row, _BINS + 1) for row in place],
        )
        return _Placed(middles, edges, (self.step / self.scale) @ beyond)

    @property
    def _scores(self) -> np.ndarray:
        """(m, bins + 1) normal scores z at the bins' edges."""
        mass = np.cumsum(self.f * self.step[:, None], axis=1)
        return ndtri(np.clip(np.concatenate([np.zeros((len(mass), 1)), mass], axis=1), _EDGE, 1 - _EDGE))

    @property
    def _logarithms(self) -> np.ndarray:
        """(m, bins) ln f at the bins' middles."""
        return np.log(self.f + _FLOOR / self.scale[:, None])

    def _density(self, placed: _Placed) -> tuple[np.ndarray, np.ndarray]:
        """ln p (q,) and the normal scores z (m, q) at places on the grid."""
        z = np.stack([place.read(values) for place, values in zip(placed.edges, self._scores, strict=True)])
        white = np.linalg.inv(self.correlation) - np.eye(len(self.low))
        density = -_OUTSIDE * placed.beyond - np.einsum("jq,jq->q", white @ z, z) / 2
        for place, values in zip(placed.middles, self._logarithms, strict=True):
            density += place.read(values)
        return density - np.linalg.slogdet(self.correlation)[1] / 2, z

    def _counted(self, placed: _Placed, log_weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How much of the posteriors of ``log_weight`` (n, s) falls into each bin (m, bins), and moments (m, m) of the scores."""
        density, z = self._density(placed)
        weight = normalised_weights(log_weight + density.reshape(log_weight.shape)).ravel()
        bins = np.stack([np.bincount(place.below, weight, _BINS) for place in placed.edges])
        return bins, (z * weight) @ z.T


@dataclass(frozen=True)
class _Between:
    """Places (q,) in a table of values: the one ``below``, and the ``part`` of the way to the next."""

    below: np.ndarray
    part: np.ndarray

    @classmethod
    def of(cls, place: np.ndarray, size: int) -> _Between:
        """``place`` (q,) in units of a table's index, ``size`` long; beyond its ends the last value holds."""
        place = np.clip(place, 0.0, size - 1.0)
        below = np.minimum(place.astype(int), size - 2)
        return cls(below, place - below)

    def read(self, values: np.ndarray) -> np.ndarray:
        """``values`` (size,) there, straight between two."""
        return values[self.below] + self.part * np.diff(values)[self.below]

    def rise(self, values: np.ndarray) -> np.ndarray:
        """How much ``values`` (size,) rise there from one to the next; beyond the ends not at all."""
        return np.where((self.part > 0) & (self.part < 1), np.diff(values)[self.below], 0.0)


@dataclass(frozen=True)
class _Placed:
    """Values of x on a grid: among the ``middles`` and the ``edges`` of its bins (m each), and how far ``beyond`` it (q,)."""

    middles: list[_Between]
    edges: list[_Between]
    beyond: np.ndarray


Prior = GaussianPrior | MarginalsPrior


def learnt_marginals(
    gaussian: GaussianPrior, x: np.ndarray, log_weight: np.ndarray, *, held: bool = False, pulse=lambda: None
) -> Prior:
    """The prior of densities, learnt from samples x (n, s, m) whose ``log_weight`` (n, s) is ln(likelihood / proposal).

    First the Gaussian takes some steps with the samples in place of Laplace's approximation, then the densities, which
    begin as it, take some (``FREE_STEPS``). More steps sharpen the densities until they follow the noise; the first few bring nearly
    all of the gain in the likelihood of voxels not learnt from. ``held``: the Gaussian's mean is known better than the
    samples tell it, so it stays, and fewer steps of the densities keep them about it (``HELD_STEPS``). Fewer than ``FEWEST_FOR_MARGINALS`` voxels keep the Gaussian.
    """
    if len(x) < FEWEST_FOR_MARGINALS:
        return gaussian
    steps, steps_of_densities = HELD_STEPS if held else FREE_STEPS
    for _ in range(steps):
        gaussian = gaussian.step_towards(x, normalised_weights(log_weight + gaussian.log_density(x)))
        pulse()
    marginals = MarginalsPrior.from_gaussian(gaussian)
    parts = [slice(first, first + _PART) for first in range(0, len(x), _PART)]
    placed = [marginals._placed(x[part]) for part in parts]
    for _ in range(steps_of_densities):
        marginals = marginals.step_towards(
            [marginals._counted(where, log_weight[part]) for where, part in zip(placed, parts, strict=True)]
        )
        pulse()
    return marginals


def normalised_weights(log_weight: np.ndarray) -> np.ndarray:
    """exp(log_weight) (n, s), each row summing to 1."""
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


def _normalised(f: np.ndarray, step: np.ndarray) -> np.ndarray:
    return f / (f.sum(axis=1) * step)[:, None]


def _smoothed(f: np.ndarray, width: float) -> np.ndarray:
    """``f`` (b,) convolved with a Gaussian whose standard deviation is ``width`` bins; nothing comes in from outside."""
    bins = np.arange(-len(f), len(f) + 1)
    kernel = np.exp(-((bins / width) ** 2) / 2)
    return np.convolve(f, kernel / kernel.sum())[len(f) : 2 * len(f)]
