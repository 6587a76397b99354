"""The AHA's 16 or 17 segments of the left ventricle, from the masks' geometry in the patient.

As seen from the apex, anterior up and septum left, the segments run counter-clockwise; the anterior RV insertion is the
border of 1 and 2 (7 and 8), and 14 is centred on the border of 2 and 3. Source: Cerqueira et al., Circulation 2002.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from .anatomy import LeftVentricle, Turn, left_ventricle, long_axis, wall_depth
from .errors import InputError
from .insertion import Insertion, Source, anterior_insertion
from .polar import (
    INSERTION_ANGLE,
    NAMES,
    RINGS,
    SEPTAL_ANGLE,
    TERRITORY,
    label_positions,
    polygons,
    segments_of,
)
from .series import Masks
from .settings import AHASettings
from .settings import SliceLevel as Level

__all__ = [
    "NAMES",
    "RINGS",
    "TERRITORY",
    "AHASegments",
    "Half",
    "Level",
    "label_positions",
    "polygons",
    "segment",
    "segments_of",
]

_THIRDS = (Level.BASAL, Level.MID, Level.APICAL)


class Half(IntEnum):
    """Which half of the wall a voxel lies in."""

    NONE = 0
    ENDO = 1
    EPI = 2


@dataclass(frozen=True)
class AHASegments:
    """Segments of a grid.

    ``label`` (k, j, i) 0 to 17, 0 off the myocardium; ``levels`` (k,) Level of each slice, NONE where it has none;
    ``model`` 16 or 17; ``estimated_insertion``: no point and no RV mask told where the septum begins.
    ``half`` (k, j, i) Half codes. For drawing, LPS, NaN without myocardium: ``centres`` (k, 3) mm of the ventricle,
    ``insertion`` (k, 3) mm the anterior RV insertion on the wall's outer edge, ``anterior`` and ``septal`` (k, 3) unit
    vectors that point up and left on the bull's-eye.
    """

    label: np.ndarray
    levels: tuple[Level, ...]
    model: int
    estimated_insertion: bool
    half: np.ndarray
    centres: np.ndarray
    insertion: np.ndarray
    anterior: np.ndarray
    septal: np.ndarray

    def __post_init__(self) -> None:
        if self.label.ndim != 3 or len(self.levels) != self.label.shape[0] or self.half.shape != self.label.shape:
            raise InputError(
                f"Segments of shape {self.label.shape} came with {len(self.levels)} slice levels and halves of shape {self.half.shape}."
            )
        if self.label.max() > max(segments_of(self.model)):
            raise InputError(f"Segment {self.label.max()} does not exist in the {self.model}-segment model.")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The model's segment numbers, measured or not."""
        return segments_of(self.model)

    def voxels_in(self, segment: int) -> np.ndarray:
        """(k, j, i) bool: the voxels of a segment."""
        return self.label == segment


def segment(masks: Masks, settings: AHASettings) -> tuple[AHASegments, tuple[str, ...]]:
    """The segments of the myocardium mask, and what is doubtful about them in plain words.

    Raises InputError for a wrong number of levels, levels that do not run from base to apex, an apex level in the
    16-segment model, and an insertion point that is not near the wall.
    """
    ventricle = left_ventricle(masks)
    given = _checked_levels(settings, masks.geometry.shape[0])
    axis, axis_notes = long_axis(ventricle, given)
    levels, level_notes = (given, ()) if given else _levels_along(ventricle, axis, settings.segments)
    turn = Turn.around(ventricle, axis)
    right = None if masks.right_ventricle is None else np.asarray(masks.right_ventricle, dtype=bool)
    insertion, insertion_notes = anterior_insertion(
        ventricle, turn, levels, points=settings.insertion_lps, right_ventricle=right
    )
    depth = wall_depth(ventricle)
    half = np.where(np.isnan(depth), Half.NONE, np.where(depth < 0.5, Half.ENDO, Half.EPI)).astype(np.uint8)
    segments = AHASegments(
        label=_labels(ventricle, turn, insertion, levels),
        levels=levels,
        model=settings.segments,
        estimated_insertion=insertion.source is Source.ESTIMATED,
        half=half,
        centres=ventricle.centres,
        **_landmarks(ventricle, turn, insertion),
    )
    return segments, (*axis_notes, *level_notes, *insertion_notes)


def _checked_levels(settings: AHASettings, slices: int) -> tuple[Level, ...] | None:
    """The user's levels, one a slice of the grid, or None where they were not given."""
    if not settings.levels:
        return None
    if len(settings.levels) != slices:
        raise InputError(
            f"{len(settings.levels)} slice levels were given and the study has {slices} slices.",
            "Give one level a slice, in the order of the slices in the study (none for a slice to leave out).",
        )
    if settings.segments == 16 and Level.APEX in settings.levels:
        raise InputError(
            f"Slice {settings.levels.index(Level.APEX) + 1} is given as the apex, which the 16-segment model does not have.",
            "Choose the 17-segment model, or give that slice as apical or none.",
        )
    return tuple(Level(level) for level in settings.levels)


def _levels_along(ventricle: LeftVentricle, axis: np.ndarray, model: int) -> tuple[tuple[Level, ...], list[str]]:
    """Levels from geometry: thirds of the ventricle's length, base to apex; one slice is mid.

    Slices without a cavity beyond three that have one are the apex: segment 17, or none in the 16-segment model.
    """
    at = ventricle.centres @ axis
    order = ventricle.slices[np.argsort(at[ventricle.slices])]
    hollow = np.flatnonzero(ventricle.hollow[order])
    body = order[: hollow[-1] + 1] if len(hollow) >= len(_THIRDS) else order
    levels = [Level.NONE] * len(at)
    for k, level in zip(body, _thirds(at[body]), strict=True):
        levels[k] = level
    cap = [k for k in order if k not in body]
    for k in cap if model == 17 else ():
        levels[k] = Level.APEX
    return tuple(levels), _level_notes(body, cap, levels, model)


def _thirds(at: np.ndarray) -> list[Level]:
    """Levels of slices at increasing positions ``at`` mm along the axis: three slices are one each."""
    if len(at) == 1:
        return [Level.MID]
    if len(at) == len(_THIRDS):
        return list(_THIRDS)
    step = np.median(np.diff(at))
    share = (at - at[0] + step / 2) / (at[-1] - at[0] + step)
    return [_THIRDS[min(int(len(_THIRDS) * value), len(_THIRDS) - 1)] for value in share]


def _level_notes(body: np.ndarray, cap: Sequence[int], levels: Sequence[Level], model: int) -> list[str]:
    """Notes on the levels that were chosen by rule and may be wrong."""
    notes = []
    if len(body) == 1:
        notes.append(
            f"Only slice {body[0] + 1} has myocardium; it is taken as mid-ventricular. Give its level if that is wrong."
        )
    if len(body) == 2:
        chosen = " and ".join(f"slice {k + 1} as {levels[k].value}" for k in body)
        notes.append(f"Only two slices have myocardium: {chosen}. Give the slice levels if that is wrong.")
    if cap and model == 16:
        notes.append(
            f"Slice {', '.join(str(k + 1) for k in cap)} has no cavity: it is the apex, which the 16-segment model leaves out."
        )
    return notes


def _labels(ventricle: LeftVentricle, turn: Turn, insertion: Insertion, levels: Sequence[Level]) -> np.ndarray:
    """Segment number of every voxel (k, j, i), 0 off the myocardium."""
    voxels = np.argwhere(ventricle.myocardium)
    k = voxels[:, 0]
    angle = turn.angles(k, ventricle.geometry.to_lps(voxels)) - insertion.angle[k] + INSERTION_ANGLE
    numbers = np.zeros(len(voxels), dtype=np.uint8)
    for row, level in enumerate(levels):
        if level in RINGS:
            numbers[k == row] = RINGS[level].segment_at(angle[k == row])
    label = np.zeros(ventricle.myocardium.shape, dtype=np.uint8)
    label[tuple(voxels.T)] = numbers
    return label


def _landmarks(ventricle: LeftVentricle, turn: Turn, insertion: Insertion) -> dict[str, np.ndarray]:
    """Points and directions (k, 3) for drawing, NaN in slices without myocardium."""
    marks = {name: np.full(ventricle.centres.shape, np.nan) for name in ("insertion", "anterior", "septal")}
    for k in ventricle.slices:
        at = insertion.angle[k]
        marks["insertion"][k] = ventricle.centres[k] + ventricle.radius[k] * turn.direction(k, at)
        marks["septal"][k] = turn.direction(k, at + SEPTAL_ANGLE - INSERTION_ANGLE)
        marks["anterior"][k] = turn.direction(k, at + 90.0 - INSERTION_ANGLE)
    return marks
