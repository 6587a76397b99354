"""The bull's-eye: a quantity in the AHA segments, as seen from the apex, anterior up and septum left."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..aha import TERRITORY, label_positions, polygons
from ..polar import INSERTION_ANGLE, RINGS, TERRITORY_COLOURS, number_positions, territory_borders
from ..quantities import QUANTITIES
from ..settings import SliceLevel
from .canvas import (
    FAINT,
    INK,
    NOT_MEASURED,
    add_colour_bar,
    add_words,
    digits,
    ink_on,
    new_figure,
    save,
    scale,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 7.6, 7.3
_RIM = 1.05
_TERRITORY_LABEL = {"LAD": 148.0, "RCA": 238.0, "LCx": 328.0}


def bullseye(
    path: Path,
    values: Mapping[int, float | None],
    *,
    quantity: str,
    title: str,
    footer: str,
    limits: tuple[float, float] | None = None,
    estimated_insertion: bool = False,
    doubtful: Collection[int] = (),
) -> None:
    """Write the bull's-eye of ``values`` (segment -> shown value, None where not measured) as PNG.

    A 17 among the segments makes it the 17-segment model. ``limits`` (shown unit) of the colours, else the quantity's.
    ``doubtful`` segments, whose fit is not reliable, have their value in brackets.
    Raises InputError where ``path`` cannot be written.
    """
    with styled():
        figure = draw(
            values,
            quantity=quantity,
            title=title,
            footer=footer,
            limits=limits,
            estimated_insertion=estimated_insertion,
            doubtful=doubtful,
        )
        save(figure, path)


def draw(
    values: Mapping[int, float | None],
    *,
    quantity: str,
    title: str,
    footer: str,
    limits: tuple[float, float] | None,
    estimated_insertion: bool,
    doubtful: Collection[int],
) -> Figure:
    """The figure that ``bullseye`` writes."""
    model, shown = 17 if 17 in values else 16, QUANTITIES[quantity]
    known = {n: v for n, v in values.items() if v is not None and math.isfinite(v)}
    figure = new_figure(_WIDTH, _HEIGHT)
    axes = figure.add_axes((0.01, 0.085, 0.83, 0.83 * _WIDTH / _HEIGHT))
    axes.set(xlim=(-1.23, 1.23), ylim=(-1.23, 1.23), aspect="equal")
    axes.set_axis_off()
    colours = scale(quantity, limits)
    _wedges(axes, model, known, _words(known, doubtful, digits(limits or shown.limits)), colours)
    _surroundings(axes, model)
    add_colour_bar(figure, figure.add_axes((0.855, 0.23, 0.03, 0.56)), colours, shown, np.array(list(known.values())))
    mark = "estimated anterior RV insertion: segments may be turned" if estimated_insertion else "anterior RV insertion"
    notes = ["As seen from the apex", f"values in {shown.unit}", "small numbers: AHA segments"]
    notes += ["in brackets: not reliable"] if set(doubtful) & set(known) else []
    notes += ["hatched: not measured"] if len(known) < model else []
    add_words(figure, title=title, footer=footer, notes=("; ".join(notes), f"Triangle: {mark}"))
    return figure


def _words(known: Mapping[int, float], doubtful: Collection[int], places: int) -> dict[int, str]:
    """What stands in each wedge: the value, in brackets where it is not reliable."""
    words = {n: f"{value:.{places}f}" for n, value in known.items()}
    return {n: f"({text})" if n in doubtful else text for n, text in words.items()}


def _wedges(axes: Axes, model: int, known: dict[int, float], words: dict[int, str], colours) -> None:
    """Each segment in its colour with its value and number; hatched grey where not measured."""
    from matplotlib.patches import Polygon

    values_at, numbers_at = label_positions(model), number_positions(model)
    for segment, outline in polygons(model).items():
        measured = segment in known
        face = colours.to_rgba(known[segment]) if measured else NOT_MEASURED
        looks = {} if measured else {"hatch": "////"}
        axes.add_patch(
            Polygon(outline, facecolor=face, edgecolor="white" if measured else "#9a9a9a", linewidth=0.8, **looks)
        )
        ink = ink_on(face) if measured else INK
        if measured:
            x, y = values_at[segment]
            lower = 0.04 if RINGS[SliceLevel.APEX].first == segment else 0.0
            axes.text(
                x,
                y - lower,
                words[segment],
                ha="center",
                va="center",
                size=12.5,
                weight="bold",
                color=ink,
            )
        ground = None if measured else {"facecolor": NOT_MEASURED, "edgecolor": "none", "pad": 0.8}
        axes.text(*numbers_at[segment], str(segment), ha="center", va="center", size=7, color=ink, bbox=ground)


def _surroundings(axes: Axes, model: int) -> None:
    """Territory borders, the rim with its vessels, orientation words and the insertion mark."""
    from matplotlib.patches import Wedge

    for line in territory_borders(model):
        axes.plot(*line.T, color="black", linewidth=2.4, solid_capstyle="round", zorder=3)
    basal = RINGS[SliceLevel.BASAL]
    for segment in range(basal.first, basal.first + basal.count):
        colour = TERRITORY_COLOURS[TERRITORY[segment]]
        axes.add_patch(Wedge((0, 0), _RIM, *basal.angles_of(segment), width=0.025, facecolor=colour, edgecolor="none"))
    for vessel, angle in _TERRITORY_LABEL.items():
        x, y = _at(angle, 1.15)
        axes.text(x, y, vessel, ha="center", va="center", size=12, weight="bold", color=TERRITORY_COLOURS[vessel])
    for word, angle, turn in (("Anterior", 90, 0), ("Septal", 180, 90), ("Inferior", 270, 0), ("Lateral", 0, -90)):
        x, y = _at(angle, 1.15)
        axes.text(x, y, word, ha="center", va="center", rotation=turn, size=11, color=FAINT)
    tip = np.array([_at(INSERTION_ANGLE + turn, radius) for turn, radius in ((0, 1.06), (-1.7, 1.15), (1.7, 1.15))])
    axes.fill(*tip.T, color=INK, zorder=4)


def _at(angle: float, radius: float) -> tuple[float, float]:
    """A place (x, y) on the disc."""
    return radius * math.cos(math.radians(angle)), radius * math.sin(math.radians(angle))
