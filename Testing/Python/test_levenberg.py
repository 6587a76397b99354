"""The batched least squares against SciPy's, one problem at a time."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from MyoPINNLib.solvers.levenberg import levenberg_marquardt

TIME = np.linspace(0, 4, 30)


def model(data):
    """Residuals of a e^(-b t) + c for data (n, t); x = a, ln b, c."""

    def residuals(x, rows):
        a, b, c = x[:, 0], np.exp(x[:, 1]), x[:, 2]
        decay = np.exp(-TIME[:, None] * b)
        J = np.stack([decay, -a * b * TIME[:, None] * decay, np.ones_like(decay)])
        return a * decay + c - data[rows].T, J

    return residuals


def solve(data, lower=(-9.0, -3.0, -9.0), upper=(9.0, 3.0, 9.0), **options):
    bounds = {"lower": np.array(lower), "upper": np.array(upper), "longest_step": np.full(3, 2.0)}
    given = {"max_iterations": 300, "tolerance": 1e-13, **options}
    return levenberg_marquardt(model(data), np.tile([1.0, 0.0, 0.0], (len(data), 1)), **bounds, **given)


@pytest.fixture
def data():
    draw = np.random.default_rng(2)
    a, b, c = draw.uniform(0.5, 3, 25), draw.uniform(0.3, 4, 25), draw.uniform(-1, 1, 25)
    return a[:, None] * np.exp(-b[:, None] * TIME) + c[:, None] + draw.normal(0, 0.05, (25, 30))


@pytest.mark.parametrize("upper", [(9.0, 3.0, 9.0), (1.5, 0.5, 0.2)], ids=["free", "bounded"])
def test_every_problem_ends_where_scipy_ends(data, upper):
    lower, found = (-9.0, -3.0, -9.0), solve(data, upper=upper)
    start = np.minimum([1.0, 0.0, 0.0], np.array(upper) - 1e-6)
    for row, x in enumerate(found.x):
        one = lambda x, row=row: model(data)(x[None], np.array([row]))[0][:, 0]  # noqa: E731
        expected = least_squares(one, start, bounds=(lower, upper), xtol=1e-14, ftol=1e-14, gtol=1e-14)
        assert found.cost[row] == pytest.approx(2 * expected.cost, rel=1e-6)
        np.testing.assert_allclose(x, expected.x, atol=2e-4)
    assert found.converged.all()


def test_a_bound_is_never_crossed_and_may_be_left_again(data):
    found = solve(data, lower=(0.9, -0.1, -0.1), upper=(1.1, 0.1, 0.1))
    assert (found.x >= [0.9, -0.1, -0.1]).all()
    assert (found.x <= [1.1, 0.1, 0.1]).all()


def test_without_noise_the_residual_goes_to_zero():
    truth = np.array([[2.0, 0.5, -0.3]])
    clean = truth[:, :1] * np.exp(-np.exp(truth[:, 1:2]) * TIME) + truth[:, 2:]
    found = solve(clean, tolerance=0.1, noise_power=np.zeros(1))
    np.testing.assert_allclose(found.x, truth, atol=1e-6)


def test_a_step_that_noise_makes_pointless_is_not_taken(data):
    assert solve(data, tolerance=0.05).iterations < solve(data, tolerance=1e-13).iterations


def test_the_curvature_gives_the_covariance(data):
    found = solve(data)
    J = model(data)(found.x, np.arange(25))[1]
    np.testing.assert_allclose(found.curvature, np.einsum("ita,jta->aij", J, J), rtol=1e-10)


def test_too_few_iterations_are_told(data):
    assert not solve(data, max_iterations=1).converged.all()
