"""A map over the images it was made from, in the slice views: each view on a slice of the heart, at the frame of its peak."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import vtk

from ..errors import InputError
from ..files.dicom_words import words_of as words_in
from ..geometry import Geometry
from ..scene import Colours, SceneAnalysis, show_frame, volumes_of
from ..scene.analysis import REST
from ..scene.nodes import affine_of, parent_matrix, values_of
from ..settings import SliceLevel
from .captions import Caption, words_of
from .layout import VIEWS, PerfusionLayout
from .slices import evenly, place_of, place_on_image, place_view, show_in, shown_slices, slice_node

_SAME = 1e-3  # mm
_LEVELS = (SliceLevel.BASAL, SliceLevel.MID, SliceLevel.APICAL)


@dataclass(frozen=True)
class Shown:
    """What is shown of an analysis: a ``quantity`` or its ``sd``, and how it is coloured;
    ``limits`` of the colours (None: its own); ``cut_off``: what is below it is marked; all ``segments`` painted, or one.
    """

    analysis: SceneAnalysis
    quantity: str
    sd: bool = False
    colours: Colours = Colours.ORDERED
    limits: tuple[float, float] | None = None
    opacity: float = 1.0
    cut_off: float | None = None
    segments: bool = False
    selected: int = 0


class Overlay:
    """The slice views of the perfusion layout. A view that is moved to another slice, by its own slider or the wheel, shows the
    images and the map of that slice.
    """

    def __init__(self, layout: PerfusionLayout, on_move: Callable[[], object] = lambda: None) -> None:
        """``on_move`` is called when the views show other slices than before."""
        self._layout, self._on_move = layout, on_move
        self._slices: list[int | None] = []
        self._shown: Shown | None = None
        self._placed: SceneAnalysis | None = None  # whose slices the views are on
        self._at_rest = False
        # maps that show another analysis's limits -> their own, and how to set them
        self._lent: dict[tuple, tuple] = {}
        self._captions: dict[str, Caption] = {}
        self._observed: list[tuple] = []

    @property
    def slices(self) -> dict[str, int | None]:
        """Name of each view in use -> the slice it shows, None between two slices."""
        return dict(zip(VIEWS, self._slices, strict=False))

    @property
    def captions(self) -> dict[str, str]:
        """Name of each view in use -> what stands at its upper edge."""
        return {name: caption.text for name, caption in self._captions.items()}

    def is_on(self, analysis: SceneAnalysis) -> bool:
        """False where the views are on the slices of another analysis."""
        return self._placed is None or self._placed.node is analysis.node

    def place(self, analysis: SceneAnalysis, *, rest: bool = False) -> None:
        """Show the layout, each view on its slice, the images at the frame where the myocardium is brightest, the segmentation
        by its outline, so that the map is seen.
        """
        analysis.uncover()
        self.place_on(analysis, shown_slices(analysis.label), rest=rest)
        series = images_of(analysis)
        if series:
            with suppress(InputError):  # a sequence that no browser plays stays without images
                show_frame(series, peak_of(analysis))

    def place_on(self, analysis: SceneAnalysis, slices: list[int], *, rest: bool = False) -> None:
        """Show the layout with one view for each of ``slices``; ``rest``: the captions say that it was taken at rest."""
        self._let_go()
        analysis.legend(None)  # that of a scene which was opened is in no view: it is made anew
        if not self._layout.show(len(slices)):
            return
        for name, k in zip(VIEWS, slices, strict=False):
            place_view(name, analysis, k)
        self._take(analysis, slices, rest)

    def change_to(self, analysis: SceneAnalysis, *, rest: bool = False) -> None:
        """Another analysis in the views, which stay where they are where it has the same slices."""
        before, slices = self._placed, list(self._slices)
        if before is None or not before.there or not slices or not _same_slices(before, analysis):
            self.place(analysis, rest=rest)
            return
        self._let_go()
        analysis.legend(None)
        self._take(analysis, slices, rest)

    def _take(self, analysis: SceneAnalysis, slices: list[int | None], rest: bool) -> None:
        """Follow the views, which are on ``slices`` of ``analysis``."""
        self._slices, self._placed, self._at_rest = list(slices), analysis, rest or analysis.at_rest
        for name, k in zip(VIEWS, slices, strict=False):
            self._captions[name] = Caption(name)
            self._follow(name, analysis)
            self._captions[name].say(self._caption(analysis, k))
        self._on_move()

    def _caption(self, analysis: SceneAnalysis, k: int | None) -> str:
        """What stands above a view: its slice, and that the study was taken at rest."""
        return words_of(analysis.label, k) + (f", {REST}" if self._at_rest else "")

    def place_images(self, series) -> None:
        """Show the layout with the images of ``series`` alone, as they were acquired."""
        self._let_go()
        volumes = sorted(volumes_of(series), key=_level)
        places = [(volume, k) for volume in volumes for k in range(volume.GetImageData().GetDimensions()[2])]
        chosen = [places[n] for n in evenly(len(places), len(VIEWS))]
        if not self._layout.show(len(chosen)):
            return
        for name, (volume, k) in zip(VIEWS, chosen, strict=False):
            place_on_image(
                name, Geometry.from_volume(affine_of(volume, parent_matrix(volume)), values_of(volume).shape), k
            )
            show_in(name, background=volume)

    def show(self, shown: Shown) -> None:
        """Bring images, map and segments into the views that are on the screen."""
        self._shown = shown
        if not self._layout.shown:
            return
        analysis = shown.analysis
        self._lend(shown)
        analysis.colour(shown.quantity, shown.colours, limits=shown.limits, sd=shown.sd, cut_off=shown.cut_off)
        self.paint(analysis, shown.selected, shown.segments)
        for name, k in self.slices.items():
            if k is not None:
                self._fill(name, k)
        analysis.legend(shown.quantity, sd=shown.sd)  # last: a view shows the legend of what it shows already

    def paint(self, analysis: SceneAnalysis, selected: int, all_segments: bool) -> None:
        """Draw the border of the chosen segment, which leaves the map to be read; or paint all of them, or none."""
        for name in VIEWS[: len(self._slices)]:
            slice_node(name).SetUseLabelOutline(bool(selected))
        every = np.unique(analysis.label[analysis.label > 0]).tolist()
        analysis.highlight(*([selected] if selected else every if all_segments else []))

    def reveal(self, analysis: SceneAnalysis, segment: int) -> None:
        """Move a view to the segment where none shows it: the one that is nearest."""
        holds = (analysis.label == segment).any(axis=(1, 2))
        centre = analysis.centre_of(segment)
        if centre is None or not self._slices or any(k is not None and holds[k] for k in self._slices):
            return
        k = analysis.slice_at(centre)
        apart = [abs((-1 if each is None else each) - k) for each in self._slices]
        place_view(VIEWS[int(np.argmin(apart))], analysis, k)

    def clear(self) -> None:
        """Leave the views without map and segments; their images stay."""
        if self._layout.shown:
            for name in VIEWS[: len(self._slices)]:
                show_in(name)
                slice_node(name).SetUseLabelOutline(False)
        self._let_go()

    def _lend(self, shown: Shown) -> None:
        """What shows another analysis's limits gets its own back when it does so no more."""
        key = shown.analysis.node.GetID(), shown.quantity, shown.sd
        if shown.limits is None:
            self._give_back()
        elif key not in self._lent:
            self._lent[key] = shown, shown.analysis.limits(shown.quantity, sd=shown.sd)

    def _give_back(self) -> None:
        for shown, limits in self._lent.values():
            if shown.analysis.there and shown.analysis.volumes(shown.quantity, sd=shown.sd):
                shown.analysis.colour(shown.quantity, shown.colours, limits=limits, sd=shown.sd)
        self._lent = {}

    def _let_go(self) -> None:
        """Follow no view any more, and say nothing in any."""
        self._give_back()
        for node, tag in self._observed:
            node.RemoveObserver(tag)
        for caption in self._captions.values():
            caption.close()
        self._observed, self._captions, self._slices, self._shown, self._placed = [], {}, [], None, None

    def _follow(self, name: str, analysis: SceneAnalysis) -> None:
        node = slice_node(name)
        tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._moved(name, analysis))
        self._observed.append((node, tag))

    def _moved(self, name: str, analysis: SceneAnalysis) -> None:
        """A view was moved, turned or zoomed: to another slice?"""
        if not analysis.there:
            return
        k = analysis.slice_at(place_of(name))
        number = VIEWS.index(name)
        if k == self._slices[number]:
            return
        self._slices[number] = k
        self._captions[name].say(self._caption(analysis, k))
        if k is not None and self._shown is not None:
            self._fill(name, k)
        self._on_move()

    def _fill(self, name: str, k: int) -> None:
        """Image, map and segments of slice k in a view."""
        shown, analysis = self._shown, self._shown.analysis
        show_in(
            name,
            background=image_at(analysis, k),
            overlay=_at(analysis.volumes(shown.quantity, sd=shown.sd), k),
            opacity=shown.opacity,
            label=_at(analysis.labels, k),
        )


def _same_slices(one: SceneAnalysis, other: SceneAnalysis) -> bool:
    """True where two analyses are of the same slices in space."""
    first, second = one.geometry, other.geometry
    return first.shape == second.shape and bool(np.allclose(first.ijk_to_lps, second.ijk_to_lps, atol=_SAME))


def _level(volume) -> int:
    """From base to apex, as far as a volume's name says it."""
    level = words_in(volume.GetName()).level
    return _LEVELS.index(level) if level in _LEVELS else 1


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


def peak_of(analysis: SceneAnalysis) -> int:
    """The frame, from 0, at which the myocardium is brightest: where the mean of its measured curves is highest."""
    return int(np.argmax(analysis.curves.measured.mean(axis=0)))


def _at(volumes: list, k: int):
    """The volume that holds slice k: the only one, or the k-th."""
    return None if not volumes else volumes[0] if len(volumes) == 1 else volumes[k]
