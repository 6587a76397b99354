"""Which fits to trust: curves that cannot be fitted, and fits that say nothing."""

from __future__ import annotations

import numpy as np

from ..fit import Outcome, TissueCurves
from ..robust import width
from ..settings import Delay, FitSettings
from .batches import Arrays, Batch
from .levenberg import Minimum, held_at_bounds

ENHANCEMENT_F_RATIO = 8.0
POOR_RESIDUAL_SHARE = 0.10
POOR_AUTOCORRELATION = 0.5
AT_LIMIT = 1e-3
OUTLYING_WIDTHS = 8.0
UNDETERMINED_SD = 2.0


def screen(curves: TissueCurves, unknowns: int) -> np.ndarray:
    """Outcome codes (n,) before any fit: FITTED where a fit can be tried."""
    counted = curves.weight[curves.clock] > 0
    outcome = np.full(len(curves), Outcome.FITTED, dtype=int)
    outcome[counted.sum(axis=1) <= unknowns] = Outcome.TOO_FEW_FRAMES
    outcome[~np.where(counted, np.isfinite(curves.C_t), True).all(axis=1)] = Outcome.NOT_FINITE
    flat = np.where(counted, curves.C_t, 0.0)
    outcome[(outcome == Outcome.FITTED) & ~(flat.max(axis=1) > 0)] = Outcome.NO_ENHANCEMENT
    return outcome


def judge(measured, fitted, found: Arrays, *, unknowns: int, converged, settings: FitSettings) -> np.ndarray:
    """Outcome codes (n,) of fits (n, t) of the counted frames; the gravest word wins.

    No enhancement: the model explains less than ``ENHANCEMENT_F_RATIO`` times what as many numbers would explain of
    noise. Poor: the residual is more than a tenth of the peak and hangs together over time. Outlying: one frame is off
    by as much, and by ``OUTLYING_WIDTHS`` robust spreads. Undetermined: the flow's deviation is twice the flow (that
    takes out most voxels that are twice too high; a stricter rule would take out high flows and bias what is left).
    """
    residual = measured - fitted
    frames = measured.shape[1]
    left = np.maximum((residual**2).sum(axis=1), 1e-300)
    explained = (measured**2).sum(axis=1) - left
    outcome = np.full(len(measured), Outcome.FITTED, dtype=int)
    rms, peak = np.sqrt(left / frames), fitted.max(axis=1)
    together = (residual[:, 1:] * residual[:, :-1]).sum(axis=1) / left
    F_p, T_a = found["F_p"], found["T_a"]
    outcome[found["F_p_sd"] > UNDETERMINED_SD * F_p] = Outcome.UNDETERMINED
    spread = width(residual, axis=1)
    worst = np.abs(residual).max(axis=1)
    outcome[(worst > OUTLYING_WIDTHS * spread) & (worst > POOR_RESIDUAL_SHARE * peak)] = Outcome.OUTLYING_FRAME
    outcome[(rms > POOR_RESIDUAL_SHARE * peak) & (together > POOR_AUTOCORRELATION)] = Outcome.POOR_FIT
    if settings.delay is Delay.FIT:
        first, last = settings.T_a_range
        margin = AT_LIMIT * (last - first)
        outcome[(T_a <= first + margin) | (T_a >= last - margin)] = Outcome.DELAY_AT_LIMIT
    low, high = settings.F_p_range
    outcome[(F_p >= high * (1 - AT_LIMIT)) | (F_p <= low * (1 + AT_LIMIT))] = Outcome.FLOW_AT_LIMIT
    outcome[~converged] = Outcome.NOT_CONVERGED
    outcome[explained / unknowns < ENHANCEMENT_F_RATIO * left / max(frames - unknowns, 1)] = Outcome.NO_ENHANCEMENT
    return outcome


def conclude(
    batch: Batch, model, best: Minimum, bounds: tuple, columns: dict[str, tuple[int, bool]], settings: FitSettings
) -> Arrays:
    """A batch's arrays: the parameters with their standard deviations, curves at every frame, residual and outcome.

    ``columns`` names the parameters in ``best.x``: (column, whether it is a logarithm). ``model.curves(x)`` gives C_t
    (t, n) and dC_t/dx (m, t, n). Where T_a was not sought it is the given one, with no deviation (NaN).
    """
    fitted, J = model.curves(best.x)
    pull = (fitted - batch.C_t.T) * batch.root_weight[:, None] ** 2
    held = held_at_bounds(best.x, np.einsum("mta,ta->am", J, pull), *bounds)
    sd = _deviations(best, held, int(batch.counted.sum()))
    found: Arrays = {"T_a": np.full(len(best.x), settings.T_a), "T_a_sd": np.full(len(best.x), np.nan)}
    for name, (column, logarithm) in columns.items():
        found[name] = np.exp(best.x[:, column]) if logarithm else best.x[:, column]
        found[f"{name}_sd"] = sd[:, column] * (found[name] if logarithm else 1.0)
    found["residual"] = np.sqrt(best.cost / (batch.root_weight**2).sum())
    found["C_t"] = fitted.T
    counted = batch.counted
    found["outcome"] = judge(
        batch.C_t[:, counted],
        fitted.T[:, counted],
        found,
        unknowns=best.x.shape[1],
        converged=best.converged,
        settings=settings,
    )
    return found


def _deviations(best: Minimum, held: np.ndarray, frames: int) -> np.ndarray:
    """(n, m) standard deviations of x from s^2 (J'J)^-1, s^2 = cost / (frames - m); NaN on a bound."""
    m = best.x.shape[1]
    A = np.where(held[:, :, None] | held[:, None, :], 0.0, best.curvature)
    ridge = np.where(held, 1.0, 1e-12 * np.einsum("aii->ai", best.curvature))
    A = A + np.eye(m) * ridge[:, None, :]
    variance = np.einsum("aii->ai", np.linalg.pinv(A, hermitian=True)) * (best.cost / max(frames - m, 1))[:, None]
    return np.where(held, np.nan, np.sqrt(np.maximum(variance, 0.0)))
