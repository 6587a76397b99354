"""Analyses that a person looks at in the module: small hearts of every kind, computed once a process, opened by clicks."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from pathlib import Path

import numpy as np
import slicer
from module_cases import Module
from scene_cases import FERMI, Study, a_heart

from MyoPINNLib import cli
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.gui.layout import PLOT, TABLE
from MyoPINNLib.scene import SceneAnalysis, add_study, show_job, write_job
from MyoPINNLib.scene.nodes import lps_from_ras
from Testing.SlicerHarness.clicks import choose, click, move_in_slice


class Heart(Enum):
    """The hearts of these tests."""

    UPRIGHT = "upright"
    OBLIQUE = "oblique"
    TILTED = "tilted"
    ONE_SLICE = "one slice"
    SIX_SLICES = "six slices"

    @property
    def settings(self):
        """Fermi where the maps beside MBF do not matter, else the module's usual method."""
        return None if self is Heart.UPRIGHT else FERMI


@dataclass(frozen=True)
class Looked:
    """What is looked at: the ``analysis``, the ``study`` it was made of (None where only the analysis is in the scene)."""

    analysis: SceneAnalysis
    study: object

    def ras(self, k: int, j: int, i: int, aside=(0.0, 0.0)) -> np.ndarray:
        """RAS mm of a voxel, ``aside`` columns and rows from its middle."""
        place = [i + aside[0], j + aside[1], 0.0, 1.0]
        return lps_from_ras((self.analysis.geometry.ijk_to_lps[k] @ place)[:3])

    def voxel_of(self, segment: int) -> tuple[int, int, int]:
        """The voxel k, j, i in the middle of a segment."""
        return self.analysis.index_at(self.analysis.centre_of(segment))


@cache
def heart(kind: Heart) -> Study:
    """Images and masks of a heart."""
    whole = a_heart(oblique=kind is Heart.OBLIQUE, tilted=kind is Heart.TILTED)
    slices = {Heart.ONE_SLICE: [1], Heart.SIX_SLICES: [0, 0, 1, 1, 2, 2]}.get(kind)
    return whole if slices is None else _of_slices(whole, slices)


def _of_slices(whole: Study, slices: list[int]) -> Study:
    """A heart of some of the slices, those that come twice half a distance apart."""
    affines = whole.series.geometry.ijk_to_lps[slices].copy()
    apart = whole.series.geometry.ijk_to_lps[1] - whole.series.geometry.ijk_to_lps[0]
    for n in range(1, len(slices)):
        if slices[n] == slices[n - 1]:
            affines[n] += 0.5 * apart
    geometry = Geometry(affines, (len(slices), *whole.series.geometry.shape[1:]))
    series = replace(
        whole.series,
        signal=whole.series.signal[:, slices],
        time=whole.series.time[slices],
        weight=None,
        geometry=geometry,
    )
    names = ("myocardium", "blood_pool", "right_ventricle")
    parts = {name: each[slices] for name in names if (each := getattr(whole.masks, name)) is not None}
    points = [whole.insertion[k] for k in sorted(set(slices))]
    return Study(series, replace(whole.masks, geometry=geometry, **parts), tuple(points), whole.flow[slices])


@cache
def job_of(kind: Heart) -> Path:
    """The finished job of a heart, computed once; no scene hears of it."""
    study, folder = heart(kind), Path(tempfile.mkdtemp(prefix="myopinn-review-")) / "job"
    write_job(folder, study.series, study.masks, kind.settings, insertion=study.insertion)
    assert cli.main(["run", str(folder), "--quiet"]) == 0
    return folder


def open_analysis(module: Module, kind: Heart, *names: str) -> list[Looked]:
    """A study with one analysis of each of ``names`` in the scene; the first is chosen by a click and looked at."""
    job = job_of(kind)
    study = add_study(heart(kind).series, "Stress perfusion")
    found = [Looked(show_job(job, name=name, series=study.nodes), study) for name in names or ("Stress",)]
    if module.ui.reviewSection.collapsed:
        click(module.ui.reviewSection)
    choose(module.ui.analysisSelector, found[0].analysis.name)
    click(module.ui.layoutButton)
    for _ in range(3):  # the panel takes its width, the views theirs, and what they show is drawn
        slicer.app.processEvents()
    return found


def view_of(looked: Looked, k: int):
    """The slice view that shows slice k, and its widget's name."""
    names = [name for name in ("Red", "Yellow", "Green") if _plane_holds(name, looked.ras(k, 32, 32))]
    assert names, f"slice {k} is in no view"
    return slicer.app.layoutManager().sliceWidget(names[0]).sliceView()


def _plane_holds(name: str, ras) -> bool:
    view = slicer.app.layoutManager().sliceWidget(name).sliceView()
    return view.isVisible() and abs(view.convertRASToXYZ(ras)[2]) < 0.01


def move_over(looked: Looked, voxel: tuple[int, int, int], aside=(0.0, 0.0)) -> None:
    """The mouse over a voxel, in the view that shows its slice."""
    move_in_slice(view_of(looked, voxel[0]), looked.ras(*voxel, aside))


def on_screen(looked: Looked, voxel: tuple[int, int, int], aside=(0.0, 0.0)) -> np.ndarray:
    """(3,) red, green, blue from 0 to 1 that the view shows at a voxel."""
    view = view_of(looked, voxel[0])
    x, y, _ = view.convertRASToXYZ(looked.ras(*voxel, aside))
    picture = view.grab().toImage()
    colour = picture.pixelColor(round(x), picture.height() - 1 - round(y))
    return np.array([colour.redF(), colour.greenF(), colour.blueF()])


def map_words(a_module, quantity: str) -> str:
    box = a_module.ui.quantitySelector
    return next(box.itemText(n) for n in range(box.count) if box.itemData(n) == quantity)


def bulls_eye(a_module):
    """What the bull's-eye shows."""
    return a_module.panel.review.bullseye.bullseye.content


def perfusion_view(kind: str, tag: str):
    """A view of the perfusion layout; the first of its kind may be one of another layout."""
    node = slicer.mrmlScene.GetSingletonNode(tag, kind)
    return slicer.app.layoutManager().viewWidget(node)


def shown_chart():
    """The chart that the layout's plot view shows."""
    return perfusion_view("vtkMRMLPlotViewNode", PLOT).mrmlPlotViewNode().GetPlotChartNode()


def table_rows() -> list[dict[str, str]]:
    """The rows of the table view, by column."""
    node = perfusion_view("vtkMRMLTableViewNode", TABLE).tableView().mrmlTableNode()
    names = [node.GetColumnName(n) for n in range(node.GetNumberOfColumns())]
    return [{name: node.GetCellText(row, n) for n, name in enumerate(names)} for row in range(node.GetNumberOfRows())]


def shown_in(looked, k: int):
    """The map that the view of slice k shows."""
    composite = slicer.app.applicationLogic().GetSliceLogic(view_of(looked, k).mrmlSliceNode()).GetSliceCompositeNode()
    return slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID())
