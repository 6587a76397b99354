"""What the README shows can be done: its commands are understood and its program runs."""

import re
import shlex
from pathlib import Path

import pytest

from MyoPINNLib.cli.parser import build_parser
from MyoPINNLib.simulate.phantom import Preset, make_phantom
from MyoPINNLib.simulate.scanner import write_study

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^myopinn (.*?)\s*(?:#.*)?$", README, re.MULTILINE)
PROGRAM = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_is_understood(command):
    assert build_parser().parse_args(shlex.split(command)).command == command.split()[0]


def test_every_command_is_in_the_readme():
    there = next(action for action in build_parser()._actions if action.dest == "command").choices
    assert {command.split()[0] for command in COMMANDS} | {"demo"} == set(there)


def test_the_program_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    write_study(make_phantom(Preset.FAST, seed=1), tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    exec(compile(PROGRAM, "README.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 16
