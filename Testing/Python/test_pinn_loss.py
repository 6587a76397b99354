"""The networks' loss against the paper's equations, written a second time in NumPy, straight from the page."""

import numpy as np
import pytest
from pinn_cases import TRUTH, blood, exact_curves, network_fit

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.quantities import shown
from MyoPINNLib.settings import Method

tf = pytest.importorskip("tensorflow", reason="the networks need TensorFlow")

from MyoPINNLib.solvers.pinn import warm  # noqa: E402
from MyoPINNLib.solvers.pinn.mesh import MeshObjective  # noqa: E402
from MyoPINNLib.solvers.pinn.network import PerfusionNetwork  # noqa: E402
from MyoPINNLib.solvers.pinn.objective import Objective  # noqa: E402
from MyoPINNLib.solvers.pinn.problem import slice_problems  # noqa: E402

LATE = np.array([-0.7, 0.0, 0.55, 1.3, 2.1, 0.9])
WEIGHTS = {"w_data": 3.0, "w_residual": 0.5, "w_initial": 2.0, "w_positive": 7.0}


def a_slice() -> tuple[TissueCurves, ArterialInput]:
    """A slice whose clock starts at 0.4 s, with frames left out, and an input on a clock of its own."""
    curves, draw = exact_curves(), np.random.default_rng(3)
    C_t = curves.C_t + 0.02 * draw.standard_normal(curves.C_t.shape)
    weight = np.ones_like(curves.time)
    weight[0, [3, 17, 40]] = 0.0
    clock = np.cumsum(draw.uniform(0.5, 1.1, 70)) - 0.3
    slow = TissueCurves(curves.time + 0.4, curves.clock, C_t, weight, curves.voxels)
    return slow, ArterialInput(clock, blood(clock) + 0.01)


def a_network(method, T_a, **network):
    curves, aif = a_slice()
    options = network_fit(method, **WEIGHTS, **network).network
    [problem] = slice_problems(curves, aif, np.ones(6, dtype=bool), T_a)
    net = PerfusionNetwork(Method(method), 6, options, np.random.SeedSequence([4, 0]))
    for variable in net.trainable_variables:  # no scale 1, no shift 0, no bias 0
        variable.assign(variable + np.random.default_rng(9).normal(0, 0.2, variable.shape))
    return curves, aif, options, problem, net


def curves_of(net, t):
    """(C_p, C_e, C_aif) and their derivatives by t^ of the network, float64, layer by layer."""
    x, slope = np.asarray(t, dtype=float)[:, None], np.ones((len(t), 1))
    for hidden in net.hidden:
        W, b, g, s = (np.asarray(v, dtype=float) for v in (hidden.kernel, hidden.bias, hidden.scale, hidden.shift))
        value = np.tanh(x @ W + b)
        slope = (1 - value**2) * (slope @ W) * g
        x = value * g + s
    W, b = np.asarray(net.head_kernel, dtype=float), np.asarray(net.head_bias, dtype=float)
    C, dC = x @ W + b, slope @ W
    return (C[:, :6], C[:, 6:12], C[:, 12]), (dC[:, :6], dC[:, 6:12])


def the_page(method, curves, aif, net, times, T_a) -> dict:
    """L_C, L_r, L_b, L_reg by A.1 to A.4 and B.1, times in minutes, concentrations over the input's peak."""
    F_p, v_p, v_e, PS = (
        np.exp(np.asarray(net.kinetics[name], dtype=float)) if name in net.kinetics else np.zeros(6)
        for name in ("F_p", "v_p", "v_e", "PS")
    )
    seconds = curves.time[0]
    mean, sigma, peak = seconds.mean(), seconds.std(), aif.C_ap.max()
    standard = lambda t: (t - mean) / sigma  # noqa: E731
    (C_p, C_e, _), _ = curves_of(net, standard(seconds))
    kept = curves.weight[0] > 0
    data = np.mean((v_p * C_p + v_e * C_e - curves.C_t.T / peak)[kept] ** 2)
    data += np.mean((curves_of(net, standard(aif.time))[0][2] - aif.C_ap / peak) ** 2)
    (C_p, C_e, C_aif), (dC_p, dC_e) = curves_of(net, times)
    dC_p, dC_e = dC_p / (sigma / 60), dC_e / (sigma / 60)
    seen = np.column_stack([
        curves_of(net, np.clip(times - late / sigma, standard(aif.time[0]), standard(aif.time[-1])))[0][2] for late in T_a
    ]) if T_a.any() else C_aif[:, None]  # fmt: skip
    r_p = v_p * dC_p - PS * (C_e - C_p) - F_p * (seen - C_p)
    r_e = v_e * dC_e - PS * (C_p - C_e)
    r_myo = v_p * dC_p + v_e * dC_e - F_p * (seen - C_p)
    terms = {"2cxm": (r_p, r_e), "reduced": (r_myo,), "combined": (r_p, r_e, r_myo)}[method]
    (p, e, a), _ = curves_of(net, [standard(seconds[0])])
    return {
        "data": data,
        "residual": sum(np.mean(r**2) for r in terms),
        "initial": np.mean(p**2 + e**2 + (v_p * p + v_e * e) ** 2) + a[0] ** 2,
        "positive": np.mean(np.minimum(C_p, 0) ** 2) + np.mean(np.minimum(C_e, 0) ** 2),
    }


@pytest.mark.parametrize("method", ["2cxm", "reduced", "combined"])
@pytest.mark.parametrize("T_a", [np.zeros(6), np.full(6, 1.5), np.full(6, -0.8)], ids=["no delay", "late", "early"])
def test_each_term_is_the_one_that_is_printed(method, T_a):
    curves, aif, options, problem, net = a_network(method, T_a)
    objective = Objective(net, problem, options)
    found = objective.terms(tf.constant(5, tf.int64))
    times = objective.random_times(tf.constant(5, tf.int64)).numpy()[:, 0].astype(float)
    wanted = the_page(method, curves, aif, net, times, T_a)
    for name, value in wanted.items():
        assert float(found[name]) == pytest.approx(value, rel=2e-5), name
    total = sum(WEIGHTS[f"w_{name}"] * value for name, value in wanted.items())
    assert float(found["total"]) == pytest.approx(total, rel=2e-5)


def test_an_input_between_two_delays_is_nearly_the_input_at_the_delay():
    curves, aif, options, problem, net = a_network("combined", LATE)
    objective = Objective(net, problem, options)
    times = objective.random_times(tf.constant(5, tf.int64)).numpy()[:, 0].astype(float)
    wanted = the_page("combined", curves, aif, net, times, LATE)["residual"]
    assert float(objective.terms(tf.constant(5, tf.int64))["residual"]) == pytest.approx(wanted, rel=1e-3)


def test_the_exact_curves_of_late_voxels_obey_the_loss_and_of_early_ones_do_not():
    """The sign of the delay: a network that holds the exact curves of T_a has no residual at T_a, and has one at -T_a."""
    late, aif = exact_curves(LATE), ArterialInput(exact_curves().time[0], blood(exact_curves().time[0]))
    options, truth = network_fit("combined").network, {name: shown(name, value) for name, value in TRUTH.items()}
    residual = []
    for sign in (1, -1):
        [problem] = slice_problems(late, aif, np.ones(6, dtype=bool), LATE)
        net = PerfusionNetwork(Method.COMBINED, 6, options, np.random.SeedSequence([1, 0]))
        warm.start_at(net, problem, aif, truth)
        [turned] = slice_problems(late, aif, np.ones(6, dtype=bool), sign * LATE)
        residual.append(float(Objective(net, turned, options).terms(tf.constant(0, tf.int64))["residual"]))
    assert residual[0] < 1e-4 and residual[1] > 100 * residual[0]


def test_the_mesh_s_loss_is_small_for_exact_curves_and_large_for_others():
    _, aif, options, problem, net = a_network("2cxm-mesh", np.zeros(6), mesh_batch=2000)
    objective = MeshObjective(net, problem, options, aif)
    before = objective.terms(tf.constant(0, tf.int64))
    warm.start_at(net, problem, aif, {name: shown(name, value) for name, value in TRUTH.items()})
    after = objective.terms(tf.constant(0, tf.int64))
    assert float(after["data"]) < 0.02 * float(before["data"])
    assert float(after["residual"]) < 0.05 * float(before["residual"])
