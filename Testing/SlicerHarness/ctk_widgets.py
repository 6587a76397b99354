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
        self.__dict__[name] = new
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
    "ctkCheckablePushButton": qt.QPushButton,
    "ctkMenuButton": qt.QPushButton,
    "ctkFittedTextBrowser": qt.QTextBrowser,
    "ctkMessageBox": qt.QMessageBox,
    "ctkDoubleSpinBox": qt.QDoubleSpinBox,
    "ctkDoubleSlider": qt.QSlider,
}.items():
    widget(type(_name, (_base,), {"__doc__": f"CTK's {_name[3:]}, as far as it is Qt's."}))


def _hidden_on_purpose(child) -> bool:
    return child.isHidden() and child.testAttribute(qt.Qt.WA_WState_ExplicitShowHide)


class _Contents:
    """What collapsing does to the children: those shown are hidden, and come back."""

    _collapsed, _hidden, _full = False, (), 16777215

    def _collapse(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        children = [child for child in self.children() if isinstance(child, qt.QWidget)]
        if collapsed:
            self._hidden = [child for child in children if not _hidden_on_purpose(child)]
        for child in self._hidden:
            child.setVisible(not collapsed)
        self.setMaximumHeight(self._title_height() if collapsed else self._full)
        self.updateGeometry()
        if hasattr(self, "contentsCollapsed"):
            self.contentsCollapsed.emit(collapsed)


@widget
class ctkCollapsibleButton(_Contents, qt.QAbstractButton):
    """A titled button over its contents, which a click hides; checked is the opposite of collapsed."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.checkable = self.checked = True
        self.setSizePolicy(qt.QSizePolicy.Minimum, qt.QSizePolicy.Preferred)
        self.setContentsMargins(0, self._title_height(), 0, 0)
        self.toggled.connect(lambda checked: self._collapse(not checked))

    def _title_height(self) -> int:
        return self.fontMetrics().height() + 10

    collapsed = Property(bool, lambda self: self._collapsed, lambda self, value: self.setChecked(not value))

    def hitButton(self, point) -> bool:
        return point.y() < self._title_height()

    def sizeHint(self):
        inner = self.layout().sizeHint() if self.layout() and not self._collapsed else qt.QSize()
        title = qt.QSize(self.fontMetrics().horizontalAdvance(self.text) + 40, self._title_height())
        return title.expandedTo(inner)

    minimumSizeHint = sizeHint

    def paintEvent(self, _event) -> None:
        painter, button = qt.QStylePainter(self), qt.QStyleOptionButton()
        button.initFrom(self)
        button.rect = qt.QRect(0, 0, self.width, self._title_height())
        button.state |= qt.QStyle.State_Raised
        painter.drawControl(qt.QStyle.CE_PushButtonBevel, button)
        arrow = qt.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = qt.QRect(8, button.rect.height() // 2 - 6, 12, 12)
        kind = qt.QStyle.PE_IndicatorArrowRight if self._collapsed else qt.QStyle.PE_IndicatorArrowDown
        painter.drawPrimitive(kind, arrow)
        how = qt.Qt.AlignLeft | qt.Qt.AlignVCenter | qt.Qt.TextShowMnemonic
        painter.drawItemText(button.rect.adjusted(26, 0, 0, 0), how, self.palette, self.enabled, self.text)


@widget
class ctkCollapsibleGroupBox(_Contents, qt.QGroupBox):
    """A group box whose check mark opens and closes it."""

    def __init__(self, title: str = "", parent=None) -> None:
        super().__init__(title, parent) if isinstance(title, str) else super().__init__(title)
        self.checkable = self.checked = True
        self.toggled.connect(lambda checked: self._collapse(not checked))

    def _title_height(self) -> int:
        return self.fontMetrics().height() + 8

    collapsed = Property(bool, lambda self: self._collapsed, lambda self, value: self.setChecked(not value))


class _Numbers(qt.QWidget):
    """What a slider with a box and a range with two boxes share."""

    def _box(self):
        box = qt.QDoubleSpinBox(self)
        box.setSizePolicy(qt.QSizePolicy.Fixed, qt.QSizePolicy.Fixed)
        return box


@widget
class ctkSliderWidget(_Numbers):
    """A slider and a spin box of one value; starts with 0 to 99 in steps of 1, as CTK's does."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    STEPS = 10000

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._slider, self._spin = qt.QSlider(qt.Qt.Horizontal, self), self._box()
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

    def setRange(self, minimum: float, maximum: float) -> None:
        self._spin.setRange(minimum, maximum)
        self._place()

    minimum = Property(float, lambda self: self._spin.minimum, lambda self, low: self.setRange(low, self.maximum))
    maximum = Property(float, lambda self: self._spin.maximum, lambda self, high: self.setRange(self.minimum, high))
    value, singleStep = Property(float, lambda self: self._spin.value, _set), _of("_spin", float, "singleStep")
    prefix, suffix = _of("_spin", str, "prefix"), _of("_spin", str, "suffix")
    decimals, tracking = _of("_spin", int, "decimals"), _of("_slider", bool, "tracking")
    spinBoxVisible = Property(bool, lambda self: not self._spin.isHidden(), lambda self, on: self._spin.setVisible(on))


class _Band(qt.QWidget):
    """The strip between the two boxes of a range: a groove, its chosen part and two handles."""

    def __init__(self, parent) -> None:
        super().__init__(parent)
        self.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        self.minimumHeight, self.minimumWidth = 20, 40

    def paintEvent(self, _event) -> None:
        owner, painter = self.parent(), qt.QPainter(self)
        span = (owner.maximum - owner.minimum) or 1
        ends = (owner.minimumValue, owner.maximumValue)
        low, high = (6 + int((end - owner.minimum) / span * (self.width - 12)) for end in ends)
        middle = self.height // 2
        painter.fillRect(2, middle - 2, self.width - 4, 4, self.palette.mid())
        painter.fillRect(low, middle - 2, high - low, 4, self.palette.highlight())
        for place in (low, high):
            painter.fillRect(place - 4, middle - 8, 8, 16, self.palette.button())
            painter.drawRect(place - 4, middle - 8, 8, 16)


@widget
class ctkRangeWidget(_Numbers):
    """Two spin boxes and the strip between them; starts with 0 to 99."""

    valuesChanged = Signal(float, float)
    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)
    rangeChanged = Signal(float, float)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._low, self._band, self._high = self._box(), _Band(self), self._box()
        row(self, self._low, self._band, self._high)
        self.setRange(0, 99)
        self._high.value = 99
        self._low.valueChanged.connect(lambda value: self._moved(self.minimumValueChanged, value, self._high, max))
        self._high.valueChanged.connect(lambda value: self._moved(self.maximumValueChanged, value, self._low, min))

    def _moved(self, signal, value: float, other, keep) -> None:
        signal.emit(value)
        before = other.value
        other.value = keep(value, before)
        self._band.update()
        if other.value == before:
            self.valuesChanged.emit(self.minimumValue, self.maximumValue)

    def setRange(self, minimum: float, maximum: float) -> None:
        for box in (self._low, self._high):
            box.setRange(minimum, maximum)
        self.rangeChanged.emit(minimum, maximum)

    def setValues(self, low: float, high: float) -> None:
        self._low.value, self._high.value = low, high
        self._low.value = low

    def _both(self, name: str, value) -> None:
        setattr(self._low, name, value)
        setattr(self._high, name, value)

    minimum = Property(float, lambda self: self._low.minimum, lambda self, low: self.setRange(low, self.maximum))
    maximum = Property(float, lambda self: self._low.maximum, lambda self, high: self.setRange(self.minimum, high))
    minimumValue, maximumValue = _of("_low", float, "value"), _of("_high", float, "value")
    decimals = Property(int, lambda self: self._low.decimals, lambda self, value: self._both("decimals", value))
    singleStep = Property(float, lambda self: self._low.singleStep, lambda self, value: self._both("singleStep", value))
    suffix = Property(str, lambda self: self._low.suffix, lambda self, value: self._both("suffix", value))


@widget
class ctkComboBox(qt.QComboBox):
    """A combo box that says what to choose while nothing is chosen."""

    defaultText = Property(str, lambda self: self.placeholderText, lambda self, text: self.setPlaceholderText(text))
    currentUserDataAsString = Property(
        str,
        lambda self: str(self.currentData or ""),
        lambda self, text: self.setCurrentIndex(self.findData(text)),
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
    filters, nameFilters = kept(int, "_filters", 0x02), kept("QStringList", "_names", [])
    settingKey, label = kept(str, "_key", ""), kept(str, "_label", "")


@widget
class ctkDirectoryButton(qt.QPushButton):
    """A button that shows a folder and asks for another one."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.icon = self.style().standardIcon(qt.QStyle.SP_DirIcon)
        self._directory = ""
        self.clicked.connect(self.browse)
        self.directory = "."

    def browse(self) -> None:
        chosen = qt.QFileDialog.getExistingDirectory(self, self.caption, self._directory)
        if chosen:
            self.directory = chosen

    def _set(self, directory: str) -> None:
        path, before = qt.QDir(directory).absolutePath(), self._directory
        self._directory = self.text = path
        self.directorySelected.emit(path)
        if path != before:
            self.directoryChanged.emit(path)

    directory = Property(str, lambda self: self._directory, _set)
    caption = kept(str, "_caption", "")
