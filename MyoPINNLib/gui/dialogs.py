"""Windows that ask and show: the level of each slice, a text; what all windows share. None of them holds up Slicer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
import slicer

from ..settings import SliceLevel

AUTOMATIC = "automatic"


class Window:
    """A modal window with a ``column`` for its contents. Qt deletes it when it is finished; ``open`` says whether it is not."""

    def __init__(self, title: str) -> None:
        self.open = True
        self.dialog = qt.QDialog(slicer.util.mainWindow())
        self.dialog.setWindowTitle(title)
        self.dialog.setModal(True)
        self.column = qt.QVBoxLayout(self.dialog)
        self.dialog.connect("finished(int)", self._finished)

    def dismiss(self) -> None:
        """Close it where it is still open, as its Cancel does."""
        if self.open:
            self.dialog.reject()

    def _finished(self, _result: int) -> None:
        self.open = False
        self.dialog.deleteLater()


def add_button(layout, text: str, tip: str, pressed: Callable[[], None]):
    """A button at the end of ``layout``; ``pressed`` is called at a click."""
    button = qt.QPushButton(text)
    button.setToolTip(tip)
    button.connect("clicked()", pressed)
    layout.addWidget(button)
    return button


class TextWindow(Window):
    """A text to read and to copy: the engine's log."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title)
        self.text = qt.QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setPlainText(text)
        self.text.setMinimumSize(640, 360)
        self.column.addWidget(self.text)
        row = qt.QHBoxLayout()
        self.column.addLayout(row)
        self.copy = add_button(row, "Copy", "Copies all of it.", self._copy)
        self.close = add_button(row, "Close", "Closes this window.", self.dialog.accept)
        self.dialog.show()

    def _copy(self) -> None:
        qt.QApplication.clipboard().setText(self.text.toPlainText())


class LevelWindow(Window):
    """Which part of the ventricle each slice shows: all automatic, or one word a slice. ``slices`` are their names."""

    def __init__(self, levels: Sequence[str], slices: Sequence[str], changed: Callable[[list[str]], None]) -> None:
        super().__init__("Slice levels")
        self._changed = changed
        form = qt.QFormLayout()
        self.column.addLayout(form)
        levels = levels if len(levels) == len(slices) else [AUTOMATIC] * len(slices)
        self.choices = [self._choice(form, name, level) for name, level in zip(slices, levels, strict=True)]
        self.words = qt.QLabel()
        self.words.setWordWrap(True)
        self.column.addWidget(self.words)
        row = qt.QHBoxLayout()
        self.column.addLayout(row)
        self.take = add_button(row, "Use these levels", "The levels count from now on.", self._take)
        self.leave = add_button(row, "Cancel", "Leaves everything as it was.", self.dialog.reject)
        self.dialog.show()

    def _choice(self, form, name: str, level: str):
        choice = qt.QComboBox()
        words = [AUTOMATIC, *(each.value for each in SliceLevel)]
        choice.addItems(words)
        choice.currentIndex = words.index(level) if level in words else 0
        choice.setToolTip("The part of the ventricle that this slice shows; none: it counts to no segment.")
        form.addRow(f"{name}:", choice)
        return choice

    def _take(self) -> None:
        chosen = [choice.currentText for choice in self.choices]
        free = chosen.count(AUTOMATIC)
        if 0 < free < len(chosen):
            self.words.text = (
                f"{free} of {len(chosen)} slices are automatic. Choose a level for each slice, or none at all."
            )
            self.dialog.adjustSize()
            return
        self.dialog.accept()
        self._changed([] if free else chosen)
