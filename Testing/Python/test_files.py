"""One door for studies: what lies at the paths decides who reads it, and what is no study is told in a sentence."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from dicom_files import study

from MyoPINNLib import files
from MyoPINNLib.errors import InputError
from MyoPINNLib.files.nrrd import write_map, write_series
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.series import Acquisition, PerfusionSeries

NOTES = ("a doubt", "another one")


@pytest.fixture
def a_series() -> PerfusionSeries:
    """Three oblique slices, each on a clock of its own, with a frame left out."""
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0] * [1.4, 1.7, 9.0]
    affine[:3, 3] = [-71.2, 12.5, 33.0]
    how = Acquisition(
        TS=0.11, TR=0.0022, flip_angle=0.2, pulses=32, field_strength=3.0, time_source="AcquisitionTime", notes=NOTES
    )
    signal = np.random.default_rng(1).integers(0, 4095, (6, 3, 8, 9)).astype(np.uint16)
    time = np.cumsum([0.0, 0.81, 0.79, 0.83, 0.77, 0.9]) + np.arange(3)[:, None] * 0.21
    weight = np.ones((3, 6))
    weight[1, 4] = 0
    return PerfusionSeries(signal, time, Geometry.from_volume(affine, (3, 8, 9)), how, weight)


def on_one_clock(series: PerfusionSeries) -> PerfusionSeries:
    return PerfusionSeries(series.signal, series.time[0], series.geometry, series.acquisition)


def assert_same(read: PerfusionSeries, written: PerfusionSeries) -> None:
    np.testing.assert_array_equal(read.signal, written.signal)
    np.testing.assert_array_equal(read.time, written.time)
    np.testing.assert_array_equal(read.weight, written.weight)
    np.testing.assert_allclose(read.geometry.ijk_to_lps, written.geometry.ijk_to_lps, atol=1e-4)
    how, was = read.acquisition, written.acquisition
    assert (how.TS, how.TR, how.flip_angle, how.pulses, how.field_strength) == pytest.approx(
        (was.TS, was.TR, was.flip_angle, was.pulses, was.field_strength)
    )
    assert (how.time_source, how.notes) == (was.time_source, was.notes)


def test_a_series_comes_back_slice_by_slice(a_series, tmp_path):
    assert_same(files.read_study(write_series(tmp_path / "series", a_series)), a_series)


def test_a_series_comes_back_from_one_file(a_series, tmp_path):
    series = on_one_clock(a_series)
    (path,) = write_series(tmp_path / "series", series)
    assert_same(files.read_study([path]), series)


def test_a_folder_may_have_letters_of_any_language(a_series, tmp_path):
    folder = tmp_path / "Müller, Hans 心"
    folder.mkdir()
    assert_same(files.read_study(write_series(folder / "été", a_series)), a_series)
    assert files.read_study([study(folder / "dicom")]).frames == 8


def test_a_volume_is_no_series(a_series, tmp_path):
    with pytest.raises(InputError, match="1 frame"):
        files.read_study(write_map(tmp_path / "m.nrrd", a_series.signal[0], a_series.geometry))


def test_a_truncated_series_is_one_sentence(a_series, tmp_path):
    path, *others = write_series(tmp_path / "series", a_series)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=f'"{path.name}" cannot be read'):
        files.read_study([path, *others])


def test_what_is_no_study_is_told(a_series, tmp_path):
    paths = write_series(tmp_path / "series", a_series)
    (tmp_path / "letter.txt").write_text("Dear colleague")
    for given, words in (
        ([], "No study"),
        ([tmp_path / "nowhere"], '"nowhere" is not there'),
        ([*paths, tmp_path / "letter.txt"], "not all NRRD or NIfTI"),
        ([tmp_path, tmp_path], "2 things"),
        ([tmp_path / "letter.txt"], "letter|DICOM"),
    ):
        with pytest.raises(InputError, match=words) as told:
            files.read_study(given)
        assert str(tmp_path) not in str(told.value)


def test_a_series_is_chosen_by_its_number(tmp_path):
    with pytest.raises(InputError, match='no series "basal"'):
        files.read_study([tmp_path], series="basal")


def test_readers_wait_until_they_are_called():
    script = "import sys, MyoPINNLib.files; sys.exit(sum(name in sys.modules for name in ('pydicom', 'SimpleITK')))"
    assert subprocess.run([sys.executable, "-c", script], timeout=30, check=False).returncode == 0
