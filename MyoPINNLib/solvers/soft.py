"""From the exact model's modes to those of a model that obeys its equations as far as the loss's weights say.

The modes are found by Levenberg-Marquardt on the profiled loss (profiled.py), from the exact ones, which lie near. Where C_p
or C_e go negative the active set is settled: which points of time are negative, then the heads, until both agree. A negative
part that costs less than ``FREE_OF_COST`` is let be. Modes that several starts share are followed once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..aif import ArterialInput
from ..quantities import shown
from ..settings import FitSettings
from .batches import Batch
from .compressed import Compression
from .levenberg import Linearised, Minimum, minimise
from .modes import ITERATIONS, LONGEST_STEP, TOLERANCE, Problem, best, some_of
from .profiled import Point, Space, Tables, evaluate, softness
from .trunk import Trunk

FREE_OF_COST = 1e-3
ACTIVE_ROUNDS = 10
EVERY = 4
APART = 0.02
RANK = 16
MOST_COST = 0.1
NOTHING = 1e-8


@dataclass(frozen=True)
class SoftProblem(Problem):
    """A problem whose misfit is (|y - m|^2 - |G'(y - m)|^2) / sigma^2, m the exact curve, ``given`` G (n, d, r): of each misfit
    the part that the heads take up.

    ``held`` (n,) bool: the trunk holds the solution and its equations; else the exact model is kept, G = 0.
    """

    given: np.ndarray
    held: np.ndarray

    def take(self, rows) -> SoftProblem:
        """The same problem for some of its voxels."""
        return replace(self, y=self.y[rows], sigma=self.sigma[rows], given=self.given[rows], held=self.held[rows])

    def log_likelihood(self, x: np.ndarray) -> np.ndarray:
        """(n, s) at x (n, s, m), up to a constant a voxel; -inf beyond the bounds."""
        n, s, m = x.shape
        off = self.compression.curves(x.reshape(-1, m)).reshape(n, s, -1)
        off -= self.y[:, None]
        taken = off @ self.given
        misfit = np.einsum("nsd,nsd->ns", off, off) - np.einsum("nsr,nsr->ns", taken, taken)
        inside = ((x >= self.lower) & (x <= self.upper)).all(axis=-1)
        return np.where(inside, -0.5 * misfit / self.sigma[:, None] ** 2, -np.inf)


@dataclass(frozen=True)
class Soft:
    """One clock's ``trunk`` and ``tables`` (on ``space``); ``frames``: how many count."""

    trunk: Trunk
    tables: Tables
    space: Space
    compression: Compression
    aif: ArterialInput
    settings: FitSettings
    frames: float

    @classmethod
    def of(
        cls,
        aif: ArterialInput,
        batch: Batch,
        compression: Compression,
        settings: FitSettings,
        space: Space,
        pulse: Callable[[], None],
    ) -> Soft:
        """For the clock of ``batch``."""
        chosen, earliest = settings.one_shot, float(compression.delays[0])
        last = float(batch.time[-1]) - earliest
        trunk = Trunk.of(
            aif,
            last,
            points=chosen.collocation_points,
            most=chosen.functions,
            strictness=chosen.w_residual / chosen.w_data,
            pulse=pulse,
        )
        seen = compression.basis * batch.root_weight[:, None]
        tables = Tables.of(trunk, batch.time, seen, compression.delays).on(space)
        return cls(trunk, tables, space, compression, aif, settings, float((batch.root_weight**2).sum()))

    def softened(self, problem: Problem, modes: list[Minimum], prior) -> tuple[SoftProblem, list[Minimum]]:
        """The exact ``problem`` and its ``modes``, softened for the voxels whose solution the trunk holds."""
        softer = self._followed(problem, modes, prior)
        held = self.trunk.holds(self.aif, best(modes).x) & self.trunk.holds(self.aif, best(softer).x)
        given, cost = self._given(problem, best(softer).x)
        held &= cost <= MOST_COST
        modes = [_either(held, soft, exact) for soft, exact in zip(softer, modes, strict=True)]
        return SoftProblem(**vars(problem), given=given * held[:, None, None], held=held), modes

    def _given(self, problem: Problem, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """G (n, d, r) at x (n, m), K = G G' as far as its leading directions go (Nystrom); and what the exact curve itself costs
        (n,): nothing, if the trunk held its solution and the equations with it.
        """
        d = problem.y.shape[1]
        probes = np.random.default_rng(0).standard_normal((d, min(d, RANK)))
        point = self.point(problem, x, np.arange(len(x)))
        point = replace(point, y=self.compression.curves(x) / self.trunk.peak).on(self.space)
        found = softness(self.space, self.tables, point, self.space.array(probes))
        K, cost = (self.space.numpy(part) for part in found)
        core = probes.T @ K
        sizes, directions = np.linalg.eigh((core + np.swapaxes(core, 1, 2)) / 2)
        scale = np.where(sizes > NOTHING, 1 / np.sqrt(np.maximum(sizes, NOTHING)), 0.0)
        return K @ (directions * scale[:, None]), cost

    def curves(self, problem: Problem, x: np.ndarray, time: np.ndarray) -> np.ndarray:
        """C_t (n, t) mM at ``time`` (t,) s of the heads at x (n, m)."""
        z = self.solved(problem, x, np.arange(len(x)), self.nowhere(len(x)))[0][3]
        T_a = x[:, 4] if x.shape[1] > 4 else np.full(len(x), self.settings.T_a)
        heads = (np.exp(x[:, 1:3])[:, :, None] * z).sum(axis=1)
        phi = self.trunk.at(time - T_a[:, None])
        return self.trunk.peak * (phi @ heads[:, :, None])[:, :, 0]

    def point(self, problem: Problem, x: np.ndarray, rows: np.ndarray) -> Point:
        """Where the loss of the voxels ``rows`` (a,) is asked for, x (a, m)."""
        sigma, chosen = problem.sigma[rows] / self.trunk.peak, self.settings.one_shot
        unit = self.frames / (chosen.w_data * sigma**2)
        per_second = shown("F_p", 1.0) ** 2
        weights = (chosen.w_residual * per_second, chosen.w_initial, chosen.w_positive / self._watched.shape[0])
        node, late = self.compression.node(x)
        return Point(x, problem.y[rows] / self.trunk.peak, sigma, node, late, np.multiply.outer(weights, unit))

    @property
    def _watched(self) -> np.ndarray:
        """phi (q, p) at the points of time at which no concentration should be negative."""
        return self.trunk.phi[self.trunk.points[::EVERY]]

    def linearised(self, problem: Problem, prior, voxels: np.ndarray) -> Linearised:
        """The loss of ``problem`` with the prior (a Gaussian for all voxels or one a voxel), half its gradient and its
        Gauss-Newton matrix, of the ``voxels`` (n,)."""
        n, m = len(problem.y), len(problem.lower)
        roots, means = np.broadcast_to(prior.root, (n, m, m)), np.broadcast_to(prior.mean, (n, m))
        negative = self.nowhere(len(voxels))

        def at(x: np.ndarray, rows: np.ndarray):
            (cost, gradient, curvature, _), negative[rows] = self.solved(problem, x, voxels[rows], negative[rows])
            root = roots[voxels[rows]]
            off = root @ (x - means[voxels[rows]])[:, :, None]
            turned = np.swapaxes(root, 1, 2)
            return cost + (off**2).sum(axis=(1, 2)), gradient + (turned @ off)[:, :, 0], curvature + turned @ root

        return at

    def nowhere(self, count: int) -> np.ndarray:
        """(count, 2, q) bool: C_p and C_e are negative at no point of time."""
        return np.zeros((count, 2, len(self._watched)), dtype=bool)

    def solved(self, problem: Problem, x: np.ndarray, rows: np.ndarray, negative: np.ndarray):
        """Loss, half gradient, Gauss-Newton matrix and heads of the voxels ``rows`` (a,) at x (a, m), and where the curves are
        negative (a, 2, q), which is best guessed by ``negative``.
        """
        point, negative = self.point(problem, x, rows), negative.copy()
        found, left = self._evaluated(point, negative, np.arange(len(x))), np.arange(len(x))
        for _ in range(ACTIVE_ROUNDS):
            C = found[3][left] @ self._watched.T
            cost = point.weights[2][left] * (np.minimum(C, 0.0) ** 2).sum(axis=(1, 2))
            below = (C < 0) & (cost > FREE_OF_COST)[:, None, None]
            other = (below != negative[left]).any(axis=(1, 2))
            left = left[other]
            if not left.size:
                break
            negative[left] = below[other]
            for whole, part in zip(found, self._evaluated(point, negative, left), strict=True):
                whole[left] = part
        return found, negative

    def _followed(self, problem: Problem, modes: list[Minimum], prior) -> list[Minimum]:
        """The softened modes from each exact one, in one batch."""
        distinct = _distinct(modes)
        voxels = np.concatenate([np.flatnonzero(own == i) for i, own in enumerate(distinct)])
        found = minimise(
            self.linearised(problem, prior, voxels),
            np.concatenate([mode.x[own == i] for i, (mode, own) in enumerate(zip(modes, distinct, strict=True))]),
            lower=problem.lower,
            upper=problem.upper,
            longest_step=np.full(problem.lower.size, LONGEST_STEP),
            max_iterations=ITERATIONS,
            tolerance=TOLERANCE,
            noise_power=np.ones(len(voxels)),
        )
        return _dealt(found, distinct)

    def _evaluated(self, point: Point, negative: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
        """``evaluate`` of ``rows``: together those without negative parts, and those with, which need more."""
        with_some = negative[rows].any(axis=(1, 2))
        parts = []
        for some in (np.flatnonzero(~with_some), np.flatnonzero(with_some)):
            if some.size:
                pull = self._pull(negative[rows[some]]) if with_some[some[0]] else None
                placed = point.take(rows[some], pull).on(self.space)
                found = evaluate(self.space, self.tables, placed)
                parts.append((some, [np.asarray(self.space.numpy(part)) for part in found]))
        whole = [np.empty((len(rows), *part.shape[1:])) for part in parts[0][1]]
        for some, found in parts:
            for array, part in zip(whole, found, strict=True):
                array[some] = part
        return whole

    def _pull(self, negative: np.ndarray) -> np.ndarray:
        """(n, 2, p, p): the Gram matrices of phi over the points of time at which a curve is ``negative`` (n, 2, q)."""
        phi, p = self._watched, self.trunk.phi.shape[1]
        outer = (phi[:, :, None] * phi[:, None, :]).reshape(len(phi), -1)
        return (negative.reshape(-1, len(phi)).astype(float) @ outer).reshape(len(negative), 2, p, p)


def _distinct(modes: list[Minimum]) -> list[np.ndarray]:
    """For each mode, an array (n,): its own number, or that of an earlier mode of that voxel which lies at the same place."""
    found: list[np.ndarray] = []
    for i, mode in enumerate(modes):
        own = np.full(len(mode.x), i)
        for j in range(i - 1, -1, -1):
            same = (np.abs(mode.x - modes[j].x) < APART).all(axis=1)
            own = np.where(same, found[j], own)
        found.append(own)
    return found


def _dealt(found: Minimum, distinct: list[np.ndarray]) -> list[Minimum]:
    """The modes of each start, out of ``found`` that holds each distinct one once."""
    places = np.zeros((len(distinct), distinct[0].size), dtype=int)
    first = 0
    for i, own in enumerate(distinct):
        rows = np.flatnonzero(own == i)
        places[i, rows] = first + np.arange(rows.size)
        first += rows.size
    return [some_of(found, places[own, np.arange(own.size)]) for own in distinct]


def _either(where: np.ndarray, yes: Minimum, no: Minimum) -> Minimum:
    """Of each voxel the mode of ``yes`` or of ``no``."""
    pick = lambda name: np.where(  # noqa: E731
        where.reshape(-1, *[1] * (getattr(yes, name).ndim - 1)), getattr(yes, name), getattr(no, name)
    )
    return Minimum(pick("x"), pick("cost"), pick("converged"), pick("curvature"), yes.iterations)
