"""The panel's Input: stress and rest series, their time axis, the sample and DICOM folders."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer

from ..errors import InputError
from ..scene import at_rest, every_series, find_rest, find_series
from .choices import time_words
from .time_window import TimeWindow

STRESS, REST = "series", "rest"  # roles of the references in the module's parameter node


class InputSection:
    """``node`` gives the module's parameter node; ``changed`` is called when something else is chosen."""

    def __init__(self, ui, node: Callable, changed: Callable[[], None]) -> None:
        self._ui, self._node, self._changed = ui, node, changed
        self._selectors = {STRESS: ui.seriesSelector, REST: ui.restSelector}
        self._filling = False
        self._shown: set[str] = set()  # ids of the series whose boxes show what is chosen
        self._importing = False  # the boxes say nothing: Slicer makes them anew, empty, when an import ends
        self.window: TimeWindow | None = None
        for role, selector in self._selectors.items():
            selector.connect("checkedNodesChanged()", lambda role=role: self._keep(role))
        ui.timeButton.connect("clicked()", self.edit_times)
        scene = slicer.mrmlScene
        self._tags = [
            scene.AddObserver(scene.StartImportEvent, lambda *_: self._import_begins()),
            scene.AddObserver(scene.EndImportEvent, lambda *_: qt.QTimer.singleShot(0, self._import_ended)),
        ]

    @property
    def series(self) -> list:
        """The series of the stress study, in their order."""
        return self._referenced(STRESS)

    @property
    def rest(self) -> list:
        """The series of the rest study."""
        return self._referenced(REST)

    def guess(self) -> None:
        """Choose by usual names where nothing is chosen yet."""
        if not self.series:
            self.choose(STRESS, find_series())
        another = [node for node in every_series() if not at_rest(node) and node not in self.series]
        if not self.rest and not another:  # else the rest series may be another patient's
            self.choose(REST, find_rest())

    def choose(self, role: str, nodes) -> None:
        """Let ``nodes`` be the series of a study."""
        self._refer(role, nodes)
        self.update()

    def update(self) -> None:
        """Show what is chosen."""
        self._filling = True
        self._shown = {each.GetID() for each in _all_series()}
        for role, selector in self._selectors.items():
            chosen = {each.GetID() for each in self._referenced(role)}
            for each in _all_series():
                wanted = qt.Qt.Checked if each.GetID() in chosen else qt.Qt.Unchecked
                if selector.checkState(each) != wanted:
                    selector.setCheckState(each, wanted)
        self._filling = False
        self._show_times()

    def forget(self) -> None:
        """The scene closes: its nodes go, and others may come under the same ids."""
        self._shown = set()
        if self.window is not None:
            self.window.dismiss()

    def close(self) -> None:
        """The module ends."""
        for tag in self._tags:
            slicer.mrmlScene.RemoveObserver(tag)

    def edit_times(self) -> None:
        """Open the table of frame times."""
        self.window = TimeWindow([*self.series, *self.rest], self._changed)

    def _show_times(self) -> None:
        stress, rest = self.series, self.rest
        self._ui.timeButton.enabled = bool(stress or rest)
        tip = "Check or give the time of each frame, s." if stress or rest else "Choose a series first."
        self._ui.timeButton.toolTip = tip
        words = [("Stress: ", stress), ("Rest: ", rest)] if stress and rest else [("", stress or rest)]
        self._ui.timeLabel.text = "\n".join(name + _told(series) for name, series in words)

    def _import_begins(self) -> None:
        self._importing = True

    def _import_ended(self) -> None:
        """All who hear of the end of an import have heard of it."""
        self._importing = False
        if self._node() is not None:
            self.update()

    def _keep(self, role: str) -> None:
        """The user checked or unchecked a series. A series that has just come has an empty box that says nothing yet."""
        if self._filling or self._importing or self._node() is None:
            return
        checked = {each.GetID() for each in self._selectors[role].checkedNodes()}
        before = {each.GetID() for each in self._referenced(role)}
        wanted = (checked & self._shown) | (before - self._shown)
        if wanted != before:
            self._refer(role, [each for each in _all_series() if each.GetID() in wanted])
            self._changed()

    def _refer(self, role: str, nodes) -> None:
        """One change of the parameter node, however many series."""
        node = self._node()
        before = node.StartModify()
        node.RemoveNodeReferenceIDs(role)
        for each in nodes:
            node.AddNodeReferenceID(role, each.GetID())
        node.EndModify(before)

    def _referenced(self, role: str) -> list:
        node = self._node()
        found = (node.GetNthNodeReference(role, n) for n in range(node.GetNumberOfNodeReferences(role)))
        return [each for each in found if each is not None]


def _told(series) -> str:
    """The time axis of series in a line, or why it is not known."""
    try:
        return time_words(series)
    except InputError as error:
        return error.sentence


def _all_series() -> list:
    kinds = ("vtkMRMLSequenceNode", "vtkMRMLMultiVolumeNode")
    scene = slicer.mrmlScene
    nodes = [scene.GetNthNodeByClass(n, kind) for kind in kinds for n in range(scene.GetNumberOfNodesByClass(kind))]
    return [node for node in nodes if not node.GetHideFromEditors()]
