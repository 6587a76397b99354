"""What is chosen in the panel: why it cannot be computed yet, its time axis in words, and the settings it stands for."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "vtk"):
    pytest.skip(trouble, allow_module_level=True)

from scene_cases import a_heart

from MyoPINNLib.errors import InputError
from MyoPINNLib.gui.choices import (
    Study,
    by_weight,
    chosen_twice,
    left_words,
    settings_of,
    time_words,
    trouble,
    without_options,
)
from MyoPINNLib.network_settings import Device, Shift, Start
from MyoPINNLib.scene import add_insertion, add_segmentation, add_series, find_segments, keep_times
from MyoPINNLib.settings import Conversion, Method, Spatial


@pytest.fixture(scope="module")
def a_case():
    return a_heart(shared_clock=True)


@pytest.fixture
def a_chosen_study(a_case, a_scene):
    """All that a computation needs."""
    heart = add_segmentation(a_case.masks, "Heart")
    ids = find_segments(heart)
    return Study("Stress", tuple(add_series(a_case.series, "S")), heart, ids["myocardium"], ids["blood_pool"])


@pytest.fixture
def a_panel():
    """The panel's parameters at their defaults."""
    return SimpleNamespace(
        method=Method.MAP, device=Device.AUTO, steps=2500, start=Start.MAP, spatial=False, segments="16",
        conversion=Conversion.TRAIN, saturationTime=0.0, readoutTR=0.0, flipAngle=0.0, pulses=0, bloodT1=1650.0, myocardiumT1=1150.0, relaxivity=4.9,
        hct=0.45, density=1.05,
    )  # fmt: skip


def test_nothing_is_said_against_a_whole_study(a_chosen_study):
    assert trouble(a_chosen_study) == ""


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ({"series": ()}, "No perfusion series is chosen."),
        ({"segmentation": None}, "No segmentation is chosen."),
        ({"myocardium": ""}, 'No segment of "Heart" is chosen for the myocardium.'),
        ({"blood_pool": "gone"}, 'No segment of "Heart" is chosen for the LV blood pool.'),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(a_chosen_study, lacking, said):
    words = trouble(replace(a_chosen_study, **lacking))
    assert words.startswith(said) and len(words) > len(said)


def test_one_segment_for_both_is_noticed(a_chosen_study):
    assert "same segment" in trouble(replace(a_chosen_study, blood_pool=a_chosen_study.myocardium))


def test_a_series_without_times_is_asked_about_and_the_users_times_are_kept(a_chosen_study):
    (series,) = a_chosen_study.series
    series.SetIndexUnit("")
    assert "does not say when its" in trouble(a_chosen_study)
    keep_times(series, [0.8 * frame for frame in range(series.GetNumberOfDataNodes())])
    assert trouble(a_chosen_study) == "" and "0.80 to 0.80 s apart; table (as given)" in time_words([series])


def test_a_series_of_two_studies_is_named(a_chosen_study):
    assert chosen_twice([a_chosen_study]) == ""
    assert chosen_twice([a_chosen_study, a_chosen_study]).startswith('"S" is chosen for both stress and rest')


def test_the_time_axis_names_every_source(a_chosen_study, a_case):
    (other,) = add_series(a_case.series, "T")
    keep_times(other, [0.5 * frame for frame in range(other.GetNumberOfDataNodes())])
    assert time_words([*a_chosen_study.series, other]).endswith("sequence index (s) and table (as given)")


def test_a_series_of_one_frame_is_refused(a_chosen_study):
    (series,) = a_chosen_study.series
    while series.GetNumberOfDataNodes() > 1:
        series.RemoveDataNodeAtValue(series.GetNthIndexValue(1))
    assert "has 1 frame; perfusion needs a series over time." in trouble(a_chosen_study)


def test_a_point_list_counts_once_a_point_is_set_in_it(a_chosen_study, a_case, a_scene):
    empty = a_scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "RV insertion")
    assert replace(a_chosen_study, insertion=empty).points is None
    placed = add_insertion(a_case.insertion, "RV insertion")
    assert replace(a_chosen_study, insertion=placed).points is placed


def test_the_defaults_of_the_panel_are_the_librarys(a_panel):
    from MyoPINNLib.settings import Settings

    assert settings_of(a_panel).to_json() | {"fit": None} == Settings().to_json() | {"fit": None}
    assert settings_of(a_panel).fit.method is Method.MAP


def test_what_the_panel_says_reaches_the_settings_in_inside_units(a_panel):
    a_panel.saturationTime, a_panel.spatial, a_panel.hct = 110.0, True, 0.4
    settings = settings_of(a_panel, ("basal", "mid", "apical"))
    assert settings.signal.TS == pytest.approx(0.110) and settings.hct == 0.4
    assert settings.fit.spatial is Spatial.NEIGHBOURS and settings.aha.levels == ("basal", "mid", "apical")


def test_a_network_that_starts_at_map_takes_its_delays_and_one_as_published_does_not(a_panel):
    a_panel.method = Method.COMBINED
    assert settings_of(a_panel).fit.network.shift is Shift.PRESHIFT
    a_panel.start = Start.RANDOM
    assert settings_of(a_panel).fit.network.shift is Shift.OFF


def test_neighbours_are_left_out_where_the_method_knows_none(a_panel):
    a_panel.method, a_panel.spatial = Method.NLLS, True
    assert settings_of(a_panel).fit.spatial is Spatial.NONE


def test_a_value_that_cannot_be_used_is_refused_in_words(a_panel):
    a_panel.saturationTime = 2.0
    with pytest.raises(InputError, match="TS_ms is 2 ms"):
        settings_of(a_panel)


def test_the_time_left_reads_as_people_say_it():
    assert [left_words(seconds) for seconds in (None, 12.2, 125.0)] == ["", "12 s left", "2 min 5 s left"]


def test_the_readout_train_can_be_told_where_the_files_do_not(a_panel):
    a_panel.readoutTR, a_panel.flipAngle, a_panel.pulses = 2.1, 12.0, 32
    signal = settings_of(a_panel).signal
    assert signal.TR == pytest.approx(0.0021) and math.degrees(signal.flip_angle) == pytest.approx(12)
    assert signal.pulses == 32


def test_the_engines_notes_speak_of_fields_and_begin_with_what_is_odd():
    notes = [
        "Native T1 is taken as 1650 ms in blood (--T1-blood, --T1-myocardium): 10 % off.",
        "32 readout pulses before the k-space centre, linear order assumed (--pulses sets it)",
        "RV insertion is estimated.",
    ]
    first, *usual = by_weight(notes)
    assert first == "RV insertion is estimated." and not any("--" in note for note in usual)
    assert without_options("Give it with --TS (ms), or choose another --conversion.") == (
        "Give it with Saturation time (ms), or choose another Conversion."
    )
