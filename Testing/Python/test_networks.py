"""The networks behind the solvers' door: results, resuming, starting from something, and what is said when it cannot be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pinn_cases import TIME, TRUTH, an_input, exact_curves, hearts, network_fit

from MyoPINNLib.errors import Cancelled, InputError
from MyoPINNLib.events import Progress, Warned
from MyoPINNLib.fit import Outcome, TissueCurves
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.networks import from_neighbours

pytest.importorskip("tensorflow", reason="the networks need TensorFlow")

ROOT = Path(__file__).parents[2]
METHODS = ("2cxm", "2cxm-mesh", "reduced", "combined")


class Memory(dict):
    """A checkpoint in memory."""

    def part(self, name):
        return self.setdefault(name, Memory())

    def load(self, key):
        return self.get(key)

    def save(self, key, arrays):
        self[key] = {name: np.copy(value) for name, value in arrays.items()}


def fitted(method="combined", curves=None, *, report=lambda event: None, checkpoint=None, start_from=None, **network):
    curves = exact_curves() if curves is None else curves
    return fit(curves, an_input(), network_fit(method, **network), report, checkpoint, start_from)


def same(first, second) -> bool:
    pairs = zip(first.parameters.items(), second.parameters.items())
    return np.array_equal(first.C_t, second.C_t) and all(np.array_equal(a, b) for (_, a), (_, b) in pairs)


@pytest.fixture(scope="module")
def a_result():
    return fitted()


@pytest.mark.parametrize("method", METHODS)
def test_every_network_gives_what_every_method_gives(method):
    result = fitted(method, mesh_batch=256)
    names = [name for name, _ in result.parameters.items()]
    assert names[:3] == ["F_p", "v_p", "v_e"] and ("PS" in names) == (method != "reduced")
    assert result.C_t.shape == exact_curves().C_t.shape and np.isfinite(result.residual).all()
    assert (
        result.details["steps"] == 20
        and result.details["start"] == "random"
        and "CPU" in result.details["device"]
        and result.seconds > 0
    )
    assert list(result.history["step"]) == [1, 10, 20] and result.trained.steps == 20


def test_the_flow_comes_out_in_the_library_s_unit():
    result = fitted("combined", start="nlls", steps=30)
    assert result.parameters.F_p == pytest.approx(TRUTH["F_p"], rel=0.1)
    assert result.parameters.PS == pytest.approx(TRUTH["PS"], rel=0.3)
    assert result.valid.all() and result.residual.max() < 0.02 * exact_curves().C_t.max()


def test_the_reduced_model_says_that_its_volumes_are_doubtful():
    said = []
    result = fitted("reduced", report=said.append)
    assert result.doubtful == ("v_p", "v_e") and any("F_p alone" in note for note in result.notes)
    assert any(isinstance(event, Warned) and "F_p alone" in event.text for event in said)


def test_a_seed_gives_the_same_result_and_another_seed_another(a_result):
    assert same(a_result, fitted())
    assert not same(a_result, fitted(seed=2))


def test_progress_tells_losses_mean_parameters_and_the_device():
    heard = []
    fitted(report=heard.append)
    told = [event for event in heard if isinstance(event, Progress) and event.losses]
    assert {"data", "residual", "initial", "positive", "total", "F_p"} <= set(told[-1].losses)
    assert "step 20 of 20" in told[-1].detail and "CPU" in told[-1].detail
    assert [event.fraction for event in told] == sorted(event.fraction for event in told) and told[-1].fraction == 1.0


def test_a_cancelled_training_is_taken_up_again_with_equal_bits(a_result):
    memory, heard = Memory(), []

    def cancel(event):
        heard.append(event)
        if isinstance(event, Progress) and event.losses and event.fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        fitted(report=cancel, checkpoint=memory)
    assert 0 < int(memory["slice-0"]["step"]) < 20
    assert same(a_result, fitted(checkpoint=memory))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", np.array(10**9)),
        ("step", np.array(-50)),
        ("step", np.array("20")),
        ("hidden1/kernel", np.zeros(3)),
        ("perfusion/head_bias", np.full(13, np.nan, dtype=np.float32)),
        ("adam/first/perfusion/head_bias", np.zeros(3)),
        ("history/total", np.zeros(7)),
    ],
)
def test_a_damaged_checkpoint_is_not_used(a_result, name, value):
    memory = Memory()
    fitted(checkpoint=memory)
    memory["slice-0"][name] = value
    assert same(a_result, fitted(checkpoint=memory))


def test_a_network_starts_where_another_method_ended():
    nlls = fit(exact_curves(), an_input(), FitSettings(delay=Delay.FIXED))
    warm, cold = fitted(start_from=nlls), fitted()
    assert warm.history["total"][0] < 0.05 * cold.history["total"][0]
    assert warm.parameters.F_p == pytest.approx(TRUTH["F_p"], rel=0.1)
    with pytest.raises(InputError, match="6 curves and there are 3"):
        fitted(curves=some(exact_curves(), 3), start_from=nlls)


@pytest.mark.parametrize("start", ["map", "one-shot"])
def test_a_network_starts_at_what_a_prior_finds(start):
    ahead = fit(exact_curves(), an_input(), FitSettings(method=Method(start), delay=Delay.FIXED))
    begun = fitted(start=start, steps=1, learning_rate=1e-8)
    assert begun.details["start"] == start
    assert begun.parameters.F_p == pytest.approx(ahead.parameters.F_p, rel=1e-3)


def some(curves: TissueCurves, count: int) -> TissueCurves:
    return TissueCurves(curves.time, curves.clock[:count], curves.C_t[:count], curves.weight, curves.voxels[:count])


@pytest.mark.parametrize("method", METHODS)
def test_the_same_voxels_go_on_where_an_earlier_network_ended(method):
    earlier = fitted(method, steps=200, mesh_batch=256)
    onward = fitted(method, steps=10, mesh_batch=256, start_from=earlier.trained)
    assert onward.history["total"][0] < 3 * earlier.history["total"][-1] + 1e-3
    for (_, value), (_, before) in zip(onward.parameters.items(), earlier.parameters.items()):
        assert value == pytest.approx(before, rel=0.05)


def test_nothing_of_one_patient_s_voxels_reaches_another_s_in_voxels_of_the_same_numbers():
    """A defect in some voxels of the first study must not be seen in the second, however few its steps."""
    sick = {name: value.copy() for name, value in TRUTH.items()}
    sick["F_p"] = np.full(6, 0.03)
    sick["F_p"][:2] = 0.005
    first = fitted(curves=exact_curves(truth=sick), start="nlls", steps=20)
    assert first.parameters.F_p[0] < 0.4 * first.parameters.F_p[5]
    second = fitted(steps=1, learning_rate=1e-7, start_from=first.trained)
    assert np.ptp(np.log(second.parameters.F_p)) < 0.01
    assert np.ptp(second.C_t, axis=0).max() < 1e-4 * second.C_t.max()


def test_a_flow_that_still_moves_at_the_end_is_told():
    assert any("needs more steps" in note for note in fitted(steps=400, history_every=50).notes)
    assert not any("needs more steps" in note for note in fitted(start="nlls", steps=20).notes)


def test_other_voxels_start_as_the_typical_voxel_of_the_earlier_study():
    earlier = fitted(steps=600)
    other = exact_curves(truth=hearts(9))
    warm, cold = fitted(curves=other, start_from=earlier.trained), fitted(curves=other)
    assert warm.history["total"][0] < cold.history["total"][0]
    assert np.exp(np.log(warm.parameters.v_e).mean()) == pytest.approx(
        np.exp(np.log(earlier.parameters.v_e).mean()), rel=0.1
    )


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        ({"layers": 3}, "combined"),
        ({"width": 16}, "combined"),
        ({"normalisation": "batch"}, "combined"),
        ({}, "2cxm-mesh"),
    ],
)
def test_weights_of_another_architecture_are_refused(a_result, changes, method):
    with pytest.raises(InputError, match="another network"):
        fitted(method, start_from=a_result.trained, **changes)


def test_a_method_that_is_no_network_starts_by_itself(a_result):
    with pytest.raises(InputError, match="only the networks"):
        fit(exact_curves(), an_input(), FitSettings(), start_from=a_result.trained)


def test_the_input_is_shifted_by_the_delay_of_each_voxel():
    T_a = np.array([0.0, 0.4, 0.8, 1.2, 1.6, 2.0])
    late = exact_curves(T_a)
    shifted = network_fit(delay=Delay.FIT, start="nlls", shift="preshift", steps=30)
    result = fit(late, an_input(), shifted)
    blind = fitted(curves=late, start="nlls", steps=30)
    assert result.parameters.T_a == pytest.approx(T_a, abs=0.15)
    assert np.abs(result.parameters.F_p / TRUTH["F_p"] - 1).max() < 0.15
    assert np.abs(blind.parameters.F_p / TRUTH["F_p"] - 1).max() > 0.3
    assert not any("--shift" in note for note in result.notes)


def test_a_voxel_without_a_delay_of_its_own_gets_its_slice_s_and_no_map_value():
    late = exact_curves(np.array([0.3, 0.3, 0.3, 0.3, 0.3, 2.5]))
    settings = network_fit(delay=Delay.FIT, shift="preshift")
    result = fit(late, an_input(), replace(settings, T_a_range=(-1.0, 1.0)))
    assert np.isnan(result.parameters.T_a[5]) and np.isfinite(result.parameters.T_a[:5]).all()
    assert any("NLLS finds no delay in" in note for note in result.notes)


def test_a_voxel_whose_parameters_do_not_make_its_curve_is_not_valid():
    """The network still follows the curves, with flows that were pushed up threefold."""
    earlier = fitted(start="nlls", steps=150)
    weights = dict(earlier.trained.slices[0])
    weights["perfusion/log_F_p"] = weights["perfusion/log_F_p"] + np.float32(np.log(3.0))
    pushed = fitted(steps=2, start_from=replace(earlier.trained, slices=(weights,)))
    assert earlier.valid.all()
    assert not pushed.valid.any() and (pushed.outcome == Outcome.OFF_THE_MODEL).sum() >= 3


def test_what_a_voxel_lacks_comes_from_its_nearest_neighbours_in_the_slice():
    voxels = np.array([(k, 0, i) for k in (0, 1) for i in range(30)])
    curves = TissueCurves(np.stack([TIME, TIME]), voxels[:, 0], np.zeros((60, len(TIME))), voxels=voxels)
    flow = np.where(voxels[:, 2] < 15, 1.0, 3.0) + 10.0 * voxels[:, 0]
    known = np.ones(60, dtype=bool)
    known[[3, 25, 35]] = False
    filled = from_neighbours(np.where(known, flow, 99.0), known, curves)
    assert np.array_equal(filled, flow)
    assert np.isnan(from_neighbours(flow, np.zeros(60, dtype=bool), curves)).all()


def test_a_training_that_went_astray_is_told():
    said = []
    fitted(learning_rate=1.0, steps=60, history_every=20, report=said.append)
    assert any(isinstance(event, Warned) and "astray" in event.text for event in said)


def test_the_mesh_starts_where_nlls_ended_too():
    warm, cold = (fitted("2cxm-mesh", start=start, mesh_batch=512) for start in ("nlls", "random"))
    assert warm.history["data"][0] < 0.02 * cold.history["data"][0]
    assert warm.parameters.F_p == pytest.approx(TRUTH["F_p"], rel=0.15)


def test_an_earlier_network_and_nlls_cannot_both_be_the_start(a_result):
    with pytest.raises(InputError, match="an earlier network and at NLLS"):
        fitted(start="nlls", start_from=a_result.trained)


def test_without_a_delay_the_user_is_told_what_that_means():
    result = fit(exact_curves(), an_input(), network_fit(delay=Delay.FIT))
    assert any("--shift preshift" in note for note in result.notes) and result.parameters.T_a is None


def test_a_fixed_delay_holds_for_networks_too():
    late = exact_curves(1.5)
    result = fit(late, an_input(), replace(network_fit(start="nlls", steps=30), T_a=1.5))
    assert result.parameters.F_p == pytest.approx(TRUTH["F_p"], rel=0.1) and (result.parameters.T_a == 1.5).all()


def test_a_fixed_delay_and_a_shift_exclude_each_other():
    with pytest.raises(InputError, match="fixed at 0 s and the network's shift is preshift"):
        network_fit(shift="preshift")


def test_each_slice_has_a_network_of_its_own_on_its_own_clock():
    one = exact_curves()
    time = np.stack([TIME, TIME + 0.3])
    C_t = np.concatenate([one.C_t, exact_curves(-0.3).C_t])
    voxels = np.concatenate([one.voxels, one.voxels + np.array([1, 0, 0])])
    two = TissueCurves(time, np.repeat([0, 1], 6), C_t, voxels=voxels)
    result = fitted(curves=two)
    assert len(result.trained.slices) == 2 and set(result.history["slice"]) == {1, 2}
    assert np.array_equal(result.C_t[:6], fitted().C_t)


def test_a_slice_without_enhancement_is_marked_and_the_others_are_fitted():
    one = exact_curves()
    C_t = np.concatenate([one.C_t, np.zeros_like(one.C_t)])
    two = TissueCurves(np.stack([TIME, TIME]), np.repeat([0, 1], 6), C_t, voxels=np.tile(one.voxels, (2, 1)))
    result = fitted(curves=two)
    assert (result.outcome[6:] == Outcome.NO_ENHANCEMENT).all() and np.isnan(result.parameters.F_p[6:]).all()
    assert np.isfinite(result.parameters.F_p[:6]).all() and len(result.trained.slices) == 1


def test_a_study_without_any_enhancement_gives_no_network():
    flat = TissueCurves.on_one_clock(TIME, np.zeros((2, len(TIME))))
    result = fitted(curves=flat)
    assert result.trained is None and not result.valid.any() and not result.history


@pytest.mark.parametrize("method", METHODS)
def test_one_voxel_is_enough(method):
    result = fitted(method, curves=some(exact_curves(), 1), mesh_batch=64)
    assert np.isfinite(result.parameters.F_p).all()


def test_five_frames_are_fitted_or_marked():
    few = exact_curves()
    few = TissueCurves(few.time[:, 8:40:7], few.clock, few.C_t[:, 8:40:7])
    result = fitted(curves=few)
    assert np.isfinite(result.parameters.F_p).all()


def test_20_000_voxels_are_trained():
    truth = hearts(20_000)
    result = fitted(curves=exact_curves(truth=truth), steps=2)
    assert np.isfinite(result.parameters.F_p).all() and len(result.parameters.F_p) == 20_000


def test_a_gpu_that_is_not_there_is_told():
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this computer has a GPU")
    with pytest.raises(InputError, match="sees no GPU"):
        fitted(device="gpu")
