"""The window of the frame times: a table of seconds, a column a series, to be checked, corrected, pasted or filled."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import qt

from ..errors import InputError
from ..scene import FrameTimes, frame_times, keep_times, own_times
from .choices import frames_of
from .dialogs import Window, add_button

_DIGITS = 4
_COMMA = re.compile(r"[-+]?\d+,\d+")


class TimeWindow(Window):
    """The time of each frame in s, a column a series: to be checked, corrected, pasted, or given where nobody tells it."""

    def __init__(self, series: Sequence, changed: Callable[[], None]) -> None:
        super().__init__("Time axis")
        self._series, self._changed = list(series), changed
        self._found: list[FrameTimes | None] = []
        self._own = False  # the table shows what the series themselves say
        self.words = qt.QLabel()
        self.words.setWordWrap(True)
        self.column.addWidget(self.words)
        self.table = qt.QTableWidget()
        self.table.setToolTip("The time of each frame in s, on one clock for all columns.")
        self.column.addWidget(self.table)
        self._even_row(self.column)
        self._end_row(self.column)
        self.dialog.resize(420, 560)
        self._fill()
        self.dialog.show()

    def _even_row(self, column) -> None:
        row = qt.QHBoxLayout()
        column.addLayout(row)
        self.gap = qt.QDoubleSpinBox()
        self.gap.setRange(0.01, 60.0)
        self.gap.setDecimals(3)
        self.gap.setValue(1.0)
        self.gap.setSuffix(" s")
        self.gap.setToolTip("The time between two frames in s, where they are evenly spaced.")
        row.addWidget(self.gap)
        self.even = add_button(
            row, "Fill evenly", "Writes evenly spaced times, s, into every column.", self._fill_evenly
        )
        self.paste = add_button(
            row,
            "Paste",
            "Takes the numbers on the clipboard as the times, s, of the column that is chosen.",
            self._paste,
        )

    def _end_row(self, column) -> None:
        row = qt.QHBoxLayout()
        column.addLayout(row)
        self.own = add_button(row, "As the series says", "Shows the times that the series itself tells.", self._forget)
        self.take = add_button(row, "Use these times", "The times in the table count from now on.", self._take)
        self.leave = add_button(row, "Cancel", "Leaves everything as it was.", self.dialog.reject)

    def _fill(self) -> None:
        """Show the times of each series, and in words where they are known from."""
        self.table.setColumnCount(len(self._series))
        self.table.setRowCount(max(map(frames_of, self._series)))
        self.table.setHorizontalHeaderLabels([f"{node.GetName()} (s)" for node in self._series])
        said, self._found = [], []
        for place, node in enumerate(self._series):
            found = None
            try:
                found = (own_times if self._own else frame_times)(node, frames_of(node))
                self._write(place, found.time)
                said.append(". ".join([f"{node.GetName()}: {found.source}", *found.notes]))
            except InputError as error:
                self._write(place, [None] * frames_of(node))
                said.append(error.sentence)
            self._found.append(found)
        self.words.text = "\n".join(said)
        self.table.resizeColumnsToContents()

    def _write(self, column: int, times: Sequence[float | None]) -> None:
        for row, time in enumerate(times):
            self.table.setItem(row, column, qt.QTableWidgetItem("" if time is None else f"{time:.{_DIGITS}f}"))

    def _fill_evenly(self) -> None:
        for column, node in enumerate(self._series):
            self._write(column, [self.gap.value * frame for frame in range(frames_of(node))])

    def _paste(self) -> None:
        column = max(self.table.currentColumn(), 0)
        node = self._series[column]
        try:
            times = numbers_of(qt.QApplication.clipboard().text())
        except ValueError:
            times = []
        if not times:
            self.words.text = "The clipboard holds no list of numbers. Copy one column of times in s."
        elif len(times) != frames_of(node):
            self.words.text = (
                f'The clipboard holds {len(times)} numbers and "{node.GetName()}" has {frames_of(node)} frames. '
                "Copy the time of each frame, s."
            )
        else:
            self._write(column, times)
            self.words.text = f'The times of "{node.GetName()}" were pasted.'

    def _take(self) -> None:
        try:
            given = [self._read(column, node) for column, node in enumerate(self._series)]
        except InputError as error:
            self.words.text = str(error)
            return
        for node, times, found in zip(self._series, given, self._found, strict=True):
            if not _as_shown(times, found):
                keep_times(node, times)
            elif self._own:
                keep_times(node, None)
        self.dialog.accept()
        self._changed()

    def _read(self, column: int, node) -> list[float] | None:
        """The column's numbers, checked as the times of its series; None where it says none and none are given."""
        cells = [self.table.item(row, column).text().strip() for row in range(frames_of(node))]
        if self._own and self._found[column] is None and not any(cells):
            return None
        try:
            times = [float(cell.replace(",", ".")) for cell in cells]
        except ValueError:
            raise InputError(
                f'"{node.GetName()}" has cells that hold no number.', "Give each frame its time in s."
            ) from None
        frame_times(node, len(times), times)
        return times

    def _forget(self) -> None:
        self._own = True
        self._fill()


def numbers_of(text: str) -> list[float]:
    """The numbers of a text, apart by blanks, lines, semicolons or commas; "0,8" in a column of such is 0.8.

    Raises ValueError where something else stands in it.
    """
    words = text.replace(";", " ").split()
    if len(words) > 1 and any("," in word for word in words) and all(_comma_or_whole(word) for word in words):
        return [float(word.replace(",", ".")) for word in words]
    return [float(word) for word in text.replace(";", " ").replace(",", " ").split()]


def _comma_or_whole(word: str) -> bool:
    return bool(_COMMA.fullmatch(word)) or word.lstrip("+-").isdigit()


def _as_shown(times: Sequence[float] | None, found: FrameTimes | None) -> bool:
    """True where the user left what is known beyond doubt as it was: it keeps its source and all its digits."""
    if times is None or found is None or found.notes:
        return times is None
    return bool(np.allclose(times, found.time, rtol=0, atol=0.51 * 10**-_DIGITS))
