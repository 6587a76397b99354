"""What a user sees while a command runs."""

from __future__ import annotations

import io
import json

import pytest

from MyoPINNLib.cli.terminal import Terminal
from MyoPINNLib.events import Failed, Fault, Progress, Warned


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def a_clock():
    now = [0.0]
    tick = lambda: now[0]  # noqa: E731
    tick.go = lambda seconds: now.__setitem__(0, now[0] + seconds)
    return tick


def test_a_terminal_shows_a_bar_with_percent_stage_and_time_left(a_clock):
    screen = Screen()
    Terminal(stream=screen, clock=a_clock).report(Progress("fit of voxels", 0.5, 75.0))
    assert screen.getvalue().endswith("[############------------]  50 %  fit of voxels, 1 min 15 s left")


def test_a_bar_is_not_redrawn_faster_than_the_eye_sees(a_clock):
    screen = Screen()
    terminal = Terminal(stream=screen, clock=a_clock)
    for _ in range(1000):
        terminal.report(Progress("fit", 0.5))
        a_clock.go(0.001)
    assert screen.getvalue().count("fit") <= 11


def test_a_note_takes_the_bar_out_of_its_way(a_clock):
    screen = Screen()
    terminal = Terminal(stream=screen, clock=a_clock)
    terminal.report(Progress("fit", 0.5))
    terminal.report(Warned("The AIF looks saturated."))
    assert screen.getvalue().endswith("\r\x1b[KNote: The AIF looks saturated.\n")


def test_elsewhere_a_line_marks_each_stage_and_each_10_s(a_clock):
    file = io.StringIO()
    terminal = Terminal(stream=file, clock=a_clock)
    for step in range(25):
        terminal.report(Progress("fit" if step else "reading", step / 25))
        a_clock.go(1.0)
    assert [line.split("%")[1].strip() for line in file.getvalue().splitlines()] == ["reading", "fit", "fit", "fit"]
    assert "\x1b" not in file.getvalue()


def test_quiet_leaves_errors_alone(a_clock):
    file = io.StringIO()
    terminal = Terminal(stream=file, clock=a_clock, quiet=True)
    terminal.report(Progress("fit", 0.5))
    terminal.report(Warned("x"))
    terminal.report(Failed(Fault.INPUT, "The mask is empty.", "Draw it."))
    assert file.getvalue() == "The mask is empty. Draw it.\n"


def test_programs_get_events_on_stdout(a_clock, capsys):
    terminal = Terminal(stream=io.StringIO(), clock=a_clock, events=True)
    terminal.report(Progress("fit", 0.5))
    assert json.loads(capsys.readouterr().out)["myopinn"] == "progress"
