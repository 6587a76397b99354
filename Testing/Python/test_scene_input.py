"""A study out of Slicer's scene: series with their own clocks and grids, masks from segments, points, usual names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "vtk"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
import vtk
from scene_cases import a_heart, rotation

from MyoPINNLib.errors import InputError
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.scene import (
    add_insertion,
    add_segmentation,
    add_series,
    find_insertion,
    find_rest,
    find_segmentation,
    find_segments,
    find_series,
    frame_times,
    insertion_from_points,
    keep_times,
    masks_from_segments,
    own_times,
    role_of,
    series_from_nodes,
    slice_names,
)
from MyoPINNLib.scene.nodes import RAS_LPS, filled, vtk_matrix
from MyoPINNLib.scene.times import GIVEN

TENTH = 0.1


@pytest.fixture(scope="module")
def oblique():
    return a_heart(oblique=True)


@pytest.fixture(scope="module")
def on_one_clock():
    return a_heart(oblique=True, shared_clock=True)


def a_sequence(values, *, index=None, unit="s", affine=None, name="Perfusion"):
    """A sequence node of frames (t, k, j, i) with the index ``index``."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    node.SetIndexUnit(unit)
    for t, frame in enumerate(values):
        volume = filled(slicer.vtkMRMLScalarVolumeNode(), frame, np.eye(4) if affine is None else affine)
        node.SetDataNodeAtValue(volume, str(t) if index is None else f"{index[t]:g}")
    return node


def frames(count=5, shape=(1, 4, 4)):
    return np.arange(count * np.prod(shape), dtype=np.float32).reshape(count, *shape)


def chosen(segmentation, geometry, **more):
    return masks_from_segments(
        segmentation, geometry, **{"myocardium": "Myocardium", "blood_pool": "LV blood pool", **more}
    )


def test_slices_with_their_own_clocks_come_back_as_they_were(oblique, a_scene):
    nodes = add_series(oblique.series, "Stress")
    assert len(nodes) == 3
    found = series_from_nodes(nodes)
    assert found.geometry.same_grid(oblique.series.geometry)
    assert np.array_equal(found.signal, oblique.series.signal) and np.allclose(found.time, oblique.series.time)
    assert (found.time[0] != found.time[1]).all()
    assert found.acquisition.TS == pytest.approx(0.11) and found.acquisition.pulses == 32


def test_the_order_of_the_nodes_does_not_matter(oblique, a_scene):
    first, second, third = add_series(oblique.series, "Stress")
    found = series_from_nodes([third, first, second])
    assert np.array_equal(found.signal, oblique.series.signal)


def test_an_oblique_series_lies_where_it_was_taken_to_a_tenth_of_a_voxel(on_one_clock, a_scene):
    (node,) = add_series(on_one_clock.series, "Stress")
    found, there = series_from_nodes(node).geometry, on_one_clock.series.geometry
    corners = np.array([[k, j, i] for k in (0, 2) for j in (0, 63) for i in (0, 63)])
    apart = np.linalg.norm(found.to_lps(corners) - there.to_lps(corners), axis=1)
    assert apart.max() < TENTH * there.spacing[0, 0]


def test_slices_that_are_not_parallel_are_one_series(a_scene):
    tilted = a_heart(tilted=True)
    found = series_from_nodes(add_series(tilted.series, "Stress"))
    assert not found.geometry.uniform and found.geometry.same_grid(tilted.series.geometry)


def test_a_proxy_at_another_frame_changes_nothing(on_one_clock, a_scene):
    (node,) = add_series(on_one_clock.series, "Stress")
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Browser")
    browser.AddSynchronizedSequenceNode(node)
    logic = slicer.modules.sequences.logic()
    browser.SetSelectedItemNumber(20)
    logic.UpdateProxyNodesFromSequences(browser)
    assert np.array_equal(series_from_nodes(node).signal, on_one_clock.series.signal)


def test_a_transform_on_the_volume_that_is_seen_moves_the_series(on_one_clock, a_scene):
    (node,) = add_series(on_one_clock.series, "Stress")
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Browser")
    browser.AddSynchronizedSequenceNode(node)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    moved = np.eye(4)
    moved[:3, 3] = (10.0, -5.0, 3.0)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Moved")
    transform.SetMatrixTransformToParent(vtk_matrix(moved))
    browser.GetProxyNode(node).SetAndObserveTransformNodeID(transform.GetID())
    apart = series_from_nodes(node).geometry.centres - on_one_clock.series.geometry.centres
    assert np.allclose(apart, RAS_LPS[:3, :3] @ moved[:3, 3])


@pytest.mark.parametrize(("unit", "factor"), [("s", 1.0), ("ms", 1000.0), ("Seconds", 1.0)])
def test_the_index_is_read_in_its_unit(a_scene, unit, factor):
    clock = np.array([0.0, 0.7, 1.5, 2.2, 2.9])
    found = frame_times(a_sequence(frames(), index=clock * factor, unit=unit), 5)
    assert np.allclose(found.time, clock)


@pytest.mark.parametrize("unit", ["", "frame", "min"])
def test_an_index_that_is_no_time_is_asked_about(a_scene, unit):
    with pytest.raises(
        InputError, match=r"does not say when its 5 frames were taken.* 0 to 4.*Give the frame times in s"
    ):
        series_from_nodes(a_sequence(frames(), unit=unit))


def test_whole_seconds_are_taken_and_doubted(a_scene):
    found = series_from_nodes(a_sequence(frames()))
    assert "are they frame numbers?" in " ".join(found.acquisition.notes)


def test_multi_volume_labels_are_the_times(a_scene):
    node = a_sequence(frames(), unit="")
    node.SetAttribute("MultiVolume.FrameLabels", "0,710,1420,2150,2900")
    node.SetAttribute("MultiVolume.FrameIdentifyingDICOMTagName", "AcquisitionTime")
    node.SetAttribute("MultiVolume.FrameIdentifyingDICOMTagUnits", "ms")
    node.SetAttribute("MultiVolume.DICOM.FlipAngle", "12")
    node.SetAttribute("MultiVolume.DICOM.RepetitionTime", "160")
    found = series_from_nodes(node)
    assert np.allclose(found.time[0], [0, 0.71, 1.42, 2.15, 2.9])
    assert found.acquisition.time_source == "MultiVolume frame labels (AcquisitionTime)"
    assert found.acquisition.flip_angle == pytest.approx(np.radians(12)) and found.acquisition.TR is None


@pytest.mark.parametrize(
    ("tag", "unit"), [("RepetitionTime", "ms"), ("TemporalPositionIdentifier", "count"), ("FlipAngle", "degrees")]
)
def test_labels_that_are_no_times_are_asked_about(a_scene, tag, unit):
    node = a_sequence(frames(), unit="")
    node.SetAttribute("MultiVolume.FrameLabels", "0,710,1420,2150,2900")
    node.SetAttribute("MultiVolume.FrameIdentifyingDICOMTagName", tag)
    node.SetAttribute("MultiVolume.FrameIdentifyingDICOMTagUnits", unit)
    with pytest.raises(InputError, match=f"tells its frames apart by {tag}"):
        series_from_nodes(node)


def test_a_volume_of_many_values_a_voxel_is_a_series_too(a_scene):
    values = frames()
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Multi")
    image = vtk.vtkImageData()
    image.SetDimensions(4, 4, 1)
    image.AllocateScalars(vtk.VTK_FLOAT, 5)
    vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())[:] = values.reshape(5, -1).T
    node.SetAndObserveImageData(image)
    assert np.array_equal(series_from_nodes(node, 0.8).signal, values)


def test_the_users_word_comes_first(a_scene):
    node = a_sequence(frames(), unit="")
    assert np.allclose(series_from_nodes(node, 0.9).time[0], 0.9 * np.arange(5))
    assert np.allclose(series_from_nodes(node, [0, 1, 2.5, 3, 4]).time[0], [0, 1, 2.5, 3, 4])


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([0, 1, 2], "5 frames and 3 frame times"),
        ([0, 1, 1, 2, 3], "do not increase"),
        ([0, 800, 1600, 2400, 3200], "milliseconds"),
        (0.0, "time between two frames is 0 s"),
    ],
)
def test_times_that_cannot_be_are_refused(a_scene, times, said):
    with pytest.raises(InputError, match=said):
        series_from_nodes(a_sequence(frames(), unit=""), times)


def test_times_that_the_user_kept_at_the_series_count_until_they_are_forgotten(a_scene):
    node = a_sequence(frames(3), unit="")
    keep_times(node, [0.0, 0.9, 1.7])
    assert frame_times(node, 3).time.tolist() == [0.0, 0.9, 1.7]
    keep_times(node, None)
    with pytest.raises(InputError, match="does not say when"):
        frame_times(node, 3)


def test_what_a_series_says_itself_is_there_whatever_the_user_gave(a_scene):
    node = a_sequence(frames(), index=[0, 0.8, 1.6, 2.4, 3.2])
    keep_times(node, [0.0, 1.0, 2.0, 3.0, 4.0])
    assert own_times(node, 5).time[1] == 0.8 and frame_times(node, 5).time[1] == 1.0


def test_slices_are_named_in_the_order_in_which_they_are_quantified(oblique, on_one_clock, a_scene):
    assert slice_names(add_series(on_one_clock.series, "One")) == ["Slice 1", "Slice 2", "Slice 3"]
    first, second, third = add_series(oblique.series, "S")
    assert slice_names([third, first, second]) == [f"Slice {n} (S {n})" for n in (1, 2, 3)]
    assert slice_names([first, first]) == [] and slice_names([]) == []


def test_kept_times_that_are_no_numbers_are_passed_over(a_scene):
    node = a_sequence(frames(3), index=(0.0, 0.8, 1.7), unit="s")
    node.SetAttribute(GIVEN, "0.0 soon 1.7")
    assert frame_times(node, 3).source == "sequence index (s)"


def test_what_is_no_series_is_told(a_scene):
    with pytest.raises(InputError, match="No perfusion series is chosen"):
        series_from_nodes(None)
    with pytest.raises(InputError, match="is empty"):
        series_from_nodes(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Nothing"))
    with pytest.raises(InputError, match="has 1 frame"):
        series_from_nodes(a_sequence(frames(1)))
    removed = a_sequence(frames())
    slicer.mrmlScene.RemoveNode(removed)
    with pytest.raises(InputError, match="no longer in the scene"):
        series_from_nodes(removed)


def test_frames_that_lie_apart_are_refused(a_scene):
    node = a_sequence(frames(), index=np.arange(5) * 0.8)
    shifted = np.eye(4)
    shifted[0, 3] = 3.0
    filled(node.GetNthDataNode(2), frames()[2], shifted)
    with pytest.raises(InputError, match="frame 3 lies up to"):
        series_from_nodes(node)


def test_segments_on_the_grid_are_the_masks(oblique, a_scene):
    node = add_segmentation(oblique.masks, "Heart")
    found = chosen(node, oblique.series.geometry, right_ventricle="Right ventricle")
    for name in ("myocardium", "blood_pool", "right_ventricle"):
        assert np.array_equal(getattr(found, name), getattr(oblique.masks, name))


def finer(masks, factor: int):
    """The masks on a grid with ``factor`` times as many pixels along rows and columns."""
    affine = masks.geometry.volume_affine().copy()
    affine[:3, 3] -= affine[:3, :2].sum(axis=1) * (0.5 - 0.5 / factor)
    affine[:3, :2] /= factor
    k, j, i = masks.geometry.shape
    return replace(
        masks,
        geometry=Geometry.from_volume(affine, (k, factor * j, factor * i)),
        **{
            name: np.repeat(np.repeat(getattr(masks, name), factor, axis=1), factor, axis=2)
            for name in ("myocardium", "blood_pool", "right_ventricle")
        },
    )


@pytest.mark.parametrize("factor", [2, 3])
def test_a_segmentation_on_a_finer_grid_falls_into_place(oblique, a_scene, factor):
    node = add_segmentation(finer(oblique.masks, factor), "Heart")
    assert np.array_equal(chosen(node, oblique.series.geometry).myocardium, oblique.masks.myocardium)


def test_a_segmentation_under_a_transform_is_read_where_it_is_seen(oblique, a_scene):
    turned = rotation((0.2, 1.0, 0.3), 0.3)
    masks = replace(
        oblique.masks, geometry=Geometry(turned @ oblique.masks.geometry.ijk_to_lps, oblique.masks.geometry.shape)
    )
    node = add_segmentation(masks, "Heart")
    back = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Back")
    back.SetMatrixTransformToParent(vtk_matrix(RAS_LPS @ np.linalg.inv(turned) @ RAS_LPS))
    node.SetAndObserveTransformNodeID(back.GetID())
    assert np.array_equal(chosen(node, oblique.series.geometry).myocardium, oblique.masks.myocardium)


def test_a_segmentation_of_another_frame_of_reference_is_refused(oblique, a_scene):
    away = oblique.masks.geometry.ijk_to_lps.copy()
    away[:, 2, 3] += 400
    node = add_segmentation(replace(oblique.masks, geometry=Geometry(away, oblique.masks.geometry.shape)), "Heart")
    with pytest.raises(InputError, match=r"touches no slice of the series.* mm apart.*frame of reference"):
        chosen(node, oblique.series.geometry)


def test_a_segment_beside_the_images_is_refused(oblique, a_scene):
    beside = oblique.masks.geometry.ijk_to_lps.copy()
    beside[:, :3, 3] += 25 * beside[:, :3, 0]
    node = add_segmentation(replace(oblique.masks, geometry=Geometry(beside, oblique.masks.geometry.shape)), "Heart")
    with pytest.raises(InputError, match="lie beside the images|touches no slice"):
        chosen(node, oblique.series.geometry)


def test_swapped_segments_are_noticed(oblique, a_scene):
    node = add_segmentation(oblique.masks, "Heart")
    with pytest.raises(InputError, match=r"surrounds the myocardium in 3 of 3 slices.*swapped"):
        masks_from_segments(node, oblique.series.geometry, myocardium="LV blood pool", blood_pool="Myocardium")


def test_the_right_ventricle_as_blood_pool_is_noticed(oblique, a_scene):
    node = add_segmentation(oblique.masks, "Heart")
    with pytest.raises(
        InputError, match=r"Only 0 of \d+ voxels of the LV blood pool lie inside the ring.*right ventricle"
    ):
        masks_from_segments(node, oblique.series.geometry, myocardium="Myocardium", blood_pool="Right ventricle")


@pytest.mark.parametrize("side", [np.s_[:, :40], np.s_[:, 24:], np.s_[:40, :], np.s_[24:, :]])
def test_an_open_ring_surrounds_its_blood_pool(oblique, a_scene, side):
    wall = np.zeros_like(oblique.masks.myocardium)
    wall[(slice(None), *side)] = oblique.masks.myocardium[(slice(None), *side)]
    assert 0.5 < wall.sum() / oblique.masks.myocardium.sum() < 1
    node = add_segmentation(replace(oblique.masks, myocardium=wall), "Heart")
    assert (chosen(node, oblique.series.geometry).blood_pool == oblique.masks.blood_pool).all()


def test_segments_that_are_not_there_or_empty_are_told(oblique, a_scene):
    node = add_segmentation(oblique.masks, "Heart")
    with pytest.raises(InputError, match='no segment "Wall" for the myocardium.*There are: Myocardium, LV blood pool'):
        chosen(node, oblique.series.geometry, myocardium="Wall")
    node.GetSegmentation().AddEmptySegment("", "Nothing", (1, 0, 0))
    with pytest.raises(InputError, match="The myocardium segment is empty"):
        chosen(node, oblique.series.geometry, myocardium="Nothing")
    with pytest.raises(InputError, match="for both"):
        chosen(node, oblique.series.geometry, myocardium="LV blood pool")


def test_a_segment_drawn_as_a_surface_alone_is_read_and_left_as_it_is(oblique, a_scene):
    node = add_segmentation(replace(oblique.masks, right_ventricle=None), "Heart")
    node.CreateClosedSurfaceRepresentation()
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    node.RemoveBinaryLabelmapRepresentation()
    found = chosen(node, oblique.series.geometry).myocardium
    assert not node.GetSegmentation().ContainsRepresentation("Binary labelmap")
    both = (found & oblique.masks.myocardium).sum()
    assert 2 * both / (found.sum() + oblique.masks.myocardium.sum()) > 0.7


def test_points_are_lps_and_unset_ones_do_not_count(a_scene):
    node = add_insertion([(10.0, -20.0, 30.0)], "RV insertion")
    assert insertion_from_points(node) == ((10.0, -20.0, 30.0),)
    place = [0.0, 0.0, 0.0]
    node.GetNthControlPointPositionWorld(0, place)
    assert place == [-10.0, 20.0, 30.0]
    node.UnsetNthControlPointPosition(0)
    with pytest.raises(InputError, match="holds no point"):
        insertion_from_points(node)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("LV blood pool", "blood_pool"),
        ("LV_BloodPool", "blood_pool"),
        ("Cavity", "blood_pool"),
        ("lv", "blood_pool"),
        ("Linker Ventrikel", "blood_pool"),
        ("Myocardium", "myocardium"),
        ("LV myocardium", "myocardium"),
        ("Myo", "myocardium"),
        ("Myokard", "myocardium"),
        ("Herzmuskel", "myocardium"),
        ("miocardio", "myocardium"),
        ("RV blood pool", "right_ventricle"),
        ("Right Ventricle", "right_ventricle"),
        ("RV myocardium", None),
        ("Liver", None),
        ("Segment_1", None),
    ],
)
def test_usual_names_say_what_is_meant(name, role):
    assert role_of(name) == role


def test_a_study_with_usual_names_needs_no_choosing(oblique, a_scene):
    stress = add_series(oblique.series, "Stress perfusion")
    add_series(oblique.series, "Rest perfusion")
    heart, point = add_segmentation(oblique.masks, "Heart"), add_insertion(oblique.insertion, "RV insertion")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Empty")
    assert find_series() == stress
    assert find_segmentation() is heart and find_insertion() is point
    names = {role: heart.GetSegmentation().GetSegment(id).GetName() for role, id in find_segments(heart).items()}
    assert names == {"myocardium": "Myocardium", "blood_pool": "LV blood pool", "right_ventricle": "Right ventricle"}


def test_the_rest_series_is_told_from_the_stress_series_by_its_name(oblique, a_scene):
    stress, rest = add_series(oblique.series, "Stress perfusion"), add_series(oblique.series, "Rest perfusion")
    assert find_series() == stress and find_rest() == rest
    for node in stress:
        a_scene.RemoveNode(node)
    assert find_rest() == [] and find_series() == rest


def test_what_is_not_clear_is_not_chosen(oblique, a_scene):
    add_series(oblique.series, "Perfusion A")
    add_series(oblique.series, "Perfusion B")
    assert find_series() == []
    assert find_segmentation() is None


def test_frames_that_a_slice_lacks_stay_left_out(oblique, a_scene):
    weight = np.ones_like(oblique.series.weight)
    weight[1, 7] = 0
    nodes = add_series(replace(oblique.series, weight=weight), "Stress")
    assert np.array_equal(series_from_nodes(nodes).weight, weight)


def test_attributes_that_make_no_sense_are_passed_over(oblique, a_scene):
    nodes = add_series(oblique.series, "Stress")
    nodes[0].SetAttribute("MyoPINN slice thickness mm", "thick")
    nodes[0].SetAttribute("MyoPINN frames left out", "x:y 99:1 -3")
    assert (series_from_nodes(nodes).weight == 1).all()
