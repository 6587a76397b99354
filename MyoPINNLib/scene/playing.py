"""The frames of a study on the screen: one browser for all of its sequences, at the frame that is asked for.

A browser shows of every sequence the last frame that is not later than the one of its master. So the slice that each
heartbeat images last is the master: then all slices show the same heartbeat.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer

from ..errors import InputError
from ..series import PerfusionSeries
from .nodes import called, in_scene, the_scene

_BRIGHT = 0.5
_HIGHEST = 0.999
_LATER_HALF = 0.75  # the right ventricle peaks first; the left one is meant
_AHEAD = 5  # frames: proton-density images, brighter than the bolus
_DARK, _LIGHT = 0.005, 0.995
_FRAMES_A_SECOND = 8.0


def peak_frame(series: PerfusionSeries) -> int:
    """The frame at which the left ventricle is about brightest, found without masks.

    Of the pixels that rise most, those of the left ventricle peak last. Bright proton-density frames ahead do not count.
    """
    mean = series.signal.mean(axis=(1, 2, 3))
    ahead = min(_AHEAD, len(mean) // 4)
    start = int(mean[: ahead + mean[ahead:].argmax() + 1].argmin())
    after = series.signal[start:]
    rise = after.max(axis=0) - after[0]
    bright = rise >= _BRIGHT * np.quantile(rise, _HIGHEST)
    return start + int(np.quantile(after[:, bright].argmax(axis=0), _LATER_HALF))


def window_of(series: PerfusionSeries, frame: int) -> tuple[float, float]:
    """Darkest and brightest signal to tell apart at ``frame``."""
    low, high = np.quantile(series.signal[frame], [_DARK, _LIGHT])
    return float(low), float(high) if high > low else float(low) + 1.0


def add_browser(nodes: Sequence, name: str):
    """A sequence browser in the scene that plays ``nodes``, the sequences of one study, in step; their volumes are made."""
    browser = the_scene().AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    last = max(nodes, key=lambda node: _times(node)[0])
    browser.SetAndObserveMasterSequenceNodeID(last.GetID())
    for node in nodes:
        if node is not last:
            browser.AddSynchronizedSequenceNode(node)
    for node in nodes:
        browser.SetSaveChanges(node, False)
    browser.SetPlaybackRateFps(_FRAMES_A_SECOND)
    _update(browser)
    return browser


def browser_of(node):
    """The sequence browser that plays ``node``; None where none does, and for what is no sequence."""
    scene = the_scene()
    if not node.IsA("vtkMRMLSequenceNode"):
        return None
    for n in range(scene.GetNumberOfNodesByClass("vtkMRMLSequenceBrowserNode")):
        browser = scene.GetNthNodeByClass(n, "vtkMRMLSequenceBrowserNode")
        if browser.IsSynchronizedSequenceNode(node, True):
            return browser
    return None


def volumes_of(nodes: Sequence) -> list:
    """The volume that shows each sequence; a volume node given stands for itself. InputError where no browser plays one."""
    return [_browser(node).GetProxyNode(node) if node.IsA("vtkMRMLSequenceNode") else node for node in nodes]


def show_frame(nodes: Sequence, number: int) -> None:
    """Bring the sequences of a study to frame ``number``, counted from 0; beyond an end it is the last one there."""
    _select(nodes, lambda master: min(max(number, 0), master.GetNumberOfDataNodes() - 1))


def show_time(nodes: Sequence, seconds: float) -> None:
    """Bring the sequences of a study to their frames about ``seconds`` s, in the index's unit."""
    _select(nodes, lambda master: int(np.abs(_times(master) - seconds).argmin()))


def show_in_views(nodes: Sequence) -> None:
    """Let the slice views show the study: its middle slice, or its only volume."""
    volumes = volumes_of(nodes)
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetActiveVolumeID(volumes[len(volumes) // 2].GetID())
    slicer.app.applicationLogic().PropagateVolumeSelection()


def set_window(nodes: Sequence, low: float, high: float) -> None:
    """The same grey values for all volumes of a study."""
    for volume in volumes_of(nodes):
        if volume.GetDisplayNode() is None:
            volume.CreateDefaultDisplayNodes()
        display = volume.GetDisplayNode()
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(low, high)


def _select(nodes: Sequence, item_of) -> None:
    for browser in {browser.GetID(): browser for browser in map(_browser, nodes)}.values():
        browser.SetSelectedItemNumber(item_of(browser.GetMasterSequenceNode()))
        _update(browser)


def _browser(node):
    browser = browser_of(in_scene(node, "perfusion series"))
    if browser is None:
        raise InputError(f"No sequence browser plays {called(node)}.", "Make one in the Sequences module.")
    return browser


def _times(node) -> np.ndarray:
    return np.array([float(node.GetNthIndexValue(n)) for n in range(node.GetNumberOfDataNodes())])


def _update(browser) -> None:
    """Bring the volumes up to date now; else a scene in the midst of changes would only do so at their end."""
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
