"""Windows that ask and show: a table of frame times, the level of each slice, a text. None of them holds up Slicer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
import slicer

from ..errors import InputError
from ..scene import frame_times, keep_times
from ..settings import SliceLevel
from .choices import frames_of

AUTOMATIC = "automatic"
_DIGITS = 4


def _window(title: str) -> tuple:
    """A modal window with a column for its contents."""
    dialog = qt.QDialog(slicer.util.mainWindow())
    dialog.setWindowTitle(title)
    dialog.setModal(True)
    return dialog, qt.QVBoxLayout(dialog)


def _button(layout, text: str, tip: str, pressed: Callable[[], None]):
    button = qt.QPushButton(text)
    button.setToolTip(tip)
    button.connect("clicked()", pressed)
    layout.addWidget(button)
    return button


class TextWindow:
    """A text to read and to copy: the engine's log."""

    def __init__(self, title: str, text: str) -> None:
        self.dialog, column = _window(title)
        self.text = qt.QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setPlainText(text)
        self.text.setMinimumSize(640, 360)
        column.addWidget(self.text)
        row = qt.QHBoxLayout()
        column.addLayout(row)
        self.copy = _button(row, "Copy", "Copies all of it.", self._copy)
        self.close = _button(row, "Close", "Closes this window.", self.dialog.accept)
        self.dialog.show()

    def _copy(self) -> None:
        qt.QApplication.clipboard().setText(self.text.toPlainText())


class TimeWindow:
    """The time of each frame in s, a column a series: to be checked, corrected, pasted, or given where nobody tells it."""

    def __init__(self, series: Sequence, changed: Callable[[], None]) -> None:
        self._series, self._changed = list(series), changed
        self.dialog, column = _window("Time axis")
        self.words = qt.QLabel()
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        self.table = qt.QTableWidget()
        column.addWidget(self.table)
        self._even_row(column)
        self._end_row(column)
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
        self.gap.setToolTip("The time between two frames, where they are evenly spaced.")
        row.addWidget(self.gap)
        self.even = _button(row, "Fill evenly", "Writes evenly spaced times into every column.", self._fill_evenly)
        self.paste = _button(
            row, "Paste", "Takes the numbers on the clipboard as the times, s, of the chosen column.", self._paste
        )

    def _end_row(self, column) -> None:
        row = qt.QHBoxLayout()
        column.addLayout(row)
        self.own = _button(row, "As the series says", "Forgets what was typed here.", self._forget)
        self.take = _button(row, "Use these times", "The times in the table count from now on.", self._take)
        self.leave = _button(row, "Cancel", "Leaves everything as it was.", self.dialog.reject)

    def _fill(self) -> None:
        self.table.setColumnCount(len(self._series))
        self.table.setRowCount(max(map(frames_of, self._series)))
        self.table.setHorizontalHeaderLabels([f"{node.GetName()} (s)" for node in self._series])
        said = []
        for place, node in enumerate(self._series):
            try:
                found = frame_times(node, frames_of(node))
                self._write(place, found.time)
                said.append(f"{node.GetName()}: {found.source}")
            except InputError as error:
                said.append(error.sentence)
        self.words.text = "\n".join(said)
        self.table.resizeColumnsToContents()

    def _write(self, column: int, times: Sequence[float]) -> None:
        for row, time in enumerate(times):
            self.table.setItem(row, column, qt.QTableWidgetItem(f"{time:.{_DIGITS}f}"))

    def _fill_evenly(self) -> None:
        for column, node in enumerate(self._series):
            self._write(column, [self.gap.value * frame for frame in range(frames_of(node))])

    def _paste(self) -> None:
        words = qt.QApplication.clipboard().text().replace(",", " ").replace(";", " ").split()
        try:
            times = [float(word) for word in words]
        except ValueError:
            self.words.text = "The clipboard holds no list of numbers. Copy one column of times in s."
            return
        column = max(self.table.currentColumn(), 0)
        self._write(column, times[: frames_of(self._series[column])])

    def _take(self) -> None:
        try:
            given = [self._read(column, node) for column, node in enumerate(self._series)]
        except InputError as error:
            self.words.text = str(error)
            return
        for node, times in zip(self._series, given, strict=True):
            keep_times(node, times)
        self.dialog.accept()
        self._changed()

    def _read(self, column: int, node) -> list[float]:
        """The column's numbers, checked as the times of its series."""
        cells = [self.table.item(row, column) for row in range(frames_of(node))]
        try:
            times = [float(cell.text()) for cell in cells]
        except (AttributeError, ValueError):
            raise InputError(
                f'"{node.GetName()}" has cells that hold no number.', "Give each frame its time in s."
            ) from None
        frame_times(node, len(times), times)
        return times

    def _forget(self) -> None:
        for node in self._series:
            keep_times(node, None)
        self.table.clearContents()
        self._fill()
        self._changed()


class LevelWindow:
    """Which part of the ventricle each slice shows: all automatic, or one word a slice."""

    def __init__(self, levels: Sequence[str], slices: int, changed: Callable[[list[str]], None]) -> None:
        self._changed = changed
        self.dialog, column = _window("Slice levels")
        form = qt.QFormLayout()
        column.addLayout(form)
        self.choices = [self._choice(form, k, levels[k] if k < len(levels) else AUTOMATIC) for k in range(slices)]
        self.words = qt.QLabel()
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        row = qt.QHBoxLayout()
        column.addLayout(row)
        self.take = _button(row, "Use these levels", "The levels count from now on.", self._take)
        self.leave = _button(row, "Cancel", "Leaves everything as it was.", self.dialog.reject)
        self.dialog.show()

    def _choice(self, form, k: int, level: str):
        choice = qt.QComboBox()
        words = [AUTOMATIC, *(each.value for each in SliceLevel)]
        choice.addItems(words)
        choice.currentIndex = words.index(level) if level in words else 0
        choice.setToolTip("none: the slice counts to no segment")
        form.addRow(f"Slice {k + 1}:", choice)
        return choice

    def _take(self) -> None:
        chosen = [choice.currentText for choice in self.choices]
        free = chosen.count(AUTOMATIC)
        if 0 < free < len(chosen):
            self.words.text = (
                f"{free} of {len(chosen)} slices are automatic. Choose a level for each slice, or none at all."
            )
            return
        self.dialog.accept()
        self._changed([] if free else chosen)
