"""Segments that were scored and the others: a box and every value of each, with the test below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..groups import Comparison, ScoredSegments
from ..quantities import QUANTITIES
from .canvas import FAINT, INK, add_words, name_of, new_figure, save, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 5.6, 5.4
_COLOURS = ("#c2570c", "#0067a5")
_BOX, _SCATTER, _WHISKER = 0.5, 0.16, 1.5


def groups(path: Path, segments: ScoredSegments, found: Comparison, *, value: str, by: str, footer: str) -> None:
    """Write the box plot as PNG; ``value`` and ``by`` are the columns' names. Raises InputError where it cannot be written."""
    with styled():
        save(draw(segments, found, value=value, by=by, footer=footer), path)


def draw(segments: ScoredSegments, found: Comparison, *, value: str, by: str, footer: str) -> Figure:
    """The figure that ``groups`` writes."""
    figure = new_figure(_WIDTH, _HEIGHT)
    axes = figure.add_axes((0.15, 0.27, 0.8, 0.61))
    kinds = segments.values[segments.scored], segments.values[~segments.scored]
    told = plain_words(by)
    names = [f"{name}\n{len(values)} segments" for name, values in zip((told, f"not {told}"), kinds, strict=True)]
    boxes = axes.boxplot(kinds, widths=_BOX, whis=_WHISKER, showfliers=False, patch_artist=True)
    rng = np.random.default_rng(0)
    for place, (values, colour) in enumerate(zip(kinds, _COLOURS, strict=True), start=1):
        boxes["boxes"][place - 1].set(facecolor=colour, alpha=0.25, edgecolor=INK)
        boxes["medians"][place - 1].set(color=INK, linewidth=1.6)
        at = place + rng.uniform(-_SCATTER, _SCATTER, len(values))
        axes.plot(at, values, ".", color=colour, markersize=4, alpha=0.8)
    axes.set_xticks([1, 2], names)
    axes.set_ylabel(words_of_column(value), color=INK)
    axes.set_ylim(bottom=min(0.0, 1.05 * float(segments.values.min())))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=FAINT, alpha=0.2)
    add_words(figure, title=f"Segments: {told} and others", footer=footer, notes=found.words)
    return figure


def words_of_column(column: str) -> str:
    """A column of a table of segments in words with its unit: "MBF_mL_min_g_median" is the myocardial blood flow's."""
    for quantity in QUANTITIES.values():
        if column == quantity.column or column.startswith(f"{quantity.column}_"):
            rest = plain_words(column[len(quantity.column) + 1 :])
            unit = "" if quantity.unit == "1" else f" ({quantity.unit})"
            return f"{name_of(quantity)}{unit}{f', {rest}' if rest else ''}"
    return plain_words(column) if "$" in column else column


def plain_words(name: str) -> str:
    """A column's name with spaces."""
    return name.replace("_", " ").replace("$", r"\$").strip()
