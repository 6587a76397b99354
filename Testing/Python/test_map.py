"""The exact model with a learnt prior: better than single voxels, honest about what it does not know, safe on bad input."""

import time as clock

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.convolution import ExponentialConvolution
from MyoPINNLib.errors import Cancelled
from MyoPINNLib.events import silent
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.settings import DEFAULT_METHOD, Delay, FitSettings, Method
from MyoPINNLib.simulate import metrics
from MyoPINNLib.simulate.objects import Noise, sick_fifth, twin, two_kinds
from MyoPINNLib.simulate.patient_like import Patient, ischaemic, patient_like
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.compressed import Compression, exact
from MyoPINNLib.solvers.map import fit_map
from MyoPINNLib.solvers.noise import NoiseLevel, outlying, without_spikes
from MyoPINNLib.solvers.posterior import weighted_median

MAP, NLLS = FitSettings(method=Method.MAP), FitSettings(method=Method.NLLS)
MAP_FIXED = FitSettings(method=Method.MAP, delay=Delay.FIXED)
NLLS_FIXED = FitSettings(method=Method.NLLS, delay=Delay.FIXED)
NAMES = ("F_p", "v_p", "v_e", "PS")


@pytest.fixture(scope="module")
def a_twin():
    return twin(seed=7, voxels=900)


@pytest.fixture(scope="module")
def fitted_twin(a_twin):
    return fit(a_twin.curves, a_twin.aif, MAP_FIXED)


@pytest.fixture(scope="module")
def a_patient():
    return patient_like(Patient.STRESS, seed=7, voxels=500)


@pytest.fixture(scope="module")
def fitted_patient(a_patient):
    return fit(a_patient.curves, a_patient.aif, MAP)


def medians(result, reference):
    """Median size of the relative error by parameter."""
    return {
        name: e["median"]
        for name, e in metrics.error_summary(result.parameters, reference.truth, where=result.valid).items()
    }


def off_by_deviations(result, reference, name):
    """(n,) distance from the truth in the reported standard deviations, in the logarithm."""
    value, sd, truth = (getattr(part, name) for part in (result.parameters, result.sd, reference.truth))
    return np.abs(np.log(value / truth)) / (sd / value)


def some(reference, rows, C_t=None):
    """The reference's curves ``rows``, or others on its clock."""
    return TissueCurves.on_one_clock(reference.curves.time[0], reference.curves.C_t[rows] if C_t is None else C_t)


def test_the_prior_beats_single_voxels(a_twin, fitted_twin):
    alone = medians(fit(a_twin.curves, a_twin.aif, NLLS_FIXED), a_twin)
    together = medians(fitted_twin, a_twin)
    assert all(together[name] < 0.85 * alone[name] for name in NAMES)


def test_the_default_has_the_smaller_error_of_flow_on_every_object(a_twin, fitted_twin, a_patient, fitted_patient):
    assert FitSettings().method is DEFAULT_METHOD is Method.MAP
    for reference, found, other_settings in ((a_twin, fitted_twin, NLLS_FIXED), (a_patient, fitted_patient, NLLS)):
        other = fit(reference.curves, reference.aif, other_settings)
        assert medians(found, reference)["F_p"] < medians(other, reference)["F_p"]


def test_no_flow_runs_away_at_high_noise():
    reference = twin(seed=8, voxels=600, noise=Noise.PEAK_SNR_17_5)
    result = fit(reference.curves, reference.aif, MAP_FIXED)
    assert metrics.error_summary(result.parameters, reference.truth)["F_p"]["share_off"] == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_intervals_cover_as_often_as_they_say(name, a_twin, fitted_twin):
    off = off_by_deviations(fitted_twin, a_twin, name)
    assert 0.58 < (off < 1).mean() < 0.80
    assert 0.89 < (off < 1.96).mean() < 0.99


def test_the_delay_is_found_and_its_deviation_is_honest(a_patient, fitted_patient):
    off = np.abs(fitted_patient.parameters.T_a - a_patient.truth.T_a)
    assert np.median(off) < 0.12
    assert 0.58 < (off < fitted_patient.sd.T_a).mean() < 0.80


def test_an_ischaemic_territory_is_not_pulled_to_normal(a_patient, fitted_patient):
    sick = ischaemic(a_patient.truth, Patient.STRESS)
    found, true = (np.median(part.F_p[sick]) for part in (fitted_patient.parameters, a_patient.truth))
    assert found == pytest.approx(true, rel=0.1)


def test_a_sick_fifth_keeps_its_flow_among_the_healthy():
    reference = two_kinds(seed=7, voxels=800)
    result, sick = fit(reference.curves, reference.aif, MAP_FIXED), sick_fifth(800)
    found, true = (np.median(part.F_p[sick]) for part in (result.parameters, reference.truth))
    assert found == pytest.approx(true, rel=0.1)


def test_curves_without_noise_give_what_went_in():
    time = twin(seed=1, voxels=1).curves.time[0]
    aif = twin(seed=1, voxels=1).aif
    truth = {name: values[:50] for name, values in twin(seed=9, voxels=50).truth.items()}
    curves = TissueCurves.on_one_clock(time, tissue_curve(aif, time, **truth))
    result = fit(curves, aif, MAP_FIXED)
    np.testing.assert_allclose(result.parameters.F_p, truth["F_p"], rtol=0.05)
    assert np.median(np.abs(result.parameters.F_p / truth["F_p"] - 1)) < 1e-3
    assert result.valid.all()


def test_the_deviation_grows_with_the_noise(a_patient):
    quiet, loud = (patient_like(Patient.REST, seed=3, voxels=60, tissue_noise=noise) for noise in (0.01, 0.06))
    deviations = [
        np.median(result.sd.F_p / result.parameters.F_p)
        for result in (fit(reference.curves, reference.aif, MAP) for reference in (quiet, loud))
    ]
    assert deviations[1] > 1.8 * deviations[0]


def test_the_curve_shown_is_an_exact_solution_that_fits(a_patient, fitted_patient):
    misfit = fitted_patient.residual / a_patient.sigma
    assert 0.85 < np.median(misfit) < 1.1


@pytest.mark.parametrize("voxels", [1, 2, 12])
def test_a_few_voxels_lean_on_the_weak_default(voxels, a_patient):
    result = fit(some(a_patient, slice(100, 100 + voxels)), a_patient.aif, MAP)
    truth = a_patient.truth.F_p[100 : 100 + voxels]
    assert result.valid.all()
    assert (np.abs(np.log(result.parameters.F_p / truth)) < 4 * result.sd.F_p / result.parameters.F_p).all()


def test_identical_voxels_get_identical_answers(a_patient):
    result = fit(some(a_patient, None, np.tile(a_patient.curves.C_t[100], (20, 1))), a_patient.aif, MAP)
    for _, values in result.parameters.items():
        assert np.isfinite(values).all() and np.ptp(values) < 1e-9


def test_a_flat_voxel_is_marked_and_leaves_the_others_alone(a_patient):
    C_t = a_patient.curves.C_t[100:130].copy()
    alone = fit(some(a_patient, None, C_t[2:]), a_patient.aif, MAP)
    C_t[0], C_t[1] = 0.0, 1e-9
    result = fit(some(a_patient, None, C_t), a_patient.aif, MAP)
    assert result.reasons[:2] == ["no enhancement above the noise"] * 2
    np.testing.assert_allclose(result.parameters.F_p[2:], alone.parameters.F_p, rtol=0.15)


@pytest.mark.parametrize("spike", [0.6, 30.0, -3.0])
def test_a_spike_does_not_move_the_flow_much_and_is_told(spike, a_patient):
    rows = slice(100, 140)
    clean = fit(some(a_patient, rows), a_patient.aif, MAP)
    C_t = a_patient.curves.C_t[rows].copy()
    C_t[3, 30] += spike * C_t[3].max()
    result = fit(some(a_patient, None, C_t), a_patient.aif, MAP)
    assert not result.valid[3] and result.valid[4]
    assert result.parameters.F_p[3] == pytest.approx(clean.parameters.F_p[3], rel=0.2)


def test_five_frames_with_a_known_delay_are_fitted(a_patient):
    frames = np.linspace(8, 55, 5).astype(int)
    few = TissueCurves.on_one_clock(a_patient.curves.time[0, frames], a_patient.curves.C_t[100:120][:, frames])
    result = fit(few, a_patient.aif, MAP_FIXED)
    assert result.valid.all() and np.isfinite(result.sd.F_p).all()
    assert (result.sd.F_p / result.parameters.F_p).min() > 0.05


def test_no_valid_voxel_holds_a_number_that_is_none(a_patient):
    C_t = np.random.default_rng(4).normal(0, 1, (40, a_patient.curves.C_t.shape[1])) * np.logspace(-6, 3, 40)[:, None]
    C_t[:20] += a_patient.curves.C_t[:20]
    result = fit(some(a_patient, None, C_t), a_patient.aif, MAP)
    for part in (result.parameters, result.sd):
        assert all(np.isfinite(values[result.valid]).all() for _, values in part.items())


def test_a_clock_of_its_own_does_not_cut_a_slice_off_from_the_prior(a_patient):
    time = a_patient.curves.time[0]
    times = np.stack([time, time + 0.2])
    later = tissue_curve(a_patient.aif, times[1], **{k: v[100:] for k, v in a_patient.truth.items()})
    noisy = later + a_patient.sigma * np.random.default_rng(1).standard_normal(later.shape)
    both = TissueCurves(
        times, np.repeat([0, 1], [100, len(later)]), np.concatenate([a_patient.curves.C_t[:100], noisy])
    )
    result = fit(both, a_patient.aif, MAP)
    error = np.abs(result.parameters.F_p / a_patient.truth.F_p - 1)
    assert np.median(error[:100]) < 0.2 and np.median(error[100:]) < 0.12


def test_it_can_be_cancelled_within_half_a_second(a_patient):
    started, heard = clock.perf_counter(), []

    def hear(event):
        heard.append(clock.perf_counter() - started)

    fit(a_patient.curves, a_patient.aif, MAP, hear)
    assert np.diff([0.0, *heard]).max() < 2.0
    assert np.median(np.diff(heard)) < 0.25

    def cancel(event):
        if clock.perf_counter() - begun > 0.2:
            raise Cancelled

    begun = clock.perf_counter()
    with pytest.raises(Cancelled):
        fit(a_patient.curves, a_patient.aif, MAP, cancel)


@pytest.mark.parametrize("limits", [(0.0, 0.0), (-1.0, 6.0)])
def test_compressed_curves_are_the_exact_ones(limits, a_patient):
    time = a_patient.curves.time[0]
    whole = Compression.of(a_patient.aif, time, np.ones(time.size), limits)
    x = np.log([0.02, 0.06, 0.2, 0.015]) + np.random.default_rng(0).normal(0, 1.0, (300, 4))
    if limits[1] > limits[0]:
        x = np.column_stack([x, np.random.default_rng(1).uniform(*limits, 300)])
    C_t = exact(a_patient.aif, time, x, 0.0)
    off = np.abs(whole.curves(x) @ whole.basis.T - C_t).max(axis=1)
    assert (off < 1e-3 * np.maximum(C_t.max(axis=1), 1e-3)).mean() > 0.98
    assert np.median(off / np.maximum(C_t.max(axis=1), 1e-9)) < 1e-4


def test_the_derivatives_of_compressed_curves_are_those_of_differences(a_patient):
    time, h = a_patient.curves.time[0], 0.03
    whole = Compression.of(a_patient.aif, time, np.ones(time.size), (-1.0, 2.0))
    x = np.column_stack([np.tile(np.log([0.02, 0.06, 0.2, 0.015]), (5, 1)), [0.0, 0.3, 0.7, 1.1, 1.6]])
    _, J = whole.sensitivities(x)
    for j in range(5):
        step = h * np.eye(5)[j]
        measured = (whole.curves(x + step) - whole.curves(x - step)).T / (2 * h)
        np.testing.assert_allclose(J[j], measured, atol=0.02 * np.abs(measured).max())


def test_noise_is_told_from_residuals_also_where_voxels_differ():
    draw = np.random.default_rng(0)
    alike, unlike = (
        draw.normal(0, 0.1, (800, 60)),
        draw.normal(0, 1, (800, 60)) * np.exp(draw.normal(-2, 0.5, (800, 1))),
    )
    assert np.sqrt(NoiseLevel.of([alike], 0).variance) == pytest.approx(0.1, rel=0.02)
    assert NoiseLevel.of([alike], 0).freedom > 200
    assert 1 < NoiseLevel.of([unlike], 0).freedom < 20


def test_a_frame_far_off_is_found_and_noise_is_not():
    residual = np.random.default_rng(0).normal(0, 0.1, (500, 60))
    assert outlying(residual, 5).mean() < 1e-4
    residual[3, 17] = 1.5
    assert outlying(residual, 5)[3, 17]
    assert not outlying(residual[:, :6], 5).any()


def test_only_spikes_are_smoothed_away(a_patient):
    exact_curves = a_patient.C_t_exact
    np.testing.assert_array_equal(without_spikes(exact_curves), exact_curves)
    spoilt = exact_curves.copy()
    spoilt[:, 40] += 3.0
    np.testing.assert_allclose(without_spikes(spoilt)[:, 40], exact_curves[:, [39, 41]].mean(axis=1))


def test_a_weighted_median_halves_the_weight():
    values = np.random.default_rng(0).normal(0, 1, (20, 5001))
    weight = np.exp(-((values - 1) ** 2 - values**2) / 2)
    np.testing.assert_allclose(weighted_median(values, weight / weight.sum(axis=1, keepdims=True)), 1.0, atol=0.12)


def test_a_discrete_forward_model_can_take_the_exact_one_s_place(a_twin):
    few = some(a_twin, slice(0, 30))
    usual = fit(few, a_twin.aif, MAP_FIXED)
    given = fit_map(few, a_twin.aif, MAP_FIXED, silent, convolution=ExponentialConvolution)
    np.testing.assert_array_equal(usual.parameters.F_p, given.parameters.F_p)


def test_an_input_of_other_samples_gives_the_same_flow(a_patient):
    time = a_patient.aif.time
    finer = np.sort(np.concatenate([time, (time[1:] + time[:-1]) / 2]))
    again = fit(some(a_patient, slice(100, 160)), ArterialInput(finer, a_patient.aif(finer)), MAP)
    first = fit(some(a_patient, slice(100, 160)), a_patient.aif, MAP)
    np.testing.assert_allclose(again.parameters.F_p, first.parameters.F_p, rtol=0.05)


@pytest.mark.parametrize("spike", [0.0, 0.6])
def test_batches_do_not_change_a_voxel_s_answer(spike, a_patient):
    C_t = a_patient.curves.C_t[90:130].copy()
    C_t[3, 30] += spike * C_t[3].max()
    curves = some(a_patient, None, C_t)
    results = [fit(curves, a_patient.aif, FitSettings(Method.MAP, chunk=size)) for size in (40, 7)]
    np.testing.assert_allclose(results[0].parameters.F_p, results[1].parameters.F_p, rtol=1e-6)
