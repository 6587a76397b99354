"""Frame times from DICOM's time tags: the first tag that increases strictly over the frames of every slice.

Moments are exact (``timedelta``, microseconds) until they become seconds from the study's earliest frame.
RepetitionTime is never a frame time: on many scanners it is the time between two readout pulses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol, TypeVar

import numpy as np

from ..errors import InputError
from ..series import MIN_FRAME_INTERVAL

_DAY = timedelta(days=1)
_TIME_OF_DAY = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")
_DATE_TIME = re.compile(r"(\d{8})(\d{2}[\d.]*)([+-]\d{4})?")
_AGREE = 0.25  # of the median frame interval


class CountedError(InputError):
    """The files only count the frames: the time between two of them must be given."""


class Clock(Enum):
    """The tags that can tell when a frame was taken, in the order of trust."""

    ACQUISITION_TIME = "AcquisitionTime (0008,0032)"
    FRAME_DATE_TIME = "FrameAcquisitionDateTime (0018,9074)"
    ACQUISITION_DATE_TIME = "AcquisitionDateTime (0008,002A)"
    CONTENT_TIME = "ContentTime (0008,0033)"
    TRIGGER_TIME = "TriggerTime (0018,1060)"
    TRIGGER_DELAY = "NominalCardiacTriggerDelayTime (0020,9153)"
    TEMPORAL_POSITION = "TemporalPositionIdentifier (0020,0100)"
    TEMPORAL_INDEX = "TemporalPositionIndex (0020,9128)"


class Timed(Protocol):
    """Anything that time tags were read from."""

    @property
    def clocks(self) -> Mapping[Clock, timedelta]:
        """What each tag says."""


Slices = Sequence[Sequence[Timed]]
Frame = TypeVar("Frame", bound=Timed)

_PARTS = {clock: clock.value.split()[0] for clock in Clock}
_OF_DAY = (Clock.ACQUISITION_TIME, Clock.CONTENT_TIME)
_DATED = (Clock.ACQUISITION_DATE_TIME, Clock.FRAME_DATE_TIME)
_COUNTED = (Clock.TEMPORAL_POSITION, Clock.TEMPORAL_INDEX)
_ABSOLUTE = (*_OF_DAY, *_DATED)


def clocks_of(tags: dict) -> dict[Clock, timedelta]:
    """What the time tags of one frame say; a counted position counts as so many seconds until an interval is given."""
    readers = {
        **dict.fromkeys(_OF_DAY, time_of_day),
        **dict.fromkeys(_DATED, date_and_time),
        **dict.fromkeys((Clock.TRIGGER_TIME, Clock.TRIGGER_DELAY), lambda text: timedelta(milliseconds=float(text))),
        **dict.fromkeys(_COUNTED, lambda text: timedelta(seconds=int(text))),
    }
    clocks = {}
    for clock in Clock:
        value = tags.get(_PARTS[clock])
        try:
            moment = None if value in (None, "") else readers[clock](str(value))
        except (ValueError, OverflowError):
            moment = None
        if moment is not None:
            clocks[clock] = moment
    return clocks


def time_of_day(text: str) -> timedelta | None:
    """HHMMSS.ffffff (seconds and their fraction may be missing) since midnight, exact; None where it is no time."""
    match = _TIME_OF_DAY.fullmatch(text.strip())
    if not match:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    micro = int((match[4] or "0").ljust(6, "0"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=micro)


def date_and_time(text: str) -> timedelta | None:
    """YYYYMMDDHHMMSS.ffffff&ZZXX since the calendar's beginning, exact; None where it is no moment."""
    match = _DATE_TIME.fullmatch(text.strip())
    moment = time_of_day(match[2]) if match else None
    if moment is None:
        return None
    zone = match[3] or "+0000"
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    day = datetime.strptime(match[1], "%Y%m%d") - datetime.min
    return day + moment - (offset if zone[0] == "+" else -offset)


def moments(slices: Slices, clock: Clock) -> list[list[timedelta]] | None:
    """What ``clock`` says of every frame, midnight overcome; None where a frame does not have it."""
    if any(clock not in frame.clocks for frames in slices for frame in frames):
        return None
    told = [[frame.clocks[clock] for frame in frames] for frames in slices]
    everything = [moment for line in told for moment in line]
    if clock in _OF_DAY and max(everything) - min(everything) > _DAY / 2:
        return [[moment + _DAY if moment < _DAY / 2 else moment for moment in line] for line in told]
    return told


def choose_clock(
    slices: Slices, *, interval: float | None, fastest: float = MIN_FRAME_INTERVAL
) -> tuple[Clock, tuple[str, ...]]:
    """The first clock that tells all frames of every slice apart, and a note on those before it that do not.

    A clock whose median interval is below ``fastest`` s only jitters: a heartbeat takes longer.
    Raises InputError where there is none, or where it counts frames and ``interval`` (s) was not given.
    """
    failed = []
    for clock in Clock:
        told = moments(slices, clock)
        if told is None:
            failed += _lacking(slices, clock)
            continue
        if not all(len(set(line)) == len(line) for line in told):
            failed.append(_repeated(clock, told))
            continue
        if _shortest(clock, told) < fastest:
            failed.append(f"{clock.value} puts the frames {_shortest(clock, told):.2g} s apart")
            continue
        if clock in _COUNTED and interval is None:
            raise CountedError(
                f"Only {clock.value} tells the frames apart, and it counts them without saying how far apart they are.",
                "Give the time between two frames in seconds: --interval SECONDS.",
            )
        return clock, tuple(f"{fault}, so it was not used for the frame times" for fault in failed)
    longest = max(len(frames) for frames in slices)
    raise InputError(
        f"No time tag tells the {longest} frames of a slice apart{': ' + '; '.join(failed) if failed else ''}.",
        "Export the study again with its acquisition times, or give it as NRRD or NIfTI with a time axis.",
    )


def _lacking(slices: Slices, clock: Clock) -> list[str]:
    """Nothing where no frame has the tag."""
    has = [clock in frame.clocks for frames in slices for frame in frames]
    return [f"{clock.value} is missing in {has.count(False)} of {len(has)} frames"] if any(has) else []


def _shortest(clock: Clock, told: list[list[timedelta]]) -> float:
    """The median interval (s) of the slice where it is shortest; a count has none."""
    if clock in _COUNTED:
        return np.inf
    steps = [np.diff(sorted(moment.total_seconds() for moment in line)) for line in told if len(line) > 1]
    return min((float(np.median(step)) for step in steps), default=np.inf)


def _repeated(clock: Clock, told: list[list[timedelta]]) -> str:
    line = min(told, key=lambda line: len(set(line)) / len(line))
    if len(set(line)) == 1:
        return f"{clock.value} is the same in all {len(line)} frames of a slice"
    return f"{clock.value} has {len(set(line))} values for the {len(line)} frames of a slice"


def ordered(slices: Sequence[Sequence[Frame]], clock: Clock) -> list[list[Frame]]:
    """The frames of each slice as ``clock`` orders them."""
    told = moments(slices, clock)
    return [
        [line[index] for index in sorted(range(len(line)), key=times.__getitem__)]
        for line, times in zip(slices, told, strict=True)
    ]


def seconds(slices: Slices, clock: Clock, *, interval: float | None) -> list[np.ndarray]:
    """Frame times of each slice in s from the earliest frame of all, as ``clock`` tells them."""
    told = moments(slices, clock)
    start = min(min(line) for line in told)
    step = interval if clock in _COUNTED and interval is not None else 1.0
    return [np.array([(moment - start).total_seconds() * step for moment in line]) for line in told]


def disagreements(slices: Slices, clock: Clock, *, interval: float | None) -> tuple[str, ...]:
    """A note on every other usable clock that tells other times. ``slices`` are in the order of ``clock``."""
    taken = seconds(slices, clock, interval=interval)
    median = float(np.median(np.concatenate([np.diff(line) for line in taken])))
    notes = []
    for other in Clock:
        told = None if other is clock or (other in _COUNTED and interval is None) else moments(slices, other)
        if told is None or not all(len(set(line)) == len(line) for line in told):
            continue
        if _shortest(other, told) < MIN_FRAME_INTERVAL:
            continue
        times = seconds(slices, other, interval=interval)
        apart = max(np.abs((a - a[0]) - (b - b[0])).max() for a, b in zip(taken, times, strict=True))
        if apart > _AGREE * median:
            notes.append(f"{other.value} tells other times, up to {apart:.2f} s apart from {clock.value}")
    return tuple(notes)


def common(clock: Clock) -> bool:
    """True where the slices share the clock: a time of day, not a count or a delay of each series' own."""
    return clock in _ABSOLUTE


def counted(clock: Clock) -> bool:
    """True where the clock counts frames and an interval turns the count into s."""
    return clock in _COUNTED
