"""A DICOM folder becomes a perfusion series, or one sentence that helps."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from dicom_files import OBLIQUE, STEP, clock, ct, enhanced, image, pixels, place, put_pixels, study, without
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    LegacyConvertedEnhancedMRImageStorage,
    RLELossless,
)

from MyoPINNLib.errors import InputError
from MyoPINNLib.files import dicom_frames, dicom_headers, limits
from MyoPINNLib.files.describe import describe
from MyoPINNLib.files.dicom import read_dicom
from MyoPINNLib.files.dicom_pixels import _without_preamble
from MyoPINNLib.files.dicom_times import Clock, clocks_of, date_and_time, time_of_day

TIMES = STEP * np.arange(8) + np.array([[0.0], [0.2]])


def refused(folder, *words: str, **options) -> str:
    """One sentence and a hint with the words, nothing of the patient."""
    with pytest.raises(InputError) as caught:
        read_dicom(folder, **options)
    said = str(caught.value)
    for word in words:
        assert word in said, said
    assert "Nobody" not in said and "2024" not in said and "4711" not in said
    return said


def notes(series) -> str:
    return "\n".join(series.acquisition.notes)


def test_slices_pixels_and_times_come_back(tmp_path):
    series = read_dicom(study(tmp_path))
    assert series.signal.dtype == np.float32 and series.signal.shape == (8, 2, 6, 8)
    assert (series.signal[3, 1] == pixels(3, 1, (6, 8))).all()
    np.testing.assert_allclose(series.time, TIMES, atol=1e-9)
    assert series.acquisition.time_source == "AcquisitionTime (0008,0032)"


@pytest.mark.parametrize("one_series", [False, True])
def test_the_order_of_the_files_does_not_matter(tmp_path, one_series):
    series = read_dicom(study(tmp_path / "deep" / "er", shuffle=True, one_series=one_series))
    np.testing.assert_allclose(series.time, TIMES, atol=1e-9)
    assert all((series.signal[t, k] == pixels(t, k, (6, 8))).all() for t in range(8) for k in range(2))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("101530.123456", 36930.123456),
        ("101530", 36930),
        ("1015", 36900),
        ("235959.9", 86399.9),
        ("10:15:30.5", 36930.5),
    ],
)
def test_times_of_day_are_read_to_the_microsecond(text, seconds):
    assert time_of_day(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "25", "1061", "noon", "101530.1234567", "10153"])
def test_what_is_no_time_of_day_is_none(text):
    assert time_of_day(text) is None


def test_a_moment_with_a_time_zone_is_the_same_moment():
    assert date_and_time("20240229101530.25+0100") == date_and_time("20240229091530.250000")
    assert date_and_time("20240301000000") - date_and_time("20240229235959.5") == time_of_day("000000.5")
    assert clocks_of({"AcquisitionDateTime": "20241301101530"}) == {}


def test_midnight_does_not_break_the_clock(tmp_path):
    def late(data, t, k):
        data.AcquisitionTime = clock(STEP * t + 0.2 * k, start=86398.0)

    np.testing.assert_allclose(read_dicom(study(tmp_path, change=late)).time, TIMES, atol=1e-9)


def test_content_time_serves_where_the_acquisition_time_stands_still(tmp_path):
    def still(data, t, k):
        data.AcquisitionTime, data.ContentTime = "101530", clock(STEP * t + 0.2 * k)

    series = read_dicom(study(tmp_path, change=still))
    np.testing.assert_allclose(series.time, TIMES, atol=1e-9)
    assert series.acquisition.time_source == "ContentTime (0008,0033)"
    assert "AcquisitionTime (0008,0032) is the same in all 8 frames" in notes(series)


def test_a_tag_that_some_frames_lack_is_not_taken_and_told(tmp_path):
    def gone(data, t, k):
        data.ContentTime = clock(STEP * t + 0.2 * k)
        if (t, k) == (5, 1):
            del data.AcquisitionTime

    series = read_dicom(study(tmp_path, change=gone))
    assert series.acquisition.time_source.startswith("ContentTime")
    assert "AcquisitionTime (0008,0032) is missing in 1 of 16 frames" in notes(series)


def test_a_clock_of_whole_seconds_that_repeats_itself_is_not_taken(tmp_path):
    def coarse(data, t, k):
        moment = clock(STEP * t + 0.2 * k)
        data.AcquisitionTime, data.AcquisitionDateTime = moment[:6], "20240229" + moment

    series = read_dicom(study(tmp_path, change=coarse))
    assert series.acquisition.time_source.startswith("AcquisitionDateTime") and series.frames == 8
    np.testing.assert_allclose(series.time, TIMES, atol=1e-9)


def test_a_trigger_time_that_counts_up_is_a_clock_as_on_philips(tmp_path):
    def cumulative(data, t, k):
        del data.AcquisitionTime
        data.TriggerTime = f"{800 * t + 35:.1f}"

    series = read_dicom(study(tmp_path, change=cumulative))
    np.testing.assert_allclose(series.time, [STEP * np.arange(8)] * 2, atol=1e-9)
    assert series.acquisition.time_source.startswith("TriggerTime") and "may be offset" in notes(series)


def test_a_constant_trigger_time_is_no_clock_as_on_siemens(tmp_path):
    refused(
        study(tmp_path, change=without("AcquisitionTime", TriggerTime="35")),
        "No time tag",
        "TriggerTime",
        "is the same",
    )


def test_a_trigger_time_that_only_jitters_is_no_clock(tmp_path):
    def jittering(data, t, k):
        del data.AcquisitionTime
        data.TriggerTime, data.TemporalPositionIdentifier = f"{35 + (5 * t) % 8}", t + 1

    series = read_dicom(study(tmp_path, change=jittering), interval=0.7)
    np.testing.assert_allclose(series.time, [0.7 * np.arange(8)] * 2, atol=1e-9)
    assert "TriggerTime (0018,1060) puts the frames 0.001 s apart, so it was not used" in notes(series)


def test_counted_frames_need_an_interval(tmp_path):
    def counted(data, t, k):
        del data.AcquisitionTime
        data.TemporalPositionIdentifier = t + 1

    study(tmp_path, change=counted)
    refused(tmp_path, "--interval", "TemporalPositionIdentifier")
    series = read_dicom(tmp_path, interval=0.7)
    np.testing.assert_allclose(series.time, [0.7 * np.arange(8)] * 2, atol=1e-9)
    assert "0.7 s" in series.acquisition.time_source
    refused(tmp_path, "--interval is -1", interval=-1.0)


def test_the_repetition_time_is_never_a_clock(tmp_path):
    refused(study(tmp_path, change=without("AcquisitionTime", RepetitionTime="800")), "No time tag")


def test_tags_that_disagree_are_told_and_those_that_agree_are_not(tmp_path):
    def both(data, t, k):
        data.ContentTime = clock(STEP * t + 0.2 * k + 0.4)
        data.TriggerTime = f"{1000 * t}"

    said = notes(read_dicom(study(tmp_path, change=both)))
    assert "TriggerTime (0018,1060) tells other times, up to 1.40 s apart" in said and "ContentTime" not in said


def test_copies_with_the_same_identifier_are_left_out_and_told(tmp_path):
    study(tmp_path / "a")
    study(tmp_path / "b", frames=3, slices=1)
    series = read_dicom(tmp_path)
    assert series.frames == 8 and "3 images stored twice" in notes(series)


def test_copies_with_an_identifier_of_their_own_are_left_out_and_told(tmp_path):
    study(tmp_path)
    data = image(4, 1, series=12)
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.save_as(tmp_path / "copy.dcm")
    series = read_dicom(tmp_path)
    assert series.frames == 8 and "Frames stored twice (same slice, time and pixels): 1" in notes(series)


def test_a_missing_frame_has_no_weight_and_is_told(tmp_path):
    series = read_dicom(study(tmp_path, change=lambda data, t, k: (t, k) != (3, 1)))
    assert series.weight.tolist() == [[1] * 8, [1, 1, 1, 0, 1, 1, 1, 1]]
    assert (series.signal[4, 1] == pixels(4, 1, (6, 8))).all()
    np.testing.assert_allclose(series.time, TIMES, atol=1e-9)
    assert "slice 2 has 7 of 8" in notes(series)


def test_positions_of_an_oblique_stack_are_exact(tmp_path):
    geometry = read_dicom(study(tmp_path, slices=3, axes=OBLIQUE)).geometry
    along, down = np.array(OBLIQUE)
    for k in range(3):
        corner = place(k, OBLIQUE) + 7 * 1.25 * along + 5 * 1.5 * down
        np.testing.assert_allclose(geometry.to_lps([[k, 5, 7]])[0], corner, atol=1e-4)
    assert geometry.uniform
    np.testing.assert_allclose(geometry.spacing, [[1.25, 1.5, 8.0]] * 3)


def test_slices_lie_along_their_normal_whatever_their_series_numbers(tmp_path):
    for k, number in ((0, 30), (1, 10), (2, 20)):
        study(
            tmp_path,
            slices=1,
            series=number,
            change=lambda data, t, _, k=k: setattr(data, "ImagePositionPatient", list(place(k))),
        )
    heights = read_dicom(tmp_path).geometry.centres[:, 2]
    assert (np.diff(heights) > 9.9).all()


def test_radial_long_axis_slices_are_slices_too(tmp_path):
    def turned(data, t, k):
        angle = np.pi / 3 * k
        data.ImageOrientationPatient = [round(v, 9) for v in (np.cos(angle), np.sin(angle), 0, 0, 0, -1)]
        data.ImagePositionPatient = list(np.array([-5 * np.cos(angle), -5 * np.sin(angle), 4]).round(6))

    series = read_dicom(study(tmp_path, slices=3, change=turned))
    assert series.signal.shape[1] == 3 and not series.geometry.uniform
    assert all((series.signal[0, k] == pixels(0, k, (6, 8))).all() for k in range(3))


def test_the_protocol_is_read_in_inside_units(tmp_path):
    how = read_dicom(study(tmp_path)).acquisition
    assert (how.TS, how.TR, how.pulses, how.field_strength) == (0.11, pytest.approx(0.0022), 32, 1.5)
    assert how.flip_angle == pytest.approx(np.deg2rad(12))
    assert any("linear order assumed" in note and "--pulses" in note for note in how.notes)


def test_a_repetition_time_of_a_whole_frame_is_not_a_readout_interval(tmp_path):
    how = read_dicom(study(tmp_path, change=without(RepetitionTime="176"))).acquisition
    assert how.TR is None and "RepetitionTime is 176 ms" in "\n".join(how.notes)


def test_a_train_longer_than_TS_is_doubted(tmp_path):
    how = read_dicom(study(tmp_path, change=without(NumberOfPhaseEncodingSteps=160))).acquisition
    assert how.pulses is None and any("--pulses" in note for note in how.notes)


def test_saturation_times_that_differ_are_told(tmp_path):
    def two(data, t, k):
        data.InversionTime = "110" if t else "20"

    series = read_dicom(study(tmp_path, change=two))
    assert series.acquisition.TS == 0.11 and "20 to 110 ms" in notes(series)


def test_what_the_files_do_not_say_stays_unsaid(tmp_path):
    names = ("InversionTime", "RepetitionTime", "FlipAngle", "NumberOfPhaseEncodingSteps", "MagneticFieldStrength")
    how = read_dicom(study(tmp_path, change=without(*names))).acquisition
    assert (how.TS, how.TR, how.flip_angle, how.pulses, how.field_strength) == (None,) * 5


def test_slope_and_intercept_are_applied(tmp_path):
    series = read_dicom(study(tmp_path, change=without(RescaleSlope="0.5", RescaleIntercept="-3")))
    np.testing.assert_allclose(series.signal[2, 1], 0.5 * pixels(2, 1, (6, 8)) - 3)


@pytest.mark.parametrize("kind", [EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage])
def test_enhanced_images_are_read_by_their_functional_groups(tmp_path, kind):
    series = read_dicom(enhanced(tmp_path, kind=kind))
    np.testing.assert_allclose(series.time, TIMES, atol=1e-9)
    assert series.acquisition.time_source == "FrameAcquisitionDateTime (0018,9074)"
    assert (series.acquisition.TS, series.acquisition.TR) == (0.11, pytest.approx(0.0022))
    np.testing.assert_allclose(series.signal[5, 1], 2.0 * pixels(5, 1, (6, 8)) - 5)
    np.testing.assert_allclose(series.geometry.to_lps([[1, 0, 0]])[0], place(1), atol=1e-4)


def test_one_file_may_be_named_instead_of_its_folder(tmp_path):
    assert read_dicom(enhanced(tmp_path) / "enhanced.dcm").frames == 8


def rest(data, t, k):
    data.AcquisitionTime = clock(STEP * t + 0.2 * k + 900)


def test_stress_and_rest_in_one_folder_must_be_chosen(tmp_path):
    study(tmp_path)
    study(tmp_path, series=21, change=rest, frames=9)
    said = refused(tmp_path, "2 dynamic acquisitions", "--series N")
    assert "series 11, 12 (2 slices of 8 frames, 8 x 6)" in said and "series 21, 22 (2 slices of 9 frames" in said
    assert read_dicom(tmp_path, series=22).frames == 9
    assert read_dicom(tmp_path, series="11").frames == 8
    refused(tmp_path, "no series 5", "series 21, 22", series=5)
    refused(tmp_path, "no number", series="rest")


def test_a_rest_study_planned_anew_is_not_taken_for_more_slices(tmp_path):
    def moved(data, t, k):
        rest(data, t, k)
        data.ImagePositionPatient = list((place(k) + np.array([0, 0, 4])).round(6))

    study(tmp_path)
    refused(study(tmp_path, series=21, change=moved), "2 dynamic acquisitions")


def test_a_motion_corrected_copy_is_an_acquisition_of_its_own(tmp_path):
    study(tmp_path)
    refused(study(tmp_path, series=31, uid="corrected"), "series 11, 12", "series 31, 32")


def test_localisers_are_left_out_and_told(tmp_path):
    study(tmp_path)
    study(tmp_path, series=1, frames=1, slices=3, shape=(12, 12))
    series = read_dicom(tmp_path)
    assert series.signal.shape == (8, 2, 6, 8) and "3 images that are no series over time" in notes(series)
    refused(tmp_path, "Series 1 has 1 images", series=1)


def test_a_cine_beside_the_perfusion_series_is_left_out_and_told(tmp_path):
    study(tmp_path)
    study(
        tmp_path,
        series=40,
        slices=1,
        shape=(12, 12),
        change=lambda data, t, k: setattr(data, "AcquisitionTime", clock(0.03 * t + 300)),
    )
    series = read_dicom(tmp_path)
    assert series.signal.shape == (8, 2, 6, 8) and "a cine" in notes(series)


def test_phase_images_are_left_out_and_told(tmp_path):
    study(tmp_path)
    study(tmp_path / "phase", uid="phase", change=without(ImageType=["ORIGINAL", "PRIMARY", "P"]))
    assert "16 phase images" in notes(read_dicom(tmp_path))


def test_one_image_a_slice_is_no_perfusion(tmp_path):
    refused(study(tmp_path, frames=1), "No slice has more than 1 images", "dynamic series")


def test_frames_of_different_size_are_refused_with_both_sizes(tmp_path):
    refused(
        study(tmp_path, change=lambda data, t, k: put_pixels(data, pixels(t, k, (7, 9))) if (t, k) == (3, 0) else None),
        "8 x 6",
        "9 x 7",
    )


def test_a_folder_of_ct_is_named_as_such(tmp_path):
    refused(ct(tmp_path), "8 CT", "usable MR image")


def test_other_objects_beside_the_images_are_left_out_and_told(tmp_path):
    study(tmp_path)
    ct(tmp_path / "ct")
    assert "8 CT" in notes(read_dicom(tmp_path))


def test_a_modality_cannot_put_words_into_the_sentence(tmp_path):
    strange = study(tmp_path, slices=1, change=without(Modality="NOBODY ERIKA"), kind=CTImageStorage)
    assert "ERIKA" not in refused(strange, "8 of unknown kind")


def test_a_folder_without_dicom_says_so(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear colleague")
    refused(tmp_path, "no DICOM images")


@pytest.mark.parametrize("size", [300, 700, 900])
def test_truncated_files_are_counted(tmp_path, size, capfd):
    study(tmp_path, shape=(30, 30))
    for path in sorted(tmp_path.iterdir())[:2]:
        path.write_bytes(path.read_bytes()[:size])
    refused(tmp_path, "2 of 16 DICOM files", "Copy or export")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("place", [b"UI", b"US", b"DS"])
def test_a_data_type_that_does_not_exist_is_refused(tmp_path, place):
    path = min(study(tmp_path).iterdir())
    path.write_bytes(path.read_bytes().replace(place, b"U\x8b"))
    refused(tmp_path, "1 of 16 DICOM files")


@pytest.mark.parametrize("defect", [ZeroDivisionError, MemoryError, ValueError])
def test_a_defect_of_our_own_is_not_blamed_on_the_file(tmp_path, monkeypatch, defect):
    def broken(tags):
        raise defect

    monkeypatch.setattr(dicom_frames, "protocol_of", broken)
    with pytest.raises(defect):
        read_dicom(study(tmp_path))


def test_a_transfer_syntax_that_is_none_is_refused(tmp_path):
    path = min(study(tmp_path).iterdir())
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0"))
    refused(tmp_path, "1 of 16 DICOM files")


def test_the_kind_of_an_image_may_stand_before_its_data_set_alone(tmp_path):
    assert read_dicom(study(tmp_path, change=without("SOPClassUID"))).frames == 8


def test_a_file_without_a_preamble_is_read(tmp_path):
    for path in study(tmp_path).iterdir():
        data = pydicom.dcmread(path)
        data.preamble, data.file_meta = None, pydicom.dataset.FileMetaDataset()
        data.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)
        assert path.read_bytes()[128:132] != b"DICM"
    assert read_dicom(tmp_path).frames == 8


def test_a_file_that_lacks_its_last_bytes_is_refused(tmp_path):
    path = min(study(tmp_path).iterdir())
    path.write_bytes(path.read_bytes()[:-10])
    refused(tmp_path, "truncated or damaged")


@pytest.mark.parametrize("tag", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_images_that_lie_nowhere_are_refused(tmp_path, tag):
    refused(study(tmp_path, change=without(tag)), "16 without a position")


def test_colour_pictures_of_the_scanner_are_left_out_and_told(tmp_path):
    study(tmp_path)
    study(tmp_path / "maps", frames=1, series=90, change=without(SamplesPerPixel=3))
    assert "2 in colour" in notes(read_dicom(tmp_path))


def test_an_image_whose_axes_are_not_perpendicular_is_refused(tmp_path):
    refused(study(tmp_path, change=without(ImageOrientationPatient=[1, 0, 0, 1, 0, 0])), "16 of 16", "malformed")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("Rows", 60000), ("NumberOfFrames", 2**31 - 1), ("RescaleSlope", "0"), ("PixelSpacing", ["0", "1"])],
)
def test_numbers_that_cannot_be_are_refused_before_memory_is_taken(tmp_path, keyword, value):
    refused(study(tmp_path, change=without(**{keyword: value})), "16 of 16 DICOM files")


@pytest.mark.parametrize("frames", [100_000, 5000])
def test_a_compressed_file_cannot_claim_more_frames_than_it_has_bytes_for(tmp_path, frames):
    def claims(data, t, k):
        data.file_meta.TransferSyntaxUID, data.NumberOfFrames = JPEG2000Lossless, frames
        data.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51"])

    refused(study(tmp_path, frames=1, slices=1, change=claims), "1 of 1 DICOM files")


def test_a_compressed_file_is_measured_before_its_frames_are_listed(tmp_path):
    def large(data, t, k):
        data.file_meta.TransferSyntaxUID, data.NumberOfFrames = JPEG2000Lossless, 9000
        data.Rows = data.Columns = 8192
        data.PixelData = pydicom.encaps.encapsulate([bytes(80_000)])

    refused(study(tmp_path, frames=1, slices=1, change=large), "GiB")


def test_a_study_larger_than_the_limit_is_refused(tmp_path, monkeypatch):
    study(tmp_path)
    monkeypatch.setattr(limits, "MAX_BYTES", 2000)
    refused(tmp_path, "GiB")


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    study(tmp_path)
    monkeypatch.setattr(dicom_headers, "MAX_FILES", 10)
    refused(tmp_path, "more than 10 files")


def test_run_length_compression_is_read(tmp_path):
    series = read_dicom(
        study(tmp_path, change=lambda data, t, k: data.compress(RLELossless, generate_instance_uid=False))
    )
    assert (series.signal[3, 1] == pixels(3, 1, (6, 8))).all()


def test_a_compression_that_cannot_be_decoded_is_named(tmp_path):
    def squeezed(data, t, k):
        data.file_meta.TransferSyntaxUID = JPEG2000Lossless
        data.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51 no image"])

    refused(study(tmp_path, change=squeezed), "JPEG 2000", "uncompressed")


def test_deflated_files_are_not_inflated(tmp_path):
    refused(
        study(
            tmp_path,
            change=lambda data, t, k: setattr(data.file_meta, "TransferSyntaxUID", DeflatedExplicitVRLittleEndian),
        ),
        "deflated",
    )


def test_nothing_of_the_patient_is_said_or_kept(tmp_path, capfd):
    series = read_dicom(study(tmp_path))
    said = "\n".join([*describe(series), repr(series.acquisition), *capfd.readouterr()])
    assert not any(word in said for word in ("Nobody", "Erika", "4711", "1950", "20240229", str(tmp_path)))


def test_every_clock_is_named_by_its_tag():
    for clock_ in Clock:
        keyword, tag = clock_.value.split()
        group, element = tag.strip("()").split(",")
        assert pydicom.datadict.tag_for_keyword(keyword) == int(group + element, 16)


@pytest.mark.parametrize("known_since_3", [False, True])
def test_the_encoding_of_a_file_without_preamble_is_found_by_every_pydicom(known_since_3):
    found = SimpleNamespace(is_implicit_VR=True)
    if known_since_3:
        found = SimpleNamespace(original_encoding=(True, True))
    assert _without_preamble(found) == ImplicitVRLittleEndian
