"""The left ventricle in the patient: its centre and cavity in each slice, its long axis, and which way it turns.

Everything is measured in LPS millimetres, so that it does not depend on how the images are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .errors import InputError
from .geometry import Geometry
from .series import Masks
from .settings import SliceLevel

SEPTUM_FACES = np.array([-1.0, -1.0, 0.0]) / np.sqrt(2.0)
APEX_DIRECTION = np.array([1.0, -1.0, -1.0]) / np.sqrt(3.0)
SEPTUM_HALF = 60.0
_SMALLEST_CAVITY = 0.05
_CLEAR_DIRECTION = 0.3
_CLEAR_SHRINKAGE = 0.1
_ORDER = (SliceLevel.BASAL, SliceLevel.MID, SliceLevel.APICAL, SliceLevel.APEX)


@dataclass(frozen=True)
class LeftVentricle:
    """What the masks say: ``centres`` (k, 3) LPS mm and outer ``radius`` (k,) mm, NaN in slices without myocardium;
    ``cavity`` (k, j, i) bool, inside the wall; ``myocardium`` (k, j, i) bool; ``geometry``."""

    centres: np.ndarray
    radius: np.ndarray
    cavity: np.ndarray
    myocardium: np.ndarray
    geometry: Geometry

    @property
    def slices(self) -> np.ndarray:
        """Indices of the slices with myocardium."""
        return np.flatnonzero(np.isfinite(self.radius))

    @property
    def hollow(self) -> np.ndarray:
        """(k,) bool: slices whose wall surrounds a cavity."""
        return self.cavity.any(axis=(1, 2))


def left_ventricle(masks: Masks) -> LeftVentricle:
    """The left ventricle of the masks. The centre is that of the outline where the wall is closed around a cavity (not
    a pixel left out), else that of the blood pool where one is drawn, else that of the myocardium."""
    slices = masks.geometry.shape[0]
    centres, radius = np.full((slices, 3), np.nan), np.full(slices, np.nan)
    cavity = np.zeros(masks.geometry.shape, dtype=bool)
    for k in np.flatnonzero(masks.myocardium.any(axis=(1, 2))):
        wall, pool = masks.myocardium[k], masks.blood_pool[k]
        outline = ndimage.binary_fill_holes(wall)
        closed = (outline & ~wall).sum() > _SMALLEST_CAVITY * wall.sum()
        cavity[k] = outline & ~wall if closed else pool
        middle = outline if closed or not pool.any() else pool
        centres[k] = _points(masks.geometry, k, middle).mean(axis=0)
        radius[k] = np.percentile(np.linalg.norm(_points(masks.geometry, k, wall) - centres[k], axis=1), 95)
    return LeftVentricle(centres, radius, cavity, masks.myocardium, masks.geometry)


def _points(geometry: Geometry, k: int, mask: np.ndarray) -> np.ndarray:
    """LPS mm (n, 3) of the pixels of a slice's mask (j, i)."""
    j, i = np.nonzero(mask)
    return geometry.to_lps(np.stack([np.full(j.shape, k), j, i], axis=-1))


def wall_depth(ventricle: LeftVentricle) -> np.ndarray:
    """Place in the wall (k, j, i): 0 at the endocardium, 1 at the epicardium, NaN off the wall or without a cavity."""
    depth = np.full(ventricle.myocardium.shape, np.nan)
    for k in ventricle.slices[ventricle.hollow[ventricle.slices]]:
        wall, cavity = ventricle.myocardium[k], ventricle.cavity[k]
        sampling = ventricle.geometry.spacing[k, [1, 0]]
        from_cavity = ndimage.distance_transform_edt(~cavity, sampling=sampling)
        from_outside = ndimage.distance_transform_edt(np.pad(wall | cavity, 1), sampling=sampling)[1:-1, 1:-1]
        depth[k][wall] = (from_cavity / (from_cavity + from_outside))[wall]
    return depth


def long_axis(
    ventricle: LeftVentricle, levels: Sequence[SliceLevel] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Unit vector (3,) from base to apex, LPS, and what is doubtful about it.

    Levels given by the user decide. Else two signs are weighed: the apex points to the patient's left, front and feet;
    and the wall's outline shrinks towards it. The first decides unless the slices lie across it.
    """
    normal = _mean_normal(ventricle)
    at = ventricle.centres[ventricle.slices] @ normal
    order = ventricle.slices[np.argsort(at)]
    body = float(normal @ APEX_DIRECTION)
    shrinkage = _shrinkage(ventricle.radius[order])
    geometric = shrinkage if abs(body) < _CLEAR_DIRECTION and abs(shrinkage) > _CLEAR_SHRINKAGE else body
    given = _sign_of_levels([levels[k] for k in order]) if levels else 0
    sign = given or (1 if geometric >= 0 else -1)
    return sign * normal, tuple(_axis_doubts(order[::sign], sign, given, body, shrinkage))


def _axis_doubts(order: np.ndarray, sign: int, given: int, body: float, shrinkage: float) -> list[str]:
    """Notes: which signs speak against the chosen direction."""
    apex, base = order[-1] + 1, order[0] + 1
    if len(order) == 1:
        return []
    against = []
    if sign * body < 0 and abs(body) >= _CLEAR_DIRECTION:
        against.append("the patient's directions (the apex points left, forward and down)")
    if sign * shrinkage < -_CLEAR_SHRINKAGE:
        against.append("the size of the heart's outline (it shrinks towards the apex)")
    source = (
        "the levels given" if given else "the patient's directions" if abs(body) >= _CLEAR_DIRECTION else "the outline"
    )
    if against:
        return [
            f"Slice {base} is taken as the base and slice {apex} as the apex from {source}, against {' and '.join(against)}: please check the slice levels."
        ]
    if not given and abs(body) < _CLEAR_DIRECTION and abs(shrinkage) <= _CLEAR_SHRINKAGE:
        return [f"Which end is the apex is uncertain; slice {apex} was taken. Give the slice levels if that is wrong."]
    return []


def _mean_normal(ventricle: LeftVentricle) -> np.ndarray:
    """Common unit normal of the slices with myocardium, each turned to the first one's side."""
    normals = ventricle.geometry.normals[ventricle.slices]
    normals = normals * np.where(normals @ normals[0] < 0, -1.0, 1.0)[:, None]
    mean = normals.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _shrinkage(radius: np.ndarray) -> float:
    """Share of the outline's radius lost from the first slice to the last; negative where it grows."""
    return float((radius[0] - radius[-1]) / radius.max())


def _sign_of_levels(levels: Sequence[SliceLevel]) -> int:
    """+1 where the levels run base to apex, -1 for apex to base, 0 where they do not tell."""
    ranks = np.array([_ORDER.index(level) for level in levels if level in _ORDER])
    steps = np.diff(ranks)
    if (steps > 0).any() and (steps < 0).any():
        raise InputError(
            f"The slice levels do not run from base to apex along the heart: {', '.join(level.value for level in levels)}.",
            "Give one level a slice, in the order of the slices in the study.",
        )
    return int(np.sign(steps.sum()))


@dataclass(frozen=True)
class Turn:
    """The way round the ventricle: ``zero`` and ``quarter`` (k, 3) unit vectors in each slice's plane, LPS.

    Angles are degrees counter-clockwise as seen from the apex; zero points where the anterior RV insertion of an
    ordinary heart lies.
    """

    zero: np.ndarray
    quarter: np.ndarray
    centres: np.ndarray
    normals: np.ndarray

    @classmethod
    def around(cls, ventricle: LeftVentricle, axis: np.ndarray) -> Turn:
        """The turn about ``axis`` (base to apex). Source: LPS alone; the septum faces the patient's right and front, half
        each, and its anterior end lies a sixth of a turn before its middle."""
        normals = ventricle.geometry.normals * np.where(ventricle.geometry.normals @ axis < 0, -1.0, 1.0)[:, None]
        guess = _rotated(SEPTUM_FACES - (SEPTUM_FACES @ axis) * axis, axis, -SEPTUM_HALF)
        zero = guess - (normals @ guess)[:, None] * normals
        zero /= np.linalg.norm(zero, axis=1, keepdims=True)
        return cls(zero, np.cross(normals, zero), ventricle.centres, normals)

    def angles(self, k: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Angles (n,) of LPS points (n, 3) that lie in the slices ``k`` (n,)."""
        arm = points - self.centres[k]
        along = [np.einsum("na,na->n", arm, unit[k]) for unit in (self.quarter, self.zero)]
        return np.degrees(np.arctan2(*along))

    def direction(self, k: int, angle: float) -> np.ndarray:
        """Unit vector (3,) LPS at ``angle`` in slice ``k``."""
        return np.cos(np.radians(angle)) * self.zero[k] + np.sin(np.radians(angle)) * self.quarter[k]


def _rotated(vector: np.ndarray, axis: np.ndarray, angle: float) -> np.ndarray:
    """``vector`` (3,) across the unit ``axis``, turned about it by ``angle`` degrees (right-handed)."""
    return np.cos(np.radians(angle)) * vector + np.sin(np.radians(angle)) * np.cross(axis, vector)
