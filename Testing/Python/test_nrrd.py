"""Maps and series as NRRD: what is written comes back, on any grid, and Slicer's own layout is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MyoPINNLib.errors import InputError
from MyoPINNLib.files import images
from MyoPINNLib.files.nrrd import read_map, write_label, write_map, write_series
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.series import Acquisition, PerfusionSeries

SHAPE = (3, 4, 5)
TURN = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
AXES = {
    "oblique": TURN * np.sign(np.linalg.det(TURN)),
    "mirrored": TURN * [1, 1, -1],
    "permuted": np.eye(3)[:, [2, 0, 1]],
}


@pytest.fixture(params=AXES)
def a_grid(request) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = AXES[request.param] * [1.4, 1.7, 9.0]
    affine[:3, 3] = [-71.23456789, 12.5, 1033.125]
    return Geometry.from_volume(affine, SHAPE)


@pytest.fixture
def a_fan() -> Geometry:
    """Slices that are not parallel: no volume can hold them."""
    affines = np.repeat(np.diag([1.4, 1.7, 8.0, 1.0])[None], 3, axis=0)
    for k, angle in enumerate((0.0, 0.2, 0.4)):
        affines[k, :3, :3] = [
            [1.4, 0, 0],
            [0, 1.7 * np.cos(angle), -8 * np.sin(angle)],
            [0, 1.7 * np.sin(angle), 8 * np.cos(angle)],
        ]
        affines[k, 2, 3] = 10.0 * k
    return Geometry(affines, SHAPE)


@pytest.fixture
def the_values() -> np.ndarray:
    return np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)


def a_series(geometry: Geometry, *, own_clocks: bool = False, weight=None) -> PerfusionSeries:
    signal = np.random.default_rng(2).integers(0, 4095, (6, *SHAPE)).astype(np.uint16)
    time = np.cumsum([0.0, 0.81, 0.79, 0.83, 0.777777777777, 0.9]) + (np.arange(3)[:, None] * 0.2 if own_clocks else 0)
    how = Acquisition(TS=0.11, TR=0.0022, flip_angle=0.2, pulses=32, field_strength=3.0, time_source="AcquisitionTime")
    return PerfusionSeries(signal, time, geometry, how, weight)


def header_of(path) -> str:
    return path.read_bytes().split(b"\n\n")[0].decode()


def test_a_map_comes_back_with_its_place_to_a_ten_thousandth_of_a_millimetre(a_grid, the_values, tmp_path):
    values, geometry, _ = read_map(write_map(tmp_path / "MBF.nrrd", the_values, a_grid, keys={}))
    np.testing.assert_array_equal(values, the_values)
    corners = np.array([[k, j, i] for k in (0, 2) for j in (0, 3) for i in (0, 4)])
    np.testing.assert_allclose(geometry.to_lps(corners), a_grid.to_lps(corners), atol=1e-4)


def test_a_map_keeps_what_its_header_says(a_grid, the_values, tmp_path):
    keys = {"quantity": "MBF (blood flow)", "units": "mL/min/g", "note": "two\nlines \\ and µ: =", "OSIPI": ""}
    assert read_map(write_map(tmp_path / "MBF.nrrd", the_values, a_grid, keys=keys))[2] == keys


def test_simpleitk_sees_the_map_where_it_lies(a_grid, the_values, tmp_path):
    (path,) = write_map(tmp_path / "MBF.nrrd", the_values, a_grid)
    image = sitk.ReadImage(str(path))
    assert image.TransformIndexToPhysicalPoint((4, 3, 2)) == pytest.approx(a_grid.to_lps(np.array([[2, 3, 4]]))[0])
    assert image.GetPixel(4, 3, 2) == the_values[2, 3, 4]


def test_what_is_not_a_number_is_written_as_0(a_grid, the_values, tmp_path):
    the_values[0, 1, 2], the_values[1, 1, 1] = np.nan, np.inf
    values, *_ = read_map(write_map(tmp_path / "MBF.nrrd", the_values, a_grid))
    assert (values[0, 1, 2], values[1, 1, 1]) == (0, 0)
    assert np.count_nonzero(values) == values.size - 2


def test_slices_that_no_volume_can_hold_get_a_file_each(a_fan, the_values, tmp_path):
    paths = write_map(tmp_path / "MBF.nrrd", the_values, a_fan)
    assert [path.name for path in paths] == ["MBF_1.nrrd", "MBF_2.nrrd", "MBF_3.nrrd"]
    values, geometry, _ = read_map(paths)
    np.testing.assert_array_equal(values, the_values)
    assert geometry.same_grid(a_fan)
    np.testing.assert_allclose(geometry.ijk_to_lps, a_fan.ijk_to_lps, atol=1e-4)


def test_labels_stay_whole_numbers(a_grid, tmp_path):
    labels = np.arange(60).reshape(SHAPE)
    values, *_ = read_map(write_label(tmp_path / "labels.nrrd", labels, a_grid))
    assert values.dtype == np.uint8
    np.testing.assert_array_equal(values, labels)


@pytest.mark.parametrize("wrong", [-1, 256])
def test_a_label_that_does_not_fit_is_refused(a_grid, tmp_path, wrong):
    with pytest.raises(InputError, match=f"{wrong}"):
        write_label(tmp_path / "labels.nrrd", np.full(SHAPE, wrong), a_grid)


def test_equal_maps_are_equal_bytes(a_grid, the_values, tmp_path):
    (first,), (second,) = (write_map(tmp_path / name, the_values, a_grid) for name in ("a.nrrd", "b.nrrd"))
    assert first.read_bytes() == second.read_bytes()


def test_a_map_on_another_grid_is_refused(a_grid, tmp_path):
    with pytest.raises(InputError, match=r"\(2, 4, 5\).*\(3, 4, 5\)"):
        write_map(tmp_path / "MBF.nrrd", np.zeros((2, 4, 5)), a_grid)


def test_slices_of_one_clock_are_one_slicer_sequence(a_grid, tmp_path):
    series = a_series(a_grid)
    (path,) = write_series(tmp_path / "series", series)
    assert path.name == "series.seq.nrrd"
    assert "kinds: domain domain domain list" in header_of(path)
    image = sitk.ReadImage(str(path))
    assert [float(word) for word in image.GetMetaData("axis 3 index values").split()] == series.time[0].tolist()
    assert 'units: "" "" "" "s"' in header_of(path)
    np.testing.assert_array_equal(np.moveaxis(sitk.GetArrayFromImage(image), -1, 0), series.signal)


def test_slices_with_clocks_of_their_own_are_a_sequence_each(a_grid, tmp_path):
    series = a_series(a_grid, own_clocks=True)
    paths = write_series(tmp_path / "series", series)
    assert [path.name for path in paths] == ["series_1.seq.nrrd", "series_2.seq.nrrd", "series_3.seq.nrrd"]
    for k, path in enumerate(paths):
        values = sitk.ReadImage(str(path)).GetMetaData("axis 3 index values")
        assert [float(word) for word in values.split()] == series.time[k].tolist()


def test_a_truncated_file_is_one_sentence(a_grid, the_values, tmp_path):
    (path,) = write_map(tmp_path / "MBF.nrrd", the_values, a_grid)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    with pytest.raises(InputError, match='"MBF.nrrd" cannot be read'):
        read_map(path)


def test_a_file_that_is_not_there_is_named_without_its_folder(tmp_path):
    with pytest.raises(InputError, match='"MBF.nrrd" is not there') as told:
        read_map(tmp_path / "MBF.nrrd")
    assert str(tmp_path) not in str(told.value)


def test_a_series_is_no_map(a_grid, tmp_path):
    with pytest.raises(InputError, match="6 frames"):
        read_map(write_series(tmp_path / "series", a_series(a_grid)))


def test_size_is_asked_before_memory_is_taken(a_grid, the_values, tmp_path):
    (path,) = write_map(tmp_path / "MBF.nrrd", the_values, a_grid)
    path.write_bytes(path.read_bytes().replace(b"sizes: 5 4 3", b"sizes: 99999 99999 99"))
    with pytest.raises(InputError, match="at most 4 GiB are read"):
        images.read_image(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_noticed(a_grid, the_values, tmp_path):
    (tmp_path / ".partial-MBF.nrrd").symlink_to("/dev/full")
    with pytest.raises(InputError, match="No space left"):
        write_map(tmp_path / "MBF.nrrd", the_values, a_grid)


@pytest.mark.parametrize(
    "field",
    ["data file: ", "datafile: ", "Data File:", "data file: LIST\n", "content: x\rdata file: ", " \ndata file: "],
)
def test_a_header_that_names_another_file_is_refused(a_grid, the_values, tmp_path, field):
    (tmp_path / "secret").write_bytes(bytes(4 * the_values.size))
    (path,) = write_map(tmp_path / "MBF.nrrd", the_values, a_grid)
    head = path.read_bytes().split(b"\n\n")[0].replace(b"encoding: gzip", b"encoding: raw")
    path.write_bytes(head + f"\n{field}{tmp_path / 'secret'}\n".encode())
    with pytest.raises(InputError, match="keeps its data in another file"):
        read_map(path)


def test_a_key_called_data_file_is_only_a_key(a_grid, the_values, tmp_path):
    keys = {"data file": "none"}
    assert read_map(write_map(tmp_path / "MBF.nrrd", the_values, a_grid, keys=keys))[2] == keys


@pytest.mark.parametrize(
    "line", [b"a" * 5000, b"units: " + b'"x" ' * 1500, b"x: " + b":=" * 2500, b"key" * 10_000_000 + b":=1"]
)
def test_a_header_that_would_crash_itk_is_refused(a_grid, the_values, tmp_path, line):
    (path,) = write_map(tmp_path / "MBF.nrrd", the_values, a_grid)
    path.write_bytes(path.read_bytes().replace(b"endian:", line + b"\nendian:"))
    with pytest.raises(InputError, match="cannot be read"):
        read_map(path)


def test_a_key_may_be_long(a_grid, the_values, tmp_path):
    keys = {"axis 3 index values": " ".join(str(number) for number in range(9000))}
    assert read_map(write_map(tmp_path / "MBF.nrrd", the_values, a_grid, keys=keys))[2] == keys


def test_a_header_in_another_coding_is_read_without_what_is_not_utf_8(a_grid, the_values, tmp_path):
    (path,) = write_map(
        tmp_path / "MBF.nrrd", the_values, a_grid, keys={"name": "Grusse", "Grusse": "name", "unit": "s"}
    )
    path.write_bytes(path.read_bytes().replace(b"Grusse", b"Gr\xfc\xdfe"))
    assert read_map(path)[2] == {"name": "Gr??e", "unit": "s"}


def test_another_format_is_refused_by_its_name(tmp_path):
    (tmp_path / "m.mhd").write_text("ObjectType = Image")
    with pytest.raises(InputError, match="neither NRRD nor NIfTI by its name"):
        read_map(tmp_path / "m.mhd")
