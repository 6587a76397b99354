"""How the engine's own process ends: by a cancel, by its stdin, by a fault, and what it says of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from MyoPINNLib.errors import Cancelled, EngineError, FitError, InputError
from MyoPINNLib.events import Failed, Fault, Finished, Progress, Warned
from MyoPINNLib.worker import Cancelling, _publish, failure, work


class Exit:
    """Stands in for ``os._exit``: notes the code."""

    def __init__(self) -> None:
        self.code, self.called = None, threading.Event()

    def __call__(self, code: int) -> None:
        self.code = code
        self.called.set()


def test_a_cancel_file_stops_a_run_at_its_next_report(tmp_path):
    heard = []
    with Cancelling(tmp_path / "cancel", heard.append, watch_stdin=False) as cancelling:
        report = cancelling.guard(heard.append)
        report(Warned("on"))
        (tmp_path / "cancel").touch()
        with pytest.raises(Cancelled):
            report(Warned("too late"))
    assert heard == [Warned("on")]
    assert not (tmp_path / "cancel").exists()


def test_a_run_too_deep_in_thought_is_left(tmp_path):
    heard, leave = [], Exit()
    with Cancelling(tmp_path / "cancel", heard.append, watch_stdin=False, leave=leave):
        before = time.monotonic()
        (tmp_path / "cancel").touch()
        assert leave.called.wait(3)
        assert time.monotonic() - before < 1.5
    assert leave.code == 130
    assert heard == [Failed(Fault.CANCELLED, "The run was cancelled.", "Nothing was changed.")]


def test_a_run_that_ends_in_time_is_not_left(tmp_path):
    leave = Exit()
    with Cancelling(tmp_path / "cancel", lambda event: None, watch_stdin=False, leave=leave):
        (tmp_path / "cancel").touch()
    assert not leave.called.wait(1.2)


def test_a_cancel_of_an_earlier_run_does_not_stop_this_one(tmp_path):
    (tmp_path / "cancel").touch()
    with Cancelling(tmp_path / "cancel", lambda event: None, watch_stdin=False) as cancelling:
        cancelling.guard(lambda event: None)(Warned("on"))


def test_a_report_that_nobody_reads_ends_the_run(tmp_path):
    def closed(event):
        raise BrokenPipeError

    with Cancelling(tmp_path / "cancel", closed, watch_stdin=False) as cancelling, pytest.raises(Cancelled):
        cancelling.guard(closed)(Warned("x"))


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (InputError("Empty.", "Draw."), Fault.INPUT, 2),
        (FitError("No curve."), Fault.INPUT, 2),
        (Cancelled(), Fault.CANCELLED, 130),
        (KeyboardInterrupt(), Fault.CANCELLED, 130),
        (EngineError("No engine."), Fault.DEFECT, 1),
        (MemoryError(), Fault.DEFECT, 1),
        (ZeroDivisionError("x"), Fault.DEFECT, 1),
    ],
)
def test_an_exception_is_told_in_a_sentence_with_whose_fault_it_is(error, kind, code):
    failed = failure(error)
    assert (failed.kind, failed.kind.exit_code) == (kind, code)
    assert failed.text.endswith(".")
    assert "\n" not in failed.text


def test_a_defect_leaves_its_places_in_the_log_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("MyoPINNLib.worker.Job.read", lambda folder: 1 / 0)
    heard = []
    assert work(tmp_path, heard.append) == 1
    assert heard[-1] == Failed(
        Fault.DEFECT, "MyoPINN met a defect of its own (ZeroDivisionError).", "The details are in engine.log."
    )
    assert "ZeroDivisionError at worker.py:" in (tmp_path / "engine.log").read_text()


def test_a_fault_of_the_input_leaves_no_traceback(tmp_path):
    heard = []
    assert work(tmp_path, heard.append) == 2
    assert "holds no job.json" in heard[-1].text
    assert "Traceback" not in (tmp_path / "engine.log").read_text()


DEEP_IN_THOUGHT = """
import os, sys, time
from pathlib import Path
from MyoPINNLib.cli.terminal import Terminal
from MyoPINNLib.events import Warned
from MyoPINNLib.worker import Cancelling
report = Terminal(events=True).report
with Cancelling(Path(sys.argv[1]) / "cancel", report, watch_stdin=True):
    Path(sys.argv[1], "engine").write_text(str(os.getpid()))
    while True:
        report(Warned("x" * 1000)) if sys.argv[2] == "talks" else time.sleep(0.01)
"""
PARENT = """
import subprocess, sys, time
pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], start_new_session=True, **pipes)
time.sleep(60)
"""


def gone(process: int) -> bool:
    status = Path(f"/proc/{process}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


def wait_for(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_an_engine_deep_in_thought_ends_after_its_parent_was_killed(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, DEEP_IN_THOUGHT, str(tmp_path), "is silent"])
    note = tmp_path / "engine"
    wait_for(lambda: note.exists() and note.read_text(), 10)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: gone(int(note.read_text())), 3)


def test_an_engine_that_nobody_hears_ends_when_its_stdin_closes(tmp_path):
    command = [sys.executable, "-c", DEEP_IN_THOUGHT, str(tmp_path), "talks"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as engine:
        wait_for((tmp_path / "engine").exists, 10)
        time.sleep(0.3)  # until the pipe is full
        engine.stdin.close()
        assert engine.wait(3) == 130


def test_a_run_whose_end_nobody_hears_is_done(tmp_path, monkeypatch):
    def deaf(event):
        if isinstance(event, Finished):
            raise BrokenPipeError

    monkeypatch.setattr("MyoPINNLib.worker._run", lambda *arguments: ("MBF.nrrd",))
    assert work(tmp_path, deaf) == 0


def test_a_cancel_comes_too_late_once_the_result_takes_its_place(tmp_path):
    heard, leave = [], Exit()
    with Cancelling(tmp_path / "cancel", heard.append, watch_stdin=False, leave=leave) as cancelling:
        cancelling.guard(heard.append)(Progress("writing", 1.0))
        (tmp_path / "cancel").touch()
        assert not leave.called.wait(1.2)
    assert heard == [Progress("writing", 1.0)]


def test_a_run_whose_start_nobody_hears_is_cancelled(tmp_path):
    def deaf(event):
        raise BrokenPipeError

    assert work(tmp_path, deaf) == 130
    assert "defect" not in (tmp_path / "engine.log").read_text()


def test_once_the_result_takes_its_place_neither_a_cancel_nor_a_deaf_reader_stops_a_run(tmp_path):
    heard = []

    def deaf_in_the_end(event):
        heard.append(event)
        if isinstance(event, Warned):
            raise BrokenPipeError

    with Cancelling(tmp_path / "cancel", heard.append, watch_stdin=False) as cancelling:
        report = cancelling.guard(deaf_in_the_end)
        report(Progress("writing", 1.0))
        (tmp_path / "cancel").touch()
        report(Warned("late"))
        report(Progress("writing", 1.0))
    assert len(heard) == 3


def test_a_cancel_at_the_last_report_still_counts(tmp_path):
    def cancels(event):
        (tmp_path / "cancel").touch()

    with Cancelling(tmp_path / "cancel", cancels, watch_stdin=False) as cancelling, pytest.raises(Cancelled):
        cancelling.guard(cancels)(Progress("writing", 1.0))


def test_an_end_of_stdin_is_a_cancel_at_the_next_report(tmp_path):
    with Cancelling(tmp_path / "cancel", lambda event: None, watch_stdin=False) as cancelling:
        cancelling._asked.set()  # as the thread that listens does
        with pytest.raises(Cancelled):
            cancelling.guard(lambda event: None)(Warned("x"))


@pytest.mark.parametrize("name", ["result.json", ".result.json.partial"])
@pytest.mark.parametrize("kind", ["hard", "symbolic"])
def test_a_planted_link_is_not_written_through_by_the_result(tmp_path, name, kind):
    if kind == "symbolic" and os.name == "nt":
        pytest.skip("links need a right on Windows")
    (tmp_path / "job" / "output").mkdir(parents=True)
    (tmp_path / "job" / "output" / "result.json").write_text("sealed")
    (tmp_path / "victim").write_text("mine")
    place = tmp_path / "job" / name
    place.symlink_to(tmp_path / "victim") if kind == "symbolic" else place.hardlink_to(tmp_path / "victim")
    _publish(tmp_path / "job")
    assert (tmp_path / "victim").read_text() == "mine" and not (tmp_path / "job" / "result.json").is_symlink()
    assert (tmp_path / "job" / "result.json").read_text() == "sealed"
    assert sorted(path.name for path in (tmp_path / "job").iterdir()) == ["output", "result.json"]
