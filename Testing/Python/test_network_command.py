"""A network from the command line: its table, its terminal, a training taken up again, and what is said when it cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pinn_cases import TIME, an_input, exact_curves

from MyoPINNLib import cli
from MyoPINNLib.events import Progress
from MyoPINNLib.settings import DEFAULT_METHOD

pytest.importorskip("tensorflow", reason="the networks need TensorFlow")

ROOT = Path(__file__).parents[2]


def a_table(folder: Path) -> Path:
    table = np.column_stack([TIME, an_input().C_ap, *exact_curves().C_t])
    names = "time_s,C_ap_mM,a,b,c,d,e,f"
    np.savetxt(folder / "curves.csv", table, delimiter=",", header=names, comments="")
    return folder / "curves.csv"


def fit_command(folder: Path, *options: str) -> list[str]:
    return ["fit", str(folder / "curves.csv"), "-o", str(folder / "out.csv"), "--T_a", "fixed", "--quiet", *options]


def test_the_terminal_hears_nothing_of_tensorflow_s_own(tmp_path):
    a_table(tmp_path)
    options = fit_command(tmp_path, "--method", "combined", "--steps", "2")
    command = [sys.executable, "-m", "MyoPINNLib", *options]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0
    assert [line for line in run.stderr.splitlines() if not line.startswith("solver ")] == []


def test_the_table_of_a_network_names_steps_start_and_what_is_doubtful(tmp_path):
    a_table(tmp_path)
    assert cli.main(fit_command(tmp_path, "--method", "reduced", "--steps", "5", "--threads", "1")) == 0
    header, first = (tmp_path / "out.csv").read_text().splitlines()[:2]
    assert header.endswith("steps,start,doubtful") and first.endswith("5,random,v_p v_e")


def test_a_training_of_the_command_line_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    a_table(tmp_path)
    command = fit_command(tmp_path, "--method", "combined", "--steps", "40", "--threads", "1")
    assert cli.main(command) == 0
    whole = (tmp_path / "out.csv").read_text()
    (tmp_path / "out.csv").unlink()
    real = cli.terminal.Terminal.report

    def stopped(self, event):
        if isinstance(event, Progress) and event.fraction > 0.5:
            raise KeyboardInterrupt
        real(self, event)

    with monkeypatch.context() as patched:
        patched.setattr(cli.terminal.Terminal, "report", stopped)
        assert cli.main(command) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert (tmp_path / "out.csv.unfinished").is_dir() and not (tmp_path / "out.csv").exists()
    assert cli.main(command) == 0
    assert (tmp_path / "out.csv").read_text() == whole and not (tmp_path / "out.csv.unfinished").exists()


def test_a_folder_of_the_user_s_beside_the_output_is_left_alone(tmp_path):
    a_table(tmp_path)
    mine = tmp_path / "out.csv.unfinished" / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert cli.main(fit_command(tmp_path, "--method", "combined", "--steps", "3", "--threads", "1")) == 0
    assert mine.read_text() == "mine" and list(mine.parent.iterdir()) == [mine]


@pytest.mark.parametrize(
    "option", [("--steps", "5"), ("--start", "nlls"), ("--w-data", "1"), ("--start-from", "x.npz")]
)
def test_an_option_of_the_networks_is_refused_by_other_methods(tmp_path, capsys, option):
    a_table(tmp_path)
    assert cli.main(fit_command(tmp_path, *option)) == 2
    assert f"{option[0]} is for the networks, and the method is {DEFAULT_METHOD.value}." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tensorflow", "raise ModuleNotFoundError('no', name='tensorflow')", "need tensorflow, which is not installed"),
        ("tensorflow", "raise ImportError('libcuda')", "installed but does not load (ImportError)"),
        ("keras", "raise ModuleNotFoundError('no', name='keras')", "need keras, which is not installed"),
        ("tensorflow", "import a_part_that_is_not_there", "installed but does not load (ModuleNotFoundError)"),
    ],
)
def test_without_tensorflow_one_sentence_says_what_helps(tmp_path, name, text, said):
    (tmp_path / f"{name}.py").write_text(text + "\n", encoding="utf-8")
    table = np.column_stack([TIME, an_input().C_ap, exact_curves().C_t[0]])
    np.savetxt(tmp_path / "curves.csv", table, delimiter=",", header="time_s,C_ap_mM,one", comments="")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    command = [sys.executable, "-m", "MyoPINNLib", "fit", "curves.csv", "-o", "out.csv", "--method", "combined"]
    run = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert run.returncode == 2 and said in run.stderr and "pip install" in run.stderr
    assert "Traceback" not in run.stderr and not (tmp_path / "out.csv").exists()
