"""A map over the images it was made from, in the slice views: each view on a slice of the heart, at the frame of its peak."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..geometry import Geometry
from ..scene import Colours, SceneAnalysis, show_time, volumes_of
from ..scene.nodes import affine_of, parent_matrix, values_of
from .layout import PerfusionLayout
from .slices import VIEWS, evenly, place_on_image, place_view, show_in, shown_slices


@dataclass(frozen=True)
class Shown:
    """What is shown of an analysis: a ``quantity`` or its ``sd``, and how it is coloured;
    ``cut_off``: what is below it is marked; all ``segments`` painted, or one.
    """

    analysis: SceneAnalysis
    quantity: str
    sd: bool = False
    colours: Colours = Colours.ORDERED
    opacity: float = 1.0
    cut_off: float | None = None
    segments: bool = False
    selected: int = 0


class Overlay:
    """The slice views of the perfusion layout."""

    def __init__(self, layout: PerfusionLayout) -> None:
        self._layout = layout
        self._slices: list[int] = []

    def place(self, analysis: SceneAnalysis) -> None:
        """Show the layout, each view on its slice, the images at the frame where the myocardium is brightest."""
        self._slices = shown_slices(analysis.label)
        analysis.legend(None)  # that of a scene which was opened is in no view: it is made anew
        self._layout.show(len(self._slices))
        series = images_of(analysis)
        if series:
            self._show_peak(analysis, series)
        for name, k in zip(VIEWS, self._slices, strict=False):
            place_view(name, analysis, k)

    def place_images(self, series) -> None:
        """Show the layout with the images of ``series`` alone, as they were acquired."""
        volumes = sorted(volumes_of(series), key=_level)
        places = [(volume, k) for volume in volumes for k in range(volume.GetImageData().GetDimensions()[2])]
        chosen = [places[n] for n in evenly(len(places), len(VIEWS))]
        self._slices = []
        self._layout.show(len(chosen))
        for name, (volume, k) in zip(VIEWS, chosen, strict=False):
            place_on_image(
                name, Geometry.from_volume(affine_of(volume, parent_matrix(volume)), values_of(volume).shape), k
            )
            show_in(name, background=volume)

    @staticmethod
    def _show_peak(analysis: SceneAnalysis, series: list) -> None:
        with suppress(InputError):  # a sequence that no browser plays stays without images
            show_time(series, peak_time(analysis))

    def show(self, shown: Shown) -> None:
        """Bring images, map and segments into the views that are on the screen."""
        if not self._layout.shown:
            return
        analysis = shown.analysis
        self._colour(shown)
        self.paint(analysis, shown.selected, shown.segments)
        for name, k in zip(VIEWS, self._slices, strict=False):
            show_in(
                name,
                background=image_at(analysis, k),
                overlay=_at(analysis.volumes(shown.quantity, sd=shown.sd), k),
                opacity=shown.opacity,
                label=_at(analysis.nodes.get("label", []), k),
            )

        analysis.legend(shown.quantity, sd=shown.sd)  # last: a view shows the legend of what it shows already

    def paint(self, analysis: SceneAnalysis, selected: int, all_segments: bool) -> None:
        """Paint the chosen segment, or all of them, or none."""
        every = np.unique(analysis.label[analysis.label > 0]).tolist()
        analysis.highlight(*([selected] if selected else every if all_segments else []))

    def clear(self) -> None:
        """Leave the views without map and segments; their images stay."""
        if self._layout.shown:
            for name in VIEWS[: len(self._slices)]:
                show_in(name)
        self._slices = []

    def _colour(self, shown: Shown) -> None:
        analysis = shown.analysis
        analysis.colour(shown.quantity, shown.colours, sd=shown.sd, cut_off=shown.cut_off)


def _level(volume) -> int:
    """From base to apex, as far as a volume's name says it."""
    words = (volume.GetName() or "").lower()
    return next((n for n, level in enumerate(("basal", "mid", "apical")) if level in words), 1)


def images_of(analysis: SceneAnalysis) -> list:
    """The series that an analysis was made of, as far as the scene still holds them."""
    node = analysis.node
    found = (node.GetNthNodeReference("series", n) for n in range(node.GetNumberOfNodeReferences("series")))
    return [each for each in found if each is not None]


def image_at(analysis: SceneAnalysis, k: int):
    """The volume that shows slice k of the images; None where the scene has none."""
    try:
        volumes = volumes_of(images_of(analysis))
    except InputError:
        return None
    return next((volume for volume in volumes if _holds(volume, analysis.geometry.centres[k])), None)


def _holds(volume, point) -> bool:
    """True where a point (LPS mm) lies in a slice of a volume."""
    image = volume.GetImageData()
    if image is None:
        return False
    k = (np.linalg.inv(affine_of(volume, parent_matrix(volume))) @ np.append(point, 1.0))[2]
    return -0.5 <= k < image.GetDimensions()[2] - 0.5


def peak_time(analysis: SceneAnalysis) -> float:
    """When the myocardium is brightest, s: where the mean of its measured curves is highest."""
    curves = analysis.curves
    mean = (
        curves.measured[curves.clock == 0].mean(axis=0) if (curves.clock == 0).any() else curves.measured.mean(axis=0)
    )
    return float(curves.time[0][int(np.argmax(mean))])


def _at(volumes: list, k: int):
    """The volume that holds slice k: the only one, or the k-th."""
    return None if not volumes else volumes[0] if len(volumes) == 1 else volumes[k]
