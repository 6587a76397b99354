"""Studies that cannot be quantified, by real clicks: one sentence in the status line and its tooltip, an unchanged scene."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
import vtk
from input_cases import index_by_count, middle_slice, repaint, tick, with_masks
from module_cases import QUICK, add_case
from scene_cases import contents

from MyoPINNLib.scene import add_study, browser_of, find_analyses, show_frame
from Testing.SlicerHarness.clicks import choose, click, screenshot, wait


def flat(study):
    """The first frame for ever: no bolus."""
    return replace(study, series=replace(study.series, signal=np.repeat(study.series.signal[:1], 36, axis=0)))


def one_voxel(study):
    """A myocardium of one voxel."""
    wall = np.zeros_like(study.masks.myocardium)
    wall[tuple(np.argwhere(study.masks.myocardium)[0])] = True
    return with_masks(study, myocardium=wall)


def swapped(study):
    """Myocardium and blood pool each called after the other."""
    return with_masks(study, myocardium=study.masks.blood_pool, blood_pool=study.masks.myocardium)


def moved(case):
    """The segmentation in another frame of reference."""
    shift = vtk.vtkMatrix4x4()
    shift.SetElement(0, 3, 300.0)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Elsewhere")
    transform.SetMatrixTransformToParent(shift)
    case[1].SetAndObserveTransformNodeID(transform.GetID())


def emptied(case):
    """A myocardium without a voxel."""
    segment = case[1].GetSegmentation().GetNthSegment(0)
    segment.GetRepresentation("Binary labelmap").GetPointData().GetScalars().Fill(0)


def holed(case):
    """NaN where the heart is."""
    repaint(case[0].nodes[0], lambda values: np.where(values > np.median(values), np.nan, values))


def darkened(case):
    """NaN everywhere."""
    repaint(case[0].nodes[0], lambda values: values * np.nan)


DRAWN = [
    (flat, "bolus|rises|enhance"),
    (one_voxel, "covers 1 voxel of the series"),
    (swapped, "surrounds the myocardium in 3 of 3 slices.*swapped"),
]
CHANGED = [
    (moved, "touches no slice of the series.*mm apart.*frame of reference"),
    (emptied, "myocardium segment is empty"),
    (holed, "pixel values inside the masks are not numbers"),
    (darkened, "pixel values inside the masks are not numbers"),
]


def refused(module, said: str) -> None:
    """Compute ends with one sentence that matches, and the scene is as it was."""
    module.choose_method(QUICK)
    before = contents(slicer.mrmlScene)
    module.compute()
    screenshot(module.window, "bad_input")
    assert re.search(said, module.status), module.status
    assert "Traceback" not in module.status and module.status[-1] in ".?"
    assert module.ui.statusLabel.toolTip == module.status
    assert contents(slicer.mrmlScene) == before and find_analyses() == []


@pytest.mark.parametrize(("drawn", "said"), DRAWN, ids=lambda each: getattr(each, "__name__", ""))
def test_a_study_that_cannot_be_quantified_is_refused_in_a_sentence(a_module, a_small_heart, drawn, said):
    add_case(drawn(a_small_heart))
    wait(lambda: a_module.ui.computeButton.enabled)
    refused(a_module, said)


@pytest.mark.parametrize(("changed", "said"), CHANGED, ids=lambda each: getattr(each, "__name__", ""))
def test_nodes_that_do_not_fit_are_refused_in_a_sentence(a_module, a_small_heart, changed, said):
    changed(add_case(a_small_heart))
    wait(lambda: a_module.ui.computeButton.enabled)
    refused(a_module, said)


def test_one_slice_in_two_series_is_refused(a_module, a_small_heart):
    add_case(a_small_heart)
    add_study(a_small_heart.series, "Copy")
    wait(lambda: not a_module.panel._looking)
    tick(a_module.ui.seriesSelector, "Copy")
    assert a_module.ui.levelsButton.toolTip == "The slices of these series do not fit together."
    refused(a_module, "hold the same slice")


def test_a_sequence_that_holds_no_images_is_refused(a_module, a_small_heart):
    add_case(a_small_heart)
    shifts = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Shifts")
    shifts.SetIndexUnit("s")
    for n in range(5):
        shifts.SetDataNodeAtValue(slicer.vtkMRMLLinearTransformNode(), f"{0.8 * n:g}")
    wait(lambda: not a_module.panel._looking)
    tick(a_module.ui.seriesSelector, "Shifts")
    refused(a_module, '"Shifts" holds no grey images')


def test_a_sentence_goes_when_something_else_is_chosen(a_module, a_small_heart):
    add_case(swapped(a_small_heart))
    wait(lambda: a_module.ui.computeButton.enabled)
    refused(a_module, "swapped")
    choose(a_module.ui.myocardiumSelector, "LV blood pool")
    choose(a_module.ui.bloodPoolSelector, "Myocardium")
    assert a_module.status == "Ready to compute."


def test_a_series_of_one_frame_is_refused_before_it_is_computed(a_module, a_small_heart):
    (node,) = add_case(a_small_heart)[0].nodes
    wait(lambda: a_module.ui.computeButton.enabled)
    while node.GetNumberOfDataNodes() > 1:
        node.RemoveDataNodeAtValue(node.GetNthIndexValue(1))
    a_module.panel.update()
    assert '"Stress perfusion" has 1 frame; perfusion needs a series over time.' in a_module.status
    assert not a_module.ui.computeButton.enabled and a_module.ui.computeButton.toolTip == a_module.status


def test_a_series_that_loses_its_times_after_it_was_chosen_is_not_computed(a_module, a_small_heart):
    (node,) = add_case(a_small_heart)[0].nodes
    wait(lambda: a_module.ui.computeButton.enabled)
    index_by_count(node)
    click(a_module.ui.computeButton)
    a_module.finish()
    assert "does not say when its 36 frames were taken" in a_module.status and find_analyses() == []


def test_the_frame_that_is_shown_does_not_matter(a_module, a_small_heart):
    a_thin_heart = middle_slice(a_small_heart)
    (node,) = add_case(a_thin_heart)[0].nodes
    show_frame([node], 20)
    assert browser_of(node).GetSelectedItemNumber() == 20
    a_module.compute(QUICK)
    (analysis,) = find_analyses()
    flow = analysis.maps["MBF"][a_thin_heart.masks.myocardium]
    truth = a_thin_heart.flow[a_thin_heart.masks.myocardium]
    assert np.nanmedian(flow) == pytest.approx(60 * np.median(truth), rel=0.3)
