"""A finished job as nodes of the scene, in one step: all of it or nothing.

Everything of one analysis lies under one folder of the subject hierarchy and hangs on one scripted-module node, which
names settings, method and version. So two analyses of a study stand side by side, and are found again in a saved scene.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import slicer

from ..files.voxel_curves import VoxelCurves
from ..quantities import QUANTITIES
from . import drawing
from .added import all_or_nothing, put_under, subject_hierarchy
from .analysis import KIND, MODULE, SceneAnalysis, role_of_map
from .colours import Colours, colour_node, segment_colours
from .finished import Finished, read_finished
from .nodes import the_scene
from .playing import browser_of

_DRAWN_EVERYWHERE = ("residual", "valid")
_TABLES = {"segments": "AHA segments", "input": "arterial input", "curves": "segment curves", "settings": "settings"}


def show_job(
    job: Path, *, name: str = "Perfusion", colours: Colours = Colours.ORDERED, series=(), segmentation=None
) -> SceneAnalysis:
    """The result of the job folder ``job`` in the scene; ``series`` nodes and ``segmentation`` are what it was made of.

    Raises InputError, with the scene as it was, where the result is not whole.
    """
    return show_finished(read_finished(job), name=name, colours=colours, series=series, segmentation=segmentation)


def show_finished(
    finished: Finished, *, name: str = "Perfusion", colours: Colours = Colours.ORDERED, series=(), segmentation=None
) -> SceneAnalysis:
    """A result that was read, in the scene: all of it or nothing."""
    with all_or_nothing():
        node = _anchor(the_scene().GenerateUniqueName(name), finished, series, segmentation)
        _Builder(node, finished, colours).build()
    analysis = SceneAnalysis(node)
    analysis.legend("MBF")  # slice views overlook a legend that comes in the midst of many nodes
    return analysis


def _anchor(name: str, finished: Finished, series, segmentation):
    """The node that the analysis hangs on."""
    node, summary = slicer.vtkMRMLScriptedModuleNode(), finished.summary
    node.SetName(name)
    node.SetModuleName(MODULE)
    node.SetAttribute(KIND, "1")
    the_scene().AddNode(node)  # node selectors look at attributes when a node comes, and not again
    node.SetParameter("method", summary["method"])
    node.SetParameter("version", str(summary.get("myopinn", "")))
    node.SetParameter("settings", json.dumps(summary["settings"]))
    node.SetParameter("settings_digest", str(summary.get("settings_digest", "")))
    node.SetParameter("summary", json.dumps({key: value for key, value in summary.items() if key != "outputs"}))
    for each in series:
        if each is not None and each.GetScene() is not None:
            node.AddNodeReferenceID("series", each.GetID())
    if segmentation is not None and segmentation.GetScene() is not None:
        node.SetNodeReferenceID("segmentation", segmentation.GetID())
    return node


class _Builder:
    """Adds the nodes of one analysis, keeps each under its role and puts it into the folder."""

    def __init__(self, node, finished: Finished, colours: Colours) -> None:
        self._node, self._finished, self._colours = node, finished, colour_node(colours)
        self._name = node.GetName()
        self._folder = _folder(node)

    def build(self) -> None:
        """Maps, segments, tables, charts, curves."""
        self._maps()
        tables = {role: self._keep(f"table.{role}", self._table(role, words)) for role, words in _TABLES.items()}
        self._charts(tables)
        self._curves(self._finished.curves)

    def _maps(self) -> None:
        found = self._finished
        for quantity, values in found.maps.items():
            where = found.fitted if quantity in _DRAWN_EVERYWHERE else found.valid
            name = f"{self._name} {quantity}"
            for volume in drawing.map_volumes(name, quantity, values, where, found.geometry, self._colours):
                self._keep(role_of_map(quantity), volume)
        for quantity, values in found.sd.items():
            name = f"{self._name} {quantity} SD"
            for volume in drawing.map_volumes(
                name, quantity, values, found.valid, found.geometry, self._colours, sd=True
            ):
                self._keep(role_of_map(quantity, sd=True), volume)
        paint = self._keep("segment_colours", segment_colours(f"{self._name} segment colours"))
        for volume in drawing.segment_volumes(f"{self._name} segments", found.label, found.geometry, paint):
            self._keep("label", volume)

    def _table(self, role: str, words: str):
        return drawing.table_node(f"{self._name} {words}", self._finished.tables[role])

    def _charts(self, tables: dict) -> None:
        blood = [self._keep("plot.input", each) for each in drawing.input_series(self._name, tables["input"])]
        self._keep("chart.input", drawing.chart(f"{self._name} arterial input chart", "Arterial input", blood))
        numbers = [
            int(title.split("_")[0]) for title in self._finished.tables["curves"] if title.endswith("_fitted_mM")
        ]
        for number in numbers:
            for each in drawing.segment_series(self._name, number, tables["curves"]):
                self._keep(f"plot.segment.{number}", each)
        self._keep("chart.segments", drawing.chart(f"{self._name} segment chart", "Curves of the AHA segments", []))
        SceneAnalysis(self._node).chart_segments(self._ends(numbers))

    def _ends(self, numbers: list[int]) -> list[int]:
        """The segments with the lowest and the highest flow: what a chart shows before anyone chooses."""
        table = self._finished.tables["segments"]
        column = f"{QUANTITIES['MBF'].column}_median"
        flows = dict(zip(map(int, table["segment"]), table.get(column, []), strict=False))
        known = [number for number in numbers if np.isfinite(flows.get(number, np.nan))]
        return sorted({min(known, key=flows.get), max(known, key=flows.get)}) if known else numbers[:1]

    def _curves(self, curves: VoxelCurves) -> None:
        """Rows k j i clock outcome, measured, fitted; and the clocks with their weights below them."""
        rows = np.column_stack([curves.voxels, curves.clock, curves.outcome, curves.measured, curves.fitted])
        clocks = np.concatenate([curves.time, curves.weight])
        self._keep("voxel_curves", drawing.hidden_array(f"{self._name} voxel curves", rows[None].astype(np.float32)))
        self._keep("voxel_clocks", drawing.hidden_array(f"{self._name} voxel clocks", clocks[None].astype(float)))

    def _keep(self, role: str, node):
        self._node.AddNodeReferenceID(role, node.GetID())
        if not node.GetHideFromEditors() and not node.IsA("vtkMRMLColorNode"):
            put_under(self._folder, node)
        return node


def _folder(node) -> int:
    """A new folder beside the study's images, or at the top of the scene."""
    hierarchy = subject_hierarchy()
    series = node.GetNodeReference("series")
    browser = browser_of(series) if series is not None else None
    shown = browser.GetProxyNode(series) if browser is not None else series
    item = hierarchy.GetItemByDataNode(shown) if shown is not None else 0
    parent = hierarchy.GetItemParent(item) if item else hierarchy.GetSceneItemID()
    return hierarchy.CreateFolderItem(parent or hierarchy.GetSceneItemID(), node.GetName())
