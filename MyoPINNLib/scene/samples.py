"""Sample studies, drawn here by the phantom simulator: nothing is downloaded, no patient is in them, their flow is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..events import Event, Progress
from ..quantities import QUANTITIES
from ..sample_list import Sample
from ..simulate.heart import LEVELS
from ..simulate.phantom import Phantom, make_phantom
from ..simulate.recipes import Preset
from .added import all_or_nothing, put_under, subject_hierarchy
from .arriving import Arriving
from .heart import add_insertion, add_segmentation
from .playing import show_in_views
from .studies import SceneStudy, View, add_study, unused, view_of

FOLDER = "MyoPINN sample (synthetic)"
SYNTHETIC = "Synthetic: drawn by MyoPINN's phantom simulator, not a patient."
_SEED = 1
_NAMES = {Preset.STRESS: "Stress perfusion", Preset.REST: "Rest perfusion"}


@dataclass(frozen=True)
class SceneSample:
    """A sample in the scene: its studies, ``segmentation`` and ``insertion`` nodes, ``folder`` item, and the truth of each
    study ("stress", "rest"): quantity -> (k, j, i) in shown units, NaN outside the myocardium.
    """

    stress: SceneStudy
    rest: SceneStudy | None
    segmentation: object
    insertion: object
    folder: int
    truth: Mapping[str, Mapping[str, np.ndarray]]


class SampleLoading(Arriving[list, SceneSample]):
    """A sample on its way into the scene, drawn beside the main thread: ``start``, ``poll``, then ``result`` is there."""

    def __init__(self, sample: Sample, *, on_progress: Callable[[Progress], None] | None = None) -> None:
        super().__init__(lambda report: _drawn(sample, report), _show, on_progress=on_progress)


def add_sample(sample: Sample, *, on_progress: Callable[[Progress], None] | None = None) -> SceneSample:
    """Draw a sample, put it into the scene and wait for it (2 to 3 s); ``SampleLoading`` is the same without waiting."""
    loading = SampleLoading(sample, on_progress=on_progress)
    loading.start()
    return loading.wait()


def load_sample(sample: Sample) -> list:
    """Put a sample into the scene and the slice views, as a click in Slicer's Sample Data module does: its nodes."""
    added = add_sample(sample)
    show_in_views(added.stress.nodes)
    return [*added.stress.nodes, added.segmentation, added.insertion]


def _drawn(sample: Sample, report: Callable[[Event], None]) -> list[tuple[Preset, Phantom, View]]:
    """In a thread: no node is touched."""
    found = []
    for n, preset in enumerate(map(Preset, sample.value)):
        report(Progress(f"drawing the {preset.value} study", n / len(sample.value)))
        phantom = make_phantom(preset, seed=_SEED)
        found.append((preset, phantom, view_of(phantom.series)))
    report(Progress("drawn", 1.0))
    return found


def _show(drawn: list[tuple[Preset, Phantom, View]]) -> SceneSample:
    heart = drawn[0][1]
    with all_or_nothing():
        hierarchy = subject_hierarchy()
        folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), FOLDER)
        studies = {preset.value: _study(preset, phantom, view, folder) for preset, phantom, view in drawn}
        segmentation = add_segmentation(heart.masks, unused("Heart"))
        segmentation.GetDisplayNode().SetVisibility2DFill(False)
        insertion = add_insertion(heart.insertion_lps, unused("RV insertion"))
        insertion.CreateDefaultDisplayNodes()
        insertion.GetDisplayNode().SetPointLabelsVisibility(False)
        for node in (segmentation, insertion):
            put_under(folder, node)
            node.SetDescription(SYNTHETIC)
    truth = {preset.value: _truth(phantom) for preset, phantom, _ in drawn}
    return SceneSample(studies["stress"], studies.get("rest"), segmentation, insertion, folder, truth)


def _study(preset: Preset, phantom: Phantom, view: View, folder: int) -> SceneStudy:
    name = _NAMES[preset]
    return add_study(phantom.series, name, slices=LEVELS, description=SYNTHETIC, folder=folder, view=view)


def _truth(phantom: Phantom) -> dict[str, np.ndarray]:
    return {name: QUANTITIES[name].shown(values) for name, values in phantom.truth.items()}
