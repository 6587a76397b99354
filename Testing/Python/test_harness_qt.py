"""The harness speaks as PythonQt does, its widgets behave as CTK's and Slicer's, and modules load as in Slicer."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "slicer.util", "PySide6.QtWidgets", "PySide6.QtTest"):
    pytest.skip(trouble, allow_module_level=True)

import shiboken6
import slicer
import slicer.util
from PySide6.QtCore import Property, Signal

from Testing.SlicerHarness.clicks import choose, click, type_text
from Testing.SlicerHarness.loading import load_module, unload
from Testing.SlicerHarness.pythonqt import ctk, loud, qt, widget

from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper  # isort: skip  (loading)

pytestmark = pytest.mark.usefixtures("a_desktop")


@pytest.fixture
def a_button():
    button = qt.QPushButton("Compute")
    button.checkable = True
    return button


@pytest.fixture
def heard():
    """Collects what a signal says."""
    return []


# PythonQt's way of speaking.


def test_python_survives_that_calls_return_none_uncounted(a_button):
    assert a_button.parentWidget() is None
    assert sys.getrefcount(None) > 1e9


def test_a_property_is_an_attribute(a_button):
    a_button.enabled = False
    assert (a_button.text, a_button.enabled, a_button.isEnabled()) == ("Compute", False, False)


def test_a_property_cannot_be_called(a_button):
    with pytest.raises(TypeError):
        a_button.text()


def test_a_setter_and_a_property_agree(a_button):
    a_button.setText("Cancel")
    assert a_button.text == "Cancel"


@pytest.mark.parametrize("name", ["enabeld", "click", "width"])
def test_what_is_no_property_to_set_raises(a_button, name):
    with pytest.raises(AttributeError, match=name):
        setattr(a_button, name, 1)


def test_an_unknown_attribute_raises(a_button):
    with pytest.raises(AttributeError, match="QPushButton has no attribute colour"):
        a_button.colour  # noqa: B018


def test_a_subclass_written_in_python_has_attributes_of_its_own():
    class View(qt.QWidget):
        pass

    view = View()
    view.chosen = 3
    assert view.chosen == 3 and isinstance(view, qt.QWidget)


def test_the_name_is_the_object_name(a_button):
    a_button.name = "applyButton"
    assert a_button.objectName == "applyButton"


def test_a_dynamic_property_reads_as_an_attribute(a_button):
    a_button.setProperty("SlicerParameterName", "hct")
    assert a_button.SlicerParameterName == a_button.property("SlicerParameterName") == "hct"


def test_a_slot_gets_the_arguments_that_the_signature_names(a_button, heard):
    a_button.connect("clicked(bool)", lambda *given: heard.append(given))
    a_button.connect("clicked()", lambda *given: heard.append(given))
    a_button.click()
    assert sorted(heard) == [(), (True,)]


def test_a_slot_may_take_fewer_arguments(a_button, heard):
    a_button.connect("toggled(bool)", lambda: heard.append("toggled"))
    a_button.click()
    assert heard == ["toggled"]


def test_a_connection_keeps_its_listener_alive(a_button, heard):
    class Listener:
        def hear(self, checked):
            heard.append(checked)

    a_button.connect("clicked(bool)", Listener().hear)
    a_button.click()
    assert heard == [True]


def test_a_disconnected_slot_hears_no_more(a_button, heard):
    a_button.connect("clicked(bool)", heard.append)
    assert a_button.disconnect("clicked(bool)", heard.append)
    assert not a_button.disconnect("clicked(bool)", heard.append)
    a_button.click()
    assert heard == []


@pytest.mark.parametrize("signal", ["clickd(bool)", "clicked(int)", "text()"])
def test_a_signal_that_is_not_there_cannot_be_connected(a_button, signal):
    with pytest.raises(AttributeError, match="QPushButton has no signal"):
        a_button.connect(signal, print)


def test_a_signal_connects_by_its_attribute_too(a_button, heard):
    a_button.clicked.connect(lambda checked: heard.append(checked))
    a_button.click()
    assert heard == [True]


def test_a_signal_reaches_a_slot_of_another_object_by_its_name(a_button):
    field = qt.QLineEdit("before")
    a_button.connect("clicked()", field, "clear()")
    a_button.click()
    assert field.text == ""


def test_a_float_is_cut_for_a_whole_number_and_anything_is_a_text():
    box, field = qt.QSpinBox(), qt.QLineEdit()
    box.value, field.text = 2.7, None
    assert (box.value, field.text) == (2, "None")


def test_a_value_out_of_range_is_clamped():
    box = qt.QSpinBox()
    box.maximum, box.value = 5, 9
    assert box.value == 5


def test_a_combo_box_counts_by_an_attribute():
    combo = qt.QComboBox()
    combo.addItems(["stress", "rest"])
    assert (combo.count, combo.currentText, combo.currentIndex) == (2, "stress", 0)


def test_enums_are_numbers():
    assert int(qt.Qt.AlignLeft) == 1 and qt.Qt.UserRole + 1 == 257
    assert qt.QMessageBox.Yes | qt.QMessageBox.No == int(qt.QMessageBox.Yes) + int(qt.QMessageBox.No)


def test_an_enum_is_a_property_like_any_other():
    label = qt.QLabel("MBF")
    label.alignment = qt.Qt.AlignRight
    assert label.alignment == qt.Qt.AlignRight and label.className() == "QLabel"


def test_what_a_slot_raises_is_raised_in_the_end(a_button):
    a_button.connect("clicked()", lambda: [][0])
    with pytest.raises(IndexError), loud():
        a_button.click()


def test_children_are_found_by_class_and_by_name(a_button):
    panel = qt.QWidget()
    qt.QVBoxLayout(panel).addWidget(a_button)
    a_button.name = "applyButton"
    assert panel.findChildren(qt.QPushButton) == panel.findChildren("QAbstractButton") == [a_button]
    assert panel.findChild(qt.QWidget, "applyButton") is slicer.util.findChild(panel, "applyButton") is a_button


def test_a_list_of_texts_is_read_as_a_tuple():
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLTableNode"]
    assert selector.nodeTypes == ("vtkMRMLTableNode",)


@pytest.mark.parametrize("name", ["text", "click", "SlicerParameterName"])
def test_what_qt_has_deleted_cannot_be_used(a_button, name):
    shiboken6.delete(a_button)
    with pytest.raises(ValueError, match=f"{name} was asked of a QPushButton that Qt has deleted"):
        getattr(a_button, name)
    with pytest.raises(ValueError, match="enabled was asked"):
        a_button.enabled = True


def test_a_timer_calls_later(heard):
    qt.QTimer.singleShot(0, lambda: heard.append("later"))
    assert heard == []
    slicer.app.processEvents()
    assert heard == ["later"]


def test_a_file_dialog_returns_the_file_alone(monkeypatch):
    from PySide6 import QtWidgets

    from Testing.SlicerHarness.pythonqt import _spoken

    monkeypatch.setattr(QtWidgets.QFileDialog, "getOpenFileName", lambda *_: ("/a.nrrd", "*.nrrd"))
    assert _spoken(QtWidgets.QFileDialog).getOpenFileName(None, "Open") == "/a.nrrd"


def test_a_process_tells_its_end(heard):
    process = qt.QProcess()
    process.connect("finished(int,QProcess::ExitStatus)", lambda *given: heard.append(given))
    process.start(sys.executable, ["-c", "print('MBF')"])
    assert process.waitForFinished(30000)
    assert process.readAllStandardOutput().data().split() == [b"MBF"]
    assert heard == [(0, qt.QProcess.NormalExit)]


def test_a_widget_of_the_harness_gets_its_place_in_ctk(heard):
    @widget
    class ctkDial(qt.QWidget):  # noqa: N801
        turned = Signal(object)

        def _set(self, value):
            self._level = value
            self.turned.emit(value)

        level = Property(float, lambda self: self._level, _set)
        setLevel = level.fset

    dial = ctk.ctkDial()
    dial.connect("turned(vtkMRMLNode*)", heard.append)
    dial.setLevel(2.0)
    dial.level = 3.0
    assert heard == [2.0, 3.0]


# CTK's widgets.


def open_section(collapsed=False):
    """(window, button, labels): a collapsible button over two labels, on the screen."""
    window = qt.QWidget()
    button = ctk.ctkCollapsibleButton(window)
    button.text, button.collapsed = "Inputs", collapsed
    labels = [qt.QLabel("series", button), qt.QLabel("rest", button)]
    layout = qt.QVBoxLayout(button)
    for label in labels:
        layout.addWidget(label)
    qt.QVBoxLayout(window).addWidget(button)
    window.show()
    return window, button, labels


def test_a_click_on_its_title_closes_a_section(heard):
    _window, button, labels = open_section()
    button.connect("contentsCollapsed(bool)", heard.append)
    click(button)
    assert heard == [True] and button.collapsed and not button.checked
    assert [label.visible for label in labels] == [False, False]


def test_a_section_that_begins_closed_opens_with_all_its_contents():
    _window, button, labels = open_section(collapsed=True)
    assert [label.visible for label in labels] == [False, False]
    button.collapsed = False
    assert [label.visible for label in labels] == [True, True]


def test_what_is_hidden_in_a_closed_section_stays_hidden_when_it_opens():
    _window, button, labels = open_section(collapsed=True)
    labels[0].visible = False
    labels[1].visible = True
    assert not labels[1].visible
    button.collapsed = False
    assert [label.visible for label in labels] == [False, True]


def test_slider_and_box_show_one_value(heard):
    slider = ctk.ctkSliderWidget()
    slider.minimum, slider.maximum = 0, 4
    slider.connect("valueChanged(double)", heard.append)
    slider.value = 1
    assert heard == [1.0]
    assert slider._slider.value == slider.STEPS // 4


def test_a_path_is_typed_or_browsed_for(a_desktop, heard):
    path = ctk.ctkPathLineEdit()
    path.show()
    path.connect("currentPathChanged(QString)", heard.append)
    type_text(path, "/a")
    path.filters = ctk.ctkPathLineEdit.Dirs
    a_desktop.answers.give("/chosen")
    path.browse()
    assert path.currentPath == heard[-1] == "/chosen" and "/a" in heard


# Selectors of nodes and segments.


@pytest.fixture
def a_selector(a_desktop, heard):
    """A selector of tables with None first, which says its choices to ``heard``."""
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes, selector.noneEnabled = ["vtkMRMLTableNode"], True
    selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: heard.append(node and node.GetName()))
    selector.setMRMLScene(slicer.mrmlScene)
    selector.show()
    return selector


def add(kind, name):
    return slicer.mrmlScene.AddNewNodeByClass(kind, name)


def test_a_selector_is_enabled_by_its_scene():
    selector = slicer.qMRMLNodeComboBox()
    assert not selector.enabled
    selector.setMRMLScene(slicer.mrmlScene)
    assert selector.enabled


def test_a_selector_offers_nodes_of_its_kind_that_are_not_hidden(a_selector):
    shown, hidden = add("vtkMRMLTableNode", "segments"), slicer.vtkMRMLTableNode()
    hidden.SetHideFromEditors(1)
    slicer.mrmlScene.AddNode(hidden)
    add("vtkMRMLModelNode", "surface")
    assert a_selector.nodeFromIndex(0) is shown and a_selector.nodeCount() == 1
    a_selector.showHidden = True
    assert a_selector.nodeCount() == 2


def test_a_choice_in_a_selector_is_told_once(a_selector, heard):
    table = add("vtkMRMLTableNode", "segments")
    assert a_selector.currentNode() is None and heard == []
    choose(a_selector, "segments")
    assert a_selector.currentNode() is table and heard == ["segments"]


def test_a_selector_says_whether_there_is_a_node(a_selector):
    said = []
    a_selector.connect("currentNodeChanged(bool)", said.append)
    a_selector.setCurrentNode(add("vtkMRMLTableNode", "segments"))
    a_selector.setCurrentNode(None)
    assert said == [True, False]


def test_a_selector_follows_a_new_name(a_selector):
    table = add("vtkMRMLTableNode", "segments")
    table.SetName("16 segments")
    assert a_selector._box.itemText(1) == "16 segments"


def test_the_neighbour_takes_the_place_of_a_removed_node(a_selector, heard):
    tables = [add("vtkMRMLTableNode", name) for name in ("first", "second", "third")]
    a_selector.setCurrentNode(tables[1])
    for table in (tables[1], tables[2], tables[0]):
        slicer.mrmlScene.RemoveNode(table)
    assert heard == ["second", "third", "first", None]


def test_closing_the_scene_empties_a_selector(a_selector, heard):
    a_selector.setCurrentNode(add("vtkMRMLTableNode", "segments"))
    slicer.mrmlScene.Clear(False)
    assert a_selector.nodeCount() == 0 and heard == ["segments", None]


def test_a_selector_asks_for_an_attribute(a_selector):
    a_selector.addAttribute("vtkMRMLTableNode", "MyoPINN", "AIF")
    table = slicer.vtkMRMLTableNode()
    table.SetAttribute("MyoPINN", "AIF")
    add("vtkMRMLTableNode", "other")
    slicer.mrmlScene.AddNode(table)
    assert a_selector.nodeFromIndex(0) is table and a_selector.nodeCount() == 1


def test_a_selector_makes_and_deletes_nodes(a_selector):
    choose(a_selector, "Create new Table")
    assert a_selector.currentNode().GetName() == "Table"
    choose(a_selector, "Delete current Table")
    assert a_selector.nodeCount() == 0


def test_a_deleted_selector_hears_no_more_of_the_scene(a_selector):
    shiboken6.delete(a_selector)
    assert add("vtkMRMLTableNode", "segments")


def test_several_nodes_are_chosen_by_check_boxes(heard):
    selector = slicer.qMRMLCheckableNodeComboBox()
    selector.nodeTypes = ["vtkMRMLTableNode"]
    selector.setMRMLScene(slicer.mrmlScene)
    first, second = add("vtkMRMLTableNode", "first"), add("vtkMRMLTableNode", "second")
    selector.connect("checkedNodesChanged()", lambda: heard.append(len(selector.checkedNodes())))
    selector.setCheckState(second, qt.Qt.Checked)
    assert heard == [1] and selector.checkedNodes() == [second]
    assert selector.checkState(first) == qt.Qt.Unchecked


@pytest.fixture
def a_segmentation(a_desktop):
    """Two segments, LV and Wall."""
    node = add("vtkMRMLSegmentationNode", "Heart")
    for name in ("LV", "Wall"):
        node.GetSegmentation().AddEmptySegment(name, name)
    return node


@pytest.fixture
def a_segment_selector(a_segmentation, heard):
    selector = slicer.qMRMLSegmentSelectorWidget()
    selector.setMRMLScene(slicer.mrmlScene)
    selector.connect("currentSegmentChanged(QString)", heard.append)
    selector.setCurrentNode(a_segmentation)
    return selector


def test_the_first_segment_is_chosen_until_another_is(a_segment_selector):
    assert a_segment_selector.currentSegmentID() == "LV"
    a_segment_selector.setCurrentSegmentID("Wall")
    assert a_segment_selector.currentSegmentID() == "Wall"


def test_a_segment_selector_follows_its_segmentation(a_segment_selector, a_segmentation, heard):
    a_segment_selector.setCurrentSegmentID("Wall")
    a_segmentation.GetSegmentation().GetSegment("Wall").SetName("Myocardium")
    assert a_segment_selector._box.currentText == "Myocardium"
    a_segmentation.GetSegmentation().RemoveSegment("Wall")
    assert heard == ["Wall", "LV"]


# The parameter node.


class Colour(enum.Enum):
    GREY = "grey"
    VIRIDIS = "viridis"

    @staticmethod
    def label(member):
        return member.value.capitalize()


@parameterNodeWrapper
class Parameters:
    table: slicer.vtkMRMLTableNode
    hct: Annotated[float, WithinRange(0.0, 0.85)] = 0.45
    steps: Annotated[int, WithinRange(1, 100), Default(7)]
    model: Annotated[str, Choice(["16", "17"])] = "16"
    colour: Colour
    masked: bool = True
    folder: Path = Path("out")
    levels: list[str]


@pytest.fixture
def a_wrapper(a_desktop):
    return Parameters(add("vtkMRMLScriptedModuleNode", "parameters"))


def test_parameters_begin_at_their_defaults(a_wrapper):
    assert (a_wrapper.table, a_wrapper.hct, a_wrapper.steps, a_wrapper.colour) == (None, 0.45, 7, Colour.GREY)
    assert (a_wrapper.masked, a_wrapper.folder, a_wrapper.levels) == (True, Path("out"), [])


def test_parameters_lie_in_the_node_as_slicer_writes_them(a_wrapper):
    table = a_wrapper.table = add("vtkMRMLTableNode", "segments")
    a_wrapper.colour, a_wrapper.levels = Colour.VIRIDIS, ["base", "mid"]
    node = a_wrapper.parameterNode
    assert [node.GetParameter(name) for name in ("hct", "masked", "colour")] == ["0.45", "True", "VIRIDIS"]
    assert [node.GetParameter(name) for name in ("levels_len", "levels_0", "levels_1")] == ["2", "base", "mid"]
    assert node.GetNodeReferenceID("table") == table.GetID()


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("hct", 0.9, ValueError),
        ("hct", None, ValueError),
        ("hct", "0.4", TypeError),
        ("steps", 1.5, TypeError),
        ("model", "18", ValueError),
        ("colour", "GREY", TypeError),
        ("levels", [1], TypeError),
    ],
)
def test_a_parameter_refuses_what_it_may_not_be(a_wrapper, name, value, kind):
    before = a_wrapper.getValue(name)
    with pytest.raises(kind):
        setattr(a_wrapper, name, value)
    assert a_wrapper.getValue(name) == before


def test_a_change_of_a_list_is_stored_and_told_once(a_wrapper):
    told = []
    a_wrapper.AddObserver("ModifiedEvent", lambda *_: told.append(1))
    a_wrapper.levels += ["base", "apex"]
    assert a_wrapper.levels == ["base", "apex"] and len(told) == 1


def test_a_parameter_whose_node_was_removed_is_none(a_wrapper):
    a_wrapper.table = add("vtkMRMLTableNode", "segments")
    slicer.mrmlScene.RemoveNode(a_wrapper.table)
    assert a_wrapper.table is None


def test_changes_between_start_and_end_are_told_once(a_wrapper):
    told = []
    a_wrapper.AddObserver("ModifiedEvent", lambda *_: told.append(1))
    with slicer.util.NodeModify(a_wrapper):
        a_wrapper.hct, a_wrapper.steps = 0.4, 9
    assert len(told) == 1


@pytest.mark.parametrize(
    ("name", "kind", "said"), [("getValue", int, "getValue is a name"), ("pair", tuple[int, int], "cannot be of type")]
)
def test_a_wrapper_refuses_names_and_types_that_it_cannot_have(name, kind, said):
    with pytest.raises((ValueError, TypeError), match=said):
        parameterNodeWrapper(type("Bad", (), {"__annotations__": {name: kind}}))


@pytest.fixture
def a_form(a_wrapper):
    """Widgets of all kinds, connected: name -> widget, and "tag"."""
    kinds = {
        "table": slicer.qMRMLNodeComboBox,
        "hct": qt.QDoubleSpinBox,
        "steps": qt.QSpinBox,
        "model": qt.QComboBox,
        "colour": qt.QComboBox,
        "masked": qt.QCheckBox,
        "folder": ctk.ctkPathLineEdit,
    }
    panel = qt.QWidget()
    form = {name: kind(panel) for name, kind in kinds.items()}
    form["table"].noneEnabled = True
    form["table"].setMRMLScene(slicer.mrmlScene)
    for name, each in form.items():
        each.setProperty("SlicerParameterName", name)
    return {**form, "tag": a_wrapper.connectGui(panel), "panel": panel}


def test_a_form_shows_the_parameters_with_their_limits(a_form):
    assert (a_form["hct"].value, a_form["hct"].maximum, a_form["steps"].maximum) == (0.45, 0.85, 100)
    assert [a_form["colour"].itemText(n) for n in range(2)] == ["Grey", "Viridis"]
    assert a_form["model"].currentText == "16" and a_form["folder"].currentPath == "out"


def test_the_user_changes_parameters_by_the_form(a_form, a_wrapper):
    table = add("vtkMRMLTableNode", "segments")
    a_form["table"].setCurrentNode(table)
    a_form["colour"].currentIndex, a_form["masked"].checked, a_form["folder"].currentPath = 1, False, "/x"
    assert (a_wrapper.table, a_wrapper.colour) == (table, Colour.VIRIDIS)
    assert (a_wrapper.masked, a_wrapper.folder) == (False, Path("/x"))


def test_the_form_follows_the_parameters(a_form, a_wrapper):
    a_wrapper.table = add("vtkMRMLTableNode", "segments")
    a_wrapper.steps, a_wrapper.model = 42, "17"
    assert a_form["table"].currentNode() is a_wrapper.table
    assert (a_form["steps"].value, a_form["model"].currentText) == (42, "17")


def test_a_disconnected_form_changes_nothing(a_form, a_wrapper):
    a_wrapper.disconnectGui(a_form["tag"])
    a_form["steps"].value, a_wrapper.hct = 50, 0.4
    assert (a_wrapper.steps, a_form["hct"].value) == (7, 0.45)


@pytest.mark.parametrize(
    ("name", "kind"), [("masked", qt.QLineEdit), ("hct", ctk.ctkComboBox), ("folder", qt.QLineEdit)]
)
def test_a_widget_that_slicer_cannot_connect_is_refused(a_wrapper, name, kind):
    with pytest.raises(RuntimeError, match=r"no connector|Choice"):
        a_wrapper.connectParametersToGui({name: kind()})


# Modules and their .ui files.

UI = """<ui version="4.0"><class>Tiny</class><widget class="qMRMLWidget" name="Tiny"><layout class="QFormLayout">
<item row="0" column="0"><widget class="QLabel" name="label"><property name="text"><string>Table:</string></property></widget></item>
<item row="0" column="1"><widget class="qMRMLNodeComboBox" name="tableSelector">
 <property name="nodeTypes"><stringlist><string>vtkMRMLTableNode</string></stringlist></property>
 <property name="SlicerParameterName" stdset="0"><string>table</string></property></widget></item>
<item row="1" column="1"><widget class="ctkPathLineEdit" name="folderPath">
 <property name="filters"><set>ctkPathLineEdit::Dirs|ctkPathLineEdit::Writable</set></property></widget></item>
<item row="2" column="1"><widget class="QPushButton" name="applyButton"><property name="checkable"><bool>true</bool></property></widget></item>
</layout></widget><connections>
<connection><sender>Tiny</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal><receiver>tableSelector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection>
<connection><sender>applyButton</sender><signal>toggled(bool)</signal><receiver>folderPath</receiver><slot>setDisabled(bool)</slot></connection>
</connections></ui>"""

MODULE = """
import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import *
from slicer.util import VTKObservationMixin


class Tiny(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Tiny")


@parameterNodeWrapper
class TinyParameters:
    table: slicer.vtkMRMLTableNode


class TinyWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.visits = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/Tiny.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.parameters = TinyLogic().getParameterNode()
        self.connected = self.parameters.connectGui(self.ui)

    def enter(self):
        self.visits.append("enter")

    def exit(self):
        self.visits.append("exit")

    def cleanup(self):
        self.parameters.disconnectGui(self.connected)
        self.visits.append("cleanup")


class TinyLogic(ScriptedLoadableModuleLogic):
    def getParameterNode(self):
        return TinyParameters(super().getParameterNode())


class TinyTest(ScriptedLoadableModuleTest):
    def runTest(self):
        self.delayDisplay("running")
        TinyTest.ran = True
"""


@pytest.fixture
def a_ui(tmp_path):
    """A folder with Tiny.py and its .ui; a function that changes the .ui and loads it."""
    (tmp_path / "Resources" / "UI").mkdir(parents=True)
    (tmp_path / "Tiny.py").write_text(MODULE)
    file = tmp_path / "Resources" / "UI" / "Tiny.ui"
    file.write_text(UI)

    def load(old="", new=""):
        file.write_text(UI.replace(old, new) if old else UI)
        return slicer.util.loadUI(str(file))

    return load


@pytest.fixture
def a_module(a_desktop, a_ui, tmp_path):
    loaded = load_module(tmp_path / "Tiny.py")
    yield loaded
    if "Tiny" in sys.modules:
        unload(loaded)


def test_a_ui_file_gives_named_widgets_of_the_right_classes(a_ui):
    top = a_ui()
    ui = slicer.util.childWidgetVariables(top)
    assert type(ui.applyButton) is qt.QPushButton and ui.applyButton.checkable
    assert type(ui.tableSelector) is slicer.qMRMLNodeComboBox and ui.tableSelector.nodeTypes == ("vtkMRMLTableNode",)
    assert ui.folderPath.filters == ctk.ctkPathLineEdit.Dirs | ctk.ctkPathLineEdit.Writable
    assert top.className() == "qMRMLWidget"


def test_connections_of_a_ui_file_are_made(a_ui):
    top = a_ui()
    ui = slicer.util.childWidgetVariables(top)
    top.setMRMLScene(slicer.mrmlScene)
    ui.applyButton.click()
    assert ui.tableSelector.mrmlScene() is slicer.mrmlScene and not ui.folderPath.enabled


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('class="QPushButton"', 'class="ctkNothing"', "ctkNothing"),
        ('name="checkable"', 'name="checkabel"', "applyButton has no property checkabel"),
        ("toggled(bool)", "togled(bool)", "has no signal togled"),
        ("setDisabled(bool)", "setDisable(bool)", "has no attribute setDisable"),
    ],
)
def test_a_ui_file_with_a_typing_error_is_refused(a_ui, old, new, said):
    with pytest.raises((ValueError, AttributeError), match=said):
        a_ui(old, new)


def test_a_module_stands_in_slicer_modules_when_it_is_loaded(a_module):
    assert slicer.modules.tiny.title == "Tiny" and slicer.modules.TinyInstance is a_module.instance
    assert slicer.modules.TinyWidget is a_module.widget is slicer.modules.tiny.widgetRepresentation().self()
    assert slicer.util.modulePath("Tiny") == str(Path(a_module.source.__file__))


def test_a_module_hears_when_it_is_opened_and_left(a_module):
    slicer.util.selectModule("Tiny")
    assert a_module.panel.isEntered and a_module.widget.visits == ["enter"]
    slicer.util.selectModule("")
    assert not a_module.panel.isEntered and a_module.widget.visits == ["enter", "exit"]


def test_a_module_chooses_a_node_by_its_form(a_module):
    table = add("vtkMRMLTableNode", "segments")
    a_module.widget.ui.tableSelector.setCurrentNode(table)
    assert a_module.widget.parameters.table is table
    assert a_module.source.TinyLogic().getParameterNode().parameterNode is a_module.widget.parameters.parameterNode


def test_a_parameter_node_survives_closing_the_scene(a_module):
    slicer.mrmlScene.Clear(False)
    node = a_module.source.TinyLogic().getParameterNode().parameterNode
    assert node.GetAttribute("ModuleName") == "Tiny" and node.GetScene() is slicer.mrmlScene


def test_a_module_runs_its_test(a_module):
    slicer.selfTests["Tiny"](msec=0)
    assert a_module.source.TinyTest.ran


def test_an_unloaded_module_leaves_nothing(a_module):
    a_module.panel.enter()
    unload(a_module)
    assert a_module.widget.visits == ["enter", "exit", "cleanup"]
    assert "Tiny" not in sys.modules and not hasattr(slicer.modules, "tiny")
