"""The bull's-eye as Slicer's views draw it: the engine's picture again, in VTK, at any size, with a choice and a cut-off.

    bullseye = Bullseye(renderer)
    bullseye.show(content_of(analysis, "MBF", cut_off=1.5))
    bullseye.segment_at(*pixels)

All places are pixels of the renderer, laid out anew whenever its size changes.
"""

from __future__ import annotations

import vtk

from .bullseye_content import RESERVE, BullseyeContent, Statistic, content_of, reserve_of
from .bullseye_parts import (
    PAPER,
    Layout,
    Sheet,
    draw_bar,
    draw_choice,
    draw_legend,
    draw_said,
    draw_surroundings,
    draw_titles,
    draw_wedges,
)
from .bullseye_shapes import Shapes, segments_at
from .bullseye_words import Words

__all__ = ["RESERVE", "Bullseye", "BullseyeContent", "Statistic", "content_of", "reserve_of"]


class Bullseye:
    """Draws into ``renderer``, whose background it makes white; nothing until ``show`` is called."""

    def __init__(self, renderer) -> None:
        self._renderer = renderer
        self._shapes, self._words, self._said = Shapes(), Words(renderer), Words(renderer)
        self._content: BullseyeContent | None = None
        self._selected, self._line = 0, ""
        self._drawn: tuple = ()
        renderer.SetBackground(*PAPER)
        renderer.GradientBackgroundOff()
        renderer.AddViewProp(self._shapes.actor)
        self._shapes.actor.SetVisibility(False)
        self._observer = renderer.AddObserver(vtk.vtkCommand.StartEvent, self._fit)

    @property
    def content(self) -> BullseyeContent | None:
        """What is shown."""
        return self._content

    @property
    def selected(self) -> int:
        """The segment with the outline, 0 for none."""
        return self._selected

    @property
    def line(self) -> str:
        """The line below the disc."""
        return self._line

    def show(self, content: BullseyeContent | None) -> None:
        """Show ``content`` in the next rendering; None shows an empty view."""
        self._content = content
        if content is None or self._selected > content.model:
            self._selected = 0
        self._drawn = ()

    def select(self, segment: int) -> None:
        """Outline a segment; 0 none."""
        known = self._content is not None and 1 <= segment <= self._content.model
        self._selected = segment if known else 0
        self._drawn = ()

    def say(self, line: str) -> None:
        """A line of words below the disc."""
        self._line = line
        self._draw_line()

    def segment_at(self, x: float, y: float) -> int:
        """The segment at a display pixel (from the window's lower left corner); 0 beside the disc, and without a picture."""
        if self._content is None:
            return 0
        left, bottom = self._renderer.GetOrigin()
        place = self._layout.from_pixels(x - left, y - bottom)
        return int(segments_at(place[None], self._content.model)[0])

    def pixel_of(self, place) -> tuple[int, int]:
        """The display pixel of a place (x, y) of the unit disc."""
        x, y = self._layout.on_disc(place) + self._renderer.GetOrigin()
        return round(x), round(y)

    def close(self) -> None:
        """Take everything out of the renderer."""
        self._renderer.RemoveObserver(self._observer)
        self._renderer.RemoveViewProp(self._shapes.actor)
        self._words.remove()
        self._said.remove()

    @property
    def _layout(self) -> Layout:
        return Layout(*self._renderer.GetSize())

    def _fit(self, *_event) -> None:
        """Before each rendering: lay out what changed, or everything in a window of another size."""
        window = self._renderer.GetRenderWindow()
        wanted = (*self._renderer.GetSize(), window.GetDPI())
        if self._drawn != wanted:
            self._draw()
            self._drawn = wanted

    def _draw(self) -> None:
        content, sheet = self._content, Sheet(self._shapes, self._words, self._layout)
        self._shapes.clear()
        self._words.clear()
        if content is not None:
            draw_wedges(sheet, content)
            draw_surroundings(sheet, content.model)
            if self._selected:
                draw_choice(sheet, content.model, self._selected)
            draw_bar(sheet, content)
            draw_titles(sheet, content)
            draw_legend(sheet, content)
            self._shapes.finish()
        self._words.finish()
        self._shapes.actor.SetVisibility(content is not None)
        self._draw_line()

    def _draw_line(self) -> None:
        self._said.clear()
        if self._content is not None and self._line:
            draw_said(Sheet(self._shapes, self._said, self._layout), self._line)
        self._said.finish()
