"""How a process is started and ended: which environment it gets, where it stands, and that nothing of it is left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from MyoPINNLib import launching
from MyoPINNLib.launching import Lines, how_it_ended, kill_tree, launch, surroundings

ROOT = Path(__file__).parents[2]
FOREIGN = {"PYTHONHOME": "/opt/Slicer/lib/Python", "PYTHONPATH": "/opt/Slicer/bin", "PYTHONSTARTUP": "/opt/x.py"}
SAY = "import os, sys; print(os.getcwd(), os.environ.get('MYOPINN_TEST'), sys.stdin.read())"


def said(program: str, **options) -> str:
    process = launch([sys.executable, "-c", program], **options)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err.decode()
    return out.decode().strip()


@pytest.fixture
def inside_slicer(monkeypatch):
    """The environment variables with which Slicer runs its own Python."""
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)


def test_another_python_is_not_led_astray_by_ours(inside_slicer):
    assert not {"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"} & set(surroundings())
    assert said("import numpy, sys; print(sys.prefix)") == sys.prefix


def test_a_launched_python_finds_the_library_without_being_told(inside_slicer):
    assert said("import MyoPINNLib; print(MyoPINNLib.__file__)") == str(ROOT / "MyoPINNLib" / "__init__.py")
    assert said("import os; print(os.environ['PYTHONPATH'])") == str(ROOT)


def test_an_environment_that_is_given_is_kept(inside_slicer):
    env = surroundings() | {"MYOPINN_TEST": "yes", "PYTHONPATH": "/engine/packages"}
    assert " yes " in said(SAY + "; print(end=' ')", env=env) + " "
    assert said("import os; print(os.environ['PYTHONPATH'])", env=env) == os.pathsep.join(
        [str(ROOT), "/engine/packages"]
    )


def test_a_process_stands_in_the_library_s_folder_and_not_in_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said(SAY).split()[0] == str(ROOT)


@pytest.mark.parametrize("what", [["-m", "MyoPINNLib", "--version"], ["-c", "import numpy, runpy, pkgutil, argparse"]])
def test_no_python_file_of_the_current_folder_is_run(tmp_path, monkeypatch, what):
    for name in ("numpy", "runpy", "pkgutil", "argparse"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    process = launch([sys.executable, *what])
    process.communicate(timeout=20)
    assert not (tmp_path / "mark").exists()


def test_a_process_learns_by_its_stdin_that_its_parent_died():
    process = launch([sys.executable, "-c", "import sys; sys.stdin.read(); print('end')"])
    process.stdin.close()
    assert process.stdout.read().strip() == b"end"
    process.wait(5)


def a_stream(text: bytes):
    """The reading end of a pipe that holds ``text`` and ends."""
    end, begin = os.pipe()
    os.write(begin, text)
    os.close(begin)
    return os.fdopen(end, "rb")


def wait_for(condition, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_lines_come_in_order_and_in_pieces_and_no_more_than_asked_for():
    lines = Lines(a_stream(b"one\ntwo\n" + b"x" * 9), room=10, longest=4)
    wait_for(lambda: not lines.reading)
    assert list(lines.take(2)) == ["one\n", "two\n"]
    assert list(lines.take(9)) == ["xxxx", "xxxx", "x"]
    assert lines.empty


def test_readers_whose_lines_nobody_takes_are_set_free_by_a_stop():
    lines = Lines(a_stream(b"out\n" * 500), a_stream(b"err\n" * 500), room=3, longest=9)
    time.sleep(0.1)
    assert lines.reading
    lines.stop()
    wait_for(lambda: not lines.reading)


class Sleeper:
    """Stands in for a process that does not die of its own: counts what is done to it."""

    pid, killed = 2**22 + 1, 0

    def poll(self):
        return None

    def kill(self):
        self.killed += 1


@pytest.mark.parametrize("failure", [subprocess.TimeoutExpired("taskkill", 1), FileNotFoundError(2, "gone"), None])
def test_a_taskkill_that_hangs_or_is_missing_holds_nobody_up(monkeypatch, failure):
    asked = []

    def run(command, **options):
        asked.append((command, options))
        if failure:
            raise failure

    monkeypatch.setattr(launching.subprocess, "run", run)
    sleeper = Sleeper()
    launching.kill_by_taskkill(sleeper)
    (command, options), *more = asked
    assert not more
    assert command == ["taskkill", "/PID", str(sleeper.pid), "/T", "/F"]
    assert options["timeout"] <= 2.0
    assert sleeper.killed == (1 if failure else 0)


@pytest.mark.parametrize("psutil_is_there", [True, False])
def test_a_killed_tree_is_dead_and_a_second_kill_does_nothing(monkeypatch, psutil_is_there):
    if not psutil_is_there:
        monkeypatch.setitem(sys.modules, "psutil", None)
    process = launch([sys.executable, "-c", "import time; time.sleep(60)"])
    begun = time.monotonic()
    kill_tree(process)
    process.communicate(timeout=5)
    kill_tree(process)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "exit code 3"),
        (-6, "ended by SIGABRT"),
        (-9, "ended by SIGKILL, often a lack of memory"),
        (-250, "signal 250"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_exit_code_is_put_in_words(code, words):
    assert words in how_it_ended(code)
