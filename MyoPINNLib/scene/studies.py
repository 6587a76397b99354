"""A perfusion study put into the scene: its sequences in a folder, played in step, shown at the peak of the bolus."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

from ..series import PerfusionSeries
from .added import all_or_nothing, put_under, subject_hierarchy
from .nodes import the_scene
from .playing import add_browser, peak_frame, set_window, show_frame, volumes_of, window_of
from .series import add_series


@dataclass(frozen=True)
class View:
    """How a study is shown first: ``frame`` number from 0, ``window`` darkest and brightest signal."""

    frame: int
    window: tuple[float, float]


@dataclass(frozen=True)
class SceneStudy:
    """``nodes`` the sequences, one, or one a slice; their ``browser``; ``folder`` their item in the subject hierarchy."""

    name: str
    nodes: tuple
    browser: object
    folder: int

    @property
    def volumes(self) -> list:
        """The volume that shows each sequence."""
        return volumes_of(self.nodes)


def view_of(series: PerfusionSeries) -> View:
    """The peak of the bolus, and the grey values there. Touches no scene."""
    frame = peak_frame(series)
    return View(frame, window_of(series, frame))


def add_study(
    series: PerfusionSeries,
    name: str,
    *,
    slices: Sequence[str] = (),
    description: str = "",
    folder: int | None = None,
    view: View | None = None,
) -> SceneStudy:
    """The study in the scene, all of it or nothing, below a new folder of its ``name`` or below the item ``folder``.

    ``slices``: words for the slices in place of their numbers; ``description`` for every node. A name that is taken gets a
    letter behind it ("Stress perfusion B").
    """
    view = view or view_of(series)
    with all_or_nothing():
        name = unused(name)
        nodes = add_series(series, name, slices=slices)
        _describe(nodes, description)
        browser = add_browser(nodes, name)
        browser.SetDescription(description)
        hierarchy = subject_hierarchy()
        if folder is None:
            folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), name)
        study = SceneStudy(name, tuple(nodes), browser, folder)
        for volume in study.volumes:
            put_under(folder, volume)
        set_window(nodes, *view.window)
        show_frame(nodes, view.frame)
    return study


def _describe(nodes: Sequence, description: str) -> None:
    """Frames too: the volume that shows a sequence says what its frame says."""
    for node in nodes:
        node.SetDescription(description)
        for n in range(node.GetNumberOfDataNodes()):
            node.GetNthDataNode(n).SetDescription(description)


def unused(name: str) -> str:
    """``name``, or with a letter behind it where nodes of the scene are already called so."""
    scene = the_scene()
    taken = [scene.GetNthNode(n).GetName() or "" for n in range(scene.GetNumberOfNodes())]
    for letter in ("", *string.ascii_uppercase[1:]):
        each = f"{name} {letter}".strip()
        if not any(other == each or _slice_of(other, each) for other in taken):
            return each
    return scene.GenerateUniqueName(name)


def _slice_of(other: str, name: str) -> bool:
    """True for "Perfusion 1" or "Perfusion basal" of "Perfusion", not for "Perfusion B"."""
    behind = other.removeprefix(f"{name} ")
    return behind != other and len(behind.split()) == 1 and behind not in string.ascii_uppercase
