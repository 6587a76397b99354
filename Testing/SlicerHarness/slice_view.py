"""A slice view: Slicer's own slice logic, displayable managers and interactor style behind a picture that takes the mouse.

Only what Slicer does in CTK is done here: the image behind the displayable managers, the bar above the view.
"""

from __future__ import annotations

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from .pythonqt import widget
from .views import ctkVTKRenderView

# In Slicer's order: its own first, then those that the modules Segmentations, Markups and Colors register.
MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)


def _factory():
    """Slicer's factory of displayable managers, with all of them registered."""
    factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
    factory.SetMRMLApplicationLogic(slicer.app.applicationLogic())
    for name in MANAGERS:
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
    return factory


@widget
class qMRMLSliceView(ctkVTKRenderView):
    """The picture of one slice node; moves of the mouse reach the scene's crosshair, clicks place markups."""

    def __init__(self, node, logic, parent=None) -> None:
        super().__init__(parent)
        self._logic, self._node = logic, node
        self._mapper, image = vtk.vtkImageMapper(), vtk.vtkActor2D()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        image.SetMapper(self._mapper)
        image.GetProperty().SetDisplayLocationToBackground()
        self._renderer.AddViewProp(image)
        self._interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self._window.SetMultiSamples(0)
        self._window.Render()  # the displayable managers need a context
        self._managers = _factory().InstantiateDisplayableManagers(self._renderer)
        self._managers.AddObserver("UpdateEvent", lambda *_: self.scheduleRender())
        self._managers.SetMRMLDisplayableNode(node)
        self._style = slicer.vtkMRMLSliceViewInteractorStyle()
        self._style.SetDisplayableManagers(self._managers)
        self._style.SetSliceLogic(logic)
        self._style.SetInteractor(self._interactor)
        logic.AddObserver("ModifiedEvent", lambda *_: self.scheduleRender())

    def mrmlSliceNode(self):
        return self._node

    def convertRASToXYZ(self, ras) -> list[float]:
        inverse = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self._node.GetXYToRAS(), inverse)
        return list(inverse.MultiplyPoint([*ras, 1.0])[:3])

    def convertXYZToRAS(self, xyz) -> list[float]:
        return list(self._node.GetXYToRAS().MultiplyPoint([*xyz, 1.0])[:3])

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._logic.ResizeSliceNode(*self._window.GetSize())

    def forceRender(self) -> None:
        self._mapper.SetInputConnection(self._logic.GetImageDataConnection())
        super().forceRender()


@widget
class qMRMLSliceWidget(QtWidgets.QWidget):
    """A slice view under its bar: the view's letter on its colour, the offset's slider and value."""

    def __init__(self, node, parent=None) -> None:
        super().__init__(parent)
        self._node, self._logic = node, slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        slicer.app.applicationLogic().GetSliceLogics().AddItem(self._logic)
        self._logic.SetMRMLScene(node.GetScene())
        self._logic.SetSliceNode(node)
        self._view = qMRMLSliceView(node, self._logic)
        self._slider, self._offset = QtWidgets.QSlider(QtCore.Qt.Horizontal), QtWidgets.QLabel()
        self._slider.valueChanged.connect(lambda step: self._logic.SetSliceOffset(step / 10))  # steps of 0.1 mm
        rows = QtWidgets.QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(view_bar(node, self._slider, self._offset))
        rows.addWidget(self._view, 1)
        self._logic.AddObserver("ModifiedEvent", lambda *_: self._show_offset())
        node.AddObserver("ModifiedEvent", lambda *_: self._show_offset())

    def mrmlSliceNode(self):
        return self._node

    def mrmlSliceCompositeNode(self):
        return self._logic.GetSliceCompositeNode()

    def sliceLogic(self):
        return self._logic

    def sliceView(self):
        return self._view

    def sliceController(self):
        return self

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def _show_offset(self) -> None:
        low, high = self._bounds()
        self._slider.blockSignals(True)
        self._slider.setRange(round(low * 10), round(high * 10))
        self._slider.setValue(round(self._logic.GetSliceOffset() * 10))
        self._slider.blockSignals(False)
        self._offset.setText(f"{self._node.GetLayoutLabel()}: {self._logic.GetSliceOffset():.1f} mm")

    def _bounds(self) -> tuple[float, float]:
        """First and last offset of the volumes shown, mm."""
        ends = [0.0] * 6
        self._logic.GetSliceBounds(ends)
        return (ends[4], ends[5]) if ends[4] <= ends[5] else (0.0, 0.0)


def view_bar(node, *contents) -> QtWidgets.QWidget:
    """The bar above a view: its label on the view's colour, then ``contents``."""
    bar, label = QtWidgets.QWidget(), QtWidgets.QLabel(node.GetLayoutLabel() or node.GetName())
    colour = QtGui.QColor.fromRgbF(*(node.GetLayoutColor() if hasattr(node, "GetLayoutColor") else (0.9, 0.9, 0.9)))
    bar.setStyleSheet(f"background-color: {colour.name()}; color: black")
    row = QtWidgets.QHBoxLayout(bar)
    row.setContentsMargins(6, 1, 6, 1)
    for each in (label, *contents):
        row.addWidget(each)
    if not contents:
        row.addStretch(1)
    return bar
