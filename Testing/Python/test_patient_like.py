"""Patient-like curves: what they promise."""

import numpy as np
import pytest

from MyoPINNLib.quantities import shown
from MyoPINNLib.simulate.objects import sick_fifth, two_kinds
from MyoPINNLib.simulate.patient_like import (
    INPUT_NOISE,
    LONGEST_DELAY,
    TISSUE_NOISE,
    Patient,
    ischaemic,
    patient_like,
)


@pytest.fixture(scope="module", params=list(Patient), ids=lambda condition: condition.name)
def a_study(request):
    return request.param, patient_like(request.param, seed=5, voxels=800)


def test_frames_come_with_the_heartbeat(a_study):
    steps = np.diff(a_study[1].curves.time[0])
    assert 60 <= steps.size + 1 <= 70
    assert 0.5 < steps.min() < steps.max() < 1.1 and np.ptp(steps) > 0.02


def test_the_input_passes_and_comes_round_again(a_study):
    aif = a_study[1].aif
    peak = aif.C_ap.argmax()
    later = aif.C_ap[peak:]
    assert later[5:].min() < later[10:].max() < aif.C_ap[peak] / 2


def test_the_noise_is_as_large_as_its_name_says(a_study):
    reference = a_study[1]
    noise = (reference.curves.C_t - reference.C_t_exact).std()
    assert noise == pytest.approx(TISSUE_NOISE * np.median(reference.C_t_exact.max(axis=1)), rel=0.02)
    before = reference.aif.C_ap[reference.aif.time < 4.0]
    assert 0.3 * INPUT_NOISE < before.std() / reference.aif.C_ap.max() < 3 * INPUT_NOISE


def test_delays_fill_their_range(a_study):
    T_a = a_study[1].truth.T_a
    assert 0 <= T_a.min() < 0.05 and LONGEST_DELAY - 0.05 < T_a.max() <= LONGEST_DELAY


def test_a_fifth_is_ischaemic_at_stress_and_none_at_rest(a_study):
    condition, reference = a_study
    sick = ischaemic(reference.truth, condition)
    if condition is Patient.REST:
        assert not sick.any()
    else:
        assert sick.mean() == pytest.approx(0.2)
        flows = reference.truth.F_p
        assert np.median(flows[sick]) == pytest.approx(np.median(flows[~sick]) / 3, rel=0.1)


def test_a_seed_repeats_its_study_and_another_does_not():
    first, again, other = (patient_like(Patient.REST, seed=seed, voxels=5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.curves.C_t, again.curves.C_t)
    assert not np.array_equal(first.truth.F_p, other.truth.F_p)


def test_two_kinds_of_muscle_differ_in_flow_alone():
    truth, sick = two_kinds(seed=3, voxels=1000).truth, sick_fifth(1000)
    assert np.median(truth.F_p[sick]) == pytest.approx(np.median(truth.F_p[~sick]) / 3, rel=0.1)
    assert np.median(shown("PS", truth.PS[sick])) == pytest.approx(np.median(shown("PS", truth.PS[~sick])), rel=0.1)
