"""A perfusion series from 4D NRRD, Slicer's .seq.nrrd or NIfTI files: all slices in one, or one a slice.

Frame times come from the header's ``axis N index values`` (Slicer's sequences, in the unit that the header gives), or from
a sidecar of the same name: ``.json`` with "time_s", a list of frame times or one list a slice, or ``.csv`` with a column
``time_s`` or one column a slice. A time that nobody gives is asked for, never assumed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..geometry import Geometry
from ..quantities import radians_from_degrees, seconds_from_milliseconds
from ..series import Acquisition, PerfusionSeries, checked_time
from . import nrrd
from .clocks import Slice, check_interval, missing_note, stacked
from .dicom_times import Clock
from .images import LIST_UNIT, Image, read_image, suffix_of
from .sidecars import sidecar_of, sidecar_times
from .words import plain

_SECONDS = {"s", "sec", "second", "seconds"}
_MILLISECONDS = {"ms", "msec", "millisecond", "milliseconds"}
_GIVE_TIMES = (
    'Put the frame times in s into a file of the same name ending in .json ({"time_s": [...]}) or .csv (column time_s); '
    "a Slicer sequence needs times as its index, with the unit s. Evenly spaced frames: --interval SECONDS."
)
_INDEX = re.compile(r"axis \d+ index values")
_KEYWORDS = "|".join(clock.value.split()[0] for clock in Clock)
_OUR_SOURCES = re.compile(
    rf"(?:{_KEYWORDS})(?: \([0-9A-F]{{4}},[0-9A-F]{{4}}\))?(?: x [\d.e+-]{{1,12}} s \(--interval\))?"
    rf"|sidecar \(\.(?:json|csv)\)|sequence index \((?:s|ms)\)|MultiVolume frame labels \((?:{_KEYWORDS}|DeltaStartTime)\)"
    r"|table \(as given\)|frame numbers x [\d.e+-]{1,12} s \(as given\)"
)
_MOST_NOTES = 50


def read_volumes(paths: Sequence[Path], *, interval: float | None = None) -> PerfusionSeries:
    """The series of one file or of several, each with its own clock; slices in order along their normal.

    ``interval`` s between frames serves files that say no times, as the user's word. Raises InputError where a file cannot
    be read, its times cannot be, or the files do not fit together.
    """
    check_interval(interval)
    return joined_series([_part(path, interval) for path in paths])


def joined_series(parts: Sequence[PerfusionSeries]) -> PerfusionSeries:
    """One series of several that hold different slices, each with its own clock; slices in order along their normal.

    Raises InputError where their images differ in size, or two hold the same slice.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.geometry.shape[1:] != first.geometry.shape[1:]:
            raise InputError(
                f"The slices' images have different sizes: {_size(first)} and {_size(part)} pixels.",
                "Give files of one series.",
            )
    affines = np.concatenate([part.geometry.ijk_to_lps for part in parts])
    slices = [
        Slice(part.signal[:, k], part.time[k], part.weight[k]) for part in parts for k in range(part.geometry.shape[0])
    ]
    order = along_the_normal(affines) if len(parts) > 1 else np.arange(len(affines))
    slices = [slices[k] for k in order]
    signal, time, weight = stacked(slices)
    notes = dict.fromkeys(note for part in parts for note in part.acquisition.notes)
    notes.update(dict.fromkeys(missing_note([len(part.time) for part in slices])))
    geometry = Geometry(affines[order], (len(order), *first.geometry.shape[1:]))
    acquisition = replace(first.acquisition, notes=tuple(notes))
    return PerfusionSeries(signal, time, geometry, acquisition, weight)


def _part(path: Path, interval: float | None) -> PerfusionSeries:
    """The series of one file."""
    image = read_image(path)
    frames, slices = image.values.shape[3], image.geometry.shape[0]
    if frames < 2:
        raise InputError(
            f'"{image.name}" has {frames} frame; perfusion needs a series over time.', "Choose the dynamic series."
        )
    notes: list[str] = []
    sidecar = sidecar_of(path, suffix_of(path))
    if sidecar:
        time, source = sidecar_times(sidecar, slices, frames), f"sidecar ({sidecar.suffix})"
    else:
        time, source, notes = _header_times(image, interval)
    if time.shape[-1] != frames:
        raise InputError(f'"{image.name}" has {frames} frames and {time.shape[-1]} frame times.', _GIVE_TIMES)
    acquisition = acquisition_from(image.keys, source, notes)
    signal = np.moveaxis(image.values, -1, 0)
    return PerfusionSeries(signal, checked_time(time, slices, frames), _grid(image), acquisition, _weight(image))


def _header_times(image: Image, interval: float | None) -> tuple[np.ndarray, str, list[str]]:
    """Frame times (t,) s of a Slicer sequence, where they come from, and doubts."""
    key = next((key for key in image.keys if _INDEX.fullmatch(key)), "")
    unit = (image.keys.get(LIST_UNIT) or image.keys.get(nrrd.TIME_UNIT) or "").strip().lower()
    try:
        values = np.array([float(word) for word in image.keys.get(key, "").split()])
    except ValueError as error:
        raise InputError(f'The frame times of "{image.name}" are not all numbers.', _GIVE_TIMES) from error
    source = _source(image.keys, key)
    if unit in _SECONDS and len(values):
        return values, source, []
    if unit in _MILLISECONDS and len(values):
        return seconds_from_milliseconds(values), source, []
    counted = len(values) == 0 or bool(unit) or (np.diff(values) == 1).all()
    if not counted:
        return values, source, ["The header gives no unit with the frame times; they are read as seconds."]
    if interval is None:
        raise InputError(f'"{image.name}" does not say when its frames were taken{_said(values, unit)}.', _GIVE_TIMES)
    frames = image.values.shape[3]
    return (
        interval * np.arange(frames),
        f"frame numbers x {interval:g} s (as given)",
        ["Evenly spaced frames were assumed."],
    )


def _source(keys: dict[str, str], key: str) -> str:
    """Where the times come from: what MyoPINN itself wrote there, never other words that a header may hold."""
    written = keys.get(nrrd.SOURCE, "")
    return written if _OUR_SOURCES.fullmatch(written) else f"the file's header ({key})"


def _said(values: np.ndarray, unit: str) -> str:
    if not len(values):
        return ""
    return f": it counts them in {unit!r:.20}" if unit else f": it numbers them ({values[0]:g} to {values[-1]:g})"


def acquisition_from(keys: Mapping[str, str], source: str, notes: Sequence[str]) -> Acquisition:
    """What a series that MyoPINN wrote says of its acquisition; None for what other files do not say."""
    written = keys.get(nrrd.NOTES, "").split(nrrd.BETWEEN_NOTES)[:_MOST_NOTES]
    kept = [note for note in map(plain, written) if note]
    TS, TR, flip = (number_of(keys, key) for key in (nrrd.TS, nrrd.TR, nrrd.FLIP))
    pulses = number_of(keys, nrrd.PULSES)
    return Acquisition(
        TS=None if TS is None else seconds_from_milliseconds(TS),
        TR=None if TR is None else seconds_from_milliseconds(TR),
        flip_angle=None if flip is None else radians_from_degrees(flip),
        pulses=None if pulses is None else int(pulses),
        field_strength=number_of(keys, nrrd.FIELD),
        time_source=source,
        notes=(*kept, *notes),
    )


def number_of(keys: Mapping[str, str], key: str) -> float | None:
    """A positive number of the header; None where there is none."""
    try:
        value = float(keys[key])
    except (KeyError, ValueError):
        return None
    return value if 0 < value < np.inf else None


def _grid(image: Image) -> Geometry:
    """The file's grid, with the slice thickness where the header keeps it (a volume knows the slices' distance alone)."""
    thickness = number_of(image.keys, nrrd.THICKNESS)
    if thickness is None:
        return image.geometry
    affines = image.geometry.ijk_to_lps.copy()
    affines[:, :3, 2] = image.geometry.normals * thickness
    return Geometry(affines, image.geometry.shape)


def _weight(image: Image) -> np.ndarray:
    """(k, t): 0 for the frames that the header names as left out ("slice:frame", counted from 1)."""
    weight = np.ones((image.geometry.shape[0], image.values.shape[3]))
    for k, t in re.findall(r"(\d{1,6}):(\d{1,6})", image.keys.get(nrrd.LEFT_OUT, "")):
        if 0 < int(k) <= weight.shape[0] and 0 < int(t) <= weight.shape[1]:
            weight[int(k) - 1, int(t) - 1] = 0.0
    return weight


def along_the_normal(affines: np.ndarray) -> np.ndarray:
    """The order of the slices along the first one's normal; InputError where two lie at one place."""
    normal = affines[0, :3, 2] / np.linalg.norm(affines[0, :3, 2])
    places = affines[:, :3, 3] @ normal
    order = np.argsort(places, kind="stable")
    for a, b in zip(order[:-1], order[1:], strict=True):
        if np.allclose(affines[a], affines[b], atol=1e-2):
            raise InputError("Two files or series hold the same slice.", "Give each slice once.")
    return order


def _size(part: PerfusionSeries) -> str:
    return " x ".join(str(size) for size in part.geometry.shape[1:])
