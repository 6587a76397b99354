"""The one-shot solver: exact where its equations are strict, softer where they are not, and never silently wrong."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.cli.parser import build_parser, settings_of
from MyoPINNLib.convolution import ExponentialConvolution
from MyoPINNLib.errors import Cancelled, InputError
from MyoPINNLib.events import Progress, silent
from MyoPINNLib.fit import Outcome, TissueCurves
from MyoPINNLib.kinetics import Rates, compartment_curves, tissue_curve, tissue_response, tissue_sensitivity
from MyoPINNLib.network_settings import Device
from MyoPINNLib.one_shot_settings import OneShotSettings
from MyoPINNLib.prior import GaussianPrior
from MyoPINNLib.quantities import inside
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate import metrics
from MyoPINNLib.simulate.objects import twin
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit, one_shot
from MyoPINNLib.solvers.batches import batch_of
from MyoPINNLib.solvers.levenberg import levenberg_marquardt, minimise
from MyoPINNLib.solvers.one_shot import SoftBench, SoftStudy, fit_one_shot
from MyoPINNLib.solvers.posterior import summary
from MyoPINNLib.solvers.profiled import NUMPY, evaluate, softness
from MyoPINNLib.solvers.sampling import Samples, fingerprint, sample
from MyoPINNLib.solvers.trunk import Trunk

NARROW = {"T_a_range": (-0.5, 2.0)}
ONE_SHOT, MAP = FitSettings(method=Method.ONE_SHOT, **NARROW), FitSettings(method=Method.MAP, **NARROW)
FIXED = replace(ONE_SHOT, delay=Delay.FIXED)
STRICT = 1e4
STRICT_ONE_SHOT = OneShotSettings(w_residual=STRICT, w_initial=STRICT, collocation_points=1000)
NAMES = ("F_p", "v_p", "v_e", "PS")
TIGHT = {"longest_step": np.full(4, 1.5), "max_iterations": 200, "tolerance": 1e-9}


@pytest.fixture(scope="module")
def a_twin():
    return twin(seed=7, voxels=500)


@pytest.fixture(scope="module")
def fitted_twin(a_twin):
    return fit(a_twin.curves, a_twin.aif, FIXED)


@pytest.fixture(scope="module")
def a_patient():
    return patient_like(Patient.STRESS, seed=7, voxels=300)


def some(reference, rows, C_t=None):
    """The reference's curves ``rows``, or others on its clock."""
    return TissueCurves.on_one_clock(reference.curves.time[0], reference.curves.C_t[rows] if C_t is None else C_t)


def true_x(reference, delay=False):
    """x (n, m) of the truth."""
    x = np.log(np.stack([getattr(reference.truth, name) for name in NAMES], axis=1))
    return np.column_stack([x, reference.truth.T_a]) if delay else x


def prepared(reference, settings, rows=slice(None)):
    """The exact problem of some voxels, with the true noise, and what softens it."""
    bench = SoftBench(reference.aif, settings, lambda: None)
    curves = some(reference, rows)
    batch = batch_of(curves, 0, np.arange(len(curves)))
    problem = bench.problem(batch)
    problem = replace(problem, sigma=np.full(len(curves), reference.sigma))
    return problem, bench.soft(batch, problem)


def anywhere(count, seed=0):
    """Parameters all over the range that is fitted, log-uniform: name -> (n,), inside units."""
    rng = np.random.default_rng(seed)
    ranges = {"F_p": (0.05, 8.0), "v_p": (0.002, 0.4), "v_e": (0.02, 0.9), "PS": (0.02, 8.0)}
    return {name: inside(name, np.exp(rng.uniform(*np.log(limits), count))) for name, limits in ranges.items()}


def weak(x):
    """A prior that says next to nothing."""
    return GaussianPrior(x.mean(axis=0), 1e4 * np.eye(x.shape[1]))


@pytest.mark.parametrize("make", [lambda: twin(seed=1, voxels=1), lambda: patient_like(Patient.REST, seed=1, voxels=1)])
def test_the_trunk_holds_every_solution_of_the_range(make):
    reference = make()
    trunk = Trunk.of(reference.aif, reference.curves.time[0, -1], points=500, most=30)
    given = anywhere(300)
    assert trunk.holds(reference.aif, np.log(np.stack(list(given.values()), axis=1))).all()
    times = trunk.grid[trunk.points]
    Q = np.linalg.qr(trunk.at(times))[0]
    for C in compartment_curves(reference.aif, times, **given):
        assert np.abs(C - (C @ Q) @ Q.T).max() < 1e-3 * trunk.peak


def test_the_trunk_s_slopes_are_those_of_its_functions(a_patient):
    trunk, h = Trunk.of(a_patient.aif, 40.0, points=500, most=30), 1e-4
    times = trunk.grid[trunk.points][20::37] + 0.003
    measured = (trunk.at(times + h) - trunk.at(times - h)) / (2 * h)
    np.testing.assert_allclose(trunk.slope_at(times), measured, atol=1e-4 * np.abs(measured).max())


def test_with_strict_equations_it_is_the_exact_model(a_twin):
    problem, soft = prepared(a_twin, replace(FIXED, one_shot=STRICT_ONE_SHOT), slice(0, 40))
    x, limits = true_x(a_twin)[:40], {"lower": problem.lower, "upper": problem.upper, "noise_power": np.ones(40)}
    prior = GaussianPrior(x.mean(axis=0), np.cov(x.T))
    exact = levenberg_marquardt(exact_residuals(a_twin, prior), x, **limits, **TIGHT)
    strict = minimise(soft.linearised(problem, prior, np.arange(40)), x, **limits, **TIGHT)
    np.testing.assert_allclose(np.exp(strict.x), np.exp(exact.x), rtol=1e-3)


def exact_residuals(reference, prior):
    """Rows and derivatives of the uncompressed exact model: what ``levenberg_marquardt`` minimises for method `map`."""
    convolve = ExponentialConvolution(reference.aif, reference.curves.time[0])

    def at(x, rows):
        F_p, v_p, v_e, PS = np.exp(x.T)
        rates = Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS)
        C_t, response = tissue_response(convolve, rates, F_p)
        J = tissue_sensitivity(C_t, response, rates, F_p, convolve.C_ap[:, None])[:4]
        pull = np.broadcast_to(prior.root.T[:, :, None], (4, 4, len(rows)))
        r = np.concatenate([(C_t - reference.curves.C_t[rows].T) / reference.sigma, prior.root @ (x - prior.mean).T])
        return r, np.concatenate([J / reference.sigma, pull], axis=1)

    return at


@pytest.mark.parametrize("w_residual", [1e-3, 1.0, 1e3])
def test_the_gradient_is_that_of_differences(w_residual, a_patient):
    settings = replace(ONE_SHOT, one_shot=OneShotSettings(w_residual=w_residual, w_positive=100.0))
    problem, soft = prepared(a_patient, settings, slice(100, 120))
    x, rows, h = true_x(a_patient, delay=True)[100:120], np.arange(20), 1e-3
    x[:, 4] = 0.01
    at = soft.linearised(problem, weak(x), rows)
    gradient = at(x, rows)[1]
    for j in range(5):
        step = h * np.eye(5)[j]
        measured = (at(x + step, rows)[0] - at(x - step, rows)[0]) / (4 * h)
        np.testing.assert_allclose(gradient[:, j], measured, atol=0.02 * np.abs(measured).max())


def test_what_the_heads_take_up_of_a_misfit_explains_the_loss(a_twin):
    problem, soft = prepared(a_twin, FIXED, slice(0, 20))
    x = true_x(a_twin)[:20] + 0.05
    point = soft.point(problem, x, np.arange(20))
    loss = evaluate(NUMPY, soft.tables, point)[0]
    off = problem.compression.curves(x) / soft.trunk.peak - point.y
    K, plain = softness(NUMPY, soft.tables, point, np.eye(point.y.shape[1]))
    quadratic = ((off**2).sum(axis=1) - np.einsum("nd,nde,ne->n", off, K, off)) / point.sigma**2
    np.testing.assert_allclose(quadratic, loss, rtol=1e-3, atol=0.05)
    np.testing.assert_allclose(plain, loss, rtol=1e-6)


def test_the_heads_need_not_be_solved_for_every_sample(a_twin):
    settings = replace(FIXED, one_shot=OneShotSettings(w_positive=0.0))
    bench, batch = SoftBench(a_twin.aif, settings, lambda: None), batch_of(a_twin.curves, 0, np.arange(20))
    study = SoftStudy(some(a_twin, slice(0, 40)), bench)
    study.solve(batch)
    learnt = study.learnt
    problem, modes = study.softened(batch, *bench.settled(batch, learnt.gaussian, learnt.noise), learnt.gaussian)
    samples = sample(problem, modes, fingerprint(batch.C_t))
    rows, soft = np.repeat(np.arange(20), samples.x.shape[1]), bench.soft(batch, problem)
    loss = evaluate(NUMPY, soft.tables, soft.point(problem, samples.x.reshape(-1, 4), rows))[0].reshape(20, -1)
    correction = np.where(np.isfinite(loss), -loss / 2 - problem.log_likelihood(samples.x), 0.0)
    correction = np.where(np.isfinite(correction), correction, 0.0)
    quick, solved = (
        summary(Samples(samples.x, samples.log_weight + more), study.learnt.prior) for more in (0.0, correction)
    )
    for name in NAMES:
        off = np.abs(np.log(solved[name] / quick[name])) / (quick[f"{name}_sd"] / quick[name])
        assert np.median(off) < 0.05 and off.max() < 0.3


def test_tensorflow_gives_the_same_numbers(a_patient, monkeypatch):
    pytest.importorskip("tensorflow", reason="a GPU needs TensorFlow")
    from MyoPINNLib.solvers.one_shot_tf import SPACE

    @contextmanager
    def with_tensorflow(_):
        yield SPACE, "TensorFlow"

    curves = some(a_patient, slice(100, 120))
    usual = fit(curves, a_patient.aif, ONE_SHOT)
    monkeypatch.setattr(one_shot, "computing", with_tensorflow)
    other = fit(curves, a_patient.aif, ONE_SHOT)
    assert other.details["device"] == "TensorFlow"
    np.testing.assert_allclose(other.C_t, usual.C_t, atol=1e-6)
    for name, values in usual.parameters.items():
        np.testing.assert_allclose(getattr(other.parameters, name), values, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(getattr(other.sd, name), getattr(usual.sd, name), rtol=1e-3)


def test_without_a_gpu_auto_takes_the_cpu_and_gpu_says_so(a_patient):
    pytest.importorskip("tensorflow", reason="a GPU needs TensorFlow")
    from MyoPINNLib.solvers.pinn import device

    if device.found():
        pytest.skip("there is a GPU")
    curves = some(a_patient, slice(100, 102))
    auto = fit(curves, a_patient.aif, replace(ONE_SHOT, one_shot=OneShotSettings(device=Device.AUTO)))
    assert auto.details["device"] == "CPU, NumPy"
    with pytest.raises(InputError, match="no GPU"):
        fit(curves, a_patient.aif, replace(ONE_SHOT, one_shot=OneShotSettings(device=Device.GPU)))


def test_a_voxel_that_the_trunk_cannot_hold_is_refined(a_twin):
    curves = some(a_twin, slice(0, 60))
    small = fit(curves, a_twin.aif, replace(FIXED, one_shot=OneShotSettings(functions=4)))
    exact = fit(curves, a_twin.aif, replace(MAP, delay=Delay.FIXED))
    assert small.details["refined"] == 60
    for name, values in exact.parameters.items():
        np.testing.assert_allclose(getattr(small.parameters, name), values, rtol=1e-9)
    np.testing.assert_array_equal(small.outcome, exact.outcome)


def test_usually_no_voxel_needs_refinement(fitted_twin):
    assert fitted_twin.details["refined"] == 0


def test_curves_without_noise_give_what_went_in():
    reference = twin(seed=9, voxels=50)
    time, truth = reference.curves.time[0], dict(reference.truth.items())
    result = fit(TissueCurves.on_one_clock(time, tissue_curve(reference.aif, time, **truth)), reference.aif, FIXED)
    np.testing.assert_allclose(result.parameters.F_p, truth["F_p"], rtol=0.05)
    assert np.median(np.abs(result.parameters.F_p / truth["F_p"] - 1)) < 1e-3
    assert result.valid.all()


def test_at_the_paper_s_weights_it_is_as_good_as_the_exact_model(a_twin, fitted_twin):
    exact = fit(a_twin.curves, a_twin.aif, replace(MAP, delay=Delay.FIXED))
    errors = [metrics.error_summary(r.parameters, a_twin.truth) for r in (fitted_twin, exact)]
    assert all(errors[0][name]["median"] < 1.1 * errors[1][name]["median"] for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_intervals_cover_as_often_as_they_say(name, a_twin, fitted_twin):
    value, sd, truth = (getattr(part, name) for part in (fitted_twin.parameters, fitted_twin.sd, a_twin.truth))
    off = np.abs(np.log(value / truth)) / (sd / value)
    assert 0.58 < (off < 1).mean() < 0.82
    assert 0.88 < (off < 1.96).mean() < 0.99


def test_softer_equations_follow_the_data_and_widen_the_intervals(a_twin):
    curves = some(a_twin, slice(0, 250))
    hard, loose = (
        fit(curves, a_twin.aif, replace(FIXED, one_shot=OneShotSettings(w_residual=w))) for w in (STRICT, 1e-2)
    )
    assert np.median(loose.residual) < 0.99 * np.median(hard.residual)
    assert np.median(loose.sd.PS / loose.parameters.PS) > 1.1 * np.median(hard.sd.PS / hard.parameters.PS)


def test_negative_concentrations_are_pulled_to_zero(a_patient):
    lowest = []
    for w_positive in (0.0, 1e4):
        chosen = OneShotSettings(w_residual=1e-3, w_positive=w_positive)
        problem, soft = prepared(a_patient, replace(ONE_SHOT, one_shot=chosen), slice(100, 160))
        x, rows = true_x(a_patient, delay=True)[100:160], np.arange(60)
        z = soft.solved(problem, x, rows, soft.nowhere(60))[0][3]
        lowest.append(np.minimum(z @ soft.trunk.phi[soft.trunk.points].T, 0).min(axis=(1, 2)))
    assert np.median(lowest[1]) > 0.3 * np.median(lowest[0])


def test_what_is_left_of_an_earlier_bolus_is_let_be_without_the_initial_condition(a_twin):
    left = 0.03 * a_twin.curves.C_t.max() * np.exp(-a_twin.curves.time[0] / 30.0)
    before = replace(a_twin, curves=TissueCurves.on_one_clock(a_twin.curves.time[0], a_twin.C_t_exact + left))
    begins = []
    for w_initial in (0.0, 1e4):
        settings = replace(FIXED, one_shot=OneShotSettings(w_initial=w_initial))
        problem, soft = prepared(before, settings, slice(0, 30))
        begins.append(np.median(soft.curves(problem, true_x(a_twin)[:30], a_twin.curves.time[0])[:, 0]))
    assert begins[0] > 0.5 * left[0]
    assert abs(begins[1]) < 0.1 * left[0]


@pytest.mark.parametrize("voxels", [1, 2])
def test_a_few_voxels_lean_on_the_weak_default(voxels, a_patient):
    result = fit(some(a_patient, slice(100, 100 + voxels)), a_patient.aif, ONE_SHOT)
    truth = a_patient.truth.F_p[100 : 100 + voxels]
    assert result.valid.all()
    assert (np.abs(np.log(result.parameters.F_p / truth)) < 4 * result.sd.F_p / result.parameters.F_p).all()


def test_identical_voxels_get_identical_answers(a_patient):
    result = fit(some(a_patient, None, np.tile(a_patient.curves.C_t[100], (20, 1))), a_patient.aif, ONE_SHOT)
    for _, values in result.parameters.items():
        assert np.isfinite(values).all() and np.ptp(values) < 1e-9


def test_bad_voxels_are_marked_and_leave_no_number_that_is_none(a_patient):
    C_t = a_patient.curves.C_t[100:130].copy()
    C_t[0], C_t[1], C_t[2, 3], C_t[3, 30] = 0.0, 1e-9, np.nan, 4.0 * C_t.max()
    result = fit(some(a_patient, None, C_t), a_patient.aif, ONE_SHOT)
    reasons = [Outcome.NO_ENHANCEMENT, Outcome.NOT_FINITE, Outcome.OUTLYING_FRAME]
    assert [result.outcome[0], result.outcome[2], result.outcome[3]] == reasons
    assert not result.valid[:4].any() and result.valid[4:].all()
    for _, values in (*result.parameters.items(), *result.sd.items()):
        assert np.isfinite(values[result.valid]).all()


def test_batches_do_not_change_a_voxel_s_answer(a_patient):
    curves = some(a_patient, slice(90, 130))
    whole, parts = (fit(curves, a_patient.aif, replace(ONE_SHOT, chunk=size)) for size in (40, 7))
    np.testing.assert_allclose(whole.parameters.F_p, parts.parameters.F_p, rtol=1e-6)


def test_what_is_done_is_kept_and_taken_up_again(a_patient):
    kept = {}

    class Shelf:
        def load(self, name):
            return kept.get(name)

        def save(self, name, arrays):
            kept[name] = arrays

    curves, settings = some(a_patient, slice(100, 130)), replace(ONE_SHOT, chunk=10)
    first = fit_one_shot(curves, a_patient.aif, settings, silent, Shelf())
    heard = []
    again = fit_one_shot(curves, a_patient.aif, settings, heard.append, Shelf())
    assert len(kept) == 3 and [event.fraction for event in heard if isinstance(event, Progress)][-1] == 1.0
    np.testing.assert_array_equal(first.parameters.F_p, again.parameters.F_p)
    assert again.seconds < 0.5 * first.seconds and again.details == first.details


def test_it_can_be_cancelled(a_patient):
    def cancel(event):
        raise Cancelled

    with pytest.raises(Cancelled):
        fit(a_patient.curves, a_patient.aif, ONE_SHOT, cancel)


@pytest.mark.parametrize("method", ["one-shot", "combined"])
def test_the_command_line_gives_the_weights_to_the_method_that_is_chosen(method):
    words = ["fit", "curves.csv", "-o", "out.csv", "--method", method, "--w-residual", "3"]
    chosen = settings_of(build_parser().parse_args(words)).fit
    weights = (chosen.one_shot.w_residual, chosen.network.w_residual)
    assert weights == ((3.0, 1.0) if method == "one-shot" else (1.0, 3.0))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--functions", "20"], "--functions is for one-shot, and the method is map"),
        (["--method", "one-shot", "--steps", "5"], "--steps is for the networks, and the method is one-shot"),
    ],
)
def test_an_option_that_is_not_heeded_is_refused(words, said):
    with pytest.raises(InputError, match=said):
        settings_of(build_parser().parse_args(["fit", "curves.csv", "-o", "out.csv", *words]))
