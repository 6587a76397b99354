"""When the frames of a sequence were taken: from its index, from what Slicer's MultiVolume import left, or from the user.

A time that nobody gives is asked for, never assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer

from ..errors import InputError
from ..files.dicom_times import Clock
from ..quantities import seconds_from_milliseconds
from ..series import checked_time
from .nodes import called

LABELS, TAG, UNITS = (
    f"MultiVolume.{name}" for name in ("FrameLabels", "FrameIdentifyingDICOMTagName", "FrameIdentifyingDICOMTagUnits")
)
_SECONDS = {"s", "sec", "secs", "second", "seconds"}
_MILLISECONDS = {"ms", "msec", "msecs", "millisecond", "milliseconds"}
_TIME_TAGS = {clock.value.split()[0] for clock in Clock} | {"DeltaStartTime"}
_COUNTED = {Clock.TEMPORAL_POSITION.value.split()[0], Clock.TEMPORAL_INDEX.value.split()[0]}
GIVEN = "MyoPINN.given_times_s"
_ASK = "Give the frame times in s, one a frame, or the seconds between two frames."


@dataclass(frozen=True)
class FrameTimes:
    """``time`` (t,) s; ``source`` says where it comes from, ``notes`` what is doubtful about it."""

    time: np.ndarray
    source: str
    notes: tuple[str, ...] = ()


def frame_times(node, frames: int, given: Sequence[float] | float | None = None) -> FrameTimes:
    """The times of a series node's ``frames`` frames.

    ``given`` is the user's word and comes first: one time a frame, s, or the seconds between two frames; then what
    ``keep_times`` keeps. Raises InputError where nobody says the times, or what is said is no time axis.
    """
    found = _given(given, frames, node) or _given(kept_times(node), frames, node)
    return own_times(node, frames) if found is None else _checked(found, frames, node)


def own_times(node, frames: int) -> FrameTimes:
    """The times that a series node itself tells, whatever the user gave; raises InputError where it tells none."""
    found = _of_index(node) or _of_labels(node)
    if found is None:
        raise InputError(f"{called(node)} does not say when its {frames} frames were taken{_said(node)}.", _ASK)
    return _checked(found, frames, node)


def _checked(found: FrameTimes, frames: int, node) -> FrameTimes:
    if len(found.time) != frames:
        raise InputError(f"{called(node)} has {frames} frames and {len(found.time)} frame times.", _ASK)
    checked_time(found.time - found.time.min(), 1, frames)
    return found


def keep_times(node, times: Sequence[float] | None) -> None:
    """Keep the user's word on a series node's frames (one time each, s) at the node itself; None: forget it."""
    node.SetAttribute(GIVEN, None if times is None else " ".join(repr(float(time)) for time in times))


def kept_times(node) -> list[float] | None:
    """What ``keep_times`` kept, None where there is nothing, or nothing that can be read."""
    try:
        return [float(word) for word in (node.GetAttribute(GIVEN) or "").split()] or None
    except ValueError:
        return None


def _given(given: Sequence[float] | float | None, frames: int, node) -> FrameTimes | None:
    if given is None:
        return None
    values = np.asarray(given, dtype=float)
    if values.ndim > 1:
        raise InputError(f"The times given for {called(node)} have {values.ndim} axes.", _ASK)
    if values.ndim:
        return FrameTimes(values, "table (as given)")
    if not 0 < values < np.inf:
        raise InputError(f"The time between two frames is {values:g} s.", "Give 0.4 to 2 s usually.")
    source = f"frame numbers x {float(values):g} s (as given)"
    return FrameTimes(values * np.arange(frames), source, ("Evenly spaced frames were assumed.",))


def _of_index(node) -> FrameTimes | None:
    """From a sequence's index where it has a unit of time."""
    if not node.IsA("vtkMRMLSequenceNode") or node.GetIndexType() != slicer.vtkMRMLSequenceNode.NumericIndex:
        return None
    unit = (node.GetIndexUnit() or "").strip().lower()
    if unit not in _SECONDS | _MILLISECONDS:
        return None
    values = np.array([float(node.GetNthIndexValue(n)) for n in range(node.GetNumberOfDataNodes())])
    notes: tuple[str, ...] = ()
    if _counts(values):
        notes = (f"The frame times are the whole numbers {values[0]:g} to {values[-1]:g}: are they frame numbers?",)
    if unit in _MILLISECONDS:
        return FrameTimes(seconds_from_milliseconds(values), "sequence index (ms)", notes)
    return FrameTimes(values, "sequence index (s)", notes)


def _counts(values: np.ndarray) -> bool:
    return len(values) > 1 and bool((np.diff(values) == 1).all()) and values[0] in (0, 1)


def _of_labels(node) -> FrameTimes | None:
    """From the attributes that Slicer's MultiVolume import leaves: only a tag that tells time, only in a unit of time."""
    tag, unit = (node.GetAttribute(name) or "" for name in (TAG, UNITS))
    unit = unit.strip().lower()
    if tag not in _TIME_TAGS - _COUNTED or unit not in _SECONDS | _MILLISECONDS:
        return None
    try:
        values = np.array([float(word) for word in (node.GetAttribute(LABELS) or "").split(",") if word.strip()])
    except ValueError as error:
        raise InputError(f"The frame labels of {called(node)} are not all numbers.", _ASK) from error
    if unit in _MILLISECONDS:
        values = seconds_from_milliseconds(values)
    return FrameTimes(values, f"MultiVolume frame labels ({tag})")


def _said(node) -> str:
    """What the node says instead."""
    tag = node.GetAttribute(TAG)
    if tag:
        return f": it tells its frames apart by {tag:.40} ({(node.GetAttribute(UNITS) or 'no unit'):.20})"
    if not node.IsA("vtkMRMLSequenceNode") or not node.GetNumberOfDataNodes():
        return ""
    first, last = node.GetNthIndexValue(0), node.GetNthIndexValue(node.GetNumberOfDataNodes() - 1)
    unit = node.GetIndexUnit()
    return f": its index runs from {first:.12} to {last:.12} " + (f"in {unit!r:.20}" if unit else "without a unit")
