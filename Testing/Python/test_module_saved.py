"""Saved scenes and several analyses by real clicks: all is there again, as it was; one beside the other; one less."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from PySide6 import QtWidgets
from review_cases import (
    Heart,
    bulls_eye,
    map_words,
    move_over,
    on_screen,
    open_analysis,
    perfusion_view,
    shown_in,
    table_rows,
)
from scene_cases import contents

from MyoPINNLib.gui.export_section import write_pictures
from MyoPINNLib.gui.layout import TABLE
from MyoPINNLib.scene import Colours, find_analyses
from MyoPINNLib.scene.colours import MARK, rgb
from Testing.SlicerHarness.clicks import choose, click, screenshot, type_text, wait


@pytest.fixture
def a_folder(tmp_path) -> Path:
    return tmp_path


@pytest.fixture
def a_pair(a_module):
    """A stress analysis that is looked at, and one of the same study beside it."""
    return open_analysis(a_module, Heart.OBLIQUE, "Stress", "Rest")


def reopen(a_module, folder: Path) -> None:
    """Save the scene as an .mrb, close it, leave the module, open the .mrb and enter the module again."""
    path = folder / "scene.mrb"
    assert slicer.mrmlScene.WriteToMRB(str(path))
    slicer.util.selectModule("")
    slicer.mrmlScene.Clear(False)
    slicer.app.prepare_scene()
    assert slicer.mrmlScene.ReadFromMRB(str(path), True)
    QtWidgets.QApplication.processEvents()


def test_a_saved_scene_shows_all_of_it_again(a_module, a_folder):
    looked = open_analysis(a_module, Heart.UPRIGHT)[0]
    choose(a_module.ui.coloursSelector, "Clinical (blue to red)")
    type_text(a_module.ui.highSpin, "3")
    type_text(a_module.ui.opacitySlider, "0.8")
    choose(a_module.ui.statisticSelector, "mean of the voxels")
    voxel, values = looked.voxel_of(11), looked.analysis.map("MBF")
    seen = on_screen(looked, voxel)
    screenshot(a_module.window, "saved_before")
    reopen(a_module, a_folder)
    slicer.util.selectModule("MyoPINN")
    QtWidgets.QApplication.processEvents()
    screenshot(a_module.window, "saved_after")
    (analysis,) = find_analyses()
    assert a_module.ui.analysisSelector.currentNode() is analysis.node
    assert np.array_equal(analysis.map("MBF"), values, equal_nan=True) and analysis.limits("MBF") == (0.0, 3.0)
    assert a_module.ui.highSpin.value == 3.0 and a_module.ui.opacitySlider.value == 0.8
    content = bulls_eye(a_module)
    assert content.colours is Colours.CLINICAL and content.statistic.value == "mean" and len(content.known) == 16
    assert len(table_rows()) == 16
    again = type(looked)(analysis, None)
    assert np.abs(on_screen(again, voxel) - seen).max() < 0.02
    move_over(again, voxel)
    wait(lambda: "11 mid inferolateral, voxel" in a_module.ui.voxelLabel.text, 2)
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(shown_in(again, 1))
    assert legend is not None and legend.GetTitleText() == "MBF\nmL/min/g"


def test_a_saved_scene_keeps_tables_settings_and_curves(a_module, a_folder):
    analysis = open_analysis(a_module, Heart.OBLIQUE)[0].analysis
    before = analysis.segments, analysis.table("input"), analysis.settings, analysis.method, analysis.curves.measured
    reopen(a_module, a_folder)
    (again,) = find_analyses()
    assert again.segments.keys() == before[0].keys()
    for column, cells in again.table("input").items():
        assert cells == pytest.approx(before[1][column], rel=1e-5, nan_ok=True)
    assert again.settings == before[2] and again.method == before[3]
    assert np.array_equal(again.curves.measured, before[4], equal_nan=True)


def test_two_analyses_of_one_study_stand_side_by_side(a_module, a_pair):
    stress, rest = a_pair
    type_text(a_module.ui.highSpin, "2")
    choose(a_module.ui.analysisSelector, "Rest")
    assert shown_in(rest, 1).GetName() == "Rest MBF" and bulls_eye(a_module).title == "Rest"
    assert a_module.ui.highSpin.value == 4.0
    choose(a_module.ui.analysisSelector, "Stress")
    assert shown_in(stress, 1).GetName() == "Stress MBF" and a_module.ui.highSpin.value == 2.0


def test_rest_and_reserve_need_a_rest_analysis_and_say_so(a_module, a_pair):
    choose(a_module.ui.modeSelector, "reserve (stress / rest)")
    assert a_module.status == "The bull's-eye is empty: no rest analysis is chosen. Choose it under Rest analysis."
    assert bulls_eye(a_module) is None
    choose(a_module.ui.restAnalysisSelector, "Rest")
    assert "rest analysis" not in a_module.status
    assert bulls_eye(a_module).quantity == "MPR" and bulls_eye(a_module).known[11] == pytest.approx(1.0)
    assert bulls_eye(a_module).below == set(range(1, 17)), "a reserve below 2 is marked"
    assert table_rows()[0]["MPR"] == "1.00" and table_rows()[0]["Mark"] == "< 2"
    assert float(table_rows()[0]["Stress, mL/min/g"]) == float(table_rows()[0]["Rest, mL/min/g"])
    screenshot(a_module.window, "review_reserve")
    choose(a_module.ui.modeSelector, "rest")
    assert bulls_eye(a_module).title == "Rest" and not bulls_eye(a_module).below
    choose(a_module.ui.modeSelector, "this analysis")
    assert bulls_eye(a_module).title == "Stress"


def test_the_views_show_the_rest_map_in_the_colours_of_stress_while_rest_is_shown(a_module, a_pair):
    stress, rest = a_pair
    rest.analysis.node.SetAttribute("MyoPINN.state", "rest")
    type_text(a_module.ui.highSpin, "2")
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, "rest")
    assert shown_in(rest, 1).GetName() == "Rest MBF" and rest.analysis.limits("MBF") == (0.0, 2.0)
    assert all(words.endswith(", rest") for words in a_module.panel.review.overlay.captions.values())
    screenshot(a_module.window, "review_rest")
    type_text(a_module.ui.highSpin, "3")
    assert rest.analysis.limits("MBF") == stress.analysis.limits("MBF") == (0.0, 3.0)
    choose(a_module.ui.modeSelector, "this analysis")
    assert shown_in(stress, 1).GetName() == "Stress MBF"
    assert not any("rest" in words for words in a_module.panel.review.overlay.captions.values())


@pytest.fixture
def an_unequal_pair(a_module):
    """A stress analysis of three slices with all maps that is looked at, and one by Fermi of six slices chosen as rest."""
    (stress,) = open_analysis(a_module, Heart.UPRIGHT, "Stress")
    (rest,) = open_analysis(a_module, Heart.SIX_SLICES, "Rest")
    choose(a_module.ui.analysisSelector, "Stress")
    choose(a_module.ui.restAnalysisSelector, "Rest")
    return stress, rest


def settle() -> None:
    for _ in range(3):
        QtWidgets.QApplication.processEvents()


def test_a_rest_analysis_of_other_slices_and_fewer_maps_is_shown_and_exported(a_module, an_unequal_pair, a_folder):
    stress, rest = an_unequal_pair
    choose(a_module.ui.quantitySelector, map_words(a_module, "v_e"))
    choose(a_module.ui.modeSelector, "rest")
    settle()
    overlay = a_module.panel.review.overlay
    assert all(words.endswith(", rest") and "of 6" in words for words in overlay.captions.values()) and overlay.captions
    assert a_module.ui.quantitySelector.currentText.startswith("MBF") and shown_in(rest, 0).GetName() == "Rest MBF"
    assert "Fermi" not in a_module.ui.deviationCheck.toolTip or not a_module.ui.deviationCheck.enabled
    write_pictures(a_module.panel.review, a_folder)
    names = {path.name for path in a_folder.glob("slice_*.png")}
    assert len(names) == 3 and all(name.endswith("_rest.png") for name in names)
    choose(a_module.ui.modeSelector, "this analysis")
    settle()
    assert shown_in(stress, 1).GetName() == "Stress v_e"


def test_views_that_come_back_are_on_the_slices_of_what_they_show(a_module, an_unequal_pair):
    _, rest = an_unequal_pair
    manager = slicer.app.layoutManager()
    before = manager.layout
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)
    settle()
    choose(a_module.ui.modeSelector, "rest")
    manager.setLayout(before)
    settle()
    click(a_module.ui.segmentsCheck)
    overlay = a_module.panel.review.overlay
    assert all("of 6" in words for words in overlay.captions.values()) and overlay.captions
    assert shown_in(rest, 0).GetName() == "Rest MBF"


def test_stress_and_rest_of_the_same_slices_keep_the_views_where_they_are(a_module, a_pair):
    choose(a_module.ui.restAnalysisSelector, "Rest")
    node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    node.SetFieldOfView(31.0, 31.0, 1.0)
    before = node.GetFieldOfView()[0]
    choose(a_module.ui.modeSelector, "rest")
    settle()
    assert node.GetFieldOfView()[0] == pytest.approx(before)
    assert all(words.endswith(", rest") for words in a_module.panel.review.overlay.captions.values())


def test_a_rest_analysis_gets_its_own_colours_back(a_module, a_pair):
    _, rest = a_pair
    choose(a_module.ui.analysisSelector, "Rest")
    type_text(a_module.ui.highSpin, "1.5")
    choose(a_module.ui.analysisSelector, "Stress")
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, "rest")
    assert rest.analysis.limits("MBF") == (0.0, 4.0)
    choose(a_module.ui.modeSelector, "this analysis")
    assert rest.analysis.limits("MBF") == (0.0, 1.5)


def test_a_rest_analysis_that_lost_a_node_is_shown_nowhere_and_told(a_module, a_pair):
    stress, rest = a_pair
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, "rest")
    slicer.mrmlScene.RemoveNode(rest.analysis.labels[0])
    settle()
    assert bulls_eye(a_module) is None and "Rest" in a_module.status
    assert shown_in(stress, 1).GetName() == "Stress MBF"


def test_an_analysis_is_not_its_own_rest(a_module, a_pair):
    choose(a_module.ui.restAnalysisSelector, "Stress")
    choose(a_module.ui.modeSelector, "rest")
    assert "chosen for stress and for rest" in a_module.status and bulls_eye(a_module) is None


def test_what_cannot_be_marked_says_so(a_module, a_pair):
    ui = a_module.ui
    click(ui.markVoxelsCheck)
    choose(ui.restAnalysisSelector, "Rest")
    choose(ui.modeSelector, "rest")
    for widget in (ui.cutOffSpin, ui.markCheck, ui.markVoxelsCheck):
        assert not widget.enabled and "at rest" in widget.toolTip
    choose(ui.modeSelector, "reserve (stress / rest)")
    assert ui.markCheck.enabled and ui.reserveCutOffSpin.enabled and not ui.markVoxelsCheck.enabled
    assert "reserve" in ui.cutOffSpinLabel.toolTip
    assert np.abs(on_screen(a_pair[0], a_pair[0].voxel_of(7)) - rgb(MARK)).max() > 0.2
    choose(ui.modeSelector, "this analysis")
    assert ui.markVoxelsCheck.enabled


@pytest.mark.parametrize("mode", ["rest", "reserve (stress / rest)"])
def test_the_bulls_eye_of_a_rest_analysis_that_is_removed_behind_another_module_is_empty(a_module, a_pair, mode):
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, mode)
    slicer.util.selectModule("")
    a_pair[1].analysis.remove()
    settle()
    assert bulls_eye(a_module) is None


def test_a_scene_with_rest_in_the_views_opens_with_it(a_module, a_pair, a_folder):
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, "rest")
    reopen(a_module, a_folder)
    slicer.util.selectModule("MyoPINN")
    settle()
    assert bulls_eye(a_module).title == "Rest" and a_module.panel.review.viewed.name == "Rest"


def test_the_views_go_back_to_stress_where_the_rest_analysis_is_removed(a_module, a_pair):
    stress, rest = a_pair
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, "rest")
    rest.analysis.remove()
    QtWidgets.QApplication.processEvents()
    assert shown_in(stress, 1).GetName() == "Stress MBF"


def test_a_rest_analysis_that_is_removed_behind_another_module_is_let_go(a_module, a_pair):
    stress, rest = a_pair
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, "rest")
    slicer.util.selectModule("")
    rest.analysis.remove()
    QtWidgets.QApplication.processEvents()
    assert a_module.panel.review.curves is None
    slicer.util.selectModule("MyoPINN")
    QtWidgets.QApplication.processEvents()
    assert shown_in(stress, 1).GetName() == "Stress MBF"


def test_the_reserve_has_a_cut_off_of_its_own(a_module, a_pair):
    ui = a_module.ui
    assert ui.cutOffSpin.visible and not ui.reserveCutOffSpin.visible
    choose(ui.restAnalysisSelector, "Rest")
    choose(ui.modeSelector, "reserve (stress / rest)")
    assert ui.reserveCutOffSpin.visible and not ui.cutOffSpin.visible
    type_text(ui.reserveCutOffSpin, "0.9")
    assert not bulls_eye(a_module).below and a_module.chosen.cutOff == 1.94


def test_a_rest_analysis_is_marked_nowhere_and_says_rest(a_module, a_pair):
    a_pair[0].analysis.node.SetAttribute("MyoPINN.state", "rest")
    click(a_module.ui.markVoxelsCheck)
    assert bulls_eye(a_module).title == "Stress (rest)" and not bulls_eye(a_module).below
    assert bulls_eye(a_module).cut_off is None and not any(row["Mark"] for row in table_rows())
    assert np.abs(on_screen(a_pair[0], a_pair[0].voxel_of(7)) - rgb(MARK)).max() > 0.2
    choose(a_module.ui.analysisSelector, "Rest")
    assert bulls_eye(a_module).title == "Rest" and bulls_eye(a_module).below
    a_pair[1].analysis.node.SetAttribute("MyoPINN.state", "rest")
    click(a_module.ui.markVoxelsCheck)
    assert bulls_eye(a_module).title == "Rest" and not bulls_eye(a_module).below


def test_a_reserve_of_two_methods_says_so(a_module, a_pair):
    settings = a_pair[1].analysis.settings
    choose(a_module.ui.restAnalysisSelector, "Rest")
    choose(a_module.ui.modeSelector, "reserve (stress / rest)")
    assert bulls_eye(a_module).subtitle == "MPR from the median of the voxels"
    settings["fit"]["method"] = "map"
    a_pair[1].analysis.node.SetParameter("settings", json.dumps(settings))
    click(a_module.ui.markCheck)
    assert bulls_eye(a_module).subtitle == "MPR from the median of the voxels; stress by Fermi, rest by MAP"
    screenshot(a_module.window, "review_reserve_of_two_methods")


def test_an_analysis_is_renamed_in_its_list(a_module, a_pair, monkeypatch):
    import qt

    monkeypatch.setattr(qt.QInputDialog, "getText", lambda *_: "Before the walk")
    choose(a_module.ui.analysisSelector, "Rename current ScriptedModule")
    QtWidgets.QApplication.processEvents()
    assert a_pair[0].analysis.name == "Before the walk" == bulls_eye(a_module).title


def test_a_removed_analysis_leaves_the_other_and_nothing_of_its_own(a_module, a_pair):
    click(a_module.ui.removeButton)
    (left,) = find_analyses()
    assert left.name == "Rest" == a_module.ui.analysisSelector.currentNode().GetName()
    assert not any(name.startswith("Stress MBF") for name in contents(slicer.mrmlScene).values())
    assert bulls_eye(a_module).title == "Rest"
    click(a_module.ui.removeButton)
    assert not find_analyses() and bulls_eye(a_module) is None
    assert not a_module.ui.removeButton.enabled and "no analysis yet" in a_module.ui.removeButton.toolTip
    screenshot(a_module.window, "review_all_removed")


def test_remove_asks_first(a_module, a_pair, a_desktop):
    a_desktop.answers.give(False)
    click(a_module.ui.removeButton)
    assert "cannot be undone" in a_desktop.answers.said[-1][1] and len(find_analyses()) == 2


def test_an_analysis_outlives_its_series(a_module, a_pair):
    looked = a_pair[0]
    for node in (*looked.study.volumes, *looked.study.nodes, looked.study.browser):
        slicer.mrmlScene.RemoveNode(node)
    QtWidgets.QApplication.processEvents()
    click(a_module.ui.layoutButton)
    assert np.ptp(on_screen(looked, looked.voxel_of(11))) > 0.1
    move_over(looked, looked.voxel_of(11))
    wait(lambda: "11 mid inferolateral, voxel" in a_module.ui.voxelLabel.text, 2)
    screenshot(a_module.window, "review_without_series")


def test_show_layout_comes_back_from_any_other(a_module, a_pair):
    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    choose(a_module.ui.quantitySelector, map_words(a_module, "F_p"))
    click(a_module.ui.layoutButton)
    assert manager.sliceWidget("Green").isVisible() and perfusion_view("vtkMRMLTableViewNode", TABLE).isVisible()
    assert shown_in(a_pair[0], 1).GetName() == "Stress F_p"


@pytest.mark.parametrize("section", ["reviewSection", "exportSection"])
def test_every_widget_says_what_it_is_for(a_module, section):
    kinds = (QtWidgets.QPushButton, QtWidgets.QCheckBox, QtWidgets.QComboBox, QtWidgets.QDoubleSpinBox)
    parts = [each for kind in kinds for each in getattr(a_module.ui, section).findChildren(kind)]
    named = [each for each in parts if each.objectName and not each.objectName.startswith("qt_")]
    assert len(named) > 3
    assert not [each.objectName for each in named if not each.toolTip]
