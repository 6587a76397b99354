"""The panel's Input by real clicks: series chosen by name or by hand, and their time axis, shown, asked for and corrected."""

from __future__ import annotations

import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from input_cases import checked, clipboard, index_by_count, shown_times, tick, type_cell
from module_cases import add_case
from scene_cases import a_heart

from MyoPINNLib.scene import add_study, series_from_nodes
from MyoPINNLib.scene.times import LABELS, TAG, UNITS
from Testing.SlicerHarness.clicks import click, screenshot, type_text, wait

FRAMES = 36


@pytest.fixture(scope="module")
def a_heart_of_three_clocks():
    return a_heart()


@pytest.fixture
def an_own_study(a_module, a_small_heart):
    """A study with usual names, loaded while the module is open: (study, segmentation, insertion)."""
    return loaded(a_module, a_small_heart)


@pytest.fixture
def a_series_without_times(a_module, an_own_study):
    """Its series, with frame numbers in place of times."""
    (node,) = an_own_study[0].nodes
    index_by_count(node)
    a_module.panel.update()
    return node


@pytest.fixture
def a_time_table(a_module, an_own_study):
    """The window of the frame times, opened by its button."""
    click(a_module.ui.timeButton)
    return a_module.panel.images.window


def loaded(module, study, name="Stress perfusion"):
    case = add_case(study, name)
    wait(lambda: not module.panel._looking)
    return case


def test_an_own_study_with_usual_names_is_ready_without_a_click(a_module, an_own_study):
    screenshot(a_module.window, "input_own_study")
    assert checked(a_module.ui.seriesSelector) == ["Stress perfusion"]
    assert a_module.ui.computeButton.enabled and a_module.status == "Ready to compute."
    assert "36 frames over" in a_module.ui.timeLabel.text and "sequence index (s)" in a_module.ui.timeLabel.text


def test_what_was_loaded_before_the_module_is_opened_is_ready_too(a_module, a_small_heart):
    slicer.util.selectModule("")
    add_case(a_small_heart)
    slicer.util.selectModule("MyoPINN")
    assert a_module.status == "Ready to compute."


def test_what_was_chosen_by_hand_stays_when_more_comes(a_module, an_own_study, a_small_heart):
    loaded(a_module, a_small_heart, "Stress perfusion B")
    assert checked(a_module.ui.seriesSelector) == ["Stress perfusion"]
    assert a_module.chosen.segmentation is an_own_study[1]


def test_what_was_chosen_stays_when_another_scene_is_added(a_module, a_heart_of_three_clocks):
    loaded(a_module, a_heart_of_three_clocks)
    tick(a_module.ui.seriesSelector, "Stress perfusion 2")
    slicer.mrmlScene.StartState(slicer.vtkMRMLScene.ImportState)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Another")
    slicer.mrmlScene.EndState(slicer.vtkMRMLScene.ImportState)
    slicer.app.processEvents()
    chosen = ["Stress perfusion 1", "Stress perfusion 3"]
    assert [node.GetName() for node in a_module.panel.images.series] == chosen == checked(a_module.ui.seriesSelector)
    tick(a_module.ui.seriesSelector, "Stress perfusion 1")
    assert len(a_module.panel.images.series) == 1


def test_slices_with_their_own_clocks_are_chosen_together(a_module, a_heart_of_three_clocks):
    loaded(a_module, a_heart_of_three_clocks)
    assert checked(a_module.ui.seriesSelector) == [f"Stress perfusion {k}" for k in (1, 2, 3)]
    assert a_module.status == "Ready to compute."


def test_a_slice_is_left_out_and_taken_in_by_its_check_box(a_module, a_heart_of_three_clocks):
    loaded(a_module, a_heart_of_three_clocks)
    tick(a_module.ui.seriesSelector, "Stress perfusion 2")
    assert [node.GetName() for node in a_module.panel.images.series] == ["Stress perfusion 1", "Stress perfusion 3"]
    tick(a_module.ui.seriesSelector, "Stress perfusion 2")
    assert len(a_module.panel.images.series) == 3


def test_without_a_series_the_buttons_say_so(a_module, an_own_study):
    tick(a_module.ui.seriesSelector, "Stress perfusion")
    for button in (a_module.ui.timeButton, a_module.ui.levelsButton):
        assert not button.enabled and button.toolTip == "Choose a series first."
    assert not a_module.ui.computeButton.enabled and "No perfusion series" in a_module.ui.computeButton.toolTip
    assert a_module.ui.timeLabel.text == ""


def test_the_rest_series_is_told_by_its_name_and_has_a_time_axis_of_its_own(a_module, an_own_study, a_small_heart):
    add_study(a_small_heart.series, "Rest perfusion")
    wait(lambda: checked(a_module.ui.restSelector))
    screenshot(a_module.window, "input_stress_and_rest")
    assert checked(a_module.ui.restSelector) == ["Rest perfusion"]
    assert [line.split(":")[0] for line in a_module.ui.timeLabel.text.splitlines()] == ["Stress", "Rest"]
    assert [study.name for study in a_module.panel.studies()] == ["Stress", "Rest"]


def test_one_series_for_stress_and_rest_is_noticed(a_module, an_own_study):
    tick(a_module.ui.restSelector, "Stress perfusion")
    assert '"Stress perfusion" is chosen for both stress and rest' in a_module.status
    assert not a_module.ui.computeButton.enabled


def test_a_series_that_is_removed_is_no_longer_chosen(a_module, an_own_study):
    slicer.mrmlScene.RemoveNode(an_own_study[0].nodes[0])
    wait(lambda: "No perfusion series is chosen" in a_module.status)
    assert not a_module.ui.computeButton.enabled and a_module.ui.timeLabel.text == ""


def test_a_series_without_times_is_asked_about_and_nothing_is_guessed(a_module, a_series_without_times):
    screenshot(a_module.window, "input_no_times")
    assert "does not say when its 36 frames were taken" in a_module.ui.timeLabel.text
    assert not a_module.ui.computeButton.enabled and "Give the frame times in s" in a_module.status
    click(a_module.ui.timeButton)
    window = a_module.panel.images.window
    screenshot(window.dialog, "input_times_empty")
    assert set(shown_times(window)) == {""} and "without a unit" in window.words.text
    click(window.take)
    assert window.dialog.isVisible() and "cells that hold no number" in window.words.text


def test_even_times_make_a_series_without_times_ready(a_module, a_series_without_times):
    click(a_module.ui.timeButton)
    window = a_module.panel.images.window
    type_text(window.gap, "0.8")
    click(window.even)
    screenshot(window.dialog, "input_times_even")
    click(window.take)
    assert not window.open and a_module.status == "Ready to compute."
    assert "28.0 s, 0.80 to 0.80 s apart; table (as given)" in a_module.ui.timeLabel.text
    assert series_from_nodes(a_series_without_times).time[0, 2] == pytest.approx(1.6)


def test_whole_numbers_of_seconds_are_doubted_where_it_is_seen(a_module, a_series_without_times):
    a_series_without_times.SetIndexUnit("s")
    a_module.panel.update()
    assert "0 to 35: are they frame numbers?" in a_module.ui.timeLabel.text
    screenshot(a_module.window, "input_frame_numbers")
    click(a_module.ui.timeButton)
    assert "are they frame numbers?" in a_module.panel.images.window.words.text


def test_a_doubt_goes_when_the_user_takes_the_times(a_module, a_series_without_times):
    a_series_without_times.SetIndexUnit("s")
    click(a_module.ui.timeButton)
    click(a_module.panel.images.window.take)
    assert "35.0 s, 1.00 to 1.00 s apart; table (as given)" in a_module.ui.timeLabel.text


def test_times_that_are_looked_at_alone_stay_those_of_the_series(a_module, a_time_table, an_own_study, a_small_heart):
    click(a_time_table.take)
    assert "sequence index (s)" in a_module.ui.timeLabel.text
    assert (series_from_nodes(an_own_study[0].nodes[0]).time == a_small_heart.series.time).all()


def test_labels_of_a_multi_volume_are_the_times(a_module, a_series_without_times):
    labels = ",".join(str(700 * frame) for frame in range(FRAMES))
    for name, value in ((LABELS, labels), (TAG, "TriggerTime"), (UNITS, "ms")):
        a_series_without_times.SetAttribute(name, value)
    a_module.panel.update()
    assert "0.70 to 0.70 s apart; MultiVolume frame labels (TriggerTime)" in a_module.ui.timeLabel.text
    assert a_module.status == "Ready to compute."


def test_a_time_is_corrected_in_its_cell(a_module, a_time_table):
    type_cell(a_time_table.table, 0, 0, "-1,5")
    screenshot(a_time_table.dialog, "input_times_typed")
    click(a_time_table.take)
    assert a_module.status == "Ready to compute." and "table (as given)" in a_module.ui.timeLabel.text
    assert a_module.panel.images.series[0].GetAttribute("MyoPINN.given_times_s").startswith("-1.5 ")


@pytest.mark.parametrize("text", ["", "soon", "nan", "99"])
def test_a_cell_that_is_no_time_is_refused_and_the_window_stays(a_module, a_time_table, text):
    type_cell(a_time_table.table, 3, 0, text)
    click(a_time_table.take)
    assert a_time_table.dialog.isVisible() and len(a_time_table.words.text) > 20
    click(a_time_table.leave)
    assert not a_time_table.open and "sequence index (s)" in a_module.ui.timeLabel.text


@pytest.mark.parametrize("written", ["{:.1f}\n", "{:.1f}; ", "{:.1f}, ", "{:.1f}\r\n"])
def test_times_are_pasted_as_programs_write_them(a_time_table, written):
    clipboard("".join(written.format(0.7 * frame) for frame in range(FRAMES)))
    click(a_time_table.paste)
    assert shown_times(a_time_table)[:3] == ["0.0000", "0.7000", "1.4000"]


def test_a_decimal_comma_is_no_separator(a_time_table):
    clipboard("\n".join(f"{0.7 * frame:.1f}" for frame in range(FRAMES)).replace(".", ","))
    click(a_time_table.paste)
    assert shown_times(a_time_table)[-1] == "24.5000"


@pytest.mark.parametrize(
    ("text", "said"), [("one two", "no list of numbers"), ("", "no list of numbers"), ("1 2 3", "3 numbers")]
)
def test_a_clipboard_without_a_time_for_each_frame_changes_nothing(a_time_table, text, said):
    before = shown_times(a_time_table)
    clipboard(text)
    click(a_time_table.paste)
    assert said in a_time_table.words.text and shown_times(a_time_table) == before


def test_the_series_word_comes_back_only_when_it_is_taken(a_module, a_time_table):
    click(a_time_table.even)
    click(a_time_table.take)
    for button, source in (("leave", "table (as given)"), ("take", "sequence index (s)")):
        click(a_module.ui.timeButton)
        window = a_module.panel.images.window
        click(window.own)
        assert "sequence index (s)" in window.words.text
        click(getattr(window, button))
        assert source in a_module.ui.timeLabel.text


def test_given_times_of_a_series_that_tells_none_are_forgotten(a_module, a_series_without_times):
    for button in ("even", "own"):
        click(a_module.ui.timeButton)
        window = a_module.panel.images.window
        click(getattr(window, button))
        click(window.take)
    assert "does not say when its 36 frames were taken" in a_module.status


def test_each_slice_has_a_column_of_the_table(a_module, a_heart_of_three_clocks):
    loaded(a_module, a_heart_of_three_clocks)
    click(a_module.ui.timeButton)
    window = a_module.panel.images.window
    screenshot(window.dialog, "input_times_three")
    assert window.table.columnCount == 3 and shown_times(window, 0)[5] != shown_times(window, 1)[5]
