"""The paper's networks behind the solvers' door: here, and only here, TensorFlow is let in."""

from __future__ import annotations

import os
import time as clock
from dataclasses import replace

import numpy as np

from ..aif import ArterialInput
from ..errors import InputError
from ..events import Progress, Report, Warned, within
from ..fit import FitResult, KineticParameters, Outcome, TissueCurves
from ..network_settings import Shift, Start
from ..quantities import inside, shown
from ..settings import Delay, FitSettings, Method
from ..trained import TrainedNetwork
from .nlls import fit_nlls
from .outcomes import judge, screen

INSTALL = 'Install it with: pip install "myopinn[engine]"'
NLLS_SHARE = 0.05
_START = ("F_p", "v_p", "v_e", "PS")


def fit_networks(
    curves: TissueCurves,
    aif: ArterialInput,
    settings: FitSettings,
    report: Report,
    checkpoint=None,
    start_from: FitResult | TrainedNetwork | None = None,
) -> FitResult:
    """Train one network a clock on all of its curves that can be fitted, and read the parameters off.

    ``start_from``: another method's result of these curves, or an earlier study's network. Raises InputError where
    TensorFlow is missing or broken, where the device is not there, and where ``start_from`` does not fit.
    """
    started = clock.perf_counter()
    load_tensorflow()
    from .pinn import device
    from .pinn.problem import slice_problems

    outcome = screen(curves, len(_kinetic(settings)))
    wanted = outcome == Outcome.FITTED
    _check_start(start_from, settings, len(curves))
    notes: list[str] = []

    def warn(text: str) -> None:
        notes.append(text)
        report(Warned(text))

    for text in _doubts(settings):
        warn(text)
    share = NLLS_SHARE if _needs_nlls(settings) else 0.0
    found, T_a = _before(curves, aif, settings, within(report, 0.0, share), checkpoint, start_from)
    problems = slice_problems(curves, aif, wanted, T_a)
    begin = (found, start_from if isinstance(start_from, TrainedNetwork) else None)
    with device.chosen(settings.network) as name:
        fits = _train_all(problems, aif, settings, begin, within(report, share, 1.0), warn, checkpoint, name)
    start = _start_words(settings, start_from)
    seconds = clock.perf_counter() - started
    return _result(curves, aif, settings, problems, fits, outcome, T_a, notes, name, start, seconds)


def load_tensorflow():
    """TensorFlow, or an InputError that says how to get it. Keras computes with it whatever the user's settings are."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        from .pinn import training  # noqa: F401  (all that the networks need)
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] not in ("tensorflow", "keras"):
            raise
        raise InputError(f"The networks need {missing.name}, which is not installed.", INSTALL) from missing
    except Exception as broken:
        raise InputError(
            f"TensorFlow is installed but does not load ({type(broken).__name__}).",
            'Install it anew with: pip install --force-reinstall "myopinn[engine]"; nlls and fermi work without it.',
        ) from broken


def _kinetic(settings: FitSettings) -> tuple[str, ...]:
    return ("F_p", "v_p", "v_e") if settings.method is Method.REDUCED else _START


def _check_start(start_from, settings: FitSettings, count: int) -> None:
    if isinstance(start_from, TrainedNetwork):
        start_from.check_start_of(settings.method, settings.network)
    elif start_from is not None and len(start_from.outcome) != count:
        raise InputError(
            f"The result to start from has {len(start_from.outcome)} curves and there are {count}.",
            "Start from a result of the same curves.",
        )


def _start_words(settings: FitSettings, start_from) -> str:
    """Where the training began, for every output."""
    if isinstance(start_from, FitResult):
        return "another result"
    if settings.network.start is Start.NLLS:
        return "NLLS"
    return "an earlier network" if start_from is not None else "random"


def _needs_nlls(settings: FitSettings) -> bool:
    return settings.network.start is Start.NLLS or settings.network.shift is Shift.PRESHIFT


def _before(curves, aif, settings: FitSettings, report: Report, checkpoint, start_from):
    """What is known before training: parameters to start at (name -> (n,), shown; or None) and T_a (n,) s."""
    network = settings.network
    constant = settings.T_a if settings.delay is Delay.FIXED else 0.0
    preshift, earlier = network.shift is Shift.PRESHIFT, start_from if isinstance(start_from, FitResult) else None
    if _needs_nlls(settings):
        ahead = replace(settings, method=Method.NLLS, T_a=constant, delay=Delay.FIT if preshift else Delay.FIXED)
        part = None if checkpoint is None else checkpoint.part("nlls")
        nlls = fit_nlls(curves, aif, ahead, report, part)
        T_a = _filled(nlls.parameters.T_a, nlls.valid) if preshift else np.full(len(curves), constant)
        earlier = earlier or (nlls if network.start is Start.NLLS else None)
    else:
        T_a = np.full(len(curves), constant)
    if earlier is None:
        return None, T_a
    given = dict(earlier.parameters.items())
    return {name: np.where(earlier.valid, shown(name, given[name]), np.nan) for name in _START if name in given}, T_a


def _filled(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The values, the median of the valid ones where they are not valid, 0 where none is."""
    return np.where(valid, values, np.median(values[valid]) if valid.any() else 0.0)


def _train_all(problems, aif, settings: FitSettings, begin, report: Report, warn, checkpoint, device: str) -> list:
    from .pinn.slices import Begin, fit_slice

    steps, fits = settings.network.steps, []
    for number, problem in enumerate(problems):
        part = f", slice {number + 1} of {len(problems)}" if len(problems) > 1 else ""
        where = f"{device}{part}"
        more = len(problems) - 1 - number

        def tell(step: int, row: dict, left: float, where=where, number=number, more=more) -> None:
            done = (number + step / steps) / len(problems)
            whole = left * (1 + more * steps / max(steps - step, 1)) if step < steps else left
            report(Progress(settings.method.value, done, whole, row, f"{where}, step {step} of {steps}"))

        report(Progress(settings.method.value, number / len(problems), detail=where))
        fits.append(fit_slice(problem, aif, settings, Begin(*begin), tell, warn, checkpoint))
    return fits


def _result(
    curves, aif, settings: FitSettings, problems, fits, outcome, T_a, notes, device, start, seconds
) -> FitResult:
    names, size = _kinetic(settings), len(curves)
    values = {name: np.full(size, np.nan) for name in names}
    C_t, residual = np.full(curves.C_t.shape, np.nan), np.full(size, np.nan)
    for problem, fit in zip(problems, fits, strict=True):
        rows = problem.rows
        C_t[rows] = fit.C_t
        weight, off = curves.weight[problem.clock], fit.C_t - np.nan_to_num(curves.C_t[rows])
        residual[rows] = np.sqrt((weight * off**2).sum(axis=1) / weight.sum())
        for name in names:
            values[name][rows] = inside(name, fit.parameters[name])
        outcome[rows] = _judged(curves, problem, fit, {**{n: values[n][rows] for n in names}}, settings)
    shifted = settings.network.shift is Shift.PRESHIFT or settings.delay is Delay.FIXED
    delay = {"T_a": np.where(np.isfinite(residual), T_a, np.nan)} if shifted else {}
    return FitResult(
        KineticParameters(**values, **delay), C_t, residual, outcome, aif, seconds,
        history=_history(problems, fits),
        details={**_details(settings, fits, device), "start": start},
        notes=tuple(dict.fromkeys(notes)),
        doubtful=("v_p", "v_e") if settings.method is Method.REDUCED else (),
        trained=_trained(settings, fits),
    )  # fmt: skip


def _doubts(settings: FitSettings) -> list[str]:
    doubts = []
    if settings.method is Method.REDUCED:
        doubts.append("The reduced model determines F_p alone: its v_p and v_e are doubtful, and it has no PS.")
    if settings.network.shift is Shift.OFF and settings.delay is Delay.FIT:
        doubts.append(
            "As printed, the network takes the agent to reach blood pool and muscle at the same time; "
            "where it does not, flows are off (--shift preshift takes the delay that NLLS finds)."
        )
    return doubts


def _judged(curves: TissueCurves, problem, fit, found: dict, settings: FitSettings) -> np.ndarray:
    counted = curves.weight[problem.clock] > 0
    unknown = np.full(len(problem.rows), np.nan)
    return judge(
        curves.C_t[problem.rows][:, counted],
        fit.C_t[:, counted],
        {**found, "F_p_sd": unknown, "T_a": unknown},
        unknowns=len(_kinetic(settings)),
        converged=np.isfinite(fit.C_t).all(axis=1),
        settings=replace(settings, delay=Delay.FIXED, network=replace(settings.network, shift=Shift.OFF)),
    )


def _history(problems, fits) -> dict:
    """Columns of all slices' histories, one below the other; "slice" counts from 1."""
    rows = [
        {"slice": problem.clock + 1, **row} for problem, fit in zip(problems, fits, strict=True) for row in fit.history
    ]
    return {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def _details(settings: FitSettings, fits, device: str) -> dict:
    from .pinn.device import VERSION

    return {
        "steps": max((fit.steps for fit in fits), default=0),
        "device": device,
        "seed": settings.network.seed,
        "tensorflow": VERSION,
    }


def _trained(settings: FitSettings, fits) -> TrainedNetwork | None:
    network = settings.network
    if not fits:
        return None
    return TrainedNetwork(
        settings.method, network.layers, network.width, network.normalisation,
        max(fit.steps for fit in fits), tuple(fit.weights for fit in fits),
    )  # fmt: skip
