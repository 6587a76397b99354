"""The widgets of the environment panel, laid out; what they do is in ``environment_panel``."""

from __future__ import annotations

import ctk
import qt

from ..environment import fill_command
from .environment_words import Action

STEPS = 1000
_ROW = (Action.INSTALL, Action.CHECK, Action.REPAIR, Action.REMOVE)
_PYTHON = (
    "A Python 3.10 to 3.13 with TensorFlow, NumPy, SciPy and SimpleITK (python, or the folder of its environment)."
)
_SOURCE = "For a computer without internet: a folder of packages (*.whl), filled on one of the same system by "


class PanelWidgets:
    """``state`` label, ``buttons`` by action, ``working`` (the row of ``bar`` and Cancel), the paths ``python`` and ``source``, and
    the ``log`` that ``log_button`` shows, all in ``layout``.
    """

    def __init__(self, layout) -> None:
        self.state = qt.QLabel()
        self.state.objectName = "EnvironmentState"
        self.state.wordWrap = True
        self.buttons = {action: _button(action) for action in Action}
        self.bar = qt.QProgressBar()
        self.bar.maximum = STEPS
        self.working = _row(self.bar, self.buttons[Action.CANCEL])
        self.python = _path("EnginePython", ctk.ctkPathLineEdit.Files | ctk.ctkPathLineEdit.Executable, _PYTHON)
        self.source = _path("EnginePackages", ctk.ctkPathLineEdit.Dirs, _SOURCE + fill_command())
        self.log_button = qt.QPushButton("Show log")
        self.log_button.objectName = "EnvironmentLogButton"
        self.log_button.checkable = True
        self.log_button.connect("toggled(bool)", self._show_log)
        self.log = qt.QPlainTextEdit()
        self.log.readOnly = True
        self._lay_out(layout)
        self.log.setVisible(False)
        self._said = ""
        self.say("")

    def say(self, text: str) -> None:
        """Put ``text`` into the log, its end in sight."""
        self.log_button.enabled = bool(text)
        self.log_button.toolTip = "What pip and the check said." if text else "Nothing was said yet."
        if text != self._said:
            self._said = text
            self.log.setPlainText(text)
            self.log.verticalScrollBar().value = self.log.verticalScrollBar().maximum

    def _show_log(self, on: bool) -> None:
        self.log.setVisible(on)
        self.log_button.text = "Hide log" if on else "Show log"

    def _lay_out(self, layout) -> None:
        layout.addWidget(self.state)
        layout.addWidget(_row(*(self.buttons[action] for action in _ROW)))
        layout.addWidget(self.working)
        paths = _flat(qt.QWidget())
        form = qt.QFormLayout(paths)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Python of your own:", self.python)
        form.addRow("Local folder of packages:", self.source)
        layout.addWidget(paths)
        layout.addWidget(self.log_button)
        layout.addWidget(self.log)


def _button(action: Action):
    button = qt.QPushButton(action.value)
    button.objectName = f"Environment{action.name.title()}Button"
    return button


def _path(name: str, filters: int, tip: str):
    edit = ctk.ctkPathLineEdit()
    edit.objectName, edit.filters, edit.toolTip = name, filters, tip
    return edit


def _row(*widgets):
    row = _flat(qt.QWidget())
    layout = qt.QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return row


def _flat(widget):
    """``widget``, no higher than it needs."""
    widget.setSizePolicy(qt.QSizePolicy.Preferred, qt.QSizePolicy.Fixed)
    return widget
