from __future__ import annotations

import numpy as np
import pytest

from MyoPINNLib.simulate import objects
from Testing.Benchmarks import paper_object


@pytest.fixture(scope="module")
def the_object():
    return paper_object.paper_object(seed=0)


def test_its_noise_is_the_published_one(the_object):
    assert the_object.sigma == pytest.approx(objects.PAPER_SIGMA, abs=5e-5)
    assert np.median(the_object.C_t_exact.max(axis=1)) / the_object.sigma == pytest.approx(54, abs=0.5)


def test_its_first_noisy_sample_is_zero(the_object):
    assert (the_object.curves.C_t[:, 0] == 0).all() and (the_object.curves.C_t[:, 1] != 0).all()


def test_its_curves_miss_the_differential_equations_by_the_published_amount(the_object):
    off = np.sqrt(((the_object.C_t_exact - objects.exact_grid(seed=0).C_t_exact) ** 2).mean(axis=1)) / the_object.sigma
    assert off.min() == pytest.approx(0.7, abs=0.05) and off.max() == pytest.approx(3.8, abs=0.05)


def test_its_convolution_is_the_plain_sum():
    time, K = objects.paper_time(), np.array([0.0, 0.02, 1.5])
    C_ap = objects.paper_input(time)
    by_recursion, slope = paper_object.RectangleConvolution(time, C_ap)(K)
    ago = np.tril(time[:, None] - time)
    kernel = 1.2 * np.tril(np.exp(-K[:, None, None] * ago))
    assert by_recursion.T == pytest.approx(kernel @ C_ap)
    assert slope.T == pytest.approx((ago * kernel) @ C_ap)
