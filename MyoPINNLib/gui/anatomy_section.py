"""The panel's Anatomy: segmentation, its two segments, the RV insertion placed by one click, slice levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from ..errors import InputError
from ..scene import find_insertion, find_segmentation, find_segments, offered, slice_names
from .choices import Study, has_point
from .dialogs import AUTOMATIC, LevelWindow
from .input_section import InputSection
from .placing import Placing

_ROLES = {"myocardium": "myocardium", "blood_pool": "bloodPool"}  # of a segment -> the parameter that keeps its id


class AnatomySection:
    """``parameters`` gives the parameter node's wrapper; ``changed`` is called when something else is chosen."""

    def __init__(self, ui, parameters: Callable, images: InputSection, changed: Callable[[], None]) -> None:
        self._ui, self._parameters, self._images, self._changed = ui, parameters, images, changed
        self._selectors = {"myocardium": ui.myocardiumSelector, "blood_pool": ui.bloodPoolSelector}
        self._tips = {role: selector.toolTip for role, selector in self._selectors.items()}
        self._filling = False
        self._earlier: set[str] = set()  # ids of what was drawn on studies loaded before
        self._seen: list[str] = []  # the segments when the selectors were last brought to what is chosen
        self._made: Any = None  # a point list that waits for its first point
        self.placing = Placing(ui.placeButton, self._placed, self._placing_ended)
        self.window: LevelWindow | None = None
        ui.segmentationSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._segmentation_changed)
        for role, selector in self._selectors.items():
            selector.connect("currentSegmentChanged(QString)", lambda id, role=role: self._keep(role, id))
        ui.placeButton.connect("clicked(bool)", self._place)
        ui.levelsButton.connect("clicked()", self.edit_levels)

    def guess(self) -> None:
        """Choose by usual names where nothing is chosen yet."""
        chosen = self._parameters()
        another = chosen.segmentation is None
        if another:
            chosen.segmentation = find_segmentation(self._earlier)
        if chosen.insertion is None:
            chosen.insertion = find_insertion(self._earlier)
        self._guess_segments(anew=another)

    def begin_anew(self) -> None:
        """Another heart was loaded: what was drawn on the one before is not its anatomy, and is not chosen by its name."""
        chosen = self._parameters()
        self._earlier |= offered()
        chosen.segmentation = chosen.restSegmentation = chosen.insertion = None
        chosen.levels = []

    def choose(self, segmentation, insertion) -> None:
        """Let these be the segmentation, with its segments by their names, and the RV insertion."""
        chosen = self._parameters()
        chosen.segmentation, chosen.insertion = segmentation, insertion
        self._guess_segments(anew=True)

    def study(self, name: str, series, *, rest: bool = False) -> Study:
        """The study of ``series`` with what is chosen here."""
        chosen = self._parameters()
        segmentation, ids = chosen.segmentation, {role: getattr(chosen, key) for role, key in _ROLES.items()}
        if rest and chosen.restSegmentation is not None:
            ids = {role: _same_segment(chosen.restSegmentation, segmentation, ids[role], role) for role in _ROLES}
            segmentation = chosen.restSegmentation
        return Study(name, tuple(series), segmentation, ids["myocardium"], ids["blood_pool"], chosen.insertion, rest)

    @property
    def levels(self) -> tuple[str, ...]:
        """One level a slice, () where they are found automatically; raises InputError where the series has other slices."""
        levels, slices = tuple(self._parameters().levels), slice_names(self._images.series)
        if levels and slices and len(levels) != len(slices):
            raise InputError(
                f"{len(levels)} slice levels are chosen and the series has {len(slices)} slices.",
                "Choose the slice levels again.",
            )
        return levels

    def forget(self) -> None:
        """The scene closes: nothing is asked any more."""
        if self.placing.points is not None:
            self.placing.stop()
        self._earlier.clear()
        if self.window is not None:
            self.window.dismiss()

    def edit_levels(self) -> None:
        """Open the list of slice levels."""
        names = slice_names(self._images.series)
        self.window = LevelWindow(self._parameters().levels, names, self._take_levels)

    def update(self) -> None:
        """Show what is chosen."""
        chosen = self._parameters()
        if self.placing.points is not None and self.placing.points is not chosen.insertion:
            self.placing.stop()
        self._filling, self._seen = True, _segment_ids(chosen.segmentation)
        for role, selector in self._selectors.items():
            if selector.currentNode() is not chosen.segmentation:
                selector.setCurrentNode(chosen.segmentation)
            if selector.currentSegmentID() != getattr(chosen, _ROLES[role]):
                selector.setCurrentSegmentID(getattr(chosen, _ROLES[role]))
            selector.enabled = chosen.segmentation is not None
            why_not = "" if selector.enabled else "Choose the segmentation first. "
            selector.toolTip = why_not + self._tips[role]
        self._filling = False
        self._ui.levelsLabel.text = ", ".join(chosen.levels) or AUTOMATIC
        slices = slice_names(self._images.series)
        self._ui.levelsButton.enabled = bool(slices)
        why_not = "The slices of these series do not fit together." if self._images.series else "Choose a series first."
        self._ui.levelsButton.toolTip = "Choose the level of each slice." if slices else why_not

    def _segmentation_changed(self, _node) -> None:
        chosen = self._parameters()
        if chosen is None:  # the scene is closing
            return
        now = self._ui.segmentationSelector.currentNode()
        another, chosen.segmentation = now is not chosen.segmentation, now
        self._guess_segments(anew=another)
        self._changed()

    def _guess_segments(self, *, anew: bool = False) -> None:
        """Segments that are not those of the chosen segmentation are found by their names; ``anew``: all of them, since
        equal ids mean other segments in another segmentation.
        """
        chosen = self._parameters()
        if chosen.segmentation is None:
            return
        usual = find_segments(chosen.segmentation)
        for role, key in _ROLES.items():
            if anew or not _has(chosen.segmentation, getattr(chosen, key)):
                setattr(chosen, key, usual.get(role, ""))

    def _keep(self, role: str, id: str) -> None:
        """The selector shows another segment: the user's choice, or its own, the first, where segments came or went."""
        chosen = self._parameters()
        if self._filling or chosen is None:
            return
        there = _segment_ids(chosen.segmentation)
        if there != self._seen and there[:1] == [id]:
            qt.QTimer.singleShot(0, self._segments_changed)  # once both selectors have heard of it
        else:
            setattr(chosen, _ROLES[role], id or "")
            self._changed()

    def _segments_changed(self) -> None:
        if self._parameters() is not None:
            self._guess_segments()
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
            self._made = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "RV insertion")
            chosen.insertion = self._made
        self.placing.start(chosen.insertion)
        self._changed()

    def _placing_ended(self) -> None:
        """A list that was made for a point which did not come goes again."""
        made, self._made = self._made, None
        if self._parameters() is None:
            return
        if made is not None and made.GetScene() is not None and not has_point(made):
            slicer.mrmlScene.RemoveNode(made)
        self._changed()

    def _placed(self) -> None:
        self._changed()


def _segment_ids(segmentation) -> list[str]:
    segments = None if segmentation is None else segmentation.GetSegmentation()
    return [] if segments is None else [segments.GetNthSegmentID(n) for n in range(segments.GetNumberOfSegments())]


def _has(segmentation, id: str) -> bool:
    return bool(id) and segmentation.GetSegmentation().GetSegment(id) is not None


def _same_segment(other, segmentation, id: str, role: str) -> str:
    """The id in segmentation ``other`` of the segment that is called as ``id`` is; else by usual names, "" for none."""
    name = segmentation.GetSegmentation().GetSegment(id).GetName() if _has(segmentation, id) else ""
    same = other.GetSegmentation().GetSegmentIdBySegmentName(name) if name else ""
    return same or find_segments(other).get(role, "")
