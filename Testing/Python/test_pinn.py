"""The networks from inside: their derivatives, their loss in both forms, their training."""

import gc

import numpy as np
import pytest
from pinn_cases import TIME, TRUTH, a_training, an_input, exact_curves, hearts, network_fit

from MyoPINNLib.errors import Cancelled
from MyoPINNLib.kinetics import compartment_curves
from MyoPINNLib.quantities import shown
from MyoPINNLib.settings import Method

tf = pytest.importorskip("tensorflow", reason="the networks need TensorFlow")

from MyoPINNLib.solvers.pinn import losses, shared, warm  # noqa: E402
from MyoPINNLib.solvers.pinn.training import History, Training, is_sound, train  # noqa: E402

SLICE = hearts(120)
SHARED = ("2cxm", "reduced", "combined")
IN_SHOWN_UNITS = {name: shown(name, value) for name, value in TRUTH.items()}


def no_step():
    return tf.constant(0, tf.int64)


@pytest.mark.parametrize("normalisation", ["affine", "batch"])
def test_a_feature_s_slope_is_its_derivative(normalisation):
    net, _, training = a_training(normalisation=normalisation)
    training.advance(3)
    t = np.linspace(-1.5, 1.5, 9)[:, None]
    step = 1e-2
    later, sooner = (net.features(tf.constant(t + d, tf.float32))[0].numpy() for d in (step, -step))
    slope = net.features(tf.constant(t, tf.float32))[1].numpy()
    assert slope == pytest.approx((later - sooner) / (2 * step), abs=2e-4)


def test_the_curves_are_the_network_of_the_paper():
    net, _, _ = a_training()
    x = np.array([[0.3]], dtype=np.float32)
    for hidden in net.hidden:
        x = np.tanh(x @ hidden.kernel.numpy() + hidden.bias.numpy()) * hidden.scale.numpy() + hidden.shift.numpy()
    wanted = x @ net.head_kernel.numpy() + net.head_bias.numpy()
    assert net(tf.constant([[0.3]])).numpy() == pytest.approx(wanted, rel=1e-5)
    assert len(net.hidden) == 2 and net.head_kernel.shape == (32, 2 * len(TRUTH["F_p"]) + 1)


def test_start_values_are_log_uniform_in_the_printed_range():
    from MyoPINNLib.network_settings import NetworkSettings
    from MyoPINNLib.solvers.pinn.network import PerfusionNetwork

    net = PerfusionNetwork(Method.COMBINED, 4000, NetworkSettings(), np.random.SeedSequence([1, 0]))
    for name, factor in (("v_p", 1), ("v_e", 1), ("F_p", 10), ("PS", 10)):
        value = net.parameters()[name].numpy() / factor
        assert 0.0499 < value.min() < 0.051 and 0.148 < value.max() < 0.1501
        assert np.median(value) == pytest.approx(np.sqrt(0.05 * 0.15), rel=0.03)


@pytest.mark.parametrize("method", SHARED)
def test_the_residuals_of_the_exact_solution_vanish(method):
    step, kinetics = 1e-3, IN_SHOWN_UNITS
    time = np.linspace(8.0, 40.0, 30)
    around = [np.stack(compartment_curves(an_input(), time + d, **TRUTH)) for d in (-step, 0.0, step)]
    C_p, C_e = around[1]
    dC_p, dC_e = (around[2] - around[0]) / (2 * step / 60)
    curves = {"C_p": C_p.T, "C_e": C_e.T, "C_ap": an_input()(time)[:, None], "dC_p": dC_p.T, "dC_e": dC_e.T}
    size = np.abs(kinetics["F_p"] * (curves["C_ap"] - curves["C_p"])).max()
    for r in losses.residuals(Method(method), **curves, kinetics=kinetics):
        assert np.abs(r).max() < 1e-4 * size
    wrong = {**kinetics, "F_p": 1.2 * kinetics["F_p"]}
    assert np.abs(losses.residuals(Method(method), **curves, kinetics=wrong)[0]).max() > 0.05 * size


@pytest.mark.parametrize("method", SHARED)
@pytest.mark.parametrize("T_a", [0.0, np.linspace(0.0, 1.4, 6)], ids=["no delay", "delays"])
def test_the_fast_loss_is_the_plain_loss(method, T_a):
    fast, plain = (a_training(method, plain=plain, T_a=T_a) for plain in (False, True))
    found, wanted = (training.objective.terms(no_step()) for _, _, training in (fast, plain))
    for name in (*losses.TERMS, "total"):
        assert float(found[name]) == pytest.approx(float(wanted[name]), rel=1e-5, abs=1e-12)


def side_by_side(method, begin):
    """The fast and the plain training of noisy curves, both in the state that ``begin(fast)`` leaves."""
    fast, plain = (a_training(method, plain=plain, noise=0.02, truth=SLICE, steps=1000) for plain in (False, True))
    begin(*fast)
    assert plain[2].restore(fast[2].state())
    return fast[2], plain[2]


def near_convergence(net, problem, training):
    warm.start_at(net, problem, an_input(), {name: shown(name, value) for name, value in SLICE.items()})
    training.advance(300)


@pytest.mark.parametrize("method", SHARED)
def test_the_fast_training_is_the_plain_training_for_30_steps(method):
    fast, plain = side_by_side(method, lambda *_: None)
    totals = [[training.advance(1)["total"] for _ in range(30)] for training in (fast, plain)]
    assert totals[0] == pytest.approx(totals[1], rel=1e-5)


@pytest.mark.parametrize("method", SHARED)
def test_near_convergence_the_fast_loss_is_the_plain_loss_at_each_of_30_steps(method):
    """At the same states: free runs part there, since rounding grows from step to step whatever the form."""
    fast, plain = side_by_side(method, near_convergence)
    for _ in range(30):
        plain.restore(fast.state())
        assert fast.advance(1)["total"] == pytest.approx(plain.advance(1)["total"], rel=1e-5)


def test_voxels_taken_in_pieces_give_the_same_loss():
    net, _, _ = a_training()
    phi = net.features(tf.constant(np.linspace(-1.5, 1.5, 50)[:, None], tf.float32))[0]
    head = net.head[:, :12]
    values = [float(shared.positive_terms(phi, head, pieces=pieces)) for pieces in (1, 2, 5)]
    assert values[0] > 0 and values[1:] == pytest.approx(values[:1] * 2, rel=1e-6)


def test_negative_concentrations_are_counted_and_positive_ones_are_not():
    assert float(losses.positive_loss(tf.constant([[1.0, 2.0]]), tf.constant([[0.5, 0.0]]))) == 0.0
    assert float(losses.positive_loss(tf.constant([[-1.0, 2.0]]), tf.constant([[0.5, -2.0]]))) == pytest.approx(2.5)


def test_a_frame_of_weight_zero_does_not_count():
    measured, weight = tf.constant([[1.0], [50.0]]), tf.constant([2.0, 0.0])
    loss = losses.data_loss(tf.zeros([2, 1]), measured, weight, tf.zeros(2), tf.zeros(2))
    assert float(loss) == pytest.approx(1.0)


@pytest.mark.parametrize("method", [*SHARED, "2cxm-mesh"])
def test_the_kinetic_parameters_train_with_the_weights(method):
    net, _, training = a_training(method, mesh_batch=64)
    before = {name: value.numpy() for name, value in net.kinetics.items()}
    tracked = {id(variable) for variable in net.trainable_variables}
    training.advance(5)
    assert set(before) == ({"F_p", "v_p", "v_e"} if method == "reduced" else set(TRUTH))
    for name, variable in net.kinetics.items():
        assert id(variable) in tracked and (variable.numpy() != before[name]).all()


@pytest.mark.parametrize("method", SHARED)
def test_a_network_at_the_truth_stays_there(method):
    net, problem, training = a_training(method)
    warm.start_at(net, problem, an_input(), IN_SHOWN_UNITS)
    first = training.advance(1)
    training.advance(150)
    assert first["data"] < 1e-6 and first["residual"] < 1e-4
    for name, value in net.parameters().items():
        assert value.numpy() == pytest.approx(IN_SHOWN_UNITS[name], rel=0.15)


def test_a_random_network_learns_the_flow():
    net, _, training = a_training(learning_rate=5e-3)
    off = lambda: np.median(np.abs(np.log(net.parameters()["F_p"].numpy() / IN_SHOWN_UNITS["F_p"])))  # noqa: E731
    first, begun = training.advance(1), off()
    last = training.advance(2500)
    assert last["data"] < 1e-3 * first["data"] and last["residual"] < 1e-2 * first["residual"]
    assert off() < 0.8 * begun


def test_a_training_goes_on_bit_by_bit_from_its_state():
    _, _, whole = a_training(steps=40)
    whole.advance(17)
    whole.advance(23)
    _, _, first = a_training(steps=40)
    first.advance(25)
    kept = {name: value.copy() for name, value in first.state().items()}
    _, _, second = a_training(steps=40)
    assert second.restore(kept) and second.step == 25
    second.advance(15)
    for name, value in whole.state().items():
        assert np.array_equal(value, second.state()[name]), name


def test_a_state_of_another_network_changes_nothing():
    _, _, training = a_training()
    before = training.state()
    _, _, other = a_training(width=16)
    assert not training.restore(other.state())
    assert all(np.array_equal(value, training.state()[name]) for name, value in before.items())


def test_the_random_times_fill_the_slice_anew_each_step_or_once():
    _, problem, training = a_training(collocation_points=4000)
    times = [training.objective.random_times(tf.constant(step, tf.int64)).numpy() for step in (0, 1)]
    assert not np.array_equal(*times)
    assert times[0].min() >= problem.domain[0] and times[0].max() <= problem.domain[1]
    assert times[0].mean() == pytest.approx(np.mean(problem.domain), abs=0.06)
    _, _, once = a_training(collocation="once")
    assert np.array_equal(*(once.objective.random_times(tf.constant(step, tf.int64)).numpy() for step in (0, 7)))


def test_the_problem_is_written_in_the_paper_s_units():
    _, problem, _ = a_training()
    assert problem.time.mean() == pytest.approx(0.0, abs=1e-12) and problem.time.std() == pytest.approx(1.0)
    assert problem.C_aif.max() == 1.0 and problem.sigma_minutes == pytest.approx(TIME.std() / 60)
    assert problem.C_myo == pytest.approx(exact_curves().C_t.T / an_input().C_ap.max())


def test_a_late_input_is_shared_between_neighbouring_delays():
    T_a = np.linspace(0.0, 1.4, 6)
    _, problem, _ = a_training(T_a=T_a)
    assert problem.share.sum(axis=0) == pytest.approx(np.ones(6))
    assert problem.sigma * problem.delays @ problem.share == pytest.approx(T_a)
    assert np.diff(problem.delays * problem.sigma).max() <= 0.25 + 1e-12


class Broken:
    """An objective whose loss breaks in one way at one step."""

    def __init__(self, objective, *, nan_at=None, steep_at=None, full_until_pieces=1):
        self.objective, self.nan_at, self.steep_at = objective, nan_at, steep_at
        self.full_until, self.pieces = full_until_pieces, 1

    def terms(self, step):
        found = self.objective.terms(step)
        if self.pieces < self.full_until:
            raise tf.errors.ResourceExhaustedError(None, None, "no memory")
        if self.nan_at is not None:
            found["total"] = tf.where(step >= self.nan_at, np.nan, found["total"])
        if self.steep_at is not None:  # the derivative of sqrt(0) is endless
            found["total"] += tf.sqrt(tf.where(step >= self.steep_at, 0.0, 1.0) * found["total"] ** 2)
        return found


def broken_training(**faults):
    net, _, training = a_training()
    return net, Training(net, Broken(training.objective, **faults), training.settings)


def test_a_loss_that_is_no_number_ends_with_the_last_good_state():
    _, training = broken_training(nan_at=7)
    said, history = [], History(training.settings)
    train(training, history, tell=lambda *_: None, warn=said.append)
    assert 1 <= training.step <= 7 and is_sound(training.state())
    assert len(said) == 1 and "not a number" in said[0]


def test_a_slope_that_is_no_number_ends_with_the_last_good_state_too():
    _, training = broken_training(steep_at=7)
    said = []
    train(training, History(training.settings), tell=lambda *_: None, warn=said.append)
    assert 1 <= training.step <= 8 and is_sound(training.state()) and len(said) == 1


def test_where_memory_runs_out_the_voxels_are_taken_in_parts():
    _, training = broken_training(full_until_pieces=4)
    said = []
    train(training, History(training.settings), tell=lambda *_: None, warn=said.append)
    assert training.step == training.settings.steps and training.objective.pieces == 4
    assert said and all("memory" in text for text in said)


def test_memory_that_never_suffices_is_told_as_such():
    _, training = broken_training(full_until_pieces=10**9)
    with pytest.raises(MemoryError):
        train(training, History(training.settings), tell=lambda *_: None, warn=lambda _: None)


def test_the_history_has_a_row_every_so_many_steps_and_the_last():
    _, _, training = a_training(steps=25, history_every=10)
    history = History(training.settings)
    train(training, history, tell=lambda *_: None, warn=pytest.fail)
    assert [row["step"] for row in history.rows] == [1, 10, 20, 25]
    assert set(history.rows[0]) == {"step", *losses.TERMS, "total", *TRUTH}
    assert History.from_arrays(training.settings, history.arrays()).rows == history.rows


def test_training_ends_early_by_the_stated_rule_and_no_sooner():
    settings = network_fit(steps=1000, history_every=10, early_stop=0.05).network
    falling, flat = (
        [{"step": 10 * n, "total": total(n)} for n in range(40)] for total in (lambda n: 0.9**n, lambda n: 1)
    )
    assert not History(settings, falling).settled() and History(settings, flat).settled()
    assert not History(network_fit(steps=1000, history_every=10).network, flat).settled()
    assert not History(settings, flat[:19]).settled()


def test_a_training_that_ended_early_is_not_taken_up_again():
    _, _, training = a_training(steps=1000, history_every=10, early_stop=0.05)
    flat = History(training.settings, [{"step": 10 * n, "total": 1.0} for n in range(20)])
    train(training, flat, tell=lambda *_: pytest.fail("it went on"), warn=pytest.fail)
    assert training.step == 0


def test_two_hundred_studies_in_one_process_leave_no_trace_in_memory():
    def objects() -> int:
        _, _, training = a_training()
        training.advance(2)
        del training
        return gc.collect() * 0 + len(gc.get_objects())

    objects()
    first, later = objects(), [objects() for _ in range(3)][-1]
    assert later - first < 500


def test_a_cancel_is_heard_within_a_breath():
    _, _, training = a_training(steps=10**6)

    def cancel(step, row, left):
        raise Cancelled

    with pytest.raises(Cancelled):
        train(training, History(training.settings), tell=cancel, warn=pytest.fail)
    assert training.step <= 2
