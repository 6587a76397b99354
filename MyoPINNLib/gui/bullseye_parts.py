"""The parts of the bull's-eye, each drawn with shapes and words into a layout of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..figures.canvas import FAINT, INK, NOT_MEASURED, RESEARCH_USE, ink_on
from ..looks import CUT_OFF, RESERVE_CUT_OFF
from ..polar import RINGS, TERRITORY, TERRITORY_COLOURS, label_positions, number_positions, polygons, territory_borders
from ..scene.colours import colour_table, rgb
from ..settings import SliceLevel
from .bullseye_content import RESERVE, BullseyeContent
from .bullseye_shapes import Shapes, arc, hatch, wedges
from .bullseye_words import Anchor, Words

PAPER = (1.0, 1.0, 1.0)
_INK, _FAINT, _EMPTY = rgb(INK), rgb(FAINT), rgb(NOT_MEASURED)
_INKS = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0)}
_RIM, _WORDS_AT, _VESSELS_AT = (1.025, 1.055), 1.15, 1.21
_WALLS = (("Anterior", 90.0, 0.0), ("Septal", 180.0, 90.0), ("Inferior", 270.0, 0.0), ("Lateral", 0.0, -90.0))
_VESSELS = {"LAD": 148.0, "RCA": 238.0, "LCx": 328.0}
_UNIT = 0.01  # of the shorter side
_HATCH_OPACITY = 0.6
_BAR_STEPS, _TICKS = 128, 5


@dataclass(frozen=True)
class Layout:
    """Where things lie in a window of ``width`` x ``height`` pixels; lengths named in units, hundredths of its shorter side."""

    width: int
    height: int
    top: float = 10.5
    bottom: float = 16.0
    right: float = 19.0
    around: float = 1.22  # half the side of the disc with the words about it, radii

    @property
    def unit(self) -> float:
        """A hundredth of the shorter side, pixels."""
        return _UNIT * max(min(self.width, self.height), 1)

    @property
    def radius(self) -> float:
        """Of the disc, pixels."""
        room = min(self.width - self.right * self.unit, self.height - (self.top + self.bottom) * self.unit)
        return room / (2 * self.around)

    @property
    def centre(self) -> np.ndarray:
        """(2,) of the disc, pixels."""
        left = 0.5 * (self.width - 2 * self.around * self.radius - self.right * self.unit)
        up = self.bottom * self.unit + 0.5 * (self.height - (self.top + self.bottom) * self.unit)
        return np.array([left + self.around * self.radius, up])

    @property
    def ceiling(self) -> float:
        """Where the titles begin, pixels from below."""
        return float(self.centre[1]) + self.around * self.radius + self.top * self.unit

    @property
    def ground(self) -> float:
        """Where the lines below the disc end, pixels from below."""
        return float(self.centre[1]) - self.around * self.radius - self.bottom * self.unit

    def on_disc(self, places) -> np.ndarray:
        """Places (..., 2) of the unit disc in pixels."""
        return self.centre + self.radius * np.asarray(places)

    def from_pixels(self, x: float, y: float) -> np.ndarray:
        """(2,) on the unit disc."""
        return (np.array([x, y], dtype=float) - self.centre) / self.radius


@dataclass(frozen=True)
class Sheet:
    """What a picture is drawn on."""

    shapes: Shapes
    words: Words
    layout: Layout


def draw_wedges(sheet: Sheet, content: BullseyeContent) -> None:
    """Each segment in its colour, grey without a value, hatched below the cut-off; white lines between them."""
    shapes, layout = sheet.shapes, sheet.layout
    faces = {n: colour_of(content, value) for n, value in content.known.items()}
    for segment, triangles in wedges(content.model).items():
        shapes.triangles(layout.on_disc(triangles), faces.get(segment, _EMPTY))
    for segment in sorted(content.below):
        for line in hatch(content.model)[segment]:
            shapes.ribbon(layout.on_disc(line), 0.4 * layout.unit, _ink(faces[segment]), opacity=_HATCH_OPACITY)
    _values(sheet, content, faces)
    for outline in polygons(content.model).values():
        shapes.ribbon(layout.on_disc(outline), max(0.25 * layout.unit, 1.0), PAPER, closed=True)


def draw_surroundings(sheet: Sheet, model: int) -> None:
    """Territory borders, the rim with its vessels, and the words for the walls."""
    shapes, words, layout = sheet.shapes, sheet.words, sheet.layout
    for line in territory_borders(model):
        shapes.ribbon(layout.on_disc(line), max(0.7 * layout.unit, 2.0), (0.0, 0.0, 0.0))
    basal = RINGS[SliceLevel.BASAL]
    for segment in range(basal.first, basal.first + basal.count):
        inside, outside = (layout.on_disc(arc(radius, *basal.angles_of(segment))) for radius in _RIM)
        shapes.band(inside, outside, rgb(TERRITORY_COLOURS[TERRITORY[segment]]))
    for vessel, angle in _VESSELS.items():
        place, colour = layout.on_disc(arc(_VESSELS_AT, angle, angle)[0]), rgb(TERRITORY_COLOURS[vessel])
        words.add(vessel, place, 3.2 * layout.unit, colour, bold=True)
    for word, angle, turn in _WALLS:
        words.add(word, layout.on_disc(arc(_WORDS_AT, angle, angle)[0]), 3.0 * layout.unit, _FAINT, turn=turn)


def draw_choice(sheet: Sheet, model: int, segment: int) -> None:
    """The chosen segment's outline: white on black, seen on every colour."""
    outline = sheet.layout.on_disc(polygons(model)[segment])
    for width, colour in ((2.0, _INK), (0.9, PAPER)):
        sheet.shapes.ribbon(outline, max(width * sheet.layout.unit, 2.0), colour, closed=True)


def draw_bar(sheet: Sheet, content: BullseyeContent) -> None:
    """The colours with their values and unit; a pointed end where values go beyond it; a mark at the cut-off."""
    shapes, words, layout = sheet.shapes, sheet.words, sheet.layout
    u, (low, high) = layout.unit, content.range
    left = layout.centre[0] + (layout.around * layout.radius) + 3.0 * u  # room for the cut-off's arrow
    bottom, top = layout.centre[1] + np.array([-0.85, 0.85]) * layout.radius
    edges = np.linspace(bottom, top, _BAR_STEPS + 1)
    colours = colour_table(content.colours)[np.linspace(0, 255, _BAR_STEPS).round().astype(int)]
    for colour, y0, y1 in zip(colours, edges, edges[1:], strict=False):
        shapes.rectangle((left, y0), (left + 2.6 * u, y1), colour)
    seen = list(content.known.values())
    for beyond, y, tip, colour in (
        (any(v > high for v in seen), top, 2.6 * u, colours[-1]),
        (any(v < low for v in seen), bottom, -2.6 * u, colours[0]),
    ):
        if beyond:
            shapes.fan(np.array([[left, y], [left + 2.6 * u, y], [left + 1.3 * u, y + tip]]), colour)
    for share in np.linspace(0, 1, _TICKS):
        y = bottom + share * (top - bottom)
        shapes.rectangle((left + 2.6 * u, y - 0.1 * u), (left + 3.3 * u, y + 0.1 * u), _INK)
        text = f"{low + share * (high - low):.3g}"
        words.add(text, (left + 3.9 * u, y), 2.7 * u, _INK, anchor=Anchor.LEFT)
    words.add(content.label, (left + 12.6 * u, layout.centre[1]), 2.9 * u, _INK, turn=90.0, room=2.2 * layout.radius)
    if content.cut_off is not None and low <= content.cut_off <= high:
        y = bottom + (content.cut_off - low) / (high - low) * (top - bottom)
        shapes.rectangle((left - 0.5 * u, y - 0.3 * u), (left + 3.1 * u, y + 0.3 * u), _INK)
        shapes.fan(np.array([[left, y], [left - 1.8 * u, y + 1.2 * u], [left - 1.8 * u, y - 1.2 * u]]), _INK)


def draw_titles(sheet: Sheet, content: BullseyeContent) -> None:
    """The title, what is shown of which quantity, and the line that every picture carries."""
    words, layout = sheet.words, sheet.layout
    u, middle, room = layout.unit, 0.5 * layout.width, 0.94 * layout.width
    words.add(content.title, (middle, layout.ceiling - 3.2 * u), 4.0 * u, _INK, bold=True, room=room)
    words.add(content.subtitle, (middle, layout.ceiling - 7.6 * u), 3.2 * u, _FAINT, room=room)
    words.add(RESEARCH_USE, (middle, layout.ground + 2.0 * u), 2.4 * u, _FAINT, room=room)


def draw_legend(sheet: Sheet, content: BullseyeContent) -> None:
    """What hatching, brackets and the dash mean, where the picture has them."""
    shapes, words, layout, u = sheet.shapes, sheet.words, sheet.layout, sheet.layout.unit
    notes = ["( ): not reliable"] if content.doubtful & set(content.known) else []
    notes += ["–: no value"] if len(content.known) < content.model else []
    middle, y, side, room = 0.5 * layout.width, layout.ground + 10.0 * u, 3.4 * u, 0.84 * layout.width
    if notes:
        words.add("   ".join(notes), (middle, y), 2.9 * u, _INK, room=room)
    if content.cut_off is None:
        return
    y += 4.0 * u if notes else 0.0
    usual = content.cut_off == (RESERVE_CUT_OFF if content.quantity == RESERVE else CUT_OFF)
    told = f"hatched: below {content.cut_off:g}{', a cut-off of another method' if usual else ''}"
    width = words.add(told, (middle, y), 2.9 * u, _INK, room=room)
    left, bottom = 0.5 * (layout.width - width) - side - 1.2 * u, y - side / 2
    shapes.rectangle((left, bottom), (left + side, bottom + side), _EMPTY)
    for a, b in (((0.0, 0.5), (0.5, 1.0)), ((0.0, 0.0), (1.0, 1.0)), ((0.5, 0.0), (1.0, 0.5))):
        shapes.ribbon(np.array([left, bottom]) + side * np.array([a, b]), 0.4 * u, _INK)


def draw_said(sheet: Sheet, line: str) -> None:
    """The line about the segment under the mouse."""
    layout = sheet.layout
    place, size = (0.5 * layout.width, layout.ground + 6.0 * layout.unit), 3.2 * layout.unit
    sheet.words.add(line, place, size, _INK, room=0.96 * layout.width)


def colour_of(content: BullseyeContent, value: float) -> np.ndarray:
    """(3,) red, green, blue of a value."""
    low, high = content.range
    table = colour_table(content.colours)
    return table[int(np.clip(round((value - low) / (high - low) * (len(table) - 1)), 0, len(table) - 1))]


def _values(sheet: Sheet, content: BullseyeContent, faces: dict) -> None:
    """The value and the small number of each segment; a plain ground below both in a hatched one."""
    layout, known = sheet.layout, content.known
    size = (3.5 if RINGS[SliceLevel.APEX].first <= content.model else 4.2) * layout.unit
    values_at, numbers_at = label_positions(content.model), number_positions(content.model)
    for segment, place in values_at.items():
        text = content.words(known[segment]) if segment in known else "–"
        doubtful = segment in content.doubtful and segment in known
        ground = faces[segment] if segment in content.below else None
        ink = _ink(faces[segment]) if segment in faces else _INK
        number_at = layout.on_disc(numbers_at[segment])
        _on_ground(sheet, str(segment), number_at, 2.4 * layout.unit, ink, ground=ground)
        text, high = (f"({text})", 0.8 * size) if doubtful else (text, size)
        _on_ground(sheet, text, layout.on_disc(place), high, ink, ground=ground, bold=True)


def _on_ground(sheet: Sheet, text: str, at, size: float, ink, *, ground, bold: bool = False) -> None:
    """Words with a plain rectangle of colour ``ground`` below them, where there is one."""
    width = sheet.words.add(text, at, size, ink, bold=bold)
    if ground is not None:
        half = np.array([0.5 * width, 0.55 * size])
        sheet.shapes.rectangle(at - half, at + half, ground)


def _ink(face) -> tuple[float, float, float]:
    return _INKS[ink_on(face)]
