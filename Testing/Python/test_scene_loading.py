"""A DICOM folder into the scene: read beside the main thread, named without anybody's name, played in step."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "vtk"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from dicom_files import PATIENT, study, without
from scene_cases import a_heart, contents

from MyoPINNLib.engine import State
from MyoPINNLib.errors import Cancelled, InputError
from MyoPINNLib.events import Fault
from MyoPINNLib.files import read_study
from MyoPINNLib.scene import (
    Loading,
    add_study,
    browser_of,
    find_series,
    load_dicom,
    peak_frame,
    series_from_nodes,
    show_frame,
    show_in_views,
    show_time,
)
from MyoPINNLib.scene.added import subject_hierarchy
from MyoPINNLib.scene.nodes import values_of
from MyoPINNLib.scene.playing import volumes_of


@pytest.fixture(scope="module")
def a_folder(a_study):
    return a_study / "dicom"


@pytest.fixture(scope="module")
def a_series():
    return a_heart(oblique=True).series


def ended(loading):
    """The loading, started and polled to its end as a timer would."""
    loading.start()
    while not loading.done:
        loading.poll()
        time.sleep(0.01)
    return loading


def shown(study) -> list[int]:
    """The frame that the volume of each slice shows."""
    return [
        next(t for t in range(node.GetNumberOfDataNodes()) if same(volume, node.GetNthDataNode(t)))
        for node, volume in zip(study.nodes, study.volumes)
    ]


def saved() -> str:
    """What a saved scene would say of its nodes."""
    scene = slicer.mrmlScene
    scene.SetSaveToXMLString(1)
    scene.Commit()
    scene.SetSaveToXMLString(0)
    return scene.GetSceneXMLString()


def same(one, other) -> bool:
    return np.array_equal(values_of(one), values_of(other))


def stress(folder, **options):
    """A folder of stress images, one series a slice, whose description also names the patient."""
    return study(folder, change=without(SeriesDescription=f"stress perfusion {PATIENT}"), **options)


def test_a_folder_becomes_sequences_with_the_times_of_their_slices(a_folder, a_scene):
    loaded = load_dicom(a_folder)
    found, there = series_from_nodes(loaded.nodes), read_study([a_folder])
    assert np.array_equal(found.signal, there.signal) and np.allclose(found.time, there.time)
    assert found.geometry.same_grid(there.geometry) and found.acquisition == there.acquisition
    assert {node.GetIndexUnit() for node in loaded.nodes} == {"s"}


def test_slices_are_called_by_their_levels_where_the_files_say_them(a_folder, a_scene):
    loaded = load_dicom(a_folder)
    assert [node.GetName() for node in loaded.nodes] == [f"Perfusion {level}" for level in ("apical", "mid", "basal")]
    assert find_series() == list(loaded.nodes)


def test_no_name_of_a_person_comes_into_the_scene(tmp_path, a_scene):
    loaded = load_dicom(stress(tmp_path))
    assert [node.GetName() for node in loaded.nodes] == ["Stress perfusion 1", "Stress perfusion 2"]
    said = saved()
    assert "Stress perfusion 1" in said and "Nobody" not in said and "4711" not in said


def test_all_slices_show_the_same_heartbeat(a_folder, a_scene):
    loaded = load_dicom(a_folder)
    for frame in (0, 7, 43):
        show_frame(loaded.nodes, frame)
        assert shown(loaded) == [frame] * 3


def test_a_time_brings_all_slices_to_the_heartbeat_about_it(a_folder, a_scene):
    loaded = load_dicom(a_folder)
    times = series_from_nodes(loaded.nodes).time
    show_time(loaded.nodes, float(times[:, 9].mean()))
    assert shown(loaded) == [9] * 3
    show_time(loaded.nodes, 1e6)
    assert shown(loaded) == [43] * 3


def test_frames_beyond_the_ends_are_the_first_and_the_last(a_folder, a_scene):
    loaded = load_dicom(a_folder)
    show_frame(loaded.nodes, 1000)
    assert shown(loaded) == [43] * 3
    show_frame(loaded.nodes, -3)
    assert shown(loaded) == [0] * 3


def test_a_study_is_shown_first_where_the_left_ventricle_is_bright(a_scene):
    heart = a_heart()
    blood = heart.series.signal[:, heart.masks.blood_pool].mean(axis=1)
    loaded = add_study(heart.series, "Stress perfusion")
    assert abs(peak_frame(heart.series) - blood.argmax()) <= 1
    assert shown(loaded) == [peak_frame(heart.series)] * 3


def test_bright_frames_ahead_of_the_bolus_are_not_its_peak(a_series):
    signal = a_series.signal.copy()
    signal[:2] = 3 * signal.max()
    assert peak_frame(replace(a_series, signal=signal)) == peak_frame(a_series)


def test_a_bolus_that_leaves_nothing_behind_is_found():
    heart = a_heart()
    signal = heart.series.signal.copy()
    signal[17:] = signal[0]
    signal[18] *= 0.9
    assert abs(peak_frame(replace(heart.series, signal=signal)) - peak_frame(heart.series)) <= 1


def test_grey_values_are_the_same_in_all_slices_and_hold_the_bolus(a_folder, a_scene):
    loaded = load_dicom(a_folder)
    limits = {(v.GetDisplayNode().GetWindowLevelMin(), v.GetDisplayNode().GetWindowLevelMax()) for v in loaded.volumes}
    (low, high), brightest = limits.pop(), max(values_of(volume).max() for volume in loaded.volumes)
    assert not limits and 0 <= low < high and 0.5 * brightest < high <= brightest
    assert not any(volume.GetDisplayNode().GetAutoWindowLevel() for volume in loaded.volumes)


def test_the_volumes_lie_in_a_folder_of_the_study(a_folder, a_scene):
    loaded, hierarchy = load_dicom(a_folder), subject_hierarchy()
    items = [hierarchy.GetItemByDataNode(volume) for volume in loaded.volumes]
    assert {hierarchy.GetItemParent(item) for item in items} == {loaded.folder}
    assert hierarchy.GetItemName(loaded.folder) == "Perfusion"


def test_the_slice_views_get_the_middle_slice(a_folder, a_scene):
    loaded = load_dicom(a_folder)
    show_in_views(loaded.nodes)
    assert slicer.app.applicationLogic().GetSelectionNode().GetActiveVolumeID() == loaded.volumes[1].GetID()


def test_a_second_study_of_the_name_stands_beside_the_first(a_folder, a_scene):
    first, second, third = (load_dicom(a_folder) for _ in range(3))
    assert [study.name for study in (first, second, third)] == ["Perfusion", "Perfusion B", "Perfusion C"]
    assert browser_of(second.nodes[0]) is second.browser is not first.browser
    assert find_series() == []  # three could be meant: the user chooses


def test_one_clock_for_all_slices_is_one_sequence(a_scene):
    loaded = add_study(a_heart(shared_clock=True).series, "Rest perfusion")
    assert [node.GetName() for node in loaded.nodes] == ["Rest perfusion"]
    show_frame(loaded.nodes, 11)
    assert shown(loaded) == [11]


def test_loading_goes_on_by_itself_and_tells_how_far_it_is(a_folder, a_scene):
    seen = []
    loading = ended(Loading(a_folder, on_progress=seen.append))
    assert loading.state is State.DONE and loading.failure is None and len(loading.nodes) == 3
    fractions = [progress.fraction for progress in seen]
    assert len(seen) > 1 and fractions == sorted(fractions) and seen[-1].stage == "reading images"


def test_no_step_of_loading_holds_the_window_up(a_folder, a_scene):
    loading, longest = Loading(a_folder), 0.0
    loading.start()
    while not loading.done:
        begun = time.perf_counter()
        loading.poll()
        longest = max(longest, time.perf_counter() - begun)
        time.sleep(0.01)
    assert longest < 0.2


def test_a_cancelled_loading_leaves_the_scene_as_it_was(a_folder, a_scene):
    before, loading = contents(a_scene), Loading(a_folder)
    loading.start()
    loading.cancel()
    time.sleep(0.5)
    loading.poll()
    assert loading.state is State.CANCELLED and loading.nodes == [] and contents(a_scene) == before
    with pytest.raises(Cancelled):
        _ = loading.study


def test_a_scene_that_closes_ends_its_loading(a_folder, a_scene):
    loading = Loading(a_folder)
    loading.start()
    slicer.mrmlScene.Clear(False)
    assert loading.state is State.CANCELLED


def test_of_several_acquisitions_one_is_chosen(tmp_path, a_scene):
    stress(tmp_path / "a", uid="a", slices=1)
    study(tmp_path / "b", uid="b", slices=1, series=22, frames=9, change=without(SeriesDescription="perf rest"))
    loading = ended(Loading(tmp_path))
    assert loading.failure.kind is Fault.INPUT and "2 dynamic acquisitions" in loading.failure.text
    assert loading.choices == {
        11: "series 11 (stress, 1 slice of 8 frames, 8 x 6)",
        22: "series 22 (rest, 1 slice of 9 frames, 8 x 6)",
    }
    assert load_dicom(tmp_path, series=22).name == "Rest perfusion"


@pytest.mark.parametrize("options", [{}, {"series": "x"}, {"interval": -1.0}], ids=str)
def test_what_the_user_reads_names_no_option_of_the_command_line(options, tmp_path, a_scene):
    for number in (11, 22):
        study(tmp_path, slices=1, uid=str(number), series=number)
    failure = ended(Loading(tmp_path, **options)).failure
    assert failure.kind is Fault.INPUT and "--" not in failure.text + failure.hint
    assert re.fullmatch(r"[A-Z].*[.]", failure.text) and re.fullmatch(r"[A-Z].*[.]", failure.hint)


@pytest.mark.parametrize("folder", ["nothing", "empty"])
def test_a_folder_without_images_is_refused_and_changes_nothing(folder, tmp_path, a_scene):
    (tmp_path / "empty").mkdir()
    before = contents(a_scene)
    with pytest.raises(InputError, match="not there|no DICOM images"):
        load_dicom(tmp_path / folder)
    assert contents(a_scene) == before


def test_a_study_that_cannot_come_in_leaves_nothing_behind(a_series, a_scene, monkeypatch):
    before = contents(a_scene)
    monkeypatch.setattr("MyoPINNLib.scene.studies.set_window", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        add_study(a_series, "Stress perfusion")
    assert contents(a_scene) == before


def test_a_volume_is_its_own_picture_and_has_no_browser(a_scene):
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Image")
    assert browser_of(volume) is None and volumes_of([volume]) == [volume]


def test_a_saved_study_plays_on(a_series, a_scene, tmp_path):
    loaded = add_study(a_series, "Stress perfusion", slices=("apical", "mid", "basal"))
    show_frame(loaded.nodes, 9)
    ids, window = [node.GetID() for node in loaded.nodes], loaded.volumes[0].GetDisplayNode().GetWindowLevelMax()
    assert a_scene.WriteToMRB(str(tmp_path / "scene.mrb"), None, slicer.vtkMRMLMessageCollection())
    a_scene.Clear(False)
    assert a_scene.ReadFromMRB(str(tmp_path / "scene.mrb"), True)
    nodes = find_series()
    assert [node.GetID() for node in nodes] == ids and browser_of(nodes[2]).GetSelectedItemNumber() == 9
    show_frame(nodes, 5)
    assert all(same(volume, node.GetNthDataNode(5)) for volume, node in zip(volumes_of(nodes), nodes))
    assert volumes_of(nodes)[0].GetDisplayNode().GetWindowLevelMax() == pytest.approx(window, rel=1e-4)
    assert np.allclose(series_from_nodes(nodes).time, a_series.time)


def test_frames_of_a_sequence_that_no_browser_plays_cannot_be_shown(a_folder, a_scene):
    loaded = load_dicom(a_folder)
    slicer.mrmlScene.RemoveNode(loaded.browser)
    with pytest.raises(InputError, match="No sequence browser plays"):
        show_frame(loaded.nodes, 3)
