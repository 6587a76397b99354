"""What a study's own curves say before each is looked at: noise level, where to look, and the prior that they are weighed by.

Noise and Gaussian are learnt in turn with the modes (Laplace's approximation, some EM rounds); then the voxels' posteriors
are sampled once, and the densities of the prior follow from the samples alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..prior import GaussianPrior, Prior, default_prior, learnt_gaussian, learnt_marginals
from .batches import Batch
from .levenberg import Minimum
from .modes import Problem, best, covariances
from .noise import NoiseLevel
from .regions import Anchor, Fitted, Regions
from .sampling import Samples, fingerprint, sample
from .workbench import Workbench

EM_ROUNDS = 6
LARGEST_PART = 256


@dataclass(frozen=True)
class Explored:
    """A batch's ``problem``, cleaned and with its noise known, its ``modes`` and, where they were drawn, its ``samples``."""

    problem: Problem
    modes: list[Minimum]
    samples: Samples | None = None


@dataclass(frozen=True)
class Learnt:
    """``gaussian`` to look by, ``prior`` to weigh by, ``noise``; and the batches that it was learnt from, by their rows."""

    gaussian: GaussianPrior
    prior: Prior
    noise: NoiseLevel
    batches: dict[bytes, Explored]

    def explored(self, bench: Workbench, batch: Batch) -> Explored:
        """The batch under this Gaussian and noise; one that taught them is not worked out again."""
        known = self.batches.get(batch.rows.tobytes())
        return Explored(*bench.settled(batch, self.gaussian, self.noise)) if known is None else known


def learn(bench: Workbench, batches: list[Batch], regions: list[Regions]) -> Learnt:
    """Noise, Gaussian and prior from batches of curves, ``LARGEST_PART`` at most each; its mean from ``regions`` where there
    are any.
    """
    anchor = anchored(bench, regions) if regions else None
    gaussian, noise = gaussian_and_noise(bench, batches, anchor)
    known = {}
    for batch in batches:
        problem, modes = bench.settled(batch, gaussian, noise)
        known[batch.rows.tobytes()] = Explored(problem, modes, sample(problem, modes, fingerprint(batch.C_t)))
        bench.beat()
    drawn = [batch.samples for batch in known.values()]
    x, log_weight = np.concatenate([s.x for s in drawn]), np.concatenate([s.log_weight for s in drawn])
    prior = learnt_marginals(gaussian, x, log_weight, held=anchor is not None, pulse=bench.beat)
    return Learnt(gaussian, prior, noise, known)


def anchored(bench: Workbench, regions: list[Regions]) -> Anchor:
    """The most probable parameters of the regions' mean curves, with a Gaussian of their own."""
    gaussian, noise = gaussian_and_noise(bench, [some.batch for some in regions])
    fitted = []
    for some in regions:
        problem, modes = bench.settled(some.batch, gaussian, noise)
        fitted.append(Fitted(problem, best(modes).x, some.members))
    return Anchor(fitted, gaussian)


def gaussian_and_noise(
    bench: Workbench, batches: list[Batch], anchor: Anchor | None = None
) -> tuple[GaussianPrior, NoiseLevel]:
    """The Gaussian and the noise level, each re-estimated with the modes of all curves under the other; its mean is held by
    the ``anchor``.
    """
    problems = [bench.problem(batch) for batch in batches]
    starts = [problem.starts() for problem in problems]
    x = np.concatenate([start[1] for start in starts])
    volume = np.exp(x[:, 1]) + np.exp(x[:, 2])
    default = gaussian = default_prior(volume, x[:, 4] if bench.seeks_delay else None)
    modes = []
    for problem, begun in zip(problems, starts, strict=True):
        modes.append(best(problem.modes(begun, gaussian)))
        bench.beat()
    for _ in range(EM_ROUNDS):
        spread = np.concatenate([covariances(mode.curvature) for mode in modes])
        x = np.concatenate([mode.x for mode in modes])
        gaussian = learnt_gaussian(default, x, spread)
        if anchor is not None:
            gaussian = anchor.held(gaussian, np.concatenate([batch.rows for batch in batches]), x)
        each = list(zip(batches, problems, modes, strict=True))
        noise = NoiseLevel.of([bench.residual(b, p, m.x)[:, b.counted] for b, p, m in each], bench.unknowns)
        problems = [bench.cleaned(batch, problem, mode.x, noise)[0] for batch, problem, mode in each]
        modes = [_again(bench, problem, mode, gaussian) for problem, mode in zip(problems, modes, strict=True)]
    return gaussian, noise


def _again(bench: Workbench, problem: Problem, mode: Minimum, gaussian: GaussianPrior) -> Minimum:
    bench.beat()
    return problem.mode(mode.x, gaussian)
