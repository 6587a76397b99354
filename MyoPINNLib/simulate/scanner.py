"""A phantom study as a scanner would export it: MR Image Storage, one series a slice, one file a frame.

Beside the images lie what a user would draw (masks, RV insertion points) and the truth. Nobody was scanned: patient,
dates and identifiers are made up and say so, and follow from the phantom's name and seed.
"""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pydicom.valuerep import DSfloat

from .. import __version__
from ..aha import NAMES, segment
from ..errors import InputError
from ..files.nrrd import write_label, write_map
from ..files.tables import write_curves
from ..kinetics import blood_from_plasma
from ..quantities import QUANTITIES, degrees_from_radians, milliseconds_from_seconds, shown
from ..results import told
from ..settings import AHASettings
from .heart import LEVELS
from .phantom import Phantom

BLOOD_POOL, MYOCARDIUM, RIGHT_VENTRICLE = 1, 2, 3
MARKUPS_SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
_START = datetime(2020, 1, 1, 10, 15, 30)
_FIRST_SERIES = 11
_RECONSTRUCTION = timedelta(seconds=0.4)
_BITS, _LARGEST = 12, 4095
_DECIMALS, _UNIT_VECTOR_DECIMALS = 6, 12


def write_study(phantom: Phantom, folder: Path) -> list[Path]:
    """Write ``dicom/<series>/*.dcm``, ``masks.nrrd``, ``insertion.mrk.json`` and ``truth/`` into ``folder``.

    Returns all files. Raises InputError where ``folder`` holds a study already or cannot be written.
    """
    folder = Path(folder)
    if (folder / "dicom").exists():
        raise InputError(f'"{folder.name}" holds a study already.', "Choose an empty or new folder.")
    with told(folder):
        written = write_dicom(phantom, folder / "dicom")
        written += write_label(folder / "masks.nrrd", labels(phantom), phantom.series.geometry)
        written.append(_write_insertion(folder / "insertion.mrk.json", phantom))
        written += _write_truth(folder / "truth", phantom)
    return written


def labels(phantom: Phantom) -> np.ndarray:
    """(k, j, i): 1 LV blood pool, 2 myocardium, 3 right ventricle."""
    masks, values = phantom.masks, np.zeros(phantom.series.geometry.shape, dtype=np.uint8)
    for label, mask in (
        (RIGHT_VENTRICLE, masks.right_ventricle),
        (BLOOD_POOL, masks.blood_pool),
        (MYOCARDIUM, masks.myocardium),
    ):
        values[mask] = label
    return values


def write_dicom(phantom: Phantom, folder: Path) -> list[Path]:
    """One folder a slice, one file a frame."""
    written = []
    for k, level in enumerate(LEVELS):
        place = folder / f"{_FIRST_SERIES + k}_perfusion_{phantom.name}_{level}"
        place.mkdir(parents=True)
        for t in range(phantom.series.frames):
            image = _image(phantom, k, t)
            path = place / f"IM{t + 1:04d}.dcm"
            image.save_as(path, enforce_file_format=True)
            written.append(path)
    return written


def _write_insertion(path: Path, phantom: Phantom) -> Path:
    """Anterior RV insertion, one point a slice, as Slicer markups."""
    points = [
        {
            "id": str(k + 1),
            "label": f"anterior RV insertion, {level}",
            "position": list(point),
            "selected": True,
            "locked": False,
            "visibility": True,
            "positionStatus": "defined",
        }
        for k, (level, point) in enumerate(zip(LEVELS, phantom.insertion_lps, strict=True))
    ]
    markup = {"type": "Fiducial", "coordinateSystem": "LPS", "coordinateUnits": "mm", "controlPoints": points}
    path.write_text(json.dumps({"@schema": MARKUPS_SCHEMA, "markups": [markup]}, indent=1) + "\n", encoding="utf-8")
    return path


def _write_truth(folder: Path, phantom: Phantom) -> list[Path]:
    """Maps in shown units, and the true input in ``aif.csv``."""
    folder.mkdir(parents=True)
    written = []
    for name, values in phantom.truth.items():
        quantity = QUANTITIES[name]
        keys = {
            "quantity": f"{name} ({quantity.label})",
            "units": quantity.unit,
            "OSIPI": quantity.code,
            "method": "phantom truth",
            "version": f"MyoPINN {__version__}",
        }
        written += write_map(folder / f"{name}.nrrd", shown(name, values), phantom.series.geometry, keys=keys)
    time = phantom.aif.time
    C_ap = phantom.aif(time)
    write_curves(folder / "aif.csv", time, {"C_ap_mM": C_ap, "C_ab_mM": C_ap / blood_from_plasma(1.0, hct=phantom.hct)})
    return [*written, folder / "aif.csv", _write_segments(folder / "aha.csv", phantom)]


def _write_segments(path: Path, phantom: Phantom) -> Path:
    """The mean of every true map in each AHA segment, shown units."""
    segments, _ = segment(phantom.masks, AHASettings(insertion_lps=phantom.insertion_lps))
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["segment", "name", "voxels", *(QUANTITIES[name].column for name in phantom.truth)])
        for number in segments.numbers:
            inside = segments.voxels_in(number)
            means = [f"{float(shown(name, values[inside].mean())):.6g}" for name, values in phantom.truth.items()]
            table.writerow([number, NAMES[number], int(inside.sum()), *means])
    return path


def _uid(phantom: Phantom, *what: object) -> str:
    noise = "noisy" if phantom.sigma else "clean"
    return generate_uid(entropy_srcs=["MyoPINN phantom", phantom.name, str(phantom.seed), noise, *map(str, what)])


def _image(phantom: Phantom, k: int, t: int) -> FileDataset:
    """Frame ``t`` of slice ``k``."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = _uid(phantom, "image", k, t)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset(None, {}, preamble=b"\0" * 128, file_meta=meta)
    image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    for part in (
        _study(phantom),
        _series(phantom, k),
        _protocol(phantom, k),
        _frame(phantom, k, t),
        _pixels(phantom, k, t),
    ):
        image.update(part)
    return image


def _study(phantom: Phantom) -> Dataset:
    study = Dataset()
    study.SpecificCharacterSet = "ISO_IR 100"
    study.PatientName, study.PatientID = "MyoPINN^Synthetic", "SYNTHETIC"
    study.PatientBirthDate, study.PatientSex = "", "O"
    study.StudyInstanceUID = _uid(phantom, "study")
    study.StudyID, study.AccessionNumber, study.ReferringPhysicianName = str(phantom.seed), "", ""
    study.StudyDate, study.StudyTime = _date(_START), _clock(_START)
    study.StudyDescription = f"SYNTHETIC cardiac perfusion, {phantom.name}"
    study.ImageComments = "Synthetic phantom, not a patient. Not for clinical use."
    study.Manufacturer, study.ManufacturerModelName = "MyoPINN", "synthetic phantom"
    study.SoftwareVersions = __version__
    return study


def _series(phantom: Phantom, k: int) -> Dataset:
    series = Dataset()
    series.Modality, series.BodyPartExamined, series.PatientPosition = "MR", "HEART", "HFS"
    series.SeriesInstanceUID, series.FrameOfReferenceUID = (
        _uid(phantom, "series", k),
        _uid(phantom, "frame of reference"),
    )
    series.PositionReferenceIndicator, series.Laterality = "", ""
    series.SeriesNumber = _FIRST_SERIES + k
    series.SeriesDescription = f"perfusion_{phantom.name}_SAX_{LEVELS[k]}"
    series.ProtocolName = f"perfusion_{phantom.name}"
    begin = _START + timedelta(seconds=float(phantom.series.time[k, 0]))
    series.SeriesDate, series.SeriesTime = _date(begin), _clock(begin)
    return series


def _protocol(phantom: Phantom, k: int) -> Dataset:
    """A saturation-recovery spoiled gradient echo, its k-space centre halfway through the readout."""
    protocol, how = Dataset(), phantom.acquisition
    protocol.ScanningSequence, protocol.SequenceVariant, protocol.ScanOptions = "GR", ["SP", "MP"], ""
    protocol.MRAcquisitionType, protocol.SequenceName = "2D", "*fl2d1_sr"
    protocol.InversionTime, protocol.RepetitionTime = _ms(how.TS), _ms(how.TR)
    protocol.EchoTime = _ms(how.TR / 2)
    protocol.FlipAngle = _decimal(degrees_from_radians(how.flip_angle))
    protocol.EchoTrainLength, protocol.NumberOfPhaseEncodingSteps = 1, 2 * how.pulses
    protocol.MagneticFieldStrength, protocol.ImagedNucleus, protocol.NumberOfAverages = how.field_strength, "1H", 1
    protocol.PercentSampling = protocol.PercentPhaseFieldOfView = 100
    protocol.InPlanePhaseEncodingDirection = "COL"
    protocol.ContrastBolusAgent = "Gadolinium chelate (synthetic)"
    intervals = np.diff(phantom.series.time[k])
    protocol.NominalInterval = round(float(milliseconds_from_seconds(np.median(intervals))))
    protocol.TriggerTime = _ms(float(phantom.series.time[k, 0]))
    return protocol


def _frame(phantom: Phantom, k: int, t: int) -> Dataset:
    """When and where."""
    frame, geometry = Dataset(), phantom.series.geometry
    taken = _START + timedelta(seconds=float(phantom.series.time[k, t]))
    frame.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    frame.InstanceNumber = frame.AcquisitionNumber = t + 1
    frame.AcquisitionDate, frame.AcquisitionTime = _date(taken), _clock(taken)
    frame.ContentDate, frame.ContentTime = _date(taken + _RECONSTRUCTION), _clock(taken + _RECONSTRUCTION)
    affine = geometry.ijk_to_lps[k]
    along = affine[:3, :2] / np.linalg.norm(affine[:3, :2], axis=0)
    frame.ImagePositionPatient = [_decimal(value) for value in affine[:3, 3]]
    frame.ImageOrientationPatient = [_decimal(value, places=_UNIT_VECTOR_DECIMALS) for value in along.T.ravel()]
    frame.PixelSpacing = [_decimal(geometry.spacing[k, axis]) for axis in (1, 0)]
    frame.SliceThickness = _decimal(geometry.spacing[k, 2])
    frame.SpacingBetweenSlices = _decimal(np.linalg.norm(geometry.centres[1] - geometry.centres[0]))
    frame.SliceLocation = _decimal(geometry.centres[k] @ geometry.normals[k])
    return frame


def _pixels(phantom: Phantom, k: int, t: int) -> Dataset:
    values = np.clip(np.rint(phantom.series.signal[t, k]), 0, _LARGEST).astype("<u2")
    pixels = Dataset()
    pixels.Rows, pixels.Columns = values.shape
    pixels.SamplesPerPixel, pixels.PhotometricInterpretation, pixels.PixelRepresentation = 1, "MONOCHROME2", 0
    pixels.BitsAllocated, pixels.BitsStored, pixels.HighBit = 16, _BITS, _BITS - 1
    pixels.SmallestImagePixelValue, pixels.LargestImagePixelValue = int(values.min()), int(values.max())
    pixels.WindowCenter, pixels.WindowWidth = 700, 1400
    pixels.PixelData = values.tobytes()
    return pixels


def _date(moment: datetime) -> str:
    return moment.strftime("%Y%m%d")


def _clock(moment: datetime) -> str:
    return moment.strftime("%H%M%S.%f")


def _ms(seconds: float) -> DSfloat:
    return _decimal(milliseconds_from_seconds(seconds))


def _decimal(value: float, *, places: int = _DECIMALS) -> DSfloat:
    """A DICOM decimal string, rounded so that it reads as it was meant."""
    return DSfloat(round(float(value), places) + 0.0, auto_format=True)
