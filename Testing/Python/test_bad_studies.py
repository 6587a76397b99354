"""Studies that should not be: every method that needs no network gives a clear word or a marked voxel, never a wild number as valid."""

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.errors import InputError
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit

pytestmark = pytest.mark.filterwarnings("error")
HEALTHY = slice(60, 84)
ON_TIME = 0.4
ALONE = [method for method in Method if not method.is_network]


@pytest.fixture(scope="module", params=ALONE, ids=lambda method: method.value)
def method(request):
    return request.param


@pytest.fixture(scope="module")
def a_patient():
    return patient_like(Patient.STRESS, seed=3, voxels=200)


@pytest.fixture(scope="module")
def healthy(a_patient):
    return a_patient.curves.C_t[HEALTHY]


@pytest.fixture
def fitted(method, a_patient):
    """fitted(curves, time=, aif=, delay=): the result, after the promise that holds for every study was checked."""

    def solve(C_t, *, time=a_patient.curves.time[0], aif=a_patient.aif, delay=Delay.FIT):
        result = fit(TissueCurves.on_one_clock(time, C_t), aif, FitSettings(method=method, delay=delay))
        for _, values in result.parameters.items():
            assert np.isfinite(values[result.valid]).all()
        assert np.isfinite(result.sd.F_p[result.valid]).all() and (result.sd.F_p[result.valid] >= 0).all()
        told = result.C_t[result.valid]
        if method is Method.FERMI:  # its curve ends with the first pass, for all voxels at once
            told = told[:, np.isfinite(told).any(axis=0)]
        assert np.isfinite(told).all() and (told.size or not result.valid.any())
        assert all(bool(reason) != valid for reason, valid in zip(result.reasons, result.valid))
        return result

    return solve


def bias(result, truth):
    """Median relative error of the flow."""
    return np.median(result.parameters.F_p / truth.F_p[HEALTHY][: len(result.C_t)] - 1)


@pytest.mark.parametrize("voxels", [1, 2])
def test_one_or_two_voxels_are_a_study(voxels, healthy, a_patient, fitted):
    result = fitted(healthy[:voxels])
    assert result.valid.all() and abs(bias(result, a_patient.truth)) < 0.5


def test_identical_voxels_get_one_answer(healthy, fitted):
    result = fitted(np.tile(healthy[5], (30, 1)))
    assert result.valid.all() and np.ptp(result.parameters.F_p) < 1e-9


@pytest.mark.parametrize("share", [0.0, 0.02])
def test_a_study_without_enhancement_is_marked_whole(share, healthy, fitted):
    noise = share * healthy.max() * np.random.default_rng(0).standard_normal(healthy.shape)
    assert set(fitted(noise).reasons) == {"no enhancement above the noise"}


def test_curves_that_fall_are_no_enhancement(healthy, fitted):
    assert not fitted(-healthy).valid.any()


def test_dead_voxels_do_not_change_the_living(healthy, fitted):
    noise = 0.01 * healthy.max() * np.random.default_rng(1).standard_normal(healthy.shape)
    mixed, alone = fitted(np.concatenate([healthy, 0 * healthy, noise])), fitted(healthy)
    assert not mixed.valid[len(healthy) :].any()
    change = mixed.parameters.F_p[: len(healthy)] / alone.parameters.F_p - 1
    assert np.median(np.abs(change)) < 0.02


def test_spikes_before_the_first_pass_ends_are_marked_or_do_no_harm(healthy, a_patient, fitted):
    spoilt, row = healthy.copy(), np.arange(0, len(healthy), 4)
    spoilt[row, 12] += 5 * healthy.max()
    result, others = fitted(spoilt), np.ones(len(healthy), dtype=bool)
    others[row] = False
    assert not result.valid[row].any() and result.valid[others].mean() > 0.8
    clean = fitted(healthy)
    change = result.parameters.F_p[others] / clean.parameters.F_p[others] - 1
    assert np.median(np.abs(change)) < 0.05


def test_curves_that_are_no_numbers_are_told_and_leave_the_others_alone(healthy, fitted):
    spoilt = healthy.copy()
    spoilt[3, 4], spoilt[7] = np.nan, np.inf
    result = fitted(spoilt)
    words = [result.reasons[row] for row in (3, 7)]
    assert words == ["the curve holds values that are not numbers"] * 2
    assert result.valid.mean() > 0.8


@pytest.mark.parametrize(("late", "delay"), [(3.0, Delay.FIT), (15.0, Delay.FIXED)])
def test_an_input_later_than_the_tissue_is_not_believed(late, delay, healthy, a_patient, fitted):
    time, aif = a_patient.aif.time, a_patient.aif
    result = fitted(healthy, aif=ArterialInput(time, aif(time - late)), delay=delay)
    assert result.valid.mean() < 0.2


@pytest.mark.parametrize("gone", [[0, 1], [2, 5]])
def test_frames_that_the_input_lacks_near_its_peak_move_the_flow_little(gone, healthy, a_patient, fitted):
    aif = a_patient.aif
    kept = np.setdiff1d(np.arange(aif.time.size), int(np.argmax(aif.C_ap)) + np.array(gone))
    whole, gapped = fitted(healthy), fitted(healthy, aif=ArterialInput(aif.time[kept], aif.C_ap[kept]))
    assert gapped.valid.mean() > 0.85
    change = gapped.parameters.F_p / whole.parameters.F_p - 1
    assert abs(np.median(change)) < 0.1


def test_an_input_with_a_frame_that_is_no_number_is_refused_in_words(a_patient):
    C_ap = np.array(a_patient.aif.C_ap)
    C_ap[10] = np.nan
    with pytest.raises(InputError, match="values that are not numbers"):
        ArterialInput(a_patient.aif.time, C_ap)


def test_five_frames_are_too_few_to_seek_the_delay(method, healthy, a_patient, fitted):
    frames = np.linspace(8, 55, 5).astype(int)
    result = fitted(healthy[:, frames], time=a_patient.curves.time[0, frames])
    assert set(result.reasons) == {"fewer frames than parameters"}


@pytest.mark.parametrize("frames", [range(8, 13), range(8, 56, 11)], ids=["wash-in", "spread"])
def test_five_frames_with_a_known_delay_give_a_flow_of_the_right_size(frames, a_patient, fitted):
    on_time, frames = np.flatnonzero(a_patient.truth.T_a < ON_TIME), list(frames)
    time = a_patient.curves.time[0, frames]
    result = fitted(a_patient.curves.C_t[on_time][:, frames], time=time, delay=Delay.FIXED)
    flow = (result.parameters.F_p / a_patient.truth.F_p[on_time])[result.valid]
    assert flow.size == 0 or 0.4 < np.median(flow) < 2.5


@pytest.mark.parametrize("scale", [1e6, 1e-9])
def test_curves_in_the_wrong_unit_are_not_believed(scale, healthy, fitted):
    assert not fitted(scale * healthy).valid.any()
