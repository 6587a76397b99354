"""Series from NRRD, Slicer's sequences and NIfTI: each slice keeps its clock, and no time is guessed."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MyoPINNLib.errors import InputError
from MyoPINNLib.files import limits
from MyoPINNLib.files.nrrd import write_series
from MyoPINNLib.files.volumes import read_volumes
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.series import Acquisition, PerfusionSeries

SHAPE = (3, 4, 5)
TIMES = np.array([0.0, 0.83, 1.66, 2.51, 3.32])
# As Slicer 5.13 writes a volume sequence; its volume stands oblique in space.
SLICER_HEADER = """NRRD0004
# Complete NRRD file format specification at:
# http://teem.sourceforge.net/nrrd/format.html
type: short
dimension: 4
space: left-posterior-superior
sizes: 5 4 3 5
space directions: (-1.3815914910043274,-0.58412751346297576,0) (0.59524088310761536,-1.4078770820500111,0.47283233065814306) (-1.0357289009709181,2.4497292176588821,8.5980284021304527) none
kinds: domain domain domain list
labels: "" "" "" "time"
units: "" "" "" "s"
endian: little
encoding: gzip
space origin: (10.000000000000004,-19.999999999999996,29.999999999999996)
DataNodeClassName:=vtkMRMLScalarVolumeNode
axis 3 index type:=numeric
axis 3 index values:=0.000 0.830 1.660 2.510 3.320

"""


@pytest.fixture
def the_signal() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 4000, (5, *SHAPE)).astype(np.int16)


@pytest.fixture
def a_series(the_signal) -> PerfusionSeries:
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * [1.4, 1.7, 20.0], [-71.2, 12.5, 103.1]
    grid = Geometry.from_volume(affine, SHAPE)
    thin = grid.ijk_to_lps.copy()
    thin[:, :3, 2] *= 8 / 20
    how = Acquisition(
        TS=0.11,
        TR=0.0022,
        flip_angle=0.2,
        pulses=32,
        field_strength=3.0,
        time_source="AcquisitionTime",
        notes=("a doubt",),
    )
    return PerfusionSeries(the_signal, TIMES, Geometry(thin, SHAPE), how)


def slicer_file(path: Path, signal: np.ndarray, change=lambda header: header) -> Path:
    path.write_bytes(change(SLICER_HEADER).encode() + gzip.compress(signal.tobytes()))
    return path


def nifti(path: Path, signal: np.ndarray, sidecar: str | None = None) -> Path:
    volumes = [sitk.GetImageFromArray(frame) for frame in signal]
    sitk.WriteImage(sitk.JoinSeries(volumes, 0.0, 1.0), str(path))
    if sidecar is not None:
        suffix = ".json" if sidecar.startswith("{") else ".csv"
        path.with_name(path.name.split(".")[0] + suffix).write_text(sidecar)
    return path


def test_a_sequence_that_slicer_wrote_has_its_times_and_its_place(the_signal, tmp_path):
    series = read_volumes([slicer_file(tmp_path / "perf.seq.nrrd", the_signal)])
    np.testing.assert_array_equal(series.signal, the_signal)
    np.testing.assert_allclose(series.time, np.repeat(TIMES[None], 3, axis=0))
    np.testing.assert_allclose(series.geometry.ijk_to_lps[0, :3, 3], [10, -20, 30], atol=1e-9)
    np.testing.assert_allclose(series.geometry.spacing, [[1.5, 1.6, 9.0]] * 3, rtol=1e-9)
    assert "axis 3 index values" in series.acquisition.time_source


def test_milliseconds_that_the_header_names_become_seconds(the_signal, tmp_path):
    def in_milliseconds(header):
        return header.replace('"s"', '"ms"').replace("0.000 0.830 1.660 2.510 3.320", "0 830 1660 2510 3320")

    series = read_volumes([slicer_file(tmp_path / "p.seq.nrrd", the_signal, in_milliseconds)])
    np.testing.assert_allclose(series.time[0], TIMES)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.000 0.830 1.660 2.510 3.320", "0 1 2 3 4", "numbers them"),
        ('"s"', '"frame"', "counts them in 'frame'"),
        ("axis 3 index values:=0.000 0.830 1.660 2.510 3.320\n", "", "does not say when"),
        ("0.000 0.830", "zero 0.830", "not all numbers"),
        (" 2.510 3.320", "", "5 frames and 3 frame times"),
        ("0.830 1.660", "1.660 0.830", "do not increase"),
        ("0.000 0.830", "-0.500 0.830", "negative"),
    ],
)
def test_times_that_cannot_be_or_are_none_are_refused(the_signal, tmp_path, old, new, said):
    unit = '"s"' if "0 1 2" not in new else '""'
    path = slicer_file(tmp_path / "p.seq.nrrd", the_signal, lambda text: text.replace(old, new).replace('"s"', unit))
    with pytest.raises(InputError, match=said):
        read_volumes([path])


def test_the_users_interval_serves_frame_numbers_and_is_told(the_signal, tmp_path):
    path = slicer_file(
        tmp_path / "p.seq.nrrd", the_signal,
        lambda text: text.replace("0.000 0.830 1.660 2.510 3.320", "0 1 2 3 4").replace('"s"', '""'),
    )  # fmt: skip
    series = read_volumes([path], interval=0.8)
    np.testing.assert_allclose(series.time[0], 0.8 * np.arange(5))
    assert "0.8 s" in series.acquisition.time_source


def test_a_series_comes_back_as_it_was_written(a_series, tmp_path):
    (path,) = write_series(tmp_path / "series", a_series)
    again = read_volumes([path])
    np.testing.assert_array_equal(again.signal, a_series.signal)
    np.testing.assert_array_equal(again.time, a_series.time)
    np.testing.assert_allclose(again.geometry.ijk_to_lps, a_series.geometry.ijk_to_lps, atol=1e-9)
    angle = again.acquisition.flip_angle
    assert angle == pytest.approx(0.2, rel=1e-9)
    assert replace(again.acquisition, flip_angle=0.2) == a_series.acquisition


def test_slices_with_clocks_of_their_own_come_back_in_any_order_of_files(a_series, tmp_path):
    weight = np.ones((3, 5))
    weight[1, 2] = 0
    series = replace(a_series, time=TIMES + np.array([[0.0], [0.2], [0.4]]), weight=weight)
    again = read_volumes(write_series(tmp_path / "series", series)[::-1])
    np.testing.assert_array_equal(again.time, series.time)
    np.testing.assert_array_equal(again.weight, weight)
    np.testing.assert_array_equal(again.signal, series.signal)
    assert again.geometry.same_grid(series.geometry)


def test_a_slice_with_fewer_frames_gets_frames_of_no_weight_where_the_beat_is_missing(a_series, tmp_path):
    full, short = tmp_path / "full", tmp_path / "short"
    one, two = (Geometry(a_series.geometry.ijk_to_lps[[k]], (1, 4, 5)) for k in (0, 1))
    kept = [0, 1, 3, 4]
    paths = write_series(full, PerfusionSeries(a_series.signal[:, [0]], TIMES, one))
    paths += write_series(short, PerfusionSeries(a_series.signal[kept][:, [1]], TIMES[kept], two))
    series = read_volumes(paths)
    assert series.weight.tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 1, 1]]
    assert TIMES[1] < series.time[1, 2] < TIMES[3]
    assert any("slice 2 has 4 of 5" in note for note in series.acquisition.notes)


def test_words_of_a_strange_header_reach_no_terminal_and_no_result(a_series, tmp_path):
    how = replace(a_series.acquisition, time_source="Patient DOE^JOHN " * 9, notes=("\x1b[2J\x1b[31mfine" + "A" * 999,))
    again = read_volumes(write_series(tmp_path / "series", replace(a_series, acquisition=how))).acquisition
    assert again.time_source == "the file's header (axis 3 index values)"
    assert len(again.notes[0]) == 200 and again.notes[0].isprintable() and again.notes[0].startswith("[2J[31mfine")


@pytest.mark.parametrize(
    "source", ["AcquisitionTime (0008,0032)", "TemporalPositionIdentifier (0020,0100) x 0.7 s (--interval)"]
)
def test_where_the_times_came_from_is_kept_where_myopinn_wrote_it(a_series, tmp_path, source):
    how = replace(a_series.acquisition, time_source=source)
    again = read_volumes(write_series(tmp_path / "series", replace(a_series, acquisition=how)))
    assert again.acquisition.time_source == source


@pytest.mark.parametrize(
    ("sidecar", "per_slice"),
    [
        (json.dumps({"time_s": TIMES.tolist()}), False),
        (json.dumps({"time_s": [(TIMES + 0.2 * k).tolist() for k in range(3)]}), True),
        ("frame,time_s\n" + "\n".join(f"{n},{time}" for n, time in enumerate(TIMES)), False),
        ("time_s_1,time_s_2,time_s_3\n" + "\n".join(f"{time},{time + 0.2},{time + 0.4}" for time in TIMES), True),
        ("\n".join(str(time) for time in TIMES), False),
    ],
)
def test_nifti_takes_its_times_from_a_sidecar(the_signal, tmp_path, sidecar, per_slice):
    series = read_volumes([nifti(tmp_path / "perf.nii.gz", the_signal, sidecar)])
    np.testing.assert_allclose(series.time, TIMES + 0.2 * per_slice * np.arange(3)[:, None])
    np.testing.assert_array_equal(series.signal, the_signal)


def test_nifti_without_times_asks_for_them_and_its_own_time_step_is_not_believed(the_signal, tmp_path):
    with pytest.raises(InputError, match="does not say when") as told:
        read_volumes([nifti(tmp_path / "perf.nii.gz", the_signal)])
    assert ".json" in told.value.hint and "--interval" in told.value.hint


@pytest.mark.parametrize(
    "sidecar",
    [
        '{"time_s": [0, 1]}',
        '{"times": [0]}',
        '{"time_s": "soon"}',
        '{"time_s": null}',
        '{"time_s": 7}',
        f'{{"time_s": [0, 1, 2, 3, 1{"0" * 400}]}}',
        "{",
        "time_s\nnoon",
        "a,b\n",
    ],
)
def test_a_sidecar_that_does_not_fit_is_refused(the_signal, tmp_path, sidecar):
    with pytest.raises(InputError, match="perf") as told:
        read_volumes([nifti(tmp_path / "perf.nii", the_signal, sidecar)])
    assert "seconds" in told.value.hint and str(tmp_path) not in str(told.value)


def test_one_frame_slices_of_two_sizes_and_one_slice_twice_are_refused(a_series, tmp_path):
    small = PerfusionSeries(a_series.signal[..., :4], TIMES, Geometry(a_series.geometry.ijk_to_lps, (3, 4, 4)))
    (path,), (other,) = write_series(tmp_path / "a", a_series), write_series(tmp_path / "b", small)
    with pytest.raises(InputError, match="4 x 5 and 4 x 4"):
        read_volumes([path, other])
    with pytest.raises(InputError, match="the same slice"):
        read_volumes([path, path])
    sitk.WriteImage(sitk.GetImageFromArray(a_series.signal[0]), str(tmp_path / "one.nrrd"))
    with pytest.raises(InputError, match="1 frame"):
        read_volumes([tmp_path / "one.nrrd"])


def test_a_series_larger_than_the_limit_of_dicom_is_refused_in_the_same_words(a_series, tmp_path, monkeypatch):
    (path,) = write_series(tmp_path / "double", replace(a_series, signal=a_series.signal.astype(float)))
    monkeypatch.setattr(limits, "MAX_BYTES", 8 * a_series.signal.size - 1)
    with pytest.raises(InputError, match="The images need .* GiB"):
        read_volumes([path])


def test_an_interval_that_can_be_none_is_refused_as_for_dicom(the_signal, tmp_path):
    with pytest.raises(InputError, match="--interval is -1 s"):
        read_volumes([slicer_file(tmp_path / "p.seq.nrrd", the_signal)], interval=-1.0)
