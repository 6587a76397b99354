"""From trained networks to one result: parameters in the library's units, what they are worth, and how they were made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..aif import ArterialInput
from ..fit import FitResult, KineticParameters, Outcome, TissueCurves
from ..kinetics import tissue_curve
from ..network_settings import Shift
from ..quantities import inside
from ..settings import Delay, FitSettings, Method
from ..trained import TrainedNetwork, parameter_names
from .batches import Batch
from .outcomes import ENHANCEMENT_F_RATIO, judge

OFF_THE_MODEL_SHARE = 0.05  # root mean square over the peak: what a flow that is a third too high makes of exact curves
DETERMINED = {Method.REDUCED: ("F_p",)}


def network_result(
    curves: TissueCurves,
    aif: ArterialInput,
    settings: FitSettings,
    problems: list,
    fits: list,
    outcome: np.ndarray,
    *,
    T_a: np.ndarray,
    known: np.ndarray,
    notes: list[str],
    details: dict,
    seconds: float,
) -> FitResult:
    """The result of all slices. ``outcome`` (n,) from before; ``T_a`` (n,) s that was used, ``known`` (n,) where it is the voxel's own."""
    names, size = parameter_names(settings.method), len(curves)
    values = {name: np.full(size, np.nan) for name in names}
    C_t, residual, outcome = np.full(curves.C_t.shape, np.nan), np.full(size, np.nan), outcome.copy()
    for problem, fit in zip(problems, fits, strict=True):
        rows, weight = problem.rows, curves.weight[problem.clock]
        C_t[rows] = fit.C_t
        off = np.where(weight > 0, fit.C_t - curves.C_t[rows], 0.0)
        residual[rows] = np.sqrt((weight * off**2).sum(axis=1) / weight.sum())
        for name in names:
            values[name][rows] = inside(name, fit.parameters[name])
        found = {name: values[name][rows] for name in names}
        outcome[rows] = _judged(curves, aif, problem, fit, found, settings)
    shifted = settings.network.shift is Shift.PRESHIFT or settings.delay is Delay.FIXED
    delay = {"T_a": np.where(np.isfinite(residual) & known, T_a, np.nan)} if shifted else {}
    return FitResult(
        KineticParameters(**values, **delay), C_t, residual, outcome, aif, seconds,
        history=_history(problems, fits),
        details={**_steps(fits), **details},
        notes=tuple(dict.fromkeys(notes)),
        doubtful=tuple(name for name in names if name not in DETERMINED.get(settings.method, names)),
        trained=_trained(settings, fits),
    )  # fmt: skip


def _judged(curves: TissueCurves, aif: ArterialInput, problem, fit, found: dict, settings: FitSettings) -> np.ndarray:
    """Outcome codes: of the network's own curves, then of the exact curves of its parameters where it has them all."""
    counted = curves.weight[problem.clock] > 0
    measured, own = curves.C_t[problem.rows][:, counted], fit.C_t[:, counted]
    unknown = np.full(len(measured), np.nan)
    outcome = judge(
        measured,
        own,
        {**found, "F_p_sd": unknown, "T_a": unknown},
        unknowns=len(found),
        converged=np.isfinite(own).all(axis=1),
        settings=replace(settings, delay=Delay.FIXED, network=replace(settings.network, shift=Shift.OFF)),
    )
    enhanced = _enhanced(curves, problem, counted, len(found))
    outcome[(outcome == Outcome.NO_ENHANCEMENT) & enhanced] = Outcome.POOR_FIT
    if "PS" in found:
        times = np.broadcast_to(curves.time[problem.clock], fit.C_t.shape)
        exact = tissue_curve(aif, times, **found, T_a=problem.T_a)[:, counted]
        gap, peak = np.sqrt(((exact - own) ** 2).mean(axis=1)), own.max(axis=1)
        outcome[(outcome == Outcome.FITTED) & (gap > OFF_THE_MODEL_SHARE * peak)] = Outcome.OFF_THE_MODEL
    return outcome


def _enhanced(curves: TissueCurves, problem, counted: np.ndarray, unknowns: int) -> np.ndarray:
    """(K,) bool: the curve itself rises above its noise, whatever the network made of it."""
    time, weight = curves.time[problem.clock], curves.weight[problem.clock]
    batch = Batch(np.where(weight > 0, curves.C_t[problem.rows], 0.0), time, (weight > 0).astype(float))
    noise, frames = batch.noise_power(), int(counted.sum())
    explained = (batch.C_t**2).sum(axis=1) - noise
    return explained / unknowns >= ENHANCEMENT_F_RATIO * noise / max(frames - unknowns, 1)


def _history(problems: list, fits: list) -> dict:
    """Columns of all slices' histories, one below the other; "slice" counts from 1."""
    pairs = zip(problems, fits, strict=True)
    rows = [{"slice": problem.clock + 1, **row} for problem, fit in pairs for row in fit.history]
    return {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def _steps(fits: list) -> dict:
    """Steps made; of each slice, where they differ."""
    steps = [fit.steps for fit in fits]
    return {"steps": max(steps, default=0)} | ({"steps_of_slices": steps} if len(set(steps)) > 1 else {})


def _trained(settings: FitSettings, fits: list) -> TrainedNetwork | None:
    network = settings.network
    if not fits:
        return None
    return TrainedNetwork(
        settings.method, network.layers, network.width, network.normalisation,
        max(fit.steps for fit in fits), tuple(fit.weights for fit in fits),
    )  # fmt: skip
