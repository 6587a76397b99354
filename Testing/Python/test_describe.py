"""``myopinn info`` in words: what a careful reader needs, and nothing of the patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.files.clocks import filled
from MyoPINNLib.files.describe import describe
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.series import Acquisition, PerfusionSeries


@pytest.fixture
def a_series() -> PerfusionSeries:
    """Three axial slices from feet to head, 30 frames 0.8 s apart, a clock a slice."""
    grid = Geometry.from_volume(np.diag([1.4, 1.5, 10.0, 1.0]), (3, 8, 9))
    time = 0.8 * np.arange(30) + np.array([[0.0], [0.2], [0.4]])
    signal = np.random.default_rng(0).normal(100, 5, (30, 3, 8, 9))
    how = Acquisition(
        TS=0.11,
        TR=0.0022,
        flip_angle=np.deg2rad(12),
        pulses=32,
        field_strength=1.5,
        time_source="AcquisitionTime (0008,0032)",
    )
    return PerfusionSeries(signal, time, grid, how)


def said(series: PerfusionSeries) -> str:
    return "\n".join(describe(series))


def test_a_clean_series_is_told_with_its_numbers_and_no_doubt(a_series):
    text = said(a_series)
    for words in ("3 slices of 9 x 8 pixels", "30 frames", "AcquisitionTime (0008,0032)", "0.800 s apart", "TS:        110 ms",
                  "TR 2.2 ms", "flip angle 12 degrees", "centre 32", "1.5 T", "gaps:      none", "doubtful:  nothing"):  # fmt: skip
        assert words in text, words
    assert "0.000, 0.200, 0.400 s" in text


def test_a_gap_is_told_with_its_slice_and_length(a_series):
    time = a_series.time.copy()
    time[1, 11:] += 0.8
    assert "gap:       slice 2: 1.60 s from 8.20 s on" in said(replace(a_series, time=time))


def test_frames_that_a_slice_lacks_are_counted_and_no_gap_is_hidden_by_them(a_series):
    weight = a_series.weight.copy()
    weight[2, [4, 9]] = 0
    text = said(replace(a_series, weight=weight))
    assert "slice 3: 2 frames of 30" in text
    assert text.count("gap:       slice 3") == 2


def test_what_the_files_do_not_say_is_said_to_be_unsaid(a_series):
    text = said(replace(a_series, acquisition=Acquisition(time_source="TriggerTime (0018,1060)", notes=("one doubt",))))
    assert "TS:        not said by the files" in text
    assert "doubtful:  one doubt" in text and "--TS" in text


def test_the_basal_end_is_told_only_where_directions_tell(a_series):
    assert "slice 1 looks apical and slice 3 basal" in said(a_series)
    flat = a_series.geometry.ijk_to_lps.copy()
    flat[:, 2, 3] = 0
    flat[:, 0, 3] = flat[:, 1, 3] = [0, 10, 20]
    assert "cannot be said" in said(replace(a_series, geometry=Geometry(flat, (3, 8, 9))))


def test_slices_that_share_a_clock_are_told_apart_from_those_that_do_not(a_series):
    assert "clocks:    each slice has its own" in said(a_series)
    assert "clocks:    all slices share one" in said(replace(a_series, time=a_series.time[0]))


def test_the_tilt_between_slices_is_told(a_series):
    affines = a_series.geometry.ijk_to_lps.copy()
    c, s = np.cos(np.deg2rad(10)), np.sin(np.deg2rad(10))
    affines[2, :3, :3] = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ affines[2, :3, :3]
    assert "up to 10.0 degrees apart in tilt: one map file a slice" in said(
        replace(a_series, geometry=Geometry(affines, (3, 8, 9)))
    )


@pytest.mark.parametrize("interval", [0.15, 12.0])
def test_intervals_that_no_heart_keeps_are_doubtful(a_series, interval):
    assert "doubtful:  frames" in said(replace(a_series, time=interval * np.arange(30)))


def test_everything_stands_in_one_column(a_series):
    assert all(line[:11].rstrip().endswith(":") and line[10] == " " for line in describe(a_series))


@pytest.mark.parametrize(("value", "words"), [(np.nan, "6480 pixel values are not numbers"), (7.0, "nothing to see")])
def test_images_without_content_are_doubtful(a_series, value, words):
    assert words in said(replace(a_series, signal=np.full(a_series.signal.shape, value)))


def test_missing_frames_go_into_the_gaps_first_and_then_to_the_end():
    clock = filled(np.array([0.0, 1.0, 2.0, 5.0, 6.0]), 8)
    np.testing.assert_allclose(clock.time, np.arange(8.0))
    assert clock.weight.tolist() == [1, 1, 1, 0, 0, 1, 1, 0]
    assert clock.source.tolist() == [0, 1, 2, 2, 2, 3, 4, 4]


def test_no_more_frames_are_put_into_a_gap_than_are_missing():
    clock = filled(np.array([0.0, 1.0, 2.0, 9.0]), 5)
    assert clock.weight.tolist() == [1, 1, 1, 0, 1]
    assert (np.diff(clock.time) > 0).all()
