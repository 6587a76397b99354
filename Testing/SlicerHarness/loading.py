"""Loads a scripted module as qSlicerScriptedLoadableModule does, and a .ui file as Slicer's QUiLoader does.

    loaded = load_module(ROOT / "MyoPINN" / "MyoPINN.py")     # needs slicer.app; importing this file makes qt, ctk, ...
    loaded.panel.enter()                                      # or slicer.util.selectModule("MyoPINN") on the desktop
    loaded.widget.ui.applyButton.click()
    unload(loaded)

A .ui file that names a class, a property, a signal or a slot which the harness lacks is refused: in Slicer such a typing
error only prints a warning.
"""

from __future__ import annotations

import importlib.util
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import slicer
import slicer.util
from PySide6 import QtCore, QtUiTools

from . import ctk_widgets, module_base, node_widgets, parameter_node  # noqa: F401  their classes stand in ctk and slicer
from .pythonqt import REGISTERED, qt, widget

module_base.publish()
slicer.parameterNodeWrapper = sys.modules["slicer.parameterNodeWrapper"] = parameter_node.module()


@widget
class QUiLoader(QtUiTools.QUiLoader):
    """Makes the harness's classes, and each connection through the Python objects on both ends."""

    def load(self, device, parent=None):
        root, self._kept, self._unknown = ET.fromstring(bytes(device.readAll().data())), [], []
        connections = root.find("connections")
        wanted = list(connections) if connections is not None else []
        for connection in wanted:
            connections.remove(connection)
        _enums_to_numbers(root)
        buffer = QtCore.QBuffer()
        buffer.setData(ET.tostring(root))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        top = QtUiTools.QUiLoader.load(self, buffer, parent)
        if self._unknown:
            raise ValueError(f"the .ui file uses {', '.join(self._unknown)}, which the harness does not have")
        top._kept = self._kept  # PySide6 would forget the Python side of widgets that nobody holds
        named = {each.name: each for each in [top, *top.findChildren()] if each.name}
        _check_properties(root, named)
        for connection in wanted:
            sender, signal, receiver, slot = (connection.findtext(k) for k in ("sender", "signal", "receiver", "slot"))
            named[sender].connect(signal, named[receiver], slot)
        return top

    def createWidget(self, kind: str, parent=None, name: str = ""):
        known = REGISTERED.get(kind) or getattr(qt, kind, None)
        if known is None:
            if kind != "Line":
                self._unknown.append(kind)
            return QtUiTools.QUiLoader.createWidget(self, "Line" if kind == "Line" else "QWidget", parent, name)
        made = known(parent)
        made.name = name
        self._kept.append(made)
        return made


qt.QUiLoader = QUiLoader


def _enums_to_numbers(root) -> None:
    """An enum of a class of the harness, such as ctkPathLineEdit::Dirs, as its number: Qt cannot look it up."""
    for value in root.iter():
        kind, _, _ = (value.text or "").partition("::")
        if value.tag in ("set", "enum") and kind in REGISTERED:
            number = 0
            for part in value.text.split("|"):
                number |= int(getattr(REGISTERED[kind], part.rpartition("::")[2]))
            value.tag, value.text = "number", str(number)


def _check_properties(root, named: dict) -> None:
    for element in root.iter("widget"):
        made = named.get(element.get("name"))
        for item in element.findall("property") if element.get("class") != "Line" else ():
            if item.get("stdset") != "0" and made.metaObject().indexOfProperty(item.get("name")) < 0:
                raise ValueError(f"{made.className()} {made.name} has no property {item.get('name')}")


@dataclass(frozen=True)
class Loaded:
    """A module in use: its Python file, its instance, its widget and the panel that the widget fills."""

    source: ModuleType
    instance: object
    widget: object
    panel: object


def start_module(path: Path | str):
    """What Slicer does at its start: import the file and make NAME; slicer.modules then has name and NAMEInstance."""
    path = Path(path)
    name = path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    source = importlib.util.module_from_spec(spec)
    sys.modules[name] = source
    spec.loader.exec_module(source)
    parent = SimpleNamespace(name=name, path=str(path))
    setattr(slicer.modules, name.lower(), parent)
    instance = getattr(source, name)(parent)
    setattr(slicer.modules, f"{name}Instance", instance)
    return source, instance


def load_module(path: Path | str) -> Loaded:
    """Start the module, make its NAMEWidget too and call setup(); slicer.modules then also has NAMEWidget."""
    source, instance = start_module(path)
    panel = module_base.panel()
    instance.parent.widgetRepresentation = lambda: panel
    panel._made = getattr(source, f"{source.__name__}Widget")(panel)
    setattr(slicer.modules, f"{source.__name__}Widget", panel._made)
    panel._made.setup()
    return Loaded(source, instance, panel._made, panel)


def unload(loaded: Loaded) -> None:
    """What happens when Slicer ends: the module is left, cleaned up, its panel deleted, and its names are gone."""
    if loaded.panel.isEntered:
        loaded.panel.exit()
    loaded.widget.cleanup()
    loaded.panel._made, name = None, loaded.source.__name__
    for each in (name.lower(), f"{name}Instance", f"{name}Widget"):
        delattr(slicer.modules, each)
    loaded.panel.setParent(None)
    loaded.panel.deleteLater()
    qt.QCoreApplication.sendPostedEvents(loaded.panel, qt.QEvent.DeferredDelete)
    del sys.modules[name]
