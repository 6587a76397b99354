"""Which slice of the heart a slice view shows, in words at its upper edge (Slicer writes into the corners): "slice 2 of 3, mid"."""

from __future__ import annotations

import numpy as np
import slicer
import vtk

from ..polar import ring_of

_SIZE, _PLACE = 14, (0.5, 0.98)


def words_of(label: np.ndarray, k: int | None) -> str:
    """The words for slice k of ``label`` (k, j, i) AHA segments; None: the view is on no slice."""
    if k is None:
        return "between the slices"
    return ", ".join(filter(None, [f"slice {k + 1} of {len(label)}", level_of(label, k)]))


def level_of(label: np.ndarray, k: int) -> str:
    """The level of slice k; "" beyond the heart."""
    here = label[k][label[k] > 0]
    return ring_of(int(np.median(here))).level.value if here.size else ""


class Caption:
    """A line at the upper edge of the slice view ``name``; it says nothing at first."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._actor = vtk.vtkTextActor()
        words = self._actor.GetTextProperty()
        words.SetFontFamilyToArial()
        words.SetFontSize(_SIZE)
        words.SetShadow(True)
        words.SetJustificationToCentered()
        words.SetVerticalJustificationToTop()
        place = self._actor.GetPositionCoordinate()
        place.SetCoordinateSystemToNormalizedViewport()
        place.SetValue(*_PLACE)
        self._renderer = self._view().renderWindow().GetRenderers().GetFirstRenderer()
        self._renderer.AddViewProp(self._actor)

    @property
    def text(self) -> str:
        """What it says."""
        return self._actor.GetInput() or ""

    def say(self, text: str) -> None:
        """Show ``text``."""
        if text != self.text:
            self._actor.SetInput(text)
            self._view().scheduleRender()

    def close(self) -> None:
        """Take it out of the view."""
        self._renderer.RemoveViewProp(self._actor)
        self._view().scheduleRender()

    def _view(self):
        return slicer.app.layoutManager().sliceWidget(self._name).sliceView()
