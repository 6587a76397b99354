"""Curves to a solver in batches: one clock a batch, progress after each, a checkpoint of each."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..aif import ArterialInput
from ..events import Progress, Report
from ..fit import FitResult, KineticParameters, TissueCurves
from ..robust import width

Arrays = dict[str, np.ndarray]
Plan = list[tuple[int, np.ndarray]]
Found = list[tuple[np.ndarray, Arrays]]

_FRAMES_FOR_NOISE = 8
_SD_OF_THIRD_DIFFERENCES = np.sqrt(1 + 9 + 9 + 1)


@dataclass(frozen=True)
class Batch:
    """Curves C_t (n, t) mM on one clock ``time`` (t,) s; ``root_weight`` (t,) is 0 for a frame left out; ``rows`` (n,)
    their places among all curves, where they matter."""

    C_t: np.ndarray
    time: np.ndarray
    root_weight: np.ndarray
    rows: np.ndarray | None = None

    def take(self, rows) -> Batch:
        """Some of its curves."""
        return replace(self, C_t=self.C_t[rows], rows=None if self.rows is None else self.rows[rows])

    @property
    def counted(self) -> np.ndarray:
        """(t,) bool: the frames that count."""
        return self.root_weight > 0

    def noise_power(self) -> np.ndarray:
        """(n,) weighted |r|^2 that noise alone would leave, from third differences in time, which smooth curves lack."""
        counted = self.C_t[:, self.counted]
        if counted.shape[1] < _FRAMES_FOR_NOISE:
            return np.full(len(counted), np.inf)
        rough = width(np.diff(counted, n=3, axis=1), axis=1) / _SD_OF_THIRD_DIFFERENCES
        return rough**2 * (self.root_weight**2).sum()


def planned(curves: TissueCurves, wanted: np.ndarray, size: int) -> Plan:
    """(row of the clock, rows of the curves) of every batch of the ``wanted`` (n,) curves, ``size`` at most a batch."""
    plan = []
    for row in range(len(curves.time)):
        members = np.flatnonzero(wanted & (curves.clock == row))
        plan += [(row, members[i : i + size]) for i in range(0, len(members), size)]
    return plan


def in_batches(
    curves: TissueCurves,
    plan: Plan,
    solve: Callable[[Batch], Arrays],
    report: Report,
    checkpoint,
    *,
    stage: str,
) -> Found:
    """(rows, arrays) of every batch of the ``plan``.

    ``checkpoint`` (or None) keeps what a batch found under a name of its own and gives it back in a later run.
    """
    total, done, started, found = max(sum(len(rows) for _, rows in plan), 1), 0, clock.perf_counter(), []
    report(Progress(stage, 0.0))
    for number, (row, rows) in enumerate(plan):
        key = f"{stage}-{number}"
        arrays = checkpoint.load(key) if checkpoint is not None else None
        if arrays is None:
            arrays = solve(batch_of(curves, row, rows))
            if checkpoint is not None:
                checkpoint.save(key, arrays)
        found.append((rows, arrays))
        done += len(rows)
        report(Progress(stage, done / total, (clock.perf_counter() - started) * (total - done) / done))
    return found


def batch_of(curves: TissueCurves, row: int, rows: np.ndarray) -> Batch:
    """The curves ``rows``, all of clock ``row``."""
    root_weight = np.sqrt(curves.weight[row])
    return Batch(np.where(root_weight > 0, curves.C_t[rows], 0.0), curves.time[row], root_weight, rows)


def assemble(
    found: Found, curves: TissueCurves, outcome: np.ndarray, names: tuple[str, ...], aif: ArterialInput, seconds: float
) -> FitResult:
    """One result of all batches' arrays (``names``, each with its ``_sd``, residual, C_t, outcome); NaN where none fitted."""
    size = len(curves)
    values = {name: np.full(size, np.nan) for name in (*names, *(f"{name}_sd" for name in names), "residual")}
    fitted, outcome = np.full(curves.C_t.shape, np.nan), outcome.copy()
    for rows, arrays in found:
        outcome[rows], fitted[rows] = arrays["outcome"], arrays["C_t"]
        for name, whole in values.items():
            whole[rows] = arrays[name]
    parameters = KineticParameters(**{name: values[name] for name in names})
    sd = KineticParameters(**{name: values[f"{name}_sd"] for name in names})
    return FitResult(parameters, fitted, values["residual"], outcome, aif, seconds, sd=sd)
