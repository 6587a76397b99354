"""``python -m MyoPINNLib``: where it looks for Python code, and how it ends where nobody reads any more."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARK = "open({!r}, 'w').close()\nraise ImportError('not the real one')\n"
MYOPINN = [sys.executable, "-m", "MyoPINNLib"]


def a_trap(folder: Path, *names: str) -> Path:
    """Modules in ``folder`` that bear the names of what the library imports; the mark that they leave when they run."""
    mark = folder / "mark"
    for name in names:
        (folder / f"{name}.py").write_text(MARK.format(str(mark)))
    return mark


def outside(**more: str) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | more


def told(*command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess:
    """What a command in ``folder`` says and how it ends."""
    return subprocess.run(command, cwd=folder, env=outside(**environment), capture_output=True, text=True)


@pytest.mark.parametrize("name", ["numpy", "SimpleITK", "argparse", "json"])
def test_modules_in_the_current_folder_are_not_run(tmp_path, name):
    mark = a_trap(tmp_path, name)
    info = told(*MYOPINN, "info", ".", folder=tmp_path, PYTHONPATH=str(ROOT))
    assert not mark.exists()
    assert info.returncode == 2, info.stderr


def test_a_source_folder_runs_from_within_without_being_installed():
    """-S hides the editable install of the tests: only the current folder can have the library."""
    version = told(sys.executable, "-S", "-m", "MyoPINNLib", "--version", folder=ROOT)
    assert (version.returncode, version.stderr) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_the_library_s_own_folder_is_searched_last(tmp_path):
    """Where it is the site-packages of another Python, what lies in it must not hide what is installed here."""
    (tmp_path / "MyoPINNLib").symlink_to(ROOT / "MyoPINNLib", target_is_directory=True)
    mark = a_trap(tmp_path, "numpy")
    info = told(*MYOPINN, "info", ".", folder=tmp_path, PYTHONPATH=str(tmp_path))
    assert not mark.exists()
    assert info.returncode == 2, info.stderr


def test_a_relative_job_is_found_from_the_current_folder(tmp_path):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "job.json").write_text("[]")
    run = told(*MYOPINN, "run", "job", "--events", folder=tmp_path)
    assert "job.json is not a JSON object" in run.stdout


DEAF = """
import sys, time
from pathlib import Path
from MyoPINNLib import cli, worker

def run(folder, *_):
    while not (folder / "go").exists():
        time.sleep(0.01)
    (folder / "result.json").write_text("{}")
    return ("MBF.nrrd",)

worker._run = run
sys.exit(cli.main(["run", *sys.argv[1:]]))
"""


@pytest.mark.parametrize("options", [["--events"], ["--quiet"], []])
@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_run_with_a_result_ends_with_0_though_its_reader_has_gone(tmp_path, options, closed):
    command = [sys.executable, "-c", DEAF, str(tmp_path), *options]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=outside(PYTHONPATH=str(ROOT)), **streams) as process:
        while not (tmp_path / "engine.log").exists():
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.2)  # until what comes first is said
        getattr(process, closed).close()
        (tmp_path / "go").touch()
        assert process.wait(10) == 0
    assert (tmp_path / "result.json").exists()


def test_a_cancelled_run_keeps_its_exit_code_though_its_reader_has_gone(tmp_path):
    command = [*MYOPINN, "run", "no job", "--events"]
    with subprocess.Popen(command, env=outside(PYTHONPATH=str(ROOT)), cwd=tmp_path, stdout=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait(10) == 130
