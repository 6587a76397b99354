"""Load DICOM folder by real clicks: one sequence a slice, several acquisitions, frames that are only counted, no images."""

from __future__ import annotations

import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from dicom_files import study, without
from input_cases import checked, rows_of
from module_cases import QUICK
from scene_cases import contents

from MyoPINNLib.scene import series_from_nodes
from Testing.SlicerHarness.clicks import choose, click, screenshot, type_text

COUNTED = ("AcquisitionTime",)


@pytest.fixture
def a_folder(a_study):
    return a_study / "dicom"


@pytest.fixture
def a_folder_of_two(tmp_path):
    """A stress and a rest acquisition."""
    study(tmp_path, uid="a", slices=1, change=without(SeriesDescription="stress perf"))
    study(tmp_path, uid="b", slices=1, series=22, frames=9, change=without(SeriesDescription="perf rest"))
    return tmp_path


@pytest.fixture
def a_counted_folder(tmp_path):
    """Frames that are numbered and carry no time."""

    def number(data, t, k):
        del data.AcquisitionTime
        data.TemporalPositionIdentifier = t + 1

    return study(tmp_path, slices=1, change=number)


def load(module, folder) -> None:
    """Press the button, choose the folder, wait."""
    slicer.app.answers.give(str(folder))
    click(module.ui.dicomButton)
    module.finish()


def test_a_folder_becomes_one_sequence_a_slice_which_is_chosen(a_module, a_folder):
    load(a_module, a_folder)
    screenshot(a_module.window, "dicom_loaded")
    assert checked(a_module.ui.seriesSelector) == [f"Perfusion {level}" for level in ("apical", "mid", "basal")]
    assert "sequence index (s)" in a_module.ui.timeLabel.text
    assert a_module.status.startswith("The series is loaded. Draw LV blood pool and myocardium on it")


def test_a_folder_that_is_not_named_loads_nothing(a_module):
    before = contents(slicer.mrmlScene)
    load(a_module, "")
    assert contents(slicer.mrmlScene) == before and "No perfusion series" in a_module.status


def test_a_folder_without_images_is_told_and_changes_nothing(a_module, tmp_path):
    before = contents(slicer.mrmlScene)
    load(a_module, tmp_path)
    screenshot(a_module.window, "dicom_nothing")
    assert "no DICOM images" in a_module.status and a_module.ui.statusLabel.toolTip == a_module.status
    assert contents(slicer.mrmlScene) == before


def test_of_two_acquisitions_stress_and_rest_are_proposed_and_loaded(a_module, a_folder_of_two):
    load(a_module, a_folder_of_two)
    window = a_module.panel.question
    screenshot(window.dialog, "dicom_which")
    assert rows_of(window.stress)[1:] == [
        "series 11 (stress, 1 slice of 8 frames, 8 x 6)",
        "series 22 (rest, 1 slice of 9 frames, 8 x 6)",
    ]
    click(window.take)
    a_module.finish()
    assert checked(a_module.ui.seriesSelector) == ["Stress perfusion"]
    assert checked(a_module.ui.restSelector) == ["Rest perfusion"]


def test_of_two_acquisitions_one_is_loaded_alone(a_module, a_folder_of_two):
    load(a_module, a_folder_of_two)
    window = a_module.panel.question
    choose(window.rest, "none")
    click(window.take)
    a_module.finish()
    assert checked(a_module.ui.seriesSelector) == ["Stress perfusion"] and not checked(a_module.ui.restSelector)


@pytest.mark.parametrize(("rest", "said"), [(0, "Nothing is chosen"), (1, "the same acquisition")])
def test_a_choice_that_says_nothing_is_refused(a_module, a_folder_of_two, rest, said):
    load(a_module, a_folder_of_two)
    window = a_module.panel.question
    for choice in (window.stress, window.rest):
        choose(choice, rows_of(choice)[rest])
    click(window.take)
    assert window.dialog.isVisible() and said in window.words.text


@pytest.mark.parametrize("folder", ["a_folder_of_two", "a_counted_folder"])
def test_a_question_that_is_cancelled_loads_nothing(a_module, folder, request):
    before = contents(slicer.mrmlScene)
    load(a_module, request.getfixturevalue(folder))
    click(a_module.panel.question.leave)
    assert a_module.status == "Cancelled: nothing was loaded." and contents(slicer.mrmlScene) == before


def test_frames_that_are_only_counted_are_asked_their_distance(a_module, a_counted_folder):
    load(a_module, a_counted_folder)
    window = a_module.panel.question
    screenshot(window.dialog, "dicom_interval")
    assert "counts them without saying how far apart they are" in window.words.text
    assert not window.take.enabled and window.take.toolTip == "Give the time first, s."
    type_text(window.gap, "0.85")
    a_module.finish()
    (node,) = a_module.panel.images.series
    assert series_from_nodes(node).time[0, 1] == pytest.approx(0.85)


def test_a_rest_study_that_comes_later_stands_beside_the_stress_study(a_module, a_folder, tmp_path):
    load(a_module, a_folder)
    load(a_module, study(tmp_path, slices=1, change=without(SeriesDescription="perf rest")))
    assert len(checked(a_module.ui.seriesSelector)) == 3
    assert checked(a_module.ui.restSelector) == ["Rest perfusion"]


def test_loading_can_be_cancelled(a_module, a_folder):
    slicer.app.answers.give(str(a_folder))
    before = contents(slicer.mrmlScene)
    click(a_module.ui.dicomButton)
    click(a_module.ui.cancelButton)
    a_module.finish()
    assert contents(slicer.mrmlScene) == before


def test_the_next_patient_inherits_nothing_of_the_one_before(a_module, a_folder):
    a_module.load_sample()
    a_module.compute(QUICK)
    click(a_module.ui.inputSection)
    heart, point = a_module.chosen.segmentation, a_module.chosen.insertion
    assert heart is not None and point is not None and a_module.chosen.analysis is not None
    load(a_module, a_folder)
    chosen = a_module.chosen
    assert chosen.segmentation is None and chosen.insertion is None and chosen.analysis is None
    assert not a_module.ui.computeButton.enabled and heart.GetScene() is not None
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "something else")
    a_module.finish()
    assert chosen.segmentation is None
