"""The input fitted with the tissue: less noise than its samples, their own scale, and nothing invented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.errors import InputError
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.settings import Delay, FitSettings, Input, Method, settings_from_json
from MyoPINNLib.simulate.distributed import distributed_curve
from MyoPINNLib.simulate.objects import twin
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.input_basis import InputBasis
from MyoPINNLib.solvers.joint_input import visible_noise

JOINT = FitSettings(method=Method.MAP, input=Input.JOINT)
MEASURED = replace(JOINT, input=Input.MEASURED)


@pytest.fixture(scope="module")
def a_patient():
    return patient_like(Patient.REST, seed=7, voxels=200, input_noise=0.0)


def noisy(aif, seed, share=0.03):
    noise = np.random.default_rng(seed).standard_normal(aif.C_ap.size)
    return ArterialInput(aif.time, aif.C_ap + share * aif.C_ap.max() * noise)


def some(patient, rows, frames=slice(None)):
    return TissueCurves.on_one_clock(patient.curves.time[0, frames], patient.curves.C_t[rows][:, frames])


def test_the_fitted_input_is_nearer_the_truth_than_its_samples(a_patient):
    measured = noisy(a_patient.aif, 1)
    result = fit(a_patient.curves, measured, JOINT)
    true, peak = a_patient.aif.C_ap, a_patient.aif.C_ap.max()
    left = np.sqrt(np.mean((result.aif(measured.time) - true) ** 2)) / peak
    assert left < 0.02
    assert result.measured_aif is measured


@pytest.mark.parametrize("method", [Method.NLLS, Method.FERMI, Method.COMBINED])
def test_a_method_that_takes_the_input_as_it_is_says_so(method):
    with pytest.raises(InputError, match="takes the input as it was measured"):
        FitSettings(method=method, input=Input.JOINT)


def test_an_exact_input_stays_as_it_was_measured():
    reference = twin(seed=3, voxels=60)
    result = fit(reference.curves, reference.aif, replace(JOINT, delay=Delay.FIXED))
    assert result.aif is reference.aif and result.measured_aif is None
    assert any("its samples show no noise" in note for note in result.notes)


def test_tissue_that_is_no_2cxm_does_not_bend_the_input():
    strange = patient_like(Patient.STRESS, seed=11, voxels=300, tissue=distributed_curve)
    result = fit(strange.curves, strange.aif, JOINT)
    assert result.aif is strange.aif and result.measured_aif is None
    assert any("times its samples' noise" in note for note in result.notes)


def test_flow_comes_nearer_than_with_the_samples_as_measured():
    moved = {JOINT: [], MEASURED: []}
    for seed in (31, 32, 33, 34):
        patient = patient_like(Patient.REST, seed=seed, voxels=250, input_noise=0.0)
        exact, measured = fit(patient.curves, patient.aif, MEASURED), noisy(patient.aif, seed)
        for settings, found in moved.items():
            flow = fit(patient.curves, measured, settings).parameters.F_p
            found.append(np.median(flow / exact.parameters.F_p) - 1)
    size = {settings: np.sqrt(np.mean(np.square(found))) for settings, found in moved.items()}
    assert size[JOINT] < 0.05 and size[JOINT] < 0.8 * size[MEASURED]


def test_visible_noise_is_the_noise_that_was_put_in(a_patient):
    found = [visible_noise(noisy(a_patient.aif, seed)) for seed in range(20)]
    assert np.mean(found) == pytest.approx(0.03 * a_patient.aif.C_ap.max(), rel=0.2)


@pytest.mark.parametrize("voxels", [1, 2])
def test_one_or_two_voxels_take_the_input_as_measured(voxels, a_patient):
    measured = noisy(a_patient.aif, 1)
    result = fit(some(a_patient, slice(0, voxels)), measured, JOINT)
    assert result.aif is measured
    assert any(f"needs 10 curves and 12 samples of the input; there are {voxels}" in note for note in result.notes)


def test_five_frames_take_the_input_as_measured(a_patient):
    frames = np.linspace(8, 55, 5).astype(int)
    measured = ArterialInput(a_patient.aif.time[frames], a_patient.aif.C_ap[frames])
    result = fit(some(a_patient, slice(0, 20), frames), measured, replace(JOINT, delay=Delay.FIXED))
    assert result.aif is measured


def test_an_input_with_a_missing_frame_gives_numbers(a_patient):
    measured, kept = noisy(a_patient.aif, 1, 0.01), np.arange(a_patient.aif.time.size) != 12
    holed = ArterialInput(measured.time[kept], measured.C_ap[kept])
    result = fit(some(a_patient, slice(0, 60)), holed, JOINT)
    assert result.valid.mean() > 0.9 and np.isfinite(result.parameters.F_p).all()


def test_an_input_later_than_the_tissue_gives_no_valid_voxel_without_a_number(a_patient):
    late = noisy(a_patient.aif, 1, 0.01).C_ap
    late = ArterialInput(a_patient.aif.time, np.concatenate([np.full(6, late[0]), late[:-6]]))
    result = fit(some(a_patient, slice(0, 40)), late, JOINT)
    assert np.isfinite(result.parameters.F_p[result.valid]).all() and np.isfinite(result.aif.C_ap).all()


def test_tissue_is_linear_in_the_coefficients(a_patient):
    basis, truth = InputBasis.of(a_patient.aif), a_patient.truth
    time, x = a_patient.aif.time, np.log(np.column_stack([truth.F_p, truth.v_p, truth.v_e, truth.PS]))[:20]
    z, T_a = a_patient.aif(basis.nodes), truth.T_a[:20]
    exact = tissue_curve(basis.input(z), time, **{name: values[:20] for name, values in truth.items()})
    np.testing.assert_allclose(basis.tissue(x, time, T_a) @ z, exact, atol=2e-3 * exact.max())


def test_the_sum_over_frames_is_that_of_the_slopes(a_patient):
    basis, truth = InputBasis.of(a_patient.aif), a_patient.truth
    time, x = a_patient.aif.time, np.log(np.column_stack([truth.F_p, truth.v_p, truth.v_e, truth.PS]))[:20]
    r = np.random.default_rng(0).standard_normal((20, time.size))
    whole = np.einsum("ntq,nt->q", basis.tissue(x, time, truth.T_a[:20]), r)
    np.testing.assert_allclose(basis.score(x, time, truth.T_a[:20], r), whole, atol=1e-9)


def test_the_choice_survives_json():
    settings = settings_from_json({"fit": {"method": "map", "input": "measured"}})
    assert settings.fit.input is Input.MEASURED
    assert settings_from_json(settings.to_json()) == settings
