"""The paper's networks behind the solvers' door."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from ..aif import ArterialInput
from ..errors import InputError
from ..events import Progress, Report, Warned, within
from ..fit import FitResult, Outcome, TissueCurves
from ..network_settings import Shift, Start
from ..quantities import shown
from ..settings import Delay, FitSettings, Method
from ..trained import TrainedNetwork, parameter_names
from .door import load_tensorflow
from .map import fit_map
from .network_results import network_result
from .nlls import fit_nlls
from .one_shot import fit_one_shot
from .outcomes import screen
from .starts import LOGARITHMS

AHEAD_SHARE = 0.05
NEIGHBOURS = 9
_AHEAD: dict[Method, Callable[..., FitResult]] = {
    Method.NLLS: fit_nlls,
    Method.MAP: fit_map,
    Method.ONE_SHOT: fit_one_shot,
}
_NO_DELAY = (Outcome.NO_ENHANCEMENT, Outcome.NOT_FINITE, Outcome.NOT_CONVERGED, Outcome.DELAY_AT_LIMIT)


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
    started, warn, share = clock.perf_counter(), Notes(report), AHEAD_SHARE if settings.network.ahead else 0.0
    load_tensorflow()
    from .pinn import device
    from .pinn.problem import slice_problems

    _check_start(start_from, settings, len(curves))
    for text in _doubts(settings):
        warn(text)
    outcome = screen(curves, len(parameter_names(settings.method)))
    found, T_a, known = _before(curves, aif, settings, within(report, 0.0, share), checkpoint, start_from, warn)
    problems = slice_problems(curves, aif, outcome == Outcome.FITTED, T_a)
    begin = (found, start_from if isinstance(start_from, TrainedNetwork) else None)
    details = {"seed": settings.network.seed, "tensorflow": device.VERSION}
    with device.chosen(settings.network) as name:
        fits = _train_all(problems, aif, settings, begin, within(report, share, 1.0), warn, checkpoint, name)
    return network_result(
        curves, aif, settings, problems, fits, outcome,
        T_a=T_a, known=known, notes=warn.notes,
        details={"start": _start_words(settings, start_from), **details, "device": name},
        seconds=clock.perf_counter() - started,
    )  # fmt: skip


class Notes:
    """Warnings of a fit: told at once, and kept for the result; each once."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.notes: list[str] = []

    def __call__(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            self.report(Warned(text))


def look_for_devices() -> None:
    """Load TensorFlow and let it look for a GPU, which takes a while and makes it talk."""
    load_tensorflow()
    from .pinn import device

    device.found()


def _check_start(start_from, settings: FitSettings, count: int) -> None:
    if isinstance(start_from, TrainedNetwork):
        start_from.check_start_of(settings.method, settings.network)
        if settings.network.start is not Start.RANDOM:
            raise InputError(
                f"The training cannot start at an earlier network and at {settings.network.start.words}.",
                "Leave out one: the weights, or the start.",
            )
    elif start_from is not None and len(start_from.outcome) != count:
        raise InputError(
            f"The result to start from has {len(start_from.outcome)} curves and there are {count}.",
            "Start from a result of the same curves.",
        )


def _start_words(settings: FitSettings, start_from) -> str:
    """Where the training began, for every output."""
    if isinstance(start_from, FitResult):
        return "another result"
    if settings.network.start is not Start.RANDOM:
        return settings.network.start.words
    return f"a network of {start_from.steps} steps" if start_from is not None else "random"


def _before(curves, aif, settings: FitSettings, report: Report, checkpoint, start_from, warn):
    """What is known before training: parameters to start at (name -> (n,), shown; or None), T_a (n,) s, and where that is
    the voxel's own.
    """
    network = settings.network
    T_a = np.full(len(curves), settings.T_a if settings.delay is Delay.FIXED else 0.0)
    known, earlier = np.ones(len(curves), dtype=bool), start_from if isinstance(start_from, FitResult) else None
    if network.ahead is not None:
        preshift, method = network.shift is Shift.PRESHIFT, Method(network.ahead.value)
        ahead = replace(settings, method=method, T_a=float(T_a[0]), delay=Delay.FIT if preshift else Delay.FIXED)
        part = None if checkpoint is None else checkpoint.part(method.value)
        first = _AHEAD[method](curves, aif, ahead, report, part)
        if preshift:
            T_a, known = _delays(curves, first, warn, network.ahead.words)
        earlier = earlier or (first if network.start is not Start.RANDOM else None)
    if earlier is None:
        return None, T_a, known
    given = dict(earlier.parameters.items())
    found = {
        name: from_neighbours(shown(name, given[name]), earlier.valid, curves) for name in LOGARITHMS if name in given
    }
    return found, T_a, known


def _delays(curves: TissueCurves, first: FitResult, warn, name: str) -> tuple[np.ndarray, np.ndarray]:
    """T_a (n,) s of the fit that went ahead, and where it is known; elsewhere its neighbours' median, or that of all, or 0."""
    T_a = first.parameters.T_a
    known = np.isfinite(T_a) & ~np.isin(first.outcome, _NO_DELAY)
    T_a = from_neighbours(T_a, known, curves)
    T_a = np.where(np.isfinite(T_a), T_a, np.median(T_a[known]) if known.any() else 0.0)
    guessed = int((~known & (first.outcome != Outcome.NO_ENHANCEMENT)).sum())
    if guessed:
        warn(
            f"{name} finds no delay in {guessed} of {len(known)} curves: their neighbours' median delay is used, "
            "and their T_a is left empty."
        )
    return T_a, known


def from_neighbours(values: np.ndarray, known: np.ndarray, curves: TissueCurves) -> np.ndarray:
    """``values`` (n,); where they are not ``known``, the median of the ``NEIGHBOURS`` nearest known ones of the same slice (NaN
    where there is none): an ischaemic territory stays one.
    """
    filled = np.where(known, values, np.nan)
    for clock_row in np.unique(curves.clock):
        here = curves.clock == clock_row
        givers, takers = np.flatnonzero(here & known), np.flatnonzero(here & ~known)
        if givers.size and takers.size:
            count = min(NEIGHBOURS, givers.size)
            _, nearest = cKDTree(curves.voxels[givers]).query(curves.voxels[takers], k=range(1, count + 1))
            filled[takers] = np.median(values[givers][nearest], axis=1)
    return filled


def _train_all(problems, aif, settings: FitSettings, begin, report: Report, warn, checkpoint, device: str) -> list:
    from .pinn.slices import Begin, fit_slice

    steps, fits, more_than_one = settings.network.steps, [], len(problems) > 1
    for number, problem in enumerate(problems):
        part = f", slice {number + 1} of {len(problems)}" if more_than_one else ""
        where = f"{device}{part}"
        more = len(problems) - 1 - number

        def tell(step: int, row: dict, left: float | None, where=where, number=number, more=more) -> None:
            done = (number + step / steps) / len(problems)
            whole = None if left is None else left * (1 + more * steps / max(steps - step, 1))
            report(Progress(settings.method.value, done, whole, row, f"{where}, step {step} of {steps}"))

        def warn_of(text: str, number=number) -> None:
            warn(f"Slice {number + 1}: {text}" if more_than_one else text)

        report(Progress(settings.method.value, number / len(problems), detail=where))
        fits.append(fit_slice(problem, aif, settings, Begin(*begin), tell, warn_of, checkpoint))
    return fits


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
