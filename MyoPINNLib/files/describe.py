"""A perfusion series in words, for ``myopinn info``: what was read and what is doubtful. Never patient data."""

from __future__ import annotations

import numpy as np

from ..quantities import degrees_from_radians, milliseconds_from_seconds
from ..series import Acquisition, PerfusionSeries
from .clocks import gaps

# Apart enough along the patient's left, front and feet (towards which the apex points) to call one end the base, mm.
_CLEARLY = 5.0
_TO_APEX = np.array([1.0, -1.0, -1.0]) / np.sqrt(3)  # LPS
_PARALLEL = 0.1  # degrees
_USUAL_INTERVAL = (0.3, 4.0)  # s: a frame a heartbeat, or every second or third one
_FEW = 20
_FLAGS = {"TS": "--TS", "TR": "--TR", "flip_angle": "--flip-angle", "pulses": "--pulses"}
_NONE = "not said by the files"


def describe(series: PerfusionSeries) -> list[str]:
    """Lines of plain words about a series."""
    doubts = [*series.acquisition.notes, *_doubts(series)]
    return [
        *_images(series),
        *_times(series),
        *_missing(series),
        *_protocol(series.acquisition),
        *([f"doubtful:  {note.rstrip('.')}" for note in doubts] or ["doubtful:  nothing"]),
    ]


def _images(series: PerfusionSeries) -> list[str]:
    geometry = series.geometry
    slices, rows, columns = geometry.shape
    i, j, thickness = geometry.spacing[0]
    lines = [
        f"images:    {_count(slices, 'slice')} of {columns} x {rows} pixels (columns x rows), {series.frames} frames",
        f"pixels:    {i:.3g} x {j:.3g} mm, slices {thickness:.3g} mm thick",
    ]
    if slices == 1:
        return lines
    steps = np.linalg.norm(np.diff(geometry.centres, axis=0), axis=1)
    apart = f"{steps.min():.1f} mm" if np.ptp(steps) < 0.1 else f"{steps.min():.1f} to {steps.max():.1f} mm"
    tilt = degrees_from_radians(np.arccos(min(1.0, np.abs(geometry.normals @ geometry.normals[0]).min())))
    uneven = "not evenly spaced" if tilt < _PARALLEL else f"up to {tilt:.1f} degrees apart in tilt"
    fit = "parallel and evenly spaced" if geometry.uniform else f"{uneven}: one map file a slice"
    return [*lines, f"slices:    {apart} from centre to centre, {fit}", _base(series)]


def _base(series: PerfusionSeries) -> str:
    """Which end is the base, from the patient's directions alone; the masks decide in the end."""
    span = float((series.geometry.centres[-1] - series.geometry.centres[0]) @ _TO_APEX)
    if abs(span) < _CLEARLY:
        return "order:     which end is basal cannot be said from the geometry alone"
    first, last = ("basal", "apical") if span > 0 else ("apical", "basal")
    return f"order:     slice 1 looks {first} and slice {series.geometry.shape[0]} {last}, by the patient's directions"


def _times(series: PerfusionSeries) -> list[str]:
    steps = np.concatenate([np.diff(series.time[k, series.weight[k] > 0]) for k in range(len(series.time))])
    lines = [f"time from: {series.acquisition.time_source or 'the caller'}"]
    if steps.size:
        lines.append(
            f"times:     {series.time.min():.2f} to {series.time.max():.2f} s, frames {np.median(steps):.3f} s apart in the median ({steps.min():.3f} to {steps.max():.3f})"
        )
    starts = series.time[:, 0]
    if len(starts) == 1:
        return lines
    if (series.time == series.time[0]).all():
        return [*lines, "clocks:    all slices share one"]
    return [*lines, f"clocks:    each slice has its own, starting at {', '.join(f'{start:.3f}' for start in starts)} s"]


def _missing(series: PerfusionSeries) -> list[str]:
    """Frames that a slice lacks, and intervals in which one may be missing."""
    lines = []
    for k, (time, weight) in enumerate(zip(series.time, series.weight, strict=True)):
        if (weight == 0).any():
            lines.append(f"left out:  slice {k + 1}: {_count(int((weight == 0).sum()), 'frame')} of {len(weight)}")
        there = time[weight > 0]
        if len(there) < 3:
            continue
        for gap in np.flatnonzero(gaps(there)):
            length = f"{there[gap + 1] - there[gap]:.2f} s"
            lines.append(
                f"gap:       slice {k + 1}: {length} from {there[gap]:.2f} s on, the median being {np.median(np.diff(there)):.2f} s"
            )
    return lines or ["gaps:      none"]


def _protocol(how: Acquisition) -> list[str]:
    def said(value, unit: str, shown=lambda number: number) -> str:
        return _NONE if value is None else f"{shown(value):.4g}{unit}"

    return [
        f"TS:        {said(how.TS, ' ms from saturation to the k-space centre', milliseconds_from_seconds)}",
        f"readout:   TR {said(how.TR, ' ms', milliseconds_from_seconds)}, flip angle "
        f"{said(how.flip_angle, ' degrees', degrees_from_radians)}, pulses up to the k-space centre {said(how.pulses, '')}",
        f"field:     {said(how.field_strength, ' T')}",
    ]


def _doubts(series: PerfusionSeries) -> list[str]:
    """What a careful reader would ask about."""
    slices, rows, columns = series.geometry.shape
    wrong = int((~np.isfinite(series.signal)).sum())
    usual = float(np.median(np.diff(series.time, axis=1)))
    shortest, longest = _USUAL_INTERVAL
    how = series.acquisition
    unsaid = [flag for name, flag in _FLAGS.items() if getattr(how, name) is None]
    asked = (
        (wrong > 0, f"{wrong} pixel values are not numbers"),
        (series.signal.max() == series.signal.min(), "all pixels have one value: there is nothing to see"),
        (
            slices > min(rows, columns),
            f"{slices} slices of {columns} x {rows} pixels: are the axes of the file in another order?",
        ),
        (series.frames < _FEW, f"{series.frames} frames are few: a first pass has 30 to 90"),
        (
            not shortest <= usual <= longest,
            f"frames {usual:.3g} s apart: a first pass has one a heartbeat, {shortest:g} to {longest:g} s",
        ),
        (bool(unsaid), f"the files do not say all that the signal model needs: give {', '.join(unsaid)}"),
    )
    return [words for doubtful, words in asked if doubtful]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
