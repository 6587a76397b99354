"""slicer.parameterNodeWrapper: a class of typed attributes over a vtkMRMLScriptedModuleNode and the widgets of a .ui.

Values lie in the node as Slicer's own wrapper writes them (serializers.py), so that either reads the other's scenes:
text under the attribute's name, an enum by its member's name, a node as a node reference, a list as NAME_len, NAME_0,
... Left out, since unused: unions, parameter packs, tuples, dicts, ranges, colours.
"""

from __future__ import annotations

import enum
import typing
from collections.abc import MutableSequence
from types import ModuleType

import slicer
import slicer.util
import vtk

from . import validators
from .connectors import PATHS, Connector, create, is_node, split
from .pythonqt import qt
from .validators import Default, IsInstance, NotNone, Validator

SlicerParameterNamePropertyName = "SlicerParameterName"


class _Text:
    """A value that is one text in the node."""

    def __init__(self, kind: type) -> None:
        self.kind, self.checks = kind, [NotNone(), IsInstance((int, float) if kind is float else kind)]

    def default(self):
        return next(iter(self.kind)) if issubclass(self.kind, enum.Enum) else self.kind()

    def has(self, node, name: str) -> bool:
        return bool(node.HasParameter(name))

    def write(self, node, name: str, value) -> None:
        node.SetParameter(name, value.name if isinstance(value, enum.Enum) else str(value))

    def read(self, node, name: str):
        text = node.GetParameter(name)
        if self.kind is bool:
            return text == "True"
        if not issubclass(self.kind, enum.Enum):
            return self.kind(text)
        if text not in self.kind.__members__:
            raise ValueError(f"{text!r} in the parameter node is no member of {self.kind}")
        return self.kind[text]

    def remove(self, node, name: str) -> None:
        node.UnsetParameter(name)


class _Node(_Text):
    """A node reference; None where there is no node, also after the node left the scene."""

    def __init__(self, kind: type) -> None:
        self.checks = [IsInstance(kind)]

    def default(self):
        return None

    def write(self, node, name: str, value) -> None:
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node, name: str):
        return node.GetNodeReference(name)

    def remove(self, node, name: str) -> None:
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class ObservedList(MutableSequence):
    """A parameter's list: each change goes to the node at once."""

    def __init__(self, save, items: list) -> None:
        self._save, self._items = save, items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index):
        return self._items[index]

    def _change(self, items: list) -> None:
        self._save(items)
        self._items = items

    def __setitem__(self, index, value) -> None:
        items = list(self._items)
        items[index] = value
        self._change(items)

    def __delitem__(self, index) -> None:
        items = list(self._items)
        del items[index]
        self._change(items)

    def insert(self, index: int, value) -> None:
        self._change([*self._items[:index], value, *self._items[index:]])

    def extend(self, values) -> None:
        self._change([*self._items, *values])

    def __eq__(self, other) -> bool:
        return self._items == list(other)

    __hash__ = None

    def __repr__(self) -> str:
        return f"ObservedList({self._items})"


class _List:
    """A list of one type."""

    def __init__(self, element) -> None:
        self.element, self.length, self.checks = element, _Text(int), [NotNone()]

    def default(self):
        return []

    def has(self, node, name: str) -> bool:
        return self.length.has(node, f"{name}_len")

    def write(self, node, name: str, value) -> None:
        for item in value:
            _check(self.element, item)
        before = self._length(node, name)
        for index, item in enumerate(value):
            self.element.write(node, f"{name}_{index}", item)
        self.length.write(node, f"{name}_len", len(value))
        for index in range(len(value), before):
            self.element.remove(node, f"{name}_{index}")

    def _length(self, node, name: str) -> int:
        return self.length.read(node, f"{name}_len") if self.has(node, name) else 0

    def read(self, node, name: str):
        items = [self.element.read(node, f"{name}_{n}") for n in range(self._length(node, name))]

        def save(new: list) -> None:
            with slicer.util.NodeModify(node):
                self.write(node, name, new)

        return ObservedList(save, items)

    def remove(self, node, name: str) -> None:
        self.write(node, name, [])
        self.length.remove(node, f"{name}_len")


def _check(store, value) -> None:
    for check in store.checks:
        check.validate(value)


def _store(annotated):
    """What keeps values of that type in a node; TypeError for types that this wrapper lacks."""
    kind, notes = split(annotated)
    if typing.get_origin(kind) is list:
        store = _List(_store(typing.get_args(kind)[0]))
    elif is_node(kind):
        store = _Node(kind)
    elif kind in (bool, int, float, str, *PATHS) or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        store = _Text(kind)
    else:
        raise TypeError(f"a parameter cannot be of type {annotated} in the harness")
    store.checks += [note for note in notes if isinstance(note, Validator)]
    return store


class _Parameter:
    """One attribute of a wrapper."""

    def __init__(self, owner: type, name: str, annotated) -> None:
        self.name, self.unalteredType, self.store = name, annotated, _store(annotated)
        noted = [note for note in split(annotated)[1] if isinstance(note, Default)]
        found = noted[0] if noted else Default(generator=self.store.default)
        self.default = Default(getattr(owner, name)) if hasattr(owner, name) else found

    def __get__(self, wrapper, owner=None):
        if wrapper is None:
            return self
        if not self.store.has(wrapper.parameterNode, self.name):
            self.__set__(wrapper, self.default.value)
        return self.store.read(wrapper.parameterNode, self.name)

    def __set__(self, wrapper, value) -> None:
        _check(self.store, value)
        with slicer.util.NodeModify(wrapper.parameterNode):
            self.store.write(wrapper.parameterNode, self.name, value)


class _Wrapper:
    """What the decorator adds to a class."""

    def __init__(self, parameterNode) -> None:
        self.parameterNode = parameterNode
        self._connected: dict[int, tuple[int, dict[str, Connector]]] = {}
        self._showing, self._next = False, 0
        for name in self.allParameters:
            getattr(self, name)

    def _parameter(self, name: str) -> _Parameter:
        if name not in self.allParameters:
            raise ValueError(f"there is no parameter {name}; there are {', '.join(self.allParameters)}")
        return self.allParameters[name]

    def default(self, name: str) -> Default:
        return self._parameter(name).default

    @classmethod
    def dataType(cls, name: str):
        return cls._parameter(cls, name).unalteredType

    def getValue(self, name: str):
        return self._parameter(name).__get__(self)

    def setValue(self, name: str, value) -> None:
        self._parameter(name).__set__(self, value)

    def connectGui(self, gui) -> int:
        """Connect each widget with the property SlicerParameterName, of a widget or of childWidgetVariables' result."""
        widgets = gui.findChildren(qt.QWidget) if isinstance(gui, qt.QWidget) else gui.__dict__.values()
        named = {widget.property(SlicerParameterNamePropertyName): widget for widget in widgets}
        return self.connectParametersToGui({name: widget for name, widget in named.items() if name})

    def connectParametersToGui(self, widgets: dict) -> int:
        made = {name: create(widget, self._parameter(name).unalteredType) for name, widget in widgets.items()}
        tag, self._next = self._next, self._next + 1
        for name, connector in made.items():
            connector.write(self.getValue(name))
            connector.on_changed(lambda name=name, connector=connector: self._heard(name, connector))
        self._connected[tag] = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._show()), made
        return tag

    def disconnectGui(self, tag) -> None:
        observer, made = self._connected.pop(tag, (None, {}))
        for connector in made.values():
            connector.on_changed(None)
        if observer is not None:
            self.RemoveObserver(observer)

    def _heard(self, name: str, connector: Connector) -> None:
        if not self._showing:
            self.setValue(name, connector.read())

    def _show(self) -> None:
        if self._showing:
            return
        self._showing = True
        try:
            with slicer.util.NodeModify(self):
                for _, made in list(self._connected.values()):
                    for name, connector in made.items():
                        connector.write(self.getValue(name))
        finally:
            self._showing = False

    def StartModify(self):
        return self.parameterNode.StartModify()

    def EndModify(self, was) -> None:
        self.parameterNode.EndModify(was)

    def AddObserver(self, event, callback, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def parameterNodeWrapper(kind: type | None = None):
    """Class decorator: each annotated name becomes a parameter of the node that the class is made with."""
    if kind is None:
        return parameterNodeWrapper
    found = {
        name: _Parameter(kind, name, each) for name, each in typing.get_type_hints(kind, include_extras=True).items()
    }
    for name, item in {"allParameters": found, **vars(_Wrapper)}.items():
        if name in found or (name in vars(kind) and not name.startswith("__")):
            raise ValueError(f"{name} is a name that every parameter node wrapper has already")
        if not name.startswith("__") or name == "__init__":
            setattr(kind, name, item)
    for name, parameter in found.items():
        setattr(kind, name, parameter)
    return kind


def module() -> ModuleType:
    """slicer.parameterNodeWrapper, with the names that Slicer exports and this harness has."""
    made = ModuleType("slicer.parameterNodeWrapper")
    for name in dir(validators):
        if getattr(getattr(validators, name), "__module__", "") == validators.__name__:
            setattr(made, name, getattr(validators, name))
    made.SlicerParameterNamePropertyName = SlicerParameterNamePropertyName
    made.parameterNodeWrapper = parameterNodeWrapper
    return made
