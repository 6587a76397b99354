"""Which frame of a series is on the screen, as its sequence browser plays it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import vtk

from ..scene import browser_of


class FrameFollower:
    """Calls ``on_frame`` with the frame's number, from 0, whenever the browser of a series shows another one."""

    def __init__(self, on_frame: Callable[[int | None], object]) -> None:
        self._on_frame = on_frame
        self._browser: Any = None
        self._tag = 0

    def follow(self, series: list) -> None:
        """Follow the browser that plays ``series`` nodes; None is told where none does."""
        self.stop()
        self._browser = browser_of(series[0]) if series else None
        if self._browser is not None:
            self._tag = self._browser.AddObserver(vtk.vtkCommand.ModifiedEvent, self._changed)
        self._changed()

    def stop(self) -> None:
        """Follow no browser any more."""
        if self._browser is not None:
            self._browser.RemoveObserver(self._tag)
        self._browser = None

    def _changed(self, *_event) -> None:
        number = self._browser.GetSelectedItemNumber() if self._browser is not None else -1
        self._on_frame(number if number >= 0 else None)
