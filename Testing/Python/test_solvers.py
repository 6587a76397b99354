"""The solvers against exact curves: they recover what went in, say what they cannot, and obey the physics."""

from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput, first_pass_end
from MyoPINNLib.errors import Cancelled, FitError, InputError
from MyoPINNLib.events import Progress
from MyoPINNLib.fit import KineticParameters, Outcome, TissueCurves
from MyoPINNLib.kinetics import myocardial_blood_flow, tissue_curve
from MyoPINNLib.one_shot_settings import OneShotSettings
from MyoPINNLib.pipeline import limits_for
from MyoPINNLib.settings import Delay, FitSettings, Method, Settings
from MyoPINNLib.solvers import fit

TIME = np.cumsum(np.random.default_rng(5).uniform(0.62, 0.78, 60))
TRUTH = {
    "F_p": np.array([0.008, 0.02, 0.03, 0.04]),
    "v_p": np.array([0.08, 0.06, 0.12, 0.1]),
    "v_e": np.array([0.2, 0.15, 0.25, 0.1]),
    "PS": np.array([0.01, 0.015, 0.02, 0.008]),
}
DELAYS = np.array([0.0, 0.7, 1.4, -0.3])
NLLS = FitSettings(method=Method.NLLS)
NLLS_FIXED = replace(NLLS, delay=Delay.FIXED)
ALONE = [method for method in Method if not method.is_network]  # the networks: test_networks.py


def blood(t):
    """Plasma concentration of a first pass and its recirculation, mM."""
    first, second = np.clip(t - 6, 0, None) / 4, np.clip(t - 18, 0, None) / 8
    return (
        8 * first**3 * np.exp(3 * (1 - first)) + 0.7 * second**3 * np.exp(3 * (1 - second)) + 1.5 * (1 - np.exp(-first))
    )


@pytest.fixture(scope="module")
def an_exact_aif():
    return ArterialInput.from_function(blood, np.linspace(0, 60, 80))


@pytest.fixture(scope="module")
def curves(an_exact_aif):
    return TissueCurves.on_one_clock(TIME, tissue_curve(an_exact_aif, TIME, **TRUTH))


@pytest.fixture(scope="module")
def late_curves(an_exact_aif):
    return TissueCurves.on_one_clock(TIME, tissue_curve(an_exact_aif, TIME, **TRUTH, T_a=DELAYS))


def noisy(curves, share, seed=0):
    """The curves with noise of ``share`` of their median peak."""
    sigma = share * np.median(curves.C_t.max(axis=1))
    return replace(curves, C_t=curves.C_t + np.random.default_rng(seed).normal(0, sigma, curves.C_t.shape))


def many(an_aif, size, seed=1):
    """Curves of ``size`` hearts' voxels, and their flows."""
    draw = np.random.default_rng(seed)
    P = np.exp(draw.normal(np.log([0.022, 0.06, 0.2, 0.016])[:, None], 0.35, (4, size)))
    C_t = tissue_curve(an_aif, TIME, F_p=P[0], v_p=P[1], v_e=P[2], PS=P[3])
    return TissueCurves.on_one_clock(TIME, C_t), P[0]


def test_nlls_recovers_the_parameters_of_exact_curves(curves, an_exact_aif):
    result = fit(curves, an_exact_aif, NLLS_FIXED)
    for name, truth in TRUTH.items():
        np.testing.assert_allclose(getattr(result.parameters, name), truth, rtol=1e-4)
    assert result.valid.all()
    assert result.residual.max() < 1e-6


def test_nlls_finds_the_delay_too(late_curves, an_exact_aif):
    result = fit(late_curves, an_exact_aif, NLLS)
    np.testing.assert_allclose(result.parameters.T_a, DELAYS, atol=1e-3)
    np.testing.assert_allclose(result.parameters.F_p, TRUTH["F_p"], rtol=1e-3)


def test_a_given_delay_is_taken_as_it_is(curves, an_exact_aif):
    late = replace(curves, C_t=tissue_curve(an_exact_aif, TIME, **TRUTH, T_a=1.1))
    result = fit(late, an_exact_aif, replace(NLLS_FIXED, T_a=1.1))
    np.testing.assert_allclose(result.parameters.F_p, TRUTH["F_p"], rtol=1e-4)
    assert (result.parameters.T_a == 1.1).all()


def test_the_fitted_curve_is_the_model_at_the_parameters(late_curves, an_exact_aif):
    result = fit(noisy(late_curves, 0.03), an_exact_aif, NLLS)
    again = tissue_curve(an_exact_aif, TIME, **dict(result.parameters.items()))
    np.testing.assert_allclose(result.C_t, again, atol=1e-10)


def test_each_slice_is_fitted_on_its_own_clock(an_exact_aif):
    times = np.stack([TIME, TIME + 0.31])
    C_t = np.concatenate([tissue_curve(an_exact_aif, t, **TRUTH) for t in times])
    result = fit(TissueCurves(times, np.repeat([0, 1], 4), C_t), an_exact_aif, NLLS_FIXED)
    np.testing.assert_allclose(result.parameters.F_p, np.tile(TRUTH["F_p"], 2), rtol=1e-4)


def test_a_frame_of_weight_zero_does_not_count(curves, an_exact_aif):
    spoilt, weight = curves.C_t.copy(), np.ones((1, 60))
    spoilt[:, 20], weight[:, 20] = np.nan, 0.0
    result = fit(replace(curves, C_t=spoilt, weight=weight), an_exact_aif, NLLS_FIXED)
    np.testing.assert_allclose(result.parameters.F_p, TRUTH["F_p"], rtol=1e-4)
    assert np.isfinite(result.C_t).all()


def test_the_standard_deviation_covers_the_truth_about_as_often_as_it_says(an_exact_aif):
    curves, flow = many(an_exact_aif, 400)
    result = fit(noisy(curves, 0.01), an_exact_aif, NLLS_FIXED)
    covered = np.abs(np.log(result.parameters.F_p / flow)) < result.sd.F_p / result.parameters.F_p
    assert 0.6 < covered.mean() < 0.8


def test_noise_alone_is_told_from_enhancement(an_exact_aif):
    noise = np.random.default_rng(2).normal(0, 0.02, (200, 60))
    for method in ALONE:
        result = fit(TissueCurves.on_one_clock(TIME, noise), an_exact_aif, FitSettings(method=method))
        assert np.mean(result.outcome == Outcome.NO_ENHANCEMENT) > 0.97


def test_a_curve_that_cannot_be_fitted_says_why_and_leaves_the_others_alone(curves, an_exact_aif):
    C_t = curves.C_t.copy()
    C_t[1, 30], C_t[2] = np.nan, -0.01
    result = fit(replace(curves, C_t=C_t), an_exact_aif, NLLS_FIXED)
    assert result.reasons[1] == "the curve holds values that are not numbers"
    assert result.reasons[2] == "no enhancement above the noise"
    assert result.reasons[0] == result.reasons[3] == ""
    np.testing.assert_allclose(result.parameters.F_p[[0, 3]], TRUTH["F_p"][[0, 3]], rtol=1e-4)


def test_a_curve_that_is_no_tissue_is_called_a_poor_fit(curves, an_exact_aif):
    ramp = np.where(TIME > 30, 0.5, 0.0) * np.sign(np.sin(TIME / 2))
    result = fit(replace(curves, C_t=curves.C_t + ramp), an_exact_aif, NLLS)
    assert (result.outcome == Outcome.POOR_FIT).all()


def test_five_frames_are_too_few_for_five_unknowns(an_exact_aif):
    few = TissueCurves.on_one_clock(TIME[10:35:5], tissue_curve(an_exact_aif, TIME[10:35:5], **TRUTH))
    assert fit(few, an_exact_aif, NLLS).reasons == ["fewer frames than parameters"] * 4


def test_no_curve_at_all_is_a_fault(an_exact_aif):
    with pytest.raises(FitError, match="no curve"):
        fit(TissueCurves.on_one_clock(TIME, np.empty((0, 60))), an_exact_aif, NLLS)


def test_flow_at_the_limit_of_its_range_is_not_valid(curves, an_exact_aif):
    tight = replace(NLLS_FIXED, F_p_range=(0.015, 0.035))
    result = fit(curves, an_exact_aif, tight)
    assert list(result.outcome == Outcome.FLOW_AT_LIMIT) == [True, False, False, True]
    assert np.isnan(result.sd.F_p[[0, 3]]).all()


ONE_SHOT = FitSettings(method=Method.ONE_SHOT)
# The paper's initial condition and positivity weigh C_p and C_e, which are of plasma, beside C_myo, which is not.
WITHOUT_THEM = {"w_initial": 0.0, "w_positive": 0.0}


@pytest.mark.parametrize(
    ("how", "rtol"),
    [
        *((FitSettings(method=method), 1e-9) for method in ALONE if method is not Method.ONE_SHOT),
        (replace(ONE_SHOT, one_shot=OneShotSettings(**WITHOUT_THEM)), 1e-9),
        (replace(ONE_SHOT, one_shot=OneShotSettings(w_residual=1e4)), 1e-4),
        (ONE_SHOT, 2e-3),
    ],
    ids=[
        *(method.value for method in ALONE if method is not Method.ONE_SHOT),
        "one-shot without them",
        "one-shot, strict",
        "one-shot",
    ],
)
def test_mbf_does_not_depend_on_the_haematocrit(how, rtol, late_curves):
    flows = []
    for hct in (0.2, 0.45, 0.6):
        aif = ArterialInput.from_blood(TIME, 0.55 * blood(TIME), hct)
        result = fit(noisy(late_curves, 0.01), aif, limits_for(Settings(hct=hct, fit=how)))
        flows.append(myocardial_blood_flow(result.parameters.F_p, hct=hct, density=1.05))
    np.testing.assert_allclose(flows[1:], np.tile(flows[0], (2, 1)), rtol=rtol)


def test_batches_do_not_change_the_answer(an_exact_aif):
    curves = noisy(many(an_exact_aif, 50)[0], 0.03)
    whole, parts = (fit(curves, an_exact_aif, replace(NLLS, chunk=chunk)) for chunk in (50, 7))
    np.testing.assert_allclose(whole.parameters.F_p, parts.parameters.F_p, rtol=1e-6)


@pytest.mark.parametrize("method", ALONE)
def test_a_second_run_takes_what_the_checkpoint_holds(method, curves, an_exact_aif):
    class Memory(dict):
        load, save = dict.get, dict.__setitem__

    memory, heard = Memory(), []
    settings = FitSettings(method=method, chunk=2)
    first = fit(curves, an_exact_aif, settings, checkpoint=memory)
    for key in memory:
        memory[key] = {**memory[key], "F_p": memory[key]["F_p"] * 2}
    second = fit(curves, an_exact_aif, settings, heard.append, memory)
    np.testing.assert_array_equal(second.parameters.F_p, first.parameters.F_p * 2)
    assert [event.fraction for event in heard if isinstance(event, Progress)] == [0.0, 0.5, 1.0]


def test_a_report_may_cancel_the_fit(curves, an_exact_aif):
    def cancel(event):
        raise Cancelled

    with pytest.raises(Cancelled):
        fit(curves, an_exact_aif, NLLS, cancel)


def test_fermi_gives_flow_and_delay_and_nothing_else(curves, an_exact_aif):
    result = fit(curves, an_exact_aif, FitSettings(method=Method.FERMI, delay=Delay.FIXED))
    assert [name for name, _ in result.parameters.items()] == ["F_p", "T_a"]
    assert result.valid.all()


def test_fermi_recovers_the_flow_of_fermi_tissue(an_exact_aif):
    grid = np.arange(0, TIME[-1], 0.005)
    a, b, flow = 1.5, 0.4, 0.02
    R = flow * (1 + np.exp(-a)) / (1 + np.exp(b * grid - a))
    C_t = np.interp(TIME, grid, np.convolve(R, an_exact_aif(grid))[: grid.size] * 0.005)
    result = fit(TissueCurves.on_one_clock(TIME, C_t), an_exact_aif, FitSettings(method=Method.FERMI))
    assert result.parameters.F_p[0] == pytest.approx(flow, rel=0.02)
    assert result.parameters.T_a[0] == pytest.approx(0.0, abs=0.05)


def test_fermi_has_no_curve_after_the_first_pass(curves, an_exact_aif):
    result = fit(curves, an_exact_aif, FitSettings(method=Method.FERMI, delay=Delay.FIXED))
    early = curves.time[0] <= first_pass_end(an_exact_aif)
    assert np.isfinite(result.C_t[:, early]).all() and np.isnan(result.C_t[:, ~early]).all() and not early.all()
    assert np.isfinite(result.residual).all()


def test_fermi_ranks_flows_as_the_tissue_model_does(an_exact_aif):
    curves, flow = many(an_exact_aif, 200)
    result = fit(curves, an_exact_aif, FitSettings(method=Method.FERMI, delay=Delay.FIXED))
    assert np.corrcoef(result.parameters.F_p, flow)[0, 1] > 0.9
    assert -0.25 < np.median(result.parameters.F_p / flow - 1) < 0


def test_the_first_pass_ends_where_the_input_has_halved(an_exact_aif):
    aif = ArterialInput(TIME, blood(TIME))
    end = first_pass_end(aif)
    assert end > TIME[np.argmax(aif.C_ap)]
    assert aif(end) < aif.C_ap.max() / 2 < aif(end - 0.8)


def test_parameters_of_unequal_length_are_refused():
    with pytest.raises(InputError, match="PS has shape"):
        KineticParameters(F_p=np.ones(3), PS=np.ones(2))


@pytest.mark.parametrize("method", ALONE)
@pytest.mark.parametrize("T_a", [8.0, -1.8])
def test_a_delay_at_the_limit_of_its_range_is_not_valid(method, T_a, an_exact_aif):
    C_t = tissue_curve(an_exact_aif, TIME, **TRUTH, T_a=T_a)
    result = fit(TissueCurves.on_one_clock(TIME, C_t), an_exact_aif, FitSettings(method=method))
    assert not result.valid.any()
    assert (result.outcome == Outcome.DELAY_AT_LIMIT).mean() >= 0.75


def test_a_flow_that_the_curve_does_not_determine_is_not_valid(an_exact_aif):
    curves, flow = many(an_exact_aif, 400)
    result = fit(noisy(curves, 0.06), an_exact_aif, NLLS)
    off = result.parameters.F_p / flow > 2
    assert (result.outcome == Outcome.UNDETERMINED).any()
    assert off[result.valid].mean() < 0.25 * off.mean()


def test_a_spike_in_one_frame_is_told(curves, an_exact_aif):
    C_t = noisy(curves, 0.02).C_t
    C_t[1, 40] += 0.4
    result = fit(replace(curves, C_t=C_t), an_exact_aif, NLLS_FIXED)
    assert result.reasons == ["", "a frame lies far off the curve", "", ""]


def test_a_delay_that_was_given_has_no_deviation(curves, an_exact_aif):
    assert np.isnan(fit(curves, an_exact_aif, NLLS_FIXED).sd.T_a).all()


@pytest.mark.parametrize(
    ("time", "C_ap", "words"),
    [
        (TIME, np.zeros(60), "never rises above zero"),
        (TIME + 100, blood(TIME), "begins at 100.* after the last tissue frame"),
        (TIME[:30], blood(TIME[:30]), "ends at .* and the tissue at"),
    ],
)
def test_an_input_that_cannot_have_fed_the_curves_is_refused(time, C_ap, words, curves):
    for method in ALONE:
        with pytest.raises(InputError, match=words):
            fit(curves, ArterialInput(time, C_ap), FitSettings(method=method))


def test_times_and_weights_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="not numbers"):
        TissueCurves.on_one_clock(np.array([0, np.nan, 2.0]), np.zeros((1, 3)))
    with pytest.raises(InputError, match="weight -1"):
        TissueCurves(np.arange(3.0)[None], np.zeros(1, dtype=int), np.zeros((1, 3)), np.array([[1, -1, 1.0]]))
