"""The curves of a voxel, of a segment or of the arterial input, as values: lines to draw, words, and CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..figures.canvas import FAINT
from ..polar import NAMES, stem_of
from ..quantities import QUANTITIES
from ..scene import SceneAnalysis, Voxel
from ..scene.colours import rgb, territory_ink
from ..scene.drawing import BLOOD, PLASMA

_MEASURED = rgb("#8c8c8c")
_TIME, _C_T, _FITTED = "time_s", "C_t_mM", "fitted_mM"


@dataclass(frozen=True)
class Line:
    """``values`` (t,) mM, NaN where there is none: dots, a line, or a dashed line; ``column`` is its name in a table."""

    column: str
    words: str
    values: np.ndarray
    colour: np.ndarray
    dots: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Curves:
    """What a chart shows: ``lines`` over ``time`` (t,) s; ``name`` of the place, ``short`` for a legend, ``title``, of short
    lines, and ``rows`` of parameters.
    """

    name: str
    short: str
    title: str
    time: np.ndarray
    lines: tuple[Line, ...]
    rows: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The place and its parameters with their units, one a line."""
        return "\n".join([self.name, *self.rows])


def curves_of_voxel(voxel: Voxel, sd: Mapping[str, float]) -> Curves:
    """Measured and fitted curve of a voxel; ``sd`` by quantity, shown unit."""
    k, j, i = voxel.index
    place = f"voxel in slice {k + 1}, row {j + 1}, column {i + 1}"
    segment = f"{voxel.segment} {voxel.name}" if voxel.segment else "no segment"
    rows = (f"not valid: {voxel.reason}",) if voxel.reason else _rows(voxel.parameters, sd)
    ink = territory_ink(voxel.segment) if voxel.segment else rgb(FAINT)
    lines = _pair(voxel.measured, voxel.fitted, ink, dashed=bool(voxel.reason))
    return Curves(
        f"{segment}, {place}", segment, f"{segment}\n{rows[0] if rows else 'no value'}", voxel.time, lines, rows
    )


def curves_of_segment(analysis: SceneAnalysis, number: int) -> Curves:
    """The mean curve of an AHA segment and its fit; no lines where the segment was not measured."""
    name = f"{number} {NAMES[number]}"
    table, stem = analysis.table("curves"), stem_of(number)
    values, sd, reason = _segment_row(analysis, number)
    if f"{stem}_{_TIME}" not in table:
        return Curves(name, name, f"{name}\n{reason or 'not measured'}", np.zeros(0), (), (reason or "not measured",))
    time, measured, fitted = (np.array(table[f"{stem}_{each}"], dtype=float) for each in (_TIME, _C_T, _FITTED))
    known = np.isfinite(time)
    rows = _rows(values, sd)
    rows = (f"not reliable: {reason}", *rows) if reason else rows
    lines = _pair(measured[known], fitted[known], territory_ink(number), dashed=bool(reason))
    return Curves(
        f"{name}, mean curve",
        f"{name}, mean",
        f"{name}, mean curve\n{rows[0] if rows else 'no value'}",
        time[known],
        lines,
        rows,
    )


def curves_of_input(analysis: SceneAnalysis) -> Curves:
    """The arterial input: in blood as measured, in plasma, and in plasma as fitted where the method fits it."""
    table = {name: np.array(cells, dtype=float) for name, cells in analysis.table("input").items()}
    was_fitted = "C_ap_fitted_mM" in table
    looks = {
        "C_ab_mM": ("blood, measured", BLOOD, True, False),
        "C_ap_mM": ("plasma, measured" if was_fitted else "plasma, used for the fit", PLASMA, False, was_fitted),
        "C_ap_fitted_mM": ("plasma, fitted and used", PLASMA, False, False),
    }
    lines = tuple(Line(name, words, table[name], *how) for name, (words, *how) in looks.items() if name in table)
    time, plasma = table[_TIME], table["C_ap_fitted_mM" if was_fitted else "C_ap_mM"]
    if not np.isfinite(plasma).any():
        raise InputError("The arterial input holds no value.", "Compute the study again.")
    top = int(np.nanargmax(plasma))
    return Curves(
        "arterial input",
        "input",
        "Arterial input",
        time,
        lines,
        (f"peak in plasma {plasma[top]:.3g} mM at {time[top]:.1f} s",),
    )


def csv_of(curves: Curves, pinned: Curves | None = None) -> str:
    """Time and lines as CSV, units in the columns' names; those of ``pinned`` beside them. An empty cell: no value."""
    columns = _columns(curves) | ({f"pinned_{name}": each for name, each in _columns(pinned).items()} if pinned else {})
    length = max(map(len, columns.values()))
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for n in range(length):
        table.writerow([_cell(values[n]) if n < len(values) else "" for values in columns.values()])
    return text.getvalue()


def _pair(measured: np.ndarray, fitted: np.ndarray, ink: np.ndarray, *, dashed: bool) -> tuple[Line, ...]:
    return Line(_C_T, "measured", measured, _MEASURED, dots=True), Line(_FITTED, "fitted", fitted, ink, dashed=dashed)


def _segment_row(analysis: SceneAnalysis, number: int) -> tuple[dict[str, float], dict[str, float], str]:
    """Parameters of the mean curve's fit, their standard deviations, and why the fit is not reliable."""
    table = analysis.segments
    if number not in table["segment"]:
        raise InputError(f"There is no segment {number} in this analysis.", "Choose another segment.")
    row = table["segment"].index(number)
    found: tuple[dict, dict] = ({}, {})
    for kept, suffix in zip(found, ("mean_curve", "mean_curve_sd"), strict=True):
        for name, quantity in QUANTITIES.items():
            cell = table.get(f"{quantity.column}_{suffix}", {row: math.nan})[row]
            if isinstance(cell, float) and math.isfinite(cell):
                kept[name] = cell
    return (*found, str(table["reason"][row]) if "reason" in table else "")


def _rows(values: Mapping[str, float], sd: Mapping[str, float]) -> tuple[str, ...]:
    """One line a quantity, the flow first: name, value, standard deviation, unit."""
    names = sorted(values, key=lambda name: (name != "MBF", list(QUANTITIES).index(name)))
    return tuple(_row(name, values[name], sd.get(name)) for name in names)


def _row(name: str, value: float, deviation: float | None) -> str:
    unit = QUANTITIES[name].unit
    more = f" ± {deviation:.2g}" if deviation is not None and math.isfinite(deviation) else ""
    return f"{name} {value:.3g}{more} {'' if unit == '1' else unit}".rstrip()


def _columns(curves: Curves) -> dict[str, np.ndarray]:
    return {_TIME: curves.time, **{line.column: line.values for line in curves.lines}}


def _cell(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""
