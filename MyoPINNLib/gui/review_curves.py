"""The curve that the review shows: of the voxel under the mouse, of a segment, or the arterial input."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer

from ..looks import Curve
from ..scene import SceneAnalysis
from .curves import CurveInspector
from .frames import FrameFollower
from .layout import PerfusionLayout
from .overlay import images_of


class ReviewCurves:
    """``parameters`` gives the parameter node's wrapper; ``tell`` is called when other curves are shown."""

    def __init__(self, layout: PerfusionLayout, parameters: Callable, tell: Callable[[], None]) -> None:
        self._layout, self._parameters, self._tell = layout, parameters, tell
        self._frames = FrameFollower(self._show_frame)
        self.inspector: CurveInspector | None = None

    @property
    def text(self) -> str:
        """The place and its parameters, one a line; "" where none is shown."""
        return "" if self.inspector is None else self.inspector.text()

    def show(self, analysis: SceneAnalysis, segment: int) -> None:
        """The curve that is chosen of ``analysis``; of ``segment`` (0: its first) where a segment's is."""
        self._inspect(analysis, segment)
        chosen = self._parameters().curve
        if chosen is Curve.INPUT:
            self.inspector.show_input()
        elif chosen is Curve.SEGMENT:
            self.show_segment(segment)
        self._follow()
        if self._layout.plot_node is not None:
            self._layout.plot_node.SetPlotChartNodeID(self.inspector.chart.GetID())
        self._tell()

    def show_segment(self, segment: int) -> None:
        """The mean curve of a segment, 0: of the first one; raises InputError where there is none."""
        label = self.inspector.analysis.label
        self.inspector.show_segment(segment or int(label[label > 0].min()))

    def let_go(self) -> None:
        """Show the curves of no analysis, at no frame."""
        self._close()
        self._frames.stop()

    def _inspect(self, analysis: SceneAnalysis, segment: int) -> None:
        """From now on the curves of ``analysis``: first of a segment, with the mouse and the frame from then on."""
        now = self.inspector
        if now is not None and now.analysis.node is analysis.node and now.alive:
            return
        self._close()
        self.inspector = CurveInspector(analysis, on_change=self._tell, later=qt.QTimer.singleShot)
        self.show_segment(segment)
        self._frames.follow(images_of(analysis))

    def _close(self) -> None:
        if self.inspector is not None:
            self.inspector.close()
        self.inspector = None

    def _follow(self) -> None:
        """Follow the mouse where that is wanted."""
        chosen = self._parameters()
        if chosen.followMouse and chosen.curve is Curve.VOXEL:
            self.inspector.follow(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode"))
        else:
            self.inspector.stop()

    def _show_frame(self, number: int | None) -> None:
        if self.inspector is not None:
            self.inspector.show_frame(number)
