"""The slice views of a study: each on the plane of one slice, anterior up and septum left, zoomed to the heart.

The images are turned in steps of 90 degrees and mirrored where they need it, so that no pixel is interpolated away.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import qt
import slicer

from ..geometry import Geometry
from ..scene import SceneAnalysis
from ..scene.nodes import RAS_LPS, lps_from_ras
from .bullseye_view import png_of
from .layout import VIEWS

_BEYOND = 1.65  # of the wall's own radius
_ANTERIOR, _SEPTAL = {1, 7, 13}, {2, 3, 8, 9, 14}


def heart_slices(label: np.ndarray) -> list[int]:
    """The slices of ``label`` (k, j, i) that hold a segment, from the base, which has the first segments, to the apex."""
    there = np.flatnonzero((label > 0).any(axis=(1, 2)))
    middle = {k: np.median(label[k][label[k] > 0]) for k in there.tolist()}
    from_apex = len(there) > 0 and middle[there[0]] > middle[there[-1]]
    return sorted(reversed(middle) if from_apex else middle, key=lambda k: middle[k])


def shown_slices(label: np.ndarray) -> list[int]:
    """Of the slices of the heart at most as many as there are views, evenly chosen."""
    there = heart_slices(label)
    return [there[n] for n in evenly(len(there), len(VIEWS))]


def pages(label: np.ndarray) -> list[list[int]]:
    """All slices of the heart, as many at a time as there are views; before them the evenly chosen ones, where one page
    cannot hold all.
    """
    there, most = heart_slices(label), len(VIEWS)
    if len(there) <= most:
        return [there]
    starts = [*range(0, len(there) - most, most), len(there) - most]
    return [shown_slices(label), *(there[start : start + most] for start in starts)]


def evenly(count: int, most: int) -> np.ndarray:
    """At most ``most`` numbers from 0 to ``count`` - 1, evenly chosen, with both ends."""
    return np.arange(count) if count <= most else np.round(np.linspace(0, count - 1, most)).astype(int)


def axes_of(label: np.ndarray, geometry: Geometry, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Right and up (3,) RAS of slice k on the screen, from where the segments of ``label`` (k, j, i) lie.

    Without segments the slice is shown as it was acquired.
    """
    right, down = (RAS_LPS[:3, :3] @ geometry.ijk_to_lps[k][:3, :2] / geometry.spacing[k, :2]).T
    anterior, septal = (_towards(label[k], numbers) for numbers in (_ANTERIOR, _SEPTAL))
    if anterior is None or septal is None:
        return right, -down
    best = max(_turns(), key=lambda turn: turn[1] @ anterior - turn[0] @ septal)
    screen = np.stack([right, down], axis=1)
    return screen @ best[0], screen @ best[1]


def _towards(label: np.ndarray, numbers: set[int]) -> np.ndarray | None:
    """(2,) i, j of the unit vector from the ring's middle to the middle of the segments ``numbers``."""
    ring, part = np.argwhere(label > 0), np.argwhere(np.isin(label, list(numbers)))
    if not len(part):
        return None
    way = (part.mean(axis=0) - ring.mean(axis=0))[::-1]
    return way / max(float(np.linalg.norm(way)), 1e-9)


def _turns():
    """(right, up) on the pixel's axes i, j: the four quarter turns and their mirror images."""
    for one, other in product((1.0, -1.0), repeat=2):
        yield np.array([one, 0.0]), np.array([0.0, other])
        yield np.array([0.0, one]), np.array([other, 0.0])


def place_view(name: str, analysis: SceneAnalysis, k: int) -> None:
    """Bring a slice view onto slice k of an analysis."""
    label, geometry = analysis.label, analysis.geometry
    ring = np.argwhere(label[k] > 0)
    if not len(ring):
        place_on_image(name, geometry, k)
        return
    middle = ring.mean(axis=0)
    reach = np.linalg.norm((ring - middle) * geometry.spacing[k, 1::-1], axis=1).max()
    _place(name, geometry, k, axes_of(label, geometry, k), middle, 2 * _BEYOND * float(reach))


def place_on_image(name: str, geometry: Geometry, k: int) -> None:
    """Bring a slice view onto slice k of images, all of it, as it was acquired."""
    size = np.array(geometry.shape[1:])
    axes = axes_of(np.zeros(geometry.shape, dtype=int), geometry, k)
    _place(name, geometry, k, axes, (size - 1) / 2, float((size * geometry.spacing[k, 1::-1]).max()))


def _place(name: str, geometry: Geometry, k: int, axes, middle, millimetres: float) -> None:
    """A view about the pixel ``middle`` (j, i) of slice k, with ``axes`` (right, up), its smaller side of ``millimetres``."""
    right, up = axes
    at = lps_from_ras((geometry.ijk_to_lps[k] @ [middle[1], middle[0], 0.0, 1.0])[:3])
    node = slice_node(name)
    to_ras = node.GetSliceToRAS()
    for column, vector in enumerate((right, up, np.cross(up, right), at)):
        for row, value in enumerate(vector):
            to_ras.SetElement(row, column, float(value))
    node.UpdateMatrices()
    _zoom(node, millimetres)
    size = node.GetDimensions()[:2]
    qt.QTimer.singleShot(0, lambda: _zoom(node, millimetres) if node.GetDimensions()[:2] != size else None)


def _zoom(node, millimetres: float) -> None:
    """Let the smaller side of a view span ``millimetres``."""
    width, height = (max(size, 1) for size in node.GetDimensions()[:2])
    a_pixel = millimetres / min(width, height)
    node.SetFieldOfView(width * a_pixel, height * a_pixel, node.GetFieldOfView()[2])


def slice_node(name: str):
    """The node of a slice view."""
    return slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()


def place_of(name: str) -> np.ndarray:
    """(3,) RAS mm of the middle of a slice view."""
    to_ras = slice_node(name).GetSliceToRAS()
    return np.array([to_ras.GetElement(row, 3) for row in range(3)])


def show_in(name: str, *, background=None, overlay=None, opacity: float = 1.0, label=None) -> None:
    """What a slice view shows: an image, a map over it, and the segments over both. None: nothing of the kind."""
    composite = slicer.app.layoutManager().sliceWidget(name).sliceLogic().GetSliceCompositeNode()
    composite.SetBackgroundVolumeID(background and background.GetID())
    composite.SetForegroundVolumeID(overlay and overlay.GetID())
    composite.SetForegroundOpacity(opacity)
    composite.SetLabelVolumeID(label and label.GetID())


def write_picture(name: str, path: Path) -> None:
    """What a slice view shows, as PNG."""
    path.write_bytes(png_of(slicer.app.layoutManager().sliceWidget(name).sliceView().renderWindow()))
