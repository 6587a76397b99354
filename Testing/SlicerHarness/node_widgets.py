"""The widgets of qMRMLWidgets that choose nodes and segments, over real MRML and a QComboBox.

Checked against Slicer's Libs/MRML/Widgets (qMRMLNodeComboBox, qMRMLSegmentSelectorWidget, qMRMLCheckableNodeComboBox);
its habits are kept, the odd ones too: a selector is disabled until it has a scene; a rename says currentNodeChanged
again; removing the current node makes the next one current, after the last one the new last one, and only then None;
a segment selector without a segmentation still gives the last segment; the end of an import clears all check boxes.
"""

from __future__ import annotations

import weakref

import shiboken6
import slicer
import vtk
from PySide6.QtCore import Property, Signal

from .ctk_widgets import _of, kept, row
from .pythonqt import ctk, qt, widget

ACTION = qt.Qt.UserRole + 1
SCENE = slicer.vtkMRMLScene


NODE_EVENTS = (SCENE.NodeAddedEvent, SCENE.NodeAboutToBeRemovedEvent)  # the ones that carry a node


def observe(subject, event, method) -> tuple:
    """Have VTK call ``method(node or None)`` as long as its widget lives; (subject, tag)."""
    held = weakref.WeakMethod(method)

    def call(_caller, _event, node=None):
        method = held()
        if method is not None and shiboken6.isValid(method.__self__):
            method(node)

    if event in NODE_EVENTS:
        call.CallDataType = vtk.VTK_OBJECT
    return subject, subject.AddObserver(event, call)


@widget
class qMRMLWidget(qt.QWidget):
    """A widget with a scene."""

    mrmlSceneChanged = Signal(object)
    _scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


@widget
class qMRMLNodeComboBox(qMRMLWidget):
    """Chooses one node of ``nodeTypes``. Rows: None, if enabled; the nodes in the scene's order; the actions."""

    currentNodeChanged = Signal((object,), (bool,))
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    nodeAboutToBeEdited = Signal(object)
    currentNodeRenamed = Signal(str)
    _make_box = ctk.ctkComboBox

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._box, self._watched, self._busy, self._asked = self._make_box(self), {}, False, ""
        self._box.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        self._filters, self._before = {}, ""
        row(self, self._box)
        self._box.currentTextChanged.connect(self._emit)
        self._box.activated.connect(self._activated)
        self._rows()
        self.enabled = False

    def setMRMLScene(self, scene) -> None:
        if scene is self._scene:
            return
        wanted = self.currentNodeID or self._asked
        for name in list(self._watched):
            self._unwatch(name)
        if scene:
            self._watched["arrival"] = observe(scene, SCENE.NodeAddedEvent, self._come)
            self._watched["closed"] = observe(scene, SCENE.EndCloseEvent, self._sync)
            self._watched["imported"] = observe(scene, SCENE.EndImportEvent, self._anew)
            self._watched["removal"] = observe(scene, SCENE.NodeAboutToBeRemovedEvent, self._leave)
        self._busy = True
        super().setMRMLScene(scene)
        self._rows()
        self._busy, first = False, self.nodeFromIndex(0)
        self.setCurrentNodeID(wanted or (first.GetID() if first and not self.noneEnabled else ""))
        self.enabled = scene is not None

    def _accepts(self, node) -> bool:
        kinds = [kind for kind in self.nodeTypes if node.IsA(kind)] if self.nodeTypes else [""]
        if not self.showChildNodeTypes:
            kinds = [kind for kind in kinds if kind == node.GetClassName()]
        if not kinds or (node.GetHideFromEditors() and not self.showHidden):
            return False
        name, value = self._filters.get(kinds[0], (None, None))
        return not name or (node.GetAttribute(name) is not None and value in (None, node.GetAttribute(name)))

    def _rows(self) -> None:
        """Make all rows anew and keep the current node."""
        current, busy, self._busy = self.currentNodeID, self._busy, True
        self._box.clear()
        label = self.nodeTypeLabel(self.nodeTypes[0] if len(self.nodeTypes) == 1 else "")
        if self.noneEnabled:
            self._box.addItem(self.noneDisplay, "")
        actions = [("Rename current", self.renameCurrentNode)] * self.renameEnabled
        actions += [("Edit current", lambda: self.nodeAboutToBeEdited.emit(self.currentNode()))] * self.editEnabled
        for kind in self.nodeTypes if self.addEnabled else ():
            actions.append((f"Create new {self.nodeTypeLabel(kind)}", lambda kind=kind: self.addNode(kind)))
        actions += [("Delete current", self.removeCurrentNode)] * self.removeEnabled
        for text, action in actions if self._scene else ():
            self._box.addItem(text if text.startswith("Create") else f"{text} {label}")
            self._box.setItemData(self._box.count - 1, action, ACTION)
        self._box.defaultText = f"Select a {self.nodeTypeLabel(self.nodeTypes[0] if self.nodeTypes else '')}"
        self._box.currentIndex = -1
        self._sync()
        self._set_id(current)
        self._busy = busy
        if self.currentNodeID != current:
            self._emit()

    def _come(self, node) -> None:
        """A node that came; others are not looked at again, as in Slicer: its attributes must be set before it comes."""
        if self._accepts(node):
            self._sync()

    def _anew(self, _node=None) -> None:
        """An import has ended: Slicer's model takes all rows away and makes them anew."""
        self._sync()

    def _leave(self, node) -> None:
        if not self._scene.IsClosing():
            self.nodeAboutToBeRemoved.emit(node)
            self._sync(gone=node)

    def _sync(self, _node=None, *, gone=None) -> None:
        """Insert, remove and rename rows until they show the scene."""
        scene = self._scene
        if scene and (scene.IsClosing() or scene.IsImporting()):
            return
        nodes = [scene.GetNthNode(n) for n in range(scene.GetNumberOfNodes())] if scene else []
        nodes = [each for each in nodes if not self.nodeTypes or any(map(each.IsA, self.nodeTypes))]
        wanted = {each.GetID(): each for each in nodes if each is not gone and self._accepts(each)}
        for name in [self._box.itemData(n) for n in range(self._box.count)]:
            if name and name not in wanted:
                self._forget(name)
        for place, (name, each) in enumerate(wanted.items(), start=int(self.noneEnabled)):
            if self._box.findData(name) < 0:
                self._box.insertItem(place, each.GetName(), name)
                if name not in self._watched:
                    self._watched[name] = observe(each, vtk.vtkCommand.ModifiedEvent, self._sync)
                self._listed(self._box.findData(name))
                self.nodeAdded.emit(each)
            elif self._box.itemText(self._box.findData(name)) != (each.GetName() or ""):
                self._box.setItemText(self._box.findData(name), each.GetName() or "")
        if self._box.count == 1 and not self.noneEnabled:  # Qt's own habit: the first item of a list is chosen
            self._box.currentIndex = 0

    def _listed(self, index: int) -> None:
        """A row came: for subclasses."""

    def _unwatch(self, name) -> None:
        if name in self._watched:  # a listener of the signals below may have been here before
            subject, tag = self._watched.pop(name)
            subject.RemoveObserver(tag)

    def _forget(self, name: str) -> None:
        self._unwatch(name)
        self._box.removeItem(self._box.findData(name))
        if self._box.itemData(self._box.currentIndex, ACTION):  # Qt moved on to the row below, which is no node
            last = [n for n in range(self._box.count) if self._box.itemData(n)][-1:]
            self._box.currentIndex = last[0] if last else 0 if self.noneEnabled else -1

    def _emit(self, _text: str = "") -> None:
        if self._box.itemData(self._box.currentIndex, ACTION):
            return
        self._before = self.currentNodeID
        if self._busy:
            return
        node = self.currentNode()
        self.currentNodeChanged.emit(node)
        self.currentNodeChanged[bool].emit(node is not None)
        self.currentNodeIDChanged.emit(self.currentNodeID)

    def _activated(self, index: int) -> None:
        action = self._box.itemData(index, ACTION)
        if action:
            self._set_id(self._before)
            action()
        else:
            self.nodeActivated.emit(self.currentNode())

    # What modules call, under Slicer's names.
    def currentNode(self):
        name = self._box.itemData(self._box.currentIndex) if self._box.currentIndex >= 0 else ""
        return self._scene.GetNodeByID(name) if name and self._scene else None

    def setCurrentNode(self, node) -> None:
        self.setCurrentNodeID(node.GetID() if node else "")

    def _set_id(self, name: str) -> None:
        self._asked = name if self._scene is None else ""
        index = self._box.findData(name) if name else -1
        self._box.currentIndex = max(index, 0 if self.noneEnabled else -1)

    def nodeFromIndex(self, index: int):
        listed = self._listed_nodes()
        return listed[index] if 0 <= index < len(listed) else None

    def _listed_nodes(self) -> list:
        names = [self._box.itemData(n) for n in range(self._box.count)]
        return [self._scene.GetNodeByID(name) for name in names if name]

    def nodeCount(self) -> int:
        return len(self._listed_nodes())

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self.nodeFromIndex(index))

    def addAttribute(self, kind: str, name: str, value=None) -> None:
        self._filters[kind] = name, None if value is None else str(value)
        self._sync()

    def nodeTypeLabel(self, kind: str) -> str:
        shown = self._scene.GetTypeDisplayNameByClassName(kind) if self._scene and kind else ""
        return shown or "node"

    def addNode(self, kind: str = ""):
        kind = kind or self.nodeTypes[0]
        node = self._scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetName(self._scene.GetUniqueNameByString(self.baseName or node.GetDefaultNodeNamePrefix()))
        for name, value in self._filters.values():
            node.SetAttribute(name, value or "")
        self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        if self.currentNode():
            self._scene.RemoveNode(self.currentNode())

    def renameCurrentNode(self) -> None:
        node = self.currentNode()
        name = qt.QInputDialog.getText(self, "Rename", "New name:", qt.QLineEdit.Normal, node.GetName()) if node else ""
        if name:
            node.SetName(name)
            self.currentNodeRenamed.emit(name)

    currentNodeID = Property(str, lambda self: getattr(self.currentNode(), "GetID", str)(), _set_id)
    setCurrentNodeID = _set_id
    nodeTypes = kept("QStringList", "_types", (), _rows)
    noneEnabled, noneDisplay = kept(bool, "_none", False, _rows), kept(str, "_none_display", "None", _rows)
    addEnabled, removeEnabled = kept(bool, "_add", True, _rows), kept(bool, "_remove", True, _rows)
    renameEnabled, editEnabled = kept(bool, "_rename", False, _rows), kept(bool, "_edit", False, _rows)
    showHidden, showChildNodeTypes = kept(bool, "_hidden", False, _rows), kept(bool, "_children", True, _rows)
    selectNodeUponCreation, baseName = kept(bool, "_select", True), kept(str, "_base_name", "")


class _CheckBoxes(ctk.ctkComboBox):
    """A combo box of check boxes, which shows the names of the checked ones."""

    def paintEvent(self, _event) -> None:
        painter, option = qt.QStylePainter(self), qt.QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = ", ".join(self.itemText(n) for n in self.checked()) or "None"
        painter.drawComplexControl(qt.QStyle.CC_ComboBox, option)
        painter.drawControl(qt.QStyle.CE_ComboBoxLabel, option)

    def checked(self) -> list[int]:
        return [n for n in range(self.count) if self.itemData(n, qt.Qt.CheckStateRole) == qt.Qt.Checked]


@widget
class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """Chooses any number of nodes by check boxes; without actions."""

    checkedNodesChanged = Signal()
    _make_box = _CheckBoxes

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.addEnabled = self.removeEnabled = False
        self._box.model().dataChanged.connect(self._checked)
        self._box.view().pressed.connect(lambda place: self._toggle(place.row()))

    def _listed(self, index: int) -> None:
        self._box.model().item(index).setCheckable(True)

    def _anew(self, _node=None) -> None:
        for index in self._box.checked():
            self._box.setItemData(index, qt.Qt.Unchecked, qt.Qt.CheckStateRole)
        self._sync()

    def _toggle(self, index: int) -> None:
        checked = index in self._box.checked()
        self._box.setItemData(index, qt.Qt.Unchecked if checked else qt.Qt.Checked, qt.Qt.CheckStateRole)

    def _checked(self, _first, _last, roles=()) -> None:
        if qt.Qt.CheckStateRole in roles and not self._busy:
            self._box.update()
            self.checkedNodesChanged.emit()

    def checkedNodes(self) -> list:
        return [self._scene.GetNodeByID(self._box.itemData(n)) for n in self._box.checked()]

    def uncheckedNodes(self) -> list:
        return [node for node in self._listed_nodes() if node not in self.checkedNodes()]

    def checkState(self, node):
        return qt.Qt.Checked if node in self.checkedNodes() else qt.Qt.Unchecked

    def setCheckState(self, node, state) -> None:
        if node in self._listed_nodes():
            self._box.setItemData(self._box.findData(node.GetID()), state, qt.Qt.CheckStateRole)


@widget
class qMRMLSegmentSelectorWidget(qMRMLWidget):
    """Chooses a segmentation and one of its segments; follows segments that come, go and get other names."""

    currentNodeChanged = Signal((object,), (bool,))
    currentSegmentChanged = Signal(str)
    EVENTS = ("SegmentAdded", "SegmentRemoved", "SegmentModified")

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._nodes, self._box, self._label = qMRMLNodeComboBox(self), qt.QComboBox(self), qt.QLabel("Segment: ", self)
        self._message, self._segment, self._watched = qt.QLabel("No node is selected", self), "", []
        self._nodes.nodeTypes, self._nodes.addEnabled = ["vtkMRMLSegmentationNode"], False
        self._nodes.renameEnabled = True
        self._box.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        layout, line = qt.QVBoxLayout(self), qt.QWidget(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        row(line, self._label, self._box, self._message)
        layout.addWidget(self._nodes)
        layout.addWidget(line)
        self.mrmlSceneChanged.connect(self._nodes.setMRMLScene)
        self._nodes.currentNodeChanged.connect(self._changed)
        self._box.currentIndexChanged.connect(self._chosen)
        self._fill()

    def _changed(self, node) -> None:
        for subject, tag in self._watched:
            subject.RemoveObserver(tag)
        events = [getattr(slicer.vtkSegmentation, name) for name in self.EVENTS] if node else []
        self._watched = [observe(node, event, self._fill) for event in events]
        self._fill()
        self.currentNodeChanged.emit(node)
        self.currentNodeChanged[bool].emit(node is not None)

    def _fill(self, _segment=None) -> None:
        node, blocked = self.currentNode(), self._box.blockSignals(True)
        segmentation = node.GetSegmentation() if node else None
        names = list(segmentation.GetSegmentIDs()) if segmentation else []
        self._box.clear()
        if self.noneEnabled and names:
            self._box.addItem("None", "")
        for name in names:
            self._box.addItem(segmentation.GetSegment(name).GetName(), name)
        for part in (self._label, self._box):
            part.setVisible(bool(names))
        self._message.text = "No segments in segmentation" if node else "No node is selected"
        self._message.setVisible(not names)
        known = self._segment in names or (self.noneEnabled and not self._segment)
        self._box.currentIndex = self._box.findData(self._segment) if known else -1
        self._box.blockSignals(blocked)
        if names and not known:
            self._box.currentIndex = 1 if self.noneEnabled else 0

    def _chosen(self, index: int) -> None:
        if self.currentNode():
            self._segment = self._box.itemData(index) or ""
            self.currentSegmentChanged.emit(self._segment)

    def currentNode(self):
        return self._nodes.currentNode()

    def setCurrentNode(self, node) -> None:
        self._nodes.setCurrentNode(node)

    def currentNodeID(self) -> str:
        return self._nodes.currentNodeID

    def setCurrentNodeID(self, name: str) -> None:
        self._nodes.setCurrentNodeID(name)

    def currentSegmentID(self) -> str:
        return self._segment

    def setCurrentSegmentID(self, name: str) -> None:
        index = self._box.findData(name)
        if index >= 0:
            self._box.currentIndex = index

    def _set_none(self, enabled: bool) -> None:
        self._nodes.noneEnabled = enabled
        self._fill()

    noneEnabled = Property(bool, lambda self: self._nodes.noneEnabled, _set_none)
    editEnabled = _of("_nodes", bool, "editEnabled")
    selectNodeUponCreation = _of("_nodes", bool, "selectNodeUponCreation")
    segmentationNodeSelectorVisible = Property(
        bool, lambda self: not self._nodes.isHidden(), lambda self, on: self._nodes.setVisible(on)
    )
