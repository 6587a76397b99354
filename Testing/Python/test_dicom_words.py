"""What a series is called: a few known words of its description, and nothing else of it."""

from __future__ import annotations

import pytest
from dicom_files import PATIENT, study, without

from MyoPINNLib.errors import Cancelled
from MyoPINNLib.files.dicom import read_acquired
from MyoPINNLib.files.dicom_groups import SeveralError
from MyoPINNLib.files.dicom_words import Condition, Words, words_of
from MyoPINNLib.settings import SliceLevel


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("perfusion_stress_SAX_basal", Words(Condition.STRESS, SliceLevel.BASAL)),
        ("Perf REST mid", Words(Condition.REST, SliceLevel.MID)),
        ("tfl_sr_PerfStress_Apex", Words(Condition.STRESS, SliceLevel.APICAL)),
        ("dyn_restless_3sl", Words()),
        ("stress and rest", Words()),
        (None, Words()),
    ],
)
def test_a_description_says_condition_and_level(description, words):
    assert words_of(description) == words


def test_nothing_else_of_a_description_is_kept(tmp_path):
    found = read_acquired(study(tmp_path, change=without(SeriesDescription=f"stress {PATIENT}")))
    assert found.words == (Words(Condition.STRESS),) * 2
    assert "Nobody" not in repr(found.words) and "Nobody" not in repr(found.series.acquisition)


def test_two_acquisitions_can_be_chosen_by_number(tmp_path):
    study(tmp_path, slices=1, uid="a", change=without(SeriesDescription="perf stress"))
    study(tmp_path, slices=1, series=22, frames=9, uid="b", change=without(SeriesDescription="perf rest"))
    with pytest.raises(SeveralError) as caught:
        read_acquired(tmp_path)
    assert list(caught.value.choices) == [11, 22]
    assert "rest, 1 slice of 9 frames" in caught.value.choices[22]
    assert read_acquired(tmp_path, series=22).series.frames == 9


def test_reading_tells_how_far_it_is_and_can_be_stopped(tmp_path):
    seen = []
    read_acquired(study(tmp_path), report=seen.append)
    fractions = [event.fraction for event in seen]
    assert fractions == sorted(fractions) and len(fractions) == 32 and fractions[-1] < 1

    def stop(event):
        raise Cancelled()

    with pytest.raises(Cancelled):
        read_acquired(tmp_path, report=stop)
