"""Nodes that come into the scene together or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import slicer
import vtk

from .nodes import the_scene


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Whatever the block adds to the scene is taken out again where it fails; views are drawn once, at its end."""
    scene = the_scene()
    before, items = set(_ids(scene)), set(_items())
    scene.StartState(scene.BatchProcessState)
    try:
        yield
    except BaseException:
        remove_nodes(scene.GetNodeByID(id) for id in _ids(scene) if id not in before)
        for item in set(_items()) - items:
            subject_hierarchy().RemoveItem(item, False, False)
        raise
    finally:
        scene.EndState(scene.BatchProcessState)


def remove_nodes(nodes) -> None:
    """Take nodes out of the scene with what only serves them: display, storage, place in the subject hierarchy."""
    scene = the_scene()
    hierarchy = subject_hierarchy()
    for node in [node for node in nodes if node is not None and node.GetScene() is scene and node is not hierarchy]:
        serving = [node.GetNthDisplayNode(n) for n in range(_count(node, "GetNumberOfDisplayNodes"))]
        serving += [node.GetNthStorageNode(n) for n in range(_count(node, "GetNumberOfStorageNodes"))]
        item = hierarchy.GetItemByDataNode(node)
        scene.RemoveNode(node)
        for each in serving:
            if each is not None and each.GetScene() is scene:
                scene.RemoveNode(each)
        if item and hierarchy.GetItemByDataNode(node) == item:
            hierarchy.RemoveItem(item, False, False)


def hidden_node(kind: str, name: str):
    """A node of the scene that no list offers and no file keeps."""
    node = the_scene().CreateNodeByClass(kind)
    node.UnRegister(None)
    node.SetName(name)
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    return the_scene().AddNode(node)


def subject_hierarchy():
    """The scene's subject hierarchy; made where there is none."""
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(the_scene())


def put_under(folder: int, node) -> int:
    """The item of ``node``, moved or made below ``folder``."""
    hierarchy = subject_hierarchy()
    item = hierarchy.GetItemByDataNode(node)
    if not item:
        return hierarchy.CreateItem(folder, node)
    hierarchy.SetItemParent(item, folder)
    return item


def _ids(scene) -> list[str]:
    return [scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())]


def _items() -> list[int]:
    """The ids of all items of the subject hierarchy."""
    hierarchy, found = subject_hierarchy(), vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), found, True)
    return [found.GetId(n) for n in range(found.GetNumberOfIds())]


def _count(node, method: str) -> int:
    return getattr(node, method)() if hasattr(node, method) else 0
