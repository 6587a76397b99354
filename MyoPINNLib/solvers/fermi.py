"""Fermi-constrained deconvolution: flow alone, without a tissue model (Jerosch-Herold 1998).

    C_t(t) = int R(t - T_a - s) C_ap(s) ds,     R(t) = F_p (1 + e^-a) / (1 + e^(b t - a))  for t >= 0

so that R(0) = F_p whatever the shape. ``a`` is how long R stays flat in units of its fall time 1/b. A Fermi function
cannot follow both the fast transit of plasma and the slow return from the interstitium, so only the first pass counts:
frames until the input has fallen to half its peak, plus the delay. Even so the flow of exact 2CXM tissue comes out
8 to 26 % too low (make bench prints it). The integral is a trapezoid sum on a fine grid, taken
by FFT for all voxels at once.
"""

from __future__ import annotations

import time as clock
from dataclasses import replace

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import expit

from ..aif import ArterialInput, first_pass_end
from ..events import Report
from ..fit import FitResult, Outcome, TissueCurves
from ..settings import Delay, FitSettings
from .batches import Arrays, Batch, assemble, in_batches, planned
from .levenberg import levenberg_marquardt
from .outcomes import conclude, screen
from .starts import best_match, delay_grid

GRID_PER_FRAME = 8
TYPICAL_DELAY = 1.0
LATEST_SHIFT = 5.0
_COLUMNS = {"F_p": (0, True)}
_A_RANGE, _B_RANGE = (-3.0, 12.0), (1e-3, 10.0)
_A_STARTS, _B_STARTS = (-2.0, 0.0, 2.0, 5.0), (0.05, 0.2, 0.6, 2.0)
_LONGEST_STEP = (1.5, 2.0, 1.0, 1.5)


def fit_fermi(
    curves: TissueCurves, aif: ArterialInput, settings: FitSettings, report: Report, checkpoint=None
) -> FitResult:
    """F_p (and T_a) of every curve by the Fermi model; v_p, v_e and PS are absent: the method does not give them. So is the
    fitted curve (NaN) after the first pass.
    """
    started = clock.perf_counter()
    sought = settings.delay is Delay.FIT
    unknowns = 4 if sought else 3
    end = first_pass_end(aif) + (TYPICAL_DELAY if sought else settings.T_a)
    early = replace(curves, weight=curves.weight * (curves.time <= end))
    outcome = screen(early, unknowns)
    solve = lambda batch: _fit_batch(batch, aif, settings)  # noqa: E731
    plan = planned(early, outcome == Outcome.FITTED, settings.chunk)
    found = in_batches(early, plan, solve, report, checkpoint, stage="fermi")
    result = assemble(found, curves, outcome, ("F_p", "T_a"), aif, clock.perf_counter() - started)
    return replace(result, C_t=np.where(curves.time[curves.clock] <= end, result.C_t, np.nan))


class FermiModel:
    """Residuals of curves (t, n) on one clock; x is ln F_p, a, ln b and, where it is sought, T_a."""

    def __init__(self, batch: Batch, aif: ArterialInput, T_a: float | None) -> None:
        self.measured, self.root_weight, self._T_a = batch.C_t.T, batch.root_weight, T_a
        last = batch.time[batch.counted].max() + LATEST_SHIFT
        self._step = float(np.median(np.diff(batch.time))) / GRID_PER_FRAME
        self._grid = np.arange(0.0, last - aif.knots[0] + self._step, self._step)
        self._size = next_fast_len(2 * self._grid.size, real=True)
        self._input = rfft(aif(aif.knots[0] + self._grid), self._size)
        self._C_start = float(aif(aif.knots[0]))
        self._since_start = batch.time - aif.knots[0]

    def __call__(self, x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """r (t, a) and dr/dx (m, t, a) of the problems ``rows``."""
        C_t, J = self.curves(x)
        return (C_t - self.measured[:, rows]) * self.root_weight[:, None], J * self.root_weight[:, None]

    def curves(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """C_t (t, a) mM, held after the fine grid's end, and dC_t/dx (m, t, a)."""
        F_p, a, b = np.exp(x[:, :1]), x[:, 1:2], np.exp(x[:, 2:3])
        s = expit(a - b * self._grid)
        whole, fall = F_p * (1 + np.exp(-a)), s * (1 - s)
        R = whole * s
        by_a = whole * fall - F_p * np.exp(-a) * s
        by_ln_b = -whole * fall * b * self._grid
        T_a = x[:, 3] if x.shape[1] == 4 else np.full(len(x), self._T_a)
        (C_t, slope), (C_a, _), (C_b, _) = (self._sampled(self._convolved(part), T_a) for part in (R, by_a, by_ln_b))
        return C_t, np.stack([C_t, C_a, C_b, -slope])[: x.shape[1]]

    def _convolved(self, R: np.ndarray) -> np.ndarray:
        """Trapezoid sum of R (a, g) with the input, (a, g) mM: the end points count half."""
        whole = irfft(rfft(R, self._size) * self._input, self._size)[:, : self._grid.size]
        C_ap = irfft(self._input, self._size)[: self._grid.size]
        return self._step * (whole - (R[:, :1] * C_ap + R * self._C_start) / 2)

    def _sampled(self, fine: np.ndarray, T_a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values and slopes (t, a) at the frames, between grid points by a straight line; 0 before the input begins."""
        place = (self._since_start[:, None] - T_a) / self._step
        left = np.clip(place.astype(int), 0, self._grid.size - 2)
        row = np.arange(len(fine))
        slope = fine[row, left + 1] - fine[row, left]
        inside = (place >= 0) & (place <= self._grid.size - 1)
        value = fine[row, left] + slope * np.clip(place - left, 0.0, 1.0)
        return np.where(place >= 0, value, 0.0), np.where(inside, slope / self._step, 0.0)


def _fit_batch(batch: Batch, aif: ArterialInput, settings: FitSettings) -> Arrays:
    sought = settings.delay is Delay.FIT
    model = FermiModel(batch, aif, settings.T_a)
    ranges = [np.log(settings.F_p_range), _A_RANGE, np.log(_B_RANGE), settings.T_a_range]
    bounds = np.array(ranges[: 4 if sought else 3], dtype=float).T
    delays = delay_grid(settings.T_a_range) if sought else np.array([settings.T_a])
    best = levenberg_marquardt(
        model,
        _start(model, batch, delays)[:, : len(bounds[0])],
        lower=bounds[0],
        upper=bounds[1],
        longest_step=np.array(_LONGEST_STEP[: len(bounds[0])]),
        tolerance=settings.tolerance / batch.counted.sum(),
        noise_power=batch.noise_power(),
        max_iterations=settings.max_iterations,
    )
    return conclude(batch, model, best, tuple(bounds), _COLUMNS | ({"T_a": (3, False)} if sought else {}), settings)


def _start(model: FermiModel, batch: Batch, delays: np.ndarray) -> np.ndarray:
    """x (n, 4): the best of a few shapes and delays, scaled to each curve."""
    shapes = np.array([(0.0, a, np.log(b), T_a) for a in _A_STARTS for b in _B_STARTS for T_a in delays])
    atoms = model.curves(shapes)[0].T * batch.root_weight
    ((row, scale),) = best_match(atoms, batch.C_t * batch.root_weight, [np.arange(len(shapes))])
    x = shapes[row]
    x[:, 0] = np.log(scale)
    return x
