"""slicer.ScriptedLoadableModule and slicer.i18n: what a module's classes derive from, and its translation.

Checked against Slicer's Base/Python/slicer/ScriptedLoadableModule.py and i18n.py. VTKObservationMixin is slicer-core's.
"""

from __future__ import annotations

import logging
import sys
import unittest
from pathlib import Path
from types import ModuleType

import slicer
import slicer.util

from . import node_widgets  # noqa: F401  slicer.qMRMLWidget
from .ctk_widgets import kept
from .pythonqt import qt, widget


def translate(context: str, text: str) -> str:
    return slicer.app.translate(context, text)


def tr(text: str) -> str:
    return translate("", text)


def _resource(path: str, name: str) -> str:
    return str(Path(path).parent / "Resources" / name)


class ScriptedLoadableModule:
    """What Slicer reads of a module when it starts; ``parent`` is the qSlicerScriptedLoadableModule."""

    def __init__(self, parent) -> None:
        super().__init__()
        self.parent, self.moduleName = parent, type(self).__name__
        parent.title, parent.helpText, parent.acknowledgementText = "", "", ""
        parent.categories, parent.dependencies, parent.contributors = [], [], []
        icons = [self.resourcePath(f"Icons/{self.moduleName}{ending}") for ending in (".svg", ".png")]
        parent.icon = next((qt.QIcon(icon) for icon in icons if Path(icon).is_file()), None)
        slicer.selfTests = {**getattr(slicer, "selfTests", {}), self.moduleName: self.runTest}

    def resourcePath(self, filename: str) -> str:
        return _resource(self.parent.path, filename)

    def runTest(self, msec: int = 100, **named) -> None:
        test = getattr(sys.modules[self.__module__], f"{self.moduleName}Test")()
        test.messageDelay = msec
        test.runTest(**named)


@widget
class qSlicerScriptedLoadableModuleWidget(slicer.qMRMLWidget):
    """The panel that Slicer gives to a module's widget; ``self()`` is that widget."""

    isEntered = kept(bool, "_entered", False)
    _made = None

    def self(self):
        return self._made

    def reload(self) -> None:
        """A new widget of the file that was read again, in the same panel."""
        name = self._made.moduleName
        self._made = getattr(sys.modules[name], f"{name}Widget")(self)
        setattr(slicer.modules, f"{name}Widget", self._made)
        self._made.setup()

    def enter(self) -> None:
        """The user opens the module."""
        self.isEntered = True
        getattr(self._made, "enter", lambda: None)()

    def exit(self) -> None:
        """The user opens another module."""
        self.isEntered = False
        getattr(self._made, "exit", lambda: None)()


def panel():
    """An empty panel with the scene."""
    panel = qSlicerScriptedLoadableModuleWidget()
    panel.setLayout(qt.QVBoxLayout())
    panel.setMRMLScene(slicer.mrmlScene)
    return panel


class ScriptedLoadableModuleWidget:
    """The module's panel: ``parent`` is the qMRMLWidget it fills, ``layout`` that one's layout."""

    def __init__(self, parent=None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = parent or panel()
        self.layout, self.developerMode = self.parent.layout(), False
        if parent is None:
            self.setup()
            self.parent.show()

    def resourcePath(self, filename: str) -> str:
        return _resource(slicer.util.modulePath(self.moduleName), filename)

    def setup(self) -> None:
        """Slicer adds its developer's buttons here in developer mode, which the harness has not."""

    def onReload(self) -> None:
        """The developer's button."""
        slicer.util.reloadScriptedModule(self.moduleName)

    def cleanup(self) -> None:
        """Called when the module is unloaded."""


class ScriptedLoadableModuleLogic:
    """Computation without widgets; its parameter node is a singleton of the scene unless said otherwise."""

    def __init__(self, parent=None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self):
        found = None
        if self.isSingletonParameterNode:
            found = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        elif self.getAllParameterNodes():
            found = self.getAllParameterNodes()[0]
        node = found or slicer.mrmlScene.AddNode(self.createParameterNode())
        if node.GetAttribute("ModuleName") != self.moduleName:  # closing the scene empties a singleton
            node.SetAttribute("ModuleName", self.moduleName)
        return node

    def getAllParameterNodes(self) -> list:
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self):
        node = slicer.vtkMRMLScriptedModuleNode()
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """The module's self test."""

    def __init__(self, *given, **named) -> None:
        super().__init__(*given, **named)
        super(unittest.TestCase, self).__init__()  # a mixin's, which unittest would leave out

    def delayDisplay(self, message: str, requestedDelay=None, msec=None) -> None:
        """Say ``message`` in a window, as long as ``messageDelay`` (ms) says; below 400 ms no window comes."""
        wanted = [getattr(self, "messageDelay", None), msec, requestedDelay, 100]
        slicer.util.delayDisplay(message, next(each for each in wanted if each is not None))

    def runTest(self) -> None:
        logging.warning("%s has no test", type(self).__name__)


def publish() -> None:
    """Make ``from slicer.ScriptedLoadableModule import *`` and ``from slicer.i18n import tr, translate`` work."""
    base, words = ModuleType("slicer.ScriptedLoadableModule"), ModuleType("slicer.i18n")
    for kind in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    ):
        setattr(base, kind.__name__, kind)
    base.__all__ = [name for name in vars(base) if name.startswith("Scripted")]
    words.tr, words.translate = tr, translate
    for made in (base, words):
        sys.modules[made.__name__] = made
        setattr(slicer, made.__name__.rpartition(".")[2], made)
