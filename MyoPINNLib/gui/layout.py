"""The perfusion layout: slice views above; bull's-eye, curves and table below.

A layout is a description that Slicer's layout node keeps under a number; the bull's-eye is a widget of ours that Slicer
puts where its tag stands. A scene keeps the number alone, so the descriptions are there from Slicer's start: importing this
file costs nothing.
"""

from __future__ import annotations

import qt
import slicer

VIEWS = ("Red", "Yellow", "Green")
BULLSEYE, PLOT, TABLE = "MyoPINNBullseye", "MyoPINNPlot", "MyoPINNTable"
_FIRST = 5170  # one number for each count of slice views
_COLOURS = {"Red": "#F34A33", "Yellow": "#EDD54C", "Green": "#6EB04B"}
_WIDTHS = {PLOT: 340, TABLE: 380}
_LETTERS = {"Red": "R", "Yellow": "Y", "Green": "G"}


def description(views: int) -> str:
    """The layout with ``views`` slice views, as Slicer reads it."""
    slices = "".join(f"<item>{_slice(name)}</item>" for name in VIEWS[:views])
    curve, table = _view("vtkMRMLPlotViewNode", PLOT, "Curve"), _view("vtkMRMLTableViewNode", TABLE, "Segments")
    below = f'<item splitSize="340"><{BULLSEYE}></{BULLSEYE}></item>{curve}{table}'
    return (
        '<layout type="vertical" split="true">'
        f'<item splitSize="500"><layout type="horizontal">{slices}</layout></item>'
        f'<item splitSize="500"><layout type="horizontal" split="true">{below}</layout></item>'
        "</layout>"
    )


def _slice(name: str) -> str:
    return (
        f'<view class="vtkMRMLSliceNode" singletontag="{name}">'
        '<property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{_LETTERS[name]}</property>'
        f'<property name="viewcolor" action="default">{_COLOURS[name]}</property></view>'
    )


def _view(kind: str, tag: str, label: str) -> str:
    return (
        f'<item splitSize="{_WIDTHS[tag]}"><view class="{kind}" singletontag="{tag}">'
        f'<property name="viewlabel" action="default">{label}</property></view></item>'
    )


def register_layouts():
    """Make the layouts known to Slicer, with an empty place for the bull's-eye, which is returned (a QWidget).

    None where Slicer runs without its main window. The place is made once, and found again by a module that was reloaded.
    """
    manager = slicer.app.layoutManager()
    if manager is None:
        return None
    node = manager.layoutLogic().GetLayoutNode()
    for views in range(1, len(VIEWS) + 1):
        if not node.IsLayoutDescription(_FIRST + views):
            node.AddLayoutDescription(_FIRST + views, description(views))
    factory = next((each for each in manager.children() if each.objectName == BULLSEYE), None)
    if factory is None:
        factory = slicer.qSlicerSingletonViewFactory(manager)
        factory.objectName = BULLSEYE
        factory.setTagName(BULLSEYE)
        manager.registerViewFactory(factory)
    if factory.widget() is None:
        place = qt.QWidget()
        qt.QVBoxLayout(place).setContentsMargins(0, 0, 0, 0)
        factory.setWidget(place)
    return factory.widget()


class PerfusionLayout:
    """Shows ``bullseye`` (a QWidget) in the perfusion layouts, and goes back to what was shown before."""

    def __init__(self, bullseye) -> None:
        self._bullseye, self._before = bullseye, slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
        place = register_layouts()
        if place is not None:
            place.layout().addWidget(bullseye)

    @property
    def shown(self) -> bool:
        """True where one of the perfusion layouts is on the screen."""
        manager = slicer.app.layoutManager()
        return manager is not None and _FIRST < manager.layout <= _FIRST + len(VIEWS)

    @property
    def visible(self) -> bool:
        """True where it can be seen, so that pictures can be taken of it."""
        return self.shown and self._bullseye.visible

    def show(self, views: int) -> bool:
        """The layout with ``views`` slice views; False where Slicer runs without its main window."""
        manager = slicer.app.layoutManager()
        if manager is None:
            return False
        register_layouts()  # a scene that was opened may have brought a layout node of its own
        if not self.shown:
            self._before = manager.layout
        number = _FIRST + max(1, min(views, len(VIEWS)))
        manager.setLayout(number)
        manager.layoutLogic().GetLayoutNode().SetViewArrangement(
            number
        )  # where a scene had the number without its meaning
        return True

    def close(self) -> None:
        """Go back to the layout before, and take the bull's-eye out of its place."""
        if self.shown:
            slicer.app.layoutManager().setLayout(self._before)
        self._bullseye.setParent(None)
        self._bullseye.deleteLater()

    @property
    def plot_node(self):
        """The node of the plot view; None before the layout was shown."""
        return slicer.mrmlScene.GetSingletonNode(PLOT, "vtkMRMLPlotViewNode")

    @property
    def table_node(self):
        """The node of the table view; None before the layout was shown."""
        return slicer.mrmlScene.GetSingletonNode(TABLE, "vtkMRMLTableViewNode")
