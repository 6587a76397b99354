"""Jobs come from anyone: nothing in one leads out of its folder, and a checkpoint is used only where it fits."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.job import Checkpoint, Job
from MyoPINNLib.settings import FitSettings, Method, Settings


@pytest.fixture
def a_job(tmp_path) -> Job:
    (tmp_path / "job" / "input").mkdir(parents=True)
    for name in ("series.nrrd", "masks.nrrd"):
        (tmp_path / "job" / "input" / name).write_text("x")
    job = Job(
        tmp_path / "job", ("input/series.nrrd",), ("input/masks.nrrd",), None, Settings(fit=FitSettings(Method.FERMI))
    )
    job.write()
    return job


@pytest.fixture
def a_checkpoint(tmp_path) -> Checkpoint:
    return Checkpoint(tmp_path / "checkpoint", "digest")


def rewrite(job: Job, **changes) -> None:
    values = json.loads((job.folder / "job.json").read_text()) | changes
    (job.folder / "job.json").write_text(json.dumps({key: value for key, value in values.items() if value != "gone"}))


def test_a_job_survives_its_file(a_job):
    assert Job.read(a_job.folder) == a_job
    assert [path.name for path in a_job.series_paths] == ["series.nrrd"]


@pytest.mark.parametrize(
    "outside",
    [
        "../secret.nrrd",
        "input/../../secret.nrrd",
        "/etc/passwd",
        "C:\\secret.nrrd",
        "..\\secret.nrrd",
        "\\\\server\\share",
        "input/a\0b",
    ],
)
@pytest.mark.parametrize("key", ["series", "masks", "insertion"])
def test_a_path_outside_the_folder_is_refused(a_job, key, outside):
    rewrite(a_job, **{key: outside if key == "insertion" else [outside]})
    with pytest.raises(InputError, match="outside its folder"):
        Job.read(a_job.folder)


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
@pytest.mark.parametrize("inside_a_folder", [False, True])
def test_a_link_that_leads_out_is_refused(a_job, tmp_path, inside_a_folder):
    (tmp_path / "secret.nrrd").write_text("x")
    (a_job.folder / "input" / "link.nrrd").symlink_to(tmp_path / "secret.nrrd")
    rewrite(a_job, series=["input"] if inside_a_folder else ["input/link.nrrd"])
    with pytest.raises(InputError, match="outside its folder by a link"):
        Job.read(a_job.folder)


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
@pytest.mark.parametrize("place", ["output", "engine.log", "checkpoint", "result.json"])
def test_a_place_to_write_that_is_a_link_is_refused(a_job, tmp_path, place):
    (a_job.folder / place).symlink_to(tmp_path)
    with pytest.raises(InputError, match="is a link"):
        Job.read(a_job.folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 2}, "schema 2 and this MyoPINN reads 1"),
        ({"schema": "1"}, "no schema number"),
        ({"schema": "gone"}, "no schema number"),
        ({"series": "input/series.nrrd"}, "list of relative paths"),
        ({"series": []}, "names no series"),
        ({"masks": [3]}, "must be a relative path"),
        ({"masks": ["input/missing.nrrd"]}, "is not there"),
        ({"settings": {"fit": {"method": "magic"}}}, "Choose one of: nlls, fermi"),
        ({"settings": 3}, "must be an object"),
        ({"run": "rm"}, "is not known"),
    ],
)
def test_a_job_with_a_fault_is_refused(a_job, changes, words):
    rewrite(a_job, **changes)
    with pytest.raises(InputError, match=words):
        Job.read(a_job.folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, " " * 1_000_001, "\ud800"])
def test_a_job_file_that_is_no_small_json_object_is_refused(a_job, text):
    (a_job.folder / "job.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=r"job\.json"):
        Job.read(a_job.folder)


def test_a_folder_without_a_job_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no job\.json"):
        Job.read(tmp_path)


def test_a_checkpoint_gives_back_what_it_was_given(a_checkpoint):
    a_checkpoint.part("voxels").save("nlls-0", {"F_p": np.arange(3.0), "outcome": np.array([0, 1, 2])})
    arrays = a_checkpoint.part("voxels").load("nlls-0")
    np.testing.assert_array_equal(arrays["F_p"], [0.0, 1.0, 2.0])
    assert a_checkpoint.part("segments").load("nlls-0") is None


def test_a_checkpoint_of_other_inputs_is_not_used(a_checkpoint):
    a_checkpoint.save("nlls-0", {"F_p": np.arange(3.0)})
    assert Checkpoint(a_checkpoint.folder, "another digest").load("nlls-0") is None


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_a_truncated_checkpoint_counts_as_absent(a_checkpoint, keep):
    a_checkpoint.save("nlls-0", {"F_p": np.arange(100.0)})
    (file,) = a_checkpoint.folder.iterdir()
    file.write_bytes(file.read_bytes()[:keep])
    assert a_checkpoint.load("nlls-0") is None


def test_a_checkpoint_with_a_pickle_is_not_opened(a_checkpoint):
    a_checkpoint.save("nlls-0", {"F_p": np.arange(3.0)})
    (file,) = a_checkpoint.folder.iterdir()
    np.savez(file, F_p=np.array([{"a": 1}], dtype=object))
    assert a_checkpoint.load("nlls-0") is None


def test_a_checkpoint_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="could not be written"):
        Checkpoint(tmp_path / "file", "digest").save("nlls-0", {"F_p": np.arange(3.0)})
