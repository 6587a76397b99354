"""One DICOM image, ordinary or of a multi-frame file, before its pixels are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from pydicom import Dataset

from .dicom_protocol import Protocol, number, protocol_of
from .dicom_times import Clock, clocks_of
from .dicom_words import Words, words_of

FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_PHASE = {"P", "PHASE", "PHASE MAP", "VELOCITY MAP"}
_PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")


class UnfitError(Exception):
    """A whole MR file that holds no image in the patient; the text says why."""


class BrokenError(Exception):
    """A DICOM file that cannot be used; the text says why in three words."""


@contextmanager
def claimed() -> Iterator[None]:
    """Around values of the file that become numbers and lists: where they cannot, it is the file's fault."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise BrokenError("truncated or malformed") from error


@dataclass(frozen=True, eq=False)
class Frame:
    """One image: where it is stored, where it lies, when it was taken and how.

    ``position`` (3,) mm and ``orientation`` (2, 3) unit row and column directions in LPS; ``spacing`` mm along i and j;
    ``shape`` (rows, columns); ``rescale`` slope and intercept; ``clocks`` what each time tag says;
    ``words`` what the series is called by.
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
    words: Words

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


def frames_of(data: Dataset, path: Path, *, enhanced: bool) -> Iterator[tuple[Frame, bool]]:
    """Every frame of a file, and whether it is a phase image; an ``enhanced`` file describes each of its frames."""
    with claimed():
        number_of_frames = int(data.get("NumberOfFrames") or 1)
        shared = _flat((data.get("SharedFunctionalGroupsSequence") or [None])[0])
        groups = list(data.get("PerFrameFunctionalGroupsSequence") or [])
        common = {element.keyword: element.value for element in data if element.keyword not in FUNCTIONAL_GROUPS}
    if len(groups) != number_of_frames and (enhanced or groups):
        raise BrokenError("malformed")
    for index in range(number_of_frames):
        with claimed():
            tags = {**common, **shared, **(_flat(groups[index]) if groups else {})}
            phase = _is_phase(tags)
        yield _frame(tags, path, index), phase


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
    if not all(tags.get(name) for name in _PLACE):
        raise UnfitError("without a position")
    with claimed():
        position = np.array(tags["ImagePositionPatient"], dtype=float)
        orientation = np.reshape(np.array(tags["ImageOrientationPatient"], dtype=float), (2, 3))
        down, along = (float(value) for value in tags["PixelSpacing"])
        shape = (int(tags["Rows"]), int(tags["Columns"]))
    slope = number(tags, "RescaleSlope")
    rescale = (1.0 if slope is None else slope, number(tags, "RescaleIntercept") or 0.0)
    lengths = np.linalg.norm(orientation, axis=1)
    right = np.abs(lengths - 1).max() < 0.01 and abs(orientation[0] @ orientation[1]) < 0.01
    finite = position.shape == (3,) and np.isfinite([*position, down, along, *rescale]).all()
    if not (right and finite and down > 0 and along > 0 and rescale[0] != 0):
        raise BrokenError("malformed")
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
        shape=shape,
        rescale=rescale,
        clocks=clocks_of(tags),
        protocol=protocol_of(tags),
        words=words_of(tags.get("SeriesDescription")),
    )
