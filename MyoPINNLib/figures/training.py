"""How a network trained, a column a slice: the terms of the loss above, the mean parameters below (paper, Fig. 4)."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..polar import TERRITORY_COLOURS
from ..quantities import QUANTITIES
from .canvas import INK, add_words, name_of, new_figure, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

History = Mapping[str, np.ndarray]

_COLUMNS = 6
_WIDEST, _PANEL, _GAP, _SIDE, _KEY = 13.0, 4.4, 0.17, 1.0, 2.3
_HEIGHTS, _BETWEEN_ROWS, _BETWEEN_BLOCKS, _TOP, _BOTTOM = (2.3, 1.55, 1.55), 0.16, 0.8, 0.85, 1.0
_LABEL, _TICK = 0.5, 0.6
_FEW_ROWS = 12
_KEY_WIDTH = 25
_DECADES_BELOW_THE_TOTAL = 5
_NOTE = (
    "Loss as in van Herten et al. 2022, equations 6 and A.1 to A.4: "
    "concentrations divided by the arterial peak, rates per minute"
)
# label, colour, width and line: told apart without colours too
_LOSSES = {
    "total": ("total, weighted: $L$", INK, 2.2, "-"),
    "data": ("data: $L_C$", TERRITORY_COLOURS["RCA"], 1.2, "-"),
    "residual": ("kinetic equations: $L_r$", TERRITORY_COLOURS["LAD"], 1.2, "-"),
    "initial": ("initial condition: $L_b$", TERRITORY_COLOURS["LCx"], 1.2, "--"),
    "positive": ("negative values: $L_{reg}$", "#a3468c", 1.4, ":"),
}
_PLASMA, _BEYOND = ("#a3123a", 1.6, "-"), ("#2f8fcf", 1.6, "--")
_PARAMETERS = ({"F_p": _PLASMA, "PS": _BEYOND}, {"v_p": _PLASMA, "v_e": _BEYOND})
_MAY_BE_ABSENT = {"PS"}


@dataclass(frozen=True)
class _LogScale:
    """A logarithmic axis of whole decades from ``low`` to ``top`` (exponents), and below it a place for what is less."""

    low: int
    top: int
    less: str

    @classmethod
    def of(cls, history: History) -> _LogScale:
        """One axis for all slices. Terms far below the least total count no more: they do not stretch the axis."""
        values = np.concatenate([_finite(history[name]) for name in _LOSSES])
        positive, totals = values[values > 0], _finite(history["total"])
        if not positive.size:
            return cls(-1, 0, "0")
        low, top = math.floor(math.log10(positive.min())), math.ceil(math.log10(positive.max()))
        if (totals > 0).any():
            low = max(low, math.floor(math.log10(totals[totals > 0].min())) - _DECADES_BELOW_THE_TOTAL)
        less = values[values < 10.0**low]
        words = f"$<10^{{{low}}}$" if less.any() else "0"
        return cls(low, max(top, low + 1), words if less.size else "")

    @property
    def place_of_less(self) -> float:
        return 10.0 ** (self.low - 0.1 * (self.top - self.low))

    def drawn(self, values: np.ndarray) -> np.ndarray:
        """Values with those below the axis, 0 too, moved to their place."""
        return np.where(values < 10.0**self.low, self.place_of_less, values)

    def apply(self, axes: Axes) -> None:
        """Give the axis its scale, its ends and its ticks."""
        span = self.top - self.low
        axes.set_yscale("log")
        exponents = range(self.low, self.top + 1, math.ceil(span / 5))
        ticks = {10.0**n: f"$10^{{{n}}}$" for n in exponents}
        if self.less:
            ticks = {self.place_of_less: self.less, **ticks}
        axes.set_yticks(list(ticks), list(ticks.values()))
        axes.minorticks_off()
        axes.set_ylim(10.0 ** (self.low - (0.16 if self.less else 0.03) * span), 10.0 ** (self.top + 0.03 * span))


def training(path: Path, history: History, *, title: str, footer: str) -> None:
    """Write the course of a training as PNG.

    ``history``: columns of equal length, one network a slice one below the other: "slice" (from 1), "step", the terms
    "data", "residual", "initial", "positive" as they are and their weighted sum "total"; mean parameters "F_p", "v_p",
    "v_e" and, where the method has it, "PS", in shown units.
    Raises InputError for a history without rows or columns, and where ``path`` cannot be written.
    """
    with styled():
        save(draw(history, title=title, footer=footer), path)


def draw(history: History, *, title: str, footer: str) -> Figure:
    """The figure that ``training`` writes."""
    history = _checked(history)
    groups = [{name: look for name, look in group.items() if name in history} for group in _PARAMETERS]
    slices = np.unique(history["slice"])
    figure, columns, in_block = _layout(len(slices))
    scale, last = _LogScale.of(history), max(float(history["step"].max()), 1.0)
    tops = [float(np.concatenate([_finite(history[name]) for name in group]).max(initial=0.0)) for group in groups]
    for number, (above, *below) in zip(slices, columns, strict=True):
        rows = {name: column[history["slice"] == number] for name, column in history.items()}
        above.set_title(f"slice {number:.0f}", size=10.5, color=INK, pad=5)
        _loss_panel(above, rows, scale)
        for axes, group, top in zip(below, groups, tops, strict=True):
            _parameter_panel(axes, rows, group, top)
        _along_steps((above, *below), last)
    for column in columns[::in_block]:
        _label_values(column, groups)
    _keys(columns[in_block - 1])
    add_words(figure, title=title, footer=footer, notes=[_NOTE])
    return figure


def _loss_panel(axes: Axes, rows: History, scale: _LogScale) -> None:
    for name, (label, colour, width, style) in _LOSSES.items():
        _line(axes, rows["step"], scale.drawn(rows[name]), label, colour, width, style)
    scale.apply(axes)


def _parameter_panel(axes: Axes, rows: History, group: dict, top: float) -> None:
    for name, look in group.items():
        label = textwrap.fill(name_of(QUANTITIES[name]), _KEY_WIDTH)
        _line(axes, rows["step"], rows[name], _symbols(label, [name]), *look)
    axes.set_ylim(0.0, 1.08 * top or 1.0)


def _checked(history: History) -> History:
    needed = {"slice", "step", *_LOSSES, *_PARAMETERS[0], *_PARAMETERS[1]} - _MAY_BE_ABSENT
    missing = sorted(needed - set(history))
    if len(missing) == len(needed) or not all(len(column) for column in history.values()):
        raise InputError("The history of the training has no rows, so there is nothing to draw.")
    if missing:
        raise InputError(f"The history of the training has no column {', '.join(missing)}.")
    return {name: np.asarray(column, dtype=float) for name, column in history.items()}


def _layout(count: int) -> tuple[Figure, list[list[Axes]], int]:
    """A figure with a column of three panels a slice, at most six side by side; and how many are in a full block."""
    blocks = -(-count // _COLUMNS)
    columns = -(-count // blocks)
    panel = min(_PANEL, (_WIDEST - _SIDE - _KEY) / columns - _GAP)
    block = sum(_HEIGHTS) + _BETWEEN_ROWS * (len(_HEIGHTS) - 1)
    width = _SIDE + columns * (panel + _GAP) + _KEY
    height = _TOP + blocks * block + (blocks - 1) * _BETWEEN_BLOCKS + _BOTTOM
    figure = new_figure(width, height)
    found = []
    for n in range(count):
        left = _SIDE + (n % columns) * (panel + _GAP)
        bottom = height - _TOP - (n // columns) * (block + _BETWEEN_BLOCKS) + _BETWEEN_ROWS
        column = []
        for tall in _HEIGHTS:
            bottom -= tall + _BETWEEN_ROWS
            column.append(figure.add_axes((left / width, bottom / height, panel / width, tall / height)))
            column[-1].tick_params(labelleft=n % columns == 0)
        found.append(column)
    return figure, found, columns


def _line(axes: Axes, step, values, label: str, colour: str, width: float, style: str) -> None:
    """One course; dots where there are so few rows that a line says little."""
    dots = {"marker": "o", "markersize": 4.0} if len(step) <= _FEW_ROWS else {}
    axes.plot(step, values, color=colour, linewidth=width, linestyle=style, label=label, **dots)


def _along_steps(column, last: float) -> None:
    """One axis of steps for all panels, its words below the lowest."""
    from matplotlib.ticker import MaxNLocator

    for axes in column:
        axes.set_xlim(0.0, 1.03 * last)
        room = max(int(_inches_wide(axes) / _TICK), 3)
        axes.xaxis.set_major_locator(MaxNLocator(room, integer=True, steps=[1, 2, 5, 10]))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=8, labelbottom=axes is column[-1])
    column[-1].set_xlabel("training step", size=9)


def _label_values(column, groups) -> None:
    losses, *below = column
    losses.set_ylabel("loss (no unit)", size=9)
    for axes, group in zip(below, groups, strict=True):
        units = dict.fromkeys(QUANTITIES[name].unit for name in group)
        axes.set_ylabel(f"mean {_symbols(', '.join(group), group)}\n({', '.join(units)})", size=9)
    for axes in column:
        axes.yaxis.set_label_coords(-_LABEL / _inches_wide(axes), 0.5)


def _keys(column) -> None:
    """What the lines mean: right of the panels, over no curve."""
    heads = "Terms of the loss", "Mean over the voxels", "Mean over the voxels"
    for axes, head in zip(column, heads, strict=True):
        key = axes.legend(
            title=head, loc="upper left", bbox_to_anchor=(1.0, 1.03), frameon=False, fontsize=8.5, handlelength=2.2,
            alignment="left", borderaxespad=0.6,
        )  # fmt: skip
        key.get_title().set(size=8.5, weight="bold", color=INK)


def _symbols(text: str, names) -> str:
    """The quantities' symbols set as such: F_p with its index."""
    for name in names:
        head, _, index = name.partition("_")
        text = text.replace(name, f"${head}_{{{index}}}$" if index else f"${name}$")
    return text


def _inches_wide(axes: Axes) -> float:
    return axes.get_position().width * axes.get_figure().get_figwidth()


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]
