"""Levenberg–Marquardt for many small problems at once: bounded least squares, one problem a column.

Each problem minimises |r(x)|^2 over lower <= x <= upper. All problems step together; a finished one leaves the batch.
A coordinate that lies on its bound and is pushed outwards is held for the step (projected Newton). Damping follows the
gain ratio (Nielsen 1999). SciPy's least_squares solves one problem a call: thousands of voxels need the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_FIRST_DAMPING = 1e-2
_MOST_DAMPING = 1e12
_ROUNDING = 1e-24
_LEAST = 1e-300
_LEAST_GAIN = 1e-4
_HAIR = 1e-12

Residuals = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
Linearised = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass
class Minimum:
    """``x`` (n, m), ``cost`` (n,) = |r|^2, ``converged`` (n,), ``curvature`` (n, m, m) = J'J at x, ``iterations``."""

    x: np.ndarray
    cost: np.ndarray
    converged: np.ndarray
    curvature: np.ndarray
    iterations: int


def levenberg_marquardt(
    residuals: Residuals,
    x0: np.ndarray,
    *,
    lower: np.ndarray,
    upper: np.ndarray,
    longest_step: np.ndarray,
    max_iterations: int,
    tolerance: float,
    noise_power: np.ndarray | None = None,
) -> Minimum:
    """Minimise all problems from ``x0`` (n, m).

    ``residuals(x, rows)`` gives r (t, a) and dr/dx (m, t, a) of the problems ``rows`` (a,) at x (a, m).
    ``lower``, ``upper``, ``longest_step`` (m,). A problem has converged when its step foresees a fall of the cost by less
    than ``tolerance`` of the cost, or of ``noise_power`` (n,) where that is less (the cost that noise alone leaves: a curve
    without noise goes on to the bottom), or when no step makes it fall any more.
    """
    return minimise(
        lambda x, rows: _linearise(residuals, x, rows),
        x0,
        lower=lower,
        upper=upper,
        longest_step=longest_step,
        max_iterations=max_iterations,
        tolerance=tolerance,
        noise_power=noise_power,
    )


def minimise(
    linearised: Linearised,
    x0: np.ndarray,
    *,
    lower: np.ndarray,
    upper: np.ndarray,
    longest_step: np.ndarray,
    max_iterations: int,
    tolerance: float,
    noise_power: np.ndarray | None = None,
) -> Minimum:
    """``levenberg_marquardt`` of a cost whose rows are not at hand.

    ``linearised(x, rows)`` gives the cost (a,), half its gradient (a, m) and its Gauss-Newton matrix (a, m, m) of the
    problems ``rows`` (a,) at x (a, m).
    """
    x = np.clip(x0, lower, upper)
    rows = np.arange(len(x))
    cost, gradient, curvature = linearised(x, rows)
    done = np.zeros(len(x), dtype=bool)
    damping, growth = np.full(len(x), _FIRST_DAMPING), np.full(len(x), 2.0)
    rounding = _ROUNDING * cost
    noise_power = np.full(len(x), np.inf) if noise_power is None else noise_power
    iteration = 0
    while iteration < max_iterations and not done.all():
        iteration += 1
        rows = np.flatnonzero(~done)
        step, foreseen, cut = _step(x[rows], gradient[rows], curvature[rows], damping[rows], lower, upper, longest_step)
        done[rows] = ~cut & (foreseen <= tolerance * np.minimum(cost[rows], noise_power[rows]) + rounding[rows])
        if done[rows].all():
            break
        left = ~done[rows]
        rows, step, foreseen = rows[left], step[left], foreseen[left]
        trial = _snapped(x[rows] + step, lower, upper)
        new_cost, new_gradient, new_curvature = linearised(trial, rows)
        gain = (cost[rows] - new_cost) / foreseen
        better = gain > _LEAST_GAIN
        up = rows[better]
        x[up], cost[up] = trial[better], new_cost[better]
        gradient[up], curvature[up] = new_gradient[better], new_curvature[better]
        damping[up] *= np.maximum(1 / 3, 1 - (2 * gain[better].clip(max=2.0) - 1) ** 3)
        growth[up] = 2.0
        worse = rows[~better]
        damping[worse] *= growth[worse]
        growth[worse] *= 2
        done[worse] |= damping[worse] > _MOST_DAMPING
    return Minimum(x, cost, done, curvature, iteration)


def _snapped(x: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """``x`` with what lies within rounding of a bound on it: a hair's breadth of room would stop every later step."""
    hair = _HAIR * (upper - lower)
    return np.where(x <= lower + hair, lower, np.where(x >= upper - hair, upper, x))


def _linearise(residuals: Residuals, x: np.ndarray, rows: np.ndarray):
    """Cost (a,), half gradient J'r (a, m) and J'J (a, m, m)."""
    r, J = residuals(x, rows)
    m = len(J)
    curvature = np.empty((len(x), m, m))
    for i in range(m):
        for j in range(i + 1):
            curvature[:, i, j] = curvature[:, j, i] = np.einsum("ta,ta->a", J[i], J[j])
    return np.einsum("ta,ta->a", r, r), np.einsum("mta,ta->am", J, r), curvature


def held_at_bounds(x: np.ndarray, gradient: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """(a, m) bool: coordinates on a bound that downhill would push outwards."""
    return ((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0))


def _step(x, gradient, curvature, damping, lower, upper, longest):
    """Damped step (a, m) of the free coordinates, the fall of the cost that the linear model foresees (a,), and whether
    the step was cut at a bound (a,): then its small fall says nothing about how far the minimum is.

    A step that would cross a bound ends on it, whole: cutting one coordinate alone would leave the others wrong.
    """
    held = held_at_bounds(x, gradient, lower, upper)
    step = _damped(gradient, curvature, damping, held)
    outwards = ((x <= lower) & (step < 0)) | ((x >= upper) & (step > 0))
    if outwards.any():
        held |= outwards
        step = _damped(gradient, curvature, damping, held)
    room = np.maximum(np.where(step > 0, upper - x, x - lower), 0.0)
    size = np.maximum(np.abs(step), _LEAST)
    share = np.where(held, 1.0, room / size).min(axis=1)
    cut = share < 1.0
    share = np.minimum(np.minimum(share, 1.0), (longest / size).min(axis=1))
    step = np.clip(x + step * share[:, None], lower, upper) - x
    bent = np.einsum("ai,aij,aj->a", step, curvature, step)
    foreseen = -2 * np.einsum("ai,ai->a", gradient, step) - bent
    return step, np.maximum(foreseen, _LEAST), cut


def _damped(gradient, curvature, damping, held):
    """-(J'J + damping diag(J'J))^-1 J'r (a, m), 0 where held."""
    g = np.where(held, 0.0, gradient)
    A = np.where(held[:, :, None] | held[:, None, :], 0.0, curvature)
    diagonal = np.einsum("aii->ai", A).copy()
    scale = np.maximum(diagonal, 1e-12 * diagonal.max(axis=1, keepdims=True))
    np.einsum("aii->ai", A)[...] += damping[:, None] * scale + np.where(held | (scale <= 0), 1.0, 0.0)
    return -np.linalg.solve(A, g[:, :, None])[:, :, 0]
