"""The perfusion layout: slice views above; bull's-eye, curves and table below.

A layout is a description that Slicer's layout node keeps under a number; the bull's-eye is a widget of ours that Slicer
puts where its tag stands.
"""

from __future__ import annotations

import slicer

from .slices import VIEWS

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


class PerfusionLayout:
    """Registers ``bullseye`` (a QWidget) and the layouts, shows them, and goes back to what was shown before."""

    def __init__(self, bullseye) -> None:
        self._manager = slicer.app.layoutManager()
        self._factory = slicer.qSlicerSingletonViewFactory()
        self._factory.setTagName(BULLSEYE)
        self._factory.setWidget(bullseye)
        self._manager.registerViewFactory(self._factory)
        self._describe()

    @property
    def shown(self) -> bool:
        """True where one of the perfusion layouts is on the screen."""
        return _FIRST < self._manager.layout <= _FIRST + len(VIEWS)

    def show(self, views: int) -> None:
        """The layout with ``views`` slice views."""
        self._describe()  # a scene that was opened may have brought a layout node of its own
        self._manager.setLayout(_FIRST + max(1, min(views, len(VIEWS))))

    @property
    def plot_node(self):
        """The node of the plot view; None before the layout was shown."""
        return slicer.mrmlScene.GetSingletonNode(PLOT, "vtkMRMLPlotViewNode")

    @property
    def table_node(self):
        """The node of the table view; None before the layout was shown."""
        return slicer.mrmlScene.GetSingletonNode(TABLE, "vtkMRMLTableViewNode")

    def _describe(self) -> None:
        node = self._manager.layoutLogic().GetLayoutNode()
        for views in range(1, len(VIEWS) + 1):
            if not node.IsLayoutDescription(_FIRST + views):
                node.AddLayoutDescription(_FIRST + views, description(views))
