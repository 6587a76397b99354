"""The most probable parameters under a Gaussian prior, and the Gaussian learnt from all voxels in turn.

minimise over x = ln F_p, ln v_p, ln v_e, ln PS (and T_a):   |U'C_t - U'C_2CXM(x)|^2 / sigma^2 + |W (x - mean)|^2

with the compressed curves of compressed.py. Around the mode the posterior is a normal cloud with the curvature's inverse as
covariance (Laplace), which is enough to learn a Gaussian and to know where to sample.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ..prior import GaussianPrior
from .compressed import Compression
from .levenberg import Minimum, levenberg_marquardt
from .starts import DELAY_STEP, best_match

WASHIN_RATES = ((0.02, 0.05, 0.1), (0.2, 0.4, 0.7), (1.0, 2.0, 4.0))
EXCHANGE_OVER_FLOW = (0.1, 0.3, 1.0, 3.0)
INTERSTITIUM_OVER_PLASMA = (0.3, 1.0, 3.0, 8.0)
LONGEST_STEP = 1.5
ITERATIONS = 30
TOLERANCE = 0.02


@dataclass(frozen=True)
class Problem:
    """Voxels of one clock: compressed curves ``y`` (n, d), noise ``sigma`` (n,) mM, bounds (m,) of x."""

    compression: Compression
    y: np.ndarray
    sigma: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def take(self, rows) -> Problem:
        """The same problem for some of its voxels."""
        return replace(self, y=self.y[rows], sigma=self.sigma[rows])

    def put(self, rows, some: Problem) -> Problem:
        """The same problem with ``some`` in the place of the voxels ``rows``."""
        y, sigma = self.y.copy(), self.sigma.copy()
        y[rows], sigma[rows] = some.y, some.sigma
        return replace(self, y=y, sigma=sigma)

    def log_likelihood(self, x: np.ndarray) -> np.ndarray:
        """(n, s) at x (n, s, m), up to a constant a voxel; -inf beyond the bounds."""
        n, s, m = x.shape
        C_t = self.compression.curves(x.reshape(-1, m)).reshape(n, s, -1)
        C_t -= self.y[:, None]
        misfit = np.einsum("nsd,nsd->ns", C_t, C_t)
        inside = ((x >= self.lower) & (x <= self.upper)).all(axis=-1)
        return np.where(inside, -0.5 * misfit / self.sigma[:, None] ** 2, -np.inf)

    def residuals(self, prior):
        """r (d + m, a) and dr/dx (m, d + m, a) at x (a, m) of the voxels ``rows``: data, then prior, both white.

        ``prior``: a Gaussian with its ``mean`` and ``root``, one for all voxels or one a voxel.
        """
        n, m = len(self.y), len(self.lower)
        roots, means = np.broadcast_to(prior.root, (n, m, m)), np.broadcast_to(prior.mean, (n, m))

        def at(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            C_t, J = self.compression.sensitivities(x)
            sigma, root = self.sigma[rows], roots[rows]
            away = np.einsum("aij,aj->ia", root, x - means[rows])
            r = np.concatenate([(C_t - self.y[rows].T) / sigma, away])
            return r, np.concatenate([J / sigma, root.transpose(2, 1, 0)], axis=1)

        return at

    def mode(self, x: np.ndarray, prior) -> Minimum:
        """The nearest mode from x (n, m)."""
        return levenberg_marquardt(
            self.residuals(prior),
            x,
            lower=self.lower,
            upper=self.upper,
            longest_step=np.full(x.shape[1], LONGEST_STEP),
            max_iterations=ITERATIONS,
            tolerance=TOLERANCE,
            noise_power=np.ones(len(x)),
        )

    def modes(self, starts: list[np.ndarray], prior: GaussianPrior) -> list[Minimum]:
        """``mode`` from each of several starts x (n, m), all in one batch."""
        n = len(self.y)
        found = self.take(np.tile(np.arange(n), len(starts))).mode(np.concatenate(starts), prior)
        return [some_of(found, slice(i * n, (i + 1) * n)) for i in range(len(starts))]

    def starts(self) -> list[np.ndarray]:
        """x (n, m) by best shape, one each of slow, middle and fast wash-in."""
        limits = self.compression.delays
        delays = np.linspace(limits[0], limits[-1], 1 + int(np.ceil((limits[-1] - limits[0]) / DELAY_STEP)))
        shapes = [
            [(f, 1.0, y, e * f) for f, e, y in product(rates, EXCHANGE_OVER_FLOW, INTERSTITIUM_OVER_PLASMA)]
            for rates in WASHIN_RATES
        ]
        begun = []
        for group in np.log(np.array(shapes)):
            atoms = np.concatenate([np.column_stack([group, np.full(len(group), T_a)]) for T_a in delays])
            curves = self.compression.curves(atoms[:, : len(self.lower)])
            row, scale = best_match(curves, self.y, [np.arange(len(atoms))])[0]
            x = atoms[row, : len(self.lower)].copy()
            x[:, :4] += np.log(scale)[:, None]
            begun.append(np.clip(x, self.lower, self.upper))
        return begun


def best(modes: list[Minimum]) -> Minimum:
    """Of each voxel the mode of least cost."""
    winner, rows = np.argmin([mode.cost for mode in modes], axis=0), np.arange(len(modes[0].x))
    pick = lambda name: np.stack([getattr(mode, name) for mode in modes])[winner, rows]  # noqa: E731
    return Minimum(pick("x"), pick("cost"), pick("converged"), pick("curvature"), modes[0].iterations)


def some_of(mode: Minimum, rows) -> Minimum:
    """The modes of some voxels."""
    return Minimum(mode.x[rows], mode.cost[rows], mode.converged[rows], mode.curvature[rows], mode.iterations)


def put(mode: Minimum, rows, some: Minimum) -> Minimum:
    """The modes with ``some`` in the place of the voxels ``rows``."""
    arrays = {name: getattr(mode, name).copy() for name in ("x", "cost", "converged", "curvature")}
    for name, whole in arrays.items():
        whole[rows] = getattr(some, name)
    return Minimum(**arrays, iterations=mode.iterations + some.iterations)


def covariances(curvature: np.ndarray) -> np.ndarray:
    """(n, m, m) Laplace covariances of curvatures J'J (n, m, m)."""
    return np.linalg.inv(curvature)
