"""Pixels of DICOM frames, rescaled; one file open at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from math import prod
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ..errors import InputError
from ..events import Progress, Report, silent
from .dicom_frames import Frame
from .dicom_headers import quiet
from .limits import check_memory

_TAGS = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PlanarConfiguration", "PhotometricInterpretation"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData"),
)


def fill(places: Iterable[tuple[Frame, np.ndarray]], report: Report = silent) -> None:
    """Write each frame's signal into its (j, i) float32 array. Raises InputError for images that cannot be decoded."""
    by_file: dict[Path, list[tuple[Frame, np.ndarray]]] = {}
    for frame, target in places:
        by_file.setdefault(frame.path, []).append((frame, target))
    with quiet():
        for count, (path, wanted) in enumerate(by_file.items()):
            report(Progress("reading images", count / len(by_file)))
            stored = _stored(path)
            for frame, target in wanted:
                image = stored[frame.index] if stored.ndim == 3 else stored
                if image.shape != target.shape:
                    raise _undecodable("damaged")
                slope, intercept = frame.rescale
                target[...] = image.astype(np.float64) * slope + intercept


def fingerprints(frames: Sequence[Frame]) -> dict[Frame, bytes]:
    """A digest of each frame's pixels."""
    if not frames:
        return {}
    check_memory(sum(prod(frame.shape) for frame in frames))
    images = [np.zeros(frame.shape, dtype=np.float32) for frame in frames]
    fill(zip(frames, images, strict=True))
    return {frame: hashlib.sha256(image).digest() for frame, image in zip(frames, images, strict=True)}


def _stored(path: Path) -> np.ndarray:
    """(j, i) or (n, j, i) stored values of a file."""
    name = ""
    try:
        data = dcmread(path, specific_tags=list(_TAGS), force=True)
        if "TransferSyntaxUID" not in data.file_meta:
            data.file_meta.TransferSyntaxUID = _without_preamble(data)
        syntax = data.file_meta.TransferSyntaxUID
        name = syntax.name if syntax.is_compressed else ""
        check_memory(int(data.get("NumberOfFrames") or 1) * int(data.Rows) * int(data.Columns))
        return data.pixel_array
    except InputError:
        raise
    except Exception as error:  # whatever a decoder raises, it is the file's fault
        if name:
            raise InputError(
                f"The images are compressed ({name}) and could not be decoded here.",
                "Export them uncompressed, or convert them (gdcmconv --raw, dcmdjpeg).",
            ) from error
        raise _undecodable("truncated or damaged") from error


def _without_preamble(data: Dataset) -> UID:
    """The encoding of a file that does not name it, as pydicom found it."""
    # Slicer 5.10 has pydicom 2.4, which knows no original_encoding yet
    implicit = data.original_encoding[0] if hasattr(data, "original_encoding") else data.is_implicit_VR
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _undecodable(how: str) -> InputError:
    return InputError(f"A DICOM image is {how}.", "Copy or export the study again.")
