"""The exact 2CXM with a prior learnt from the study: what each curve says, weighed with what all curves say together.

    p(x | C_t) ~ exp(-|C_t - C_2CXM(x)|^2 / (2 sigma^2)) p(x)        x = ln F_p, ln v_p, ln v_e, ln PS (and T_a)

1. Compress the input's solutions (compressed.py).
2. From ``LEARNERS`` voxels at most learn noise level, Gaussian and prior (learning.py).
3. Batch by batch find every voxel's modes (workbench.py), sample its posterior (sampling.py) and sum it up (posterior.py).
4. Where neighbours are to have a say: learn how alike they are, and do step 3 again with a prior a voxel (coupled.py).

The curve of a voxel, its residual and its outcome are those of the most probable parameters under the Gaussian.
"""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..events import Event, Progress, Report, within
from ..fit import FitResult, Outcome, TissueCurves
from ..settings import FitSettings, Spatial
from .batches import Arrays, Batch, assemble, batch_of, in_batches
from .compressed import exact
from .coupled import FirstPass, moments, of_some, remembered
from .learning import LARGEST_PART, Learnt, learn
from .levenberg import Minimum
from .modes import Problem, best, some_of
from .outcomes import judge, screen
from .posterior import summary
from .sampling import Samples, fingerprint, sample
from .starts import LOGARITHMS
from .workbench import Workbench

LEARNERS = 1200
ENOUGH_EFFECTIVE, FEWEST_EFFECTIVE = 40.0, 5.0
MANY_TIMES = 4
_STAGE, _AGAIN = "map", "map, neighbours"


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
    pulse = Pulse(report)
    bench = Workbench(aif, settings, pulse.beat, convolution)
    outcome = screen(curves, bench.unknowns)
    wanted = outcome == Outcome.FITTED
    study = _Study(curves, np.flatnonzero(wanted), bench)
    size = min(settings.chunk, LARGEST_PART)
    found = in_batches(curves, wanted, size, study.solve, study.part(pulse, 0), checkpoint, stage=_STAGE)
    if study.couples and found:
        first = FirstPass.of(found, curves.voxels)
        if first.fields.coupled:
            solve = partial(study.solve_again, first)
            found = in_batches(curves, wanted, size, solve, study.part(pulse, 1), checkpoint, stage=_AGAIN)
    return assemble(found, curves, outcome, (*LOGARITHMS, "T_a"), aif, clock.perf_counter() - started)


@dataclass
class Pulse:
    """A report that can be called again with the last progress: a chance to cancel within long work."""

    report: Report
    last: Event = field(default_factory=lambda: Progress(_STAGE, 0.0))

    def __call__(self, event: Event) -> None:
        self.last = event
        self.report(event)

    def beat(self) -> None:
        """Say the last progress once more."""
        self.report(self.last)


@dataclass
class _Study:
    """All curves, the ``rows`` that a fit can be tried of, and what was learnt of them (at the first batch that needs it)."""

    curves: TissueCurves
    rows: np.ndarray
    bench: Workbench
    learnt: Learnt | None = None

    @property
    def couples(self) -> bool:
        """Whether neighbours have a say."""
        return self.bench.settings.spatial is Spatial.NEIGHBOURS

    def part(self, report: Report, number: int) -> Report:
        """The report of one pass: where neighbours have a say there are two."""
        return within(report, number / 2, (number + 1) / 2) if self.couples else report

    def solve(self, batch: Batch) -> Arrays:
        """The arrays of one batch."""
        learnt = self._known()
        problem, modes = self.bench.settled(batch, learnt.gaussian, learnt.noise)
        found = self._sampled(batch, problem, modes, learnt.gaussian, learnt.prior)
        arrays = self._concluded(batch, best(modes), found)
        return arrays | remembered(problem, modes) if self.couples else arrays

    def solve_again(self, first: FirstPass, batch: Batch) -> Arrays:
        """The arrays of one batch, each voxel with the prior of its own that the ``first`` pass gave it."""
        problem, starts = first.problem(self.bench.problem(batch), batch.rows)
        prior = first.prior(batch.rows, self._known().prior)
        modes = [problem.mode(x, prior.own) for x in starts]
        found = self._sampled(batch, problem, modes, prior.own, prior)
        return self._concluded(batch, best(modes), found)

    def _known(self) -> Learnt:
        if self.learnt is None:
            self.learnt = learn(self.bench, self._learners())
        return self.learnt

    def _sampled(self, batch: Batch, problem: Problem, modes: list[Minimum], gaussian, prior) -> Arrays:
        """Every voxel's posterior summed up: looked for by ``gaussian``, weighed by ``prior``."""
        found = self._summed(sample(problem, modes, gaussian, fingerprint(batch.C_t)), prior)
        poor = np.flatnonzero(found["effective"] < ENOUGH_EFFECTIVE)
        for rows in np.array_split(poor, range(LARGEST_PART // MANY_TIMES, len(poor), LARGEST_PART // MANY_TIMES)):
            self.bench.beat()
            if rows.size:  # many times the samples where the weights hang on few of them
                fewer, which = [some_of(mode, rows) for mode in modes], fingerprint(batch.C_t[rows])
                samples = sample(problem.take(rows), fewer, of_some(gaussian, rows), which, times=MANY_TIMES)
                for name, values in self._summed(samples, of_some(prior, rows)).items():
                    found[name][rows] = values
        return found

    def _summed(self, samples: Samples, prior) -> Arrays:
        return summary(samples, prior) | (moments(samples, prior) if self.couples else {})

    def _learners(self) -> list[Batch]:
        """The curves to learn from, a batch a clock: all, or as many drawn at random as suffice."""
        rows = self.rows
        if len(rows) > LEARNERS:
            rows = np.sort(np.random.default_rng(0).choice(rows, LEARNERS, replace=False))
        members = [(row, rows[self.curves.clock[rows] == row]) for row in range(len(self.curves.time))]
        return [batch_of(self.curves, row, some) for row, some in members if some.size]

    def _concluded(self, batch: Batch, mode: Minimum, found: Arrays) -> Arrays:
        """``found`` with curves at every frame, residual and outcome of the most probable parameters."""
        bench = self.bench
        fitted = exact(bench.aif, batch.time, mode.x, bench.settings.T_a, bench.convolution)
        given = {"T_a": np.full(len(fitted), bench.settings.T_a), "T_a_sd": np.full(len(fitted), np.nan)}
        arrays: Arrays = given | found
        weighted = (batch.C_t - fitted) * batch.root_weight
        arrays |= {"C_t": fitted, "residual": np.sqrt((weighted**2).sum(axis=1) / (batch.root_weight**2).sum())}
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
