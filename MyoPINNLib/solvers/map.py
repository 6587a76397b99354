"""The exact 2CXM with a prior learnt from the study: what each curve says, weighed with what all curves say together.

    p(x | C_t) ~ exp(-|C_t - C_2CXM(x)|^2 / (2 sigma^2)) p(x)        x = ln F_p, ln v_p, ln v_e, ln PS (and T_a)

1. Compress the input's solutions (compressed.py).
2. From ``LEARNERS`` voxels at most learn noise level (noise.py), Gaussian prior (modes.py), then the prior of densities
   (prior.py) from samples of their posteriors (sampling.py).
3. Batch by batch sample every voxel's posterior.

Reported are the posterior's median and standard deviation (both of the logarithm: sd = median times SD of ln), and the curve
of the most probable parameters under the Gaussian prior.
"""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field, replace

import numpy as np

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..events import Event, Progress, Report
from ..fit import FitResult, Outcome, TissueCurves
from ..prior import (
    GaussianPrior,
    Prior,
    default_prior,
    learnt_gaussian,
    learnt_marginals,
    normalised_weights,
)
from ..settings import Delay, FitSettings
from .batches import Arrays, Batch, assemble, batch_of, in_batches
from .compressed import Compression, exact
from .levenberg import Minimum
from .modes import Problem, covariances
from .noise import NoiseLevel, outlying, without_spikes
from .outcomes import judge, screen
from .sampling import Samples, sample

NAMES = ("F_p", "v_p", "v_e", "PS", "T_a")
LEARNERS = 1200
LARGEST_BATCH = 256
EM_ROUNDS = 6
CLEANINGS = 2
ENOUGH_EFFECTIVE, FEWEST_EFFECTIVE = 40.0, 5.0
MANY_TIMES = 4
LEARNING_SHARE = 0.3


@dataclass
class Pulse:
    """A report that can be called again with the last progress: a chance to cancel within long work."""

    hear: Report
    low: float = 0.0
    last: Progress = field(default_factory=lambda: Progress("map", 0.0))

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            event = Progress(event.stage, max(self.low, event.fraction), event.seconds_left, event.losses)
            self.last = event
        self.hear(event)

    def beat(self) -> None:
        """Say the last progress once more."""
        self.hear(self.last)


@dataclass(frozen=True)
class Learnt:
    """What the study says: ``gaussian`` to look by, ``prior`` to weigh by, ``noise``."""

    gaussian: GaussianPrior
    prior: Prior
    noise: NoiseLevel


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
    """
    started = clock.perf_counter()
    study = _Study(curves, aif, settings, convolution, Pulse(report))
    outcome = screen(curves, study.unknowns)
    wanted = outcome == Outcome.FITTED
    solve = lambda batch: study.solve(batch, wanted)  # noqa: E731
    size = min(settings.chunk, LARGEST_BATCH)
    found = in_batches(curves, wanted, size, solve, study.pulse, checkpoint, stage="map")
    return assemble(found, curves, outcome, NAMES, aif, clock.perf_counter() - started)


@dataclass
class _Study:
    """One fit's input, and what is made of it once: compressions a clock, and what was learnt (at the first batch)."""

    curves: TissueCurves
    aif: ArterialInput
    settings: FitSettings
    convolution: type
    pulse: Pulse
    learnt: Learnt | None = None
    compressions: dict = field(default_factory=dict)

    @property
    def unknowns(self) -> int:
        return 5 if self.settings.delay is Delay.FIT else 4

    def solve(self, batch: Batch, wanted: np.ndarray) -> Arrays:
        """The arrays of one batch."""
        if self.learnt is None:
            self.learnt = self.learn(np.flatnonzero(wanted))
        problem, modes = self.settled(batch)
        self.pulse.beat()
        samples = sample(problem, modes, self.learnt.gaussian, _fingerprint(batch.C_t))
        found = _summary(samples, self.learnt.prior)
        self._again_where_poor(found, batch, problem, modes)
        return self.concluded(batch, _best(modes), found)

    def _again_where_poor(self, found: Arrays, batch: Batch, problem: Problem, modes: list[Minimum]) -> None:
        """More samples for the voxels whose weights hang on few of them."""
        poor = np.flatnonzero(found["effective"] < ENOUGH_EFFECTIVE)
        for rows in np.array_split(poor, -(-len(poor) // (LARGEST_BATCH // MANY_TIMES))) if len(poor) else ():
            self.pulse.beat()
            self._again(found, batch, problem, modes, rows)

    def _again(self, found: Arrays, batch: Batch, problem: Problem, modes: list[Minimum], rows: np.ndarray) -> None:
        fewer = [Minimum(m.x[rows], m.cost[rows], m.converged[rows], m.curvature[rows], m.iterations) for m in modes]
        samples = sample(
            problem.take(rows), fewer, self.learnt.gaussian, _fingerprint(batch.C_t[rows]), times=MANY_TIMES
        )
        for name, values in _summary(samples, self.learnt.prior).items():
            found[name][rows] = values

    def problem(self, batch: Batch) -> Problem:
        """The batch compressed, with a first guess of the noise from the curves' roughness."""
        key = (batch.time.tobytes(), batch.root_weight.tobytes())
        if key not in self.compressions:
            limits = self.settings.T_a_range if self.unknowns > 4 else (self.settings.T_a, self.settings.T_a)
            self.compressions[key] = Compression.of(
                self.aif, batch.time, batch.root_weight, limits, convolution=self.convolution, pulse=self.pulse.beat
            )
        compression = self.compressions[key]
        measured = batch.C_t * batch.root_weight
        measured[:, batch.counted] = without_spikes(measured[:, batch.counted])
        rough = np.sqrt(batch.noise_power() / batch.counted.sum())
        sigma = np.clip(rough, 1e-4 * measured.max(axis=1), 0.1 * measured.max(axis=1))
        return Problem(compression, compression.compress(measured), sigma, *_bounds(self.settings))

    def cleaned(self, batch: Batch, problem: Problem, x: np.ndarray, noise: NoiseLevel) -> tuple[Problem, np.ndarray]:
        """The problem with outlying frames taken from the curves of x (n, m) and each voxel's noise; the voxels (n,) that had any."""
        measured, residual = self._residual(batch, problem, x)
        out = np.zeros(measured.shape, dtype=bool)
        out[:, batch.counted] = outlying(residual[:, batch.counted], self.unknowns)
        y = problem.compression.compress(np.where(out, measured - residual, measured))
        sigma = noise.sigma(residual, ~out & batch.counted, self.unknowns, (measured - residual).max(axis=1))
        return replace(problem, y=y, sigma=sigma), out.any(axis=1)

    @staticmethod
    def _residual(batch: Batch, problem: Problem, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weighted curves (n, t) and their residuals."""
        measured = batch.C_t * batch.root_weight
        return measured, measured - problem.compression.curves(x) @ problem.compression.basis.T

    def settled(self, batch: Batch) -> tuple[Problem, list[Minimum]]:
        """The batch's problem, cleaned and with its noise known, and its modes from each start."""
        problem = self.problem(batch)
        problem.sigma[:] = np.maximum(problem.sigma, np.sqrt(self.learnt.noise.variance))
        modes = [problem.mode(x, self.learnt.gaussian) for x in problem.starts()]
        for _ in range(CLEANINGS):
            problem, spiked = self.cleaned(batch, problem, _best(modes).x, self.learnt.noise)
            modes = [problem.mode(mode.x, self.learnt.gaussian) for mode in modes]
            self.pulse.beat()
            if not spiked.any():
                break
        return problem, modes

    def learn(self, rows: np.ndarray) -> Learnt:
        """Noise, Gaussian and densities from at most ``LEARNERS`` of the curves ``rows``."""
        if len(rows) > LEARNERS:
            rows = np.sort(np.random.default_rng(0).choice(rows, LEARNERS, replace=False))
        batches = [
            batch_of(self.curves, row, rows[self.curves.clock[rows] == row]) for row in range(len(self.curves.time))
        ]
        batches = [batch for batch in batches if len(batch.C_t)]
        gaussian, noise = self._learn_gaussian(batches)
        self.learnt = Learnt(gaussian, gaussian, noise)
        drawn = []
        for part in (part for batch in batches for part in _parts(batch)):
            problem, modes = self.settled(part)
            drawn.append(sample(problem, modes, gaussian, _fingerprint(part.C_t)))
            self.pulse.beat()
        x, log_weight = np.concatenate([s.x for s in drawn]), np.concatenate([s.log_weight for s in drawn])
        return Learnt(gaussian, learnt_marginals(gaussian, x, log_weight, pulse=self.pulse.beat), noise)

    def _learn_gaussian(self, batches: list[Batch]) -> tuple[GaussianPrior, NoiseLevel]:
        problems = [self.problem(batch) for batch in batches]
        starts = [problem.starts() for problem in problems]
        x = np.concatenate([start[1] for start in starts])
        volume = np.exp(x[:, 1]) + np.exp(x[:, 2])
        default = gaussian = default_prior(volume, x[:, 4] if self.unknowns > 4 else None)
        modes = [
            _best([problem.mode(x, gaussian) for x in begun]) for problem, begun in zip(problems, starts, strict=True)
        ]
        noise = None
        for _ in range(EM_ROUNDS):
            self.pulse.beat()
            spread = np.concatenate([covariances(mode.curvature) for mode in modes])
            gaussian = learnt_gaussian(default, np.concatenate([mode.x for mode in modes]), spread)
            each = list(zip(batches, problems, modes, strict=True))
            residuals = [self._residual(b, p, m.x)[1][:, b.counted] for b, p, m in each]
            noise = NoiseLevel.of(residuals, self.unknowns)
            problems = [self.cleaned(batch, problem, mode.x, noise)[0] for batch, problem, mode in each]
            modes = [p.mode(m.x, gaussian) for p, m in zip(problems, modes, strict=True)]
        return gaussian, noise

    def concluded(self, batch: Batch, mode: Minimum, found: Arrays) -> Arrays:
        """``found`` with curves at every frame, residual and outcome of the most probable parameters."""
        fitted = exact(self.aif, batch.time, mode.x, self.settings.T_a, self.convolution)
        arrays: Arrays = {
            "T_a": np.full(len(fitted), self.settings.T_a),
            "T_a_sd": np.full(len(fitted), np.nan),
        } | found
        effective = arrays.pop("effective")
        weighted = (batch.C_t - fitted) * batch.root_weight
        arrays |= {"C_t": fitted, "residual": np.sqrt((weighted**2).sum(axis=1) / (batch.root_weight**2).sum())}
        most_probable = arrays | {"F_p": np.exp(mode.x[:, 0])}
        if self.unknowns > 4:
            most_probable["T_a"] = mode.x[:, 4]
        counted = batch.counted
        arrays["outcome"] = judge(
            batch.C_t[:, counted],
            fitted[:, counted],
            most_probable,
            unknowns=self.unknowns,
            converged=effective >= FEWEST_EFFECTIVE,
            settings=self.settings,
        )
        return arrays


def _bounds(settings: FitSettings) -> tuple[np.ndarray, np.ndarray]:
    ranges = [np.log(getattr(settings, f"{name}_range")) for name in NAMES[:4]]
    if settings.delay is Delay.FIT:
        ranges.append(np.array(settings.T_a_range))
    lower, upper = np.array(ranges).T
    return lower, upper


def _best(modes: list[Minimum]) -> Minimum:
    """Of each voxel the mode of least cost."""
    winner, rows = np.argmin([mode.cost for mode in modes], axis=0), np.arange(len(modes[0].x))
    pick = lambda name: np.stack([getattr(mode, name) for mode in modes])[winner, rows]  # noqa: E731
    return Minimum(pick("x"), pick("cost"), pick("converged"), pick("curvature"), modes[0].iterations)


def _parts(batch: Batch) -> list[Batch]:
    """A batch in pieces that memory holds."""
    return [
        Batch(batch.C_t[i : i + LARGEST_BATCH], batch.time, batch.root_weight)
        for i in range(0, len(batch.C_t), LARGEST_BATCH)
    ]


def _fingerprint(C_t: np.ndarray) -> np.ndarray:
    """(n,) whole numbers that only a curve's own values (n, t) decide: batches do not change the answer."""
    bits = np.ascontiguousarray(C_t).view(np.uint64)
    odd = 2 * np.arange(1, C_t.shape[1] + 1, dtype=np.uint64) + 1
    mixed = (bits ^ (bits >> np.uint64(29))) * odd
    return ((mixed.sum(axis=1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)).astype(int)


def _summary(samples: Samples, prior: Prior) -> Arrays:
    """Median and standard deviation of every parameter, inside units, and how many samples carry the weight."""
    weight = normalised_weights(samples.log_weight + prior.log_density(samples.x))
    found: Arrays = {"effective": 1 / (weight**2).sum(axis=1)}
    for j, name in enumerate(NAMES[: samples.x.shape[2]]):
        values = samples.x[:, :, j]
        middle = weighted_median(values, weight)
        mean = (weight * values).sum(axis=1)
        sd = np.sqrt((weight * (values - mean[:, None]) ** 2).sum(axis=1))
        logarithm = j < 4
        found[name] = np.exp(middle) if logarithm else middle
        found[f"{name}_sd"] = sd * found[name] if logarithm else sd
    return found


def weighted_median(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(n,) medians of ``values`` (n, s) with ``weight`` (n, s), straight between neighbours."""
    order = np.argsort(values, axis=1)
    values, weight = np.take_along_axis(values, order, axis=1), np.take_along_axis(weight, order, axis=1)
    mass = np.cumsum(weight, axis=1) - weight / 2
    above = np.clip((mass < 0.5).sum(axis=1), 1, values.shape[1] - 1)
    rows = np.arange(len(values))
    low, high = mass[rows, above - 1], mass[rows, above]
    part = np.clip((0.5 - low) / np.maximum(high - low, 1e-300), 0, 1)
    return values[rows, above - 1] + part * (values[rows, above] - values[rows, above - 1])
