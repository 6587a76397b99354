"""What a person does with mouse and keyboard, for tests: only with what is visible and enabled."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtTest import QTest

from .pythonqt import qt

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
_LEFT = QtCore.Qt.LeftButton
_LAYOUT_ROUNDS = 5  # a label that grows reaches the panel through one layout after the other


def _ready(thing):
    """``thing``, if a person could use it now; scrolled to."""
    reason = "hidden" if not thing.isVisible() else "disabled" if not thing.isEnabled() else ""
    assert not reason, f"{thing.objectName} is {reason}: {thing.toolTip}"
    above = thing.parentWidget()
    while above is not None:
        if isinstance(above, QtWidgets.QScrollArea):
            above.ensureWidgetVisible(thing)
        above = above.parentWidget()
    return thing


def _inner(thing, *kinds: type):
    """``thing`` or its first visible part of these kinds: a spin box in a slider widget, a combo box in a selector."""
    parts = [each for kind in kinds for each in thing.findChildren(kind) if each.isVisible()]
    return _ready(thing if isinstance(thing, kinds) else parts[0])


def click(thing) -> None:
    """Click a button or a box: at its middle, or where it takes clicks (a box's mark, a collapsible's title)."""
    middle = _ready(thing).rect.center()
    places = (middle, QtCore.QPoint(8, middle.y()), QtCore.QPoint(middle.x(), 8))
    hit = getattr(thing, "hitButton", lambda place: True)
    QTest.mouseClick(thing, _LEFT, pos=next(place for place in places if hit(place)))
    QtWidgets.QApplication.processEvents()


def type_text(thing, text: str) -> None:
    """Replace what stands in a line or a spin box, and press Return."""
    field = _inner(thing, QtWidgets.QAbstractSpinBox, QtWidgets.QLineEdit)
    field.selectAll()
    if not text:
        QTest.keyClick(field, QtCore.Qt.Key_Delete)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, QtCore.Qt.Key_Return)
    QtWidgets.QApplication.processEvents()


def choose(thing, text: str) -> None:
    """Open a combo box (or a selector's) and take the entry ``text``."""
    combo = _inner(thing, QtWidgets.QComboBox)
    row = combo.findText(text)
    assert row >= 0, f"no entry {text!r} among {[combo.itemText(n) for n in range(combo.count)]}"
    combo.showPopup()
    combo.view().setCurrentIndex(combo.model().index(row, combo.modelColumn, combo.rootModelIndex()))
    QTest.keyClick(combo.view(), QtCore.Qt.Key_Return)
    QtWidgets.QApplication.processEvents()


def send_mouse(thing, kind: str, x: float, y: float, button=QtCore.Qt.NoButton, held=QtCore.Qt.NoModifier) -> None:
    """One event ("MouseMove", "MouseButtonPress", "MouseButtonRelease") at (x, y) from the widget's upper left."""
    where = QtCore.QPointF(x, y)
    down = button if kind == "MouseButtonPress" else QtCore.Qt.NoButton
    event = QtGui.QMouseEvent(getattr(QtCore.QEvent, kind), where, thing.mapToGlobal(where), button, down, held)
    QtWidgets.QApplication.sendEvent(thing, event)


def send_wheel(thing, notches: int) -> None:
    """Turn the wheel over the widget's middle, away from the person where ``notches`` is positive."""
    here, none = QtCore.QPointF(thing.rect.center()), QtCore.QPoint()
    turn, quiet = QtCore.QPoint(0, 120 * notches), QtCore.Qt.NoScrollPhase
    event = QtGui.QWheelEvent(
        here, thing.mapToGlobal(here), none, turn, QtCore.Qt.NoButton, QtCore.Qt.NoModifier, quiet, False
    )
    QtWidgets.QApplication.sendEvent(thing, event)
    QtWidgets.QApplication.processEvents()


def click_at(view, x: float, y: float) -> None:
    """Move to (x, y) from the view's upper left, press and release."""
    send_mouse(_ready(view), "MouseMove", x, y)
    send_mouse(view, "MouseButtonPress", x, y, _LEFT)
    send_mouse(view, "MouseButtonRelease", x, y, _LEFT)
    QtWidgets.QApplication.processEvents()


def _place(view, ras) -> tuple[float, float]:
    """Where (mm) lies in the slice view, pixels from its upper left."""
    x, y, depth = view.convertRASToXYZ(ras)
    where = x, view.renderWindow().GetSize()[1] - 1 - y
    assert view.rect.contains(*map(round, where)), f"{ras} is outside the view at {where}"
    assert abs(depth) < 0.51, f"{ras} is not in the slice shown"
    return where


def move_in_slice(view, ras) -> None:
    """The mouse over the point ``ras`` (mm) of a slice view, no button held."""
    send_mouse(_ready(view), "MouseMove", *_place(view, ras))
    QtWidgets.QApplication.processEvents()


def click_in_slice(view, ras) -> None:
    click_at(view, *_place(view, ras))


def wait(condition, seconds: float = 60.0) -> None:
    """Run the event loop until ``condition()`` holds; AssertionError after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still waiting after {seconds:g} s"
        QtWidgets.QApplication.processEvents()
        time.sleep(0.002)


@contextmanager
def heartbeat(milliseconds: int = 5):
    """Measure meanwhile: ``beat.longest`` is the longest time in which the GUI thread took no event, s."""
    beat, timer = _Beat(), qt.QTimer()
    timer.timeout.connect(beat)
    timer.start(milliseconds)
    try:
        yield beat
    finally:
        timer.stop()
        beat()


class _Beat:
    def __init__(self) -> None:
        self.longest, self._last = 0.0, time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        self.longest, self._last = max(self.longest, now - self._last), now


def screenshot(thing, name: str) -> Path:
    """The picture of a widget or window as build/screenshots/NAME.png."""
    for _ in range(_LAYOUT_ROUNDS):
        QtWidgets.QApplication.processEvents()
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    assert thing.grab().save(str(path)), f"{path} could not be written"
    return path
