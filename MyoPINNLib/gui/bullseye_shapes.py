"""Flat coloured shapes in pixels: everything of the bull's-eye that is not text, as triangles in the order of drawing.

Lines are ribbons of triangles, so that thick lines look alike on every graphics card.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

from ..polar import CIRCLE, RINGS, Ring, label_positions, polygons, segments_of

_BYTE = 255
_FINE, _APART, _INSET = 0.005, 0.06, 2
_CAP = np.linspace(0.0, 2 * np.pi, 9)[:-1]


def segments_at(places: np.ndarray, model: int) -> np.ndarray:
    """AHA segment (n,) at ``places`` (n, 2) on the unit disc, 0 outside it."""
    radius = np.hypot(*places.T)
    angle = np.mod(np.degrees(np.arctan2(places[:, 1], places[:, 0])), CIRCLE)
    found = np.zeros(len(places), dtype=int)
    for ring, inner, outer in _rings(model):
        here = (radius >= inner) & (radius < outer)
        found[here] = ring.segment_at(angle[here])
    return found


@cache
def hatch(model: int) -> dict[int, np.ndarray]:
    """Diagonal lines (n, 2, 2) over each segment on the unit disc."""
    along = np.arange(-1.0, 1.0, _FINE)
    lines: dict[int, list] = {segment: [] for segment in segments_of(model)}
    for across in np.arange(-1.0, 1.0, _APART):
        places = np.stack([along - across, along + across], axis=-1) / np.sqrt(2)
        found = segments_at(places, model)
        starts = np.flatnonzero(np.diff(found, prepend=0))
        for first, last in zip(starts, [*starts[1:], len(found)], strict=True):
            if found[first] and last - first > 2 * _INSET + 1:
                lines[int(found[first])].append(places[[first + _INSET, last - 1 - _INSET]])
    return {segment: np.array(each) for segment, each in lines.items()}


@cache
def wedges(model: int) -> dict[int, np.ndarray]:
    """Each segment as triangles (n, 3, 2) on the unit disc, round the middle of the wedge, from which all of it is seen."""
    found, middles = {}, label_positions(model)
    for segment, outline in polygons(model).items():
        middle = np.broadcast_to(middles[segment], outline.shape)
        found[segment] = np.stack([middle, outline, np.roll(outline, -1, axis=0)], axis=1)
    return found


def arc(radius: float, start: float, end: float) -> np.ndarray:
    """Points (m, 2) of an arc on the unit disc, degrees."""
    angles = np.radians(np.linspace(start, end, max(round(abs(end - start) / 2), 0) + 1))
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)


class Shapes:
    """Collects coloured triangles; ``actor`` draws them all."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._colours: list[np.ndarray] = []
        self._data = vtk.vtkPolyData()
        mapper = vtk.vtkPolyDataMapper2D()
        mapper.SetInputData(self._data)
        self.actor = vtk.vtkActor2D()
        self.actor.SetMapper(mapper)

    def clear(self) -> None:
        """Forget all shapes."""
        self._parts, self._colours = [], []

    def triangles(self, corners: np.ndarray, colour, *, opacity: float = 1.0) -> None:
        """Triangles (n, 3, 2) in pixels."""
        self._parts.append(np.asarray(corners, dtype=float))
        self._colours.append(np.tile([*colour, opacity], (3 * len(corners), 1)))

    def fan(self, outline: np.ndarray, colour, *, opacity: float = 1.0) -> None:
        """A convex polygon (m, 2) in pixels."""
        first = np.broadcast_to(outline[0], (len(outline) - 2, 2))
        self.triangles(np.stack([first, outline[1:-1], outline[2:]], axis=1), colour, opacity=opacity)

    def rectangle(self, low, high, colour) -> None:
        """Upright, from its lower left to its upper right corner."""
        (x0, y0), (x1, y1) = low, high
        self.fan(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), colour)

    def ribbon(self, line: np.ndarray, width: float, colour, *, closed: bool = False, opacity: float = 1.0) -> None:
        """A line (m, 2) in pixels, ``width`` pixels thick, with round corners and ends where it is opaque."""
        points = np.concatenate([line, line[:1]]) if closed else line
        start, end = points[:-1], points[1:]
        along = end - start
        length = np.hypot(*along.T)
        start, end, along, length = (each[length > 0] for each in (start, end, along, length))
        side = 0.5 * width * np.stack([-along[:, 1], along[:, 0]], axis=-1) / length[:, None]
        a, b, c, d = start + side, start - side, end - side, end + side
        self.triangles(np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]), colour, opacity=opacity)
        if opacity == 1.0 and width > 2:
            for point in points:
                self.disc(point, 0.5 * width, colour)

    def band(self, inside: np.ndarray, outside: np.ndarray, colour) -> None:
        """What lies between two lines (m, 2) in pixels that run side by side."""
        a, b, c, d = inside[:-1], inside[1:], outside[1:], outside[:-1]
        self.triangles(np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]), colour)

    def disc(self, centre, radius: float, colour) -> None:
        """A small round dot."""
        self.fan(np.asarray(centre) + radius * np.stack([np.cos(_CAP), np.sin(_CAP)], axis=-1), colour)

    def finish(self) -> None:
        """Hand what was collected to the actor."""
        corners = np.concatenate(self._parts).reshape(-1, 2)
        points = vtk.vtkPoints()
        points.SetData(numpy_to_vtk(np.column_stack([corners, np.zeros(len(corners))]), deep=True))
        faces = np.column_stack([np.full(len(corners) // 3, 3), np.arange(len(corners)).reshape(-1, 3)])
        cells = vtk.vtkCellArray()
        cells.ImportLegacyFormat(numpy_to_vtkIdTypeArray(faces.ravel().astype(np.int64), deep=True))
        colours = numpy_to_vtk(np.rint(_BYTE * np.concatenate(self._colours)).astype(np.uint8), deep=True)
        self._data.SetPoints(points)
        self._data.SetPolys(cells)
        self._data.GetPointData().SetScalars(colours)
        self._data.Modified()


@cache
def _rings(model: int) -> list[tuple[Ring, float, float]]:
    """The rings of a model with their inner and outer radius on the unit disc."""
    outlines = polygons(model)
    rings = [ring for ring in RINGS.values() if ring.first in outlines]
    radii = [np.hypot(*outlines[ring.first].T) for ring in rings]
    return [
        (ring, 0.0 if ring.count == 1 else float(r.min()), float(r.max())) for ring, r in zip(rings, radii, strict=True)
    ]
