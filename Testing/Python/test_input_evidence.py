"""What curves say about the input: the slopes of their evidence, little moved by which samples were drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.prior import GaussianPrior, normalised_weights
from MyoPINNLib.settings import FitSettings, Method
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers.batches import batch_of
from MyoPINNLib.solvers.input_basis import InputBasis
from MyoPINNLib.solvers.input_evidence import Evidence, Voxels
from MyoPINNLib.solvers.joint_input import even_draws
from MyoPINNLib.solvers.sampling import sample
from MyoPINNLib.solvers.workbench import Workbench

VOXELS, MANY = 24, 40
HAIR = 1e-3


class Curves:
    """Some curves under a prior; their evidence, sampled at ``MANY`` times the usual points, as the input or the prior's mean moves."""

    def __init__(self):
        patient = patient_like(Patient.REST, seed=7, voxels=VOXELS, input_noise=0.0)
        self.basis, self.sigma = InputBasis.of(patient.aif), patient.sigma
        self.z = patient.aif(self.basis.nodes)
        self.bench = Workbench(patient.aif, FitSettings(method=Method.MAP), lambda: None)
        self.batch = batch_of(patient.curves, 0, np.arange(VOXELS))
        truth = patient.truth
        x = np.column_stack([*np.log([truth.F_p, truth.v_p, truth.v_e, truth.PS]), truth.T_a])
        self.prior = GaussianPrior(x.mean(axis=0), np.cov(x.T))
        self.problem = self.under(self.z)
        self.modes = [self.problem.mode(x, self.prior)]
        self.many = sample(self.problem, self.modes, np.arange(VOXELS), times=MANY)

    def under(self, z):
        """The problem with the input of z."""
        problem = replace(self.bench, aif=self.basis.input(z), compressions={}).problem(self.batch)
        return replace(problem, sigma=np.full(VOXELS, self.sigma))

    def likelihood(self, z):
        """ln likelihood of all samples, what no parameter can change included."""
        problem = self.under(z)
        out_of_reach = ((self.batch.C_t * self.batch.root_weight) ** 2).sum(axis=1) - (problem.y**2).sum(axis=1)
        return problem.log_likelihood(self.many.x) - (out_of_reach / (2 * self.sigma**2))[:, None]

    def rise(self, along_z, along_mean):
        """How ln evidence of all curves rises as z and the prior's mean move."""
        inside, total = np.isfinite(self.likelihood(self.z)), []
        before = np.where(inside, self.likelihood(self.z), 0.0)
        for step in (-HAIR, HAIR):
            moved = np.where(inside, self.likelihood(self.z + step * along_z), 0.0) - before
            prior = self.prior.moved(step * along_mean)
            total.append(
                np.logaddexp.reduce(self.many.log_weight + moved + prior.log_density(self.many.x), axis=1).sum()
            )
        return (total[1] - total[0]) / (2 * HAIR)

    def told(self, which):
        """What as many samples as a round draws say."""
        drawn = sample(self.problem, self.modes, np.arange(VOXELS) * 3 + which)
        weight = normalised_weights(drawn.log_weight + self.prior.log_density(drawn.x))
        certain = np.broadcast_to(self.batch.root_weight / self.sigma, self.batch.C_t.shape)
        mean = np.einsum("ns,nsm->nm", weight, drawn.x)
        voxels = Voxels(self.batch, self.problem, mean, even_draws(drawn.x, weight), certain, 0.0)
        return voxels, Evidence.of_tissue([voxels], self.basis, self.z, self.prior, self.prior.covariance)


@pytest.fixture(scope="module")
def curves():
    return Curves()


@pytest.fixture(scope="module")
def bolus(curves):
    """A change of the input: its peak higher."""
    return np.exp(-(((curves.basis.nodes - curves.basis.nodes[curves.z.argmax()]) / 3.0) ** 2))


@pytest.fixture(scope="module")
def tries(curves):
    """(Voxels, Evidence) of eight draws."""
    return [curves.told(which) for which in range(8)]


def test_the_score_of_the_input_is_the_slope_of_the_evidence(curves, bolus, tries):
    found = [evidence.score[: bolus.size] @ bolus for _, evidence in tries]
    chance = np.std(found, ddof=1) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(curves.rise(bolus, np.zeros(5)), abs=4 * chance)


@pytest.mark.parametrize("j", range(5))
def test_the_score_of_the_prior_s_mean_is_the_slope_of_the_evidence(j, curves, tries):
    found = [evidence.score[curves.z.size + j] for _, evidence in tries]
    chance = np.std(found, ddof=1) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(curves.rise(0 * curves.z, np.eye(5)[j]), abs=4 * chance)


def test_the_draws_chance_is_mostly_taken_from_the_input_s_score(curves, bolus, tries):
    whole = np.std([evidence.score[: bolus.size] @ bolus for _, evidence in tries])
    raw = np.std([voxels.score(curves.basis) @ bolus for voxels, _ in tries])
    assert whole < 0.6 * raw


def test_a_larger_input_and_less_of_everything_are_one_to_the_tissue(curves, tries):
    for _, evidence in tries:
        of_input, of_mean = evidence.score[: curves.z.size] @ curves.z, evidence.score[curves.z.size :][:4].sum()
        assert of_input == pytest.approx(of_mean, abs=0.3)


def test_the_prior_s_mean_follows_the_input(curves, tries):
    evidence = replace(tries[0][1], score=0 * tries[0][1].score)
    np.testing.assert_allclose(evidence.follows(1.01 * curves.z)[:4], -0.01, atol=1e-3)
    np.testing.assert_allclose(evidence.follows(curves.z), 0.0, atol=1e-12)
