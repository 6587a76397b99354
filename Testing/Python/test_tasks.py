"""The queue of work behind the panel: one piece after the other, moved on by a timer, never waiting."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.events import Failed, Fault
from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer"):
    pytest.skip(trouble, allow_module_level=True)

from MyoPINNLib.gui.tasks import Task, Tasks


@dataclass
class Timer:
    """A timer that only says whether it runs."""

    running: bool = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False


@dataclass
class Work:
    """Work of a given number of beats."""

    beats: int
    heard: list = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.beats <= 0

    def poll(self) -> None:
        self.beats -= 1

    def cancel(self) -> None:
        self.beats = 0
        self.heard.append("cancel")

    def kill(self) -> None:
        self.heard.append("kill")


@pytest.fixture
def a_timer():
    return Timer()


@pytest.fixture
def a_queue(a_timer):
    return Tasks(a_timer, lambda: None)


def test_two_tasks_run_one_after_the_other(a_queue, a_timer):
    ended = []
    for title in ("stress", "rest"):
        a_queue.add(Task(title, lambda: Work(2), lambda _, title=title: ended.append(title), key=title))
    a_queue.beat()
    assert a_queue.title == "stress (1 waiting)" and a_queue.holds("rest") and a_timer.running
    for _ in range(5):
        a_queue.beat()
    assert ended == ["stress", "rest"] and not a_queue.busy and not a_timer.running


def test_a_cancel_drops_what_waits_and_asks_what_runs_to_end(a_queue):
    ended, work = [], Work(100)
    a_queue.add(Task("stress", lambda: work, ended.append))
    a_queue.add(Task("rest", lambda: Work(1), ended.append))
    a_queue.beat()
    a_queue.cancel()
    a_queue.beat()
    assert work.heard == ["cancel"] and ended == [work] and not a_queue.busy


def test_a_task_that_cannot_begin_says_why_and_the_next_one_begins(a_queue):
    ended = []

    def refused():
        raise InputError("The series has 1 frame.", "Choose another.")

    a_queue.add(Task("stress", refused, ended.append))
    a_queue.add(Task("rest", lambda: Work(1), ended.append))
    for _ in range(3):
        a_queue.beat()
    assert ended[0] == Failed(Fault.INPUT, "The series has 1 frame.", "Choose another.")
    assert isinstance(ended[1], Work)


def test_a_defect_at_the_start_of_a_task_is_a_sentence(a_queue):
    ended = []
    a_queue.add(Task("stress", lambda: 1 / 0, ended.append))
    a_queue.beat()
    assert ended[0].kind is Fault.DEFECT and "ZeroDivisionError" in ended[0].text


def test_killed_work_is_never_heard_of_again(a_queue, a_timer):
    ended, work = [], Work(100)
    a_queue.add(Task("stress", lambda: work, ended.append))
    a_queue.beat()
    a_queue.kill()
    a_queue.beat()
    assert work.heard == ["kill"] and ended == [] and not a_timer.running


def test_a_cancel_before_the_first_beat_begins_nothing(a_queue, a_timer):
    begun = []
    a_queue.add(Task("stress", lambda: begun.append("stress"), begun.append))
    a_queue.cancel()
    a_queue.beat()
    assert begun == [] and not a_queue.busy and not a_timer.running
