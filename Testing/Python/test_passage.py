from __future__ import annotations

import numpy as np
import pytest

from MyoPINNLib.simulate.passage import Blood, Passage, gamma_variate, heartbeats, slice_clocks


@pytest.fixture
def a_passage():
    return Passage(arrival=9.2, peak=4.8, to_peak=5.4)


def test_a_gamma_variate_peaks_at_one_when_it_should():
    t = np.linspace(-5, 30, 3501)
    assert gamma_variate(t, 5.0, 2.6).max() == pytest.approx(1.0)
    assert t[gamma_variate(t, 5.0, 2.6).argmax()] == pytest.approx(5.0)
    assert (gamma_variate(t, 5.0, 2.6)[t <= 0] == 0).all()


def test_a_passage_arrives_peaks_comes_round_again_and_stays_for_a_while(a_passage):
    t = np.linspace(0, 60, 6001)
    C_ab = a_passage(t)
    assert (C_ab[t <= 9.2] == 0).all() and C_ab.max() == pytest.approx(4.8)
    rises = np.diff(np.sign(np.diff(C_ab[C_ab > 0]))) < 0
    assert rises.sum() == 2
    assert 0.1 < C_ab[-1] / C_ab.max() < 0.2


def test_the_plasma_input_is_the_blood_curve_over_its_plasma_share(a_passage):
    t = np.linspace(0, 44, 997)
    aif = Blood((a_passage,)).plasma_input(44.0, 0.45)
    assert aif(t) == pytest.approx(a_passage(t) / 0.55, abs=2e-4)


def test_a_pre_bolus_is_the_main_bolus_made_small(a_passage):
    blood = Blood((a_passage.scaled(share=0.1, delay=0.0), a_passage.scaled(share=1.0, delay=26.0)))
    t = np.linspace(0, 20, 201)
    assert blood(t) == pytest.approx(0.1 * a_passage(t))
    assert blood(t + 26.0) - 0.1 * a_passage(t + 26.0) == pytest.approx(a_passage(t))


def test_heartbeats_jitter_by_the_share_that_was_asked_for():
    steps = np.diff(heartbeats(np.random.default_rng(0), frames=2000, interval=0.7, jitter=0.03))
    assert steps.mean() == pytest.approx(0.7, rel=0.01)
    assert steps.std() / 0.7 == pytest.approx(0.03, rel=0.1)
    assert steps.min() > 0.5


def test_every_slice_has_its_place_in_the_heartbeat():
    beats = heartbeats(np.random.default_rng(0), frames=20, interval=0.7, jitter=0.03)
    clocks = slice_clocks(beats, (0.02, 0.24, 0.46))
    assert clocks[0, 0] == 0.0
    assert clocks[2] - clocks[0] == pytest.approx(np.full(20, 0.44), abs=2e-6)
