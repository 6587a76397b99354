"""Signal and concentration: a pulse-by-pulse simulation of the magnetisation is the oracle of the closed formula."""

from __future__ import annotations

import time

import numpy as np
import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.relaxation import (
    FASTEST_R1,
    Readout,
    concentration_from_signal,
    magnitude_variance,
    signal_from_concentration,
    without_noise_floor,
)
from MyoPINNLib.settings import Conversion

T1_BLOOD, T1_MUSCLE, RELAXIVITY = 1.65, 1.15, 4.9
PLAIN, TRAIN = Readout(0.11), Readout(0.11, 0.0022, np.deg2rad(12.0), 32)
READOUTS = [PLAIN, TRAIN, Readout(0.15, 0.003, np.deg2rad(15.0), 40), Readout(0.1, 0.0025, np.pi / 2, 8)]


@pytest.fixture
def concentrations() -> np.ndarray:
    """(n, t) mM, what blood and muscle can reach."""
    return np.linspace(0.0, 6.0, 600).reshape(20, 30)


def simulated(readout: Readout, R1: float) -> float:
    """M/M0 at the k-space centre: recover from saturation, then pulse after pulse."""

    def recovered(M: float, duration: float) -> float:
        return 1.0 + (M - 1.0) * np.exp(-duration * R1)

    M = recovered(0.0, readout.TD)
    for _ in range(readout.pulses - 1):
        M = recovered(M * np.cos(readout.flip_angle), readout.TR)
    return M


def converted(
    signal: np.ndarray, readout: Readout, *, T1: float = T1_MUSCLE, conversion=Conversion.TRAIN
) -> np.ndarray:
    """[Gd] of curves (n, t) whose first frame is the baseline."""
    return concentration_from_signal(
        signal, signal[:, 0], T1=T1, relaxivity=RELAXIVITY, readout=readout, conversion=conversion
    )


@pytest.mark.parametrize("readout", READOUTS)
def test_the_signal_is_that_of_a_pulse_by_pulse_simulation(readout):
    for R1 in (0.3, 0.6, 3.0, 12.0, 60.0):
        assert readout.signal(R1) == pytest.approx(simulated(readout, R1), rel=1e-12)


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("M0", [1.0, 2750.0])
def test_signal_to_concentration_and_back_to_a_millionth(readout, M0, concentrations):
    signal = signal_from_concentration(concentrations, T1=T1_BLOOD, relaxivity=RELAXIVITY, readout=readout, M0=M0)
    back = (readout.R1(signal, M0) - 1 / T1_BLOOD) / RELAXIVITY
    np.testing.assert_allclose(back, concentrations, atol=1e-6)
    again = signal_from_concentration(back, T1=T1_BLOOD, relaxivity=RELAXIVITY, readout=readout, M0=M0)
    np.testing.assert_allclose(again, signal, rtol=1e-6)


@pytest.mark.parametrize("readout", READOUTS)
def test_a_signal_beyond_reach_goes_to_the_limit_and_stays_a_number(readout):
    R1 = readout.R1(np.array([1.0, 1.5, 1e6, 0.0]))
    np.testing.assert_allclose(R1, [FASTEST_R1, FASTEST_R1, FASTEST_R1, 0.0], atol=1e-9)


def test_noise_about_no_signal_averages_out():
    signal = 1e-3 * np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert TRAIN.R1(signal).mean() == pytest.approx(0.0, abs=1e-4)


def test_the_baseline_gives_the_equilibrium_whatever_the_coil_sees(concentrations):
    curves = np.concatenate([np.zeros((20, 1)), concentrations], axis=1)
    coil = np.geomspace(20.0, 3000.0, 20)[:, None]
    signal = signal_from_concentration(curves, T1=T1_MUSCLE, relaxivity=RELAXIVITY, readout=TRAIN, M0=coil)
    np.testing.assert_allclose(converted(signal, TRAIN), curves, atol=1e-6)


def test_a_train_taken_for_none_makes_much_too_much_of_blood_and_so_too_little_of_flow():
    """M0 comes out a third too low: muscle hardly suffers, blood near saturation does."""

    def without_train(C: float, T1: float) -> float:
        curve = np.array([[0.0, C]])
        signal = signal_from_concentration(curve, T1=T1, relaxivity=RELAXIVITY, readout=TRAIN)
        plain = converted(signal, TRAIN, T1=T1, conversion=Conversion.SATURATION_RECOVERY)
        np.testing.assert_array_equal(plain, converted(signal, PLAIN, T1=T1))
        return plain[0, 1] / C

    muscle, blood = without_train(0.9, T1_MUSCLE), without_train(3.0, T1_BLOOD)
    assert muscle == pytest.approx(1.0, abs=0.1)
    assert muscle / blood < 0.75


@pytest.mark.parametrize("T1", [T1_BLOOD, T1_MUSCLE])
def test_the_linear_conversion_is_right_for_a_trace_and_low_for_much(T1):
    curves = np.array([[0.0, 1e-5, 1.0]])
    signal = signal_from_concentration(curves, T1=T1, relaxivity=RELAXIVITY, readout=PLAIN)
    C = converted(signal, PLAIN, T1=T1, conversion=Conversion.LINEAR)[0]
    assert C[0] == 0.0
    assert C[1] == pytest.approx(1e-5, rel=1e-4)
    assert 0.7 < C[2] < 0.85


def test_a_curve_without_signal_before_the_contrast_agent_has_no_concentration():
    C = converted(np.array([[0.0, 5.0, 9.0], [100.0, 300.0, 500.0]]), TRAIN)
    assert np.isnan(C[0]).all() and np.isfinite(C[1]).all()


def test_the_noise_floor_of_a_magnitude_image_is_taken_off():
    rng, sigma = np.random.default_rng(5), 20.0
    for true in (60.0, 120.0, 800.0):
        noise = sigma * (rng.standard_normal(400_000) + 1j * rng.standard_normal(400_000))
        lifted = np.abs(true + noise).mean()
        corrected = without_noise_floor(lifted, sigma)
        assert abs(corrected / true - 1) < 0.006
        assert abs(corrected - true) < abs(lifted - true)
    assert without_noise_floor(100.0, 0.0) == 100.0


@pytest.mark.parametrize("snr", [0.0, 1.0, 2.7, 8.0])
def test_the_variance_of_a_magnitude_is_that_of_noise_made(snr):
    noise = np.random.default_rng(6).standard_normal((2, 400_000))
    assert magnitude_variance(snr**2) == pytest.approx(np.abs(snr + noise[0] + 1j * noise[1]).var(), rel=0.01)


def test_a_magnitude_without_noise_has_the_variance_of_its_noise():
    assert magnitude_variance(1e12) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"TS": 0.0}, "0 ms"),
        ({"TS": float("nan")}, "nan ms"),
        ({"TS": 0.11, "pulses": 0}, "0 readout pulses"),
        ({"TS": 0.11, "pulses": 32}, "--TR"),
        ({"TS": 0.11, "TR": 0.0022, "pulses": 32}, "--flip-angle"),
        (
            {"TS": 0.06, "TR": 0.0022, "flip_angle": 0.2, "pulses": 32},
            "68.2 ms, longer than the saturation time of 60 ms",
        ),
    ],
)
def test_a_readout_that_cannot_be_is_refused(numbers, said):
    with pytest.raises(InputError, match=said):
        Readout(**numbers)


def test_ten_thousand_curves_take_less_than_a_second():
    tissue = np.random.default_rng(1).uniform(0.0, 1.0, (10_000, 80))
    tissue[:, 0] = 0.0
    signal = signal_from_concentration(tissue, T1=T1_MUSCLE, relaxivity=RELAXIVITY, readout=TRAIN, M0=900.0)
    started = time.process_time()
    converted(signal, TRAIN)
    assert time.process_time() - started < 1.0
