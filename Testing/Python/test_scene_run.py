"""Runs of the engine on what the scene holds: watched, cancelled, refused, cut off; nothing is left behind."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "vtk"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from scene_cases import FERMI, a_heart, contents

from MyoPINNLib.engine import State
from MyoPINNLib.errors import Cancelled, EngineError, InputError
from MyoPINNLib.events import Progress
from MyoPINNLib.scene import (
    add_insertion,
    add_segmentation,
    add_series,
    find_analyses,
    quantify,
    resume,
)


@pytest.fixture(scope="module")
def a_study():
    return a_heart(oblique=True)


def test_a_run_can_be_watched_and_goes_on_by_itself(a_study, a_scene):
    series, heart = add_series(a_study.series, "Stress"), add_segmentation(a_study.masks, "Heart")
    run = quantify(series, heart, settings=FERMI, wait=False)
    with pytest.raises(InputError, match="not done"):
        _ = run.maps
    slicer.mrmlScene.RemoveNode(series[0])  # the job has all it needs
    seen = []
    while not run.done:
        seen += run.poll()
        time.sleep(0.02)
    assert run.state is State.DONE and any(isinstance(event, Progress) for event in seen)
    assert run.maps["MBF"].shape == (3, 64, 64) and len(run.segments["segment"]) == 16
    assert not run.job.exists()
    run.remove()
    assert find_analyses() == []


def test_a_cancelled_run_leaves_the_scene_as_it_was(a_study, a_scene):
    series, heart = add_series(a_study.series, "Stress"), add_segmentation(a_study.masks, "Heart")
    before = contents(a_scene)
    run = quantify(series, heart, wait=False)
    run.cancel()
    asked = time.monotonic()
    while not run.done:
        run.poll()
        time.sleep(0.02)
    assert run.state is State.CANCELLED and time.monotonic() - asked < 3
    assert contents(a_scene) == before and not run.job.exists()
    with pytest.raises(Cancelled):
        run.check()


def test_a_training_that_was_cut_short_goes_on_from_where_it_was(a_study, a_scene, tmp_path):
    series, heart = add_series(a_study.series, "Stress"), add_segmentation(a_study.masks, "Heart")
    cut = quantify(series, heart, settings=FERMI, wait=False, keep_job=tmp_path / "job")
    cut.cancel()
    while not cut.done:
        cut.poll()
        time.sleep(0.02)
    assert cut.state is State.CANCELLED and (tmp_path / "job" / "job.json").exists()
    run = resume(tmp_path / "job", name="Again", series=series, segmentation=heart).wait()
    assert run.analysis.name == "Again" and run.maps["MBF"].shape == (3, 64, 64)


def test_a_folder_without_a_job_cannot_go_on(a_scene, tmp_path):
    with pytest.raises(InputError, match="job"):
        resume(tmp_path)


def test_a_scene_that_closes_ends_its_run(a_study, a_scene):
    run = quantify(add_series(a_study.series, "Stress"), add_segmentation(a_study.masks, "Heart"), wait=False)
    a_scene.Clear(False)
    assert run.state is State.CANCELLED and run.poll() == []
    assert find_analyses() == []
    deadline = time.monotonic() + 5
    while run.job.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not run.job.exists()


def test_what_the_engine_refuses_is_raised_as_it_says(a_study, a_scene):
    from dataclasses import replace

    flat = replace(a_study.series, signal=np.full_like(a_study.series.signal, 100.0))
    before_run = add_series(flat, "Stress"), add_segmentation(a_study.masks, "Heart")
    before = contents(a_scene)
    with pytest.raises(InputError, match="no bolus"):
        quantify(*before_run)
    assert contents(a_scene) == before


def test_an_engine_that_cannot_start_is_one_sentence(a_study, a_scene):
    with pytest.raises(EngineError, match="could not be started"):
        quantify(add_series(a_study.series, "S"), add_segmentation(a_study.masks, "H"), python="/nowhere/python")


def test_segments_without_usual_names_are_asked_for(a_study, a_scene):
    heart = add_segmentation(a_study.masks, "Heart")
    for n in range(3):
        heart.GetSegmentation().GetNthSegment(n).SetName(f"Segment_{n}")
    with pytest.raises(InputError, match="No segment of the segmentation is called after the myocardium"):
        quantify(add_series(a_study.series, "Stress"), heart)


def test_a_job_folder_that_cannot_be_written_is_one_sentence(a_study, a_scene, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="could not be written"):
        quantify(
            add_series(a_study.series, "S"), add_segmentation(a_study.masks, "H"), keep_job=tmp_path / "file" / "job"
        )


def test_a_defect_while_writing_ends_the_run_with_a_sentence(a_study, a_scene, monkeypatch):
    from MyoPINNLib.scene import study

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(study, "write_job", broken)
    with pytest.raises(EngineError, match=r"a defect of its own \(ZeroDivisionError\)"):
        quantify(add_series(a_study.series, "S"), add_segmentation(a_study.masks, "H"))


def test_the_recipes_of_the_documentation_run(a_study, a_scene, tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    recipes = re.findall(r"```python\n(.*?)```", text.split("five recipes")[1], flags=re.DOTALL)
    assert len(recipes) == 5
    monkeypatch.chdir(tmp_path)
    names = {
        "stress": add_series(a_study.series, "Stress perfusion"),
        "heart": add_segmentation(a_study.masks, "Heart"),
    }
    names["point"] = add_insertion(a_study.insertion, "RV insertion")
    for recipe in recipes:
        exec(compile(recipe, "README.md", "exec"), names)
    assert len(names["table"]) == 2


def test_settings_and_segmentation_of_the_wrong_kind_are_told(a_study, a_scene):
    series, heart = add_series(a_study.series, "Stress"), add_segmentation(a_study.masks, "Heart")
    with pytest.raises(InputError, match=r"given as dict\. Give Settings\(\.\.\.\), or settings_from_json"):
        quantify(series, heart, settings={"hct": 0.4})
    with pytest.raises(InputError, match="is no segmentation"):
        quantify(series, series[0])
