"""One slice's curves in the units that the paper's loss is written in: NumPy alone.

    t^ = (t - mean_t) / sigma_t   paper eq. 10        C^ = C / max C_AIF   paper eq. 11        flows in 1/min

The loss is not free of units: its residuals are concentrations a minute, so minutes it must be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...aif import ArterialInput
from ...fit import TissueCurves
from ...quantities import minutes_from_seconds

LEVEL_STEP = 0.25
_LEVELS_AT_MOST = 64


@dataclass(frozen=True)
class SliceProblem:
    """The K curves ``rows`` of clock ``clock``, ready for a network.

    ``time`` (T,) standardised frame times; ``weight`` (T,), their mean 1; ``C_myo`` (T, K) and, at ``aif_time`` (m,),
    ``C_aif`` (m,), both over the input's peak ``peak`` mM; ``domain`` the first and last frame, standardised;
    ``position`` (K, 2) column and row, standardised; ``delays`` (L,) standardised and ``share`` (L, K): voxel k sees the
    input late by a mixture of the delays (linear between two of them); ``T_a`` (K,) s; ``mean``, ``sigma`` s of the clock.
    """

    rows: np.ndarray
    clock: int
    voxels: np.ndarray
    time: np.ndarray
    weight: np.ndarray
    C_myo: np.ndarray
    aif_time: np.ndarray
    C_aif: np.ndarray
    position: np.ndarray
    T_a: np.ndarray
    delays: np.ndarray
    share: np.ndarray
    mean: float
    sigma: float
    peak: float

    @property
    def sigma_minutes(self) -> float:
        """sigma_t in min: each time derivative carries 1/sigma_t (paper eq. B.1)."""
        return float(minutes_from_seconds(self.sigma))

    @property
    def domain(self) -> tuple[float, float]:
        """First and last frame, standardised: where the random times are drawn, and t = 0 of the initial condition."""
        return float(self.time[0]), float(self.time[-1])

    @property
    def curves_rms(self) -> float:
        """Root mean square of the measured curves, mM: no two studies share it."""
        return float(self.peak * np.sqrt((self.C_myo**2).mean()))

    def standardised(self, seconds):
        """t^ of times in s."""
        return (np.asarray(seconds, dtype=float) - self.mean) / self.sigma


def slice_problems(curves: TissueCurves, aif: ArterialInput, wanted: np.ndarray, T_a: np.ndarray) -> list[SliceProblem]:
    """One problem for each clock that has a ``wanted`` (n,) curve; ``T_a`` (n,) s is when the input reaches each voxel."""
    members = [np.flatnonzero(wanted & (curves.clock == clock)) for clock in range(len(curves.time))]
    return [_problem(curves, aif, clock, rows, T_a[rows]) for clock, rows in enumerate(members) if rows.size]


def _problem(curves: TissueCurves, aif: ArterialInput, clock: int, rows: np.ndarray, T_a: np.ndarray) -> SliceProblem:
    time, weight = curves.time[clock], curves.weight[clock]
    mean, sigma, peak = float(time.mean()), float(time.std()), float(aif.C_ap.max())
    delays, share = _mixture(T_a)
    return SliceProblem(
        rows=rows,
        clock=clock,
        voxels=curves.voxels[rows],
        time=(time - mean) / sigma,
        weight=weight / weight.mean(),
        C_myo=np.where(weight > 0, curves.C_t[rows], 0.0).T / peak,
        aif_time=(aif.knots - mean) / sigma,
        C_aif=aif.C_ap / peak,
        position=_standardised(curves.voxels[rows, :0:-1].astype(float)),
        T_a=T_a,
        delays=delays / sigma,
        share=share,
        mean=mean,
        sigma=sigma,
        peak=peak,
    )


def _mixture(T_a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Delays (L,) s at most ``LEVEL_STEP`` apart where T_a allows, and the share (L, K) of each in each voxel's input."""
    first, last = float(T_a.min()), float(T_a.max())
    count = min(int(np.ceil((last - first) / LEVEL_STEP)) + 1, _LEVELS_AT_MOST)
    delays = np.linspace(first, last, count)
    if count == 1:
        return delays, np.ones((1, len(T_a)))
    place = (T_a - first) / (delays[1] - delays[0])
    return delays, np.maximum(1.0 - np.abs(place - np.arange(count)[:, None]), 0.0)


def _standardised(position: np.ndarray) -> np.ndarray:
    spread = position.std(axis=0)
    return (position - position.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
