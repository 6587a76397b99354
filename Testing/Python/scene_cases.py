"""A scene of Slicer's own C++ without the desktop, and a small heart in it, for all tests of ``MyoPINNLib.scene``."""

from __future__ import annotations

import types
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import slicer
import vtk

from MyoPINNLib.geometry import Geometry
from MyoPINNLib.series import Masks, PerfusionSeries
from MyoPINNLib.simulate.chest import Grid
from MyoPINNLib.simulate.phantom import make_phantom
from MyoPINNLib.simulate.recipes import Preset, recipe

_LOGICS = {
    "Volumes": "vtkSlicerVolumesLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Colors": "vtkSlicerColorLogic",
    "Units": "vtkSlicerUnitsLogic",
}


def new_scene(folder: Path):
    """An empty scene with Slicer's application logic; ``slicer.mrmlScene`` is it from then on."""
    scene, app = slicer.vtkMRMLScene(), slicer.vtkSlicerApplicationLogic()
    app.SetMRMLScene(scene)
    app.GetColorLogic().SetMRMLScene(scene)
    app.SetSliceLogics(vtk.vtkCollection())
    app.SetViewLogics(vtk.vtkCollection())
    logics = {}
    for name, kind in _LOGICS.items():
        logic = getattr(slicer, kind)()
        if hasattr(logic, "SetModuleShareDirectory"):
            logic.SetModuleShareDirectory(str(folder))
        logic.SetMRMLApplicationLogic(app)
        logic.SetMRMLScene(scene)
        app.SetModuleLogic(name, logic)
        logics[name] = logic
    _data_io(scene, app, folder, logics)
    slicer.mrmlScene = scene
    slicer.app = types.SimpleNamespace(applicationLogic=lambda: app, mrmlScene=lambda: scene)
    slicer.modules = types.SimpleNamespace(
        **{name.lower(): types.SimpleNamespace(logic=lambda logic=logic: logic) for name, logic in logics.items()}
    )
    return scene


def _data_io(scene, app, folder: Path, logics: dict) -> None:
    """What reading and writing of a bundle (.mrb) needs."""
    remote, io = slicer.vtkMRMLRemoteIOLogic(), slicer.vtkDataIOManagerLogic()
    remote.GetCacheManager().SetRemoteCacheDirectory(str(folder))
    io.SetMRMLApplicationLogic(app)
    io.SetAndObserveDataIOManager(remote.GetDataIOManager())
    scene.SetCacheManager(remote.GetCacheManager())
    scene.SetDataIOManager(remote.GetDataIOManager())
    remote.SetMRMLScene(scene)
    logics |= {"RemoteIO": remote, "DataIO": io}
    scene.application = app  # lives as long as the scene


@dataclass(frozen=True)
class Study:
    """Images, masks and insertion of a heart whose flow is known; ``flow`` (k, j, i) mL/s/g."""

    series: PerfusionSeries
    masks: Masks
    insertion: tuple
    flow: np.ndarray


def a_heart(*, oblique: bool = False, tilted: bool = False, shared_clock: bool = False) -> Study:
    """A small noise-free phantom: turned in space, with slices that are not parallel, with one clock for all slices."""
    how = replace(recipe(Preset.FAST), grid=Grid(size=64, fine=2), frames=36)
    if shared_clock:
        how = replace(how, offsets=(0.0, 0.0, 0.0))
    phantom = make_phantom(how, seed=1, noise=False)
    turn = rotation((1.0, -2.0, 0.5), 0.45) if oblique else np.eye(4)
    affines = turn @ phantom.series.geometry.ijk_to_lps
    insertion = [(turn @ np.append(point, 1.0))[:3] for point in phantom.insertion_lps]
    if tilted:
        affines[2] = rotation((1.0, 0.0, 0.0), 0.1) @ affines[2]
        insertion = insertion[:2]
    geometry = Geometry(affines, phantom.series.geometry.shape)
    series, masks = replace(phantom.series, geometry=geometry), replace(phantom.masks, geometry=geometry)
    return Study(
        series,
        masks,
        tuple(tuple(map(float, point)) for point in insertion),
        phantom.truth["MBF"],
    )


def rotation(axis, angle: float) -> np.ndarray:
    """(4, 4): a turn about ``axis`` by ``angle`` rad."""
    x = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -x[2], x[1]], [x[2], 0, -x[0]], [-x[1], x[0], 0]])
    turn = np.eye(4)
    turn[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turn
