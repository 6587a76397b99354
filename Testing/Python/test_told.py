"""Which parameters a voxel's curve tells, and what all voxels of a study share of their errors."""

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.prior import GaussianPrior, MarginalsPrior
from MyoPINNLib.settings import FitSettings, Method
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit

MAP = FitSettings(method=Method.MAP)


@pytest.fixture(scope="module")
def a_patient():
    return patient_like(Patient.REST, seed=12, voxels=250, input_noise=0.0)


@pytest.fixture(scope="module")
def the_result(a_patient):
    return fit(a_patient.curves, a_patient.aif, MAP)


def noisy(aif, share, draw):
    """The input with noise of ``share`` of its peak on its samples."""
    rng = np.random.default_rng(draw)
    return ArterialInput(aif.time, aif.C_ap + share * aif.C_ap.max() * rng.standard_normal(aif.C_ap.size))


def test_curves_of_little_noise_tell_every_parameter():
    clear = patient_like(Patient.REST, seed=12, voxels=250, tissue_noise=0.002, input_noise=0.0)
    result = fit(clear.curves, clear.aif, MAP)
    assert all(told.mean() > 0.95 for told in result.told.values())
    assert not [note for note in result.notes if "does not tell" in note]


def test_curves_of_much_noise_leave_parameters_to_the_prior_and_say_so():
    loud = patient_like(Patient.REST, seed=12, voxels=250, tissue_noise=0.4, input_noise=0.0)
    result = fit(loud.curves, loud.aif, MAP)
    assert result.told["v_p"].mean() < 0.5 < result.valid.mean()
    assert [note for note in result.notes if "does not tell v_p" in note]


def test_the_louder_the_curves_the_fewer_tell():
    loud = [
        patient_like(Patient.REST, seed=12, voxels=250, tissue_noise=share, input_noise=0.0)
        for share in (0.002, 0.15, 0.4)
    ]
    told = [fit(each.curves, each.aif, MAP).told["v_p"].mean() for each in loud]
    assert told[0] > told[1] + 0.1 > told[2] + 0.2


def test_a_parameter_that_is_not_told_scatters_more_than_one_that_is(a_patient, the_result):
    untold = ~the_result.told["v_p"] & the_result.valid
    off = np.log(the_result.parameters.v_p / a_patient.truth.v_p)
    assert 0 < untold.sum() < len(untold)
    assert np.std(off[untold]) > np.std(off[~untold])


def test_the_spread_of_densities_is_that_of_the_gaussian_they_are_made_of():
    gaussian = GaussianPrior(np.array([0.0, 1.0]), np.diag([0.04, 0.25]))
    np.testing.assert_allclose(gaussian.spread, [0.2, 0.5])
    np.testing.assert_allclose(MarginalsPrior.from_gaussian(gaussian).spread, [0.2, 0.5], rtol=0.01)


def test_noise_on_the_input_moves_a_study_by_what_it_shares(a_patient, the_result):
    results = [fit(a_patient.curves, noisy(a_patient.aif, 0.03, draw), MAP) for draw in range(6)]
    moved = [np.median(np.log(r.parameters.F_p / the_result.parameters.F_p)) for r in results]
    said = np.mean([result.shared["F_p"] for result in results])
    assert 0.4 < np.sqrt(np.mean(np.square(moved))) / said < 2.2
    assert said > 2 * the_result.shared["F_p"]


def test_a_study_of_much_noise_is_told():
    quiet, loud = (patient_like(Patient.STRESS, seed=2, voxels=60, tissue_noise=share) for share in (0.05, 0.25))
    words = [fit(each.curves, each.aif, FitSettings(method=Method.MAP)).notes for each in (quiet, loud)]
    assert not any("noise is" in note for note in words[0])
    assert any("noise is" in note and "too high" in note for note in words[1])
