from __future__ import annotations

import csv
import json

import numpy as np
import pydicom
import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.files.nrrd import read_map
from MyoPINNLib.quantities import shown
from MyoPINNLib.simulate import scanner
from MyoPINNLib.simulate.phantom import Preset, make_phantom


@pytest.fixture(scope="module")
def a_phantom():
    return make_phantom(Preset.FAST, seed=5)


@pytest.fixture(scope="module")
def a_study(a_phantom, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    scanner.write_study(a_phantom, folder)
    return folder


@pytest.fixture(scope="module")
def images(a_study):
    """Slice -> data sets in file order."""
    series = sorted((a_study / "dicom").iterdir())
    return [[pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))] for folder in series]


def test_there_is_a_series_a_slice_and_a_file_a_frame(a_phantom, images):
    assert [len(frames) for frames in images] == [a_phantom.series.frames] * 3
    assert len({frames[0].SeriesInstanceUID for frames in images}) == 3
    assert len({image.SOPInstanceUID for frames in images for image in frames}) == 3 * a_phantom.series.frames
    assert len({image.StudyInstanceUID for frames in images for image in frames}) == 1


def test_pixels_come_back_as_they_were_to_half_a_grey_value(a_phantom, images):
    stored = np.array([[image.pixel_array for image in frames] for frames in images]).swapaxes(0, 1)
    assert stored.dtype == np.uint16
    assert np.abs(stored - a_phantom.series.signal).max() <= 0.5 + 1e-3
    assert stored.max() < 4095


def test_acquisition_times_are_the_clocks_of_the_slices_to_the_microsecond(a_phantom, images):
    def seconds(text):
        return 3600 * int(text[:2]) + 60 * int(text[2:4]) + float(text[4:])

    times = np.array([[seconds(image.AcquisitionTime) for image in frames] for frames in images])
    assert times - times.min() == pytest.approx(a_phantom.series.time, abs=1e-6)


def test_position_and_orientation_give_back_the_grid(a_phantom, images):
    for k, frames in enumerate(images):
        image = frames[0]
        along, down = np.reshape(image.ImageOrientationPatient, (2, 3)).astype(float)
        spacing = np.array(image.PixelSpacing, dtype=float)
        affine = a_phantom.series.geometry.ijk_to_lps[k]
        assert along * spacing[1] == pytest.approx(affine[:3, 0], abs=1e-6)
        assert down * spacing[0] == pytest.approx(affine[:3, 1], abs=1e-6)
        assert np.array(image.ImagePositionPatient, dtype=float) == pytest.approx(affine[:3, 3], abs=1e-6)
        assert image.SliceThickness == pytest.approx(8.0)


def test_the_protocol_can_be_read_from_the_files(images):
    image = images[1][0]
    assert (image.InversionTime, image.RepetitionTime, image.FlipAngle) == (110.0, 2.2, 12.0)
    assert image.NumberOfPhaseEncodingSteps == 64 and image.MagneticFieldStrength == 3
    assert image.ScanningSequence == "GR" and image.BodyPartExamined == "HEART"


def test_everyone_can_see_that_nobody_was_scanned(images):
    image = images[0][0]
    assert image.PatientName == "MyoPINN^Synthetic" and image.PatientID == "SYNTHETIC"
    assert "SYNTHETIC" in image.StudyDescription and "not a patient" in image.ImageComments.lower()


def test_identifiers_follow_from_the_seed(a_phantom, images, tmp_path):
    again = scanner.write_dicom(a_phantom, tmp_path)[0]
    other = make_phantom(Preset.FAST, seed=6)
    assert pydicom.dcmread(again).SOPInstanceUID == images[0][0].SOPInstanceUID
    assert scanner.write_dicom(other, tmp_path / "other") and (
        pydicom.dcmread(next((tmp_path / "other").rglob("*.dcm"))).StudyInstanceUID != images[0][0].StudyInstanceUID
    )


def test_files_are_the_same_bytes_for_the_same_study(a_phantom, a_study, tmp_path):
    for path in scanner.write_dicom(a_phantom, tmp_path)[::17]:
        assert path.read_bytes() == (a_study / "dicom" / path.relative_to(tmp_path)).read_bytes()


def test_the_label_map_holds_the_three_masks(a_phantom, a_study):
    labels = scanner.labels(a_phantom)
    stored, geometry, _ = read_map(a_study / "masks.nrrd")
    assert geometry.same_grid(a_phantom.series.geometry)
    assert (stored == labels).all()
    assert ((labels == 2) == a_phantom.masks.myocardium).all() and ((labels == 1) == a_phantom.masks.blood_pool).all()


def test_insertion_points_are_slicer_markups_in_lps(a_phantom, a_study):
    markup = json.loads((a_study / "insertion.mrk.json").read_text())["markups"][0]
    assert markup["type"] == "Fiducial" and markup["coordinateSystem"] == "LPS"
    assert np.array([point["position"] for point in markup["controlPoints"]]) == pytest.approx(
        np.array(a_phantom.insertion_lps)
    )


def test_truth_maps_are_in_shown_units(a_phantom, a_study):
    stored, _, keys = read_map(a_study / "truth" / "MBF.nrrd")
    where = a_phantom.masks.myocardium
    assert stored[where] == pytest.approx(shown("MBF", a_phantom.truth["MBF"][where]), rel=1e-5)
    assert keys["units"] == "mL/min/g" and keys["method"] == "phantom truth"


def test_the_true_segment_table_shows_the_ischaemic_territory(a_study):
    with (a_study / "truth" / "aha.csv").open() as stream:
        flow = {int(row["segment"]): float(row["MBF_mL_min_g"]) for row in csv.DictReader(stream)}
    assert {segment for segment, value in flow.items() if value < 1.94} == {1, 2, 7, 8, 13, 14}


def test_the_true_input_is_a_table_of_plasma_and_blood(a_phantom, a_study):
    with (a_study / "truth" / "aif.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    C_ap, C_ab = (np.array([float(row[name]) for row in rows]) for name in ("C_ap_mM", "C_ab_mM"))
    assert C_ab == pytest.approx((1 - a_phantom.hct) * C_ap, rel=1e-5, abs=1e-6)
    assert C_ab.max() == pytest.approx(4.9, rel=0.02)


def test_a_study_is_never_written_over_another(a_phantom, a_study):
    with pytest.raises(InputError, match="holds a study already"):
        scanner.write_study(a_phantom, a_study)


def test_a_place_that_cannot_be_written_is_told_in_one_sentence(a_phantom, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="could not be written"):
        scanner.write_study(a_phantom, tmp_path / "file" / "below")
