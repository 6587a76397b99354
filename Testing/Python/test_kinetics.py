"""The exact solution of the 2CXM against its own equations, an independent ODE solver and its limits."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp, trapezoid

from MyoPINNLib.aif import ArterialInput, Interpolation
from MyoPINNLib.convolution import ExponentialConvolution
from MyoPINNLib.errors import InputError
from MyoPINNLib.kinetics import (
    Rates,
    blood_from_plasma,
    compartment_curves,
    extraction,
    mass_balance,
    mean_transit_time,
    myocardial_blood_flow,
    tissue_balance,
    tissue_curve,
    tissue_response,
    tissue_sensitivity,
    transfer_constant,
)

HEART = {"F_p": 0.025, "v_p": 0.06, "v_e": 0.2, "PS": 0.018}
JITTERED = np.cumsum(np.random.default_rng(3).uniform(0.5, 1.1, 70))


def bolus(t):
    """A first pass that begins smoothly at 4 s, mM."""
    return 6.0 * np.clip(t - 4, 0, None) ** 3 / 27 * np.exp(3 - np.clip(t - 4, 0, None))


def ode(aif, time, F_p, v_p, v_e, PS):
    """C_p, C_e by an adaptive solver, a step at a time between the input's knots."""
    knots = np.unique(np.concatenate([aif.knots[aif.knots < time[-1]], time]))
    state, found = np.zeros(2), []
    right = lambda t, y: [  # noqa: E731
        (F_p * (aif(t) - y[0]) + PS * (y[1] - y[0])) / v_p,
        PS * (y[0] - y[1]) / v_e,
    ]
    for start, end in zip(knots[:-1], knots[1:]):
        state = solve_ivp(right, (start, end), state, method="LSODA", rtol=1e-11, atol=1e-13).y[:, -1]
        found.append((end, *state))
    ends = np.array(found)
    return ends[np.isin(ends[:, 0], time), 1:].T


@pytest.fixture
def an_aif():
    return ArterialInput(JITTERED, bolus(JITTERED))


@pytest.mark.parametrize("interpolation", list(Interpolation))
def test_the_solution_is_that_of_an_adaptive_ode_solver(interpolation):
    aif = ArterialInput(JITTERED, bolus(JITTERED), interpolation)
    times = JITTERED[0] + np.array([3.3, 7.1, 9.0, 14.2, 30.0, 45.5])
    expected = ode(aif, times, **HEART)
    C_p, C_e = compartment_curves(aif, times, **HEART)
    np.testing.assert_allclose(np.stack([C_p[0], C_e[0]]), expected, atol=2e-9 * aif.C_ap.max())


@pytest.mark.parametrize(
    "unusual",
    [{"v_p": 0.002}, {"v_e": 0.9}, {"v_e": 0.003}, {"PS": 3e-5}, {"PS": 0.2}, {"F_p": 0.13}, {"F_p": 8e-4}],
    ids=str,
)
def test_the_solution_holds_at_the_ends_of_the_fitted_range(an_aif, unusual):
    given, times = {**HEART, **unusual}, JITTERED[[10, 20, 40, 69]]
    C_p, C_e = compartment_curves(an_aif, times, **given)
    np.testing.assert_allclose(np.stack([C_p[0], C_e[0]]), ode(an_aif, times, **given), atol=5e-9 * an_aif.C_ap.max())


def test_the_mass_balance_of_the_exact_solution_is_zero(an_aif):
    time = np.linspace(JITTERED[0] + 0.5, 40, 4001)
    C_p, C_e = compartment_curves(an_aif, time, **HEART)
    dC_p, dC_e = np.gradient(C_p[0], time, edge_order=2), np.gradient(C_e[0], time, edge_order=2)
    r_p, r_e = mass_balance(C_p[0], C_e[0], an_aif(time), dC_p, dC_e, **HEART)
    dC_t = HEART["v_p"] * dC_p + HEART["v_e"] * dC_e
    r_t = tissue_balance(dC_t, C_p[0], an_aif(time), F_p=HEART["F_p"])
    assert max(np.abs(r).max() for r in (r_p, r_e, r_t)) < 1e-5
    np.testing.assert_allclose(r_t, r_p + r_e, atol=1e-12)


def test_tensorflow_computes_the_same_mass_balance(an_aif):
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra 'engine')")
    C_p, C_e = compartment_curves(an_aif, JITTERED, **HEART)
    curves = (C_p, C_e, an_aif(JITTERED), np.gradient(C_p[0])[None], np.gradient(C_e[0])[None])
    as_numpy = mass_balance(*curves, **HEART)
    as_tensor = mass_balance(*[tf.constant(c, dtype=tf.float64) for c in curves], **HEART)
    np.testing.assert_allclose([t.numpy() for t in as_tensor], as_numpy, rtol=1e-12)


def test_the_tissue_curve_is_the_sum_of_its_compartments(an_aif):
    C_p, C_e = compartment_curves(an_aif, JITTERED, **HEART)
    np.testing.assert_allclose(tissue_curve(an_aif, JITTERED, **HEART), 0.06 * C_p + 0.2 * C_e, rtol=1e-10, atol=1e-14)


def test_the_area_ratio_is_the_distribution_volume():
    aif = ArterialInput.from_function(bolus, np.linspace(0, 40, 60))
    time = np.linspace(0, 4000, 200001)
    area = trapezoid(tissue_curve(aif, time, **HEART)[0], time) / trapezoid(aif(time), time)
    assert area == pytest.approx(0.06 + 0.2, rel=1e-4)


def test_the_initial_slope_after_a_step_is_the_flow():
    step = ArterialInput(np.array([0.0, 1e-9, 10.0]), np.array([0.0, 5.0, 5.0]), Interpolation.LINEAR)
    C_t = tissue_curve(step, np.array([1e-3]), **HEART)
    assert C_t[0, 0] / (5.0 * 1e-3) == pytest.approx(HEART["F_p"], rel=1e-3)


def one_compartment(aif, time, flow, volume):
    return flow * ExponentialConvolution(aif, time)(np.array([flow / volume]))[0].T


def test_without_exchange_there_is_one_compartment(an_aif):
    C_t = tissue_curve(an_aif, JITTERED, **{**HEART, "PS": 0.0})
    np.testing.assert_allclose(C_t, one_compartment(an_aif, JITTERED, 0.025, 0.06), atol=1e-12)


@pytest.mark.parametrize("endless", [1e6, np.inf])
def test_endless_exchange_makes_one_compartment_of_two(an_aif, endless):
    C_t = tissue_curve(an_aif, JITTERED, **{**HEART, "PS": endless})
    np.testing.assert_allclose(C_t, one_compartment(an_aif, JITTERED, 0.025, 0.26), atol=1e-7)


def test_without_interstitium_there_is_one_compartment(an_aif):
    C_t = tissue_curve(an_aif, JITTERED, **{**HEART, "v_e": 0.0})
    np.testing.assert_allclose(C_t, one_compartment(an_aif, JITTERED, 0.025, 0.06), atol=1e-8)


def test_without_plasma_volume_the_interstitium_is_fed_at_K_trans(an_aif):
    C_t = tissue_curve(an_aif, JITTERED, **{**HEART, "v_p": 0.0})
    K_trans = transfer_constant(0.025, 0.018)
    np.testing.assert_allclose(C_t, one_compartment(an_aif, JITTERED, K_trans, 0.2), atol=1e-8)


def test_nothing_flows_where_there_is_no_flow(an_aif):
    for PS in (0.0, 0.02):
        assert np.array_equal(tissue_curve(an_aif, JITTERED, **{**HEART, "F_p": 0.0, "PS": PS}), np.zeros((1, 70)))


def test_a_delay_shifts_the_curve(an_aif):
    late = tissue_curve(an_aif, JITTERED, **HEART, T_a=1.7)
    np.testing.assert_allclose(late, tissue_curve(an_aif, JITTERED - 1.7, **HEART), atol=1e-12)
    np.testing.assert_allclose(late, tissue_curve(an_aif.delayed(1.7), JITTERED, **HEART), atol=1e-12)


def test_each_voxel_may_have_its_own_delay_and_times(an_aif):
    delays, times = np.array([0.0, 1.7, -0.4]), np.stack([JITTERED, JITTERED + 0.3, JITTERED + 0.1])
    together = tissue_curve(an_aif, times, **HEART, T_a=delays)
    apart = [tissue_curve(an_aif, t, **HEART, T_a=d)[0] for t, d in zip(times, delays)]
    np.testing.assert_allclose(together, apart, atol=1e-12)


@pytest.mark.parametrize("own_delays", [False, True])
def test_the_sensitivities_are_the_differences_of_the_curve(an_aif, own_delays):
    names, T_a, step = ("F_p", "v_p", "v_e", "PS"), 0.8, 1e-6
    values = np.array([[0.025, 0.002], [0.06, 0.15], [0.2, 0.4], [0.018, 0.001]])
    times = JITTERED - T_a if not own_delays else (JITTERED - T_a)[:, None].repeat(2, 1)
    convolve = ExponentialConvolution(an_aif, times)
    rates = Rates.of(**dict(zip(names, values)))
    C_t, response = tissue_response(convolve, rates, values[0])
    C_ap = convolve.C_ap if own_delays else convolve.C_ap[:, None]
    J = tissue_sensitivity(C_t, response, rates, values[0], C_ap)
    curve = lambda v, d: tissue_curve(an_aif, JITTERED, **dict(zip(names, v)), T_a=d).T  # noqa: E731
    for row in range(4):
        up, down = values.copy(), values.copy()
        up[row] *= np.exp(step)
        down[row] *= np.exp(-step)
        np.testing.assert_allclose(J[row], (curve(up, T_a) - curve(down, T_a)) / (2 * step), atol=3e-8)
    np.testing.assert_allclose(J[4], (curve(values, T_a + step) - curve(values, T_a - step)) / (2 * step), atol=3e-7)


def test_a_negative_parameter_is_refused_with_its_value(an_aif):
    with pytest.raises(InputError, match=r"PS is -0.1 in 1 of 1 voxels"):
        tissue_curve(an_aif, JITTERED, **{**HEART, "PS": -0.1})


def test_flow_per_gram_does_not_depend_on_haematocrit():
    flows = [myocardial_blood_flow(0.02 * (1 - hct), hct=hct, density=1.05) for hct in (0.0, 0.3, 0.6)]
    np.testing.assert_allclose(flows, 0.02 / 1.05, rtol=1e-15)
    assert blood_from_plasma(0.055, hct=0.45) == pytest.approx(0.1)


def test_derived_quantities_follow_their_definitions():
    assert extraction(0.02, 0.02) == 0.5
    assert transfer_constant(0.02, 0.02) == pytest.approx(0.01)
    assert mean_transit_time(0.02, 0.05, 0.15) == pytest.approx(10.0)
