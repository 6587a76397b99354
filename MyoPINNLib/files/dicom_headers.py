"""What DICOM files say about their images, pixels left where they are.

Only the tags listed here are ever read: no name, no identifier of a person and no date of birth enters the library.
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
from datetime import timedelta
from pathlib import Path

import numpy as np
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
from .dicom_protocol import Protocol, number, protocol_of
from .dicom_times import Clock, clocks_of

MR_IMAGES = (MRImageStorage, EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage)
MAX_FILES = 200_000
MAX_SIDE = 8192
_SEQUENCES = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_TAGS = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber", "InstanceNumber", "ImageType"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    *("RescaleSlope", "RescaleIntercept", "AcquisitionTime", "AcquisitionDateTime", "ContentTime", "TriggerTime"),
    *("TemporalPositionIdentifier", "InversionTime", "RepetitionTime", "FlipAngle", "NumberOfPhaseEncodingSteps"),
    *("MRAcquisitionPhaseEncodingStepsInPlane", "MagneticFieldStrength", *_SEQUENCES),
)
_PHASE = {"P", "PHASE", "PHASE MAP", "VELOCITY MAP"}


@dataclass(frozen=True, eq=False)
class Frame:
    """One image: where it is stored, where it lies, when it was taken and how.

    ``position`` (3,) mm and ``orientation`` (2, 3) unit row and column directions in LPS; ``spacing`` mm along i and j;
    ``shape`` (rows, columns); ``rescale`` slope and intercept; ``clocks`` what each time tag says.
    """

    path: Path
    index: int
    uid: str
    series: tuple[int | None, str]
    position: np.ndarray
    orientation: np.ndarray
    spacing: tuple[float, float]
    thickness: float | None
    shape: tuple[int, int]
    rescale: tuple[float, float]
    clocks: dict[Clock, timedelta]
    protocol: Protocol

    @property
    def normal(self) -> np.ndarray:
        """Unit normal (3,): row direction x column direction."""
        return np.cross(*self.orientation)

    @property
    def centre(self) -> np.ndarray:
        """Centre of the image (3,) LPS mm."""
        rows, columns = self.shape
        along, down = self.orientation
        half = (columns - 1) / 2 * self.spacing[0] * along + (rows - 1) / 2 * self.spacing[1] * down
        return self.position + half


@dataclass
class Found:
    """What a folder holds: MR frames, and what else was met, counted."""

    frames: list[Frame] = field(default_factory=list)
    others: Counter = field(default_factory=Counter)
    broken: Counter = field(default_factory=Counter)
    phase: int = 0


class _Unfit(Exception):
    """A whole MR file that holds no image in the patient; the text says why."""


class _Broken(Exception):
    """A DICOM file that cannot be used; the text says why in three words."""


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


def read_headers(folder: Path) -> Found:
    """Every MR frame below ``folder`` (or in it, where it is one file). Raises InputError where there are too many files."""
    found = Found()
    with quiet():
        for count, path in enumerate(_files(Path(folder)), start=1):
            if count > MAX_FILES:
                raise InputError(
                    f"The folder holds more than {MAX_FILES} files.", "Choose the folder of one perfusion study."
                )
            try:
                _add_file(path, found)
            except _Broken as fault:
                found.broken[str(fault)] += 1
            except _Unfit as fault:
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
    data = _header(path)
    if data is None:
        return
    kind = data.get("SOPClassUID") or getattr(data.file_meta, "MediaStorageSOPClassUID", "")
    if kind == MediaStorageDirectoryStorage:
        return
    if kind not in MR_IMAGES:
        found.others[_modality(data)] += 1
        return
    try:
        _check_size(data, path)
        frames = list(_frames(data, path))
    except (_Broken, _Unfit):
        raise
    except Exception as error:  # whatever a malformed file makes pydicom raise, it is the file's fault
        raise _Broken("malformed") from error
    kept = [frame for frame, phase in frames if not phase]
    found.frames += kept
    found.phase += len(frames) - len(kept)


def _header(path: Path) -> Dataset | None:
    """The listed tags of a DICOM file; None for a file of another kind."""
    try:
        with path.open("rb") as stream:
            start = stream.read(132)
        if start[128:] == b"DICM":
            if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                raise _Broken("deflated")  # it could inflate to any size
            return dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
        if start[:4] not in (b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x08\x00\x16\x00"):
            return None
        data = dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS), force=True)
        return data if "SOPClassUID" in data else None
    except OSError as error:
        raise _Broken("unreadable") from error
    except _Broken:
        raise
    except Exception as error:  # as above
        raise _Broken("truncated or malformed") from error


def _modality(data: Dataset) -> str:
    """CT, SR ...: letters only, so that a file cannot put words into a sentence."""
    modality = str(data.get("Modality", "") or "")
    if modality == "MR":
        return "MR, no images"
    return modality if modality.isascii() and modality.isalnum() and len(modality) <= 4 else "of unknown kind"


def _check_size(data: Dataset, path: Path) -> None:
    """The claimed size must be possible, and an uncompressed image must be all there."""
    rows, columns, bits = (int(data.get(name) or 0) for name in ("Rows", "Columns", "BitsAllocated"))
    frames = int(data.get("NumberOfFrames") or 1)
    if not (0 < rows <= MAX_SIDE and 0 < columns <= MAX_SIDE and bits in (8, 16, 32) and frames > 0):
        raise _Broken("truncated or malformed")
    if int(data.get("SamplesPerPixel") or 1) != 1:
        raise _Unfit("in colour")
    syntax = getattr(data.file_meta, "TransferSyntaxUID", None)
    if not (syntax and UID(syntax).is_compressed) and path.stat().st_size < rows * columns * frames * (bits // 8):
        raise _Broken("truncated")


def _frames(data: Dataset, path: Path) -> Iterator[tuple[Frame, bool]]:
    """Every frame of a file, and whether it is a phase image."""
    number_of_frames = int(data.get("NumberOfFrames") or 1)
    shared = _flat(data.get("SharedFunctionalGroupsSequence", [None])[0])
    groups = list(data.get("PerFrameFunctionalGroupsSequence", []))
    if data.SOPClassUID != MRImageStorage and len(groups) != number_of_frames:
        raise _Broken("malformed")
    for index in range(number_of_frames):
        tags = {**{element.keyword: element.value for element in data if element.keyword not in _SEQUENCES}, **shared}
        if groups:
            tags.update(_flat(groups[index]))
        yield _frame(tags, path, index), _is_phase(tags)


def _flat(group: Dataset | None) -> dict:
    """The elements of every functional group's first item, by keyword."""
    tags = {}
    for sequence in group or ():
        if sequence.VR == "SQ" and len(sequence.value):
            tags.update({element.keyword: element.value for element in sequence.value[0] if element.keyword})
    return tags


def _is_phase(tags: dict) -> bool:
    kind = tags.get("FrameType") or tags.get("ImageType")
    words = [str(word).upper() for word in kind] if kind and not isinstance(kind, str) else []
    return bool(_PHASE.intersection(words[2:3]))


def _frame(tags: dict, path: Path, index: int) -> Frame:
    if not all(tags.get(name) for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")):
        raise _Unfit("without a position")
    position = np.array(tags["ImagePositionPatient"], dtype=float)
    orientation = np.reshape(np.array(tags["ImageOrientationPatient"], dtype=float), (2, 3))
    down, along = (float(value) for value in tags["PixelSpacing"])
    slope = number(tags, "RescaleSlope")
    rescale = (1.0 if slope is None else slope, number(tags, "RescaleIntercept") or 0.0)
    lengths = np.linalg.norm(orientation, axis=1)
    right = np.abs(lengths - 1).max() < 0.01 and abs(orientation[0] @ orientation[1]) < 0.01
    finite = np.isfinite([*position, down, along, *rescale]).all() and position.shape == (3,)
    if not (right and finite and down > 0 and along > 0 and rescale[0] != 0):
        raise _Broken("malformed")
    series = number(tags, "SeriesNumber")
    return Frame(
        path=path,
        index=index,
        uid=f"{tags.get('SOPInstanceUID', path)}/{index}",
        series=(None if series is None else int(series), str(tags.get("SeriesInstanceUID", ""))),
        position=position,
        orientation=orientation / lengths[:, None],
        spacing=(along, down),
        thickness=number(tags, "SliceThickness") or number(tags, "SpacingBetweenSlices"),
        shape=(int(tags["Rows"]), int(tags["Columns"])),
        rescale=rescale,
        clocks=clocks_of(tags),
        protocol=protocol_of(tags),
    )
