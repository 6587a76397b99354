"""The arterial input fitted with the tissue: its samples are noisy, and hundreds of curves know its shape better.

minimise over the input's coefficients z, with each voxel's x integrated out (paper A.1, second term, without a network):

    sum_k (C_ap(t_k) - measured_k)^2 / sigma_a^2  +  smoothness z'Q z  -  2 sum_i ln int p(C_t,i | x; z) p(x) dx

C_t is linear in z (input_basis.py). A round draws x from each voxel's posterior under the present input and takes one
Newton step of z and of the mean of the voxels' prior together (input_evidence.py); the densities of that prior are learnt
anew from every round's samples (prior.py). Modes in place of draws would bend the input to make up for their own bias.
Each round draws at other points, and the last rounds' inputs are averaged: along the few directions that tissue hardly
knows, chance moves a single one. Tissue can tell neither the input's scale nor a shift in time: both come from the input's
own samples. sigma_a stays near what the samples' roughness says. Where tissue says little, a step is held back by ``HOLD``
of the information that known x would give. Tissue that would bend the input beyond its samples' noise is no 2CXM of it:
then the input stays as it was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..aif import ArterialInput, Interpolation
from ..prior import GaussianPrior, Prior, learnt_marginals, normalised_weights
from ..robust import width
from .batches import Batch
from .input_basis import InputBasis
from .input_evidence import Evidence, Sampled, Voxels
from .learning import gaussian_and_noise
from .modes import Problem, best
from .noise import OUTLYING, NoiseLevel
from .sampling import Samples, fingerprint, sample
from .workbench import Workbench

LEARNERS = 1500
FEWEST_VOXELS, FEWEST_SAMPLES = 10, 12
ROUNDS, AVERAGED, DRAWS, GAUSSIAN_STEPS = 6, 3, 48, 2
HOLD = 0.05
LEAST_VISIBLE = 5e-4
WORST_MISFIT = 2.2
ROOM = 0.6
_SD_OF_THIRD_DIFFERENCES = np.sqrt(20.0)
_ELSEWHERE = 5


def refined(bench: Workbench, batches: list[Batch]) -> tuple[ArterialInput, str]:
    """The input fitted with the curves of ``batches``, a clock each; or the measured one, and a sentence that says why."""
    aif = bench.aif
    noise, curves = visible_noise(aif), sum(len(batch.C_t) for batch in batches)
    if curves < FEWEST_VOXELS or aif.C_ap.size < FEWEST_SAMPLES:
        few = (
            f"{FEWEST_VOXELS} curves and {FEWEST_SAMPLES} samples of the input; there are {curves} and {aif.C_ap.size}"
        )
        return aif, f"The input is as it was measured: fitting it with the tissue needs {few}."
    if noise <= LEAST_VISIBLE * np.abs(aif.C_ap).max():
        return aif, "The input is as it was measured: its samples show no noise."
    joint = _Joint.of(bench, batches, noise)
    found = []
    for number in range(ROUNDS):
        misfit = joint.round(number)
        if misfit > WORST_MISFIT:
            return aif, (
                f"The input is as it was measured: the tissue would bend it by {np.sqrt(misfit):.1f} times its samples' noise, "
                "so it does not exchange as the 2CXM does, or not with this input."
            )
        found.append(joint.z)
    return joint.basis.input(np.mean(found[-AVERAGED:], axis=0)), ""


def refined_once(
    bench: Workbench, learners: Callable[[], list[Batch]], checkpoint, *, key: str
) -> tuple[ArterialInput, str]:
    """``refined``, or what ``checkpoint`` (or None) keeps of it under ``key`` from an earlier run."""
    kept = checkpoint.load(key) if checkpoint is not None else None
    if kept is None:
        aif, why = refined(bench, learners())
        if checkpoint is not None and aif is not bench.aif:
            checkpoint.save(key, {"time": aif.time, "C_ap": aif.C_ap})
        return aif, why
    return ArterialInput(kept["time"], kept["C_ap"], Interpolation.SPLINE), ""


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

    def round(self, number: int) -> float:
        """One Newton step of z and the prior's mean; ``number`` of the round, for points of its own. How far the samples then
        lie from z: mean square, in units of their noise."""
        voxels, prior = self._voxels(number)
        told = Evidence.of_tissue(voxels, self.basis, self.z, prior, self.gaussian.covariance)
        z = self.sampled.most_probable(told, HOLD)
        self.z = self.sampled.scaled(z)
        self.gaussian = self.gaussian.moved(told.follows(self.z))
        return self.sampled.misfit(z)

    def _voxels(self, number: int) -> tuple[list[Voxels], Prior]:
        """Means and draws of every voxel's posterior under the present input, and the prior; modes, noise and Gaussian follow it."""
        bench = replace(self.bench, aif=self.basis.input(self.z), compressions={})
        settled = [self._settled(bench, batch, x, number) for batch, x in zip(self.batches, self.x, strict=True)]
        self.x = [x for _, x, _, _ in settled]
        residuals = [r[:, batch.counted] for (_, _, r, _), batch in zip(settled, self.batches, strict=True)]
        self.level = NoiseLevel.of(residuals, bench.unknowns)
        x, log_weight = (np.concatenate([getattr(s[3], name) for s in settled]) for name in ("x", "log_weight"))
        for _ in range(GAUSSIAN_STEPS):
            self.gaussian = self.gaussian.step_towards(x, normalised_weights(log_weight + self.gaussian.log_density(x)))
        prior = learnt_marginals(self.gaussian, x, log_weight, pulse=bench.beat)
        found = []
        for batch, (problem, _, residual, drawn) in zip(self.batches, settled, strict=True):
            off = np.abs(residual) > OUTLYING * problem.sigma[:, None]
            certain = np.where(off, 0.0, batch.root_weight / problem.sigma[:, None])
            weight = normalised_weights(drawn.log_weight + prior.log_density(drawn.x))
            mean = np.einsum("ns,nsm->nm", weight, drawn.x)
            found.append(Voxels(batch, problem, mean, even_draws(drawn.x, weight), certain, bench.settings.T_a))
        return found, prior

    def _settled(
        self, bench: Workbench, batch: Batch, x: np.ndarray, number: int
    ) -> tuple[Problem, np.ndarray, np.ndarray, Samples]:
        """The batch's problem under the input of ``bench``, modes near x (n, m), their residuals (n, t), samples."""
        problem = bench.problem(batch)
        for _ in range(2):
            problem = bench.cleaned(batch, problem, x, self.level)[0]
            mode = problem.mode(x, self.gaussian)
            x = mode.x
        bench.beat()
        samples = sample(problem, [mode], fingerprint(batch.C_t) + number * _ELSEWHERE)
        bench.beat()
        return problem, x, bench.residual(batch, problem, x), samples


def _near(bench: Workbench, x: list[np.ndarray]) -> Workbench:
    """The bench with delays sought about those of x alone: each round compresses anew, and a short table is soon made."""
    if not bench.seeks_delay:
        return bench
    T_a, (low, high) = np.concatenate([part[:, 4] for part in x]), bench.settings.T_a_range
    limits = (max(low, float(T_a.min()) - ROOM), min(high, float(T_a.max()) + ROOM))
    return replace(bench, settings=replace(bench.settings, T_a_range=limits))


def even_draws(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(n, DRAWS, m): of samples x (n, s, m) every DRAWS-th part of their ``weight`` (n, s)."""
    levels = (np.arange(DRAWS) + 0.5) / DRAWS
    mass = np.cumsum(weight, axis=1)
    rows = np.minimum((mass[:, None, :] < levels[:, None]).sum(axis=2), x.shape[1] - 1)
    return np.take_along_axis(x, rows[:, :, None], axis=1)
