"""The part of qSlicerCoreApplication that has no window: one scene, the application logic and the modules' logics.

    application = core_application()            # once a process; slicer.app, slicer.mrmlScene and slicer.modules exist
    slicer.modules.volumes.logic()              # vtkSlicerVolumesLogic of that scene

Everything below the names is Slicer's own C++ from the slicer-core wheel; only what qSlicerCoreApplication wires
together in C++ (logics, data transfer, colours, orientation presets) is wired here.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

from .libraries import require

require("slicer")

import slicer  # noqa: E402
import slicer.util  # noqa: E402
import vtk  # noqa: E402

# Module name -> the class of its logic, in the order in which they may need each other.
LOGICS = {
    "Units": "vtkSlicerUnitsLogic",
    "Colors": "vtkSlicerColorLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
}

# Nodes for which Slicer's subject hierarchy has a plugin, among those this project makes.
IN_HIERARCHY = (
    "vtkMRMLVolumeNode",
    "vtkMRMLSegmentationNode",
    "vtkMRMLMarkupsNode",
    "vtkMRMLModelNode",
    "vtkMRMLTransformNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
    "vtkMRMLPlotChartNode",
)


def _version() -> tuple[int, int, int]:
    """(major, minor, Slicer's revision) of the slicer-core wheel."""
    major, minor, revision = version("slicer-core").split(".")[:3]
    return int(major), int(minor), int(revision)


@contextmanager
def _quiet():
    """The wheel carries no colour files and no terminologies; Slicer's errors about that say nothing of a test."""
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    try:
        yield
    finally:
        vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_ERROR)


class Settings:
    """QSettings' few calls without Qt: what a test writes ends with the process and never reaches the user's own."""

    def __init__(self, folder: Path) -> None:
        self._values: dict[str, object] = {}
        self._file = folder / "Slicer.ini"

    def fileName(self) -> str:
        return str(self._file)

    def clear(self) -> None:
        self._values.clear()

    def value(self, key: str, default: object = None) -> object:
        return self._values.get(key, default)

    def setValue(self, key: str, value: object) -> None:
        self._values[key] = value

    def contains(self, key: str) -> bool:
        return key in self._values

    def remove(self, key: str) -> None:
        self._values.pop(key, None)


class CoreApplication:
    """``slicer.app`` as far as it has no window. ``folder`` takes caches and temporary files, and nothing else does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settings = Settings(folder)
        self._scene = slicer.vtkMRMLScene()
        self._logic = slicer.vtkSlicerApplicationLogic()
        with _quiet():
            self._wire_scene()
            self._logics = {name: self._module_logic(name, getattr(slicer, kind)()) for name, kind in LOGICS.items()}
        self._wire_transfer()
        self.prepare_scene()
        self._scene.AddObserver(self._scene.NodeAddedEvent, self._place)

    # What modules ask of slicer.app, under Slicer's names.
    def mrmlScene(self):
        return self._scene

    def applicationLogic(self):
        return self._logic

    def moduleLogic(self, name: str):
        return self._logics[name]

    def settings(self):
        return self._settings

    def userSettings(self):
        return self._settings

    revisionUserSettings = userSettings

    @property
    def temporaryPath(self) -> str:
        return str(self._folder)

    @property
    def cachePath(self) -> str:
        return str(self._folder / "cache")

    slicerHome = str(Path(sys.prefix))

    @property
    def applicationVersion(self) -> str:
        return ".".join(str(part) for part in _version())

    majorVersion = property(lambda self: _version()[0])
    minorVersion = property(lambda self: _version()[1])

    def testingEnabled(self) -> bool:
        return True

    def translate(self, _context: str, text: str) -> str:
        return text

    def pauseRender(self) -> None:
        """The harness renders on request only, so there is nothing to pause."""

    def resumeRender(self) -> None:
        """See pauseRender."""

    # The wiring that qSlicerCoreApplication does in C++.
    def _wire_scene(self) -> None:
        self._logic.SetMRMLScene(self._scene)
        self._logic.SetTemporaryPath(str(self._folder))
        self._logic.SetSliceLogics(vtk.vtkCollection())
        self._logic.SetViewLogics(vtk.vtkCollection())
        colours = self._logic.GetColorLogic()
        colours.SetMRMLScene(self._scene)
        colours.AddDefaultColorNodes()

    def _module_logic(self, name: str, logic):
        if hasattr(logic, "SetModuleShareDirectory"):
            logic.SetModuleShareDirectory(str(self._folder))
        logic.SetMRMLApplicationLogic(self._logic)
        logic.SetMRMLScene(self._scene)
        self._logic.SetModuleLogic(name, logic)
        return logic

    def _wire_transfer(self) -> None:
        """Remote and data input/output, without which a scene neither writes nor reads an .mrb."""
        cache = self._folder / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        self._remote = slicer.vtkMRMLRemoteIOLogic()
        manager = self._remote.GetDataIOManager()
        self._remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
        self._transfer = slicer.vtkDataIOManagerLogic()
        self._transfer.SetMRMLApplicationLogic(self._logic)
        self._transfer.SetAndObserveDataIOManager(manager)
        self._scene.SetCacheManager(self._remote.GetCacheManager())
        self._scene.SetDataIOManager(manager)
        self._remote.SetMRMLScene(self._scene)

    def prepare_scene(self) -> None:
        """What every scene of Slicer holds from its start: orientations, a subject hierarchy, the selection."""
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self._scene, True)
        slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        self._logic.GetSelectionNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _place(self, _scene, _event, node) -> None:
        """Slicer's Qt plugins give each node a user can see an item of the subject hierarchy; so does this."""
        if any(node.IsA(kind) for kind in IN_HIERARCHY) and not node.GetHideFromEditors():
            hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
            if not hierarchy.GetItemByDataNode(node) and not self._scene.IsImporting():
                hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)

    def publish(self) -> None:
        """Set the names under which modules reach the application."""
        slicer.app = self
        slicer.mrmlScene = self._scene
        slicer.modules = SimpleNamespace()
        for name, logic in self._logics.items():
            setattr(slicer.modules, name.lower(), SimpleNamespace(name=name, logic=lambda logic=logic: logic))


def core_application() -> CoreApplication:
    """The one application of this process, made at the first call; the desktop, where that runs already."""
    running = getattr(slicer, "app", None)
    if isinstance(running, CoreApplication):
        return running
    application = CoreApplication(Path(tempfile.mkdtemp(prefix=f"myopinn-harness-{os.getpid()}-")))
    application.publish()
    return application


def close_scene() -> None:
    """File > Close scene: every node but the singletons goes, and the application's own nodes come back."""
    slicer.mrmlScene.Clear(False)
    slicer.app.prepare_scene()
