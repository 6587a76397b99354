"""Views that VTK draws off screen, under their CTK and Slicer names: the render view, the plot view, the table view.

A view draws when Qt paints it, and only if something changed since. The mouse and the keyboard go to VTK's interactor.
"""

from __future__ import annotations

import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from vtk.util.numpy_support import vtk_to_numpy

from .pythonqt import widget

_BUTTON = {QtCore.Qt.LeftButton: "Left", QtCore.Qt.MiddleButton: "Middle", QtCore.Qt.RightButton: "Right"}
_KEYSYM = {"Esc": "Escape", "Del": "Delete", "Enter": "Return"}


@widget
class ctkVTKRenderView(QtWidgets.QWidget):
    """One renderer in a window of its own; CTK's calls renderer(), renderWindow(), interactor(), scheduleRender()."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._picture, self._stale = QtGui.QImage(), True
        self._renderer, self._window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._interactor.EnableRenderOff()  # its wish to render becomes RenderEvent
        self._interactor.AddObserver("RenderEvent", lambda *_: self.scheduleRender())
        self._interactor.Initialize()
        self.setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.StrongFocus)
        self.setMinimumSize(80, 80)

    def renderer(self):
        return self._renderer

    def renderWindow(self):
        return self._window

    def interactor(self):
        return self._interactor

    def setInteractorStyle(self, style) -> None:
        self._interactor.SetInteractorStyle(style)

    def scheduleRender(self) -> None:
        """Draw at the next paint; many wishes become one picture."""
        self._stale = True
        self.update()

    def forceRender(self) -> None:
        """Draw now."""
        self._window.Render()
        columns, rows = self._window.GetSize()
        pixels = vtk.vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, columns - 1, rows - 1, 0, pixels, 0)
        rgb = vtk_to_numpy(pixels).reshape(rows, columns, 3)[::-1].tobytes()
        self._picture = QtGui.QImage(rgb, columns, rows, 3 * columns, QtGui.QImage.Format_RGB888).copy()
        self._stale = False
        self.update()

    def resizeEvent(self, event) -> None:
        size = max(event.size().width(), 1), max(event.size().height(), 1)
        self._window.SetSize(*size)
        self._interactor.UpdateSize(*size)
        self.scheduleRender()

    def paintEvent(self, _event) -> None:
        if self._stale:
            self.forceRender()
        painter = QtGui.QPainter(self)
        painter.drawImage(0, 0, self._picture)
        painter.end()

    def _tell(self, event, name: str) -> None:
        """Invoke VTK's event ``name`` at the mouse's place."""
        held = event.modifiers()
        where = event.position().toPoint() if hasattr(event, "position") else QtCore.QPoint()
        x, y = where.x(), self._window.GetSize()[1] - 1 - where.y()
        control, shift = bool(held & QtCore.Qt.ControlModifier), bool(held & QtCore.Qt.ShiftModifier)
        self._interactor.SetEventInformation(x, y, control, shift, "\0", int("DoubleClick" in name), None)
        getattr(self._interactor, name)()

    def mouseMoveEvent(self, event) -> None:
        self._tell(event, "MouseMoveEvent")

    def mousePressEvent(self, event) -> None:
        self._tell(event, f"{_BUTTON[event.button()]}ButtonPressEvent")

    def mouseReleaseEvent(self, event) -> None:
        self._tell(event, f"{_BUTTON[event.button()]}ButtonReleaseEvent")

    def mouseDoubleClickEvent(self, event) -> None:
        self._tell(event, f"{_BUTTON[event.button()]}ButtonDoubleClickEvent")

    def wheelEvent(self, event) -> None:
        self._tell(event, f"MouseWheel{'Forward' if event.angleDelta().y() > 0 else 'Backward'}Event")

    def enterEvent(self, event) -> None:
        self._tell(event, "EnterEvent")

    def leaveEvent(self, _event) -> None:
        self._interactor.LeaveEvent()

    def keyPressEvent(self, event) -> None:
        name = event.text() if event.text().isprintable() and event.text() else ""
        name = name or QtGui.QKeySequence(event.key()).toString()
        self._interactor.SetKeySym(_KEYSYM.get(name, name))
        self._interactor.SetKeyCode(event.text()[:1] or "\0")
        self._interactor.KeyPressEvent()
        self._interactor.CharEvent()


class _Shown:
    """What a view shows: a node of the scene and its events, followed until the next node."""

    def __init__(self, changed) -> None:
        self._changed, self._observed = changed, []

    def follow(self, *pairs) -> None:
        """Call ``changed`` at each (node, event); nodes may be None."""
        for node, tag in self._observed:
            node.RemoveObserver(tag)
        self._observed = [(n, n.AddObserver(e, lambda *_: self._changed())) for n, e in pairs if n is not None]


@widget
class qMRMLPlotView(ctkVTKRenderView):
    """The chart of a plot view node, drawn by vtkChartXY as in Slicer."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._node, self._actor, self._chart = None, vtk.vtkContextActor(), vtk.vtkChartXY()
        self._actor.GetScene().AddItem(self._chart)
        self._actor.GetScene().SetRenderer(self._renderer)
        self._renderer.AddActor(self._actor)
        self._renderer.SetBackground(1, 1, 1)
        self._view, self._content = _Shown(self._changed), _Shown(self.scheduleRender)

    def chart(self):
        return self._chart

    def mrmlPlotViewNode(self):
        return self._node

    def setMRMLPlotViewNode(self, node) -> None:
        self._node = node
        self._view.follow((node, "ModifiedEvent"))
        self._changed()

    def _changed(self) -> None:
        chart = self._node.GetPlotChartNode() if self._node else None
        self._content.follow((chart, "ModifiedEvent"), (chart, chart.PlotModifiedEvent if chart else 0))
        self.scheduleRender()

    def forceRender(self) -> None:
        self._chart.ClearPlots()
        node = self._node.GetPlotChartNode() if self._node else None
        self._chart.SetVisible(node is not None)
        if node is not None:
            for n in range(node.GetNumberOfPlotSeriesNodes()):
                self._plot(node.GetNthPlotSeriesNode(n))
            self._words(node)
        super().forceRender()

    def _plot(self, series) -> None:
        """Line or dots of one series; a series whose columns are not there is not drawn, as in Slicer."""
        table = series.GetTableNode().GetTable() if series and series.GetTableNode() else None
        columns = (series.GetXColumnName(), series.GetYColumnName()) if series else ()
        if table is None or not all(name and table.GetColumnByName(name) for name in columns):
            return
        bars = series.GetPlotType() in (series.PlotTypeBar, series.PlotTypeScatterBar)
        plot = self._chart.AddPlot(vtk.vtkChart.BAR if bars else vtk.vtkChart.LINE)
        plot.SetInputData(table, *columns)
        plot.SetLabel(series.GetName())
        plot.SetColorF(*series.GetColor(), series.GetOpacity())
        plot.SetWidth(series.GetLineWidth())
        plot.GetPen().SetLineType(series.GetLineStyle())
        if not bars:
            plot.SetMarkerStyle(series.GetMarkerStyle())
            plot.SetMarkerSize(series.GetMarkerSize())

    def _words(self, node) -> None:
        """Title, legend, axes."""
        self._chart.SetTitle(node.GetTitle() or "" if node.GetTitleVisibility() else "")
        self._chart.GetTitleProperties().SetFontSize(node.GetTitleFontSize())
        self._chart.SetShowLegend(bool(node.GetLegendVisibility()))
        for letter, place in (("X", vtk.vtkAxis.BOTTOM), ("Y", vtk.vtkAxis.LEFT)):
            axis = self._chart.GetAxis(place)
            shown = getattr(node, f"Get{letter}AxisTitleVisibility")()
            axis.SetTitle(getattr(node, f"Get{letter}AxisTitle")() or "" if shown else "")
            axis.GetTitleProperties().SetFontSize(node.GetAxisTitleFontSize())
            axis.GetLabelProperties().SetFontSize(node.GetAxisLabelFontSize())
            axis.SetGridVisible(bool(node.GetGridVisibility()))
            free = getattr(node, f"Get{letter}AxisRangeAuto")()
            axis.SetBehavior(vtk.vtkAxis.AUTO if free else vtk.vtkAxis.FIXED)
            if not free:
                axis.SetUnscaledRange(*getattr(node, f"Get{letter}AxisRange")())
        self._chart.RecalculateBounds()


@widget
class qMRMLTableView(QtWidgets.QTableWidget):
    """The table of a table view node, read only."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._node = None
        self._view, self._content = _Shown(self._changed), _Shown(self._fill)
        self.setEditTriggers(QtWidgets.QAbstractItemView.NoEditTriggers)
        self.verticalHeader().setDefaultSectionSize(22)

    def mrmlTableViewNode(self):
        return self._node

    def mrmlTableNode(self):
        return self._node.GetTableNode() if self._node else None

    def setMRMLTableViewNode(self, node) -> None:
        self._node = node
        self._view.follow((node, "ModifiedEvent"))
        self._changed()

    def _changed(self) -> None:
        self._content.follow((self.mrmlTableNode(), "ModifiedEvent"))
        self._fill()

    def _fill(self) -> None:
        node = self.mrmlTableNode()
        columns = range(node.GetNumberOfColumns()) if node else ()
        self.setColumnCount(len(columns))
        self.setRowCount(node.GetNumberOfRows() if node else 0)
        self.setHorizontalHeaderLabels([node.GetColumnName(column) for column in columns])
        for column in columns:
            for row in range(node.GetNumberOfRows()):
                self.setItem(row, column, QtWidgets.QTableWidgetItem(node.GetCellText(row, column)))
        self.resizeColumnsToContents()
