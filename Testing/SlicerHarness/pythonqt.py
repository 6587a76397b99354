"""PythonQt's way of speaking over PySide6: the modules ``qt`` and ``ctk`` that code in Slicer imports.

    from .pythonqt import ctk, qt, widget       # stable: the rest of the harness builds on exactly these three

    @widget                                     # now ctk.ctkThing, and <widget class="ctkThing"> in a .ui file
    class ctkThing(qt.QWidget):                 # (a name that starts otherwise goes to slicer: slicer.qMRMLThing)
        turned = Signal(bool)                   # Signal and Property come from PySide6.QtCore, as always
        level = Property(float, _get, _set)     # Signal(object) stands for any one C++ type: turned(vtkMRMLNode*)
        setLevel = level.fset                   # only where it is a slot: PythonQt sees no other setter of CTK's or Slicer's

What differs from PySide6, for every class of ``qt`` and every ``widget``: a Qt property is an attribute
(``button.enabled = False``, ``box.count``), also where PySide6 has a method of that name; ``name`` is the object name;
``obj.connect("clicked(bool)", f)`` keeps f alive, and raises where no such signal is; setting an unknown attribute
raises, as PythonQt does, but for names with ``_`` and in a subclass written in Python; a dynamic property reads as an
attribute; enums are ints; static file and input dialogs return the value alone. Objects that Qt itself creates (a
dialog's own buttons) have the properties, but connect only by ``obj.signal.connect(f)``.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import contextmanager
from functools import partial
from types import ModuleType

from .libraries import require

require("slicer", "PySide6.QtWidgets", "PySide6.QtUiTools")

import shiboken6  # noqa: E402
import slicer  # noqa: E402
from PySide6 import QtCore, QtGui, QtWidgets  # noqa: E402

if sys.version_info < (3, 12):
    # PySide6 6.12 returns None, True and False without counting the reference, as if all Pythons had them immortal;
    # tens of thousands of calls later the interpreter ends with "deallocating None".
    for _single in (None, True, False, NotImplemented):
        ctypes.c_ssize_t.from_address(id(_single)).value += 1 << 40

QObject = QtCore.QObject
REGISTERED: dict[str, type] = {}

# Virtual functions of C++ that are properties too: a descriptor in their place would be called instead of them.
VIRTUAL = {"sizeHint", "minimumSizeHint", "parent"}

# PySide6 returns (value, filter or ok) from these; PythonQt the value.
VALUE_ALONE = {
    "QFileDialog": ("getOpenFileName", "getOpenFileNames", "getSaveFileName"),
    "QInputDialog": ("getText", "getInt", "getDouble", "getItem", "getMultiLineText"),
}


class Attribute:
    """A Qt property as a Python attribute; ``native`` is PySide6's method of the same name, if there is one."""

    def __init__(self, name: str, native: object) -> None:
        self.name, self.native = name, native

    def __get__(self, thing, owner=None):
        if thing is None:
            return self.native or self
        value = self.native(thing) if callable(self.native) else QObject.property(thing, self.name)
        return tuple(value) if isinstance(value, list) else value

    def __set__(self, thing, value) -> None:
        meta = thing.metaObject().property(thing.metaObject().indexOfProperty(self.name))
        if not meta.isWritable():
            raise AttributeError(f"{self.name} of {thing.metaObject().className()} is read-only")
        if not QObject.setProperty(thing, self.name, _as_type(value, meta.typeName())):
            raise TypeError(f"{self.name} of {thing.metaObject().className()} takes {meta.typeName()}, not {value!r}")


def _as_type(value, kind: str):
    """PythonQt's conversions where PySide6 has others: it cuts a float for an int and writes anything as a string."""
    if kind == "QString":
        return value if isinstance(value, str) else str(value)
    return int(value) if kind == "int" and isinstance(value, float) else value


def _give_attributes(kind: type) -> None:
    """Turn the Qt properties that ``kind`` itself declares into attributes; PySide6's own Properties are already."""
    meta = kind.staticMetaObject
    for index in range(meta.propertyOffset(), meta.propertyCount()):
        name = meta.property(index).name()
        present = kind.__dict__.get(name)
        if name not in VIRTUAL and not isinstance(present, (QtCore.Property, Attribute)):
            setattr(kind, name, Attribute(name, present))


def signature(thing, wanted: str) -> str:
    """The signal ``wanted``, such as "valueChanged(double)", as ``thing`` declares it; AttributeError without one."""
    text = bytes(QtCore.QMetaObject.normalizedSignature(wanted).data()).decode()
    meta, known = thing.metaObject(), []
    for method in (meta.method(index) for index in range(meta.methodCount())):
        if method.methodType() == QtCore.QMetaMethod.MethodType.Signal:
            known.append(bytes(method.methodSignature().data()).decode())
    if text in known:
        return text
    name, _, types = text.partition("(")
    known = [each for each in known if each.partition("(")[0] == name]
    for each in known:
        declared = each.partition("(")[2].split(",")
        asked = types.split(",")
        if len(asked) == len(declared) and all(
            d in (a, "PyObject", "PyObject)") and a != ")" for a, d in zip(asked, declared)
        ):
            return each
    raise AttributeError(f"{meta.className()} has no signal {wanted}; {' or '.join(known) or 'nor one of that name'}")


def _connect(self, wanted: str, receiver, slot: str | None = None) -> bool:
    called = receiver if slot is None else getattr(receiver, slot.partition("(")[0])
    declared = signature(self, wanted)
    self.__dict__.setdefault("_connected", []).append((declared, called))
    return bool(QObject.connect(self, QtCore.SIGNAL(declared), called))


def _disconnect(self, wanted: str, receiver, slot: str | None = None) -> bool:
    called = receiver if slot is None else getattr(receiver, slot.partition("(")[0])
    connection = signature(self, wanted), called
    if connection not in self.__dict__.get("_connected", []):
        return False
    self._connected.remove(connection)
    return bool(QObject.disconnect(self, QtCore.SIGNAL(connection[0]), called))


def _check_alive(thing, name: str) -> None:
    """PySide6 checks that itself, but not for classes with a metaclass of their own, such as Kind: it would crash."""
    if not name.startswith("_") and not shiboken6.isValid(thing):
        raise ValueError(f"{name} was asked of a {type(thing).__name__} that Qt has deleted")


def _guarded(native: type):
    """The __getattribute__ of a class over ``native``, whose own one knows methods that are static too."""

    def getattribute(self, name: str):
        _check_alive(self, name)
        return native.__getattribute__(self, name)

    return getattribute


def _setattr(self, name: str, value) -> None:
    _check_alive(self, name)
    declared = next((kind.__dict__[name] for kind in type(self).__mro__ if name in kind.__dict__), None)
    if getattr(declared, "fset", None):
        declared.fset(self, value)
    elif hasattr(type(declared), "__set__"):
        declared.__set__(self, value)
    elif name.startswith("_") or "_spoken" not in type(self).__dict__:
        self.__dict__[name] = value
    elif not (isinstance(value, QObject) and value.name == name):  # PySide6's .ui loader tries that with each child
        raise AttributeError(f"{type(self).__name__} has no property {name} that can be set")


def _getattr(self, name: str):
    value = None if name.startswith("_") else QObject.property(self, name)
    if value is None:
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")
    return value


def _find(self, kind=QObject, name: str = "") -> list:
    """All descendants that are a ``kind`` (a class, several, or a name) and have that name, if one is given."""
    if isinstance(kind, str):
        return [child for child in _find(self, QObject, name) if child.inherits(kind)]
    if isinstance(kind, tuple):
        return [child for child in _find(self, QObject, name) if isinstance(child, kind)]
    native = kind.__dict__.get("_native", kind)
    return QObject.findChildren(self, native, name) if name else QObject.findChildren(self, native)


SPEECH = {
    "connect": _connect,
    "disconnect": _disconnect,
    "__setattr__": _setattr,
    "__getattr__": _getattr,
    "findChildren": _find,
    "findChild": lambda self, kind=QObject, name="": next(iter(_find(self, kind, name)), None),
    "className": lambda self: self.metaObject().className(),
}


def _value_alone(ask, *given, **named):
    return ask(*given, **named)[0]


class Kind(type(QObject)):
    """Classes of ``qt``: subclasses of PySide6's that count each PySide6 object of their class as their own."""

    def __instancecheck__(cls, thing) -> bool:
        native = cls.__dict__.get("_native")
        return isinstance(thing, native) if native else super().__instancecheck__(thing)

    def __subclasscheck__(cls, kind) -> bool:
        native = cls.__dict__.get("_native")
        return issubclass(kind, native) if native else super().__subclasscheck__(kind)


def _spoken(native: type) -> type:
    """The class of ``qt`` over ``native``: only Python subclasses can have a ``connect`` of their own."""
    content = {
        **SPEECH,
        "__getattribute__": _guarded(native),
        "_spoken": True,
        "_native": native,
        "__module__": "qt",
        "__doc__": native.__doc__,
    }
    for name in VALUE_ALONE.get(native.__name__, ()):
        content[name] = staticmethod(partial(_value_alone, getattr(native, name)))
    if hasattr(native, "exec"):
        content["exec_"] = native.exec  # the name that every PythonQt has
    return Kind(native.__name__, (native,), content)


def _modules() -> tuple[ModuleType, ModuleType]:
    made, other = ModuleType("qt"), ModuleType("ctk")
    QObject.name = Attribute("objectName", None)
    for library in (QtCore, QtGui, QtWidgets):
        for name in dir(library):
            if name.startswith("_") or name in ("Signal", "Slot", "Property", "SIGNAL", "SLOT"):
                continue
            item = getattr(library, name)
            if isinstance(item, type) and issubclass(item, QObject):
                _give_attributes(item)
                item = _spoken(item)
            setattr(made, name, item)
    return made, other


qt, ctk = _modules()
sys.modules["qt"], sys.modules["ctk"] = qt, ctk


def widget(kind: type) -> type:
    """Give a widget class PythonQt's semantics, its place in ctk or slicer, and the .ui loader's attention."""
    native = next(base for base in kind.__mro__ if base.__module__.startswith("PySide6."))
    for name, value in {**SPEECH, "__getattribute__": _guarded(native)}.items():
        setattr(kind, name, value)
    kind._spoken = True
    _give_attributes(kind)
    REGISTERED[kind.__name__] = kind
    setattr(ctk if kind.__name__.startswith("ctk") else slicer, kind.__name__, kind)
    return kind


@contextmanager
def loud():
    """Raise at the end what slots and VTK's observers raised meanwhile: Qt and VTK only print it."""
    raised, before = [], sys.excepthook
    sys.excepthook = lambda kind, error, trace: (raised.append(error), sys.__excepthook__(kind, error, trace))
    try:
        yield
    finally:
        sys.excepthook = before
    if raised:
        raise raised[0]
