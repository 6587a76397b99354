"""The curves behind the numbers: the arterial input, and each segment's measured curve with the fitted one."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..aha import NAMES, TERRITORY
from ..errors import InputError
from ..fit import FitResult, Outcome, TissueCurves
from ..maps import derived_quantities
from ..polar import RINGS, TERRITORY_COLOURS, Ring
from ..quantities import QUANTITIES
from .canvas import FAINT, INK, add_words, new_figure, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 6
_REASON_WIDTH = 30
_WIDTH, _ROW, _TOP, _BOTTOM = 13.0, 1.95, 0.75, 0.95
_MEASURED = "#8c8c8c"


def curves(
    path: Path,
    segment_curves: TissueCurves,
    result: FitResult,
    numbers: Sequence[int],
    *,
    hct: float,
    density: float,
    title: str,
    footer: str,
) -> None:
    """Write the AIF and the curves of the segments ``numbers`` as PNG.

    ``segment_curves`` and ``result`` hold one row a segment in that order (``maps.mean_curves`` and its fit).
    Raises InputError where they do not, and where ``path`` cannot be written.
    """
    with styled():
        save(draw(segment_curves, result, numbers, hct=hct, density=density, title=title, footer=footer), path)


def draw(
    segment_curves: TissueCurves,
    result: FitResult,
    numbers: Sequence[int],
    *,
    hct: float,
    density: float,
    title: str,
    footer: str,
) -> Figure:
    """The figure that ``curves`` writes."""
    counts = len(segment_curves), len(result.outcome), len(numbers)
    if len(set(counts)) > 1:
        raise InputError("There are {2} segments, {0} curves and {1} fits.".format(*counts))
    rings = [ring for ring in RINGS.values() if any(ring.first <= n < ring.first + ring.count for n in numbers)]
    figure = new_figure(_WIDTH, _TOP + (1 + len(rings)) * _ROW + _BOTTOM)
    height = figure.get_figheight()
    edges = {"left": 0.062, "right": 0.985, "bottom": _BOTTOM / height, "top": 1 - _TOP / height}
    grid = figure.add_gridspec(1 + len(rings), _COLUMNS, hspace=0.5, wspace=0.14, **edges)
    flows = QUANTITIES["MBF"].shown(derived_quantities(result.parameters, hct=hct, density=density)["MBF"])
    _arterial_panel(figure.add_subplot(grid[0, :3]), result, _span(segment_curves))
    _key(figure, grid[0, 3:], hct, density)
    for row, ring in enumerate(rings, start=1):
        for segment in range(ring.first, ring.first + ring.count):
            axes = figure.add_subplot(grid[row, segment - ring.first])
            place = numbers.index(segment) if segment in numbers else None
            _segment_panel(axes, segment, segment_curves, result, place, flows)
            axes.set(xlim=_span(segment_curves), ylim=_limits(segment_curves, result))
            lowest = all(below.count <= segment - ring.first for below in rings[row:])
            _label_edges(axes, ring, segment, lowest=lowest)
    add_words(figure, title=title, footer=footer)
    return figure


def _arterial_panel(axes: Axes, result: FitResult, span: tuple[float, float]) -> None:
    """Arterial plasma concentration: the measured samples, and the input that the fit used as a line."""
    aif = result.aif
    fine = np.linspace(*span, 800)
    axes.plot(fine, aif(fine), color="#a3123a", linewidth=1.5)
    sampled = result.measured_aif or aif
    axes.plot(sampled.knots, sampled.C_ap, "o", color="#a3123a", markersize=2.6)
    axes.set(xlim=span, xlabel="time (s)", ylabel="$C_{ap}$ (mM)")
    axes.set_title("Arterial input: plasma concentration", size=10, weight="bold", loc="left", color=INK)
    _plain(axes)


def _segment_panel(
    axes: Axes, segment: int, curves: TissueCurves, result: FitResult, place: int | None, flows: np.ndarray
) -> None:
    """One segment: dots measured, line fitted, its flow in the corner."""
    colour = TERRITORY_COLOURS[TERRITORY[segment]]
    axes.set_title(f"{segment}  {NAMES[segment]}", size=8.5, loc="left", color=INK, pad=4)
    _plain(axes)
    if place is None:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", va="center", size=9, color=FAINT)
        return
    clock = curves.clock[place]
    time, counted = curves.time[clock], curves.weight[clock] > 0
    good = result.outcome[place] == Outcome.FITTED
    axes.plot(time[counted], curves.C_t[place, counted], "o", color=_MEASURED, markersize=3.6)
    axes.plot(time, result.C_t[place], color=colour, linewidth=1.3, linestyle="-" if good else "--")
    words = f"MBF {flows[place]:.2f}" if np.isfinite(flows[place]) else ""
    if not good:
        reason = textwrap.fill(Outcome(result.outcome[place]).reason, _REASON_WIDTH)
        words = f"{words} not reliable:\n{reason}".strip()
    axes.text(
        0.04,
        0.96,
        words,
        transform=axes.transAxes,
        ha="left",
        va="top",
        size=9 if good else 7,
        weight="bold",
        color=colour,
    )


def _span(curves: TissueCurves) -> tuple[float, float]:
    """The times to show, s: from zero, or from the first counted frame where that comes late (after a pre-bolus)."""
    first, last = float(curves.time[curves.weight > 0].min()), float(curves.time.max())
    return (first if first > 0.1 * last else 0.0), last


def _limits(curves: TissueCurves, result: FitResult) -> tuple[float, float]:
    """One concentration axis for all segments, with room for the words above the curves."""
    counted = curves.weight[curves.clock] > 0
    seen = np.concatenate([curves.C_t[counted], result.C_t[counted]])
    seen = seen[np.isfinite(seen)]
    low, high = float(min(seen.min(), 0.0)), float(max(seen.max(), 1e-6))
    return low - 0.04 * (high - low), high + 0.28 * (high - low)


def _label_edges(axes: Axes, ring: Ring, segment: int, *, lowest: bool) -> None:
    """Axis words only at the left edge of the block of panels, and below the lowest panel of each column."""
    if segment == ring.first:
        axes.set_ylabel(f"{ring.level.value.capitalize()}\n$C_t$ (mM)", size=9)
    else:
        axes.tick_params(labelleft=False)
    if lowest:
        axes.set_xlabel("time (s)", size=9)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def _key(figure: Figure, cell, hct: float, density: float) -> None:
    """What dots, lines and colours mean, and the constants behind the flow."""
    from matplotlib.lines import Line2D

    axes = figure.add_subplot(cell)
    axes.set_axis_off()
    marks = [
        Line2D(
            [], [], marker="o", linestyle="none", color=_MEASURED, markersize=4, label="measured, mean of the segment"
        ),
        *(
            Line2D([], [], color=colour, linewidth=2, label=f"fitted, {vessel} territory")
            for vessel, colour in TERRITORY_COLOURS.items()
        ),
        Line2D([], [], color=FAINT, linewidth=1.6, linestyle="--", label="fit not reliable"),
    ]
    axes.legend(handles=marks, loc="upper left", frameon=False, fontsize=9, bbox_to_anchor=(0.04, 1.08))
    words = f"MBF: myocardial blood flow in mL/min/g\nof each segment's mean curve,\nfrom plasma flow with Hct {hct:g}\nand density {density:g} g/mL"
    axes.text(0.56, 0.98, words, transform=axes.transAxes, ha="left", va="top", size=9, color=INK, linespacing=1.45)
