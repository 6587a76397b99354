"""A whole study by a network: its outputs, the real engine killed and taken up again, the next study started from it."""

from __future__ import annotations

import csv
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from MyoPINNLib import cli
from MyoPINNLib.engine import EngineRun, State
from MyoPINNLib.events import Progress
from MyoPINNLib.files.weights import read_weights
from MyoPINNLib.job import Job
from MyoPINNLib.network_settings import NetworkSettings
from MyoPINNLib.settings import FitSettings, Method, Settings

pytest.importorskip("tensorflow", reason="the networks need TensorFlow")

STEPS = 60


@pytest.fixture(scope="module")
def a_result(a_study, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("result") / "combined"
    command = ["quantify", str(a_study / "dicom"), "--masks", str(a_study / "masks.nrrd"), "-o", str(folder), "--quiet"]
    network = ["--method", "combined", "--start", "nlls", "--steps", str(STEPS), "--history-every", "20"]
    assert cli.main([*command, *network, "--insertion", str(a_study / "insertion.mrk.json")]) == 0
    return folder


def make_job(study: Path, folder: Path, *, start_from: Path | None = None, steps: int = STEPS) -> Job:
    """The study as a job of a network of one thread (which gives equal bits)."""
    shutil.copytree(study / "dicom", folder / "input" / "dicom")
    for path in (study / "masks.nrrd", study / "insertion.mrk.json", *([start_from] if start_from else [])):
        shutil.copy(path, folder / "input" / path.name)
    network = NetworkSettings(steps=steps, threads=1, history_every=20)
    settings = Settings(fit=FitSettings(method=Method.COMBINED, network=network))
    start = f"input/{start_from.name}" if start_from else None
    job = Job(folder, ("input/dicom",), ("input/masks.nrrd",), "input/insertion.mrk.json", settings, start)
    job.write()
    return job


def follow(run: EngineRun, until=lambda event: False) -> None:
    """Start a run and poll it until it ends or ``until`` an event says so."""
    end = time.monotonic() + 120
    run.start()
    while not run.state.ended:
        assert time.monotonic() < end, run.state
        if any(until(event) for event in run.poll()):
            return
        time.sleep(0.01)


def maps(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "output").glob("*.nrrd"))}


def test_a_network_leaves_what_every_method_leaves_and_its_training(a_result):
    names = {path.name for path in a_result.iterdir()}
    assert {"MBF.nrrd", "PS.nrrd", "aha.csv", "bullseye.png", "maps.png", "curves.png"} <= names
    assert {"training.png", "training.csv", "weights.npz"} <= names


def test_the_number_of_steps_and_where_they_began_stand_in_every_output(a_result):
    words = f"PINN combined, {STEPS} steps from NLLS, no delay"
    result = json.loads((a_result / "result.json").read_text())
    assert result["method"].startswith(words) and result["training"]["steps"] == STEPS
    assert "CPU" in result["training"]["device"] or "GPU" in result["training"]["device"]
    assert words.encode() in (a_result / "MBF.nrrd").read_bytes()[:4000]
    assert read_weights(a_result / "weights.npz").steps == STEPS


def test_the_table_of_the_training_has_a_row_for_each_slice_and_stop(a_result):
    with (a_result / "training.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["slice"], row["step"]) for row in rows] == [(n, s) for n in "123" for s in ("1", "20", "40", "60")]
    assert {"data", "residual", "initial", "positive", "total", "F_p_mL_min_mL", "v_p", "v_e", "PS_mL_min_mL"} < set(
        rows[0]
    )
    assert all(0.1 < float(row["F_p_mL_min_mL"]) < 5 for row in rows)


def test_mean_curves_and_voxels_come_from_one_training(a_result):
    with (a_result / "aha.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    both = np.array([[float(row["MBF_mL_min_g_mean_curve"]), float(row["MBF_mL_min_g_median"])] for row in rows])
    assert len(both) == 16 and np.abs(both[:, 0] / both[:, 1] - 1).max() < 0.3


def test_a_training_that_was_killed_is_taken_up_again_with_equal_bits(a_study, tmp_path):
    whole, killed = (make_job(a_study, tmp_path / name) for name in ("whole", "killed"))
    follow(run := EngineRun(whole.folder))
    assert run.state is State.DONE, run.failure or list(run.text)
    in_slice_two = lambda event: isinstance(event, Progress) and "slice 2" in event.detail and event.losses  # noqa: E731
    follow(run := EngineRun(killed.folder), until=in_slice_two)
    run.kill()
    assert list((killed.folder / "checkpoint").glob("*.npz"))
    follow(run := EngineRun(killed.folder))
    assert run.state is State.DONE, run.failure or list(run.text)
    assert maps(killed.folder) == maps(whole.folder)
    assert "another stage" not in (killed.folder / "engine.log").read_text()


def test_a_cancelled_training_ends_within_2_s(a_study, tmp_path):
    job = make_job(a_study, tmp_path / "job", steps=10**6)
    run = EngineRun(job.folder)
    follow(run, until=lambda event: isinstance(event, Progress) and bool(event.losses))
    begun = time.monotonic()
    run.cancel()
    while not run.state.ended:
        assert time.monotonic() - begun < 2.0
        run.poll()
        time.sleep(0.01)
    assert run.state is State.CANCELLED and not (job.folder / "output").exists()


def test_a_job_starts_from_the_weights_of_an_earlier_study(a_study, a_result, tmp_path):
    job = make_job(a_study, tmp_path / "job", start_from=a_result / "weights.npz")
    follow(run := EngineRun(job.folder))
    assert run.state is State.DONE, run.failure or list(run.text)
    result = json.loads((job.folder / "result.json").read_text())
    assert result["training"]["start"] == f"a network of {STEPS} steps"


def test_weights_that_are_none_end_a_job_with_exit_code_2(a_study, tmp_path):
    (tmp_path / "weights.npz").write_text("nothing")
    job = make_job(a_study, tmp_path / "job", start_from=tmp_path / "weights.npz")
    follow(run := EngineRun(job.folder))
    assert run.state is State.FAILED and run.failure.kind.exit_code == 2 and "weights.npz" in run.failure.text
