"""What all pictures share: a figure without global state, its colours and footer, and how it reaches the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import __version__
from ..quantities import QUANTITIES, Quantity
from ..results import told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

DPI = 160
RESEARCH_USE = "Research use only, not for diagnosis"
INK, FAINT, PAPER = "#1a1a1a", "#5f5f5f", "white"
NOT_MEASURED = "#d9d9d9"
_COLOURS = "viridis"  # perceptually ordered, safe for colour-blind readers and in grey print
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.linewidth": 0.8,
    "hatch.linewidth": 0.7,
    "text.color": INK,
}


def available() -> bool:
    """True where matplotlib is there, so that pictures can be drawn."""
    return find_spec("matplotlib") is not None


def footer(method: str) -> str:
    """The line below every picture: version, method (plain words), research use only."""
    return f"MyoPINN {__version__}  ·  {method}  ·  {RESEARCH_USE}"


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's defaults and our few changes, whatever the user's own style says; put back afterwards."""
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, inches, drawn by Agg, unknown to pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def add_words(figure: Figure, *, title: str, footer: str, notes: Sequence[str] = ()) -> None:
    """Title at the top; lines of notes and the footer at the bottom; a line too long is shrunk to the figure's width."""
    height = figure.get_figheight()
    lines = [(title, height - 0.28, {"size": 13, "weight": "bold"}), (footer, 0.18, {"size": 7.5, "color": FAINT})]
    lines += [(note, 0.18 + 0.19 * n, {"size": 8, "color": FAINT}) for n, note in enumerate(reversed(notes), start=1)]
    for text, y, looks in lines:
        fit_text(figure, figure.text(0.5, y / height, text, ha="center", va="center", **looks))


def fit_text(figure: Figure, text) -> None:
    """Shrink a text to 96 % of the figure's width."""
    room = 0.96 * figure.bbox.width
    width = text.get_window_extent(figure.canvas.get_renderer()).width
    if width > room:
        text.set_fontsize(text.get_fontsize() * room / width)


def save(figure: Figure, path: Path) -> None:
    """Write the figure as PNG by way of a draft beside it, so that ``path`` is whole or not there."""
    path = Path(path)
    draft = path.with_name(f".{path.name}.partial")
    with told(path):
        try:
            figure.savefig(draft, format="png", dpi=DPI, metadata={"Software": f"MyoPINN {__version__}"})
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)


def scale(quantity: str, limits: tuple[float, float] | None = None) -> ScalarMappable:
    """Colours of a quantity's shown values, from ``limits`` or its usual display range."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours = colormaps[_COLOURS].with_extremes(bad=(0, 0, 0, 0))
    return ScalarMappable(Normalize(*(limits or QUANTITIES[quantity].limits)), colours)


def add_colour_bar(figure: Figure, axes: Axes, scale: ScalarMappable, quantity: Quantity, values: np.ndarray) -> None:
    """A colour bar with its unit in ``axes``; pointed where ``values`` (any shape, shown unit) go beyond its ends."""
    seen = np.asarray(values, dtype=float)
    seen = seen[np.isfinite(seen)]
    below, above = (seen < scale.norm.vmin).any(), (seen > scale.norm.vmax).any()
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[
        bool(below), bool(above)
    ]
    bar = figure.colorbar(scale, cax=axes, extend=extend)
    bar.set_label(f"{name_of(quantity)} ({quantity.unit})", size=10, color=INK)
    bar.ax.tick_params(labelsize=9, colors=INK)
    bar.outline.set_linewidth(0.8)


def name_of(quantity: Quantity) -> str:
    """A quantity's name for a label: "Myocardial blood flow, MBF"."""
    return f"{quantity.label[0].upper()}{quantity.label[1:]}, {quantity.name}"


def digits(limits: tuple[float, float]) -> int:
    """Decimal places for values in a display range."""
    return next(places for bound, places in ((50, 0), (10, 1), (0.5, 2), (0, 3)) if limits[1] >= bound)


def ink_on(colour) -> str:
    """Black or white, whichever reads better on an RGB colour (relative luminance of WCAG 2)."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return "black" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.18 else "white"
