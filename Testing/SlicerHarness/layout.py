"""The layout manager: Slicer's own layout node and logic in C++, and Qt widgets built from the description they hold.

    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    slicer.app.layoutManager().sliceWidget("Red").sliceView()

A view keeps its widget from layout to layout, as in Slicer. Other tags need a qSlicerSingletonViewFactory.
"""

from __future__ import annotations

import slicer
from PySide6 import QtCore, QtWidgets
from shiboken6 import isValid

from .pythonqt import widget
from .slice_view import qMRMLSliceWidget, view_bar
from .views import qMRMLPlotView, qMRMLTableView, qMRMLThreeDView


class _ViewWidget(QtWidgets.QWidget):
    """A bar with the view's label over the view of one view node."""

    def __init__(self, node) -> None:
        super().__init__()
        self._node, self._view = node, self.VIEW(node)
        rows = QtWidgets.QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(view_bar(node))
        rows.addWidget(self._view, 1)


def _kind(name: str, view: type, view_name: str, node_name: str) -> type:
    """The class slicer.``name``, whose methods ``view_name`` and ``node_name`` give its view and its node."""
    content = {"VIEW": view, view_name: lambda self: self._view, node_name: lambda self: self._node}
    return widget(type(name, (_ViewWidget,), content))


KINDS = {
    "vtkMRMLSliceNode": qMRMLSliceWidget,
    "vtkMRMLPlotViewNode": _kind("qMRMLPlotWidget", qMRMLPlotView, "plotView", "mrmlPlotViewNode"),
    "vtkMRMLTableViewNode": _kind("qMRMLTableWidget", qMRMLTableView, "tableView", "mrmlTableViewNode"),
    "vtkMRMLViewNode": _kind("qMRMLThreeDWidget", qMRMLThreeDView, "threeDView", "mrmlViewNode"),
}


@widget
class qSlicerSingletonViewFactory(QtCore.QObject):
    """Puts one widget wherever a layout names its tag: <item><tag></tag></item>."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._tag, self._made = "", None

    def setTagName(self, name: str) -> None:
        self._tag = name

    def tagName(self) -> str:
        return self._tag

    def setWidget(self, made) -> None:
        self._made = made
        if made is not None:
            made.destroyed.connect(lambda: isValid(self) and self.setWidget(None))

    def widget(self):
        return self._made


@widget
class qSlicerLayoutManager(QtCore.QObject):
    """slicer.app.layoutManager(): follows the layout node, whoever changes it."""

    layoutChanged = QtCore.Signal(int)
    layout = QtCore.Property(int, lambda self: self._node.GetViewArrangement(), lambda self, n: self.setLayout(n))
    threeDViewCount = QtCore.Property(int, lambda self: len(self._of("vtkMRMLViewNode")))
    plotViewCount = QtCore.Property(int, lambda self: len(self._of("vtkMRMLPlotViewNode")))
    tableViewCount = QtCore.Property(int, lambda self: len(self._of("vtkMRMLTableViewNode")))

    def __init__(self, scene) -> None:
        super().__init__()
        self._factories, self._widgets, self._shown, self._top = {}, {}, (), None
        self._viewport = QtWidgets.QWidget()
        QtWidgets.QVBoxLayout(self._viewport).setContentsMargins(0, 0, 0, 0)
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLScene(scene)
        self._node = self._logic.GetLayoutNode()
        self._node.AddObserver("ModifiedEvent", lambda *_: self._follow())
        scene.AddObserver(scene.EndBatchProcessEvent, lambda *_: self._follow())
        self.setLayout(self._node.SlicerLayoutFourUpView)

    def setLayout(self, number: int) -> None:
        if number != self.layout:  # as in Slicer, also where the description has changed
            known = self._node.IsLayoutDescription(number)
            self._node.SetViewArrangement(number if known else self._node.SlicerLayoutConventionalView)

    def layoutLogic(self):
        return self._logic

    def mrmlScene(self):
        return self._node.GetScene()

    def viewport(self):
        return self._viewport

    def registerViewFactory(self, factory) -> None:
        self._factories[factory.tagName()] = factory

    def mrmlSliceLogics(self):
        return slicer.app.applicationLogic().GetSliceLogics()

    def viewWidget(self, node):
        return self._widgets.get(node.GetID())

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(each.mrmlSliceNode().GetLayoutName() for each in self._of("vtkMRMLSliceNode"))

    def sliceWidget(self, name: str):
        return self._widgets.get(f"vtkMRMLSliceNode{name}")

    def threeDWidget(self, index: int):
        return self._of("vtkMRMLViewNode")[index]

    def plotWidget(self, index: int):
        return self._of("vtkMRMLPlotViewNode")[index]

    def tableWidget(self, index: int):
        return self._of("vtkMRMLTableViewNode")[index]

    def resetSliceViews(self) -> None:
        for each in self._of("vtkMRMLSliceNode"):
            each.sliceLogic().FitSliceToAll()

    def resetThreeDViews(self) -> None:
        for each in self._of("vtkMRMLViewNode"):
            each.threeDView().renderWindow().GetRenderers().GetFirstRenderer().ResetCamera()

    def _of(self, kind: str) -> list:
        return [each for key, each in self._widgets.items() if key.startswith(kind)]

    def _follow(self) -> None:
        """Build the layout that the node asks for, if it is another one."""
        wanted = self._node.GetViewArrangement(), self._node.GetCurrentLayoutDescription()
        if wanted == self._shown or self.mrmlScene().IsBatchProcessing() or not self._node.GetLayoutRootElement():
            return
        for each in (*self._widgets.values(), *(factory.widget() for factory in self._factories.values())):
            if each is not None:
                each.setParent(None)  # a view outlives the layout that holds it
        self._shown = wanted
        if self._top is not None:
            self._top.setParent(None)
            self._top.deleteLater()
        self._top = self._built(self._node.GetLayoutRootElement())
        self._viewport.layout().addWidget(self._top)
        self._top.setVisible(True)
        self.layoutChanged.emit(wanted[0])

    def _built(self, element):
        """The widget of a <layout>, a <view> or a tag of one's own."""
        if element.GetName() == "layout":
            return self._arranged(element)
        if element.GetName() == "view":
            node = self._logic.GetViewFromElement(element)
            made = self._widgets.get(node.GetID())
            if made is None:
                made = self._widgets[node.GetID()] = KINDS[node.GetClassName()](node)
        else:
            made = self._factories[element.GetName()].widget() or QtWidgets.QWidget()
        return made

    def _arranged(self, element):
        """Tabs, a splitter (split="true", sizes of the items' splitSize) or a plain row or column."""
        kind, items = element.GetAttribute("type"), _nested(element)
        made = [self._built(_nested(item)[0]) for item in items]
        if kind == "tab":
            tabs = QtWidgets.QTabWidget()
            for item, each in zip(items, made):
                tabs.addTab(each, item.GetAttribute("name") or "")
            return tabs
        splitter = QtWidgets.QSplitter(QtCore.Qt.Horizontal if kind == "horizontal" else QtCore.Qt.Vertical)
        for each in made:
            splitter.addWidget(each)
            each.setVisible(True)
        movable = element.GetAttribute("split") == "true"
        splitter.setSizes([int((movable and item.GetAttribute("splitSize")) or 500) for item in items])
        splitter.setHandleWidth(5 if movable else 2)
        return splitter


def _nested(element) -> list:
    return [element.GetNestedElement(n) for n in range(element.GetNumberOfNestedElements())]
