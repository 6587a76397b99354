"""The layout manager: Slicer's own layout node and logic in C++, and Qt widgets built from the description they hold.

    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    slicer.app.layoutManager().sliceWidget("Red").sliceView()

A view keeps its widget from layout to layout, as in Slicer. Other tags need a qSlicerSingletonViewFactory.
"""

from __future__ import annotations

import slicer
from PySide6 import QtCore, QtWidgets

from .pythonqt import widget
from .slice_view import qMRMLSliceWidget, view_bar
from .views import ctkVTKRenderView, qMRMLPlotView, qMRMLTableView


class _ViewWidget(QtWidgets.QWidget):
    """A bar with the view's label over the view of one view node."""

    def __init__(self, node, view) -> None:
        super().__init__()
        self._node, self._view = node, view
        rows = QtWidgets.QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(view_bar(node))
        rows.addWidget(view, 1)


@widget
class qMRMLPlotWidget(_ViewWidget):
    def __init__(self, node) -> None:
        super().__init__(node, qMRMLPlotView())
        self._view.setMRMLPlotViewNode(node)

    def mrmlPlotViewNode(self):
        return self._node

    def plotView(self):
        return self._view


@widget
class qMRMLTableWidget(_ViewWidget):
    def __init__(self, node) -> None:
        super().__init__(node, qMRMLTableView())
        self._view.setMRMLTableViewNode(node)

    def mrmlTableViewNode(self):
        return self._node

    def tableView(self):
        return self._view


@widget
class qMRMLThreeDWidget(_ViewWidget):
    """The 3D view without its displayable managers: Slicer's background alone."""

    def __init__(self, node) -> None:
        super().__init__(node, ctkVTKRenderView())
        renderer = self._view.renderer()
        renderer.GradientBackgroundOn()
        renderer.SetBackground(node.GetBackgroundColor())
        renderer.SetBackground2(node.GetBackgroundColor2())

    def mrmlViewNode(self):
        return self._node

    def threeDView(self):
        return self._view


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

    def widget(self):
        return self._made


KINDS = {
    "vtkMRMLSliceNode": qMRMLSliceWidget,
    "vtkMRMLPlotViewNode": qMRMLPlotWidget,
    "vtkMRMLTableViewNode": qMRMLTableWidget,
    "vtkMRMLViewNode": qMRMLThreeDWidget,
}


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
        self._node.SetViewArrangement(number)

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
            each.threeDView().renderer().ResetCamera()

    def _of(self, kind: str) -> list:
        return [each for key, each in self._widgets.items() if key.startswith(kind)]

    def _follow(self) -> None:
        """Build the layout that the node asks for, if it is another one."""
        wanted = self._node.GetViewArrangement(), self._node.GetCurrentLayoutDescription()
        if wanted == self._shown or self.mrmlScene().IsBatchProcessing() or not self._node.GetLayoutRootElement():
            return
        for each in (*self._widgets.values(), *(factory.widget() for factory in self._factories.values())):
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
            made = self._factories[element.GetName()].widget()
        return made

    def _arranged(self, element):
        """Tabs, a splitter (split="true", sizes of the items' splitSize) or a plain row or column."""
        kind, items = element.GetAttribute("type"), [element.GetNestedElement(n) for n in _count(element)]
        made = [self._built(item.GetNestedElement(0)) for item in items]
        across = QtCore.Qt.Horizontal if kind == "horizontal" else QtCore.Qt.Vertical
        if kind == "tab":
            tabs = QtWidgets.QTabWidget()
            for item, each in zip(items, made):
                tabs.addTab(each, item.GetAttribute("name") or "")
            return tabs
        if element.GetAttribute("split") == "true":
            splitter = QtWidgets.QSplitter(across)
            for each in made:
                splitter.addWidget(each)
                each.setVisible(True)
            splitter.setSizes([int(item.GetAttribute("splitSize") or 500) for item in items])
            return splitter
        plain = QtWidgets.QWidget()
        row = QtWidgets.QBoxLayout(
            QtWidgets.QBoxLayout.LeftToRight if kind == "horizontal" else QtWidgets.QBoxLayout.TopToBottom, plain
        )
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for each in made:
            row.addWidget(each, 1)
            each.setVisible(True)
        return plain


def _count(element) -> range:
    return range(element.GetNumberOfNestedElements())
