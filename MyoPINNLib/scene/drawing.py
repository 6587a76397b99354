"""Single nodes of a result: maps that colour the myocardium alone, tables, curves as plot series and charts."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from ..codes import Code, quantity_code, unit_code
from ..geometry import Geometry
from ..polar import NAMES, stem_of
from ..quantities import QUANTITIES
from .colours import territory_ink
from .finished import Table
from .nodes import filled, the_scene

OUTSIDE = "MyoPINN.outside"
QUANTITY = "MyoPINN.quantity"
_BELOW_ZERO = {"T_a": -100.0, "valid": -1.0}
_SD_SHARE = 0.25
_LEGEND, _CORNER = (0.08, 0.25), (0.98, 0.03)  # of the view: small enough to leave the heart free
_LEGEND_FONT, _LABELS = 11, 3
BLOOD, PLASMA = np.array([0.75, 0.15, 0.15]), np.array([0.35, 0.35, 0.35])


def map_volumes(
    name: str, quantity: str, values: np.ndarray, shown: np.ndarray, geometry: Geometry, colours, *, sd: bool = False
) -> list:
    """Volumes of ``values`` (k, j, i) shown units: one, or one a slice where one cannot hold the grid.

    Only the voxels ``shown`` (k, j, i) bool are coloured. All others hold the number in the attribute ``OUTSIDE``, 0 where no
    value of the quantity can be 0 or less.
    """
    outside = 0.0 if sd else _BELOW_ZERO.get(quantity, 0.0)
    kept = np.where(shown & np.isfinite(values), values, outside).astype(np.float32)
    volumes = []
    for number, (part, affine) in enumerate(_parts(kept, geometry), start=1):
        suffix = "" if len(part) == len(kept) else f" {number}"
        node = the_scene().AddNewNodeByClass("vtkMRMLScalarVolumeNode", name + suffix)
        filled(node, part, affine)
        node.SetVoxelValueQuantity(_coded(quantity_code(quantity)))
        node.SetVoxelValueUnits(_coded(unit_code(quantity)))
        node.SetAttribute(OUTSIDE, f"{outside:g}")
        node.SetAttribute(QUANTITY, f"{quantity} SD" if sd else quantity)
        _display(node, quantity, kept, outside, colours, sd=sd)
        volumes.append(node)
    return volumes


def segment_volumes(name: str, label: np.ndarray, geometry: Geometry, colours) -> list:
    """Label maps of the AHA segments (k, j, i), painted by ``colours``."""
    volumes = []
    for number, (part, affine) in enumerate(_parts(label.astype(np.uint8), geometry), start=1):
        suffix = "" if len(part) == len(label) else f" {number}"
        node = the_scene().AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", name + suffix)
        filled(node, part, affine)
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetAndObserveColorNodeID(colours.GetID())
        volumes.append(node)
    return volumes


def hidden_array(name: str, values: np.ndarray):
    """``values`` (k, j, i) as a volume that no list offers: numbers that are saved with the scene and are no picture."""
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName(name)
    node.SetHideFromEditors(True)
    return filled(the_scene().AddNode(node), values, np.eye(4))


def table_node(name: str, table: Table):
    """A table of the scene: numbers as doubles (NaN where there is none), words as strings."""
    node = the_scene().AddNewNodeByClass("vtkMRMLTableNode", name)
    for title, cells in table.items():
        if all(isinstance(cell, float) for cell in cells):
            column = numpy_to_vtk(np.array(cells, dtype=float), deep=True)
        else:
            column = vtk.vtkStringArray()
            for cell in cells:
                column.InsertNextValue(str(cell))
        column.SetName(title)
        node.AddColumn(column)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def input_series(name: str, table) -> list:
    """Two plot series of the arterial input: measured in blood, and the plasma's, which the fit uses."""
    blood = _plot(f"{name} blood, measured", table, "time_s", "C_ab_mM", BLOOD, dots=True)
    return [blood, _plot(f"{name} plasma, used for the fit", table, "time_s", "C_ap_mM", PLASMA)]


def segment_series(name: str, number: int, table) -> list:
    """Two plot series of a segment, measured dots and fitted line, in its territory's colour."""
    stem, ink = stem_of(number), territory_ink(number)
    words = f"{name} {number} {NAMES[number]}"
    return [
        _plot(f"{words}, measured", table, f"{stem}_time_s", f"{stem}_C_t_mM", ink, dots=True),
        _plot(f"{words}, fitted", table, f"{stem}_time_s", f"{stem}_fitted_mM", ink),
    ]


def chart(name: str, title: str, series) -> object:
    """A chart of plot series over time."""
    node = the_scene().AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    node.SetTitle(title)
    node.SetXAxisTitle("time (s)")
    node.SetYAxisTitle("concentration (mM)")
    set_series(node, series)
    return node


def set_series(node, series) -> None:
    """Let a chart show ``series`` and nothing else."""
    node.RemoveAllPlotSeriesNodeIDs()
    for each in series:
        node.AddAndObservePlotSeriesNodeID(each.GetID())


def usual_limits(quantity: str, *, sd: bool = False) -> tuple[float, float]:
    """From which to which value, shown unit, the colours of a map usually run."""
    low, high = QUANTITIES[quantity].limits
    return (0.0, _SD_SHARE * (high - low)) if sd else (low, high)


def legend(volume, quantity: str, *, sd: bool = False):
    """The colour legend of a map, or of its standard deviations, in the slice views; made where there is none."""
    node = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(volume)
    if node is not None:
        unit = QUANTITIES[quantity].unit
        node.SetTitleText("\n".join([f"{quantity}{' SD' * sd}", *([unit] if unit != "1" else [])]))
        node.SetNumberOfLabels(_LABELS)
        node.SetSize(*_LEGEND)
        node.SetPosition(*_CORNER)
        node.SetMaxNumberOfColors(256)
        for words in (node.GetTitleTextProperty(), node.GetLabelTextProperty()):
            words.SetFontSize(_LEGEND_FONT)
            words.SetFontFamilyToArial()
        label_legend(node, volume.GetDisplayNode())
    return node


def label_legend(node, display) -> None:
    """As many decimal places in a legend as its range needs."""
    ticks = np.linspace(display.GetWindowLevelMin(), display.GetWindowLevelMax(), _LABELS)
    node.SetLabelFormat(f"%.{_exact(ticks)}f")


def decimals(step: float) -> int:
    """How many decimal places tell numbers apart that are ``step`` apart; 1 at least, 4 at most."""
    return int(np.clip(np.ceil(-np.log10(max(step, 1e-9)) - 1e-9), 1, 4))


def _exact(ticks: np.ndarray) -> int:
    """How many decimal places tell ``ticks`` as they are, to a hundredth of what is between two; 1 at least."""
    step = float(ticks[1] - ticks[0])
    least = decimals(step)
    return next((n for n in range(least, least + 2) if np.abs(ticks - ticks.round(n)).max() < 0.01 * step), least + 1)


def _parts(values: np.ndarray, geometry: Geometry) -> list[tuple[np.ndarray, np.ndarray]]:
    """(voxels, affine) of each volume that is needed to hold a grid."""
    if geometry.uniform:
        return [(values, geometry.volume_affine())]
    return [(values[k : k + 1], geometry.ijk_to_lps[k]) for k in range(len(values))]


def _display(node, quantity: str, values: np.ndarray, outside: float, colours, *, sd: bool) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    low, high = usual_limits(quantity, sd=sd)
    inside = values[values != outside]
    display.SetAndObserveColorNodeID(colours.GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high)
    lowest = float(inside.min()) if inside.size else high
    display.AutoThresholdOff()
    display.SetThreshold(outside + 0.5 * (lowest - outside), 2 * max(abs(float(values.max())), abs(high)))
    display.ApplyThresholdOn()
    display.InterpolateOff()  # between a value and none there is no value


def _coded(code: Code):
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(code.value, code.scheme, code.meaning)
    return entry


def _plot(name: str, table, x: str, y: str, ink, *, dots: bool = False):
    node = the_scene().AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
    kind = slicer.vtkMRMLPlotSeriesNode
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetXColumnName(x)
    node.SetYColumnName(y)
    node.SetPlotType(kind.PlotTypeScatter)
    node.SetMarkerStyle(kind.MarkerStyleCircle if dots else kind.MarkerStyleNone)
    node.SetLineStyle(kind.LineStyleNone if dots else kind.LineStyleSolid)
    node.SetColor(*ink)
    return node
