"""Review by real clicks: maps over the right slices, marks, bull's-eye, table and curves, in hearts of every pose."""

from __future__ import annotations

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from module_cases import QUICK, add_case
from review_cases import Heart, bulls_eye, heart, map_words, on_screen, open_analysis, shown_in, table_rows

from MyoPINNLib.scene import Colours, find_analyses
from MyoPINNLib.scene.colours import MARK, colour_table, rgb
from Testing.SlicerHarness.clicks import choose, click, screenshot, type_text, wait

A_BYTE = 1.5 / 255


def test_every_map_is_shown_in_its_colours_over_the_right_voxel(a_module, a_review):
    voxel = a_review.voxel_of(11)
    for quantity in a_review.analysis.quantities:
        choose(a_module.ui.quantitySelector, map_words(a_module, quantity))
        low, high = a_review.analysis.limits(quantity)
        share = (a_review.analysis.map(quantity)[voxel] - low) / (high - low)
        expected = colour_table(Colours.ORDERED)[int(np.clip(share * 256, 0, 255))]
        assert np.abs(on_screen(a_review, voxel) - expected).max() < 3 * A_BYTE, quantity
    screenshot(a_module.window, "review_valid")


def test_a_segmentation_is_left_with_its_outline_once_and_may_be_filled_again(a_module):
    case = add_case(heart(Heart.ONE_SLICE))
    wait(lambda: a_module.ui.computeButton.enabled)
    a_module.compute(QUICK)
    display = case[1].GetDisplayNode()
    assert not display.GetVisibility2DFill() and display.GetVisibility2DOutline()
    display.SetVisibility2DFill(True)
    a_module.ui.layoutButton.click()
    choose(a_module.ui.quantitySelector, map_words(a_module, "F_p"))
    assert display.GetVisibility2DFill()


def test_a_map_lies_over_its_voxels_in_an_oblique_study(a_module, an_oblique_review):
    values = an_oblique_review.analysis.map("MBF")
    for segment in (1, 5, 8, 11, 14, 16):
        k, j, i = an_oblique_review.voxel_of(segment)
        for aside in ((-0.4, -0.4), (0.4, 0.4)):
            expected = colour_table(Colours.ORDERED)[int(values[k, j, i] / 4 * 256)]
            found = on_screen(an_oblique_review, (k, j, i), aside)
            assert np.abs(found - expected).max() < 3 * A_BYTE, (segment, aside)


def test_the_legend_says_quantity_and_unit_and_leaves_the_heart_free(a_module, a_review):
    for quantity, words in (
        ("MBF", "MBF\nmL/min/g"),
        ("v_p", "v_p\nmL/mL"),
        ("E", "E\n%"),
        ("residual", "residual\nmM"),
    ):
        choose(a_module.ui.quantitySelector, map_words(a_module, quantity))
        legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(a_review.analysis.volumes(quantity)[0])
        assert legend.GetTitleText() == words
        screenshot(a_module.window, f"review_map_{quantity}")


def test_the_map_without_segments_leaves_the_flow_in_the_bulls_eye(a_module, a_review):
    choose(a_module.ui.quantitySelector, map_words(a_module, "valid"))
    assert bulls_eye(a_module).quantity == "MBF" and not a_module.status.startswith("The table")


def test_sd_shows_the_standard_deviation_and_back(a_module, a_review):
    click(a_module.ui.deviationCheck)
    assert shown_in(a_review, 1).GetName() == "Stress MBF SD"
    assert a_module.ui.highSpin.suffix == " mL/min/g" and a_module.ui.highSpin.value == 1.0
    screenshot(a_module.window, "review_sd")
    click(a_module.ui.deviationCheck)
    assert shown_in(a_review, 1).GetName() == "Stress MBF"


def test_sd_says_why_there_is_none(a_module, a_review):
    choose(a_module.ui.quantitySelector, map_words(a_module, "residual"))
    assert not a_module.ui.deviationCheck.enabled
    assert "no standard deviation of residual" in a_module.ui.deviationCheck.toolTip


def test_opacity_lets_the_images_through(a_module, a_review):
    voxel = a_review.voxel_of(11)
    full = on_screen(a_review, voxel)
    type_text(a_module.ui.opacitySlider, "0.5")
    half = on_screen(a_review, voxel)
    type_text(a_module.ui.opacitySlider, "0")
    image = on_screen(a_review, voxel)
    assert np.ptp(image) < A_BYTE and np.abs(half - (full + image) / 2).max() < 3 * A_BYTE


def test_a_range_recolours_map_bulls_eye_and_legend_and_usual_takes_it_back(a_module, a_review):
    voxel = a_review.voxel_of(11)
    before = on_screen(a_review, voxel)
    type_text(a_module.ui.highSpin, "8")
    type_text(a_module.ui.lowSpin, "1")
    assert a_review.analysis.limits("MBF") == (1.0, 8.0) == bulls_eye(a_module).range
    assert np.abs(on_screen(a_review, voxel) - before).max() > 0.1
    click(a_module.ui.rangeButton)
    assert a_review.analysis.limits("MBF") == (0.0, 4.0) and (on_screen(a_review, voxel) == before).all()


def test_a_range_upside_down_is_told_and_changes_nothing(a_module, a_review):
    type_text(a_module.ui.lowSpin, "5")
    assert a_module.status == "The colours cannot run from 5 to 4. Give a lower end that is below the upper one."
    assert a_review.analysis.limits("MBF") == (0.0, 4.0)
    type_text(a_module.ui.lowSpin, "0")
    assert "cannot run" not in a_module.status


def test_a_small_quantity_has_a_fine_range(a_module, a_review):
    choose(a_module.ui.quantitySelector, map_words(a_module, "residual"))
    before = a_review.analysis.limits("residual")
    type_text(a_module.ui.highSpin, "0.015")
    assert a_review.analysis.limits("residual") == (before[0], 0.015)


def test_clinical_colours_reach_map_and_bulls_eye(a_module, a_review):
    choose(a_module.ui.coloursSelector, "Clinical (blue to red)")
    value = a_review.analysis.map("MBF")[a_review.voxel_of(11)]
    expected = colour_table(Colours.CLINICAL)[int(value / 4 * 256)]
    assert np.abs(on_screen(a_review, a_review.voxel_of(11)) - expected).max() < 3 * A_BYTE
    assert bulls_eye(a_module).colours is Colours.CLINICAL
    screenshot(a_module.window, "review_clinical")


def test_segments_below_the_cut_off_are_marked_in_bulls_eye_and_table(a_module, a_review):
    assert bulls_eye(a_module).below == {1, 2, 7, 8, 13, 14}
    assert [row["Mark"] for row in table_rows()][:3] == ["< 1.94", "< 1.94", ""]
    type_text(a_module.ui.cutOffSpin, "2.8")
    assert {3, 4} < bulls_eye(a_module).below
    click(a_module.ui.markCheck)
    assert not bulls_eye(a_module).below and not any(row["Mark"] for row in table_rows())


def test_voxels_below_the_cut_off_are_painted(a_module, a_review):
    click(a_module.ui.markVoxelsCheck)
    assert np.abs(on_screen(a_review, a_review.voxel_of(7)) - rgb(MARK)).max() < 3 * A_BYTE
    assert np.abs(on_screen(a_review, a_review.voxel_of(11)) - rgb(MARK)).max() > 0.2
    screenshot(a_module.window, "review_marked_voxels")
    click(a_module.ui.markVoxelsCheck)
    assert np.abs(on_screen(a_review, a_review.voxel_of(7)) - rgb(MARK)).max() > 0.2


def test_the_statistic_chooses_the_number_of_a_segment(a_module, a_review):
    table = a_review.analysis.segments
    for words, column in (
        ("mean of the voxels", "mean"),
        ("fit of the mean curve", "mean_curve"),
        ("median of the voxels", "median"),
    ):
        choose(a_module.ui.statisticSelector, words)
        assert bulls_eye(a_module).values[4] == table[f"MBF_mL_min_g_{column}"][3]
        assert bulls_eye(a_module).statistic.value == column


def test_the_heart_fits_a_view_that_has_just_got_its_size(a_module):
    a_module.window.resize(1100, 900)
    open_analysis(a_module, Heart.OBLIQUE)
    slicer.app.processEvents()
    node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    first = min(node.GetFieldOfView()[:2])
    click(a_module.ui.layoutButton)
    again = min(node.GetFieldOfView()[:2])
    a_module.window.resize(1500, 900)
    assert first == pytest.approx(again, rel=1e-3)


@pytest.mark.parametrize("role", ["label", "map.MBF", "table.segments", "table.curves", "voxel_curves"])
def test_a_node_that_is_taken_from_an_analysis_is_one_sentence(a_module, a_review, role):
    slicer.mrmlScene.RemoveNode(a_review.analysis.node.GetNodeReference(role))
    wait(lambda: '"Stress" has lost its' in a_module.status)
    click(a_module.ui.methodSection)
    assert not a_module.ui.quantitySelector.enabled and "lost its" in a_module.ui.quantitySelector.toolTip
    click(a_module.ui.removeButton)
    assert not find_analyses() and "lost" not in a_module.status


def test_a_map_that_is_taken_away_leaves_the_others(a_module, a_review):
    choose(a_module.ui.quantitySelector, map_words(a_module, "F_p"))
    slicer.mrmlScene.RemoveNode(a_review.analysis.volumes("F_p")[0])
    wait(lambda: a_module.ui.quantitySelector.itemData(a_module.ui.quantitySelector.currentIndex) == "MBF")
    assert "F_p" not in a_review.analysis.quantities and bulls_eye(a_module).quantity == "MBF"


@pytest.mark.parametrize("role", ["table.input", "chart.segments", "segment_colours", "table.settings"])
def test_what_an_analysis_can_do_without_may_be_taken_away(a_module, a_review, role):
    slicer.mrmlScene.RemoveNode(a_review.analysis.node.GetNodeReference(role))
    choose(a_module.ui.quantitySelector, map_words(a_module, "F_p"))
    choose(a_module.ui.curveSelector, "arterial input")
    a_module.panel.review.select(0)
    assert ("has no table of its input" in a_module.status) == (role == "table.input")


def scroll(name: str, millimetres: float) -> None:
    """Move the slider of a slice view."""
    logic = slicer.app.layoutManager().sliceWidget(name).sliceLogic()
    logic.SetSliceOffset(logic.GetSliceOffset() + millimetres)
    slicer.app.processEvents()


def test_the_list_of_slices_says_when_the_views_were_scrolled(a_module):
    open_analysis(a_module, Heart.SIX_SLICES)
    box = a_module.ui.sliceSelector
    before, count = box.currentText, box.count
    scroll("Yellow", 10)
    assert box.currentText.startswith("as scrolled: slices ") and box.count == count + 1
    choose(box, before)
    assert box.currentText == before and box.count == count


def test_views_of_a_small_heart_that_were_scrolled_go_back_by_the_list(a_module, a_review):
    box = a_module.ui.sliceSelector
    assert not box.enabled and box.currentText == "slices 3, 2, 1 of 3"
    scroll("Yellow", 20)
    assert box.currentText.startswith("as scrolled")
    choose(box, "slices 3, 2, 1 of 3")
    assert not box.enabled and list(a_module.panel.review.overlay.slices.values()) == [2, 1, 0]
