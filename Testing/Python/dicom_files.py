"""Small DICOM studies for tests, written as scanners write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

PATIENT = "Nobody^Erika"
STEP = 0.8  # s between frames
AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
OBLIQUE = tuple(map(tuple, np.linalg.qr(np.array([[0.6, -0.3, 0.5], [0.5, 0.7, -0.2], [-0.1, 0.6, 0.8]]))[0].T[:2]))


def clock(seconds: float, *, start: float = 36930.0) -> str:
    """HHMMSS.ffffff of a number of seconds after ``start`` (10:15:30), over midnight where it comes to that."""
    micro = round((start + seconds) * 1e6) % 86_400_000_000
    whole, micro = divmod(micro, 1_000_000)
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{micro:06d}"


def pixels(t: int, k: int, shape: tuple[int, int]) -> np.ndarray:
    """Stored values of frame ``t`` in slice ``k``: no two alike."""
    return (1000 * k + 10 * t + np.arange(np.prod(shape)).reshape(shape)).astype("<u2")


def place(k: int, axes=AXIAL) -> np.ndarray:
    """Position of slice ``k``: 10 mm apart along the normal."""
    return np.array([-20.123456, 31.5, 7.25]) + 10.0 * k * np.cross(*axes)


def image(
    t: int, k: int, *, shape=(6, 8), series: int = 11, uid: str = "study", axes=AXIAL, kind=MRImageStorage
) -> FileDataset:
    """Frame ``t`` of slice ``k``."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, kind
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[uid, str(series), str(t), str(k), str(kind)])
    data = FileDataset(None, {}, preamble=b"\0" * 128, file_meta=meta)
    data.SOPClassUID, data.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    data.PatientName, data.PatientID, data.PatientBirthDate = PATIENT, "4711", "19500102"
    data.StudyDate = data.AcquisitionDate = "20240229"
    data.SeriesDescription = f"perfusion of {PATIENT}"
    data.Modality, data.SeriesNumber, data.InstanceNumber = "MR", series, t + 1
    data.SeriesInstanceUID = generate_uid(entropy_srcs=[uid, str(series)])
    data.AcquisitionTime = clock(STEP * t + 0.2 * k)
    data.ImagePositionPatient = [f"{value:.6f}" for value in place(k, axes)]
    data.ImageOrientationPatient = [f"{value:.10f}" for value in np.ravel(axes)]
    data.PixelSpacing, data.SliceThickness = ["1.5", "1.25"], "8"
    data.InversionTime, data.RepetitionTime, data.FlipAngle = "110", "2.2", "12"
    data.NumberOfPhaseEncodingSteps, data.MagneticFieldStrength = 64, "1.5"
    put_pixels(data, pixels(t, k, shape))
    return data


def put_pixels(data: Dataset, values: np.ndarray) -> None:
    """(j, i) or (n, j, i) stored values."""
    data.Rows, data.Columns = values.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    if values.ndim == 3:
        data.NumberOfFrames = len(values)
    data.PixelData = values.astype("<u2").tobytes()


def study(
    folder: Path,
    *,
    frames: int = 8,
    slices: int = 2,
    change: Callable[[FileDataset, int, int], object] = lambda data, t, k: None,
    one_series: bool = False,
    series: int = 11,
    shuffle: bool = False,
    **options,
) -> Path:
    """A study of one series a slice (or one of all), a file a frame; ``change`` may alter each data set or return False."""
    folder.mkdir(parents=True, exist_ok=True)
    order = [(t, k) for k in range(slices) for t in range(frames)]
    names = np.random.default_rng(1).permutation(len(order)) if shuffle else np.arange(len(order))
    for name, (t, k) in zip(names, order):
        number = series if one_series else series + k
        data = image(t, k, series=number, **options)
        if change(data, t, k) is not False:
            data.save_as(folder / f"{number}_{name:04d}.dcm", enforce_file_format=True)
    return folder


def without(*keywords: str, **values):
    """A change that deletes tags and sets others."""

    def change(data: FileDataset, t: int, k: int) -> None:
        for keyword in keywords:
            delattr(data, keyword)
        for keyword, value in values.items():
            setattr(data, keyword, value)

    return change


def ct(folder: Path) -> Path:
    """A folder of CT images."""
    return study(folder, slices=1, change=without(Modality="CT"), kind=CTImageStorage)


def enhanced(
    folder: Path, *, frames: int = 8, slices: int = 2, kind=EnhancedMRImageStorage, date: str = "20240229"
) -> Path:
    """All frames in one file with functional groups, as Philips and Siemens XA write it."""
    data = image(0, 0, kind=kind, uid="enhanced")
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "InversionTime",
        "RepetitionTime",
        "FlipAngle",
    ):
        delattr(data, keyword)
    data.AcquisitionDateTime = f"{date}101530"
    shared, order = Dataset(), [(t, k) for t in range(frames) for k in range(slices)]
    shared.PixelMeasuresSequence = [_item(PixelSpacing=["1.5", "1.25"], SliceThickness="8")]
    shared.MRModifierSequence = [_item(SaturationRecovery="YES", InversionRecovery="NO", InversionTimes=[110.0])]
    shared.MRTimingAndRelatedParametersSequence = [_item(RepetitionTime="2.2", FlipAngle="12")]
    shared.PixelValueTransformationSequence = [_item(RescaleSlope="2", RescaleIntercept="-5")]
    data.SharedFunctionalGroupsSequence = [shared]
    data.PerFrameFunctionalGroupsSequence = [_frame_groups(t, k, date) for t, k in order]
    put_pixels(data, np.stack([pixels(t, k, (6, 8)) for t, k in order]))
    folder.mkdir(parents=True, exist_ok=True)
    data.save_as(folder / "enhanced.dcm", enforce_file_format=True)
    return folder


def _frame_groups(t: int, k: int, date: str) -> Dataset:
    groups = Dataset()
    moment = f"{date}{clock(STEP * t + 0.2 * k)}"
    groups.FrameContentSequence = [_item(FrameAcquisitionDateTime=moment, TemporalPositionIndex=t + 1)]
    groups.PlanePositionSequence = [_item(ImagePositionPatient=[f"{value:.6f}" for value in place(k)])]
    groups.PlaneOrientationSequence = [_item(ImageOrientationPatient=[f"{value:.10f}" for value in np.ravel(AXIAL)])]
    return groups


def _item(**values) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item
