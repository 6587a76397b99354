"""The panel's Anatomy: segmentation, its two segments, the RV insertion placed by one click, slice levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from ..errors import InputError
from ..scene import find_insertion, find_segmentation, find_segments, offered, slice_names
from .choices import Study, has_point
from .dialogs import AUTOMATIC, LevelWindow
from .input_section import InputSection
from .placing import Placing
from .segment_choice import SegmentChoice, has_segment

_STRESS = {"myocardium": "myocardium", "blood_pool": "bloodPool"}  # of a segment -> the parameter that keeps its id
_REST = {"myocardium": "restMyocardium", "blood_pool": "restBloodPool"}


class AnatomySection:
    """``parameters`` gives the parameter node's wrapper; ``changed`` is called when something else is chosen."""

    def __init__(self, ui, parameters: Callable, images: InputSection, changed: Callable[[], None]) -> None:
        self._ui, self._parameters, self._images, self._changed = ui, parameters, images, changed
        self._stress = SegmentChoice(
            {"myocardium": ui.myocardiumSelector, "blood_pool": ui.bloodPoolSelector},
            _STRESS, "segmentation", parameters, usual=find_segments, changed=changed,
        )  # fmt: skip
        self._rest = SegmentChoice(
            {"myocardium": ui.restMyocardiumSelector, "blood_pool": ui.restBloodPoolSelector},
            _REST, "restSegmentation", parameters, usual=self._as_under_stress, changed=changed, follows=True,
        )  # fmt: skip
        self._earlier: set[str] = set()  # ids of what was drawn on studies loaded before
        self._made: Any = None  # a point list that waits for its first point
        self.placing = Placing(ui.placeButton, self._placed, self._placing_ended)
        self.window: LevelWindow | None = None
        self._of_rest = (
            ui.restMyocardiumSelectorLabel, ui.restMyocardiumSelector,
            ui.restBloodPoolSelectorLabel, ui.restBloodPoolSelector,
        )  # fmt: skip
        for selector, choice in ((ui.segmentationSelector, self._stress), (ui.restSegmentationSelector, self._rest)):
            selector.connect(
                "currentNodeChanged(vtkMRMLNode*)", lambda _, pair=(selector, choice): self._segmentation_changed(*pair)
            )
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
        self._stress.guess(anew=another)
        self._rest.guess()

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
        self._stress.guess(anew=True)

    def study(self, name: str, series, *, rest: bool = False) -> Study:
        """The study of ``series`` with what is chosen here."""
        choice = self._rest if rest and self._rest.segmentation is not None else self._stress
        ids, insertion = choice.ids, self._parameters().insertion
        return Study(name, tuple(series), choice.segmentation, ids["myocardium"], ids["blood_pool"], insertion, rest)

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
        self._stress.update()
        self._rest.update()
        for widget in self._of_rest:
            widget.visible = chosen.restSegmentation is not None
        self._ui.levelsLabel.text = ", ".join(chosen.levels) or AUTOMATIC
        slices = slice_names(self._images.series)
        self._ui.levelsButton.enabled = bool(slices)
        why_not = "The slices of these series do not fit together." if self._images.series else "Choose a series first."
        self._ui.levelsButton.toolTip = "Choose the level of each slice." if slices else why_not

    def _segmentation_changed(self, selector, choice: SegmentChoice) -> None:
        if self._parameters() is None:  # the scene is closing
            return
        choice.take(selector.currentNode())
        self._changed()

    def _as_under_stress(self, rest) -> dict[str, str]:
        """Role -> id in the segmentation ``rest`` of the segment that is called as the stress study's; else by usual names."""
        usual, stress = find_segments(rest), self._stress.segmentation
        for role, id in self._stress.ids.items():
            if stress is not None and has_segment(stress, id):
                name = stress.GetSegmentation().GetSegment(id).GetName()
                usual[role] = rest.GetSegmentation().GetSegmentIdBySegmentName(name) or usual.get(role, "")
        return usual

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
