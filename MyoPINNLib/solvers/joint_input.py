"""The arterial input fitted with the tissue: its samples are noisy, and hundreds of curves know its shape better.

minimise over the input's coefficients z, with each voxel's x integrated out (paper A.1, second term, without a network):

    sum_k (C_ap(t_k) - measured_k)^2 / sigma_a^2  +  smoothness z'Q z  -  2 sum_i ln int p(C_t,i | x; z) p(x) dx

C_t is linear in z (input_basis.py). A round draws x from each voxel's posterior under the present input and takes one
step (input_evidence.py). Modes in place of draws would bend the input to make up for their own bias. Tissue can tell
neither the input's scale nor a shift in time: both come from the input's own samples. sigma_a stays near what the samples'
roughness says. Where tissue says little, a step is held back by ``HOLD`` of the information that known x would give: the
draws' chance would rule it. Tissue that is no 2CXM must not bend the input: it loses weight until the samples lie within
their noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..aif import ArterialInput, Interpolation
from ..prior import GaussianPrior, learnt_marginals, normalised_weights
from ..robust import width
from .batches import Batch
from .input_basis import InputBasis
from .input_evidence import Evidence, Sampled, Voxels
from .learning import gaussian_and_noise
from .modes import Problem, best
from .noise import OUTLYING, NoiseLevel
from .sampling import Samples, fingerprint, sample
from .workbench import Workbench

LEARNERS = 256
FEWEST_VOXELS, FEWEST_SAMPLES = 10, 12
ROUNDS, DRAWS, GAUSSIAN_STEPS = 1, 48, 2
HOLD = 0.5
LEAST_VISIBLE = 5e-4
WORST_MISFIT = 2.5
ROOM = 0.6
_SD_OF_THIRD_DIFFERENCES = np.sqrt(20.0)
_HALVINGS = 30


def refined(bench: Workbench, batches: list[Batch]) -> ArterialInput:
    """The input fitted with the curves of ``batches``, a clock each; the measured one where there is nothing to gain.

    That is: noise not visible in the samples, too few samples, too few curves.
    """
    aif = bench.aif
    noise = visible_noise(aif)
    if noise <= LEAST_VISIBLE * np.abs(aif.C_ap).max() or sum(len(b.C_t) for b in batches) < FEWEST_VOXELS:
        return aif
    joint = _Joint.of(bench, batches, noise)
    for _ in range(ROUNDS):
        joint.round()
    return joint.basis.input(joint.z)


def refined_once(bench: Workbench, learners: Callable[[], list[Batch]], checkpoint, *, key: str) -> ArterialInput:
    """``refined``, or what ``checkpoint`` (or None) keeps of it under ``key`` from an earlier run."""
    kept = checkpoint.load(key) if checkpoint is not None else None
    if kept is None:
        aif = refined(bench, learners())
        if checkpoint is not None and aif is not bench.aif:
            checkpoint.save(key, {"time": aif.time, "C_ap": aif.C_ap})
        return aif
    return ArterialInput(kept["time"], kept["C_ap"], Interpolation.SPLINE)


def visible_noise(aif: ArterialInput) -> float:
    """Standard deviation of the samples' noise, mM, from third differences in time; 0 where too few samples tell."""
    if aif.C_ap.size < FEWEST_SAMPLES:
        return 0.0
    return float(width(np.diff(aif.C_ap, n=3)) / _SD_OF_THIRD_DIFFERENCES)


@dataclass
class _Joint:
    """What a round starts from and improves: z (q,) mM, the voxels' modes ``x`` (a batch each), noise and Gaussian."""

    bench: Workbench
    basis: InputBasis
    sampled: Sampled
    batches: list[Batch]
    x: list[np.ndarray]
    level: NoiseLevel
    gaussian: GaussianPrior
    z: np.ndarray

    @classmethod
    def of(cls, bench: Workbench, batches: list[Batch], noise: float) -> _Joint:
        """Modes, noise and Gaussian under the measured input; z is its samples made smooth."""
        basis = InputBasis.of(bench.aif)
        at = np.isin(basis.nodes, bench.aif.knots)
        sampled = Sampled(basis, bench.aif.C_ap, at, noise, np.zeros(2))
        z = sampled.scaled(sampled.most_probable(Evidence.none(bench.aif(basis.nodes)), 0.0))
        bench = replace(bench, aif=basis.input(z), compressions={})
        gaussian, level = gaussian_and_noise(bench, batches)
        x = [best(bench.settled(batch, gaussian, level)[1]).x for batch in batches]
        return cls(_near(bench, x), basis, sampled, batches, x, level, gaussian, z)

    def round(self) -> None:
        """One step of z."""
        told = Evidence.of_tissue(self._voxels(), self.basis, self.z, self.gaussian)
        z = self.sampled.most_probable(told, HOLD)
        for _ in range(_HALVINGS):
            if self.sampled.misfit(z) <= WORST_MISFIT:
                break
            told = told.weakened(0.5)
            z = self.sampled.most_probable(told, HOLD)
        self.z = self.sampled.scaled(z)

    def _voxels(self) -> list[Voxels]:
        """Means and draws of every voxel's posterior under the present input; modes, noise and Gaussian follow it."""
        bench = replace(self.bench, aif=self.basis.input(self.z), compressions={})
        settled = [self._settled(bench, batch, x) for batch, x in zip(self.batches, self.x, strict=True)]
        self.x = [x for _, x, _, _ in settled]
        residuals = [r[:, batch.counted] for (_, _, r, _), batch in zip(settled, self.batches, strict=True)]
        self.level = NoiseLevel.of(residuals, bench.unknowns)
        x, log_weight = (np.concatenate([getattr(s[3], name) for s in settled]) for name in ("x", "log_weight"))
        for _ in range(GAUSSIAN_STEPS):
            self.gaussian = self.gaussian.step_towards(x, normalised_weights(log_weight + self.gaussian.log_density(x)))
        prior = learnt_marginals(self.gaussian, x, log_weight)
        found = []
        for batch, (problem, _, residual, drawn) in zip(self.batches, settled, strict=True):
            off = np.abs(residual) > OUTLYING * problem.sigma[:, None]
            certain = np.where(off, 0.0, batch.root_weight / problem.sigma[:, None])
            weight = normalised_weights(drawn.log_weight + prior.log_density(drawn.x))
            mean = np.einsum("ns,nsm->nm", weight, drawn.x)
            found.append(Voxels(batch, problem, mean, _drawn(drawn.x, weight), certain, bench.settings.T_a))
        return found

    def _settled(
        self, bench: Workbench, batch: Batch, x: np.ndarray
    ) -> tuple[Problem, np.ndarray, np.ndarray, Samples]:
        """The batch's problem under the input of ``bench``, modes near x (n, m), their residuals (n, t), samples."""
        problem = bench.problem(batch)
        for _ in range(2):
            problem = bench.cleaned(batch, problem, x, self.level)[0]
            mode = problem.mode(x, self.gaussian)
            x = mode.x
        bench.beat()
        samples = sample(problem, [mode], fingerprint(batch.C_t))
        bench.beat()
        return problem, x, bench.residual(batch, problem, x), samples


def _near(bench: Workbench, x: list[np.ndarray]) -> Workbench:
    """The bench with delays sought about those of x alone: each round compresses anew, and a short table is soon made."""
    if not bench.seeks_delay:
        return bench
    T_a, (low, high) = np.concatenate([part[:, 4] for part in x]), bench.settings.T_a_range
    limits = (max(low, float(T_a.min()) - ROOM), min(high, float(T_a.max()) + ROOM))
    return replace(bench, settings=replace(bench.settings, T_a_range=limits))


def _drawn(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(n, DRAWS, m): of samples x (n, s, m) every DRAWS-th part of their ``weight`` (n, s)."""
    levels = (np.arange(DRAWS) + 0.5) / DRAWS
    mass = np.cumsum(weight, axis=1)
    rows = np.minimum((mass[:, None, :] < levels[:, None]).sum(axis=2), x.shape[1] - 1)
    return np.take_along_axis(x, rows[:, :, None], axis=1)
