"""Work beside the main thread: in Slicer it lives on the moments that the main thread gives it."""

from __future__ import annotations

import ctypes
import time

import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer"):
    pytest.skip(trouble, allow_module_level=True)

from MyoPINNLib.aside import Aside


def idle_as_qt_does(seconds: float) -> None:
    """Wait in C with Python's lock held, as Slicer's main thread does between two beats."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def work_of_a_tenth() -> str:
    """A tenth of a second of Python."""
    end = time.thread_time() + 0.1
    while time.thread_time() < end:
        pass
    return "done"


def test_a_thread_ends_within_few_beats_although_the_main_thread_holds_the_lock_in_between():
    work, beats = Aside(work_of_a_tenth), 0
    while not work.over:
        idle_as_qt_does(0.05)
        work.give_way()
        beats += 1
    assert work.result() == "done" and beats < 20


def test_giving_way_never_waits_for_long():
    work = Aside(lambda: time.sleep(0.5))
    begun = time.monotonic()
    work.give_way()
    assert time.monotonic() - begun < 0.3 and not work.over
