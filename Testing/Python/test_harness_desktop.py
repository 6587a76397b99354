"""The windows of the Slicer harness: what a mouse does in them reaches Slicer's own nodes, and they can be looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
IJK_TO_RAS = np.array([[-2.0, 0, 0, 96], [0, -2, 0, 96], [0, 0, 8, -8], [0, 0, 0, 1]])


@pytest.fixture
def a_frame(a_desktop):
    """A noisy image of 96 x 96 x 3 voxels with a bright heart in the middle, shown in all slice views."""
    import slicer

    image = np.random.default_rng(0).normal(60, 6, (3, 96, 96))
    image[:, _ring() < 25] += 60
    image[:, _ring() < 15] += 90
    return _shown(slicer.util.addVolumeFromArray(image, ijkToRAS=IJK_TO_RAS, name="Stress frame"))


@pytest.fixture
def a_map(a_frame):
    """MBF over the frame, in colour, thresholded, with a legend."""
    import slicer

    flow = np.where(abs(_ring() - 20) < 5, 2 + 1.5 * np.sin(np.arctan2(*_grid())), 0.0)
    volume = slicer.util.addVolumeFromArray(np.repeat(flow[None], 3, 0), ijkToRAS=IJK_TO_RAS, name="MBF")
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    display.SetAndObserveColorNodeID(_colours(slicer.mrmlScene).GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0, 4)
    display.SetThreshold(0.01, 10)
    display.ApplyThresholdOn()
    slicer.util.setSliceViewerLayers(foreground=volume, foregroundOpacity=1.0)
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(display)
    legend.SetTitleText("MBF (mL/min/g)")
    return volume


@pytest.fixture
def a_segmentation(a_frame):
    """Blood pool and myocardium, drawn as outlines."""
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Heart")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(a_frame)
    for name, inside, colour in (
        ("LV blood pool", _ring() < 15, (1, 0, 0)),
        ("Myocardium", (_ring() >= 15) & (_ring() < 25), (0, 1, 0)),
    ):
        number = node.GetSegmentation().AddEmptySegment("", name, colour)
        mask = np.repeat(inside[None], 3, 0).astype(np.uint8)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, number, a_frame)
    node.GetDisplayNode().SetVisibility2DFill(False)
    return node


@pytest.fixture
def a_view(a_frame, a_desktop):
    """The red slice view."""
    return a_desktop.layoutManager().sliceWidget("Red").sliceView()


def _grid():
    return np.mgrid[:96, :96] - 47.5


def _ring():
    return np.hypot(*_grid())


def _colours(scene):
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", "MBF colours")
    node.SetTypeToUser()
    node.SetNumberOfColors(256)
    for i, x in enumerate(np.linspace(0, 1, 256)):
        node.SetColor(i, f"{4 * x:.2f}", np.interp(x, [0, 0.5, 1], [0, 1, 0.8]), x, 0.6 - 0.5 * x, 1.0)
    return node


def _widget_of(tag: str, kind: str):
    import slicer

    return slicer.app.layoutManager().viewWidget(slicer.mrmlScene.GetSingletonNode(tag, kind))


def _shown(volume):
    import slicer

    volume.CreateDefaultDisplayNodes()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    slicer.app.processEvents()
    return volume


def _pixels(widget) -> np.ndarray:
    """(row, column, 3): what the widget shows."""
    picture = widget.grab().toImage().convertToFormat(widget.grab().toImage().Format.Format_RGBX8888)
    return np.array(picture.constBits()).reshape(picture.height(), picture.width(), 4)[..., :3].astype(int)


def test_a_desktop_starts_with_three_slice_views(a_desktop):
    assert set(a_desktop.layoutManager().sliceViewNames()) == {"Red", "Green", "Yellow"}
    assert a_desktop.layoutManager().sliceWidget("Green").mrmlSliceNode().GetOrientation() == "Coronal"


def test_a_core_that_ran_before_keeps_its_scene(a_scene, a_desktop):
    from Testing.SlicerHarness.application import core_application

    assert core_application() is a_desktop
    assert a_desktop.mrmlScene() is a_scene


def test_a_view_shows_the_frame(a_view):
    middle = _pixels(a_view)[a_view.height // 2, a_view.width // 2]
    assert middle.min() > 200 and _pixels(a_view)[3, 3].max() == 0


def test_the_mouse_reaches_the_crosshair(a_view):
    import slicer

    from Testing.SlicerHarness.clicks import move_in_slice

    move_in_slice(a_view, (12.0, -20.0, 0.0))
    there = [0.0] * 3
    assert slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode").GetCursorPositionRAS(there)
    assert there == pytest.approx((12.0, -20.0, 0.0), abs=0.5)


def test_a_click_places_a_point(a_view):
    import slicer

    from Testing.SlicerHarness.clicks import click_in_slice

    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "RV insertion")
    slicer.modules.markups.logic().SetActiveList(points)
    slicer.modules.markups.logic().StartPlaceMode(False)
    click_in_slice(a_view, (30.0, 20.0, 0.0))
    assert slicer.util.arrayFromMarkupsControlPoints(points) == pytest.approx(np.array([[30.0, 20.0, 0.0]]), abs=0.5)


def test_the_wheel_turns_the_slices(a_view, a_desktop):
    from Testing.SlicerHarness.clicks import send_wheel

    send_wheel(a_view, 1)
    assert a_desktop.layoutManager().sliceWidget("Red").sliceLogic().GetSliceOffset() == pytest.approx(8.0)


def test_a_map_lies_in_colour_over_the_frame(a_map, a_view):
    image = _pixels(a_view)
    assert (np.ptp(image, axis=2) > 60).mean() > 0.02


def test_segments_are_outlined(a_map, a_segmentation, a_view):
    import slicer

    green = _pixels(a_view) @ (-1, 2, -1) > 300
    a_segmentation.GetDisplayNode().SetVisibility(False)
    slicer.app.processEvents()
    assert green.sum() > 200 > 10 > (_pixels(a_view) @ (-1, 2, -1) > 300).sum()


def test_a_slice_view_can_be_looked_at(a_map, a_segmentation, a_view):
    from Testing.SlicerHarness.clicks import screenshot

    assert screenshot(a_view, "harness_slice_view").stat().st_size > 10_000


def test_a_layout_of_ones_own_holds_ones_own_view(a_desktop):
    import qt
    import slicer

    mine = qt.QLabel("bull's-eye")
    factory = slicer.qSlicerSingletonViewFactory()
    factory.setTagName("bullseye")
    factory.setWidget(mine)
    manager = a_desktop.layoutManager()
    manager.registerViewFactory(factory)
    node = manager.layoutLogic().GetLayoutNode()
    node.AddLayoutDescription(501, OWN_LAYOUT)
    node.SetViewArrangement(501)
    assert manager.layout == 501 and mine.isVisible() and manager.sliceWidget("Red").isVisible()
    assert not manager.sliceWidget("Green").isVisible()


OWN_LAYOUT = """<layout type="horizontal" split="true">
 <item splitSize="600"><view class="vtkMRMLSliceNode" singletontag="Red"/></item>
 <item splitSize="400"><layout type="tab">
  <item name="Bull's-eye"><bullseye></bullseye></item>
  <item name="Curves"><view class="vtkMRMLPlotViewNode" singletontag="PlotView1"/></item>
  <item name="Segments"><view class="vtkMRMLTableViewNode" singletontag="TableView1"/></item>
 </layout></item></layout>"""


@pytest.fixture
def a_table(a_desktop):
    """A curve: time s, measured and fitted mM."""
    import slicer

    time = np.arange(0, 60, 0.8)
    curve = 2 * np.exp(-(((time - 25) / 9) ** 2)) + 0.02 * time / 3
    measured = curve + np.random.default_rng(2).normal(0, 0.06, time.size)
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "curves")
    slicer.util.updateTableFromArray(table, (time, measured, curve), ["time_s", "C_t_mM", "fitted_mM"])
    return table


@pytest.fixture
def a_chart(a_table):
    """Measured dots and the fitted line in the plot view of Slicer's own plot layout."""
    import slicer

    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "curves")
    for name, column, dots in (("measured", "C_t_mM", True), ("fitted", "fitted_mM", False)):
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
        series.SetAndObserveTableNodeID(a_table.GetID())
        series.SetXColumnName("time_s")
        series.SetYColumnName(column)
        series.SetPlotType(series.PlotTypeScatter)
        series.SetLineStyle(series.LineStyleNone if dots else series.LineStyleSolid)
        series.SetMarkerStyle(series.MarkerStyleCircle if dots else series.MarkerStyleNone)
        series.SetColor((0.1, 0.3, 0.7) if dots else (0.8, 0.3, 0.0))
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle("Segment 8: MBF 2.9 ± 0.2 mL/min/g")
    chart.SetXAxisTitle("time (s)")
    chart.SetYAxisTitle("concentration (mM)")
    return chart


@pytest.fixture
def a_plot(a_chart, a_desktop):
    """The plot view, which shows the chart."""
    import slicer

    a_desktop.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView)
    widget = _widget_of("PlotView1", "vtkMRMLPlotViewNode")
    widget.mrmlPlotViewNode().SetPlotChartNodeID(a_chart.GetID())
    return widget.plotView()


def test_a_plot_shows_dots_and_a_line(a_plot):
    from Testing.SlicerHarness.clicks import screenshot

    screenshot(a_plot, "harness_plot")
    colours = _pixels(a_plot)
    assert ((colours[..., 2] - colours[..., 0]) > 80).sum() > 200, "blue dots"
    assert ((colours[..., 0] - colours[..., 2]) > 80).sum() > 200, "an orange line"


def test_a_plot_follows_its_table(a_plot, a_table):
    import slicer

    before = _pixels(a_plot)
    slicer.util.arrayFromTableColumn(a_table, "C_t_mM")[:] *= 0.2
    slicer.util.arrayFromTableColumnModified(a_table, "C_t_mM")
    slicer.app.processEvents()
    assert (np.abs(_pixels(a_plot) - before).max(axis=2) > 50).sum() > 200


def test_a_table_stands_in_its_view(a_table, a_desktop):
    import slicer

    from Testing.SlicerHarness.clicks import screenshot

    a_desktop.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
    widget = _widget_of("TableView1", "vtkMRMLTableViewNode")
    widget.mrmlTableViewNode().SetTableNodeID(a_table.GetID())
    screenshot(widget, "harness_table")
    assert widget.tableView().horizontalHeaderItem(2).text() == "fitted_mM"
    assert widget.tableView().item(1, 0).text() == "0.8"


@pytest.fixture
def a_module(a_desktop, tmp_path):
    """A module with one button, loaded; it notes when it is entered and left."""
    from Testing.SlicerHarness.loading import load_module, unload

    (tmp_path / "Flow.py").write_text(A_MODULE)
    loaded = load_module(tmp_path / "Flow.py")
    yield loaded
    unload(loaded)


A_MODULE = """
import qt
from slicer.ScriptedLoadableModule import *

class Flow(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = "Flow"

class FlowWidget(ScriptedLoadableModuleWidget):
    def setup(self):
        self.noted = []
        self.layout.addWidget(qt.QPushButton("Compute MBF"))
        self.layout.addStretch(1)
    def enter(self):
        self.noted.append("enter")
    def exit(self):
        self.noted.append("exit")
"""


def test_the_main_window_looks_like_slicer(a_map, a_segmentation, a_plot, a_module):
    import slicer

    from Testing.SlicerHarness.clicks import screenshot

    slicer.util.selectModule("Flow")
    slicer.util.showStatusMessage("Ready")
    screenshot(slicer.util.mainWindow(), "harness_main_window")
    assert a_module.panel.isVisible() and a_plot.isVisible()


def test_a_module_is_entered_and_left(a_module):
    import slicer

    slicer.util.selectModule("Flow")
    assert slicer.util.selectedModule() == "Flow" and slicer.util.moduleNames()[-1] == "Flow"
    slicer.util.mainWindow().moduleSelector().selectModule("")
    assert a_module.widget.noted == ["enter", "exit"] and not a_module.panel.isVisible()


def test_a_module_that_is_not_there_is_named(a_desktop):
    import slicer

    with pytest.raises(RuntimeError, match="Absent"):
        slicer.util.selectModule("Absent")


def test_a_closed_scene_leaves_the_views(a_frame, a_view, a_desktop):
    from Testing.SlicerHarness.application import close_scene

    close_scene()
    a_desktop.processEvents()
    assert _pixels(a_view).max() == 0
    assert a_desktop.layoutManager().sliceWidget("Yellow").mrmlSliceNode().GetOrientation() == "Sagittal"


def test_a_saved_layout_comes_back(a_frame, a_desktop, tmp_path):
    manager, path = a_desktop.layoutManager(), str(tmp_path / "study.mrb")
    manager.setLayout(manager.layoutLogic().GetLayoutNode().SlicerLayoutOneUpRedSliceView)
    assert a_desktop.mrmlScene().WriteToMRB(path)
    a_desktop.reset()
    assert a_desktop.mrmlScene().ReadFromMRB(path)
    a_desktop.processEvents()
    assert manager.sliceWidget("Red").isVisible() and not manager.sliceWidget("Green").isVisible()
    assert manager.sliceWidget("Red").mrmlSliceCompositeNode().GetBackgroundVolumeID()


def test_many_wishes_to_draw_become_one_picture(a_view, a_desktop):
    from Testing.SlicerHarness.clicks import wait

    drawn = []
    tag = a_view.renderWindow().AddObserver("EndEvent", lambda *_: drawn.append(1))
    for _ in range(10):
        a_view.scheduleRender()
    wait(lambda: drawn, 5)
    a_desktop.processEvents()
    a_view.renderWindow().RemoveObserver(tag)
    assert len(drawn) == 1


def test_a_render_view_takes_clicks(a_desktop):
    import ctk
    import vtk

    from Testing.SlicerHarness.clicks import click_at

    view, seen = ctk.ctkVTKRenderView(), []
    view.interactor().SetInteractorStyle(vtk.vtkInteractorStyleUser())
    view.interactor().AddObserver("LeftButtonPressEvent", lambda i, _: seen.append(i.GetEventPosition()))
    view.resize(300, 200)
    view.show()
    click_at(view, 40, 10)
    assert seen == [(40, 189)]


def test_a_hidden_or_disabled_button_cannot_be_clicked(a_desktop):
    import qt

    from Testing.SlicerHarness.clicks import click

    button, pressed = qt.QPushButton("Cancel"), []
    button.connect("clicked()", lambda: pressed.append(1))
    with pytest.raises(AssertionError, match="hidden"):
        click(button)
    button.show()
    button.enabled = False
    with pytest.raises(AssertionError, match="disabled"):
        click(button)
    button.enabled = True
    click(button)
    assert pressed == [1]


def test_a_click_finds_the_mark_of_a_box_and_the_title_of_a_collapsible(a_desktop):
    import ctk
    import qt

    from Testing.SlicerHarness.clicks import click

    box, section = qt.QCheckBox("Mark"), ctk.ctkCollapsibleButton()
    qt.QVBoxLayout(section).addWidget(qt.QLabel("contents"))
    for each in (box, section):
        each.resize(400, 200)
        each.show()
        click(each)
    assert box.checked and section.collapsed


def test_a_person_chooses_and_types(a_desktop):
    import qt

    from Testing.SlicerHarness.clicks import choose, type_text

    combo, box = qt.QComboBox(), qt.QDoubleSpinBox()
    chosen = []
    combo.addItems(["nlls", "map", "fermi"])
    combo.connect("activated(int)", chosen.append)
    combo.show()
    box.show()
    choose(combo, "fermi")
    type_text(box, "0.42")
    assert (combo.currentText, chosen, box.value) == ("fermi", [2], 0.42)


def test_dialogs_answer_as_the_test_decides(a_desktop):
    import slicer

    a_desktop.answers.give(False)
    slicer.util.errorDisplay("The disk is full.")
    assert slicer.util.confirmYesNoDisplay("Install 1.9 GB?") is False
    assert slicer.util.confirmOkCancelDisplay("Go on?") is True
    assert a_desktop.answers.said[:2] == [("error", "The disk is full."), ("question", "Install 1.9 GB?")]


def test_a_file_dialog_gives_the_path_of_the_test(a_desktop):
    import qt

    a_desktop.answers.give("/data/study")
    assert qt.QFileDialog.getExistingDirectory(None, "DICOM folder") == "/data/study"
    assert qt.QFileDialog.getOpenFileName(None, "Weights") == ""


def test_a_heartbeat_finds_a_blocked_thread(a_desktop):
    import time

    from Testing.SlicerHarness.clicks import heartbeat, wait

    end = time.monotonic() + 0.3
    with heartbeat() as quiet:
        wait(lambda: time.monotonic() > end, 5)
    with heartbeat() as busy:
        a_desktop.processEvents()
        time.sleep(0.3)
    assert quiet.longest < 0.3 <= busy.longest


def test_waiting_in_vain_is_an_error(a_desktop):
    from Testing.SlicerHarness.clicks import wait

    with pytest.raises(AssertionError, match="still waiting"):
        wait(lambda: False, 0.05)


def test_a_sample_is_made_by_its_button_only(a_desktop):
    from SampleData import SampleDataLogic

    SampleDataLogic.registerCustomSampleDataSource(
        category="Cardiac",
        sampleName="stress",
        uris="none",
        fileNames="none",
        nodeNames="x",
        customDownloader=lambda s: s.uris,
    )
    assert SampleDataLogic().press("stress") == ["none"]
    with pytest.raises(RuntimeError, match="press"):
        SampleDataLogic().downloadSample("stress")


def test_a_factory_without_its_widget_leaves_a_gap(a_desktop):
    import qt
    import slicer

    mine, factory, manager = qt.QLabel("gone"), slicer.qSlicerSingletonViewFactory(), a_desktop.layoutManager()
    factory.setTagName("bullseye")
    factory.setWidget(mine)
    manager.registerViewFactory(factory)
    manager.layoutLogic().GetLayoutNode().AddLayoutDescription(502, OWN_LAYOUT)
    mine.deleteLater()
    qt.QCoreApplication.sendPostedEvents(None, qt.QEvent.DeferredDelete)
    manager.setLayout(502)
    assert factory.widget() is None and manager.sliceWidget("Red").isVisible()


def test_a_module_hears_that_slicer_has_started(a_desktop):
    import slicer

    heard = []
    slicer.app.connect("startupCompleted()", lambda: heard.append(1))
    a_desktop.complete_startup()
    assert heard == [1]


def test_settings_are_of_one_test_and_not_the_users(a_desktop):
    import qt
    import slicer

    assert not slicer.app.userSettings().contains("MyoPINN/Python")
    qt.QSettings().setValue("MyoPINN/Python", "/usr/bin/python3")
    assert slicer.app.userSettings().value("MyoPINN/Python") == "/usr/bin/python3"
    assert slicer.app.userSettings().fileName().startswith(slicer.app.temporaryPath)


def test_slicers_own_functions_run_on_the_views(a_frame, a_desktop):
    import slicer

    c, s = np.cos(0.3), np.sin(0.3)
    turn = np.array([[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0], [0, 0, 0, 1]])
    volume = slicer.util.addVolumeFromArray(np.ones((3, 96, 96)), ijkToRAS=turn @ IJK_TO_RAS)
    slicer.util.setSliceViewerLayers(background=volume, fit=True, rotateToVolumePlane=True)
    slicer.util.resetSliceViews()
    slicer.util.forceRenderAllViews()
    to_ras = a_desktop.layoutManager().sliceWidget("Red").mrmlSliceNode().GetSliceToRAS()
    assert [to_ras.GetElement(row, 2) for row in range(3)] == pytest.approx([0, -s, c], abs=1e-6)
    assert slicer.util.startupEnvironment()["PATH"]


QUITTING = """
from Testing.SlicerHarness.desktop import desktop
running = desktop()
running.connect("aboutToQuit()", lambda: print("goodbye"))
running.quit()
"""


def test_slicer_says_that_it_quits_and_its_process_ends_well(a_desktop):
    ended = subprocess.run([sys.executable, "-c", QUITTING], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert (ended.stdout, ended.returncode) == ("goodbye\n", 0)
