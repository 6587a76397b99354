"""An analysis that lies in the scene: its maps as arrays, its tables, its voxels' curves, and its removal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import slicer
import vtk

from ..errors import InputError
from ..files.voxel_curves import VoxelCurves
from ..fit import Outcome
from ..geometry import Geometry
from ..polar import NAMES
from ..quantities import QUANTITIES
from ..settings import Method
from . import drawing
from .added import remove_nodes, subject_hierarchy
from .colours import Colours, colour_node, marked_node, shared_colours, show_segments
from .finished import Table
from .nodes import affine_of, called, lps_from_ras, parent_matrix, the_scene, values_of

KIND = "MyoPINN.analysis"
MODULE = "MyoPINNAnalysis"
STATE, REST = "MyoPINN.state", "rest"
_MAP, _SD = "map.", "sd."
_INPUTS = ("series", "segmentation")
_UNCOVERED = "MyoPINN.outlined"
_NEEDED = {  # role -> what it holds, for the user; without one of them nothing can be looked at
    "map.MBF": "map of MBF",
    "label": "map of its segments",
    "table.segments": "table of its segments",
    "table.curves": "table of its curves",
    "voxel_curves": "curves of its voxels",
    "voxel_clocks": "clocks of its voxels",
}
_HEAD = 5  # k, j, i, clock, outcome
_HALF = 0.5  # of a slice's distance to the next


def role_of_map(quantity: str, *, sd: bool = False) -> str:
    """The reference role of a map's volumes."""
    return (_SD if sd else _MAP) + quantity


def find_analyses() -> list[SceneAnalysis]:
    """All analyses of the scene, also those of a scene that was saved and opened again."""
    scene = the_scene()
    count = scene.GetNumberOfNodesByClass("vtkMRMLScriptedModuleNode")
    nodes = [scene.GetNthNodeByClass(n, "vtkMRMLScriptedModuleNode") for n in range(count)]
    return [SceneAnalysis(node) for node in nodes if node.GetAttribute(KIND)]


@dataclass(frozen=True)
class Voxel:
    """What is known of a voxel: ``index`` k, j, i; AHA ``segment`` (0: none) and its ``name``; ``time`` (t,) s,
    ``measured`` and ``fitted`` (t,) mM, with the frames left out as NaN; ``parameters`` by quantity, shown units, empty
    where the fit is not valid: then ``reason`` says why.
    """

    index: tuple[int, int, int]
    segment: int
    name: str
    time: np.ndarray
    measured: np.ndarray
    fitted: np.ndarray
    parameters: dict[str, float]
    reason: str


class SceneAnalysis:
    """The nodes of one analysis, held by its scripted-module ``node``. Arrays are read when asked for, then kept."""

    def __init__(self, node) -> None:
        self.node = node

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.GetName()

    @property
    def there(self) -> bool:
        """False once it was removed or the scene was closed."""
        return self.node.GetScene() is not None

    @property
    def method(self) -> str:
        """How the numbers were made, in a line."""
        return self.node.GetParameter("method")

    @property
    def method_name(self) -> str:
        """The name of the method alone, as the list of methods begins it."""
        value = str(self.settings["fit"]["method"])
        known = {method.value: method.label().split(":")[0] for method in Method}
        return known.get(value, value)

    @property
    def at_rest(self) -> bool:
        """True where it is known to be made of a rest series: no cut-off of flow under stress holds for it."""
        return self.node.GetAttribute(STATE) == REST

    @property
    def version(self) -> str:
        """The version of MyoPINN that made it."""
        return self.node.GetParameter("version")

    @property
    def settings(self) -> dict:
        """The settings in shown units, as ``settings_from_json`` reads them."""
        return json.loads(self.node.GetParameter("settings"))

    @property
    def summary(self) -> dict:
        """What ``result.json`` said: versions, seconds, warnings, outcomes."""
        return json.loads(self.node.GetParameter("summary"))

    @property
    def quantities(self) -> list[str]:
        """The quantities that there is a map of: the flow first, then in the order of ``QUANTITIES``."""
        return [name for name in sorted(QUANTITIES, key=lambda name: name != "MBF") if self._whole(role_of_map(name))]

    @property
    def nodes(self) -> dict[str, list]:
        """Role -> nodes, without those that the analysis was made of."""
        return {role: self._nodes(role) for role in self._roles() if role not in _INPUTS}

    def volumes(self, quantity: str, *, sd: bool = False) -> list:
        """The volume nodes of a map: one, or one a slice; [] where the method does not give the quantity."""
        return self._whole(role_of_map(quantity, sd=sd))

    @property
    def labels(self) -> list:
        """The label maps of the segments: one, or one a slice; [] where one is gone."""
        return self._whole("label")

    def check_whole(self) -> None:
        """Raises InputError where a node was removed without which the analysis cannot be looked at."""
        lost = [words for role, words in _NEEDED.items() if not self._whole(role)]
        if lost:
            raise InputError(
                f"{called(self.node)} has lost its {' and its '.join(lost)}.",
                "Remove what is left of it and compute the study again.",
            )

    @property
    def geometry(self) -> Geometry:
        """The grid of the maps, where the scene shows it."""
        parts = [(affine_of(node, parent_matrix(node)), values_of(node).shape) for node in self.volumes("MBF")]
        if not parts:
            raise InputError(f"{called(self.node)} has no map of MBF any more.", "Compute the study again.")
        affines = np.concatenate([Geometry.from_volume(*part).ijk_to_lps for part in parts])
        return Geometry(affines, (len(affines), *parts[0][1][1:]))

    @property
    def maps(self) -> dict[str, np.ndarray]:
        """Quantity -> (k, j, i), shown units, NaN outside the myocardium and where the fit is not valid."""
        return {quantity: self.map(quantity) for quantity in self.quantities}

    def map(self, quantity: str, *, sd: bool = False) -> np.ndarray:
        """One map (k, j, i), shown units, NaN where there is none; ``sd`` for its standard deviations."""
        nodes = self._volumes_or_raise(quantity, sd)
        values = np.concatenate([values_of(node) for node in nodes]).astype(float)
        outside = np.float32(nodes[0].GetAttribute(drawing.OUTSIDE) or 0.0)
        return np.where(values == outside, np.nan, values)

    @property
    def segments(self) -> Table:
        """The table of the AHA segments: column -> cells, numbers or words."""
        return self.table("segments")

    def table(self, role: str) -> Table:
        """A table by its role: "segments", "input", "curves" or "settings"."""
        node = self.node.GetNodeReference(f"table.{role}")
        if node is None:
            raise InputError(f"{called(self.node)} has no table of its {role}.", "Compute the study again.")
        table = node.GetTable()
        return {column.GetName(): _cells(column) for column in map(table.GetColumn, range(table.GetNumberOfColumns()))}

    @cached_property
    def label(self) -> np.ndarray:
        """AHA segment of each voxel (k, j, i), 0 where there is none."""
        nodes = self.labels
        if not nodes:
            raise InputError(f"{called(self.node)} has no map of its segments any more.", "Compute the study again.")
        return np.concatenate([values_of(node) for node in nodes]).astype(int)

    @cached_property
    def curves(self) -> VoxelCurves:
        """Measured and fitted curve of every voxel."""
        rows, clocks = (self.node.GetNodeReference(role) for role in ("voxel_curves", "voxel_clocks"))
        if rows is None or clocks is None:
            raise InputError(f"{called(self.node)} has no curves of its voxels any more.", "Compute the study again.")
        rows, (time, weight) = values_of(rows)[0], np.split(values_of(clocks)[0], 2)
        measured, fitted = np.split(rows[:, _HEAD:], 2, axis=1)
        head = rows[:, :_HEAD].astype(int)
        return VoxelCurves(head[:, :3], head[:, 3], head[:, 4], time, weight, measured, fitted)

    def voxel_at(self, ras) -> Voxel | None:
        """The voxel at a point of the scene (RAS mm); None outside the images and where nothing was fitted."""
        index = self.index_at(ras)
        return None if index is None else self.voxel(index)

    def slice_at(self, ras) -> int | None:
        """k of the slice whose plane is nearest to a point of the scene (RAS mm), however far aside; None between slices."""
        place = self._place(ras)
        if place is None:
            return None
        apart = np.abs(place[2])
        k = int(apart.argmin())
        return k if apart[k] <= _HALF else None

    def index_at(self, ras) -> tuple[int, int, int] | None:
        """k, j, i of the voxel at a point of the scene (RAS mm), of the nearest slice; None outside all of them."""
        place = self._place(ras)
        if place is None:
            return None
        x, y, n = place
        rows, columns = self.label.shape[1:]
        inside = (np.abs(n) <= 0.5) & (x >= -0.5) & (x < columns - 0.5) & (y >= -0.5) & (y < rows - 0.5)
        if not inside.any():
            return None
        k = int(np.where(inside, np.abs(n), np.inf).argmin())
        return k, int(np.floor(y[k] + 0.5)), int(np.floor(x[k] + 0.5))

    def _place(self, ras) -> np.ndarray | None:
        """x, y, n (3, k): a point of the scene (RAS mm) on the grid of each slice, where the maps lie now; None where they lie
        under a transform that bends space, or are gone.
        """
        try:
            to_voxels = np.linalg.inv(self.geometry.ijk_to_lps)
        except InputError:
            return None
        return (to_voxels @ np.append(lps_from_ras(ras), 1.0))[:, :3].T

    def voxel(self, index: tuple[int, int, int]) -> Voxel | None:
        """What is known of the voxel k, j, i; None where nothing was fitted."""
        k, j, i = map(int, index)
        row = self._rows.get((k, j, i))
        if row is None:
            return None
        curves, segment = self.curves, int(self.label[k, j, i])
        clock = curves.clock[row]
        left_out = curves.weight[clock] == 0
        measured, fitted = (np.where(left_out, np.nan, each[row]) for each in (curves.measured, curves.fitted))
        outcome = Outcome(int(curves.outcome[row]))
        parameters = {name: float(values[k, j, i]) for name, values in self._kept_maps.items()} if not outcome else {}
        known = {name: value for name, value in parameters.items() if np.isfinite(value)}
        return Voxel(
            (k, j, i), segment, NAMES.get(segment, ""), curves.time[clock], measured, fitted, known, outcome.reason
        )  # fmt: skip

    def segment_at(self, ras) -> int:
        """The AHA segment at a point of the scene (RAS mm), 0 where there is none."""
        index = self.index_at(ras)
        return 0 if index is None else int(self.label[index])

    def centre_of(self, segment: int) -> np.ndarray | None:
        """RAS mm of the voxel in the middle of a segment, for a jump of the slice views; None where it has no voxel."""
        voxels = np.argwhere(self.label == segment)
        if not len(voxels):
            return None
        nearest = voxels[((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1).argmin()]
        return lps_from_ras(self.geometry.to_lps(nearest[None])[0])

    def uncover(self) -> None:
        """Once in the life of an analysis: the segmentation that it was made of is left with its outline, so that its
        filling covers no map. Who fills it again keeps it filled.
        """
        segmentation = self.node.GetNodeReference("segmentation")
        display = segmentation and segmentation.GetDisplayNode()
        if display is not None and self.node.GetAttribute(_UNCOVERED) is None:
            self.node.SetAttribute(_UNCOVERED, "1")
            display.SetVisibility2DFill(False)

    def highlight(self, *segments: int) -> None:
        """Paint these segments in the label volumes of the analysis; none given: paint none."""
        paint = self.node.GetNodeReference("segment_colours")
        if paint is not None:
            show_segments(paint, segments)

    def chart_segments(self, numbers) -> None:
        """Let the chart of the segments show the curves of ``numbers``."""
        chart = self.node.GetNodeReference("chart.segments")
        if chart is not None:
            drawing.set_series(chart, [node for n in numbers for node in self._nodes(f"plot.segment.{int(n)}")])

    def colour(
        self, quantity: str, colours: Colours, *,
        limits: tuple[float, float] | None = None, sd: bool = False, cut_off: float | None = None,
    ) -> None:  # fmt: skip
        """Colours, and limits in the shown unit, of a map and its legend; what is below ``cut_off`` in one striking colour."""
        for volume in self.volumes(quantity, sd=sd):
            display = volume.GetDisplayNode()
            if limits is not None:
                display.SetWindowLevelMinMax(*limits)
            low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
            marked = cut_off is not None and low < cut_off
            node = marked_node(colours, (cut_off - low) / (high - low)) if marked else colour_node(colours)
            display.SetAndObserveColorNodeID(node.GetID())
            legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)
            if legend is not None:
                drawing.label_legend(legend, display)

    def limits(self, quantity: str, *, sd: bool = False) -> tuple[float, float]:
        """From which to which value, shown unit, the colours of a map run now."""
        display = self._volumes_or_raise(quantity, sd)[0].GetDisplayNode()
        return display.GetWindowLevelMin(), display.GetWindowLevelMax()

    def legend(self, quantity: str | None, *, sd: bool = False) -> None:
        """Show the colour legend of one map and take the others' away; None: all of them."""
        for each, of_sd in [(name, of_sd) for name in self.quantities for of_sd in (False, True)]:
            for volume in self.volumes(each, sd=of_sd):
                wanted = each == quantity and of_sd == sd
                node = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)
                if wanted and node is None:
                    node = drawing.legend(volume, each, sd=of_sd)
                elif not wanted and node is not None:
                    the_scene().RemoveNode(node)

    def remove(self) -> None:
        """Take the analysis out of the scene with all of its nodes and its folder; what it was made of stays."""
        if not self.there:
            return
        nodes = [node for each in self.nodes.values() for node in each]
        folder = self._folder()
        remove_nodes([*nodes, self.node])
        if folder and not subject_hierarchy().GetNumberOfItemChildren(folder):
            subject_hierarchy().RemoveItem(folder, False, False)
        if not find_analyses():
            remove_nodes(shared_colours())

    @cached_property
    def _rows(self) -> dict[tuple[int, int, int], int]:
        return {tuple(voxel): row for row, voxel in enumerate(self.curves.voxels.tolist())}

    @cached_property
    def _kept_maps(self) -> dict[str, np.ndarray]:
        return {name: values for name, values in self.maps.items() if name != "valid"}

    def _roles(self) -> list[str]:
        count = self.node.GetNumberOfNodeReferenceRoles()
        roles = [self.node.GetNthNodeReferenceRole(n) for n in range(count)]
        return [role for role in roles if self.node.GetNumberOfNodeReferences(role)]

    def _volumes_or_raise(self, quantity: str, sd: bool) -> list:
        nodes = self.volumes(quantity, sd=sd)
        if not nodes:
            what = f"the standard deviation of {quantity}" if sd else quantity
            raise InputError(f"There is no map of {what}.", f"There are: {', '.join(self.quantities)}.")
        return nodes

    def _nodes(self, role: str) -> list:
        count = self.node.GetNumberOfNodeReferences(role)
        nodes = (self.node.GetNthNodeReference(role, n) for n in range(count))
        return [node for node in nodes if node is not None]

    def _whole(self, role: str) -> list:
        """The nodes of a role, [] where one of several slices is gone: the scene keeps no gap where it was."""
        nodes = self._nodes(role)
        in_slices = role == "label" or role.startswith((_MAP, _SD))
        return [] if in_slices and len(nodes) < self._parts else nodes

    @property
    def _parts(self) -> int:
        """How many volumes hold a map: one, or one a slice."""
        return max(
            (len(self._nodes(role)) for role in self._roles() if role.startswith(_MAP) or role == "label"), default=0
        )

    def _folder(self) -> int:
        hierarchy = subject_hierarchy()
        items = (hierarchy.GetItemByDataNode(node) for role, nodes in self.nodes.items() for node in nodes)
        parents = [hierarchy.GetItemParent(item) for item in items if item]
        return next((item for item in parents if item and item != hierarchy.GetSceneItemID()), 0)


def _cells(column) -> list:
    if isinstance(column, vtk.vtkStringArray):
        return [column.GetValue(n) for n in range(column.GetNumberOfValues())]
    return [float(column.GetTuple1(n)) for n in range(column.GetNumberOfTuples())]
