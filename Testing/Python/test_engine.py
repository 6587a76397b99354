"""The engine from outside, against small fake engines that do all that a process can do, and against the real one."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from MyoPINNLib import engine
from MyoPINNLib.engine import EngineRun, State, engine_command
from MyoPINNLib.events import Failed, Fault, Finished, Progress, Started, Warned

PREAMBLE = """
import os, pathlib, subprocess, sys, time
job = pathlib.Path(sys.argv[1])
def say(text, stream=sys.stdout):
    stream.write(text + "\\n"); stream.flush()
def result():
    (job / "draft").write_text("{}"); (job / "draft").replace(job / "result.json")
say('{"myopinn": "started", "version": "0"}')
"""


def run(job: Path, body: str, **options) -> EngineRun:
    """A fake engine that runs ``body``, started."""
    (job / "fake.py").write_text(PREAMBLE + body)
    fake = EngineRun(job, command=[sys.executable, str(job / "fake.py"), str(job)], **options)
    fake.start()
    return fake


def events_to_the_end(run: EngineRun, seconds: float = 10.0) -> list:
    events, end = [], time.monotonic() + seconds
    while not run.state.ended:
        assert time.monotonic() < end, f"still {run.state} after {seconds} s"
        events += run.poll()
        time.sleep(0.01)
    return events


def wait_for(condition, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return "State:\tZ" not in Path(f"/proc/{process}/status").read_text() if Path("/proc").is_dir() else True


def test_a_run_is_done_with_exit_0_and_a_result(tmp_path):
    fake = run(
        tmp_path,
        'say(\'Epoch 1\'); say(\'log\', sys.stderr); say(\'{"myopinn": "progress", "stage": "fit", "fraction": 0.5}\'); result()',
    )
    assert events_to_the_end(fake) == [Started("0"), Progress("fit", 0.5)]
    assert fake.state is State.DONE
    assert sorted(fake.text) == ["Epoch 1", "log"]


def test_exit_0_without_a_result_is_no_success(tmp_path):
    fake = run(tmp_path, 'say(\'{"myopinn": "finished", "seconds": 1}\')')
    assert events_to_the_end(fake)[-1] == Finished(1.0)
    assert fake.state is State.FAILED
    assert fake.failure.text == "The engine stopped without a result (exit code 0)."


def test_the_result_of_an_earlier_run_is_no_success(tmp_path):
    (tmp_path / "result.json").write_text("{}")
    fake = run(tmp_path, "")
    events_to_the_end(fake)
    assert fake.state is State.FAILED


def test_a_result_without_exit_0_is_no_success(tmp_path):
    fake = run(tmp_path, "result(); sys.exit(3)")
    events_to_the_end(fake)
    assert fake.state is State.FAILED


def test_a_fault_of_the_input_is_told_as_the_engine_told_it(tmp_path):
    fake = run(
        tmp_path, 'say(\'{"myopinn": "failed", "kind": "input", "text": "Empty.", "hint": "Draw."}\'); sys.exit(2)'
    )
    events_to_the_end(fake)
    assert fake.failure == Failed(Fault.INPUT, "Empty.", "Draw.")


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_crash_is_told_in_one_sentence_and_its_last_words_are_kept_for_the_user_alone(tmp_path):
    fake = run(tmp_path, "say('free(): invalid pointer in /data/DOE, JOHN/IM1', sys.stderr); os.abort()")
    events_to_the_end(fake)
    assert fake.failure == Failed(
        Fault.DEFECT,
        "The engine stopped without a result (ended by SIGABRT).",
        "What is known of it is in engine.log.",
    )
    assert list(fake.text) == ["free(): invalid pointer in /data/DOE, JOHN/IM1"]
    log = (tmp_path / "engine.log").read_text()
    assert "exit code -6; in the last 1 lines: free(): invalid pointer\n" in log
    assert "DOE" not in log


def test_an_engine_that_cannot_start_is_told(tmp_path):
    missing = EngineRun(tmp_path, command=[str(tmp_path / "python")])
    missing.start()
    assert missing.state is State.FAILED
    assert missing.failure.text.startswith("The engine could not be started")
    assert missing.poll() == []


def test_a_flood_on_both_streams_loses_no_event_and_no_beat(tmp_path):
    fake = run(
        tmp_path,
        'for i in range(30000): say(\'noise \' * 20); say(\'noise\', sys.stderr)\nsay(\'{"myopinn": "warning", "text": "last"}\'); result()',
    )
    longest, events, end = 0.0, [], time.monotonic() + 20
    while not fake.state.ended and time.monotonic() < end:
        before = time.monotonic()
        events += fake.poll()
        longest = max(longest, time.monotonic() - before)
        time.sleep(0.001)
    assert events[-1] == Warned("last")
    assert (fake.state, len(fake.text)) == (State.DONE, engine.KEPT_LINES)
    assert longest < 0.5


def test_an_endless_line_fills_no_memory(tmp_path):
    fake = run(tmp_path, "sys.stdout.write('x' * 3_000_000); sys.stdout.flush(); result()")
    events_to_the_end(fake)
    assert fake.state is State.DONE
    assert max(map(len, fake.text)) <= engine.MAX_LINE


def test_an_engine_that_listens_ends_by_the_cancel_file(tmp_path):
    fake = run(tmp_path, "while not (job / 'cancel').exists(): time.sleep(0.01)\nsys.exit(130)")
    wait_for(lambda: fake.poll())
    fake.cancel()
    events_to_the_end(fake, 2.0)
    assert fake.state is State.CANCELLED
    assert not (tmp_path / "cancel").exists()


def test_an_engine_that_ignores_a_cancel_is_killed_within_2_s(tmp_path):
    fake = run(tmp_path, "while True: time.sleep(1)")
    wait_for(lambda: fake.poll())
    fake.cancel()
    events_to_the_end(fake, 2.0)
    assert fake.state is State.CANCELLED


GRANDCHILD = """
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
(job / "child").write_text(str(child.pid))
say('{"myopinn": "warning", "text": "child"}')
"""


@pytest.mark.parametrize("psutil_is_there", [True, False])
def test_a_cancel_ends_the_grandchildren_too(tmp_path, monkeypatch, psutil_is_there):
    if not psutil_is_there:
        monkeypatch.setitem(sys.modules, "psutil", None)
    fake = run(tmp_path, GRANDCHILD + "while True: time.sleep(1)")
    wait_for(lambda: Warned("child") in fake.poll())
    fake.cancel()
    events_to_the_end(fake, 2.0)
    wait_for(lambda: not alive(int((tmp_path / "child").read_text())), 1.0)


def test_a_grandchild_that_holds_the_pipes_does_not_keep_a_run_open(tmp_path):
    fake = run(tmp_path, GRANDCHILD + "result()")
    events_to_the_end(fake, 5.0)
    assert fake.state is State.DONE
    wait_for(lambda: not alive(int((tmp_path / "child").read_text())), 1.0)


def test_kill_ends_all_at_once(tmp_path):
    fake = run(tmp_path, GRANDCHILD + "while True: time.sleep(1)")
    wait_for(lambda: Warned("child") in fake.poll())
    fake.kill()
    assert fake.state is State.CANCELLED
    wait_for(lambda: not alive(int((tmp_path / "child").read_text())), 1.0)


def test_an_injected_clock_decides_when_to_kill(tmp_path):
    now = [0.0]
    fake = run(tmp_path, "while True: time.sleep(1)", clock=lambda: now[0])
    wait_for(lambda: fake.poll())
    fake.cancel()
    fake.poll()
    assert fake.state is State.CANCELLING
    now[0] = engine.GRACE
    wait_for(lambda: (fake.poll(), now.__setitem__(0, now[0] + 0.1), fake.state.ended)[-1])


def test_a_run_starts_once(tmp_path):
    fake = run(tmp_path, "result()")
    with pytest.raises(ValueError, match="starts once"):
        fake.start()
    events_to_the_end(fake)


@pytest.mark.skipif(os.name == "nt", reason="os.waitpid")
def test_a_killed_engine_is_reaped_and_leaves_no_reader(tmp_path):
    """More lines than the queue holds and nobody who polls: the reader stands still in the middle of a line."""
    fake = run(tmp_path, f"for i in range({engine.WAITING_LINES} + 5000): say('noise')\nwhile True: time.sleep(1)")
    wait_for(lambda: fake._lines._waiting.full(), 20.0)
    before = time.monotonic()
    fake.kill()
    assert time.monotonic() - before < 1.0
    wait_for(lambda: not fake._lines.reading, 1.0)
    with pytest.raises(ChildProcessError):
        os.waitpid(fake._process.pid, os.WNOHANG)


def test_an_engine_that_will_not_die_is_killed_once_a_second_at_most(tmp_path, monkeypatch):
    now, kills = [0.0], []
    fake = run(tmp_path, "while True: time.sleep(1)", clock=lambda: now[0])
    with monkeypatch.context() as patch:
        patch.setattr(engine, "kill_tree", kills.append)
        fake.cancel()
        for beat in range(50):
            now[0] = engine.GRACE + beat / 10
            fake.poll()
    assert len(kills) == 5
    fake.kill()


def test_a_run_hands_its_environment_to_the_engine(tmp_path):
    env = dict(os.environ, MYOPINN_TEST="yes")
    fake = run(tmp_path, "say(os.environ.get('MYOPINN_TEST', 'no')); result()", env=env)
    events_to_the_end(fake)
    assert list(fake.text) == ["yes"]


def test_a_run_inside_slicer_starts_another_python_unharmed(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/opt/Slicer/lib/Python")
    monkeypatch.setenv("PYTHONPATH", "/opt/Slicer/bin")
    events_to_the_end(fake := run(tmp_path, "result()"))
    assert fake.state is State.DONE, list(fake.text)


def test_a_relative_job_and_python_are_meant_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "job").mkdir()
    monkeypatch.chdir(tmp_path)
    python, *_, job = engine_command(Path("job"), os.path.join("env", "bin", "python"))[:5]
    assert (python, job) == (str(tmp_path / "env" / "bin" / "python"), str(tmp_path / "job"))
    assert engine_command(Path("job"), "python3")[0] == "python3"
    run = EngineRun(Path("job"))
    run.start()
    events_to_the_end(run)
    assert run.failure.text == 'The folder "job" holds no job.json.'
    assert (tmp_path / "job" / "engine.log").exists()


def test_a_run_stays_with_its_job_where_the_current_folder_changes(tmp_path, monkeypatch):
    (tmp_path / "job").mkdir()
    monkeypatch.chdir(tmp_path)
    assert EngineRun(Path("job")).job == tmp_path / "job"
