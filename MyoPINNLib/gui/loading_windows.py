"""What a DICOM folder does not tell is asked: which acquisition is stress and which is rest, and how far apart frames are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import qt

from .choices import without_options
from .dialogs import Window, add_button

NONE = "none"
_SAYS_REST = re.compile(r"\(rest\b")


def question(loading, again: Callable[..., None], cancelled: Callable[[], None]):
    """The window that asks what ``loading`` failed for, None where nothing can be asked.

    ``again(**options)`` loads the folder once more, ``rest`` says for which study, the others are ``scene.Loading``'s.
    """
    if loading.choices:
        return AcquisitionWindow(loading.choices, again, cancelled)
    if loading.counted:
        return IntervalWindow(without_options(loading.failure.text), again, cancelled)
    return None


class AcquisitionWindow(Window):
    """Which of the acquisitions of a folder (series number -> words) is the stress series, and which the rest series."""

    def __init__(self, choices: Mapping[int, str], again: Callable[..., None], cancelled: Callable[[], None]) -> None:
        super().__init__("Which acquisition?")
        self._numbers, self._again = list(choices), again
        self.words = qt.QLabel(f"The folder holds {len(choices)} acquisitions over time. Choose what to load.")
        self.words.setWordWrap(True)
        self.column.addWidget(self.words)
        form = qt.QFormLayout()
        self.column.addLayout(form)
        said = [bool(_SAYS_REST.search(words)) for words in choices.values()]
        self.stress = self._choice(form, "Stress series:", choices, said.index(False) if False in said else None)
        self.rest = self._choice(form, "Rest series:", choices, said.index(True) if said.count(True) == 1 else None)
        row = qt.QHBoxLayout()
        self.column.addLayout(row)
        self.take = add_button(row, "Load", "Loads what is chosen.", self._take)
        self.leave = add_button(row, "Cancel", "Loads nothing.", self.dialog.reject)
        self.dialog.connect("rejected()", cancelled)
        self.dialog.show()

    def _choice(self, form, title: str, choices: Mapping[int, str], first: int | None):
        choice = qt.QComboBox()
        choice.addItems([NONE, *choices.values()])
        choice.currentIndex = 0 if first is None else first + 1
        choice.setToolTip("Series number, and slices, frames and pixels of each acquisition.")
        form.addRow(title, choice)
        return choice

    def _take(self) -> None:
        chosen = [choice.currentIndex - 1 for choice in (self.stress, self.rest)]
        if chosen[0] == chosen[1]:
            self.words.text = (
                "Nothing is chosen. Choose the stress series." if chosen[0] < 0
                else "Stress and rest are the same acquisition. Choose two different ones, or one of them."
            )  # fmt: skip
            return
        self.dialog.accept()
        for place, rest in zip(chosen, (False, True), strict=True):
            if place >= 0:
                self._again(series=self._numbers[place], rest=rest)


class IntervalWindow(Window):
    """How far apart the frames are, where the files only count them. Nothing is assumed: it begins without a number."""

    def __init__(self, words: str, again: Callable[..., None], cancelled: Callable[[], None]) -> None:
        super().__init__("Time between two frames")
        self._again = again
        self.words = qt.QLabel(f"{words} Give the time between two frames, s: one heartbeat usually (0.6 to 1.2 s).")
        self.words.setWordWrap(True)
        self.column.addWidget(self.words)
        self.gap = qt.QDoubleSpinBox()
        self.gap.setRange(0.0, 60.0)
        self.gap.setDecimals(3)
        self.gap.setSingleStep(0.1)
        self.gap.setSuffix(" s")
        self.gap.setSpecialValueText("not given")
        self.gap.setToolTip("The time between two frames in s.")
        self.gap.connect("valueChanged(double)", self._gap_changed)
        self.column.addWidget(self.gap)
        row = qt.QHBoxLayout()
        self.column.addLayout(row)
        self.take = add_button(row, "Load", "", self._take)
        self.leave = add_button(row, "Cancel", "Loads nothing.", self.dialog.reject)
        self.dialog.connect("rejected()", cancelled)
        self._gap_changed(0.0)
        self.dialog.show()

    def _gap_changed(self, gap: float) -> None:
        self.take.enabled = gap > 0
        self.take.toolTip = "Loads the series with evenly spaced frames." if gap > 0 else "Give the time first, s."

    def _take(self) -> None:
        self.dialog.accept()
        self._again(interval=self.gap.value)
