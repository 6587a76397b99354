"""The CTK widgets that Slicer modules use, over PySide6: CTK's properties and signals, and about its look.

Checked against commontk/CTK, Libs/Widgets. A property that CTK has and this lacks raises, so that it gets added here.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Property, Signal

from .pythonqt import qt, widget


def _of(part: str, kind: type, name: str) -> Property:
    """The property ``name`` of the inner widget ``part``."""
    return Property(
        kind,
        lambda self: getattr(getattr(self, part), name),
        lambda self, value: setattr(getattr(self, part), name, value),
    )


def kept(kind: type | str, name: str, value, then=lambda self: None) -> Property:
    """A property that only keeps its value (at first ``value``), and calls ``then`` after each change."""

    def put(self, new) -> None:
        self.__dict__[name] = tuple(new) if kind == "QStringList" else new
        then(self)

    return Property(kind, lambda self: self.__dict__.get(name, value), put)


def row(parent, *parts, spacing: int = 4):
    """Lay ``parts`` beside each other in ``parent``, without a margin."""
    layout = qt.QHBoxLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for part in parts:
        layout.addWidget(part)
    return layout


for _name, _base in {
    "ctkCheckBox": qt.QCheckBox,
    "ctkPushButton": qt.QPushButton,
    "ctkDoubleSpinBox": qt.QDoubleSpinBox,
}.items():
    widget(type(_name, (_base,), {"__doc__": f"CTK's {_name[3:]}, as far as it is Qt's."}))


@widget
class ctkCollapsibleButton(qt.QAbstractButton):
    """A titled button over its contents, which a click hides; checked is the opposite of collapsed.

    What is shown or hidden by others while it is closed takes effect when it opens.
    """

    contentsCollapsed = Signal(bool)
    FULL = 16777215

    def __init__(self, parent=None) -> None:
        self._away, self._forcing = set(), False
        super().__init__(parent)
        self.checkable = self.checked = True
        self.setSizePolicy(qt.QSizePolicy.Minimum, qt.QSizePolicy.Preferred)
        self.setContentsMargins(0, self._title_height(), 0, 0)
        self.toggled.connect(self._open)

    def _parts(self) -> list:
        return [child for child in self.children() if isinstance(child, qt.QWidget)]

    def _put(self, child, visible: bool) -> None:
        (self._away.discard if visible else self._away.add)(child)
        self._forcing = True
        child.setVisible(visible)
        child.setAttribute(qt.Qt.WA_WState_ExplicitShowHide, False)  # so that hiding it again is noticed
        self._forcing = False

    def _open(self, opened: bool) -> None:
        self.setMaximumHeight(self.FULL if opened else self._title_height())
        for child in self._parts():
            if opened and child in self._away:
                self._put(child, True)
        self._close()
        self.updateGeometry()
        self.contentsCollapsed.emit(not opened)

    def _close(self) -> None:
        for child in self._parts() if not self.checked else ():
            child.installEventFilter(self)
            if not (child.isHidden() and child.testAttribute(qt.Qt.WA_WState_ExplicitShowHide)):
                self._put(child, False)

    def showEvent(self, _event) -> None:
        self._close()

    def eventFilter(self, child, event) -> bool:
        if not self._forcing and not self.checked:
            if event.type() == qt.QEvent.ShowToParent:
                self._put(child, False)
            elif event.type() == qt.QEvent.HideToParent:
                self._away.discard(child)
        return False

    def _title_height(self) -> int:
        return self.fontMetrics().height() + 10

    collapsed = Property(bool, lambda self: not self.checked, lambda self, value: self.setChecked(not value))

    def hitButton(self, point) -> bool:
        return point.y() < self._title_height()

    def _hint(self, inner: str):
        title = qt.QSize(self.fontMetrics().horizontalAdvance(self.text) + 40, self._title_height())
        open_ = self.layout() and self.checked
        return title.expandedTo(getattr(self.layout(), inner)()) if open_ else title

    def sizeHint(self):
        return self._hint("totalSizeHint")

    def minimumSizeHint(self):
        return self._hint("totalMinimumSize")

    def paintEvent(self, _event) -> None:
        painter, button = qt.QStylePainter(self), qt.QStyleOptionButton()
        button.initFrom(self)
        button.rect = qt.QRect(0, 0, self.width, self._title_height())
        button.state |= qt.QStyle.State_Raised
        painter.drawControl(qt.QStyle.CE_PushButtonBevel, button)
        arrow = qt.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = qt.QRect(8, button.rect.height() // 2 - 6, 12, 12)
        kind = qt.QStyle.PE_IndicatorArrowDown if self.checked else qt.QStyle.PE_IndicatorArrowRight
        painter.drawPrimitive(kind, arrow)
        how = qt.Qt.AlignLeft | qt.Qt.AlignVCenter | qt.Qt.TextShowMnemonic
        painter.drawItemText(button.rect.adjusted(26, 0, 0, 0), how, self.palette, self.enabled, self.text)


@widget
class ctkSliderWidget(qt.QWidget):
    """A slider and a spin box of one value; starts with 0 to 99 in steps of 1, as CTK's does."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    STEPS = 10000

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._slider, self._spin = qt.QSlider(qt.Qt.Horizontal, self), qt.QDoubleSpinBox(self)
        self._spin.setSizePolicy(qt.QSizePolicy.Fixed, qt.QSizePolicy.Fixed)
        self._slider.setRange(0, self.STEPS)
        row(self, self._slider, self._spin)
        self._spin.setRange(0, 99)
        self._spin.valueChanged.connect(self._spun)
        self._slider.actionTriggered.connect(lambda _action: self._slid(self._slider.sliderPosition))

    def _spun(self, value: float) -> None:
        self._place()
        self.valueIsChanging.emit(value)
        self.valueChanged.emit(value)

    def _slid(self, position: int) -> None:
        wanted = self._spin.minimum + position / self.STEPS * (self._spin.maximum - self._spin.minimum)
        step = self._spin.singleStep
        self._spin.value = round((wanted - self._spin.minimum) / step) * step + self._spin.minimum

    def _set(self, value: float) -> None:
        if value != self._spin.value:  # CTK's box leaves the text alone that is being typed
            self._spin.value = value

    def _place(self) -> None:
        span = (self._spin.maximum - self._spin.minimum) or 1
        self._slider.value = round((self._spin.value - self._spin.minimum) / span * self.STEPS)

    def _range(self, minimum: float, maximum: float) -> None:
        self._spin.setRange(minimum, maximum)
        self._place()

    minimum = Property(float, lambda self: self._spin.minimum, lambda self, low: self._range(low, self.maximum))
    maximum = Property(float, lambda self: self._spin.maximum, lambda self, high: self._range(self.minimum, high))
    value, singleStep = Property(float, lambda self: self._spin.value, _set), _of("_spin", float, "singleStep")
    prefix, suffix = _of("_spin", str, "prefix"), _of("_spin", str, "suffix")
    decimals, tracking = _of("_spin", int, "decimals"), _of("_slider", bool, "tracking")
    setValue, setDecimals = value.fset, decimals.fset
    spinBoxVisible = Property(bool, lambda self: not self._spin.isHidden(), lambda self, on: self._spin.setVisible(on))


@widget
class ctkComboBox(qt.QComboBox):
    """A combo box that says what to choose while nothing is chosen."""

    defaultText = Property(
        str, lambda self: self.placeholderText, lambda self, text: qt.QComboBox.setPlaceholderText(self, text)
    )


@widget
class ctkPathLineEdit(qt.QWidget):
    """A path to type or to browse for."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)
    Dirs, Files, Drives, Readable, Writable, Executable, Hidden = 0x01, 0x02, 0x04, 0x10, 0x20, 0x40, 0x100

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._box, self._button = qt.QComboBox(self), qt.QToolButton(self)
        self._box.editable, self._button.text = True, "..."
        self._box.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        row(self, self._box, self._button, spacing=0)
        self._box.editTextChanged.connect(self._changed)
        self._button.clicked.connect(self.browse)

    def _changed(self, path: str) -> None:
        self.currentPathChanged.emit(path)
        self.validInputChanged.emit(Path(path).exists())

    def browse(self) -> None:
        if self.filters & self.Files:
            ask = qt.QFileDialog.getSaveFileName if self.filters & self.Writable else qt.QFileDialog.getOpenFileName
            chosen = ask(self, "Open a file", self.currentPath, ";;".join(self.nameFilters))
        else:
            chosen = qt.QFileDialog.getExistingDirectory(self, "Select a directory...", self.currentPath)
        if chosen:
            self.currentPath = chosen

    def addCurrentPathToHistory(self) -> None:
        """The list of the last paths lives in the user's settings, which no test touches."""

    currentPath = Property(str, lambda self: self._box.currentText, lambda self, path: self._box.setEditText(path))
    setCurrentPath = currentPath.fset
    filters, nameFilters = kept(int, "_filters", 0x02), kept("QStringList", "_names", ())
    settingKey, label = kept(str, "_key", ""), kept(str, "_label", "")
