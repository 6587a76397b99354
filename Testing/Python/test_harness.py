"""The core of the Slicer harness: real MRML without a window, and plain words where something is missing."""

from __future__ import annotations

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing, sentence


def test_a_scene_starts_empty_of_a_users_nodes(a_scene):
    assert a_scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == 0
    a_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "left behind")


def test_a_scene_of_the_next_test_is_empty_again(a_scene):
    assert a_scene.GetFirstNodeByName("left behind") is None


def test_modules_give_their_logics(a_scene):
    import slicer

    assert slicer.mrmlScene is a_scene
    assert slicer.modules.sequences.logic().IsA("vtkSlicerSequencesLogic")


def test_a_node_gets_its_item_in_the_subject_hierarchy(a_scene):
    import slicer

    node = a_scene.AddNewNodeByClass("vtkMRMLTableNode", "segments")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(a_scene)
    assert hierarchy.GetItemName(hierarchy.GetItemByDataNode(node)) == "segments"


def test_a_scene_comes_back_from_its_bundle(a_scene, tmp_path):
    import slicer

    volume = slicer.util.addVolumeFromArray(np.arange(24.0).reshape(2, 3, 4), name="map")
    path = str(tmp_path / "study.mrb")
    assert a_scene.WriteToMRB(path)
    a_scene.RemoveNode(volume)
    assert a_scene.ReadFromMRB(path)
    assert np.array_equal(slicer.util.arrayFromVolume(slicer.util.getNode("map")).ravel(), np.arange(24.0))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ImportError("libEGL.so.1: cannot open shared object file: No such file"), "apt-get install libegl1"),
        (ImportError("libodd.so.3: cannot open shared object file: No such file"), "libegl1 libgl1-mesa-dri"),
        (ModuleNotFoundError("No module named 'slicer'", name="slicer"), "the package slicer-core is not installed"),
        (ModuleNotFoundError("No module named 'PySide6'", name="PySide6"), "PySide6-Essentials"),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(error, said):
    assert said in sentence(error)


def test_nothing_is_said_where_nothing_is_missing():
    assert missing("json") is None
