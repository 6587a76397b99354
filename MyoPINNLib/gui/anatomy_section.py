"""The panel's Anatomy: segmentation, its two segments, the RV insertion placed by one click, slice levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from ..scene import find_insertion, find_segmentation, find_segments
from .choices import Study
from .dialogs import AUTOMATIC, LevelWindow
from .input_section import InputSection, slices_of

_ROLES = {"myocardium": "myocardium", "blood_pool": "bloodPool"}  # of a segment -> the parameter that keeps its id


class AnatomySection:
    """``parameters`` gives the parameter node's wrapper; ``changed`` is called when something else is chosen."""

    def __init__(self, ui, parameters: Callable, images: InputSection, changed: Callable[[], None]) -> None:
        self._ui, self._parameters, self._images, self._changed = ui, parameters, images, changed
        self._selectors = {"myocardium": ui.myocardiumSelector, "blood_pool": ui.bloodPoolSelector}
        self._filling = False
        self.placing = Placing(ui.placeButton, self._placed)
        self.window: LevelWindow | None = None
        ui.segmentationSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._segmentation_changed)
        for role, selector in self._selectors.items():
            selector.connect("currentSegmentChanged(QString)", lambda id, role=role: self._keep(role, id))
        ui.placeButton.connect("clicked(bool)", self._place)
        ui.levelsButton.connect("clicked()", self.edit_levels)

    def guess(self) -> None:
        """Choose by usual names where nothing is chosen yet."""
        chosen = self._parameters()
        if chosen.segmentation is None:
            chosen.segmentation = find_segmentation()
        if chosen.insertion is None:
            chosen.insertion = find_insertion()
        self._guess_segments()

    def study(self, name: str, series, *, rest: bool = False) -> Study:
        """The study of ``series`` with what is chosen here."""
        chosen = self._parameters()
        segmentation, ids = chosen.segmentation, {role: getattr(chosen, key) for role, key in _ROLES.items()}
        if rest and chosen.restSegmentation is not None:
            segmentation = chosen.restSegmentation
            ids = {role: find_segments(segmentation).get(role, "") for role in _ROLES}
        return Study(name, tuple(series), segmentation, ids["myocardium"], ids["blood_pool"], chosen.insertion)

    @property
    def levels(self) -> tuple[str, ...]:
        """One level a slice, () where they are found automatically."""
        return tuple(self._parameters().levels)

    def edit_levels(self) -> None:
        """Open the list of slice levels."""
        self.window = LevelWindow(self.levels, slices_of(self._images.series), self._take_levels)

    def update(self) -> None:
        """Show what is chosen."""
        chosen = self._parameters()
        self._filling = True
        for role, selector in self._selectors.items():
            if selector.currentNode() is not chosen.segmentation:
                selector.setCurrentNode(chosen.segmentation)
            if selector.currentSegmentID() != getattr(chosen, _ROLES[role]):
                selector.setCurrentSegmentID(getattr(chosen, _ROLES[role]))
            selector.enabled = chosen.segmentation is not None
        self._filling = False
        self._ui.levelsLabel.text = ", ".join(self.levels) or AUTOMATIC
        slices = slices_of(self._images.series)
        self._ui.levelsButton.enabled = slices > 0
        self._ui.levelsButton.toolTip = "Choose the level of each slice." if slices else "Choose a series first."

    def _segmentation_changed(self, _node) -> None:
        chosen = self._parameters()
        if chosen is None:  # the scene is closing
            return
        chosen.segmentation = self._ui.segmentationSelector.currentNode()
        self._guess_segments()
        self._changed()

    def _guess_segments(self) -> None:
        """Segments that are not those of the chosen segmentation are found by their names."""
        chosen = self._parameters()
        if chosen.segmentation is None:
            return
        usual, there = find_segments(chosen.segmentation), chosen.segmentation.GetSegmentation()
        for role, key in _ROLES.items():
            if not getattr(chosen, key) or there.GetSegment(getattr(chosen, key)) is None:
                setattr(chosen, key, usual.get(role, ""))

    def _keep(self, role: str, id: str) -> None:
        if not self._filling and self._parameters() is not None:
            setattr(self._parameters(), _ROLES[role], id or "")
            self._changed()

    def _take_levels(self, levels: list[str]) -> None:
        self._parameters().levels = levels
        self._changed()

    def _place(self, wanted: bool) -> None:
        if not wanted:
            self.placing.stop()
            return
        chosen = self._parameters()
        if chosen.insertion is None:
            chosen.insertion = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "RV insertion")
        self.placing.start(chosen.insertion)

    def _placed(self) -> None:
        self._changed()


class Placing:
    """One click in a slice view sets the point of a list; the points before it go only when it is there."""

    def __init__(self, button, placed: Callable[[], None]) -> None:
        self._button, self._placed = button, placed
        self._points: Any = None
        self._tags: list[tuple[Any, int]] = []

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
        self._button.checked = True

    def stop(self) -> None:
        """Wait no longer."""
        for node, tag in self._tags:
            node.RemoveObserver(tag)
        self._tags, self._points = [], None
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        if interaction is not None and interaction.GetCurrentInteractionMode() == interaction.Place:
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        self._button.checked = False

    def _watch(self, node, event, heard) -> None:
        self._tags.append((node, node.AddObserver(event, lambda *_: heard())))

    def _defined(self) -> None:
        points = self._points
        defined = slicer.vtkMRMLMarkupsNode.PositionDefined
        placed = [
            n for n in range(points.GetNumberOfControlPoints())
            if points.GetNthControlPointPositionStatus(n) == defined
        ]  # fmt: skip
        self.stop()
        for n in reversed(placed[:-1]):
            points.RemoveNthControlPoint(n)
        self._placed()

    def _mode_changed(self) -> None:
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        if interaction.GetCurrentInteractionMode() != interaction.Place:
            self.stop()
