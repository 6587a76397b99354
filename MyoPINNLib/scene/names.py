"""Which node and which segment is meant, by the names that people usually give: a study with usual names needs no choosing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from ..files.masks import SEGMENT_NAMES
from .nodes import the_scene

ROLES = ("myocardium", "blood_pool", "right_ventricle")
_WORDS = {
    "right_ventricle": r"\b(rv|right vent\w*|rechter? ventri\w*|rechte herzkammer|ventricule droit|ventriculo derecho)\b",
    "myocardium": r"\b(myo|myo[ck]ard\w*|miocard\w*|lvm|lvmyo|muscle|wall|wand|herzmuskel\w*|paroi|pared)\b",
    "blood_pool": (
        r"\b(blood ?pool|bloodpool|blood|cavity|cavum|lumen|lv|lvbp|lvc|left vent\w*|aif|linker? ventri\w*"
        r"|linke herzkammer|blutpool|ventricule gauche|ventriculo izquierdo|cavite|cavidad)\b"
    ),
}
_SERIES = r"\b(perf\w*|first ?pass|stress|dynamic|dsc|dce|tfl|sr ?tfl|belastung)\b"
_REST = r"\b(rest|ruhe|repos|reposo)\b"
_INSERTION = r"\b(rv ?insertion|insertion|rvi|septum)\b"
_OTHER = {
    "myocardium": r"\b(epi\w*|scar|lge|papillar\w*|fat|pericard\w*)\b",
    "right_ventricle": r"\b(myo\w*|wall|insertion)\b",
}


def simple(name: str) -> str:
    """``name`` in small letters, without accents, its words apart by one space each ("LV_BloodPools" -> "lv blood pools")."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)
    letters = unicodedata.normalize("NFKD", apart.casefold())
    return " ".join(re.sub(r"[^a-z0-9]+", " ", "".join(c for c in letters if not unicodedata.combining(c))).split())


def role_of(name: str) -> str | None:
    """Which of ``ROLES`` a segment's name says; None where it says none of them."""
    words = re.sub(r"\b(\w{4,})s\b", r"\1", simple(name))
    for role, usual in SEGMENT_NAMES.items():
        if words in usual:
            return role
    for role in _WORDS:
        if re.search(_WORDS[role], words):
            return None if role in _OTHER and re.search(_OTHER[role], words) else role
    return None


def find_segments(segmentation) -> dict[str, str]:
    """Role -> segment id of a segmentation node, for each of ``ROLES`` that exactly one segment is called after.

    Of several the one with the very usual name counts ("Myocardium" beside "Myocardium apical").
    """
    segments = segmentation.GetSegmentation()
    ids = [segments.GetNthSegmentID(n) for n in range(segments.GetNumberOfSegments())]
    names = {id: segments.GetSegment(id).GetName() or "" for id in ids}
    found = {}
    for role in ROLES:
        there = [id for id in ids if role_of(names[id]) == role]
        usual = [id for id in there if simple(names[id]) in SEGMENT_NAMES[role]]
        chosen = there if len(there) == 1 else usual
        if len(chosen) == 1:
            found[role] = chosen[0]
    return found


def find_segmentation(besides=frozenset()):
    """The segmentation of the scene whose segments carry usual names; None where there is none, or more than one. Those
    whose ids are in ``besides`` do not count.
    """
    every = [node for node in _nodes("vtkMRMLSegmentationNode") if node.GetID() not in besides]
    named = [node for node in every if {"myocardium", "blood_pool"} <= set(find_segments(node))]
    return named[0] if len(named) == 1 else None


def find_series() -> list:
    """The series nodes of the stress study by name: one, or one a slice (names that differ in a number or a level alone).

    Where no name speaks, the only series of the scene with several frames; [] where that is not clear.
    """
    named = [node for node in every_series() if re.search(_SERIES, simple(node.GetName() or ""))] or every_series()
    return _the_only_group([node for node in named if not at_rest(node)] or named)


def find_rest() -> list:
    """The series nodes of the rest study by name; [] where there is none beside a stress study, or that is not clear."""
    rest = [node for node in every_series() if at_rest(node)]
    return _the_only_group(rest) if len(rest) < len(every_series()) else []


def _the_only_group(nodes: list) -> list:
    """``nodes`` where all of them are slices of one study by their names, else []."""
    groups: dict[str, list] = {}
    for node in nodes:
        groups.setdefault(_stem(node.GetName() or ""), []).append(node)
    return next(iter(groups.values())) if len(groups) == 1 else []


def at_rest(node) -> bool:
    """True where a series' name says that it was taken at rest."""
    return bool(re.search(_REST, simple(node.GetName() or "")))


def every_series() -> list:
    """The series nodes of the scene that have several frames of images."""
    kinds = ("vtkMRMLSequenceNode", "vtkMRMLMultiVolumeNode")
    return [node for kind in kinds for node in _nodes(kind) if _dynamic(node)]


def find_insertion(besides=frozenset()):
    """The point list of the scene that is called after the RV insertion; None where there is none, or more than one. Those
    whose ids are in ``besides`` do not count.
    """
    every = [node for node in _nodes("vtkMRMLMarkupsFiducialNode") if node.GetID() not in besides]
    named = [node for node in every if re.search(_INSERTION, simple(node.GetName() or ""))]
    return named[0] if len(named) == 1 else None


def offered() -> set[str]:
    """The ids of all nodes that can be chosen as input: series, segmentations, point lists."""
    kinds = ("vtkMRMLSegmentationNode", "vtkMRMLMarkupsFiducialNode")
    return {node.GetID() for node in [*every_series(), *(node for kind in kinds for node in _nodes(kind))]}


def _stem(name: str) -> str:
    return " ".join(re.sub(r"\b(\d+|basal|base|mid|middle|apical|apex|sax|slice)\b", " ", simple(name)).split())


def _dynamic(node) -> bool:
    if node.IsA("vtkMRMLSequenceNode"):
        first = node.GetNthDataNode(0) if node.GetNumberOfDataNodes() > 1 else None
        return first is not None and first.IsA("vtkMRMLScalarVolumeNode")
    return True


def _nodes(kind: str) -> Iterable:
    scene = the_scene()
    for n in range(scene.GetNumberOfNodesByClass(kind)):
        node = scene.GetNthNodeByClass(n, kind)
        if not node.GetHideFromEditors():
            yield node
