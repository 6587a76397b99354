"""Compute, Cancel and the queue, by real clicks and a real engine: what a person sees, and what is left behind."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets", "PySide6.QtTest"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from module_cases import QUICK, add_case, begin, engines
from scene_cases import contents

from MyoPINNLib.scene import find_analyses
from Testing.SlicerHarness.clicks import choose, click, screenshot, wait

SLOW = "NLLS: exact model, each voxel alone"


@pytest.fixture
def a_patient_at_rest_too(a_patient, a_small_heart):
    """A stress and a rest study, both chosen by their usual names."""
    add_case(a_small_heart, "Rest perfusion")
    a_patient.widget.enter()
    return a_patient


@pytest.fixture
def job_folders():
    """The folders of jobs that came since."""

    def there() -> set[Path]:
        return set(Path(tempfile.gettempdir()).glob("myopinn-*/job.json"))

    before = there()
    return lambda: there() - before


def test_a_ready_study_is_computed_and_the_button_says_what_it_does(a_patient):
    assert a_patient.status == "Ready to compute."
    assert a_patient.ui.computeButton.toolTip == "Computes the maps and shows them with the bull's-eye."
    assert a_patient.ui.cancelButton.toolTip == "Nothing is being computed."
    a_patient.compute()
    assert len(find_analyses()) == 1 and "voxels are reliable" in a_patient.status
    assert not engines()


def test_stage_percent_and_time_left_can_be_read_while_it_runs(a_patient):
    seen = set()
    click(a_patient.ui.computeButton)
    wait(lambda: seen.add((a_patient.status, a_patient.ui.progressBar.value)) or not a_patient.busy)
    words, shares = {status for status, _ in seen}, {value for _, value in seen}
    assert any(status.startswith("Stress · ") for status in words) and len(shares) > 3
    assert max(map(len, words)) < 250


def test_the_same_study_cannot_be_computed_twice_at_once(a_patient):
    begin(a_patient)
    assert not a_patient.ui.computeButton.enabled
    assert a_patient.ui.computeButton.toolTip == "This study is being computed."
    a_patient.finish()
    assert a_patient.ui.computeButton.enabled and len(find_analyses()) == 1


def test_a_cancel_ends_the_engine_at_once_and_leaves_the_scene_as_it_was(a_patient, job_folders):
    before = contents(slicer.mrmlScene)
    a_patient.choose_method(SLOW)
    begin(a_patient)
    wait(lambda: " s left" in a_patient.status)
    screenshot(a_patient.window, "compute_1_running")
    asked = time.monotonic()
    click(a_patient.ui.cancelButton)
    assert "Cancelling" in a_patient.status and not a_patient.ui.cancelButton.enabled
    a_patient.finish()
    assert time.monotonic() - asked < 3 and not engines()
    assert a_patient.status == "Cancelled: the scene is as it was." and contents(slicer.mrmlScene) == before
    wait(lambda: not job_folders())
    screenshot(a_patient.window, "compute_2_cancelled")


def test_an_engine_that_is_shot_is_one_sentence_and_a_log(a_patient, job_folders):
    before = contents(slicer.mrmlScene)
    a_patient.choose_method(SLOW)
    begin(a_patient)
    os.kill(engines()[0], signal.SIGKILL)
    a_patient.finish()
    assert a_patient.status.startswith(
        "Stress: The engine stopped without a result (ended by SIGKILL, often a lack of memory)."
    )
    assert a_patient.status.endswith("Press Log to read what is known.") and contents(slicer.mrmlScene) == before
    click(a_patient.ui.logButton)
    window = a_patient.panel.compute.window
    assert "no result, exit code -9" in window.text.toPlainText()
    screenshot(window.dialog, "compute_3_log")
    click(window.close)
    wait(lambda: not job_folders())


def test_stress_and_rest_run_one_after_the_other_and_stand_beside_each_other(a_patient_at_rest_too):
    module, seen = a_patient_at_rest_too, set()
    click(module.ui.computeButton)
    wait(lambda: seen.add((module.panel.tasks.title, len(engines()))) or not module.busy)
    assert {("Stress (1 waiting)", 1), ("Rest", 1)} <= seen and max(count for _, count in seen) == 1
    assert [each.name for each in find_analyses()] == ["Stress", "Rest"]
    assert (module.chosen.analysis.GetName(), module.chosen.restAnalysis.GetName()) == ("Stress", "Rest")
    choose(module.ui.modeSelector, "reserve (stress / rest)")
    screenshot(module.window, "compute_4_stress_and_rest")


def test_what_waits_goes_with_a_cancel(a_patient_at_rest_too):
    begin(a_patient_at_rest_too)
    click(a_patient_at_rest_too.ui.cancelButton)
    a_patient_at_rest_too.finish()
    assert find_analyses() == [] and a_patient_at_rest_too.status == "Cancelled: the scene is as it was."


def test_other_settings_give_a_second_analysis_beside_the_first(a_patient):
    a_patient.compute()
    choose(a_patient.ui.modelSelector, "17")
    a_patient.compute()
    first, second = find_analyses()
    assert (first.settings["aha"]["segments"], second.settings["aha"]["segments"]) == (16, 17)
    assert a_patient.chosen.analysis is second.node and first.there
    assert first.name != second.name


def test_a_series_that_is_removed_meanwhile_does_not_disturb_its_analysis(a_patient):
    begin(a_patient)
    slicer.mrmlScene.RemoveNode(a_patient.panel.images.series[0])
    a_patient.finish()
    assert len(find_analyses()) == 1 and "voxels are reliable" in a_patient.status
    assert "No perfusion series is chosen" in a_patient.ui.computeButton.toolTip


def test_a_segmentation_that_is_removed_meanwhile_does_not_disturb_its_analysis(a_patient):
    begin(a_patient)
    slicer.mrmlScene.RemoveNode(a_patient.chosen.segmentation)
    a_patient.finish()
    assert len(find_analyses()) == 1 and "No segmentation is chosen" in a_patient.ui.computeButton.toolTip


def test_a_small_heart_that_waits_and_loses_its_series_says_so(a_patient_at_rest_too):
    begin(a_patient_at_rest_too)
    slicer.mrmlScene.RemoveNode(a_patient_at_rest_too.panel.images.rest[0])
    a_patient_at_rest_too.finish()
    assert len(find_analyses()) == 1
    assert 'Rest: The perfusion series "Rest perfusion" is no longer in the scene.' in a_patient_at_rest_too.status


def test_a_job_folder_that_cannot_be_written_is_one_sentence(a_patient, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    before = contents(slicer.mrmlScene)
    a_patient.compute()
    assert "could not be written" in a_patient.status and contents(slicer.mrmlScene) == before
    assert a_patient.ui.statusLabel.toolTip == a_patient.status


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits can be set on Linux alone")
def test_a_disk_that_is_full_is_one_sentence(a_patient, job_folders):
    import resource

    before = contents(slicer.mrmlScene)
    begin(a_patient)
    resource.prlimit(engines()[0], resource.RLIMIT_FSIZE, (512, 512))  # no file of the result fits
    a_patient.finish()
    assert "could not be written" in a_patient.status and contents(slicer.mrmlScene) == before
    assert "Traceback" not in a_patient.status
    wait(lambda: not job_folders())


def test_a_series_without_a_bolus_is_refused_by_the_engine_in_its_own_words(a_module, a_small_heart):
    add_case(
        replace(
            a_small_heart, series=replace(a_small_heart.series, signal=np.full_like(a_small_heart.series.signal, 100.0))
        )
    )
    a_module.widget.enter()
    a_module.compute(QUICK)
    assert "no bolus" in a_module.status and find_analyses() == []
    screenshot(a_module.window, "compute_5_no_bolus")
