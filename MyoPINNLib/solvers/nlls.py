"""Non-linear least squares of the exact 2CXM: what every other method is measured against.

minimise over ln F_p, ln v_p, ln v_e, ln PS (and T_a) of each curve:   sum_i w_i (C_t(t_i) - C_2CXM(t_i))^2

Bounded, analytic derivatives, three starts a curve from a dictionary of shapes (one each of slow, middle and fast
wash-in), all voxels of a chunk in one batch. No prior: at clinical noise v_p and PS of a single voxel scatter, and flow
is biased upwards where it is low.
"""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field

import numpy as np

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..events import Report
from ..fit import FitResult, Outcome, TissueCurves
from ..kinetics import Rates, tissue_response, tissue_sensitivity
from ..settings import Delay, FitSettings
from .batches import Arrays, Batch, assemble, in_batches, planned
from .levenberg import Minimum, levenberg_marquardt
from .outcomes import conclude, screen
from .starts import LOGARITHMS, MIDDLE, Dictionary, bounds, delay_grid

SAME_CHI_SQUARE = 4.0
_LONGEST_STEP = (1.5, 1.5, 1.5, 1.5, 1.5)
_TRIAL_ITERATIONS = 10
_COLUMNS = {"F_p": (0, True), "v_p": (1, True), "v_e": (2, True), "PS": (3, True)}


def fit_nlls(
    curves: TissueCurves,
    aif: ArterialInput,
    settings: FitSettings,
    report: Report,
    checkpoint=None,
    *,
    convolution=ExponentialConvolution,
) -> FitResult:
    """Fit F_p, v_p, v_e, PS (and T_a where ``settings.delay`` says so) to every curve.

    ``convolution(aif, time)`` builds E and G of the input: another than the exact one serves a discrete forward model.
    A curve that cannot be fitted is marked in ``outcome``; nothing is raised for it.
    """
    started = clock.perf_counter()
    unknowns = 5 if settings.delay is Delay.FIT else 4
    outcome = screen(curves, unknowns)
    solve = lambda batch: _fit_batch(batch, aif, settings, convolution)  # noqa: E731
    plan = planned(curves, outcome == Outcome.FITTED, settings.chunk)
    found = in_batches(curves, plan, solve, report, checkpoint, stage="nlls")
    return assemble(found, curves, outcome, (*LOGARITHMS, "T_a"), aif, clock.perf_counter() - started)


@dataclass(frozen=True)
class ExchangeModel:
    """Residuals of curves (t, n) that share one clock, times (t,) s, with the square roots of the weights (t,)."""

    measured: np.ndarray
    time: np.ndarray
    root_weight: np.ndarray
    aif: ArterialInput
    convolution: type
    T_a: float | None
    _shared: ExponentialConvolution | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shared = None if self.T_a is None else self.convolution(self.aif, self.time - self.T_a)
        object.__setattr__(self, "_shared", shared)

    def __call__(self, x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """r (t, a) and dr/dx (m, t, a) at x (a, m): ln F_p, ln v_p, ln v_e, ln PS and, where it is sought, T_a."""
        C_t, J = self.curves(x)
        return (C_t - self.measured[:, rows]) * self.root_weight[:, None], J * self.root_weight[:, None]

    def curves(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """C_t (t, a) mM and dC_t/dx (m, t, a), no weights."""
        convolve = self._shared
        if convolve is None:
            convolve = self.convolution(self.aif, self.time[:, None] - x[:, 4])
        F_p, v_p, v_e, PS = np.exp(x[:, :4].T)
        rates = Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS)
        C_t, response = tissue_response(convolve, rates, F_p)
        C_ap = convolve.C_ap if convolve.C_ap.ndim == 2 else convolve.C_ap[:, None]
        return C_t, tissue_sensitivity(C_t, response, rates, F_p, C_ap)[: x.shape[1]]


def _fit_batch(batch: Batch, aif: ArterialInput, settings: FitSettings, convolution) -> Arrays:
    sought = settings.delay is Delay.FIT
    delays = delay_grid(settings.T_a_range) if sought else np.array([settings.T_a])
    known = None if sought else settings.T_a
    model = ExchangeModel(batch.C_t.T.copy(), batch.time, batch.root_weight, aif, convolution, known)
    starts = Dictionary(convolution, aif, batch.time, delays, batch.root_weight).best(batch.C_t * batch.root_weight)
    limits = bounds(settings)
    best = _best_of_starts(model, batch, starts, limits, settings)
    return conclude(batch, model, best, limits, _COLUMNS | ({"T_a": (4, False)} if sought else {}), settings)


def _best_of_starts(model, batch: Batch, starts, limits, settings: FitSettings) -> Minimum:
    """A few steps from each start, then the best of them to the end.

    The start of middle wash-in is kept unless another is better beyond what noise does: minima that differ by less
    cannot be told apart, and the extreme ones run away to flows that no heart has.
    """
    m = len(limits[0])
    options = {
        "lower": limits[0],
        "upper": limits[1],
        "longest_step": np.array(_LONGEST_STEP[:m]),
        "tolerance": settings.tolerance / batch.counted.sum(),
        "noise_power": batch.noise_power(),
    }
    begun = [np.column_stack([np.log(start[:, :4]), start[:, 4]])[:, :m] for start in starts]
    tried = [levenberg_marquardt(model, x, **options, max_iterations=_TRIAL_ITERATIONS) for x in begun]
    handicap = np.where(np.arange(len(tried)) == MIDDLE, 1.0, 1.0 + SAME_CHI_SQUARE / batch.counted.sum())
    winner = np.argmin([trial.cost * h for trial, h in zip(tried, handicap, strict=True)], axis=0)
    x = np.stack([trial.x for trial in tried])[winner, np.arange(len(winner))]
    return levenberg_marquardt(model, x, **options, max_iterations=settings.max_iterations)
