"""What DICOM files say about their images, pixels left where they are.

Only the tags listed here are ever read: no name, no identifier of a person and no date of birth enters the library
(of a series description, which is free text, the few words that dicom_words knows).
A file is untrusted: sizes are numbers it claims, and are compared with its length before anything is decoded.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MediaStorageDirectoryStorage,
    MRImageStorage,
)

from ..errors import InputError
from ..events import Progress, Report, silent
from .dicom_frames import FUNCTIONAL_GROUPS, BrokenError, Frame, UnfitError, claimed, frames_of
from .limits import check_memory

MR_IMAGES = (MRImageStorage, EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage)
MAX_FILES = 200_000
MAX_SIDE = 8192
MAX_FRAMES = 10_000  # of one file
_FEWEST_BYTES = 8  # of a compressed frame: the head of its item
_FIRST_TAGS = (b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x08\x00\x16\x00")  # of files without a preamble
_TAGS = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber", "InstanceNumber", "ImageType"),
    "SeriesDescription",
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    *("RescaleSlope", "RescaleIntercept", "AcquisitionTime", "AcquisitionDateTime", "ContentTime", "TriggerTime"),
    *("TemporalPositionIdentifier", "InversionTime", "RepetitionTime", "FlipAngle", "NumberOfPhaseEncodingSteps"),
    *("MRAcquisitionPhaseEncodingStepsInPlane", "MagneticFieldStrength", *FUNCTIONAL_GROUPS),
)


@dataclass
class Found:
    """What a folder holds: MR frames, and what else was met, counted."""

    frames: list[Frame] = field(default_factory=list)
    others: Counter = field(default_factory=Counter)
    broken: Counter = field(default_factory=Counter)
    phase: int = 0


@contextmanager
def quiet() -> Iterator[None]:
    """pydicom's warnings can quote a patient's data; nobody needs to read them."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def read_headers(folder: Path, report: Report = silent) -> Found:
    """Every MR frame below ``folder`` (or in it, where it is one file). Raises InputError where there are too many files."""
    found = Found()
    paths = list(islice(_files(Path(folder)), MAX_FILES + 1))
    if len(paths) > MAX_FILES:
        raise InputError(f"The folder holds more than {MAX_FILES} files.", "Choose the folder of one perfusion study.")
    with quiet():
        for count, path in enumerate(paths):
            report(Progress("reading headers", count / len(paths)))
            try:
                _add_file(path, found)
            except BrokenError as fault:
                found.broken[str(fault)] += 1
            except UnfitError as fault:
                found.others[str(fault)] += 1
    return found


def _files(folder: Path) -> Iterator[Path]:
    """Files in a fixed order; links to folders are not followed."""
    if folder.is_file():
        yield folder
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (path for path in (Path(place) / name for name in sorted(names)) if path.is_file())


def _add_file(path: Path, found: Found) -> None:
    data = _read(path)
    frames = [] if data is None else _images(data, path)
    kept = [frame for frame, phase in frames if not phase]
    found.frames += kept
    found.phase += len(frames) - len(kept)


def _read(path: Path) -> Dataset | None:
    """The listed tags, every one of them decoded, so that pydicom has nothing left to complain of later."""
    try:
        data = _header(path)
        for _ in () if data is None else (*data.file_meta, *data.iterall()):
            pass
        return data
    except (BrokenError, MemoryError):
        raise
    except OSError as error:
        raise BrokenError("unreadable") from error
    except Exception as error:  # whatever a malformed file makes pydicom raise, it is the file's fault
        raise BrokenError("truncated or malformed") from error


def _images(data: Dataset, path: Path) -> list[tuple[Frame, bool]]:
    """The frames of an MR file; none of a DICOMDIR."""
    kind = data.get("SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID")
    if kind == MediaStorageDirectoryStorage:
        return []
    if kind not in MR_IMAGES:
        raise UnfitError(_modality(data))
    _check_size(data, path)
    return list(frames_of(data, path, enhanced=kind != MRImageStorage))


def _header(path: Path) -> Dataset | None:
    """The listed tags of a DICOM file; None for a file of another kind."""
    with path.open("rb") as stream:
        start = stream.read(132)
    if start[128:] == b"DICM":
        if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            raise BrokenError("deflated")  # it could inflate to any size
        return dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
    if start[:4] not in _FIRST_TAGS:
        return None
    data = dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS), force=True)
    return data if "SOPClassUID" in data else None


def _modality(data: Dataset) -> str:
    """CT, SR ...: letters only, so that a file cannot put words into a sentence."""
    modality = str(data.get("Modality", "") or "")
    if modality == "MR":
        return "MR, no images"
    return modality if modality.isascii() and modality.isalnum() and len(modality) <= 4 else "of unknown kind"


def _check_size(data: Dataset, path: Path) -> None:
    """The claimed size must be possible, fit into memory, and an uncompressed image must be all there."""
    with claimed():
        rows, columns, bits = (int(data.get(name) or 0) for name in ("Rows", "Columns", "BitsAllocated"))
        frames, samples = (int(data.get(name) or 1) for name in ("NumberOfFrames", "SamplesPerPixel"))
    if not (0 < rows <= MAX_SIDE and 0 < columns <= MAX_SIDE and bits in (8, 16, 32) and 0 < frames <= MAX_FRAMES):
        raise BrokenError("truncated or malformed")
    if samples != 1:
        raise UnfitError("in colour")
    with claimed():
        syntax = data.file_meta.get("TransferSyntaxUID")
        compressed = syntax and UID(syntax).is_compressed
    if path.stat().st_size < frames * (_FEWEST_BYTES if compressed else rows * columns * (bits // 8)):
        raise BrokenError("truncated")
    check_memory(rows * columns * frames)
