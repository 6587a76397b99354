"""The exact 2CXM with a prior learnt from the study: what each curve says, weighed with what all curves say together.

    p(x | C_t) ~ exp(-|C_t - C_2CXM(x)|^2 / (2 sigma^2)) p(x)        x = ln F_p, ln v_p, ln v_e, ln PS (and T_a)

1. Compress the input's solutions (compressed.py).
2. From ``LEARNERS`` voxels at most learn noise level, Gaussian and prior (learning.py).
3. Batch by batch find every voxel's modes (workbench.py), sample its posterior (sampling.py) and sum it up (posterior.py).

The curve of a voxel, its residual and its outcome are those of the most probable parameters under the Gaussian.
"""

from __future__ import annotations

import time as clock
from dataclasses import dataclass

import numpy as np

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..events import Event, Progress, Report
from ..fit import FitResult, Outcome, TissueCurves
from ..settings import FitSettings
from .batches import Arrays, Batch, assemble, batch_of, in_batches
from .compressed import exact
from .learning import LARGEST_PART, Learnt, learn
from .levenberg import Minimum
from .modes import Problem, best, some_of
from .outcomes import judge, screen
from .posterior import summary
from .sampling import fingerprint, sample
from .starts import LOGARITHMS
from .workbench import Workbench

LEARNERS = 1200
ENOUGH_EFFECTIVE, FEWEST_EFFECTIVE = 40.0, 5.0
MANY_TIMES = 4
_STAGE = "map"


def fit_map(
    curves: TissueCurves,
    aif: ArterialInput,
    settings: FitSettings,
    report: Report,
    checkpoint=None,
    *,
    convolution=ExponentialConvolution,
) -> FitResult:
    """Fit F_p, v_p, v_e, PS (and T_a where ``settings.delay`` says so) to every curve, with standard deviations.

    A curve that cannot be fitted is marked in ``outcome``; nothing is raised for it. ``checkpoint`` keeps finished batches.
    ``convolution(aif, time)`` builds E and G of the input: another than the exact one serves a discrete forward model.
    """
    started = clock.perf_counter()
    pulse = Pulse(report, Progress(_STAGE, 0.0))
    bench = Workbench(aif, settings, pulse.beat, convolution)
    outcome = screen(curves, bench.unknowns)
    wanted = outcome == Outcome.FITTED
    study = Study(curves, np.flatnonzero(wanted), bench)
    size = min(settings.chunk, LARGEST_PART)
    found = in_batches(curves, wanted, size, study.solve, pulse, checkpoint, stage=_STAGE)
    return assemble(found, curves, outcome, (*LOGARITHMS, "T_a"), aif, clock.perf_counter() - started)


@dataclass
class Pulse:
    """A report that can be called again with the last progress: a chance to cancel within long work."""

    report: Report
    last: Event

    def __call__(self, event: Event) -> None:
        self.last = event
        self.report(event)

    def beat(self) -> None:
        """Say the last progress once more."""
        self.report(self.last)


@dataclass
class Study:
    """All curves, the ``rows`` that a fit can be tried of, and what was learnt of them (at the first batch that needs it)."""

    curves: TissueCurves
    rows: np.ndarray
    bench: Workbench
    learnt: Learnt | None = None

    def solve(self, batch: Batch) -> Arrays:
        """The arrays of one batch."""
        if self.learnt is None:
            self.learnt = learn(self.bench, self._learners())
        learnt, bench = self.learnt, self.bench
        problem, modes = self.settled(batch)
        found = summary(sample(problem, modes, learnt.gaussian, fingerprint(batch.C_t)), learnt.prior)
        poor = np.flatnonzero(found["effective"] < ENOUGH_EFFECTIVE)
        for rows in np.array_split(poor, range(LARGEST_PART // MANY_TIMES, len(poor), LARGEST_PART // MANY_TIMES)):
            bench.beat()
            self._sample_more(found, batch, problem, modes, rows)
        mode = best(modes)
        return self._concluded(batch, mode, found | self.explained(batch, problem, mode))

    def settled(self, batch: Batch) -> tuple[Problem, list[Minimum]]:
        """The batch's problem as its posterior is to see it, and its modes."""
        return self.bench.settled(batch, self.learnt.gaussian, self.learnt.noise)

    def explained(self, batch: Batch, problem: Problem, mode: Minimum) -> Arrays:
        """C_t (n, t) mM at every frame, of the most probable parameters."""
        bench = self.bench
        return {"C_t": exact(bench.aif, batch.time, mode.x, bench.settings.T_a, bench.convolution)}

    def _sample_more(self, found: Arrays, batch: Batch, problem: Problem, modes: list[Minimum], rows) -> None:
        """Many times the samples for the voxels ``rows``, whose weights hang on few of them."""
        if rows.size:
            fewer, which = [some_of(mode, rows) for mode in modes], fingerprint(batch.C_t[rows])
            samples = sample(problem.take(rows), fewer, self.learnt.gaussian, which, times=MANY_TIMES)
            for name, values in summary(samples, self.learnt.prior).items():
                found[name][rows] = values

    def _learners(self) -> list[Batch]:
        """The curves to learn from, a batch a clock: all, or as many drawn at random as suffice."""
        rows = self.rows
        if len(rows) > LEARNERS:
            rows = np.sort(np.random.default_rng(0).choice(rows, LEARNERS, replace=False))
        members = [(row, rows[self.curves.clock[rows] == row]) for row in range(len(self.curves.time))]
        return [batch_of(self.curves, row, some) for row, some in members if some.size]

    def _concluded(self, batch: Batch, mode: Minimum, found: Arrays) -> Arrays:
        """``found`` with residual and outcome of the most probable parameters."""
        bench, fitted = self.bench, found["C_t"]
        given = {"T_a": np.full(len(fitted), bench.settings.T_a), "T_a_sd": np.full(len(fitted), np.nan)}
        arrays: Arrays = given | found
        weighted = (batch.C_t - fitted) * batch.root_weight
        arrays["residual"] = np.sqrt((weighted**2).sum(axis=1) / (batch.root_weight**2).sum())
        most_probable = arrays | {"F_p": np.exp(mode.x[:, 0])} | ({"T_a": mode.x[:, 4]} if bench.seeks_delay else {})
        arrays["outcome"] = judge(
            batch.C_t[:, batch.counted],
            fitted[:, batch.counted],
            most_probable,
            unknowns=bench.unknowns,
            converged=arrays.pop("effective") >= FEWEST_EFFECTIVE,
            settings=bench.settings,
        )
        return arrays
