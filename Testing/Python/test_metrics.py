from __future__ import annotations

import sys

import numpy as np
import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.fit import KineticParameters
from MyoPINNLib.quantities import inside
from MyoPINNLib.simulate import metrics, objects


@pytest.fixture
def the_truth():
    return objects.grid_parameters()


@pytest.fixture
def a_constant_guess(the_truth):
    return KineticParameters(*(np.full(value.shape, value.mean()) for _, value in the_truth.items()))


def test_the_truth_itself_scores_nothing_to_complain_about(the_truth):
    assert set(metrics.nmse(the_truth, the_truth).values()) == {0.0}
    assert metrics.ssim(the_truth, the_truth, shape=objects.GRID_SHAPE)["all"] == pytest.approx(1.0)
    assert metrics.error_summary(the_truth, the_truth)["PS"] == {
        "median": 0.0,
        "p90": 0.0,
        "bias": 0.0,
        "share_off": 0.0,
    }


def test_a_constant_guess_scores_what_was_published_for_the_object(the_truth, a_constant_guess):
    scores = metrics.nmse(a_constant_guess, the_truth, group=objects.grid_voxels()[:, 0])
    assert [round(scores[name], 2) for name in ("F_p", "v_p", "v_e", "PS", "all")] == [0.25, 0.05, 0.11, 0.80, 0.30]


def test_nmse_is_in_shown_units():
    truth, estimate = (
        KineticParameters(inside("F_p", np.array([2.0, 2.0]))),
        KineticParameters(inside("F_p", np.array([1.0, 3.0]))),
    )
    assert metrics.nmse(estimate, truth)["F_p"] == pytest.approx(0.5)


def test_similarity_uses_the_range_of_the_estimate_so_that_an_outlier_raises_it(the_truth):
    noisy = the_truth.v_p + 0.05 * np.random.default_rng(0).standard_normal(the_truth.v_p.size)
    with_outlier = np.where(np.arange(noisy.size) % 4800 == 50, 30.0, noisy)
    plain, raised = (
        metrics.ssim(KineticParameters(the_truth.F_p, v_p), the_truth, shape=objects.GRID_SHAPE)["v_p"]
        for v_p in (noisy, with_outlier)
    )
    assert plain < 0.6 and raised > 0.9


def test_an_outlier_cannot_raise_similarity_by_the_range_of_the_truth(the_truth):
    noisy = the_truth.v_p + 0.05 * np.random.default_rng(0).standard_normal(the_truth.v_p.size)
    with_outlier = np.where(np.arange(noisy.size) % 4800 == 50, 30.0, noisy)
    plain, other = (
        metrics.ssim(KineticParameters(the_truth.F_p, v_p), the_truth, shape=objects.GRID_SHAPE, truth_range=True)
        for v_p in (noisy, with_outlier)
    )
    assert other["v_p"] < plain["v_p"] < 0.9 and plain["F_p"] == pytest.approx(1.0)


def test_similarity_has_a_value_for_a_constant_estimate(the_truth, a_constant_guess):
    assert np.isfinite(list(metrics.ssim(a_constant_guess, the_truth, shape=objects.GRID_SHAPE).values())).all()


def test_the_error_summary_knows_size_sign_and_runaways():
    truth = KineticParameters(np.full(10, 0.02))
    estimate = KineticParameters(0.02 * np.array([1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 0.9, 0.9, 0.9, 4.0]))
    summary = metrics.error_summary(estimate, truth)["F_p"]
    assert summary["median"] == pytest.approx(0.1) and summary["bias"] == pytest.approx(0.1)
    assert summary["share_off"] == pytest.approx(0.1) and summary["p90"] == pytest.approx(0.39)


def test_a_quantity_that_the_method_does_not_give_is_not_judged(the_truth):
    scores = metrics.nmse(KineticParameters(the_truth.F_p * 1.1), the_truth)
    assert set(scores) == {"F_p", "all"} and scores["all"] == scores["F_p"]


def test_an_estimate_that_is_not_a_number_is_refused_unless_left_out(the_truth):
    F_p = np.where(np.arange(the_truth.F_p.size) == 5, np.nan, the_truth.F_p)
    with pytest.raises(InputError, match="1 of 14400 estimates of F_p"):
        metrics.error_summary(KineticParameters(F_p), the_truth)
    assert metrics.error_summary(KineticParameters(F_p), the_truth, where=np.isfinite(F_p))["F_p"]["median"] == 0.0


def test_similarity_without_scikit_image_says_what_is_missing(the_truth, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.metrics", None)
    with pytest.raises(InputError, match="scikit-image"):
        metrics.ssim(the_truth, the_truth, shape=objects.GRID_SHAPE)
