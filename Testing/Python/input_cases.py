"""What a person does in Input and Anatomy, and studies that are not as they should be, for several test files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import slicer
from PySide6 import QtCore, QtWidgets
from PySide6.QtTest import QTest
from scene_cases import Study

from MyoPINNLib.geometry import Geometry
from MyoPINNLib.scene.nodes import affine_of, filled, values_of
from MyoPINNLib.series import Masks, PerfusionSeries
from Testing.SlicerHarness.clicks import click, type_text


def checked(selector) -> list[str]:
    """The names of the series that are checked."""
    return [node.GetName() for node in selector.checkedNodes()]


def tick(selector, name: str) -> None:
    """Open a list of check boxes, click the entry ``name``, close it."""
    combo = selector.findChildren(QtWidgets.QComboBox)[0]
    assert combo.isVisible() and combo.isEnabled()
    combo.showPopup()
    row = combo.findText(name)
    assert row >= 0, f"no entry {name!r}"
    place = combo.view().visualRect(combo.model().index(row, 0)).center()
    QTest.mouseClick(combo.view().viewport(), QtCore.Qt.LeftButton, pos=place)
    combo.hidePopup()
    QtWidgets.QApplication.processEvents()


def type_cell(table, row: int, column: int, text: str) -> None:
    """Double-click a cell, type, press Return."""
    table.scrollToItem(table.item(row, column))
    place = table.visualItemRect(table.item(row, column)).center()
    QTest.mouseClick(table.viewport(), QtCore.Qt.LeftButton, pos=place)
    QTest.mouseDClick(table.viewport(), QtCore.Qt.LeftButton, pos=place)
    (editor,) = table.viewport().findChildren(QtWidgets.QLineEdit)
    editor.selectAll()
    QTest.keyClick(editor, QtCore.Qt.Key_Delete)
    type_text(editor, text)


def shown_times(window, column: int = 0) -> list[str]:
    """The cells of a column of the time table."""
    return [window.table.item(row, column).text() for row in range(window.table.rowCount)]


def images_of(node) -> list:
    """The frames of a sequence as volume nodes."""
    return [node.GetNthDataNode(n) for n in range(node.GetNumberOfDataNodes())]


def repaint(node, change) -> None:
    """Give each frame of a sequence the values ``change(values)``."""
    for volume in images_of(node):
        filled(volume, change(values_of(volume).copy()), affine_of(volume))


def with_masks(study: Study, **masks: np.ndarray) -> Study:
    """The study with other masks."""
    return replace(study, masks=replace(study.masks, **masks))


def index_by_count(node, unit: str = "") -> None:
    """Let a sequence's index count its frames, as Slicer's import of 4D MR leaves it."""
    frames = [copied(volume) for volume in images_of(node)]
    node.RemoveAllDataNodes()
    node.SetIndexUnit(unit)
    for n, volume in enumerate(frames):
        node.SetDataNodeAtValue(volume, str(n))


def copied(volume):
    """A volume node like this one that belongs to no scene."""
    copy = slicer.vtkMRMLScalarVolumeNode()
    copy.Copy(volume)
    return copy


def rows_of(choice) -> list[str]:
    """The entries of a combo box."""
    return [choice.itemText(n) for n in range(choice.count)]


def clipboard(text: str) -> None:
    """Copy ``text`` as any program would."""
    slicer.app.clipboard().setText(text)


def open_section(section) -> None:
    """Click a section's title where it is closed."""
    if section.collapsed:
        click(section)


def middle_slice(study: Study) -> Study:
    """The study's second slice alone: quickly computed."""
    part = slice(1, 2)
    geometry = Geometry(study.series.geometry.ijk_to_lps[part], (1, *study.series.geometry.shape[1:]))
    series, masks = study.series, study.masks
    clock = series.time[part] if series.time.ndim == 2 else series.time
    return Study(
        PerfusionSeries(series.signal[:, part], clock, geometry, series.acquisition),
        Masks(masks.myocardium[part], masks.blood_pool[part], geometry),
        study.insertion[part],
        study.flow[part],
    )
