"""The chest around the heart, cut along the heart's short axis, as fractions of tissue in every pixel.

The slices stand across the long axis of the left ventricle, which points left, anterior and inferior. Rows run from the
septum to the lateral wall and columns from the anterior to the inferior wall, so that a picture has anterior up and the
right ventricle on the left. The body is drawn in patient coordinates (LPS mm), the heart in its own (heart.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..geometry import Geometry
from .heart import ANTERIOR_INSERTION, SLICES, Tissue

LONG_AXIS = np.array([0.66, -0.55, -0.51])
HEART_CENTRE = np.array([42.0, -18.0, 0.0])
PICTURE_CENTRE = np.array([-14.0, 6.0])
SLICE_STEP = 20.0
HEART_REACH = 95.0
_MIDDLE_SLICE = 1


@dataclass(frozen=True)
class Grid:
    """Matrix of the images: ``size`` pixels a side, ``pixel`` mm, ``thickness`` mm; ``fine`` points a pixel side."""

    size: int = 128
    pixel: float = 2.0
    thickness: float = 8.0
    fine: int = 6


@dataclass(frozen=True)
class Anatomy:
    """The phantom's tissues on their grid.

    ``fraction`` (tissue, k, j, i) share of each pixel by Tissue code; ``x``, ``y`` (j, i) mm in the heart's coordinates at
    pixel centres; ``lps`` (k, j, i, 3) mm; ``insertion_lps`` anterior RV insertion, one point a slice.
    """

    geometry: Geometry
    fraction: np.ndarray
    x: np.ndarray
    y: np.ndarray
    lps: np.ndarray
    insertion_lps: tuple[tuple[float, float, float], ...]


def heart_axes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors in LPS: towards the lateral wall (rows), the inferior wall (columns) and the apex."""
    apex = LONG_AXIS / np.linalg.norm(LONG_AXIS)
    down = np.array([0.0, 0.0, -1.0])
    inferior = down - (down @ apex) * apex
    inferior /= np.linalg.norm(inferior)
    return np.cross(apex, inferior), inferior, apex


def build_anatomy(grid: Grid) -> Anatomy:
    """The three slices, apex first: along their normal, the order in which a reader of the files finds them."""
    geometry = _geometry(grid)
    share = np.stack([_fractions(grid, k) for k in range(len(SLICES))], axis=1)
    x, y = _heart_coordinates(grid, np.arange(grid.size, dtype=float))
    lps = np.stack([_to_lps(x, y, k) for k in range(len(SLICES))])
    return Anatomy(geometry, share, x, y, lps, tuple(_insertion(k) for k in range(len(SLICES))))


def _geometry(grid: Grid) -> Geometry:
    """Rows, columns and normal of every slice, right-handed: the normal points from the apex to the base."""
    lateral, inferior, apex = heart_axes()
    x, y = _heart_coordinates(grid, np.array([0.0]))
    affines = np.zeros((len(SLICES), 4, 4))
    for k in range(len(SLICES)):
        affines[k, :3, 0], affines[k, :3, 1] = lateral * grid.pixel, inferior * grid.pixel
        affines[k, :3, 2], affines[k, :3, 3] = -apex * grid.thickness, _to_lps(x, y, k)[0, 0]
        affines[k, 3, 3] = 1.0
    return Geometry(affines, (len(SLICES), grid.size, grid.size))


def _heart_coordinates(grid: Grid, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x, y mm (rows, columns) of pixel indices along one side (may be fractional)."""
    along = (index - (grid.size - 1) / 2) * grid.pixel
    x, below = np.meshgrid(along + PICTURE_CENTRE[0], along + PICTURE_CENTRE[1])
    return x, -below


def _to_lps(x: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """(..., 3) LPS mm of points of slice ``k``."""
    lateral, inferior, apex = heart_axes()
    centre = HEART_CENTRE - apex * SLICE_STEP * (k - _MIDDLE_SLICE)
    return centre + np.asarray(x)[..., None] * lateral - np.asarray(y)[..., None] * inferior


def _insertion(k: int) -> tuple[float, float, float]:
    r = float(SLICES[k].epicardium(np.array(ANTERIOR_INSERTION)))
    point = _to_lps(np.array(r * np.cos(ANTERIOR_INSERTION)), np.array(r * np.sin(ANTERIOR_INSERTION)), k)
    return (float(point[0]), float(point[1]), float(point[2]))


def _fractions(grid: Grid, k: int) -> np.ndarray:
    """(tissue, j, i): the share of ``fine`` x ``fine`` points of a pixel in each tissue; the body on half as many."""
    coarse = max(grid.fine // 2, 1)
    x, y = _heart_coordinates(grid, _points(grid.size, coarse))
    tissue = body(_to_lps(x, y, k)).repeat(grid.fine // coarse, axis=0).repeat(grid.fine // coarse, axis=1)
    x, y = _heart_coordinates(grid, _points(grid.size, grid.fine))
    near = np.hypot(x, y) < HEART_REACH
    heart = tissue[near]
    SLICES[k].paint(heart, x[near], y[near])
    tissue[near] = heart
    blocks = tissue.reshape(grid.size, grid.fine, grid.size, grid.fine)
    return np.stack([(blocks == code).mean(axis=(1, 3)) for code in Tissue])


def _points(size: int, fine: int) -> np.ndarray:
    """Pixel indices of ``fine`` points in each of ``size`` pixels."""
    return (np.arange(size * fine) + 0.5) / fine - 0.5


def body(lps: np.ndarray) -> np.ndarray:
    """Tissue codes (...) of the chest and upper abdomen at points (..., 3) LPS mm, without the heart."""
    left, back, up = np.moveaxis(lps, -1, 0)
    inward = (1 - np.hypot(left / 178, (back - 6) / 122)) * 140
    tissue = np.full(left.shape, Tissue.AIR, dtype=np.uint8)
    tissue[inward > 0] = Tissue.FAT
    tissue[inward > 13] = Tissue.MUSCLE
    rib = (np.abs(np.mod(up + 0.35 * back + 0.2 * left, 30) - 15) < 5.5) & (np.abs(inward - 25) < 4.5)
    tissue[rib] = Tissue.BONE
    above = up > diaphragm(left, back)
    tissue[(inward > 33) & above] = Tissue.LUNG
    _paint_mediastinum(tissue, left, back, up, inward > 33)
    _paint_abdomen(tissue, left, back, up, (inward > 33) & ~above)
    tissue[np.hypot(left - 24, back - 60) < 11] = Tissue.AORTA
    return tissue


def diaphragm(left: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Height of the diaphragm, LPS mm (up): two domes, the right one higher; the heart rests between them."""
    right_dome = 24 * np.exp(-(((left + 68) / 61) ** 2) - ((back - 5) / 75) ** 2)
    left_dome = 12 * np.exp(-(((left - 92) / 48) ** 2) - ((back - 15) / 75) ** 2)
    return -41 + right_dome + left_dome - 22 * np.hypot(left / 178, back / 122) ** 4


def _paint_mediastinum(tissue, left, back, up, inside) -> None:
    """Fat between the right ventricle and the sternum, the great vessels' surroundings, and the spine."""
    fat = ((left - 2) / 46) ** 2 + ((back + 52) / 52) ** 2 + ((up - 2) / 62) ** 2 < 1
    tissue[inside & fat & (up > diaphragm(left, back))] = Tissue.FAT
    tissue[np.hypot(left, (back - 84) * 1.1) < 24] = Tissue.BONE


def _paint_abdomen(tissue, left, back, up, inside) -> None:
    """Liver with its left lobe under the heart, stomach, spleen, fat between them."""
    tissue[inside] = Tissue.FAT
    below = up < diaphragm(left, back) - 4
    edge = 44 - 0.5 * (back + 30) + 0.45 * (up + 60)
    stomach = ((left - 78) / 44) ** 2 + ((back + 8) / 56) ** 2 + ((up + 88) / 48) ** 2 < 1
    spleen = ((left - 116) / 30) ** 2 + ((back - 48) / 44) ** 2 + ((up + 74) / 52) ** 2 < 1
    tissue[inside & below & stomach] = Tissue.STOMACH
    tissue[inside & below & spleen] = Tissue.SPLEEN
    tissue[inside & below & (left < edge + 6 * np.sin(up / 14))] = Tissue.LIVER
