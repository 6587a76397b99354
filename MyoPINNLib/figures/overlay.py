"""Maps over images, a column a slice from base to apex: the magnitude image above, the map on it below (paper, Fig. 3)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..aha import AHASegments
from ..errors import InputError
from ..maps import ParameterMaps
from ..quantities import QUANTITIES
from ..series import PerfusionSeries
from ..settings import SliceLevel
from .canvas import INK, add_colour_bar, add_words, new_figure, save, scale, styled
from .display import View, label_borders, letters, view_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL, _GAP, _SIDE, _TOP, _BOTTOM, _BAR = 2.75, 0.06, 0.15, 0.85, 0.8, 1.15
_NARROWEST = 6.6
_BETWEEN_BLOCKS = 0.4
_COLUMNS = 4
_BEYOND_THE_WALL = 1.9
_SCALE_BAR_MM = 20.0
_NOT_RELIABLE = (0.62, 0.62, 0.62, 1.0)
_ORDER = (SliceLevel.BASAL, SliceLevel.MID, SliceLevel.APICAL, SliceLevel.APEX, SliceLevel.NONE)


def overlay(
    path: Path,
    series: PerfusionSeries,
    maps: ParameterMaps,
    *,
    segments: AHASegments,
    quantity: str,
    title: str,
    footer: str,
    limits: tuple[float, float] | None = None,
) -> None:
    """Write the map of ``quantity`` over the images as PNG: every slice with myocardium, anterior up and septum left.

    The images are the frames at which the myocardium is brightest. ``limits`` (shown unit) of the colours.
    Raises InputError where the series and the maps are not on one grid, and where ``path`` cannot be written.
    """
    with styled():
        save(draw(series, maps, segments=segments, quantity=quantity, title=title, footer=footer, limits=limits), path)


def draw(
    series: PerfusionSeries,
    maps: ParameterMaps,
    *,
    segments: AHASegments,
    quantity: str,
    title: str,
    footer: str,
    limits: tuple[float, float] | None,
) -> Figure:
    """The figure that ``overlay`` writes."""
    if not series.geometry.same_grid(maps.geometry):
        raise InputError(
            f"The maps are {maps.geometry.shape} and the images {series.geometry.shape}, or they lie elsewhere."
        )
    shown, colours = QUANTITIES[quantity], scale(quantity, limits)
    values = shown.shown(maps[quantity])
    slices = _base_to_apex(segments)
    figure, panels, bar = _layout(len(slices))
    half = _BEYOND_THE_WALL * _largest_radius(segments)
    for k, (above, below) in zip(slices, panels, strict=True):
        view = _view(series, segments, k)
        for axes in (above, below):
            _show_image(axes, view, _image_at_peak(series, maps, k), half)
        _show_orientation(above, view, half)
        _show_map(below, view, values[k], maps, segments, k, colours)
        above.set_title(_name_of_slice(segments, k), size=10.5, color=INK, pad=5)
    _show_scale_bar(panels[0][0], half)
    add_colour_bar(figure, bar, colours, shown, values[maps.valid])
    add_words(figure, title=title, footer=footer, notes=_notes(maps, quantity))
    return figure


def _view(series: PerfusionSeries, segments: AHASegments, k: int) -> View:
    towards = {"centre": segments.centres[k], "anterior": segments.anterior[k], "septal": segments.septal[k]}
    return view_of(series.geometry, k, **towards)


def _name_of_slice(segments: AHASegments, k: int) -> str:
    level = segments.levels[k]
    return f"slice {k + 1}" if level is SliceLevel.NONE else f"{level.value.capitalize()}  ·  slice {k + 1}"


def _base_to_apex(segments: AHASegments) -> list[int]:
    """Slices with myocardium by level, and within a level along the ventricle."""
    present = np.flatnonzero(np.isfinite(segments.centres[:, 0]))
    axis = np.cross(segments.septal[present], segments.anterior[present]).mean(axis=0)
    return sorted(present, key=lambda k: (_ORDER.index(segments.levels[k]), -segments.centres[k] @ axis))


def _layout(count: int) -> tuple[Figure, list[tuple[Axes, Axes]], Axes]:
    """A figure with two panels a slice, at most four slices side by side, and the axes of the colour bar."""
    blocks = -(-count // _COLUMNS)
    columns = -(-count // blocks)
    block = 2 * _PANEL + _GAP
    content = columns * _PANEL + (columns - 1) * _GAP + _BAR
    width = max(_SIDE + content, _NARROWEST)
    edge = _SIDE + (width - _SIDE - content) / 2
    height = _TOP + blocks * block + (blocks - 1) * _BETWEEN_BLOCKS + _BOTTOM
    figure = new_figure(width, height)
    panels = []
    for n in range(count):
        left = edge + (n % columns) * (_PANEL + _GAP)
        top = height - _TOP - (n // columns) * (block + _BETWEEN_BLOCKS)
        panels.append(
            tuple(
                figure.add_axes((left / width, (top - bottom) / height, _PANEL / width, _PANEL / height))
                for bottom in (_PANEL, block)
            )
        )
    bar = figure.add_axes(
        ((edge + content - _BAR + 0.18) / width, (_BOTTOM + 0.1) / height, 0.17 / width, (_PANEL - 0.2) / height)
    )
    return figure, panels, bar


def _largest_radius(segments: AHASegments) -> float:
    return float(np.nanmax(np.linalg.norm(segments.insertion - segments.centres, axis=1)))


def _image_at_peak(series: PerfusionSeries, maps: ParameterMaps, k: int) -> np.ndarray:
    """The slice (j, i) at the frame where its myocardium is brightest."""
    wall = maps.mask[k] if maps.mask[k].any() else np.ones(maps.mask[k].shape, dtype=bool)
    brightness = np.where(series.weight[k] > 0, np.nan_to_num(series.signal[:, k][:, wall]).mean(axis=1), -np.inf)
    return np.nan_to_num(series.signal[int(brightness.argmax()), k]).astype(float)


def _show_image(axes: Axes, view: View, image: np.ndarray, half: float) -> None:
    """The magnitude image in grey, cropped to the heart, its window set by what is in view."""
    shown = view.picture(image)
    x, y = (
        np.linspace(*edges, n) for edges, n in ((view.extent[:2], shown.shape[1]), (view.extent[:1:-1], shown.shape[0]))
    )
    in_view = shown[np.ix_(np.abs(y) <= half, np.abs(x) <= half)]
    low, high = np.percentile(in_view if in_view.size else shown, [1, 99.7])
    axes.imshow(shown, cmap="gray", vmin=low, vmax=max(high, low + 1e-9), extent=view.extent, interpolation="bilinear")
    axes.set(xlim=(-half, half), ylim=(-half, half), facecolor="black", xticks=[], yticks=[])


def _show_orientation(axes: Axes, view: View, half: float) -> None:
    """Letters at the four edges: where each side of the picture lies in the patient."""
    for direction, x, y, ha, va in (
        (view.up, 0, 0.96, "center", "top"),
        (-view.up, 0, -0.96, "center", "bottom"),
        (-view.right, -0.96, 0, "left", "center"),
        (view.right, 0.96, 0, "right", "center"),
    ):
        _outlined(
            axes.text(x * half, y * half, letters(direction), ha=ha, va=va, size=10, weight="bold", color="white")
        )


def _show_map(
    axes: Axes, view: View, values: np.ndarray, maps: ParameterMaps, segments: AHASegments, k: int, colours
) -> None:
    """The map in colour, unreliable voxels grey and crossed, segment borders and the insertion."""
    from matplotlib.collections import LineCollection

    pixels = colours.to_rgba(np.where(maps.valid[k], values, np.nan))
    doubtful = maps.mask[k] & ~(maps.valid[k] & np.isfinite(values))
    pixels[doubtful] = _NOT_RELIABLE
    axes.imshow(view.picture(pixels), extent=view.extent, interpolation="nearest")
    j, i = np.nonzero(doubtful)
    crosses = view.place(maps.geometry.to_lps(np.stack([np.full(j.shape, k), j, i], axis=-1)))
    axes.plot(*crosses.T, "x", color="black", markersize=2.4, markeredgewidth=0.6)
    borders = label_borders(view.picture(segments.label[k]), view.extent)
    axes.add_collection(LineCollection(borders, colors="black", linewidths=2.2, capstyle="projecting"))
    axes.add_collection(LineCollection(borders, colors="white", linewidths=1.0, capstyle="projecting"))
    mark = view.place(segments.insertion[k] + 0.16 * (segments.insertion[k] - segments.centres[k]))
    axes.plot(*mark, marker="o", markersize=5.5, markerfacecolor="white", markeredgecolor="black", linestyle="none")


def _show_scale_bar(axes: Axes, half: float) -> None:
    """A bar of 20 mm in the lower right corner."""
    right, y = 0.92 * half, -0.86 * half
    (line,) = axes.plot([right - _SCALE_BAR_MM, right], [y, y], color="white", linewidth=2.2, solid_capstyle="butt")
    _outlined(line, 3.6)
    middle = right - _SCALE_BAR_MM / 2
    _outlined(
        axes.text(middle, y - 0.02 * half, f"{_SCALE_BAR_MM:g} mm", ha="center", va="top", size=7.5, color="white")
    )


def _outlined(artist, width: float = 1.8) -> None:
    """A black rim around something white."""
    from matplotlib.patheffects import withStroke

    artist.set_path_effects([withStroke(linewidth=width, foreground="black")])


def _notes(maps: ParameterMaps, quantity: str) -> tuple[str, str]:
    """What the marks mean, and how many voxels are not reliable."""
    total, doubtful = int(maps.mask.sum()), int((maps.mask & ~maps.valid).sum())
    marks = "White dot: anterior RV insertion; lines: AHA segments"
    marks += f"; grey with a cross: not reliable ({doubtful} of {total} voxels)" if doubtful else ""
    letters_mean = "H head, F feet, A anterior, P posterior, L left, R right"
    return f"Above: image at peak enhancement, seen from the apex ({letters_mean}); below: {quantity}", marks
