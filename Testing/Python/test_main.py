"""``python -m MyoPINNLib``: where it looks for Python code, and how it ends where nobody reads any more."""

from __future__ import annotations

import os
import subprocess
import sys
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
