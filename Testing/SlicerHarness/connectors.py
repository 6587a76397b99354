"""Which widget shows a parameter of which type, as Slicer's parameterNodeWrapper/guiConnectors.py has it.

Only the exact classes of the table connect: a subclass, or a qMRMLSegmentSelectorWidget, raises, as it does in Slicer.
"""

from __future__ import annotations

import enum
import pathlib
import typing
from collections.abc import Callable
from dataclasses import dataclass, field

import slicer

from . import node_widgets  # noqa: F401  the classes below stand in slicer
from .pythonqt import ctk, qt
from .validators import Choice, Decimals, Maximum, Minimum, SingleStep, WithinRange

PATHS = tuple(getattr(pathlib, name) for name in dir(pathlib) if name.endswith("Path"))
CHOICES = (qt.QComboBox, ctk.ctkComboBox)


@dataclass
class Connector:
    """One widget and its value: ``read`` and ``write`` it, and hear of the user's changes by ``signal``."""

    widget: object
    signal: object
    read: Callable[[], object]
    write: Callable[[object], None]
    heard: Callable | None = field(default=None, init=False)

    def on_changed(self, call: Callable[[], None] | None) -> None:
        if self.heard:
            self.signal.disconnect(self.heard)
        self.heard = call and (lambda *_: call())
        if call:
            self.signal.connect(self.heard)


def split(annotated) -> tuple[object, tuple]:
    """A possibly annotated type, in its two parts."""
    if typing.get_origin(annotated) is typing.Annotated:
        kind, *notes = typing.get_args(annotated)
        return kind, tuple(notes)
    return annotated, ()


def is_node(kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def create(widget, annotated) -> Connector:
    """The connector of ``widget`` for a parameter of that type; RuntimeError where Slicer has none."""
    kind, notes = split(annotated)
    for kinds, classes, make in TABLE:
        if type(widget) in classes and kinds(kind):
            return make(widget, kind, notes)
    raise RuntimeError(f"no connector between the type {annotated} and the widget {type(widget).__name__}")


def _attribute(signal: str, name: str) -> Callable:
    def make(widget, kind, _notes):
        convert = kind if kind in PATHS else (lambda value: value)
        show = str if kind in PATHS else (lambda value: value)
        return Connector(
            widget,
            getattr(widget, signal),
            lambda: convert(getattr(widget, name)),
            lambda value: setattr(widget, name, show(value)),
        )

    return make


def _button(widget, kind, notes) -> Connector:
    widget.checkable = True
    return _attribute("toggled", "checked")(widget, kind, notes)


def _number(widget, kind, notes) -> Connector:
    """A slider needs both limits; a box without takes all its numbers have."""
    found = {type(note): note for note in notes}
    low, high = found.get(Minimum), found.get(Maximum)
    limits = found.get(WithinRange) or WithinRange(low and low.minimum, high and high.maximum)
    whole = type(widget) in (qt.QSlider, qt.QSpinBox)
    if Decimals in found and not (kind is int and not whole):
        widget.decimals = found[Decimals].value
    if kind is int and not whole:
        widget.decimals = 0
    if SingleStep in found:
        widget.singleStep = found[SingleStep].value
    if None in (limits.minimum, limits.maximum) and not isinstance(widget, qt.QAbstractSpinBox):
        raise RuntimeError(f"{type(widget).__name__} {widget.name} needs a parameter with a minimum and a maximum")
    least, most = (-(2**31), 2**31 - 1) if whole else (float("-inf"), float("inf"))
    widget.minimum = least if limits.minimum is None else limits.minimum
    widget.maximum = most if limits.maximum is None else limits.maximum
    return Connector(
        widget,
        widget.valueChanged,
        lambda: kind(widget.value),
        lambda value: setattr(widget, "value", kind(value)),
    )


def _choice(widget, kind, notes) -> Connector:
    """A combo box of the members of an enum, by their static method ``label``, or of a Choice."""
    choices = [note.choices for note in notes if isinstance(note, Choice)]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        label, values = getattr(kind, "label", lambda member: member.name), list(kind)
    elif choices:
        label, values = str, choices[0]
    else:
        raise RuntimeError(f"the combo box {widget.name} needs a parameter with a Choice")
    widget.clear()
    for value in values:
        widget.addItem(label(value))
    return Connector(
        widget,
        widget.currentIndexChanged,
        lambda: values[widget.currentIndex],
        lambda value: setattr(widget, "currentIndex", values.index(value)),
    )


def _node(widget, kind, _notes) -> Connector:
    widget.nodeTypes = [kind().GetClassName()]
    return Connector(widget, widget.currentNodeChanged, widget.currentNode, widget.setCurrentNode)


def _enum(kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


NUMBERS = (qt.QDoubleSpinBox, ctk.ctkSliderWidget, ctk.ctkDoubleSpinBox)
TABLE = (
    (lambda kind: kind is bool, (qt.QCheckBox, ctk.ctkCheckBox), _attribute("toggled", "checked")),
    (lambda kind: kind is bool, (qt.QPushButton,), _button),
    (lambda kind: kind is int, (qt.QSlider, qt.QSpinBox), _number),
    (lambda kind: kind in (int, float), NUMBERS, _number),
    (lambda kind: kind in (int, float, str, bool) or _enum(kind), CHOICES, _choice),
    (lambda kind: kind is str, (qt.QLineEdit,), _attribute("textChanged", "text")),
    (lambda kind: kind in PATHS, (ctk.ctkPathLineEdit,), _attribute("currentPathChanged", "currentPath")),
    (is_node, (slicer.qMRMLNodeComboBox,), _node),
)
