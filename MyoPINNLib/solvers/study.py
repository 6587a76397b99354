"""A study whose voxels teach a prior, voxel by voxel weighed with it: what methods map and one-shot have in common.

0. Fit the input with the curves where its samples are noisy (joint_input.py).
1. Compress the input's solutions (compressed.py).
2. From ``LEARNERS`` voxels at most learn noise level, Gaussian and prior (learning.py).
3. Batch by batch find every voxel's modes (workbench.py), sample its posterior (sampling.py) and sum it up (posterior.py).
4. Where neighbours are to have a say: learn how alike they are, and do step 3 again with a prior a voxel (coupled.py).

The curve of a voxel, its residual and its outcome are those of the most probable parameters under the Gaussian.
"""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..events import Event, Report, within
from ..fit import FitResult, KineticParameters, Outcome, TissueCurves
from ..settings import Input, Spatial
from .batches import Arrays, Batch, Found, Plan, assemble, batch_of, in_batches, planned
from .compressed import exact
from .coupled import FirstPass, moments, of_some, remembered
from .input_noise import shared_deviations
from .joint_input import LEARNERS as FOR_INPUT
from .joint_input import refined_once
from .learning import LARGEST_PART, Explored, Learnt, learn
from .levenberg import Minimum
from .modes import Problem, best, some_of
from .outcomes import judge, screen
from .posterior import summary
from .regions import alike_regions
from .sampling import Samples, fingerprint, sample
from .starts import LOGARITHMS
from .told import noise_notes, told_by_curves, untold_notes
from .workbench import Workbench

LEARNERS = 1200
ENOUGH_EFFECTIVE, FEWEST_EFFECTIVE = 40.0, 5.0
MANY_TIMES = 4


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
    """All ``curves``, the workbench, and what was ``learnt`` of them (at the first batch that needs it); why the input is
    ``as_measured``, where it was to be fitted."""

    curves: TissueCurves
    bench: Workbench
    learnt: Learnt | None = None
    as_measured: str = ""

    def fitted(self, pulse: Pulse, checkpoint, *, stage: str) -> tuple[FitResult, Found]:
        """The fit of every curve that one can be tried of, and the arrays it was put together from."""
        started, measured = clock.perf_counter(), self.bench.aif
        outcome = self._screened
        self._fit_input(checkpoint, stage)
        found = self._in_passes(pulse, checkpoint, stage)
        aif, seconds = self.bench.aif, clock.perf_counter() - started
        result = assemble(found, self.curves, outcome, (*LOGARITHMS, "T_a"), aif, seconds)
        result = self._with_doubts(result, found[0][1], measured) if result.valid.any() else result
        if self.as_measured:
            result = replace(result, notes=(*result.notes, self.as_measured))
        return (result if aif is measured else replace(result, measured_aif=measured)), found

    def _with_doubts(self, result: FitResult, taught: Arrays, measured: ArterialInput) -> FitResult:
        """The result with what all its curves' errors share, and which parameters its curves do not tell."""
        told = {} if self.couples else told_by_curves(result, taught["prior_spread"], self.bench.settings)
        result = replace(result, shared=self._shared(result, taught, measured), told=told)
        return replace(
            result, notes=(*result.notes, *untold_notes(result), *noise_notes(result, taught["noise_variance"]))
        )

    def _taught(self) -> Arrays:
        """What is to be known of the prior after the fit, also of one taken up again."""
        learnt = self._known()
        return {
            "prior_spread": learnt.prior.spread,
            "prior_covariance": learnt.gaussian.covariance,
            "noise_variance": np.array(learnt.noise.variance),
        }

    def _shared(self, result: FitResult, taught: Arrays, measured: ArterialInput) -> dict[str, float]:
        """What all curves' errors share: that of the prior's mean, and the input's noise, seen from the clock of most curves."""
        row = np.bincount(self.curves.clock[result.valid]).argmax()
        here = result.valid & (self.curves.clock == row)
        found = KineticParameters(**{name: value[here] for name, value in result.parameters.items()})
        return shared_deviations(
            measured,
            self.curves.time[row],
            np.sqrt(self.curves.weight[row]),
            found,
            spread=taught["prior_covariance"],
            variance=float(taught["noise_variance"]),
            learners=min(int(result.valid.sum()), LEARNERS),
        )

    def softened(self, batch: Batch, problem: Problem, modes: list[Minimum], gaussian) -> tuple[Problem, list[Minimum]]:
        """The exact model's ``problem`` and ``modes`` as the posterior is to see them; here, as they are."""
        return problem, modes

    def explained(self, batch: Batch, problem: Problem, mode: Minimum) -> Arrays:
        """C_t (n, t) mM at every frame, of the most probable parameters."""
        bench = self.bench
        return {"C_t": exact(bench.aif, batch.time, mode.x, bench.settings.T_a, bench.convolution)}

    @cached_property
    def _screened(self) -> np.ndarray:
        """(n,) Outcome of each curve before any fit: FITTED where one can be tried."""
        return screen(self.curves, self.bench.unknowns)

    @property
    def couples(self) -> bool:
        """Whether neighbours have a say."""
        return self.bench.settings.spatial is Spatial.NEIGHBOURS

    def _fit_input(self, checkpoint, stage: str) -> None:
        """Put the input fitted with the tissue in the measured one's place, where it is another."""
        bench = self.bench
        if bench.settings.input is Input.MEASURED or bench.convolution is not ExponentialConvolution:
            return
        aif, self.as_measured = refined_once(bench, lambda: self._learners(FOR_INPUT), checkpoint, key=f"{stage}-input")
        if aif is not bench.aif:
            self.bench = bench.with_input(aif)

    def _in_passes(self, pulse: Pulse, checkpoint, stage: str) -> Found:
        """All batches once and, where neighbours have a say, once more; those that teach the prior stay together."""
        teaching = self._drawn(LEARNERS)
        plan = self._planned(teaching) + self._planned((self._screened == Outcome.FITTED) & ~teaching)
        if not self.couples:
            return in_batches(self.curves, plan, self.solve, pulse, checkpoint, stage=stage)
        half = within(pulse, 0.0, 0.5)
        found = in_batches(self.curves, plan, self.solve, half, checkpoint, stage=stage)
        if not found:
            return found
        first = FirstPass.of(found, self.curves.voxels)
        if not first.fields.coupled:
            return found
        again, half = partial(self.solve_again, first), within(pulse, 0.5, 1.0)
        return in_batches(self.curves, plan, again, half, checkpoint, stage=f"{stage}, neighbours")

    def solve(self, batch: Batch) -> Arrays:
        """The arrays of one batch."""
        learnt = self._known()
        exact = learnt.explored(self.bench, batch)
        arrays = self._weighed(batch, exact, learnt.gaussian, learnt.prior)
        return arrays | remembered(exact.problem, exact.modes) if self.couples else arrays

    def solve_again(self, first: FirstPass, batch: Batch) -> Arrays:
        """The arrays of one batch, each voxel with the prior of its own that the ``first`` pass gave it."""
        problem, starts = first.problem(self.bench.problem(batch), batch.rows)
        prior = first.prior(batch.rows, self._known().prior)
        modes = [problem.mode(x, prior.own) for x in starts]
        return self._weighed(batch, Explored(problem, modes), prior.own, prior)

    def _known(self) -> Learnt:
        if self.learnt is None:
            regions = alike_regions(self.curves, self._drawn(LEARNERS))
            self.learnt = learn(self.bench, self._learners(LEARNERS), regions)
        return self.learnt

    def _drawn(self, most: int) -> np.ndarray:
        """(n,) bool: all curves that a fit can be tried of, or ``most`` of them drawn at random."""
        rows = np.flatnonzero(self._screened == Outcome.FITTED)
        if len(rows) > most:
            rows = np.random.default_rng(0).choice(rows, most, replace=False)
        drawn = np.zeros(len(self.curves), dtype=bool)
        drawn[rows] = True
        return drawn

    def _planned(self, wanted: np.ndarray) -> Plan:
        return planned(self.curves, wanted, min(self.bench.settings.chunk, LARGEST_PART))

    def _weighed(self, batch: Batch, exact: Explored, gaussian, prior) -> Arrays:
        """The arrays of one batch: looked for by ``gaussian`` around its modes, weighed by ``prior``."""
        problem, modes = self.softened(batch, exact.problem, exact.modes, gaussian)
        samples = exact.samples if problem is exact.problem else None
        mode = best(modes)
        found = self._sampled(batch, Explored(problem, modes, samples), prior)
        return self._concluded(batch, mode, found | self.explained(batch, problem, mode)) | self._taught()

    def _sampled(self, batch: Batch, explored: Explored, prior) -> Arrays:
        """Every voxel's posterior summed up; many times the samples where the weights hang on few of them."""
        problem, modes = explored.problem, explored.modes
        found = self._summed(explored.samples or sample(problem, modes, fingerprint(batch.C_t)), prior)
        poor = np.flatnonzero(found["effective"] < ENOUGH_EFFECTIVE)
        for rows in np.array_split(poor, range(LARGEST_PART // MANY_TIMES, len(poor), LARGEST_PART // MANY_TIMES)):
            self.bench.beat()
            if rows.size:
                fewer, which = [some_of(mode, rows) for mode in modes], fingerprint(batch.C_t[rows])
                samples = sample(problem.take(rows), fewer, which, times=MANY_TIMES)
                for name, values in self._summed(samples, of_some(prior, rows)).items():
                    found[name][rows] = values
        return found

    def _summed(self, samples: Samples, prior) -> Arrays:
        return summary(samples, prior) | (moments(samples, prior) if self.couples else {})

    def _learners(self, most: int) -> list[Batch]:
        """The curves to learn from, ``most`` at most, in batches."""
        return [batch_of(self.curves, row, rows) for row, rows in self._planned(self._drawn(most))]

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
