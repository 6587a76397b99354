from __future__ import annotations

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.kinetics import compartment_curves, mass_balance
from MyoPINNLib.quantities import shown
from MyoPINNLib.simulate import objects
from MyoPINNLib.simulate.objects import Noise


@pytest.fixture(scope="module")
def a_grid():
    return objects.exact_grid(seed=3)


@pytest.fixture(scope="module")
def a_twin():
    return objects.twin(seed=3)


def test_the_input_of_the_paper_peaks_at_180_after_a_fifth_of_a_minute(a_grid):
    peak = a_grid.aif.C_ap.argmax()
    assert a_grid.aif.C_ap[peak] == pytest.approx(1e5 / 3 * 0.04 * np.exp(-2.0))
    assert a_grid.aif.time[peak] == pytest.approx(12.0)
    assert a_grid.aif.time[-1] == pytest.approx(118.8)


def test_the_grid_lies_as_in_the_paper(a_grid):
    maps = {name: shown(name, a_grid.curves.scatter(value, a_grid.shape)) for name, value in a_grid.truth.items()}
    assert maps["F_p"][0, ::10, 0] == pytest.approx([0.5, 1.0, 1.5, 2.0])
    assert maps["v_p"][1, 0, ::10] == pytest.approx([0.02, 0.05, 0.1, 0.2] * 3)
    assert maps["v_e"][2, 5, ::40] == pytest.approx([0.1, 0.2, 0.5])
    assert maps["PS"][:, 7, 7] == pytest.approx([0.5, 1.5, 2.5])


def test_the_exact_curves_belong_to_the_continuous_input_not_to_its_samples(a_grid):
    between = objects.paper_time()[:-1] + 0.6
    truth = {name: value[5000] for name, value in a_grid.truth.items()}
    function = ArterialInput.from_function(objects.paper_input, objects.paper_time())
    assert function(between) == pytest.approx(objects.paper_input(between), abs=1e-3)
    assert np.abs(a_grid.aif(between) - objects.paper_input(between)).max() > 0.1
    C_p, C_e = compartment_curves(function, objects.paper_time(), **truth)
    assert a_grid.C_t_exact[5000] == pytest.approx((truth["v_p"] * C_p + truth["v_e"] * C_e)[0])


def test_the_exact_curves_obey_the_differential_equations():
    time, step = np.linspace(3.0, 110.0, 40), 1e-3
    function = ArterialInput.from_function(objects.paper_input, objects.paper_time())
    parameters = {"F_p": 0.02, "v_p": 0.08, "v_e": 0.2, "PS": 0.02}
    (C_p, C_e), ahead, behind = (
        compartment_curves(function, time + shift, **parameters) for shift in (0.0, step, -step)
    )
    slopes = [(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]
    r_p, r_e = mass_balance(C_p, C_e, objects.paper_input(time), *slopes, **parameters)
    assert np.abs(np.concatenate([r_p, r_e])).max() < 1e-3


def test_the_twin_fills_the_range_of_the_grid_log_uniformly(a_twin):
    for name, (low, high) in {"F_p": (0.5, 2.0), "v_p": (0.02, 0.2), "v_e": (0.1, 0.5), "PS": (0.5, 2.5)}.items():
        place = np.log(shown(name, dict(a_twin.truth.items())[name]) / low) / np.log(high / low)
        assert place.min() >= 0 and place.max() <= 1
        assert place.mean() == pytest.approx(0.5, abs=0.02) and place.std() == pytest.approx(12**-0.5, abs=0.01)


def test_the_noise_has_the_size_that_its_name_says(a_twin):
    quiet = objects.twin(seed=3, noise=Noise.PEAK_SNR_17_5)
    assert (a_twin.curves.C_t - a_twin.C_t_exact).std() == pytest.approx(0.4415, rel=0.01)
    assert (quiet.curves.C_t - quiet.C_t_exact).std() == pytest.approx(
        np.median(quiet.C_t_exact.max(axis=1)) / 17.5, rel=0.01
    )
    assert (objects.twin(seed=3, noise=Noise.NONE).curves.C_t == a_twin.C_t_exact).all()


def test_the_input_carries_no_noise(a_twin):
    assert (a_twin.aif.C_ap == objects.paper_input(objects.paper_time())).all()


def test_a_seed_repeats_its_object_and_another_seed_does_not(a_twin):
    assert (objects.twin(seed=3).curves.C_t == a_twin.curves.C_t).all()
    assert not (objects.twin(seed=4).truth.F_p == a_twin.truth.F_p).any()
