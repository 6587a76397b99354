"""A DICOM folder as a perfusion series: every slice with its own clock, doubts in the notes.

MR Image Storage, Enhanced MR and Legacy Converted Enhanced MR. What is read and how it is understood stands beside this
file: headers (files to frames), groups (frames to slices and acquisitions), times, protocol, pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..events import Report, silent, within
from ..geometry import Geometry
from ..series import Acquisition, PerfusionSeries
from . import dicom_pixels, dicom_times
from .clocks import check_interval, filled, missing_note
from .dicom_frames import Frame
from .dicom_groups import choose_group
from .dicom_headers import Found, read_headers
from .dicom_protocol import acquisition
from .dicom_words import Words
from .limits import check_memory
from .words import plain

_AGAIN = "Copy or export the study again."
_ANOTHER = "Choose the folder of the MR perfusion series."


@dataclass(frozen=True)
class Acquired:
    """A perfusion series, and ``words`` that each of its slices is called by."""

    series: PerfusionSeries
    words: tuple[Words, ...]


def read_dicom(folder: Path, *, series: int | str | None = None, interval: float | None = None) -> PerfusionSeries:
    """The perfusion series in a folder; see ``read_acquired``."""
    return read_acquired(folder, series=series, interval=interval).series


def read_acquired(
    folder: Path, *, series: int | str | None = None, interval: float | None = None, report: Report = silent
) -> Acquired:
    """The perfusion series in ``folder`` (with its subfolders, or one file).

    ``series`` chooses an acquisition by one of its series numbers; ``interval`` s is the time between frames where the
    files only count them. Times are s from the earliest frame of the acquisition, one origin for all slices.
    Raises InputError for anything that is not one readable dynamic MR acquisition (SeveralError where there are more).
    """
    check_interval(interval)
    number = _number(series)
    found = read_headers(folder, within(report, 0.0, 0.4))
    _check_found(found)
    group, notes = choose_group(found.frames, series=number)
    slices, copies = _without_copies(group.slices)
    clock, doubts = dicom_times.choose_clock(slices, interval=interval)
    slices = dicom_times.ordered(slices, clock)
    times = dicom_times.seconds(slices, clock, interval=interval)
    doubts += dicom_times.disagreements(slices, clock, interval=interval)
    missing = missing_note([len(line) for line in slices])
    notes = (*_left_out(found), *notes, *copies, *missing, *doubts, *_clock_notes(slices, clock), *_thickness(slices))
    how = _acquisition(slices, clock, interval, notes)
    images = _series(slices, times, how, within(report, 0.4, 1.0))
    return Acquired(images, tuple(line[0].words for line in slices))


def _number(series: int | str | None) -> int | None:
    try:
        return None if series is None else int(series)
    except ValueError:
        said = f'There is no series "{plain(series, 40)}": that is no number.'
        raise InputError(said, "Series are chosen by their number: --series N.") from None


def _check_found(found: Found) -> None:
    broken = sum(found.broken.values())
    if broken:
        reasons = ", ".join(f"{count} {reason}" for reason, count in found.broken.most_common())
        raise InputError(
            f"{broken} of {broken + len({frame.path for frame in found.frames})} DICOM files cannot be used ({reasons}).",
            _AGAIN,
        )
    if found.frames:
        return
    if found.phase or found.others:
        raise InputError(f"None of the DICOM files holds a usable MR image ({_told(found)}).", _ANOTHER)
    raise InputError("The folder holds no DICOM images.", _ANOTHER)


def _told(found: Found) -> str:
    phase = [f"{found.phase} phase images"] if found.phase else []
    return ", ".join([f"{count} {kind}" for kind, count in sorted(found.others.items())] + phase)


def _left_out(found: Found) -> tuple[str, ...]:
    return (f"Not read, because they are no MR magnitude images: {_told(found)}",) if _told(found) else ()


def _without_copies(slices: Sequence[Sequence[Frame]]) -> tuple[list[list[Frame]], tuple[str, ...]]:
    """Frames of a slice that agree in every time tag and in every pixel are one frame stored twice."""
    moments = [Counter(tuple(frame.clocks.items()) for frame in line) for line in slices]
    alike = [
        frame
        for line, counts in zip(slices, moments, strict=True)
        for frame in line
        if counts[tuple(frame.clocks.items())] > 1
    ]
    contents = dicom_pixels.fingerprints(alike)
    kept = [
        list({(tuple(frame.clocks.items()), contents.get(frame, frame.uid)): frame for frame in line[::-1]}.values())
        for line in slices
    ]
    copies = sum(map(len, slices)) - sum(map(len, kept))
    note = f"frames stored twice (same slice, time and pixels): {copies}, the copies were left out"
    return kept, (note,) if copies else ()


def _clock_notes(slices: Sequence[Sequence[Frame]], clock: dicom_times.Clock) -> tuple[str, ...]:
    if dicom_times.common(clock) or len(slices) == 1:
        return ()
    return (f"{clock.value} counts for each slice from a start of its own: the slices' clocks may be offset",)


def _thickness(slices: Sequence[Sequence[Frame]]) -> tuple[str, ...]:
    unsaid = any(line[0].thickness is None for line in slices)
    return ("The slice thickness is not said by the files: 1 mm was taken",) if unsaid else ()


def _acquisition(
    slices: Sequence[Sequence[Frame]], clock: dicom_times.Clock, interval: float | None, notes: tuple[str, ...]
) -> Acquisition:
    source = clock.value
    if interval is not None and dicom_times.counted(clock):
        source += f" x {interval:g} s (--interval)"
    how = acquisition([frame.protocol for line in slices for frame in line], time_source=source, notes=notes)
    return replace(how, notes=tuple(_sentence(note) for note in how.notes))


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:].rstrip('.')}."


def _series(
    slices: Sequence[Sequence[Frame]], times: Sequence[np.ndarray], how: Acquisition, report: Report
) -> PerfusionSeries:
    """Signal (t, k, j, i) float32; a frame that a slice lacks has weight 0 and the pixels of the frame before it."""
    counts, shape = [len(line) for line in slices], slices[0][0].shape
    check_memory(max(counts) * len(slices) * prod(shape))
    clocks = [filled(told, max(counts)) for told in times]
    signal = np.zeros((max(counts), len(slices), *shape), dtype=np.float32)
    places = [
        (frame, signal[t, k])
        for k, (line, clock) in enumerate(zip(slices, clocks, strict=True))
        for t, frame in zip(np.flatnonzero(clock.weight), line, strict=True)
    ]
    dicom_pixels.fill(places, report)
    for k, clock in enumerate(clocks):
        for t in np.flatnonzero(clock.weight == 0):
            signal[t, k] = signal[t - 1, k]
    time, weight = (np.stack([getattr(clock, name) for clock in clocks]) for name in ("time", "weight"))
    return PerfusionSeries(signal, time, _geometry(slices), how, weight)


def _geometry(slices: Sequence[Sequence[Frame]]) -> Geometry:
    affines = np.zeros((len(slices), 4, 4))
    for k, line in enumerate(slices):
        frame = line[0]
        affines[k, :3, 0], affines[k, :3, 1] = (frame.orientation.T * frame.spacing).T
        affines[k, :3, 2], affines[k, :3, 3] = frame.normal * (frame.thickness or 1.0), frame.position
        affines[k, 3, 3] = 1.0
    return Geometry(affines, (len(slices), *slices[0][0].shape))
