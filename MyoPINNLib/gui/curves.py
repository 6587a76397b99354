"""The curve inspector: what lies below a map's value, in a chart of the scene that Slicer's own plot view shows.

inspector = CurveInspector(analysis, later=qt.QTimer.singleShot)
plot_view_node.SetPlotChartNodeID(inspector.chart.GetID())
inspector.follow(crosshair_node)        # the curve of the voxel under the mouse
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InputError
from ..quantities import milliseconds_from_seconds
from ..scene import SceneAnalysis, Voxel, find_analyses
from .curve_content import Curves, csv_of, curves_of_input, curves_of_segment, curves_of_voxel
from .curve_nodes import CurveNodes

PAUSE = 0.03


class CurveInspector:
    """Shows curves of ``analysis`` in ``chart``, until ``close``. ``on_change`` is called after each change.

    ``later(milliseconds, callable)`` calls once after a while (qt.QTimer.singleShot): with it, a mouse that moves fast
    changes the curve once in ``PAUSE`` s, and its last place is never lost. Where the scene holds several analyses, the
    chart's title begins with the name of this one.
    """

    def __init__(
        self,
        analysis: SceneAnalysis,
        *,
        on_change: Callable[[], object] | None = None,
        later: Callable[[int, Callable[[], None]], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.analysis = analysis
        self._nodes = CurveNodes(analysis.name)
        self._on_change, self._later, self._clock = on_change, later, clock
        self._curves: Curves | None = None
        self._pinned: Curves | None = None
        self._frame: int | None = None
        self._index: tuple[int, int, int] | None = None
        self._sd: dict = {}
        self._crosshair: Any = None
        self._observer = 0
        self._last, self._waiting = -PAUSE, False

    @property
    def chart(self):
        """The chart node."""
        return self._nodes.chart

    @property
    def alive(self) -> bool:
        """False after ``close``, and once the analysis was removed or the scene was closed."""
        return self._nodes.there and self.analysis.there

    def show_voxel(self, ras) -> bool:
        """Show the voxel at a point of the scene (RAS mm); False, and nothing changes, where nothing was fitted."""
        index = self.analysis.index_at(ras) if self.alive else None
        if index is None or index == self._index:
            return index is not None
        voxel = self.analysis.voxel(index)
        if voxel is None:
            return False
        self._show(curves_of_voxel(voxel, self._deviations(voxel)))
        self._index = index
        return True

    def show_segment(self, number: int) -> bool:
        """Show the mean curve of an AHA segment. Raises InputError where the analysis has no such segment."""
        self._waiting = False
        return self.alive and self._show(curves_of_segment(self.analysis, number))

    def show_input(self) -> bool:
        """Show the arterial input."""
        self._waiting = False
        return self.alive and self._show(curves_of_input(self.analysis))

    def pin(self) -> None:
        """Keep what is shown, paler, beside what will be shown."""
        self._pinned = self._curves
        self._refresh()

    def unpin(self) -> None:
        """Forget the kept curve."""
        self._pinned = None
        self._refresh()

    def show_frame(self, number: int | None) -> None:
        """An upright line at the time of a frame, counted from 0, on the clock of what is shown; None takes it away."""
        if number != self._frame:
            self._frame = number
            self._refresh()

    @property
    def _seconds(self) -> float | None:
        """When the frame was taken in the slice that is shown."""
        known = self._frame is not None and self._curves is not None and 0 <= self._frame < len(self._curves.time)
        return float(self._curves.time[self._frame]) if known else None

    def text(self) -> str:
        """What is shown and what is kept beside it: the place, then parameters with units, one a line; "" for nothing."""
        shown = self._curves.text if self._curves is not None else ""
        return f"{shown}\n\npinned: {self._pinned.text}" if self._pinned is not None else shown

    def csv(self) -> str:
        """The shown curve, and the kept one beside it, as CSV; "" where nothing is shown."""
        return csv_of(self._curves, self._pinned) if self._curves is not None else ""

    def follow(self, crosshair) -> None:
        """Show the voxel under the mouse from now on, by the scene's vtkMRMLCrosshairNode."""
        self.stop()
        self._crosshair = crosshair
        self._observer = crosshair.AddObserver(crosshair.CursorPositionModifiedEvent, self._moved)

    def stop(self) -> None:
        """Follow the mouse no more."""
        if self._crosshair is not None:
            self._crosshair.RemoveObserver(self._observer)
        self._crosshair = None

    def close(self) -> None:
        """Stop, and take the nodes out of the scene."""
        self.stop()
        self._nodes.remove()
        self._curves = self._pinned = None

    def _moved(self, *_event) -> None:
        if self._waiting:
            return
        rest = PAUSE - (self._clock() - self._last)
        if self._later is None or rest <= 0:
            self._look()
        else:
            self._waiting = True
            self._later(max(1, round(milliseconds_from_seconds(rest))), self._rested)

    def _rested(self) -> None:
        """The pause is over: look where the mouse is, unless something else was asked for meanwhile."""
        if self._waiting:
            self._waiting = False
            self._look()

    def _look(self) -> None:
        """Show the voxel under the mouse; a sentence in the chart where the analysis is not whole any more."""
        self._last = self._clock()
        place = [0.0, 0.0, 0.0]
        if self._crosshair is None or not self._crosshair.GetCursorPositionRAS(place):
            return
        try:
            self.show_voxel(place)
        except InputError as error:
            self._show(Curves(str(error), "", str(error), np.zeros(0), ()))

    def _show(self, curves: Curves) -> bool:
        several = len(find_analyses()) > 1
        titled = replace(curves, title=f"{self.analysis.name}\n{curves.title}") if several else curves
        self._curves, self._index = titled, None
        self._refresh()
        return True

    def _refresh(self) -> None:
        if self._nodes.there:
            self._nodes.show(self._curves, self._pinned, self._seconds)
        if self._on_change is not None:
            self._on_change()

    def _deviations(self, voxel: Voxel) -> dict[str, float]:
        """Standard deviations of a voxel's parameters, by quantity; the maps are read once."""
        for name in voxel.parameters:
            if name not in self._sd:
                there = bool(self.analysis.volumes(name, sd=True))
                self._sd[name] = self.analysis.map(name, sd=True) if there else None
        return {name: float(self._sd[name][voxel.index]) for name in voxel.parameters if self._sd[name] is not None}
