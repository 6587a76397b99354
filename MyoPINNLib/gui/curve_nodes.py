"""One chart of the scene with its table and series, made once and refilled: no node comes or goes while the mouse moves.

The nodes are hidden and are not saved. Lines have slots in the table; a slot is two columns, time and concentration.
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ..scene.added import hidden_node, remove_nodes
from .curve_content import Curves, Line

_EACH = 3  # lines that curves have at most
_FRAME = 2 * _EACH
_FRAME_COLOUR, _PALE = np.array([0.55, 0.55, 0.55]), 0.55
_SMALL, _MIDDLE = 12, 14
_HEADROOM, _LEAST = 1.2, 1e-9
_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


class CurveNodes:
    """The hidden nodes, in the scene until ``remove``."""

    def __init__(self, name: str) -> None:
        self.table = hidden_node("vtkMRMLTableNode", f"{name} curve table")
        for slot in range(_FRAME + 1):
            for column in _columns(slot):
                values = vtk.vtkDoubleArray()
                values.SetName(column)
                self.table.AddColumn(values)
        self._series = [self._plot(f"{name} line {slot}", slot) for slot in range(_FRAME + 1)]
        self.chart = _chart(f"{name} curve")
        self._lengthen(2)

    @property
    def there(self) -> bool:
        """False once they were removed or the scene was closed."""
        return all(node.GetScene() is not None for node in (self.table, self.chart, *self._series))

    def show(self, curves: Curves | None, pinned: Curves | None, frame: float | None) -> None:
        """Fill the chart; ``pinned`` is paler beside ``curves``, ``frame`` (s) is an upright line."""
        slots = {**_slots(curves, 0), **_slots(pinned, _EACH)}
        low, high = _span(slots)
        if frame is not None and slots:
            upright = Line("mM", f"frame at {frame:.1f} s", np.array([low, high]), _FRAME_COLOUR)
            slots[_FRAME] = np.array([frame, frame]), upright
        was = self.chart.StartModify()
        self._lengthen(max((len(time) for time, _ in slots.values()), default=0))
        for slot, (time, line) in slots.items():
            self._fill(slot, time, line)
            self._style(slot, line, pinned if _EACH <= slot < _FRAME else None)
        self.table.GetTable().Modified()
        self.chart.SetTitle(curves.title if curves is not None else "")
        self.chart.SetYAxisRange(low, high)
        self._choose([self._series[slot] for slot in sorted(slots)])
        self.chart.Modified()  # the plot view hears the chart, and neither table nor series
        self.chart.EndModify(was)

    def remove(self) -> None:
        """Take them out of the scene."""
        remove_nodes([self.chart, *self._series, self.table])

    def _plot(self, name: str, slot: int):
        node = hidden_node("vtkMRMLPlotSeriesNode", name)
        x, y = _columns(slot)
        node.SetAndObserveTableNodeID(self.table.GetID())
        node.SetXColumnName(x)
        node.SetYColumnName(y)
        node.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        node.SetMarkerSize(5.0)
        return node

    def _lengthen(self, rows: int) -> None:
        """Give the table at least ``rows`` rows."""
        table = self.table.GetTable()
        if table.GetNumberOfRows() >= rows:
            return
        for n in range(table.GetNumberOfColumns()):
            table.GetColumn(n).SetNumberOfTuples(rows)
            table.GetColumn(n).FillComponent(0, np.nan)

    def _fill(self, slot: int, time: np.ndarray, line: Line) -> None:
        """Write a line into its columns, in place; below its end time stands still and there is no value."""
        table = self.table.GetTable()
        x, y = (vtk_to_numpy(table.GetColumnByName(column)) for column in _columns(slot))
        x[: len(time)], x[len(time) :] = time, time[-1]
        y[: len(time)], y[len(time) :] = line.values, np.nan
        for column in _columns(slot):
            table.GetColumnByName(column).Modified()

    def _style(self, slot: int, line: Line, pinned: Curves | None) -> None:
        node, kind = self._series[slot], slicer.vtkMRMLPlotSeriesNode
        was = node.StartModify()
        node.SetName(f"{line.words}, {pinned.short}" if pinned is not None else line.words)
        pale = _PALE if pinned is not None else 0.0
        node.SetColor(*(line.colour + pale * (1.0 - line.colour)))
        dotted = kind.LineStyleDot if slot == _FRAME else kind.LineStyleDash if line.dashed else kind.LineStyleSolid
        node.SetLineStyle(kind.LineStyleNone if line.dots else dotted)
        hollow = kind.MarkerStyleDiamond if pinned is not None else kind.MarkerStyleCircle
        node.SetMarkerStyle(hollow if line.dots else kind.MarkerStyleNone)
        node.EndModify(was)

    def _choose(self, wanted: list) -> None:
        """Let the chart show ``wanted``; nothing is touched where it does."""
        shown = [self.chart.GetNthPlotSeriesNodeID(n) for n in range(self.chart.GetNumberOfPlotSeriesNodes())]
        ids = [node.GetID() for node in wanted]
        if shown != ids:
            self.chart.RemoveAllPlotSeriesNodeIDs()
            for id in ids:
                self.chart.AddAndObservePlotSeriesNodeID(id)


def _chart(name: str):
    node = hidden_node("vtkMRMLPlotChartNode", name)
    node.SetXAxisTitle("time (s)")
    node.SetYAxisTitle("concentration (mM)")
    node.SetTitleFontSize(_SMALL)
    node.SetAxisTitleFontSize(_MIDDLE)
    node.SetAxisLabelFontSize(_SMALL)
    node.SetLegendFontSize(_SMALL)
    node.SetYAxisRangeAuto(False)
    node.SetEnablePointMoveAlongX(False)
    node.SetEnablePointMoveAlongY(False)
    return node


def _columns(slot: int) -> tuple[str, str]:
    return f"line {slot} time (s)", f"line {slot} concentration (mM)"


def _span(slots: dict[int, tuple[np.ndarray, Line]]) -> tuple[float, float]:
    """The limits of the concentration axis, mM: round numbers that stay as the mouse moves, with room for the legend."""
    seen = np.concatenate([np.zeros(1), *(line.values for _, line in slots.values())])
    seen = seen[np.isfinite(seen)]
    return -_round(-float(seen.min())), _round(_HEADROOM * float(seen.max())) or 1.0


def _round(value: float) -> float:
    """The next of ``_STEPS`` times a power of ten upwards; 0 of what is not positive."""
    if value <= _LEAST:
        return 0.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * next(step for step in _STEPS if step >= value / power * (1 - _LEAST)))


def _slots(curves: Curves | None, first: int) -> dict[int, tuple[np.ndarray, Line]]:
    lines = curves.lines if curves is not None else ()
    return {first + n: (curves.time, line) for n, line in enumerate(lines) if len(curves.time)}
