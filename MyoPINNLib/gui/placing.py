"""One click places a point: the module waits for it, says so, and lets the points before it go once it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

WAITING = (
    "Click the front edge of the right ventricle where it meets the wall, in a slice view. Escape leaves all as it was."
)


class Placing:
    """One click in a slice view sets the point of a list; the points before it go only when it is there."""

    def __init__(self, button, placed: Callable[[], None], ended: Callable[[], None]) -> None:
        self._button, self._placed, self._ended = button, placed, ended
        self._points: Any = None
        self._tags: list[tuple[Any, int]] = []
        self._text, self._tip = button.text, button.toolTip
        self._escape = qt.QShortcut(button)
        self._escape.setKey(qt.QKeySequence("Escape"))
        self._escape.connect("activated()", self.stop)
        self._show(False)

    @property
    def points(self):
        """The list that waits for its point; None where nothing is placed."""
        return self._points

    def start(self, points) -> None:
        """Wait for the click."""
        self.stop()
        logic = slicer.app.applicationLogic()
        selection, interaction = logic.GetSelectionNode(), logic.GetInteractionNode()
        selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
        selection.SetActivePlaceNodeID(points.GetID())
        interaction.SetPlaceModePersistence(0)
        interaction.SetCurrentInteractionMode(interaction.Place)
        self._points = points
        self._watch(points, slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent, self._defined)
        self._watch(interaction, interaction.InteractionModeChangedEvent, self._mode_changed)
        self._show(True)

    def stop(self) -> None:
        """Wait no longer."""
        waited = self._points is not None
        self._listen_no_more()
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        if interaction is not None and interaction.GetCurrentInteractionMode() == interaction.Place:
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        self._show(False)
        if waited:
            qt.QTimer.singleShot(0, self._ended)

    def _show(self, waiting: bool) -> None:
        self._button.checked = self._escape.enabled = waiting
        self._button.text = "Cancel" if waiting else self._text
        self._button.toolTip = WAITING if waiting else self._tip

    def _watch(self, node, event, heard) -> None:
        self._tags.append((node, node.AddObserver(event, lambda *_: heard())))

    def _defined(self) -> None:
        """Slicer is still placing the point and goes on by its number, so that no other may go before it is done."""
        points = self._points
        self._listen_no_more()
        qt.QTimer.singleShot(0, lambda: self._keep_last(points))

    def _keep_last(self, points) -> None:
        self.stop()
        defined = slicer.vtkMRMLMarkupsNode.PositionDefined
        placed = [
            n for n in range(points.GetNumberOfControlPoints())
            if points.GetNthControlPointPositionStatus(n) == defined
        ]  # fmt: skip
        if points.GetScene() is not None:
            for n in reversed(placed[:-1]):
                points.RemoveNthControlPoint(n)
            self._placed()

    def _listen_no_more(self) -> None:
        for node, tag in self._tags:
            node.RemoveObserver(tag)
        self._tags, self._points = [], None

    def _mode_changed(self) -> None:
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        if interaction.GetCurrentInteractionMode() != interaction.Place:
            self.stop()
