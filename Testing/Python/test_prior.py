"""What is learnt from a study's voxels: the statistics that made them are the oracle."""

import numpy as np
import pytest

from MyoPINNLib import prior
from MyoPINNLib.prior import (
    DEFAULT_WORTH,
    GaussianPrior,
    MarginalsPrior,
    default_prior,
    learnt_gaussian,
    learnt_marginals,
    normalised_weights,
)
from MyoPINNLib.residue import logs_by_residue, logs_from_residue, residue_from_logs

COVARIANCE = np.array([[0.3, 0.1, 0, 0], [0.1, 0.4, 0, 0.1], [0, 0, 0.2, 0], [0, 0.1, 0, 0.5]])
MEAN = np.array([-4.0, -2.8, -1.5, -4.0])


@pytest.fixture
def a_gaussian():
    return GaussianPrior(MEAN, COVARIANCE)


@pytest.fixture
def hearts():
    """x (500, 4) of voxels of many kinds, the equal-rates corner among them."""
    x = MEAN + np.random.default_rng(1).normal(0, 1.0, (500, 4))
    x[0] = [0.0, 0.0, 0.0, -30.0]
    return x


def posteriors(truth, error, gaussian, samples=128, seed=0):
    """Samples (n, s, m) and log-weights of voxels measured with normal errors: likelihood times nothing, drawn from it."""
    draw = np.random.default_rng(seed)
    measured = truth + error * draw.standard_normal(truth.shape)
    x = measured[:, None] + 1.3 * error * draw.standard_normal((len(truth), samples, truth.shape[1]))
    away = ((x - measured[:, None]) / error) ** 2
    return x, (-away / 2 + away / (2 * 1.3**2)).sum(axis=2)


def mean_and_sd(learnt, j=0):
    """Of the learnt density of parameter j."""
    middle = learnt.low[j] + (np.arange(learnt.f.shape[1]) + 0.5) * learnt.step[j]
    mass = learnt.f[j] * learnt.step[j]
    mean = (mass * middle).sum()
    return mean, np.sqrt((mass * (middle - mean) ** 2).sum())


def test_the_residue_s_coordinates_lead_there_and_back(hearts):
    back, _ = logs_from_residue(residue_from_logs(hearts[1:]))
    np.testing.assert_allclose(back, hearts[1:], atol=1e-9)


def test_the_residue_s_area_is_the_volume_of_distribution(hearts):
    np.testing.assert_allclose(np.exp(residue_from_logs(hearts)[:, 1]), np.exp(hearts[:, 1]) + np.exp(hearts[:, 2]))


def test_the_residue_s_coordinates_know_their_volume(hearts):
    u = residue_from_logs(hearts[1:])
    measured = np.linalg.slogdet(logs_by_residue(u))[1]
    np.testing.assert_allclose(logs_from_residue(u)[1], measured, atol=1e-6)


def test_a_delay_passes_through_the_residue_s_coordinates(hearts):
    late = np.column_stack([hearts[1:], np.full(len(hearts) - 1, 0.7)])
    assert (logs_from_residue(residue_from_logs(late))[0][:, 4] == 0.7).all()


def test_a_gaussian_integrates_to_one(a_gaussian):
    draw = np.random.default_rng(0).normal(0, 1.5, (200_000, 4))
    log_q = -(draw**2).sum(axis=1) / (2 * 1.5**2) - 2 * np.log(2 * np.pi * 1.5**2)
    assert np.exp(a_gaussian.log_density(draw + MEAN) - log_q).mean() == pytest.approx(1.0, abs=0.02)


def test_marginals_made_of_a_gaussian_are_that_gaussian(a_gaussian):
    x = np.random.default_rng(0).multivariate_normal(MEAN, COVARIANCE, 500)
    off = MarginalsPrior.from_gaussian(a_gaussian).log_density(x) - a_gaussian.log_density(x)
    assert np.abs(off - np.median(off)).mean() < 0.05


def test_the_slope_of_a_prior_is_that_of_its_density(a_gaussian):
    x = np.random.default_rng(0).multivariate_normal(MEAN, 2 * COVARIANCE, 300)
    for some in (a_gaussian, MarginalsPrior.from_gaussian(a_gaussian)):
        hair = 1e-5 * np.eye(4)
        steps = [(some.log_density(x + h) - some.log_density(x - h)) / 2e-5 for h in hair]
        off = np.abs(some.slope(x) - np.stack(steps, axis=-1))
        assert np.quantile(off, 0.99) < 1e-4 and np.median(off) < 1e-6


def test_one_voxel_hardly_moves_the_default():
    default = default_prior(np.array([0.3]), None)
    x = default.mean[None] + 1.0
    moved = learnt_gaussian(default, x, 0.01 * np.eye(4)[None])
    np.testing.assert_allclose(moved.mean - default.mean, 1 / (1 + DEFAULT_WORTH))


def test_the_default_scales_with_the_curves():
    one, twice = default_prior(np.array([0.2, 0.3]), None), default_prior(np.array([0.4, 0.6]), None)
    np.testing.assert_allclose(twice.mean - one.mean, np.log(2))
    np.testing.assert_array_equal(twice.covariance, one.covariance)


def test_many_voxels_tell_mean_and_covariance():
    truth = np.random.default_rng(3).multivariate_normal(MEAN, COVARIANCE, 4000)
    error = np.array([0.2, 0.3, 0.2, 0.3])
    measured = truth + error * np.random.default_rng(4).standard_normal(truth.shape)
    default = gaussian = default_prior(np.array([0.3]), None)
    for _ in range(40):
        gain = gaussian.covariance @ np.linalg.inv(gaussian.covariance + np.diag(error**2))
        mode = gaussian.mean + (measured - gaussian.mean) @ gain.T
        spread = np.broadcast_to((np.eye(4) - gain) @ gaussian.covariance, (len(mode), 4, 4))
        gaussian = learnt_gaussian(default, mode, spread)
    np.testing.assert_allclose(gaussian.mean, MEAN, atol=0.05)
    np.testing.assert_allclose(gaussian.covariance, COVARIANCE, atol=0.05)


def test_few_voxels_keep_the_gaussian(a_gaussian):
    few = np.zeros((prior.FEWEST_FOR_MARGINALS - 1, 8, 4))
    assert learnt_marginals(a_gaussian, few, np.zeros(few.shape[:2])) is a_gaussian


def test_an_ischaemic_fifth_gets_a_peak_of_its_own(a_gaussian):
    truth = np.tile(MEAN, (1000, 1)) + np.random.default_rng(5).normal(0, 0.15, (1000, 4))
    truth[:200, 0] -= np.log(3)
    gaussian = GaussianPrior(truth.mean(axis=0), np.cov(truth.T))
    learnt = learnt_marginals(gaussian, *posteriors(truth, np.full(4, 0.15), gaussian))
    middle = learnt.low[0] + (np.arange(learnt.f.shape[1]) + 0.5) * learnt.step[0]
    at = lambda place: np.interp(place, middle, learnt.f[0])  # noqa: E731
    assert at(MEAN[0] - np.log(3)) > 2 * at(MEAN[0] - np.log(3) / 2)
    assert at(MEAN[0]) > at(MEAN[0] - np.log(3))


def test_a_box_is_told_from_a_gaussian():
    truth = MEAN + np.random.default_rng(6).uniform(-0.7, 0.7, (1000, 4))
    gaussian = GaussianPrior(truth.mean(axis=0), np.cov(truth.T))
    x, log_weight = posteriors(truth, np.full(4, 0.15), gaussian)
    learnt = learnt_marginals(gaussian, x, log_weight)
    inside, outside = learnt.log_density(MEAN + 0.5 * np.eye(4)), learnt.log_density(MEAN + 1.1 * np.eye(4))
    assert (inside - outside > 2.5).all()
    mean, sd = mean_and_sd(learnt)
    assert mean == pytest.approx(MEAN[0], abs=0.05) and sd == pytest.approx(1.4 / np.sqrt(12), rel=0.15)


def test_the_learnt_prior_foresees_voxels_it_has_not_seen():
    truth = MEAN + np.random.default_rng(7).uniform(-0.7, 0.7, (1200, 4))
    gaussian = GaussianPrior(truth.mean(axis=0), np.cov(truth.T))
    x, log_weight = posteriors(truth, np.full(4, 0.15), gaussian)
    learnt = learnt_marginals(gaussian, x[:800], log_weight[:800])
    evidence = lambda p: np.log(np.exp(log_weight[800:] + p.log_density(x[800:])).mean(axis=1)).mean()  # noqa: E731
    assert evidence(learnt) > evidence(gaussian)


def test_correlation_is_learnt_and_stays_a_correlation():
    covariance = 0.1 * np.array([[1, 0.7, 0, 0], [0.7, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    truth = np.random.default_rng(8).multivariate_normal(MEAN, covariance, 1000)
    gaussian = GaussianPrior(truth.mean(axis=0), np.diag(np.diag(covariance)))
    learnt = learnt_marginals(gaussian, *posteriors(truth, np.full(4, 0.1), gaussian))
    assert learnt.correlation[0, 1] == pytest.approx(0.7, abs=0.1)
    np.testing.assert_allclose(np.diag(learnt.correlation), 1.0)


def test_weights_sum_to_one_whatever_their_size():
    weight = normalised_weights(np.array([[-1e6, -1e6 + 1], [1e3, 1e3]]))
    np.testing.assert_allclose(weight.sum(axis=1), 1.0)
    np.testing.assert_allclose(weight[1], 0.5)
