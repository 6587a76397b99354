"""The arterial input is a function of time: exact at its samples, delayed, differentiable, never guessed."""

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput, Interpolation
from MyoPINNLib.errors import InputError

TIME = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.2, 40))
C_AP = 6 * (TIME / 10) ** 3 * np.exp(3 * (1 - TIME / 10))


@pytest.mark.parametrize("interpolation", list(Interpolation))
def test_an_input_passes_through_its_samples(interpolation):
    aif = ArterialInput(TIME, C_AP, interpolation)
    np.testing.assert_allclose(aif(TIME), C_AP, atol=1e-12)
    assert (aif(TIME[0] - 0.1), aif(TIME[-1] + 50)) == (0.0, pytest.approx(C_AP[-1]))


@pytest.mark.parametrize("interpolation", list(Interpolation))
def test_the_pieces_are_the_function(interpolation):
    aif = ArterialInput(TIME, C_AP, interpolation, delay=0.6)
    t = np.linspace(aif.knots[0], aif.knots[-1] + 3, 500)
    q = np.searchsorted(aif.knots, t, side="right") - 1
    powers = (t - aif.knots[q]) ** np.arange(4)[:, None]
    np.testing.assert_allclose((aif.coefficients[:, q] * powers).sum(axis=0), aif(t), atol=1e-12)


def test_a_delay_moves_the_function():
    aif, t = ArterialInput(TIME, C_AP), np.linspace(0, 40, 200)
    np.testing.assert_allclose(aif.delayed(1.3)(t + 1.3), aif(t))
    np.testing.assert_allclose(aif.delayed(1.0).delayed(0.3)(t), aif(t - 1.3))


def test_the_derivative_is_that_of_the_function():
    aif, t = ArterialInput(TIME, C_AP, delay=0.2), np.linspace(3, 30, 77)
    np.testing.assert_allclose(aif.derivative(t), (aif(t + 1e-6) - aif(t - 1e-6)) / 2e-6, atol=1e-5)
    assert aif.derivative(TIME[-1] + 5) == 0


def test_a_monotone_cubic_never_overshoots():
    step = ArterialInput(np.arange(6.0), np.array([0, 0, 5, 5, 1, 1.0]))
    values = step(np.linspace(0, 5, 300))
    assert (values.min(), values.max()) == (0.0, 5.0)


def test_a_callable_is_held_to_its_tolerance():
    function = lambda t: t**2 * np.exp(-t / 4)  # noqa: E731
    aif, t = ArterialInput.from_function(function, np.linspace(0, 60, 12), tolerance=1e-7), np.linspace(0, 60, 5001)
    assert np.abs(aif(t) - function(t)).max() < 1e-6 * function(8.0)


def test_plasma_holds_what_the_red_cells_do_not():
    np.testing.assert_allclose(ArterialInput.from_blood(TIME, C_AP, 0.4).C_ap, C_AP / 0.6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ArterialInput(TIME, C_AP[:-1]), "40 times and 39 values"),
        (lambda: ArterialInput(TIME[:1], C_AP[:1]), "1 sample"),
        (lambda: ArterialInput(TIME[::-1], C_AP), "do not increase"),
        (lambda: ArterialInput(TIME, np.full(40, np.nan)), "not numbers"),
        (lambda: ArterialInput.from_blood(TIME, C_AP, 45), "haematocrit is 45.*0.45 for 45 %"),
    ],
)
def test_an_impossible_input_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
