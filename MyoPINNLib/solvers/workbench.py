"""From a batch of curves to a problem ready to be sampled: compressed, free of outlying frames, noise known, modes found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..prior import GaussianPrior
from ..settings import Delay, FitSettings
from .batches import Batch
from .compressed import Compression
from .levenberg import Minimum
from .modes import Problem, best, put, some_of
from .noise import NoiseLevel, outlying, without_spikes
from .starts import LOGARITHMS, bounds

CLEANINGS = 2
LEAST_NOISE, MOST_NOISE = 1e-4, 0.1


@dataclass
class Workbench:
    """One fit's input; ``beat`` is called within long work; each clock is compressed once and kept, also for later fits of the
    same input that are given the same ``compressions``.
    """

    aif: ArterialInput
    settings: FitSettings
    beat: Callable[[], None]
    convolution: type = ExponentialConvolution
    compressions: dict = field(default_factory=dict)

    @property
    def seeks_delay(self) -> bool:
        return self.settings.delay is Delay.FIT

    @property
    def unknowns(self) -> int:
        return len(LOGARITHMS) + self.seeks_delay

    def with_input(self, aif: ArterialInput) -> Workbench:
        """The same workbench for another input."""
        return replace(self, aif=aif)

    def compression(self, batch: Batch) -> Compression:
        """That of the batch's clock."""
        limits = self.settings.T_a_range if self.seeks_delay else (self.settings.T_a, self.settings.T_a)
        arrays = (self.aif.knots, self.aif.coefficients, batch.time, batch.root_weight)
        key = (self.convolution, limits, *(array.tobytes() for array in arrays))
        if key not in self.compressions:
            self.compressions[key] = Compression.of(
                self.aif, batch.time, batch.root_weight, limits, convolution=self.convolution, pulse=self.beat
            )
        return self.compressions[key]

    def problem(self, batch: Batch) -> Problem:
        """The batch compressed, with a first guess of the noise from the curves' roughness."""
        compression = self.compression(batch)
        measured = batch.C_t * batch.root_weight
        measured[:, batch.counted] = without_spikes(measured[:, batch.counted])
        rough, peak = np.sqrt(batch.noise_power() / batch.counted.sum()), measured.max(axis=1)
        sigma = np.clip(rough, LEAST_NOISE * peak, MOST_NOISE * peak)
        return Problem(compression, compression.compress(measured), sigma, *bounds(self.settings))

    def residual(self, batch: Batch, problem: Problem, x: np.ndarray) -> np.ndarray:
        """(n, t) weighted curves less those of x (n, m)."""
        fitted = problem.compression.curves(x) @ problem.compression.basis.T
        return batch.C_t * batch.root_weight - fitted

    def cleaned(self, batch: Batch, problem: Problem, x: np.ndarray, noise: NoiseLevel) -> tuple[Problem, np.ndarray]:
        """The problem with outlying frames taken from the curves of x (n, m) and each voxel's noise; who had any (n,)."""
        measured, residual = batch.C_t * batch.root_weight, self.residual(batch, problem, x)
        out = np.zeros(measured.shape, dtype=bool)
        out[:, batch.counted] = outlying(residual[:, batch.counted], self.unknowns)
        y = problem.compression.compress(np.where(out, measured - residual, measured))
        sigma = noise.sigma(residual, ~out & batch.counted, self.unknowns, (measured - residual).max(axis=1))
        return replace(problem, y=y, sigma=sigma), out.any(axis=1)

    def settled(self, batch: Batch, gaussian: GaussianPrior, noise: NoiseLevel) -> tuple[Problem, list[Minimum]]:
        """The batch's problem, cleaned and with its noise known, and its modes from each start; a voxel of which a frame was taken
        out is cleaned again.
        """
        problem = self.problem(batch)
        problem = replace(problem, sigma=np.maximum(problem.sigma, np.sqrt(noise.variance)))
        modes = problem.modes(problem.starts(), gaussian)
        rows = np.arange(len(batch.C_t))
        for _ in range(CLEANINGS):
            few = [some_of(mode, rows) for mode in modes]
            cleaned, spiked = self.cleaned(batch.take(rows), problem.take(rows), best(few).x, noise)
            again = cleaned.modes([mode.x for mode in few], gaussian)
            problem = problem.put(rows, cleaned)
            modes = [put(mode, rows, other) for mode, other in zip(modes, again, strict=True)]
            self.beat()
            rows = rows[spiked]
            if not rows.size:
                break
        return problem, modes
