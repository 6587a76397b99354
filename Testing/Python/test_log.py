"""The engine's log: names in paths stay out of it, and it is never a reason to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from MyoPINNLib.events import Failed, Fault, Finished, Progress, Started, Warned
from MyoPINNLib.log import LOG, MAX_LOG_BYTES, EngineLog, private


def test_a_log_tells_a_run_in_lines(tmp_path):
    log = EngineLog(tmp_path)
    for event in (Started("0.1.0"), Progress("fit", 0.1), Progress("fit", 0.2), Warned("slow"), Finished(2.0)):
        log(event)
    log(Failed(Fault.INPUT, "The mask is empty.", "Draw it."))
    lines = (tmp_path / LOG).read_text().splitlines()
    assert [line[20:] for line in lines] == [
        "started: MyoPINN 0.1.0",
        "fit",
        "warning: slow",
        "finished after 2.0 s",
        "failed (input): The mask is empty. Draw it.",
    ]


def test_a_log_grown_large_begins_anew(tmp_path):
    (tmp_path / LOG).write_text("x" * MAX_LOG_BYTES)
    EngineLog(tmp_path).write("new")
    assert (tmp_path / LOG).stat().st_size < 100


def test_a_log_that_cannot_be_written_is_no_failure(tmp_path):
    (tmp_path / LOG).mkdir()
    EngineLog(tmp_path).write("x")
    EngineLog(tmp_path / "missing").write("x")
    assert not (tmp_path / "missing").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_log_that_is_a_link_is_not_written(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / LOG).symlink_to(tmp_path / "mine")
    EngineLog(tmp_path).write("x")
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    "text",
    [
        "The file '{job}/input/Doe John/IM1' is truncated.",
        "{home}/Doe John/x",
        'File "/data/Doe John/IM1", line 3',
        "C:\\scans\\Doe John\\IM1",
    ],
)
def test_names_in_paths_are_kept_out_of_logs(text):
    folder = Path.home() / "jobs" / "1"
    assert "Doe" not in private(text.format(job=folder, home=Path.home()), folder)


def test_plain_words_and_source_lines_stay_in_logs():
    text = private('File "/usr/lib/python3/MyoPINNLib/pipeline.py", line 7: flow in mL/min/mL', Path("/tmp/job"))
    assert text == 'File "pipeline.py", line 7: flow in mL/min/mL'
