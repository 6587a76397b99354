"""Events: one line of JSON each way, tolerant of whatever else a process prints."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from MyoPINNLib.events import Failed, Fault, Finished, Progress, Started, Warned, from_line, to_line, within

EVENTS = [
    Started("0.1.0", 42),
    Progress("fit", 0.25, 12.5, {"data": 0.1}),
    Progress("reading", 0.0),
    Warned("The frame times come from ContentTime."),
    Finished(3.5, ("MBF.nrrd", "aha.csv")),
    Failed(Fault.INPUT, "The mask is empty.", "Draw it."),
    Failed(Fault.CANCELLED, "The run was cancelled."),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_line(event):
    line = to_line(event)
    assert "\n" not in line
    assert from_line(line + "\r\n") == event


def test_the_key_comes_first_and_names_the_kind():
    assert to_line(Warned("x")).startswith('{"myopinn": "warning"')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Epoch 1/10",
        "{not json",
        "[1, 2]",
        "{}",
        '{"loss": 0.1}',
        '{"myopinn": "dance"}',
        '{"myopinn": ["progress"]}',
        '{"myopinn": "progress", "stage": "fit", "fraction": "half"}',
        '{"myopinn": "progress", "stage": "fit", "fraction": 0.5, "losses": 3}',
        '{"myopinn": "failed", "kind": "gremlins", "text": "x"}',
        '{"myopinn": "warning"}',
        "{" * 20000,
        '{"myopinn": "warning", "text": "' + "x" * 70000 + '"}',
    ],
)
def test_other_text_is_no_event(text):
    assert from_line(text) is None


def test_a_later_version_may_add_keys():
    assert from_line('{"myopinn": "warning", "text": "x", "colour": "red"}') == Warned("x")


def test_a_fraction_beyond_the_whole_is_the_whole():
    assert from_line('{"myopinn": "progress", "stage": "fit", "fraction": 7}').fraction == 1.0


def test_values_that_are_not_finite_and_numpy_numbers_stay_valid_json():
    line = to_line(Progress("fit", np.float64(0.5), math.inf, {"data": np.float32("nan")}))
    assert json.loads(line)["losses"] == {"data": None}
    assert from_line(line) == Progress("fit", 0.5, None, {"data": None})


def test_a_stage_is_shown_as_its_share_of_the_whole():
    heard = []
    within(heard.append, 0.2, 0.6)(Progress("nlls", 0.5, 3.0))
    within(heard.append, 0.2, 0.6, stage="voxels")(Progress("nlls", 1.0))
    within(heard.append, 0.2, 0.6)(Warned("x"))
    assert heard == [Progress("nlls", pytest.approx(0.4), 3.0), Progress("voxels", pytest.approx(0.6)), Warned("x")]
