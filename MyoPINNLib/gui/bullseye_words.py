"""Words in a view, at places and of heights in pixels, from a stock of text actors that are used again."""

from __future__ import annotations

from enum import Enum

import vtk

_POINTS_PER_INCH = 72.0
_SMALLEST = 7.0


class Anchor(Enum):
    """Which side of the words stands at their place; halfway up in any case."""

    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"


class Words:
    """All words of a picture in ``renderer``. ``clear``, then ``add`` each, then ``finish``."""

    def __init__(self, renderer) -> None:
        self._renderer = renderer
        self._stock: list = []
        self._used = 0

    def clear(self) -> None:
        """Forget all words."""
        self._used = 0

    def add(
        self, text: str, place, size: float, colour, *, anchor=Anchor.MIDDLE, turn=0.0, bold=False, room=None
    ) -> float:
        """``text`` at ``place`` (x, y), ``size`` pixels high, ``turn`` degrees counter-clockwise; its width in pixels.

        Where ``room`` (pixels) is given, words that are longer are made smaller, and cut where they would be too small.
        """
        actor = self._next()
        looks = actor.GetTextProperty()
        looks.SetColor(*colour)
        looks.SetBold(bold)
        looks.SetJustification(
            {Anchor.LEFT: vtk.VTK_TEXT_LEFT, Anchor.MIDDLE: vtk.VTK_TEXT_CENTERED, Anchor.RIGHT: vtk.VTK_TEXT_RIGHT}[
                anchor
            ]
        )
        looks.SetVerticalJustificationToCentered()
        looks.SetOrientation(0.0)
        actor.SetPosition(*(float(round(each)) for each in place))
        width = self._write(actor, text, size)
        if room is not None and width > room:
            width = self._squeeze(actor, text, size * room / width, room)
        looks.SetOrientation(turn)
        return width

    def finish(self) -> None:
        """Hide what is left in the stock."""
        for number, actor in enumerate(self._stock):
            actor.SetVisibility(number < self._used)

    def remove(self) -> None:
        """Take all words out of the renderer."""
        for actor in self._stock:
            self._renderer.RemoveViewProp(actor)
        self._stock = []

    def _next(self):
        if self._used == len(self._stock):
            actor = vtk.vtkTextActor()
            actor.SetLayerNumber(1)
            actor.GetTextProperty().SetFontFamilyToArial()
            actor.GetTextProperty().ShadowOff()
            self._renderer.AddViewProp(actor)
            self._stock.append(actor)
        self._used += 1
        return self._stock[self._used - 1]

    def _write(self, actor, text: str, size: float) -> float:
        """The width of ``text`` as it now stands there, pixels."""
        window = self._renderer.GetRenderWindow()
        dpi = window.GetDPI() if window is not None else _POINTS_PER_INCH
        actor.GetTextProperty().SetFontSize(max(1, round(max(size, _SMALLEST) * _POINTS_PER_INCH / dpi)))
        actor.SetInput(text)
        box = [0.0] * 4
        actor.GetBoundingBox(self._renderer, box)
        return box[1] - box[0] + 1

    def _squeeze(self, actor, text: str, size: float, room: float) -> float:
        width = self._write(actor, text, size)
        while width > room and len(text) > 1:
            text = text[: min(len(text) - 1, int(len(text) * room / width))]
            width = self._write(actor, f"{text.rstrip()}…", size)
        return width
