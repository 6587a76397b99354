"""Views that VTK draws off screen, under their CTK and Slicer names: the render view, the plot view, the table view.

A view draws only if something changed, and only where it is seen. The mouse goes to VTK's interactor.
"""

from __future__ import annotations

import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from shiboken6 import isValid
from vtk.util.numpy_support import vtk_to_numpy

from .ctk_widgets import kept
from .pythonqt import widget

_BUTTON = {QtCore.Qt.LeftButton: "Left", QtCore.Qt.MiddleButton: "Middle", QtCore.Qt.RightButton: "Right"}
_CLICKS = {
    QtCore.QEvent.MouseButtonPress: "ButtonPressEvent",
    QtCore.QEvent.MouseButtonRelease: "ButtonReleaseEvent",
    QtCore.QEvent.MouseButtonDblClick: "ButtonDoubleClickEvent",
}
_MOVES = {
    QtCore.QEvent.MouseMove: "MouseMoveEvent",
    QtCore.QEvent.Enter: "EnterEvent",
    QtCore.QEvent.Leave: "LeaveEvent",
}


_TURNS: list = []  # the views that wish to be drawn: one at each turn of the event loop, as with CTK's timer for each


def _draw_next() -> None:
    view = _TURNS.pop(0)
    if isValid(view) and view.isVisible() and view._stale:  # a hidden one is drawn when it is shown
        view.forceRender()
    if _TURNS:
        QtCore.QTimer.singleShot(1, _draw_next)


@widget
class ctkVTKRenderView(QtWidgets.QWidget):
    """One renderer in a window of its own. CTK's renderer() is no invokable method, so PythonQt has none, nor has this."""

    orientationWidgetVisible = kept(bool, "orientationWidgetVisible", True)  # there are no axes in the corner

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._picture, self._stale = QtGui.QImage(), True
        self._renderer, self._window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(4)
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._interactor.EnableRenderOff()  # its wish to render becomes RenderEvent
        self._interactor.AddObserver("RenderEvent", lambda *_: self.scheduleRender())
        self._interactor.Initialize()
        self.setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.StrongFocus)
        self.setMinimumSize(80, 80)

    def renderWindow(self):
        return self._window

    def interactor(self):
        return self._interactor

    def scheduleRender(self) -> None:
        """Draw soon; many wishes become one picture."""
        self._stale = True
        if self not in _TURNS:
            _TURNS.append(self)
            if len(_TURNS) == 1:
                QtCore.QTimer.singleShot(1, _draw_next)

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

    def event(self, event) -> bool:
        """Pass the mouse on to VTK's interactor, the rest to Qt."""
        kind = event.type()
        if kind in _CLICKS:
            name = _BUTTON[event.button()] + _CLICKS[kind]
        elif kind == QtCore.QEvent.Wheel:
            name = f"MouseWheel{'Forward' if event.angleDelta().y() > 0 else 'Backward'}Event"
        elif kind in _MOVES:
            name = _MOVES[kind]
        else:
            return super().event(event)
        if kind != QtCore.QEvent.Leave:
            where, held = event.position().toPoint(), event.modifiers()
            keys = [bool(held & key) for key in (QtCore.Qt.ControlModifier, QtCore.Qt.ShiftModifier)]
            y = self._window.GetSize()[1] - 1 - where.y()
            self._interactor.SetEventInformation(where.x(), y, *keys, "\0", int("Double" in name), None)
        getattr(self._interactor, name)()
        return True


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
class qMRMLThreeDView(ctkVTKRenderView):
    """The 3D view without its displayable managers: Slicer's background alone."""

    def __init__(self, node) -> None:
        super().__init__()
        self._renderer.GradientBackgroundOn()
        self._renderer.SetBackground(node.GetBackgroundColor())
        self._renderer.SetBackground2(node.GetBackgroundColor2())


@widget
class qMRMLPlotView(ctkVTKRenderView):
    """The chart of a plot view node, drawn by vtkChartXY as in Slicer."""

    def __init__(self, node) -> None:
        super().__init__()
        self._node, self._actor, self._chart = node, vtk.vtkContextActor(), vtk.vtkChartXY()
        self._actor.GetScene().AddItem(self._chart)
        self._actor.GetScene().SetRenderer(self._renderer)
        self._renderer.AddActor(self._actor)
        self._renderer.SetBackground(1, 1, 1)
        self._content = _Shown(self.scheduleRender)
        node.AddObserver("ModifiedEvent", lambda *_: self._changed())
        self._changed()

    def chart(self):
        return self._chart

    def fitToContent(self) -> None:
        self.scheduleRender()  # which fits both axes

    def _changed(self) -> None:
        chart = self._node.GetPlotChartNode()
        self._content.follow((chart, "ModifiedEvent"), (chart, chart.PlotModifiedEvent if chart else 0))
        self.scheduleRender()

    def forceRender(self) -> None:
        self._chart.ClearPlots()
        node = self._node.GetPlotChartNode()
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

    def __init__(self, node) -> None:
        super().__init__()
        self._node, self._content = node, _Shown(self._fill)
        self.setEditTriggers(QtWidgets.QAbstractItemView.NoEditTriggers)
        self.verticalHeader().setDefaultSectionSize(22)
        node.AddObserver("ModifiedEvent", lambda *_: self._changed())
        self._changed()

    def mrmlTableNode(self):
        return self._node.GetTableNode()

    def _changed(self) -> None:
        self._content.follow((self.mrmlTableNode(), "ModifiedEvent"))
        self._fill()

    def _fill(self) -> None:
        node = self.mrmlTableNode()
        rows = range(node.GetNumberOfRows() if node else 0)
        named = int(bool(node and node.GetUseFirstColumnAsRowHeader()))
        columns = range(named, node.GetNumberOfColumns() if node else 0)
        self.setColumnCount(len(columns))
        self.setRowCount(len(rows))
        self.setHorizontalHeaderLabels([node.GetColumnName(column) for column in columns])
        self.setVerticalHeaderLabels([node.GetCellText(row, 0) if named else str(row + 1) for row in rows])
        for column in columns:
            for row in rows:
                self.setItem(row, column - named, QtWidgets.QTableWidgetItem(node.GetCellText(row, column)))
        self.resizeColumnsToContents()
