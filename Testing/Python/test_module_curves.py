"""Bull's-eye, slices and curves by the mouse: a segment, its slice and its curve; the voxel under the mouse; the frame."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from PySide6 import QtWidgets
from review_cases import Heart, move_over, on_screen, open_analysis, shown_chart, view_of

from MyoPINNLib.polar import label_positions
from MyoPINNLib.quantities import QUANTITIES
from MyoPINNLib.scene.colours import territory_ink
from Testing.SlicerHarness.clicks import choose, click, click_at, screenshot, send_mouse, wait

A_BYTE = 1.5 / 255


@pytest.fixture
def a_review_of_six(a_module):
    return open_analysis(a_module, Heart.SIX_SLICES)[0]


def place_of(a_module, segment: int) -> tuple[int, int]:
    """Where a segment's value stands in the bull's-eye, pixels from the upper left."""
    view = a_module.panel.review.bullseye
    x, y = view.bullseye.pixel_of(label_positions(16)[segment])
    return x, view.widget.renderWindow().GetSize()[1] - 1 - y


def click_segment(a_module, segment: int) -> None:
    click_at(a_module.panel.review.bullseye.widget, *place_of(a_module, segment))


def pixels_in(view, ink) -> int:
    """How many pixels of a slice view have a colour, to a hundredth."""
    picture = view.grab().toImage()
    colours = (picture.pixelColor(x, y) for x in range(picture.width()) for y in range(picture.height()))
    return sum(max(abs(c.redF() - ink[0]), abs(c.greenF() - ink[1]), abs(c.blueF() - ink[2])) < 0.01 for c in colours)


def curve_title() -> str:
    """The lines of the title, which are short enough for the view, as one."""
    return shown_chart().GetTitle().replace("\n", ": ")


def parameters(a_module) -> dict[str, float]:
    """The parameter list of the panel, by name."""
    rows = [line.split() for line in a_module.ui.voxelLabel.text.splitlines()[1:]]
    return {row[0]: float(row[1]) for row in rows if row and row[0] in QUANTITIES}


def test_a_click_on_a_segment_draws_its_border_and_shows_its_curve(a_module, a_review):
    map_in_the_middle = on_screen(a_review, a_review.voxel_of(11))
    click_segment(a_module, 11)
    assert a_module.panel.review.bullseye.bullseye.selected == 11
    assert curve_title().startswith("11 mid inferolateral, mean curve: MBF")
    assert a_module.ui.curveSelector.currentText == "voxel under the mouse"
    screenshot(a_module.window, "review_segment_clicked")
    assert (on_screen(a_review, a_review.voxel_of(11)) == map_in_the_middle).all(), "the map stays readable"
    assert pixels_in(view_of(a_review, 1), territory_ink(11)) > 40
    click_at(a_module.panel.review.bullseye.widget, 3, 3)
    assert pixels_in(view_of(a_review, 1), territory_ink(11)) == 0


def test_a_click_beside_the_disc_chooses_none(a_module, a_review):
    before = on_screen(a_review, a_review.voxel_of(11))
    click_segment(a_module, 11)
    click_at(a_module.panel.review.bullseye.widget, 3, 3)
    assert a_module.panel.review.bullseye.bullseye.selected == 0
    assert (on_screen(a_review, a_review.voxel_of(11)) == before).all()


def test_the_mouse_over_a_segment_tells_its_numbers(a_module, a_review):
    send_mouse(a_module.panel.review.bullseye.widget, "MouseMove", *place_of(a_module, 4))
    line = a_module.panel.review.bullseye.bullseye.line
    assert line.startswith("4 basal inferior: MBF 2.58 mL/min/g, SD ") and line.endswith(" voxels")


def test_all_segments_are_painted_where_that_is_wanted(a_module, a_review):
    before = on_screen(a_review, a_review.voxel_of(16))
    click(a_module.ui.segmentsCheck)
    screenshot(a_module.window, "review_segments_painted")
    for segment in (1, 9, 16):
        painted = on_screen(a_review, a_review.voxel_of(segment))
        assert np.abs(painted - territory_ink(segment)).max() < 0.3
    click(a_module.ui.segmentsCheck)
    assert (on_screen(a_review, a_review.voxel_of(16)) == before).all()


@pytest.mark.parametrize("aside", [(-0.4, 0.4), (0.4, -0.4)])
def test_the_mouse_over_an_oblique_heart_finds_its_voxel_to_a_tenth(a_module, an_oblique_review, aside):
    values = an_oblique_review.analysis.map("MBF")
    for segment in (2, 10, 15):
        k, j, i = an_oblique_review.voxel_of(segment)
        move_over(an_oblique_review, (k, j, i), aside)
        words = f"slice {k + 1}, row {j + 1}, column {i + 1}"
        wait(lambda words=words: words in a_module.ui.voxelLabel.text, 2)
        assert parameters(a_module)["MBF"] == pytest.approx(values[k, j, i], rel=0.01)


def test_the_mouse_over_the_heart_shows_the_curve_of_the_voxel(a_module, a_review):
    k, j, i = a_review.voxel_of(5)
    move_over(a_review, (k, j, i))
    wait(lambda: curve_title().startswith("5 basal inferolateral: MBF"), 2)
    found = {name: each[k, j, i] for name, each in a_review.analysis.maps.items() if name != "valid"}
    assert parameters(a_module) == pytest.approx(found, rel=0.01)
    screenshot(a_module.window, "review_voxel")


def test_after_a_click_the_mouse_over_the_heart_shows_its_voxel_again(a_module, a_review):
    move_over(a_review, a_review.voxel_of(5))
    click_segment(a_module, 11)
    assert curve_title().startswith("11 mid inferolateral")
    move_over(a_review, a_review.voxel_of(2))
    wait(lambda: curve_title().startswith("2 basal anteroseptal") and "voxel" in a_module.ui.voxelLabel.text, 2)


def test_the_curve_is_of_the_analysis_in_the_bulls_eye_and_says_which(a_module):
    stress, rest = open_analysis(a_module, Heart.OBLIQUE, "Stress", "Rest")
    rest.analysis.node.GetNodeReference("table.segments").GetTable().GetColumnByName(
        "MBF_mL_min_g_mean_curve"
    ).SetValue(10, 0.75)
    wait_a_moment()
    click_segment(a_module, 11)
    assert (
        curve_title().startswith("Stress: 11 mid inferolateral, mean curve: MBF")
        and parameters(a_module)["MBF"] != 0.75
    )
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, "rest")
    assert (
        curve_title().startswith("Rest: 11 mid inferolateral, mean curve: MBF") and parameters(a_module)["MBF"] == 0.75
    )
    click_segment(a_module, 5)
    assert curve_title().startswith("Rest: 5 basal inferolateral")
    move_over(stress, stress.voxel_of(2))
    wait(lambda: curve_title().startswith("Rest: 2 basal") and "voxel" in a_module.ui.voxelLabel.text, 2)
    choose(a_module.ui.modeSelector, "this analysis")
    assert curve_title().startswith("Stress: 5 basal inferolateral")


def test_the_curve_of_a_rest_analysis_that_is_removed_gives_way(a_module):
    _, rest = open_analysis(a_module, Heart.OBLIQUE, "Stress", "Rest")
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, "rest")
    rest.analysis.remove()
    wait_a_moment()
    assert curve_title().removeprefix("Stress: ").startswith("1 basal anterior, mean curve: MBF")


def test_without_follow_mouse_the_curve_stays(a_module, a_review):
    click(a_module.ui.hoverCheck)
    before = curve_title()
    move_over(a_review, a_review.voxel_of(5))
    wait_a_moment()
    assert curve_title() == before
    click(a_module.ui.hoverCheck)
    move_over(a_review, a_review.voxel_of(11))
    wait(lambda: curve_title().startswith("11 mid"), 2)


def test_the_curve_selector_shows_input_segment_and_voxel(a_module, a_review):
    choose(a_module.ui.curveSelector, "arterial input")
    assert curve_title() == "Arterial input" and "peak in plasma" in a_module.ui.voxelLabel.text
    screenshot(a_module.window, "review_input")
    move_over(a_review, a_review.voxel_of(5))
    wait_a_moment()
    assert curve_title() == "Arterial input"
    choose(a_module.ui.curveSelector, "selected segment")
    assert curve_title().startswith("1 basal anterior")
    choose(a_module.ui.curveSelector, "voxel under the mouse")
    move_over(a_review, a_review.voxel_of(11))
    wait(lambda: "voxel in slice" in a_module.ui.voxelLabel.text, 2)


def test_copy_puts_the_curves_on_the_clipboard_as_csv(a_module, a_review):
    click_segment(a_module, 11)
    click(a_module.ui.copyCurveButton)
    rows = list(csv.DictReader(io.StringIO(QtWidgets.QApplication.clipboard().text())))
    assert list(rows[0]) == ["time_s", "C_t_mM", "fitted_mM"] and len(rows) == 36
    assert max(float(row["C_t_mM"]) for row in rows) > 0.3
    assert a_module.status == "The curves are on the clipboard."


def test_the_frame_that_is_played_stands_in_the_curve(a_module, a_review):
    browser = a_review.study.browser
    browser.SetSelectedItemNumber(7)
    names = plotted()
    seconds = a_review.analysis.curves.time[:, 7]
    assert any(f"frame at {time:.1f} s" in names for time in seconds), names
    browser.SetSelectedItemNumber(8)
    assert plotted() != names


def plotted() -> list[str]:
    chart = shown_chart()
    return [chart.GetNthPlotSeriesNode(n).GetName() for n in range(chart.GetNumberOfPlotSeriesNodes())]


def wait_a_moment() -> None:
    QtWidgets.QApplication.processEvents()
    wait(lambda: QtWidgets.QApplication.processEvents() is None, 1)


def captions(a_module) -> list[str]:
    return list(a_module.panel.review.overlay.captions.values())


def test_each_view_says_slice_and_level_from_base_to_apex(a_module, a_review):
    assert captions(a_module) == ["slice 3 of 3, basal", "slice 2 of 3, mid", "slice 1 of 3, apical"]
    assert not a_module.ui.sliceSelector.enabled and "All slices" in a_module.ui.sliceSelector.toolTip


def test_all_of_six_slices_can_be_looked_at(a_module, a_review_of_six):
    box = a_module.ui.sliceSelector
    assert captions(a_module) == ["slice 6 of 6, basal", "slice 4 of 6, mid", "slice 1 of 6, apical"]
    choose(box, "slices 6, 5, 4 of 6")
    assert captions(a_module) == ["slice 6 of 6, basal", "slice 5 of 6, basal", "slice 4 of 6, mid"]
    choose(box, "slices 3, 2, 1 of 6")
    assert [text.split(" of")[0] for text in captions(a_module)] == ["slice 3", "slice 2", "slice 1"]
    values = a_review_of_six.analysis.map("MBF")
    voxel = tuple(np.argwhere(np.isfinite(values[1]))[100])
    assert np.ptp(on_screen(a_review_of_six, (1, *voxel))) > 0.1
    screenshot(a_module.window, "review_six_slices")


def test_a_view_that_is_scrolled_shows_image_and_map_of_the_next_slice(a_module, a_review_of_six):
    logic = slicer.app.layoutManager().sliceWidget("Yellow").sliceLogic()
    logic.SetSliceOffset(logic.GetSliceOffset() + 10)
    assert captions(a_module)[1] == "slice 5 of 6, basal"
    image = logic.GetBackgroundLayer().GetVolumeNode()
    assert image.GetName() == a_review_of_six.study.volumes[4].GetName()
    screenshot(a_module.window, "review_scrolled")
    logic.SetSliceOffset(logic.GetSliceOffset() + 200)
    assert captions(a_module)[1] == "between the slices"


def test_a_segment_that_no_view_shows_is_jumped_to(a_module, a_review_of_six):
    choose(a_module.ui.sliceSelector, "slices 6, 5, 4 of 6")
    click_segment(a_module, 15)
    assert any("apical" in text for text in captions(a_module))
    assert pixels_in(view_of(a_review_of_six, a_review_of_six.voxel_of(15)[0]), territory_ink(15)) > 40
    assert a_module.ui.sliceSelector.currentText.startswith("as scrolled")
    screenshot(a_module.window, "review_jumped")


def test_one_slice_fills_one_view(a_module):
    looked = open_analysis(a_module, Heart.ONE_SLICE)[0]
    assert captions(a_module) == ["slice 1 of 1, mid"]
    assert not slicer.app.layoutManager().sliceWidget("Yellow").isVisible()
    move_over(looked, looked.voxel_of(11))
    wait(lambda: curve_title().startswith("11 mid"), 2)


def test_tilted_slices_have_their_own_map_each(a_module):
    looked = open_analysis(a_module, Heart.TILTED)[0]
    values = looked.analysis.map("MBF")
    assert len(looked.analysis.volumes("MBF")) == 3
    for segment in (5, 11, 16):
        voxel = looked.voxel_of(segment)
        move_over(looked, voxel)
        wait(lambda voxel=voxel: f"row {voxel[1] + 1}, column {voxel[2] + 1}" in a_module.ui.voxelLabel.text, 2)
        assert parameters(a_module)["MBF"] == pytest.approx(values[voxel], rel=0.01)
        assert np.ptp(on_screen(looked, voxel)) > 0.1
    screenshot(a_module.window, "review_tilted")
