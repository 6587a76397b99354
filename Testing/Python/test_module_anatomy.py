"""The panel's Anatomy and Acquisition by real clicks: segments by name and by hand, RV insertion, levels, and units."""

from __future__ import annotations

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets"):
    pytest.skip(trouble, allow_module_level=True)

import shiboken6
import slicer
from input_cases import middle_slice, open_section, rows_of
from module_cases import QUICK, add_case
from PySide6 import QtCore, QtWidgets
from PySide6.QtTest import QTest
from scene_cases import a_heart

from MyoPINNLib.scene import add_segmentation, add_study, find_analyses, insertion_from_points, show_in_views
from Testing.SlicerHarness.clicks import choose, click, click_in_slice, move_in_slice, screenshot, type_text, wait


@pytest.fixture
def an_own_study(a_module, a_small_heart):
    """A study with usual names: (study, segmentation, insertion)."""
    case = add_case(a_small_heart)
    wait(lambda: a_module.ui.computeButton.enabled)
    return case


@pytest.fixture
def a_heart_by_numbers(a_module, a_small_heart):
    """A study whose segments are called by numbers alone."""
    add_study(a_small_heart.series, "Stress perfusion")
    heart = named(add_segmentation(a_small_heart.masks, "Drawing"), ["Segment 1", "Segment 2", "Segment 3"])
    wait(lambda: a_module.panel.images.series)
    return heart


@pytest.fixture
def a_red_view(a_module, an_own_study):
    """The slice view that shows the series' first slice."""
    show_in_views(an_own_study[0].nodes)
    slicer.app.processEvents()
    return slicer.app.layoutManager().sliceWidget("Red").sliceView()


def named(heart, names):
    """A segmentation with other names of its segments."""
    segments = heart.GetSegmentation()
    for n, name in enumerate(names):
        segments.GetNthSegment(n).SetName(name)
    return heart


def ids(heart) -> list[str]:
    return list(heart.GetSegmentation().GetSegmentIDs())


def in_view(view, x: float = 0.5, y: float = 0.5) -> np.ndarray:
    """A point (mm, RAS) of a slice view, by its share of width and height."""
    size = view.renderWindow().GetSize()
    return np.array(view.convertXYZToRAS([x * size[0], y * size[1], 0.0]))


def points_of(node) -> np.ndarray:
    """(n, 3) RAS mm: the points that are set."""
    return np.array(insertion_from_points(node)) * (-1, -1, 1)


def test_segments_with_usual_names_are_found(a_module, an_own_study):
    heart = an_own_study[1].GetSegmentation()
    assert heart.GetSegment(a_module.chosen.myocardium).GetName() == "Myocardium"
    assert heart.GetSegment(a_module.chosen.bloodPool).GetName() == "LV blood pool"
    assert a_module.ui.insertionSelector.currentNode() is an_own_study[2]


def test_segments_with_other_names_are_chosen_by_hand(a_module, a_heart_by_numbers):
    choose(a_module.ui.segmentationSelector, "Drawing")
    assert 'No segment of "Drawing" is chosen for the myocardium' in a_module.status
    screenshot(a_module.window, "anatomy_no_segments")
    choose(a_module.ui.myocardiumSelector, "Segment 1")
    choose(a_module.ui.bloodPoolSelector, "Segment 2")
    screenshot(a_module.window, "anatomy_by_hand")
    assert (a_module.chosen.myocardium, a_module.chosen.bloodPool) == tuple(ids(a_heart_by_numbers)[:2])
    assert a_module.status == "Ready to compute."


def test_one_segment_for_both_is_said_at_once(a_module, an_own_study):
    choose(a_module.ui.bloodPoolSelector, "Myocardium")
    assert "same segment" in a_module.status and a_module.ui.computeButton.toolTip == a_module.status


def test_a_segment_may_be_renamed(a_module, an_own_study):
    named(an_own_study[1], ["Anything"])
    assert "Anything" in rows_of(a_module.ui.myocardiumSelector.findChildren(QtWidgets.QComboBox)[-1])
    assert a_module.chosen.myocardium == ids(an_own_study[1])[0] and a_module.ui.computeButton.enabled


def test_a_chosen_segment_that_is_removed_is_replaced_by_none(a_module, an_own_study):
    an_own_study[1].GetSegmentation().RemoveSegment(a_module.chosen.myocardium)
    wait(lambda: a_module.chosen.myocardium == "")
    assert a_module.ui.myocardiumSelector.currentSegmentID() == ""
    assert 'No segment of "Heart" is chosen for the myocardium' in a_module.status
    assert not a_module.ui.computeButton.enabled


def test_segments_drawn_one_after_the_other_are_taken_by_their_names(a_module, an_own_study):
    drawing = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Drawing")
    choose(a_module.ui.segmentationSelector, "Drawing")
    segments = drawing.GetSegmentation()
    for name in ("RV", "Myocardium", "LV blood pool"):
        segments.GetSegment(segments.AddEmptySegment("")).SetName(name)
        slicer.app.processEvents()
    slicer.util.selectModule("")
    slicer.util.selectModule("MyoPINN")
    assert [a_module.chosen.myocardium, a_module.chosen.bloodPool] == ids(drawing)[1:]


def test_a_segmentation_that_is_removed_is_asked_for_again(a_module, an_own_study):
    slicer.mrmlScene.RemoveNode(an_own_study[1])
    wait(lambda: "No segmentation is chosen" in a_module.status)
    assert not a_module.ui.myocardiumSelector.enabled
    assert a_module.ui.myocardiumSelector.toolTip.startswith("Choose the segmentation first.")
    screenshot(a_module.window, "anatomy_no_segmentation")


def test_another_segmentation_brings_its_own_segments_though_ids_are_alike(a_module, an_own_study, a_small_heart):
    other = add_segmentation(a_small_heart.masks, "Other")
    named(other, ["LV blood pool", "Myocardium"])
    choose(a_module.ui.segmentationSelector, "Other")
    assert (a_module.chosen.bloodPool, a_module.chosen.myocardium) == tuple(ids(other)[:2])


def test_a_choice_by_hand_outlives_the_opening_of_another_module(a_module, a_heart_by_numbers):
    choose(a_module.ui.segmentationSelector, "Drawing")
    choose(a_module.ui.myocardiumSelector, "Segment 3")
    slicer.util.selectModule("")
    slicer.util.selectModule("MyoPINN")
    assert a_module.chosen.myocardium == ids(a_heart_by_numbers)[2]


def test_a_segmentation_that_gets_its_names_later_is_taken_when_the_module_opens(a_module, a_heart_by_numbers):
    slicer.util.selectModule("")
    named(a_heart_by_numbers, ["Myocardium", "LV blood pool", "RV"])
    slicer.util.selectModule("MyoPINN")
    assert a_module.status == "Ready to compute."


def test_the_rest_segmentation_counts_for_the_rest_series_alone(a_module, an_own_study, a_small_heart):
    add_study(a_small_heart.series, "Rest perfusion")
    resting = named(add_segmentation(a_small_heart.masks, "At rest"), ["Wall at rest", "Cavity at rest"])
    choose(a_module.ui.restSegmentationSelector, "At rest")
    stress, rest = a_module.panel.studies()
    assert stress.segmentation is an_own_study[1] and rest.segmentation is resting
    assert [rest.myocardium, rest.blood_pool] == ids(resting)[:2]


def test_a_rest_segmentation_without_the_segments_is_named(a_module, an_own_study, a_small_heart):
    add_study(a_small_heart.series, "Rest perfusion")
    named(add_segmentation(a_small_heart.masks, "At rest"), ["1", "2", "3"])
    choose(a_module.ui.restSegmentationSelector, "At rest")
    assert 'No segment of "At rest" is chosen for the myocardium' in a_module.status


def test_a_rest_segment_that_nobody_chose_is_called_as_the_stress_segment_is(a_module, an_own_study, a_small_heart):
    ui = a_module.ui
    add_study(a_small_heart.series, "Rest perfusion")
    named(an_own_study[1], ["Myocardium", "LV blood pool", "Thin wall"])
    resting = named(add_segmentation(a_small_heart.masks, "At rest"), ["Thin wall", "LV blood pool", "Myocardium"])
    choose(ui.restSegmentationSelector, "At rest")
    assert a_module.panel.studies()[1].myocardium == ids(resting)[2]
    choose(ui.myocardiumSelector, "Thin wall")
    assert a_module.panel.studies()[1].myocardium == ids(resting)[0] == ui.restMyocardiumSelector.currentSegmentID()
    choose(ui.restSegmentationSelector, "None")
    assert not ui.restMyocardiumSelector.visible


def test_another_scene_that_is_added_leaves_a_rest_segmentation_chosen(a_module, an_own_study, a_small_heart, tmp_path):
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "other.mrb"))
    add_study(a_small_heart.series, "Rest perfusion")
    named(add_segmentation(a_small_heart.masks, "At rest"), ["Wall at rest", "Cavity at rest"])
    choose(a_module.ui.restSegmentationSelector, "At rest")
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "other.mrb"), False)
    slicer.app.processEvents()
    assert a_module.chosen is not None and a_module.chosen.segmentation is not None


def test_segments_of_a_rest_segmentation_are_chosen_by_hand(a_module, an_own_study, a_small_heart):
    ui = a_module.ui
    assert not ui.restMyocardiumSelector.visible
    add_study(a_small_heart.series, "Rest perfusion")
    resting = named(add_segmentation(a_small_heart.masks, "At rest"), ["1", "2", "3"])
    choose(ui.restSegmentationSelector, "At rest")
    assert ui.restMyocardiumSelector.visible and ui.restBloodPoolSelectorLabel.visible
    choose(ui.restMyocardiumSelector, "1")
    choose(ui.restBloodPoolSelector, "2")
    rest = a_module.panel.studies()[1]
    assert [rest.myocardium, rest.blood_pool] == ids(resting)[:2] and a_module.status == "Ready to compute."
    assert a_module.panel.studies()[0].segmentation is an_own_study[1]
    screenshot(a_module.window, "anatomy_rest_by_hand")
    slicer.util.selectModule("")
    slicer.util.selectModule("MyoPINN")
    assert a_module.chosen.restMyocardium == ids(resting)[0]


def test_one_click_places_the_rv_insertion_and_the_points_before_go(a_module, an_own_study, a_red_view):
    assert len(points_of(an_own_study[2])) == 3
    for x in (0.4, 0.6):
        where = in_view(a_red_view, x)
        click(a_module.ui.placeButton)
        assert a_module.ui.placeButton.checked
        click_in_slice(a_red_view, where)
        assert not a_module.ui.placeButton.checked
        assert np.allclose(points_of(an_own_study[2]), [where], atol=1.0)
    screenshot(a_module.window, "anatomy_placed")


def test_a_place_is_waited_for_where_it_can_be_seen(a_module, a_red_view):
    click(a_module.ui.placeButton)
    move_in_slice(a_red_view, in_view(a_red_view))
    screenshot(a_module.window, "anatomy_placing")
    assert a_module.ui.placeButton.text == "Cancel" and "Escape" in a_module.ui.placeButton.toolTip
    assert slicer.app.applicationLogic().GetInteractionNode().GetCurrentInteractionMode() == 1


def test_while_slicer_still_places_the_point_no_point_is_removed(a_module, an_own_study, a_red_view):
    points, seen = an_own_study[2], []
    click(a_module.ui.placeButton)
    defined = slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent
    tag = points.AddObserver(defined, lambda *_: seen.append(points.GetNumberOfControlPoints()))
    click_in_slice(a_red_view, in_view(a_red_view))
    points.RemoveObserver(tag)
    assert seen == [4] and len(points_of(points)) == 1


@pytest.mark.parametrize("how", ["button", "escape", "mode", "leave"])
def test_a_placing_that_is_given_up_keeps_the_points(a_module, an_own_study, a_red_view, how):
    before, interaction = points_of(an_own_study[2]), slicer.app.applicationLogic().GetInteractionNode()
    click(a_module.ui.placeButton)
    move_in_slice(a_red_view, in_view(a_red_view))
    give_up(a_module, a_red_view, interaction, how)
    assert not a_module.ui.placeButton.checked and interaction.GetCurrentInteractionMode() != interaction.Place
    assert np.allclose(points_of(an_own_study[2]), before)


def give_up(module, view, interaction, how: str) -> None:
    if how == "button":
        click(module.ui.placeButton)
    elif how == "escape":
        module.window.activateWindow()
        slicer.app.processEvents()
        QTest.keyClick(view, QtCore.Qt.Key_Escape)
    elif how == "mode":
        interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    else:
        slicer.util.selectModule("")


def test_without_a_point_list_placing_makes_one(a_module, an_own_study, a_red_view):
    slicer.mrmlScene.RemoveNode(an_own_study[2])
    assert a_module.ui.insertionSelector.currentNode() is None
    click(a_module.ui.placeButton)
    click_in_slice(a_red_view, in_view(a_red_view))
    assert a_module.ui.insertionSelector.currentNode().GetName() == "RV insertion"
    assert a_module.panel.studies()[0].points is not None


def test_a_point_list_that_is_removed_ends_the_placing(a_module, an_own_study, a_red_view):
    click(a_module.ui.placeButton)
    slicer.mrmlScene.RemoveNode(an_own_study[2])
    wait(lambda: not a_module.ui.placeButton.checked)
    assert a_module.ui.computeButton.enabled


def test_slice_levels_are_chosen_for_all_slices_or_none(a_module, an_own_study):
    click(a_module.ui.levelsButton)
    window = a_module.panel.anatomy.window
    choose(window.choices[0], "apical")
    click(window.take)
    assert "2 of 3 slices are automatic" in window.words.text and window.dialog.isVisible()
    for each, level in zip(window.choices, ("apical", "mid", "basal"), strict=True):
        choose(each, level)
    screenshot(window.dialog, "anatomy_levels")
    click(window.take)
    assert a_module.ui.levelsLabel.text == "apical, mid, basal"
    assert a_module.panel.settings().aha.levels == ("apical", "mid", "basal")


def test_a_window_closes_with_its_scene(a_module, an_own_study):
    click(a_module.ui.levelsButton)
    slicer.mrmlScene.Clear(False)
    assert not a_module.panel.anatomy.window.open


@pytest.mark.parametrize("button", ["levelsButton", "timeButton"])
def test_a_finished_window_is_deleted_and_the_module_goes_on(a_module, an_own_study, button):
    click(getattr(a_module.ui, button))
    opened = {"levelsButton": a_module.panel.anatomy, "timeButton": a_module.panel.images}[button].window
    click(opened.leave)
    QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.DeferredDelete)
    assert not shiboken6.isValid(opened.dialog)
    slicer.mrmlScene.Clear(False)
    assert "No perfusion series is chosen" in a_module.status


def test_levels_that_are_looked_at_alone_stay(a_module, an_own_study):
    a_module.chosen.levels = ["apical", "mid", "basal"]
    click(a_module.ui.levelsButton)
    assert [each.currentText for each in a_module.panel.anatomy.window.choices] == ["apical", "mid", "basal"]
    click(a_module.panel.anatomy.window.leave)
    assert list(a_module.chosen.levels) == ["apical", "mid", "basal"]


def test_slices_of_several_series_are_called_after_them_in_their_order(a_module):
    case = add_case(a_heart())
    case[0].nodes[0].SetName("Stress perfusion apex {}")
    a_module.panel.guess()
    click(a_module.ui.levelsButton)
    labels = [each.text for each in a_module.panel.anatomy.window.dialog.findChildren(QtWidgets.QLabel) if each.text]
    assert labels[0] == "Slice 1 (Stress perfusion apex {}):" and labels[1] == "Slice 2 (Stress perfusion 2):"


def test_levels_that_do_not_fit_the_series_are_said(a_module, an_own_study):
    a_module.chosen.levels = ["apical", "mid"]
    assert a_module.status.startswith("2 slice levels are chosen and the series has 3 slices.")
    screenshot(a_module.window, "anatomy_levels_wrong")
    click(a_module.ui.levelsButton)
    click(a_module.panel.anatomy.window.take)
    assert a_module.status == "Ready to compute."


def test_acquisition_reaches_the_engine_in_its_units(a_module, a_small_heart):
    add_case(middle_slice(a_small_heart))
    ui = a_module.ui
    open_section(ui.acquisitionSection)
    values = {"hctSpin": "0.42", "densitySpin": "1.04", "saturationSpin": "120", "bloodT1Spin": "1700"}
    for name, value in (values | {"myocardiumT1Spin": "1100", "relaxivitySpin": "4.5"}).items():
        type_text(getattr(ui, name), value)
    screenshot(a_module.window, "acquisition")
    a_module.compute(QUICK)
    (analysis,) = find_analyses()
    said = analysis.settings
    assert (said["hct"], said["density_g_mL"]) == (0.42, 1.04)
    expected = {"TS_ms": 120.0, "T1_blood_ms": 1700.0, "T1_myocardium_ms": 1100.0, "relaxivity_per_s_mM": 4.5}
    assert {name: said["signal"][name] for name in expected} == pytest.approx(expected)


def test_a_number_that_is_still_being_typed_counts_though_the_button_takes_no_focus(a_module, an_own_study):
    open_section(a_module.ui.acquisitionSection)
    usual, a_module.ui.computeButton.focusPolicy = a_module.ui.computeButton.focusPolicy, QtCore.Qt.NoFocus
    a_module.window.activateWindow()
    slicer.app.processEvents()
    a_module.ui.hctSpin.setFocus()
    a_module.ui.hctSpin.selectAll()
    QTest.keyClicks(a_module.ui.hctSpin, "0.4")
    click(a_module.ui.computeButton)
    a_module.ui.computeButton.focusPolicy = usual
    assert a_module.chosen.hct == pytest.approx(0.4)
    click(a_module.ui.cancelButton)
    a_module.finish()


def test_a_saturation_time_of_nothing_is_what_the_files_say(a_module):
    open_section(a_module.ui.acquisitionSection)
    assert a_module.ui.saturationSpin.text == "as the files say"
    assert a_module.panel.settings().signal.TS is None


def test_no_number_is_taken_while_it_is_typed(a_module):
    boxes = [each for each in vars(a_module.ui).values() if isinstance(each, QtWidgets.QAbstractSpinBox)]
    assert len(boxes) > 8 and [each.objectName for each in boxes if each.keyboardTracking] == []


def test_every_setting_has_a_tooltip_and_those_of_a_quantity_name_its_unit(a_module):
    ui = a_module.ui
    sections = (ui.inputSection, ui.anatomySection, ui.acquisitionSection)
    kinds = (QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QAbstractSpinBox)
    found = [each for part in sections for kind in kinds for each in part.findChildren(kind) if each.objectName]
    own = [each for each in found if not each.objectName.startswith("qt_")]
    assert len(own) > 10 and [each.objectName for each in own if not each.toolTip] == []
    units = {"hctSpin": "0.45", "densitySpin": "g/mL", "saturationSpin": "ms", "bloodT1Spin": "ms"}
    for name, unit in (units | {"myocardiumT1Spin": "ms", "relaxivitySpin": "1/s/mM"}).items():
        assert unit in getattr(ui, name).toolTip
