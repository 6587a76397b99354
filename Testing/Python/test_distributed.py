"""Distributed-parameter tissue obeys what its equations promise."""

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.simulate.distributed import distributed_curve, distributed_residue
from MyoPINNLib.simulate.passage import gamma_variate

HEART = {"F_p": 0.03, "v_p": 0.07, "v_e": 0.2, "PS": 0.02}
TIME = np.linspace(0.0, 60.0, 121)


def bolus(t):
    return 8 * gamma_variate(np.asarray(t) - 3.0, 4.0, 2.8)


@pytest.fixture(scope="module")
def an_input():
    return ArterialInput.from_function(bolus, np.linspace(0, 80, 81))


def curve(an_input, time=TIME, **changed):
    return distributed_curve(an_input, time, **(HEART | changed))[0]


def tube(an_input, cells, end):
    """C_t at ``end`` of the two equations by characteristics: plasma moves one cell a step, exchange exact in each cell."""
    F_p, v_p, v_e, PS = HEART.values()
    step = v_p / F_p / cells
    C_p, C_e = np.zeros(cells), np.zeros(cells)
    both, rate = v_p + v_e, PS * (1 / v_p + 1 / v_e)
    for n in range(round(end / step)):
        C_p = np.concatenate([[an_input((n + 0.5) * step)], C_p[:-1]])
        mean, apart = (v_p * C_p + v_e * C_e) / both, (C_p - C_e) * np.exp(-rate * step)
        C_p, C_e = mean + v_e / both * apart, mean - v_p / both * apart
    return (v_p * C_p + v_e * C_e).mean()


def test_the_residue_starts_at_the_flow_and_stays_until_the_plug_has_left():
    early = distributed_residue(np.array([0.0, 1.0, 2.3]), **HEART)
    np.testing.assert_allclose(early, HEART["F_p"])


def test_what_the_plug_leaves_behind_is_the_extraction_of_crone_and_renkin():
    left = distributed_residue(HEART["v_p"] / HEART["F_p"], **HEART)
    assert left == pytest.approx(HEART["F_p"] * (1 - np.exp(-HEART["PS"] / HEART["F_p"])))


@pytest.mark.parametrize("PS", [0.002, 0.02, 0.2])
def test_the_area_of_the_residue_is_both_volumes(PS):
    transit = HEART["v_p"] / HEART["F_p"]
    since = np.linspace(0, 3000, 600_001)
    rest = np.trapezoid(distributed_residue(transit + since, **(HEART | {"PS": PS})), since)
    assert HEART["v_p"] + rest == pytest.approx(HEART["v_p"] + HEART["v_e"], rel=2e-3)


def test_without_exchange_plasma_is_a_plug(an_input):
    transit = HEART["v_p"] / HEART["F_p"]
    fine = np.linspace(0, 1, 4001)
    expected = [HEART["F_p"] * transit * np.trapezoid(an_input(t - transit * fine), fine) for t in TIME]
    np.testing.assert_allclose(curve(an_input, PS=0.0), expected, atol=1e-5)


def test_without_back_flux_the_extracted_agent_stays(an_input):
    late = np.array([55.0, 75.0])
    kept = curve(an_input, late, v_e=1e9)
    dose = 8 * np.trapezoid(gamma_variate(np.linspace(0, 70, 70_001), 4.0, 2.8), dx=1e-3)
    np.testing.assert_allclose(kept, HEART["F_p"] * (1 - np.exp(-HEART["PS"] / HEART["F_p"])) * dose, rtol=1e-3)


def test_boundless_exchange_moves_the_bolus_as_one_plug_of_both_volumes(an_input):
    slow = curve(an_input, TIME, PS=20.0)
    plug = curve(an_input, TIME, PS=0.0, v_p=HEART["v_p"] + HEART["v_e"])
    np.testing.assert_allclose(slow, plug, atol=0.02 * plug.max())


@pytest.mark.parametrize("end", [8.0, 14.0, 40.0])
def test_the_closed_form_solves_the_equations(end, an_input):
    cells = 1500
    end = round(end / (HEART["v_p"] / HEART["F_p"] / cells)) * (HEART["v_p"] / HEART["F_p"] / cells)
    assert curve(an_input, np.array([end]))[0] == pytest.approx(tube(an_input, cells, end), rel=1e-3)


def test_what_flows_in_is_kept_or_has_flowed_out(an_input):
    fine = np.linspace(0, 60, 6001)
    C_t = curve(an_input, fine)
    out = an_input(fine) - np.gradient(C_t, fine) / HEART["F_p"]
    assert out.min() > -0.01 * an_input(fine).max()
    assert np.abs(out[fine < 3.0 + HEART["v_p"] / HEART["F_p"] - 0.1]).max() < 0.01 * an_input(fine).max()


def test_a_delay_shifts_the_curve(an_input):
    np.testing.assert_allclose(curve(an_input, TIME, T_a=1.5), curve(an_input, TIME - 1.5), atol=1e-6)
