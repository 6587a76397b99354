"""A dispersed input loses nothing, comes later and is broader."""

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.simulate.dispersion import SPREADS, dispersed, dispersed_curve
from MyoPINNLib.simulate.passage import gamma_variate
from MyoPINNLib.simulate.patient_like import Patient, patient_like

FINE = np.linspace(0, 120, 24_001)


@pytest.fixture(scope="module")
def an_input():
    return ArterialInput.from_function(lambda t: 8 * gamma_variate(t - 3.0, 4.0, 2.8), np.linspace(0, 120, 121))


def moments(aif):
    """Area, mean time and variance of an input that returns to zero."""
    C_ap = aif(FINE)
    area = np.trapezoid(C_ap, FINE)
    mean = np.trapezoid(FINE * C_ap, FINE) / area
    return area, mean, np.trapezoid((FINE - mean) ** 2 * C_ap, FINE) / area


@pytest.mark.parametrize("stages", [1, 3])
def test_no_agent_is_lost_and_time_adds_up(stages, an_input):
    spread = 2.0
    before, after = moments(an_input), moments(dispersed(an_input, spread=spread, stages=stages))
    assert after[0] == pytest.approx(before[0], rel=1e-3)
    assert after[1] - before[1] == pytest.approx(spread, rel=1e-2)
    assert after[2] - before[2] == pytest.approx(spread**2 / stages, rel=2e-2)


def test_one_stage_obeys_its_differential_equation(an_input):
    spread = 1.5
    behind = dispersed(an_input, spread=spread)
    slope = spread * np.gradient(behind(FINE), FINE)
    np.testing.assert_allclose(slope[1:-1], (an_input(FINE) - behind(FINE))[1:-1], atol=2e-3 * 8)


def test_without_spread_the_input_is_the_same(an_input):
    assert dispersed(an_input, spread=0.0) is an_input


def test_a_short_spread_is_almost_a_delay(an_input):
    behind = dispersed(an_input, spread=0.05)
    np.testing.assert_allclose(behind(FINE), an_input(FINE - 0.05), atol=0.01 * 8)


def test_each_third_of_the_voxels_has_a_spread_of_its_own(an_input):
    time, heart = np.linspace(0, 50, 70), {"F_p": 0.03, "v_p": 0.07, "v_e": 0.2, "PS": 0.02}
    C_t = dispersed_curve(an_input, time, **{name: np.full(7, value) for name, value in heart.items()})
    for turn, spread in enumerate(SPREADS):
        expected = tissue_curve(dispersed(an_input, spread=spread), time, **heart)[0]
        np.testing.assert_allclose(C_t[turn::3], np.tile(expected, (len(C_t[turn::3]), 1)), atol=1e-9)


def test_a_study_can_be_made_of_other_tissue():
    usual, other = (
        patient_like(Patient.STRESS, seed=5, voxels=30, tissue=tissue) for tissue in (tissue_curve, dispersed_curve)
    )
    np.testing.assert_array_equal(usual.truth.F_p, other.truth.F_p)
    assert np.abs(usual.C_t_exact - other.C_t_exact).max() > 0.02 * usual.C_t_exact.max()
