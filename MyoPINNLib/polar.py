"""The AHA model on paper: names, coronary territories and the wedges of the bull's-eye on the unit disc.

As seen from the apex, anterior up and septum left. Angles are degrees counter-clockwise from the right of the disc, so
that anterior is 90, septal 180, inferior 270 and lateral 0. Source: Cerqueira et al., Circulation 2002.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import InputError
from .settings import SliceLevel

CIRCLE = 360.0
INSERTION_ANGLE = 120.0
SEPTAL_ANGLE = 180.0
_STEP = 2.0

_WALLS = ("anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral", "anterolateral")
NAMES: dict[int, str] = {
    **{1 + n: f"basal {wall}" for n, wall in enumerate(_WALLS)},
    **{7 + n: f"mid {wall}" for n, wall in enumerate(_WALLS)},
    **{13 + n: f"apical {wall}" for n, wall in enumerate(("anterior", "septal", "inferior", "lateral"))},
    17: "apex",
}
TERRITORY: dict[int, str] = {
    **dict.fromkeys((1, 2, 7, 8, 13, 14, 17), "LAD"),
    **dict.fromkeys((3, 4, 9, 10, 15), "RCA"),
    **dict.fromkeys((5, 6, 11, 12, 16), "LCx"),
}
# Okabe and Ito's palette, made to be told apart by colour-blind readers; darkened a little for thin lines.
TERRITORY_COLOURS = {"LAD": "#c2570c", "RCA": "#0067a5", "LCx": "#00755a"}


@dataclass(frozen=True)
class Ring:
    """The segments of one level: ``first`` to ``first + count - 1`` counter-clockwise, ``first`` centred on anterior."""

    level: SliceLevel
    first: int
    count: int

    @property
    def wedge(self) -> float:
        """Angle of one segment, degrees."""
        return CIRCLE / self.count

    def segment_at(self, angle):
        """Segment numbers at ``angle`` (degrees on the bull's-eye; scalar or array)."""
        if self.count == 1:
            return np.full(np.shape(angle), self.first)
        start = 90.0 - self.wedge / 2
        turns = np.mod(np.asarray(angle) - start, CIRCLE) / self.wedge
        return self.first + np.minimum(turns.astype(int), self.count - 1)

    def angles_of(self, segment: int) -> tuple[float, float]:
        """Where ``segment`` begins and ends, degrees."""
        middle = 90.0 + (segment - self.first) * self.wedge
        return middle - self.wedge / 2, middle + self.wedge / 2


RINGS: dict[SliceLevel, Ring] = {
    SliceLevel.BASAL: Ring(SliceLevel.BASAL, 1, 6),
    SliceLevel.MID: Ring(SliceLevel.MID, 7, 6),
    SliceLevel.APICAL: Ring(SliceLevel.APICAL, 13, 4),
    SliceLevel.APEX: Ring(SliceLevel.APEX, 17, 1),
}
_RADII = {
    16: {SliceLevel.BASAL: (0.7, 1.0), SliceLevel.MID: (0.4, 0.7), SliceLevel.APICAL: (0.0, 0.4)},
    17: {
        SliceLevel.BASAL: (0.75, 1.0),
        SliceLevel.MID: (0.5, 0.75),
        SliceLevel.APICAL: (0.24, 0.5),
        SliceLevel.APEX: (0.0, 0.24),
    },
}


def stem_of(segment: int) -> str:
    """What the columns of a segment begin with in a table of curves: "1_basal_anterior"."""
    return f"{segment}_{NAMES[segment].replace(' ', '_')}"


def segments_of(model: int) -> tuple[int, ...]:
    """The segment numbers of the 16- or 17-segment model."""
    _radii(model)
    return tuple(range(1, model + 1))


def ring_of(segment: int) -> Ring:
    """The ring that ``segment`` lies in."""
    for ring in RINGS.values():
        if ring.first <= segment < ring.first + ring.count:
            return ring
    raise InputError(f"Segment {segment} does not exist; the AHA model has segments 1 to {max(NAMES)}.")


def polygons(model: int) -> dict[int, np.ndarray]:
    """Each segment's outline (m, 2) on the unit disc, anterior up and septum left (the last vertex joins the first)."""
    outlines = {}
    for segment in segments_of(model):
        ring = ring_of(segment)
        inner, outer = _radii(model)[ring.level]
        outside = _arc(outer, *ring.angles_of(segment))
        inside = _arc(inner, *ring.angles_of(segment))[::-1] if inner else np.zeros((1, 2))
        outlines[segment] = outside if ring.count == 1 else np.concatenate([outside, inside])
    return outlines


def label_positions(model: int) -> dict[int, tuple[float, float]]:
    """Where a segment's value stands (x, y) on the unit disc: the middle of its wedge."""
    places = {}
    for segment in segments_of(model):
        ring = ring_of(segment)
        inner, outer = _radii(model)[ring.level]
        radius = 0.0 if ring.count == 1 else (inner + outer) / 2 if inner else 0.6 * outer
        x, y = _arc(radius, *[sum(ring.angles_of(segment)) / 2] * 2)[0]
        places[segment] = (float(x), float(y))
    return places


def number_positions(model: int) -> dict[int, tuple[float, float]]:
    """Where a segment's small number stands (x, y): near the outer rim, just inside the wedge's clockwise border."""
    places = {}
    for segment in segments_of(model):
        ring = ring_of(segment)
        outer = _radii(model)[ring.level][1]
        if ring.count == 1:
            places[segment] = (0.0, 0.66 * outer)
            continue
        radius = outer - 0.055
        x, y = _arc(radius, *[ring.angles_of(segment)[0] + np.degrees(0.065 / radius)] * 2)[0]
        places[segment] = (float(x), float(y))
    return places


def territory_borders(model: int) -> list[np.ndarray]:
    """Lines (m, 2) on the unit disc between the coronary territories."""
    radii, lines = _radii(model), []
    for level, (inner, outer) in radii.items():
        ring = RINGS[level]
        for segment in range(ring.first, ring.first + ring.count if ring.count > 1 else ring.first):
            end = ring.angles_of(segment)[1]
            if TERRITORY[segment] != TERRITORY[int(ring.segment_at(end + _STEP))]:
                lines.append(np.concatenate([_arc(inner, end, end), _arc(outer, end, end)]))
    levels = list(radii)
    for outer_level, inner_level in zip(levels, levels[1:], strict=False):
        lines += _arcs_between(RINGS[outer_level], RINGS[inner_level], radii[outer_level][0])
    return lines


def _arcs_between(outside: Ring, inside: Ring, radius: float) -> list[np.ndarray]:
    """The parts of the circle between two rings where the territory changes."""
    starts = np.arange(0.0, CIRCLE, _STEP)
    pairs = zip(outside.segment_at(starts + _STEP / 2), inside.segment_at(starts + _STEP / 2), strict=True)
    differs = np.array([TERRITORY[int(a)] != TERRITORY[int(b)] for a, b in pairs])
    return [_arc(radius, start, start + _STEP) for start in starts[differs]]


def _radii(model: int) -> dict[SliceLevel, tuple[float, float]]:
    if model not in _RADII:
        raise InputError(f"There is no AHA model of {model} segments; it is 16 or 17.")
    return _RADII[model]


def _arc(radius: float, start: float, end: float) -> np.ndarray:
    """Points (m, 2) of an arc, one every two degrees or closer."""
    angles = np.radians(np.linspace(start, end, max(int(np.ceil(abs(end - start) / _STEP)), 0) + 1))
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
