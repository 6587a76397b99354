"""The curve inspector: the voxel under the mouse, a segment or the input, in a chart that Slicer's plot view shows."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "vtk"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
import vtk
from scene_cases import a_heart, contents
from vtk.util.numpy_support import vtk_to_numpy

from MyoPINNLib.errors import InputError
from MyoPINNLib.gui.bullseye_view import picture_of
from MyoPINNLib.gui.curves import PAUSE, CurveInspector
from MyoPINNLib.scene import add_insertion, add_segmentation, add_series, quantify, show_job
from MyoPINNLib.scene.nodes import lps_from_ras, values_of

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
A_MOMENT = 0.05


@pytest.fixture(scope="module")
def a_job(an_application, tmp_path_factory):
    """A finished job of a small heart in an oblique pose; nobody changes it."""
    heart, folder = a_heart(oblique=True), tmp_path_factory.mktemp("curves")
    point = add_insertion(heart.insertion, "RV insertion")
    quantify(
        add_series(heart.series, "Stress"), add_segmentation(heart.masks, "Heart"),
        insertion=point, keep_job=folder / "job",
    )  # fmt: skip
    an_application.mrmlScene().Clear(False)
    return folder / "job"


@pytest.fixture
def an_analysis(a_job, a_scene):
    return show_job(a_job)


@pytest.fixture
def an_inspector(an_analysis):
    return CurveInspector(an_analysis)


@pytest.fixture
def a_crosshair(a_scene):
    return a_scene.AddNewNodeByClass("vtkMRMLCrosshairNode")


@pytest.fixture(autouse=True)
def the_mouse_is_left_alone(monkeypatch):
    """After a test no inspector follows the crosshair, which outlives the scene."""
    following, follow = [], CurveInspector.follow
    monkeypatch.setattr(CurveInspector, "follow", lambda self, node: (following.append(self), follow(self, node)))
    yield
    for inspector in following:
        inspector.stop()


class Later:
    """A timer and a clock that stand still until they are told."""

    def __init__(self) -> None:
        self.now, self.asked = 0.0, []

    def __call__(self, milliseconds, what) -> None:
        self.asked.append((milliseconds, what))

    def clock(self) -> float:
        return self.now

    def ring(self) -> None:
        self.now += PAUSE
        self.asked.pop()[1]()


def places(analysis, segment: int) -> np.ndarray:
    """RAS mm (n, 3) of a segment's voxels."""
    return lps_from_ras(analysis.geometry.to_lps(np.argwhere(analysis.label == segment)))


def drawn(inspector) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name of each line that the chart shows -> time and concentration, as Slicer's plot view reads them."""
    lines = {}
    for n in range(inspector.chart.GetNumberOfPlotSeriesNodes()):
        series = inspector.chart.GetNthPlotSeriesNode(n)
        table = series.GetTableNode().GetTable()
        columns = series.GetXColumnName(), series.GetYColumnName()
        x, y = (vtk_to_numpy(table.GetColumnByName(name)).copy() for name in columns)
        lines[series.GetName()] = x[np.isfinite(y)], y[np.isfinite(y)]
    return lines


def keep(inspector, name: str) -> np.ndarray:
    """The chart drawn by VTK as Slicer's plot view draws it; its pixels."""
    view, chart = vtk.vtkContextView(), vtk.vtkChartXY()
    view.GetRenderWindow().SetOffScreenRendering(1)
    view.GetRenderWindow().SetSize(700, 400)
    view.GetScene().AddItem(chart)
    for n in range(inspector.chart.GetNumberOfPlotSeriesNodes()):
        series = inspector.chart.GetNthPlotSeriesNode(n)
        plot = chart.AddPlot(vtk.vtkChart.LINE)
        plot.SetInputData(series.GetTableNode().GetTable(), series.GetXColumnName(), series.GetYColumnName())
        plot.SetLabel(series.GetName())
        plot.SetColorF(*series.GetColor())
        plot.SetMarkerStyle(series.GetMarkerStyle())
        plot.SetMarkerSize(series.GetMarkerSize())
        plot.GetPen().SetLineType(series.GetLineStyle())
        plot.SetWidth(series.GetLineWidth())
    chart.SetShowLegend(True)
    chart.SetTitle(inspector.chart.GetTitle())
    for axis, words in ((1, inspector.chart.GetXAxisTitle()), (0, inspector.chart.GetYAxisTitle())):
        chart.GetAxis(axis).SetTitle(words)
    chart.GetAxis(0).SetBehavior(vtk.vtkAxis.FIXED)
    chart.GetAxis(0).SetUnscaledRange(*inspector.chart.GetYAxisRange())
    image = picture_of(view.GetRenderWindow())
    PICTURES.mkdir(parents=True, exist_ok=True)
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(PICTURES / f"{name}.png"))
    writer.SetInputData(image)
    writer.Write()
    return vtk_to_numpy(image.GetPointData().GetScalars()).copy()


def test_the_voxel_under_the_mouse_is_shown_with_its_fit(an_analysis, an_inspector):
    place = places(an_analysis, 8)[5]
    assert an_inspector.show_voxel(place)
    voxel, lines = an_analysis.voxel_at(place), drawn(an_inspector)
    assert np.array_equal(lines["measured"], [voxel.time, voxel.measured])
    assert np.array_equal(lines["fitted"], [voxel.time, voxel.fitted])
    assert np.ptp(keep(an_inspector, "curves_voxel")) > 100


def test_the_title_names_the_segment_and_its_flow(an_analysis, an_inspector):
    an_inspector.show_voxel(places(an_analysis, 8)[5])
    index = an_analysis.index_at(places(an_analysis, 8)[5])
    flow, sd = (an_analysis.map("MBF", sd=each)[index] for each in (False, True))
    assert an_inspector.chart.GetTitle() == f"8 mid anteroseptal\nMBF {flow:.3g} ± {sd:.2g} mL/min/g"
    assert an_inspector.chart.GetXAxisTitle() == "time (s)"
    assert an_inspector.chart.GetYAxisTitle() == "concentration (mM)"


def test_the_text_lists_the_parameters_with_units(an_analysis, an_inspector):
    an_inspector.show_voxel(places(an_analysis, 8)[5])
    k, j, i = an_analysis.index_at(places(an_analysis, 8)[5])
    first, *rows = an_inspector.text().split("\n")
    assert first == f"8 mid anteroseptal, voxel in slice {k + 1}, row {j + 1}, column {i + 1}"
    assert [row.split()[0] for row in rows[:3]] == ["MBF", "F_p", "F_b"]
    assert all(any(row.endswith(unit) for row in rows) for unit in ("mL/min/g", "mL/min/mL", "mL/mL", " s", "mM"))


def test_a_voxel_without_a_valid_fit_says_why(an_analysis, an_inspector):
    rows = values_of(an_analysis.node.GetNodeReference("voxel_curves"))
    rows[0, 0, 4] = 6
    index = rows[0, 0, :3].astype(int)
    an_inspector.show_voxel(lps_from_ras(an_analysis.geometry.to_lps(index[None])[0]))
    assert an_inspector.chart.GetTitle().endswith("not valid: the model does not follow the curve")
    assert "MBF" not in an_inspector.text()
    assert an_inspector.chart.GetNthPlotSeriesNode(1).GetLineStyle() == slicer.vtkMRMLPlotSeriesNode.LineStyleDash


def test_beside_the_heart_the_last_curve_stays(an_analysis, an_inspector):
    an_inspector.show_voxel(places(an_analysis, 8)[5])
    before = an_inspector.text()
    assert not an_inspector.show_voxel((1e4, 0.0, 0.0))
    assert an_inspector.text() == before


def test_moving_the_mouse_is_quick_and_makes_no_node(an_analysis, an_inspector, a_scene):
    an_inspector.show_voxel(places(an_analysis, 1)[0])
    before, spent = contents(a_scene), []
    for place in [place for segment in (8, 12, 15) for place in places(an_analysis, segment)[:30]]:
        started = time.perf_counter()
        an_inspector.show_voxel(place)
        spent.append(time.perf_counter() - started)
    assert max(spent) < A_MOMENT and np.median(spent) < 0.2 * A_MOMENT
    assert contents(a_scene).keys() == before.keys()


def test_the_first_curve_is_there_in_a_moment_too(an_analysis):
    inspector = CurveInspector(an_analysis)
    started = time.perf_counter()
    inspector.show_voxel(places(an_analysis, 8)[5])
    assert time.perf_counter() - started < 4 * A_MOMENT


def test_the_plot_view_hears_of_a_new_voxel_once(an_analysis, an_inspector):
    an_inspector.show_voxel(places(an_analysis, 8)[0])
    heard = []
    an_inspector.chart.AddObserver("ModifiedEvent", lambda *_: heard.append(1))
    an_inspector.show_voxel(places(an_analysis, 8)[1])
    an_inspector.show_voxel(places(an_analysis, 8)[1])
    assert len(heard) == 1


def test_the_curves_lie_within_the_axis_and_below_the_legend(an_analysis, an_inspector):
    for show in (lambda: an_inspector.show_voxel(places(an_analysis, 8)[5]), an_inspector.show_input):
        show()
        values = np.concatenate([y for _, y in drawn(an_inspector).values()])
        low, high = an_inspector.chart.GetYAxisRange()
        assert low <= values.min() and 1.2 * values.max() <= high <= 2.0 * values.max()


def test_a_segment_shows_its_mean_curve(an_analysis, an_inspector):
    an_inspector.show_segment(12)
    lines, table = drawn(an_inspector), an_analysis.table("curves")
    assert np.array_equal(lines["measured"][1], table["12_mid_anterolateral_C_t_mM"])
    assert np.array_equal(lines["fitted"][0], table["12_mid_anterolateral_time_s"])
    flow = an_analysis.segments["MBF_mL_min_g_mean_curve"][11]
    assert f"12 mid anterolateral, mean curve\nMBF {flow:.3g} ± " in an_inspector.chart.GetTitle()
    keep(an_inspector, "curves_segment")


def test_a_segment_that_was_not_measured_is_told(an_analysis, an_inspector):
    table = an_analysis.node.GetNodeReference("table.curves").GetTable()
    for name in ("time_s", "C_t_mM", "fitted_mM"):
        table.RemoveColumnByName(f"12_mid_anterolateral_{name}")
    an_inspector.show_segment(12)
    assert an_inspector.chart.GetTitle() == "12 mid anterolateral\nnot measured" and drawn(an_inspector) == {}
    with pytest.raises(InputError, match="no segment 17"):
        an_inspector.show_segment(17)


def test_the_input_is_shown_in_blood_and_plasma(an_analysis, an_inspector):
    an_inspector.show_input()
    lines, table = drawn(an_inspector), an_analysis.table("input")
    assert np.array_equal(lines["blood, measured"][1], table["C_ab_mM"])
    assert np.array_equal(lines["plasma, used for the fit"][1], table["C_ap_mM"])
    assert f"peak in plasma {max(table['C_ap_mM']):.3g} mM at " in an_inspector.text()
    keep(an_inspector, "curves_input")


def test_a_pinned_curve_stays_beside_the_next_one(an_analysis, an_inspector):
    an_inspector.show_segment(12)
    an_inspector.pin()
    an_inspector.show_voxel(places(an_analysis, 8)[5])
    lines = drawn(an_inspector)
    assert list(lines) == [
        "measured", "fitted", "measured, 12 mid anterolateral, mean", "fitted, 12 mid anterolateral, mean"
    ]  # fmt: skip
    assert "pinned: 12 mid anterolateral, mean curve\nMBF " in an_inspector.text()
    assert lines[list(lines)[3]][1].max() > lines["fitted"][1].max()
    keep(an_inspector, "curves_pinned")
    an_inspector.unpin()
    assert list(drawn(an_inspector)) == ["measured", "fitted"]


def test_a_line_stands_at_the_time_of_the_frame(an_analysis, an_inspector):
    an_inspector.show_segment(12)
    seconds = drawn(an_inspector)["measured"][0][9]
    an_inspector.show_frame(9)
    x, y = drawn(an_inspector)[f"frame at {seconds:.1f} s"]
    assert list(x) == [seconds, seconds] and list(y) == list(an_inspector.chart.GetYAxisRange())
    keep(an_inspector, "curves_frame")
    an_inspector.show_frame(None)
    assert list(drawn(an_inspector)) == ["measured", "fitted"]


def test_the_csv_holds_the_shown_curves_with_units(an_analysis, an_inspector):
    assert an_inspector.csv() == "" and an_inspector.text() == ""
    an_inspector.show_voxel(places(an_analysis, 8)[5])
    an_inspector.pin()
    an_inspector.show_segment(12)
    header, *rows = csv.reader(an_inspector.csv().splitlines())
    assert header == [
        "time_s", "C_t_mM", "fitted_mM", "pinned_time_s", "pinned_C_t_mM", "pinned_fitted_mM"
    ]  # fmt: skip
    measured = an_analysis.voxel_at(places(an_analysis, 8)[5]).measured
    assert np.array_equal([float(row[4]) for row in rows], measured) and len(rows) == 36


def test_frames_left_out_are_empty_in_chart_and_csv(an_analysis, an_inspector):
    values_of(an_analysis.node.GetNodeReference("voxel_clocks"))[0, 3:, 2] = 0.0
    an_inspector.show_voxel(places(an_analysis, 8)[5])
    time, values = drawn(an_inspector)["measured"]
    assert len(time) == 35 and np.isfinite(values).all()
    assert an_inspector.csv().splitlines()[3].endswith(",,")
    assert np.ptp(keep(an_inspector, "curves_frame_left_out")) > 100


def test_the_curve_follows_the_mouse_until_it_is_stopped(an_analysis, an_inspector, a_crosshair):
    heard = []
    inspector = CurveInspector(an_analysis, on_change=lambda: heard.append(inspector.text().split(",")[0]))
    inspector.follow(a_crosshair)
    for segment in (8, 12):
        a_crosshair.SetCursorPositionRAS(places(an_analysis, segment)[5])
    a_crosshair.SetCursorPositionInvalid()
    inspector.stop()
    a_crosshair.SetCursorPositionRAS(places(an_analysis, 15)[5])
    assert heard == ["8 mid anteroseptal", "12 mid anterolateral"]


def test_a_fast_mouse_changes_the_curve_once_in_a_while_and_its_last_place_counts(an_analysis, a_crosshair):
    later, heard = Later(), []
    inspector = CurveInspector(
        an_analysis, later=later, clock=later.clock, on_change=lambda: heard.append(inspector.text().split()[0])
    )
    inspector.follow(a_crosshair)
    for segment in (8, 9, 10, 11):
        later.now += 0.2 * PAUSE
        a_crosshair.SetCursorPositionRAS(places(an_analysis, segment)[5])
    assert heard == ["8"] and len(later.asked) == 1
    later.ring()
    assert heard == ["8", "11"]


def test_a_timer_that_rings_after_the_end_does_nothing(an_analysis, a_crosshair):
    later = Later()
    inspector = CurveInspector(an_analysis, later=later, clock=later.clock)
    inspector.follow(a_crosshair)
    for segment in (8, 9):
        a_crosshair.SetCursorPositionRAS(places(an_analysis, segment)[5])
    inspector.close()
    later.ring()
    assert inspector.text() == ""


def test_its_nodes_are_hidden_are_not_saved_and_go(an_analysis, a_scene, tmp_path):
    before = contents(a_scene)
    inspector = CurveInspector(an_analysis)
    inspector.show_input()
    own = [a_scene.GetNodeByID(id) for id in contents(a_scene).keys() - before.keys()]
    assert len(own) == 9 and all(node.GetHideFromEditors() and not node.GetSaveWithScene() for node in own)
    a_scene.SetURL(str(tmp_path / "scene.mrml"))
    a_scene.Commit()
    assert "curve table" not in (tmp_path / "scene.mrml").read_text()
    inspector.close()
    assert not any(node.GetScene() for node in own)


def test_it_survives_the_end_of_its_analysis(an_analysis, an_inspector, a_crosshair):
    place = places(an_analysis, 8)[5]
    an_inspector.follow(a_crosshair)
    an_analysis.remove()
    a_crosshair.SetCursorPositionRAS(place)
    assert not an_inspector.alive
    assert not (an_inspector.show_voxel(place) or an_inspector.show_segment(8) or an_inspector.show_input())
    an_inspector.close()


def test_it_survives_the_end_of_the_scene(an_analysis, an_inspector, a_crosshair, a_scene):
    place = places(an_analysis, 8)[5]
    an_inspector.follow(a_crosshair)
    an_inspector.show_voxel(place)
    a_scene.Clear(False)
    a_crosshair.SetCursorPositionRAS(place)
    an_inspector.pin()
    assert not an_inspector.alive and not an_inspector.show_segment(8)
    an_inspector.close()


def test_curves_that_are_gone_are_told_in_the_chart(an_analysis, an_inspector, a_crosshair, a_scene):
    place = places(an_analysis, 8)[5]
    a_scene.RemoveNode(an_analysis.node.GetNodeReference("voxel_curves"))
    an_inspector.follow(a_crosshair)
    a_crosshair.SetCursorPositionRAS(place)
    assert "has no curves of its voxels any more" in an_inspector.chart.GetTitle()


def test_the_mouse_over_the_heart_fills_slicer_s_plot_view(a_job, a_desktop):
    import qt

    from Testing.SlicerHarness.clicks import move_in_slice, screenshot, wait

    analysis, manager = show_job(a_job), a_desktop.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView)
    slicer.util.setSliceViewerLayers(background=analysis.volumes("MBF")[0], fit=True)
    inspector = CurveInspector(analysis, later=qt.QTimer.singleShot)
    manager.plotWidget(0).mrmlPlotViewNode().SetPlotChartNodeID(inspector.chart.GetID())
    inspector.follow(slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode"))
    for segment in (12, 8):
        place = tuple(places(analysis, segment)[5])
        manager.sliceWidget("Red").mrmlSliceNode().JumpSliceByCentering(*place)
        move_in_slice(manager.sliceWidget("Red").sliceView(), place)
    wait(lambda: inspector.text().startswith("8 mid anteroseptal"), 5)
    screenshot(manager.plotWidget(0).plotView(), "curves_in_slicer")
    inspector.close()
