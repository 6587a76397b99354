"""The samples: complete at once, called synthetic everywhere, with the flow that they were drawn with."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "vtk"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from scene_cases import FERMI, contents

from MyoPINNLib.engine import State
from MyoPINNLib.polar import TERRITORY
from MyoPINNLib.sample_list import register_samples
from MyoPINNLib.scene import (
    Sample,
    SampleLoading,
    add_sample,
    find_insertion,
    find_segmentation,
    find_segments,
    find_series,
    insertion_from_points,
    load_sample,
    masks_from_segments,
    quantify,
    series_from_nodes,
)
from MyoPINNLib.scene.added import subject_hierarchy
from MyoPINNLib.scene.samples import FOLDER
from Testing.SlicerHarness.sample_data import SampleDataLogic

ICONS = Path(__file__).parents[2] / "MyoPINN" / "Resources" / "Icons"


@pytest.fixture(scope="module")
def a_sample(an_application):
    """The sample of stress and rest, in a scene that this file's first tests only look at."""
    from Testing.SlicerHarness.application import close_scene

    close_scene()
    yield add_sample(Sample.STRESS_AND_REST)
    close_scene()


@pytest.fixture(scope="module")
def an_analysis(a_sample):
    """The stress study of the sample, quantified where it is."""
    return quantify(a_sample.stress.nodes, a_sample.segmentation, insertion=a_sample.insertion, settings=FERMI).analysis


@pytest.fixture
def the_sample_data_module(an_application, monkeypatch):
    """Slicer's Sample Data module with nothing registered."""
    monkeypatch.setattr(slicer.modules, "sampleDataSources", {}, raising=False)
    return SampleDataLogic()


def test_nothing_has_to_be_chosen(a_sample):
    assert find_series() == list(a_sample.stress.nodes)
    assert find_segmentation() is a_sample.segmentation and find_insertion() is a_sample.insertion
    assert set(find_segments(a_sample.segmentation)) == {"myocardium", "blood_pool", "right_ventricle"}


def test_names_say_condition_and_level(a_sample):
    levels = ("apical", "mid", "basal")
    assert [node.GetName() for node in a_sample.stress.nodes] == [f"Stress perfusion {level}" for level in levels]
    assert [node.GetName() for node in a_sample.rest.nodes] == [f"Rest perfusion {level}" for level in levels]


def test_frames_come_at_heartbeats_of_stress_and_of_rest(a_sample):
    beats = [np.diff(series_from_nodes(study.nodes).time, axis=1) for study in (a_sample.stress, a_sample.rest)]
    assert [round(60 / float(beat.mean())) for beat in beats] == [85, 64]
    assert all(0.005 < beat.std() < 0.1 for beat in beats)


def test_everything_says_that_it_is_synthetic(a_sample):
    studies = (a_sample.stress, a_sample.rest)
    nodes = [node for study in studies for node in (*study.nodes, *study.volumes, study.browser)]
    assert all("ynthetic" in node.GetDescription() for node in (*nodes, a_sample.segmentation, a_sample.insertion))
    hierarchy = subject_hierarchy()
    items = [hierarchy.GetItemByDataNode(node) for node in (*a_sample.rest.volumes, a_sample.segmentation)]
    assert {hierarchy.GetItemName(hierarchy.GetItemParent(item)) for item in items} == {FOLDER}


def test_the_segments_lie_where_the_truth_is_known(a_sample):
    series = series_from_nodes(a_sample.rest.nodes)
    masks = masks_from_segments(
        a_sample.segmentation, series.geometry, myocardium="Myocardium", blood_pool="LV blood pool"
    )
    for truth in a_sample.truth.values():
        assert np.array_equal(np.isfinite(truth["MBF"]), masks.myocardium)
    stress, rest = (np.nanmedian(a_sample.truth[name]["MBF"]) for name in ("stress", "rest"))
    assert 2.2 < stress < 3 and 0.7 < rest < 1  # mL/min/g


def test_the_insertion_is_marked_in_every_slice(a_sample):
    assert len(insertion_from_points(a_sample.insertion)) == 3


def test_the_ischaemic_territory_is_found_below_the_remote_one(an_analysis):
    table = an_analysis.segments
    flow = dict(zip(map(int, table["segment"]), table["MBF_mL_min_g_median"]))
    ischaemic, remote = ([flow[n] for n in flow if (TERRITORY[n] == "LAD") is low] for low in (True, False))
    assert max(ischaemic) < 0.7 * min(remote)


def test_an_analysis_of_the_sample_lies_in_its_folder(an_analysis, a_sample):
    hierarchy = subject_hierarchy()
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(an_analysis.volumes("MBF")[0]))
    assert hierarchy.GetItemParent(folder) == a_sample.folder


def test_a_sample_of_stress_alone_has_no_rest(a_scene):
    sample = add_sample(Sample.STRESS)
    assert sample.rest is None and set(sample.truth) == {"stress"}


def test_a_sample_comes_beside_the_main_thread(a_scene):
    loading, stages, gaps, begun = SampleLoading(Sample.STRESS_AND_REST), set(), [], time.perf_counter()
    loading.start()
    while not loading.done:
        asleep = time.perf_counter()
        time.sleep(0.01)
        gaps.append(time.perf_counter() - asleep)
        loading.poll()
        stages.add(loading.progress.stage)
    assert loading.state is State.DONE and "drawing the rest study" in stages
    assert np.median(gaps) < 0.05 and time.perf_counter() - begun < 6  # 2 s on a quiet machine


def test_a_cancelled_sample_leaves_the_scene_as_it_was(a_scene):
    before, loading = contents(a_scene), SampleLoading(Sample.STRESS)
    loading.start()
    loading.cancel()
    time.sleep(0.1)
    loading.poll()
    assert loading.state is State.CANCELLED and contents(a_scene) == before


def test_a_sample_that_comes_twice_stands_beside_the_first(a_scene):
    first, second = add_sample(Sample.STRESS), add_sample(Sample.STRESS)
    assert first.stress.name == "Stress perfusion" and second.stress.name == "Stress perfusion B"
    assert second.segmentation.GetName() == "Heart B" and find_segmentation() is None


def test_slicers_sample_data_module_offers_the_samples_once(the_sample_data_module):
    register_samples(SampleDataLogic, ICONS, load_sample)
    register_samples(SampleDataLogic, ICONS, load_sample)
    sources = the_sample_data_module.sampleDataSourcesByCategory("MyoPINN")
    assert [source.sampleName for source in sources] == [sample.title for sample in Sample]
    assert all("synthetic" in source.sampleName and Path(source.thumbnailFileName).is_file() for source in sources)


def test_a_click_in_the_sample_data_module_shows_the_sample(the_sample_data_module, a_scene):
    register_samples(SampleDataLogic, ICONS, load_sample)
    the_sample_data_module.press(Sample.STRESS.title)
    shown = slicer.app.applicationLogic().GetSelectionNode().GetActiveVolumeID()
    assert slicer.mrmlScene.GetNodeByID(shown).GetName() == "Stress perfusion mid"


def test_a_click_does_what_the_module_wants(the_sample_data_module):
    wanted = []
    register_samples(SampleDataLogic, ICONS, wanted.append)
    for sample in Sample:
        the_sample_data_module.press(sample.title)
    assert wanted == list(Sample)
