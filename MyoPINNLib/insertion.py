"""The anterior RV insertion: where the right ventricle's front edge meets the left ventricle's wall.

It is taken from the user's point, else from the RV mask, else estimated from the patient's directions. Angles are those
of ``anatomy.Turn``: degrees counter-clockwise as seen from the apex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy import ndimage

from .anatomy import SEPTUM_FACES, SEPTUM_HALF, LeftVentricle, Turn
from .errors import InputError
from .settings import SliceLevel

CIRCLE = 360.0
_NEAREST, _FARTHEST = 0.3, 2.5
_OUT_OF_PLANE_MM = 30.0
_TOUCH_MM = 8.0
_SHORTEST_ARC = 40.0
_REACH = 1.5  # pixels: a drawn right ventricle tapers, and its last pixels at the insertion are left out
_HINT = "Coordinates are LPS millimetres; Slicer shows RAS, where the first two have the other sign."


class Source(str, Enum):
    """Where the insertion comes from."""

    GIVEN = "given"
    RIGHT_VENTRICLE = "right ventricle mask"
    ESTIMATED = "estimated from the patient's directions"


@dataclass(frozen=True)
class Insertion:
    """``angle`` (k,) degrees of the anterior RV insertion in every slice with myocardium (NaN elsewhere), and its source."""

    angle: np.ndarray
    source: Source


def anterior_insertion(
    ventricle: LeftVentricle,
    turn: Turn,
    levels: Sequence[SliceLevel],
    *,
    points: Sequence[Sequence[float]] | None,
    right_ventricle: np.ndarray | None,
) -> tuple[Insertion, tuple[str, ...]]:
    """The insertion in every slice, and what is doubtful. ``points`` LPS mm; ``right_ventricle`` (k, j, i) bool or None."""
    if points:
        kept, notes = _in_the_heart(ventricle, _checked_points(points))
        insertion = Insertion(_from_points(ventricle, turn, kept), Source.GIVEN)
    else:
        arcs = _septal_starts(ventricle, turn, right_ventricle)
        insertion, notes = _from_arcs(ventricle, arcs, levels, drawn=right_ventricle is not None)
    return insertion, (*notes, *_septum_doubts(ventricle, turn, insertion, right_ventricle))


def _checked_points(points: Sequence[Sequence[float]]) -> np.ndarray:
    """(n, 3) LPS mm."""
    checked = np.array(points, float)
    if checked.ndim != 2 or checked.shape[1] != 3 or not np.isfinite(checked).all():
        raise InputError(
            f"The RV insertion has shape {checked.shape}; it is one or more points of three numbers.", _HINT
        )
    return checked


def _in_the_heart(ventricle: LeftVentricle, points: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Of several points those of slices with myocardium, and what is said of the others. Where all lie elsewhere none is
    left out: the nearest slice takes a point that lies a little off.
    """
    planes = ventricle.geometry
    offsets = ((points[:, None] - planes.centres) * planes.normals).sum(axis=-1)
    inside = np.isin(np.abs(offsets).argmin(axis=1), ventricle.slices)
    out = int((~inside).sum())
    if not out or out == len(points):
        return points, []
    return points[inside], [
        f"{out} of {len(points)} RV insertion points {'is' if out == 1 else 'are'} left out: no myocardium is drawn in "
        f"{'its slice' if out == 1 else 'their slices'}."
    ]


def _from_points(ventricle: LeftVentricle, turn: Turn, points: np.ndarray) -> np.ndarray:
    """Angle (k,) of the user's points: each belongs to its nearest slice, each slice takes the nearest point."""
    slices = ventricle.slices
    offsets = (points[:, None] - turn.centres[slices]) * turn.normals[slices]
    distance = np.abs(offsets.sum(axis=-1))
    home = slices[distance.argmin(axis=1)]
    for k, count in zip(*np.unique(home, return_counts=True), strict=True):
        if count > 1:
            raise InputError(
                f"{count} RV insertion points belong to slice {k + 1}, the nearest with myocardium; it needs one.",
                "Keep the anterior one in each slice that has myocardium.",
            )
    angles = np.array(
        [_checked_angle(ventricle, turn, k, p, d.min()) for k, p, d in zip(home, points, distance, strict=True)]
    )
    result = np.full(len(turn.centres), np.nan)
    result[slices] = angles[distance.argmin(axis=0)]
    return result


def _checked_angle(ventricle: LeftVentricle, turn: Turn, k: int, point: np.ndarray, off_plane: float) -> float:
    """The angle of a point in slice ``k``, or an InputError where it cannot be on the wall."""
    words = ", ".join(f"{value:g}" for value in point)
    if off_plane > _OUT_OF_PLANE_MM:
        raise InputError(
            f"The RV insertion ({words}) lies {off_plane:.0f} mm off the nearest slice with myocardium.", _HINT
        )
    arm = point - turn.centres[k]
    arm = arm - (arm @ turn.normals[k]) * turn.normals[k]
    length, radius = float(np.linalg.norm(arm)), float(ventricle.radius[k])
    if not _NEAREST * radius <= length <= _FARTHEST * radius:
        where = "at the centre of the left ventricle" if length < radius else "outside the heart"
        raise InputError(
            f"The RV insertion ({words}) lies {where}: {length:.0f} mm from its centre, where the wall's outer edge is at {radius:.0f} mm.",
            _HINT,
        )
    return float(turn.angles(np.array([k]), point[None])[0])


def _septal_starts(ventricle: LeftVentricle, turn: Turn, right_ventricle: np.ndarray | None) -> dict[int, float]:
    """Slice -> angle of the anterior end of the arc where its wall borders the right ventricle."""
    starts = {}
    for k in ventricle.slices if right_ventricle is not None else ():
        wall = ventricle.myocardium[k]
        if not right_ventricle[k].any():
            continue
        distance = ndimage.distance_transform_edt(~right_ventricle[k], sampling=ventricle.geometry.spacing[k, [1, 0]])
        nearest, pixel = distance[wall].min(), ventricle.geometry.spacing[k, :2].max()
        j, i = np.nonzero(wall & (distance <= nearest + _REACH * pixel))
        voxels = np.stack([np.full(j.shape, k), j, i], axis=-1)
        start, length = _arc(turn.angles(voxels[:, 0], ventricle.geometry.to_lps(voxels)))
        if nearest <= max(_TOUCH_MM, 2 * pixel) and length >= _SHORTEST_ARC:
            starts[int(k)] = start
    return starts


def _arc(angles: np.ndarray) -> tuple[float, float]:
    """Start and length, degrees, of the shortest arc that holds all ``angles`` (counter-clockwise)."""
    ordered = np.sort(np.mod(angles, CIRCLE))
    gaps = np.diff(ordered, append=ordered[0] + CIRCLE)
    last = int(gaps.argmax())
    return float(ordered[(last + 1) % len(ordered)]), float(CIRCLE - gaps[last])


def _from_arcs(
    ventricle: LeftVentricle, starts: dict[int, float], levels: Sequence[SliceLevel], *, drawn: bool
) -> tuple[Insertion, list[str]]:
    """Every slice takes its own arc or its nearest slice's; apical slices follow the basal and mid ones, where the
    border of segments 2 and 3 is defined. Without any arc the angle is zero: the estimate from LPS."""
    angle = np.full(len(ventricle.radius), np.nan)
    if not starts:
        angle[ventricle.slices] = 0.0
        why = (
            "the right ventricle mask does not border the myocardium"
            if drawn
            else "no point and no right ventricle mask was given"
        )
        return Insertion(angle, Source.ESTIMATED), [
            f"The anterior RV insertion is estimated from the patient's directions, as {why}: segments may be turned by 30 degrees or more. "
            "Give the point (a Slicer point list, or insertion_lps in the settings) or draw the right ventricle."
        ]
    septal = [k for k in starts if levels[k] in (SliceLevel.BASAL, SliceLevel.MID)] or list(starts)
    for k in ventricle.slices:
        distances = np.linalg.norm(ventricle.centres[septal] - ventricle.centres[k], axis=1)
        angle[k] = starts[septal[int(distances.argmin())]]
    return Insertion(angle, Source.RIGHT_VENTRICLE), []


def _septum_doubts(
    ventricle: LeftVentricle, turn: Turn, insertion: Insertion, right_ventricle: np.ndarray | None
) -> list[str]:
    """A note where the septum would face away from the right ventricle (or the patient's right and front)."""
    away = []
    for k in ventricle.slices:
        septal = turn.direction(k, insertion.angle[k] + SEPTUM_HALF)
        towards, words = SEPTUM_FACES, "the patient's right and front"
        if right_ventricle is not None and right_ventricle[k].any():
            j, i = np.nonzero(right_ventricle[k])
            voxels = np.stack([np.full(j.shape, k), j, i], axis=-1)
            towards, words = (
                ventricle.geometry.to_lps(voxels).mean(axis=0) - ventricle.centres[k],
                "the right ventricle",
            )
        if septal @ towards < 0:
            away.append((k + 1, words))
    if not away:
        return []
    return [
        f"The septal segments of slice {', '.join(str(k) for k, _ in away)} face away from {away[0][1]}: please check the insertion point, the slice levels and the image orientation."
    ]
