"""Samples of voxels' posteriors: few must say on average what many say, or a study's prior leans."""

import numpy as np
import pytest

from MyoPINNLib.prior import GaussianPrior, normalised_weights
from MyoPINNLib.settings import FitSettings, Method
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import sampling
from MyoPINNLib.solvers.batches import batch_of
from MyoPINNLib.solvers.modes import best
from MyoPINNLib.solvers.noise import NoiseLevel
from MyoPINNLib.solvers.workbench import Workbench

VOXELS = 300


@pytest.fixture(scope="module")
def at_rest():
    """(problem, its mode, fingerprints, the voxels' true Gaussian) of patient-like curves at rest, where posteriors are widest."""
    reference = patient_like(Patient.REST, seed=5, voxels=VOXELS, input_noise=0.0)
    truth = reference.truth
    x = np.column_stack([*(np.log(getattr(truth, name)) for name in ("F_p", "v_p", "v_e", "PS")), truth.T_a])
    gaussian = GaussianPrior(x.mean(axis=0), np.cov(x.T))
    bench = Workbench(reference.aif, FitSettings(method=Method.MAP), lambda: None)
    batch = batch_of(reference.curves, 0, np.arange(VOXELS))
    noise = NoiseLevel.of([reference.curves.C_t - reference.C_t_exact], bench.unknowns)
    problem = bench.cleaned(batch, bench.problem(batch), x, noise)[0]
    return problem, best([problem.mode(x, gaussian)]), sampling.fingerprint(batch.C_t), gaussian


def moments(at_rest, times):
    """Means and SDs (n, m) of the posteriors by ``times`` the usual samples."""
    problem, mode, which, gaussian = at_rest
    samples = sampling.sample(problem, [mode], which, times=times)
    weight = normalised_weights(samples.log_weight + gaussian.log_density(samples.x))
    mean = np.einsum("ns,nsm->nm", weight, samples.x)
    return mean, np.sqrt(np.einsum("ns,nsm->nm", weight, (samples.x - mean[:, None]) ** 2))


@pytest.fixture(scope="module")
def many(at_rest):
    """Means and SDs by forty times the usual samples."""
    return moments(at_rest, 40)


def test_the_usual_samples_lean_to_no_side(at_rest, many):
    lean = ((moments(at_rest, 1)[0] - many[0]) / many[1]).mean(axis=0)
    assert np.abs(lean).max() < 0.02


def test_the_usual_samples_find_the_width(at_rest, many):
    width = np.median(moments(at_rest, 1)[1] / many[1], axis=0)
    np.testing.assert_allclose(width, 1.0, atol=0.04)
