"""The list of slices: which the views show together, one page after the other, or as they were scrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .slices import pages


class SliceChoice:
    """``box`` lists the pages of an analysis; ``chosen`` is called with the slices of the page that a person takes."""

    def __init__(self, box, chosen: Callable[[list[int]], object]) -> None:
        self._box, self._chosen = box, chosen
        self._pages: list[list[int]] = []
        self._filling = False
        box.connect("currentIndexChanged(int)", lambda _: self._choose())

    @property
    def alone(self) -> bool:
        """True where there is nothing to choose: all slices are in the views."""
        return self._box.count < 2

    def fill(self, label: np.ndarray | None) -> None:
        """List the pages of ``label`` (k, j, i), AHA segments; None: of nothing."""
        self._filling = True
        self._pages = [] if label is None else pages(label)
        self._box.clear()
        for page in self._pages:
            self._box.addItem(f"{_words(page)} of {len(label)}")
        self._filling = False

    def follow(self, slices: Sequence[int | None]) -> None:
        """The views show ``slices``, None between two: name their page, or say that they were scrolled."""
        if not self._pages or not slices:
            return
        self._filling, shown = True, list(slices)
        while self._box.count > len(self._pages):
            self._box.removeItem(self._box.count - 1)
        if shown not in self._pages:
            self._box.addItem(f"as scrolled: {_words(shown)}")
        self._box.currentIndex = self._pages.index(shown) if shown in self._pages else len(self._pages)
        self._filling = False

    def _choose(self) -> None:
        number = self._box.currentIndex
        if not self._filling and 0 <= number < len(self._pages):
            self._chosen(self._pages[number])


def _words(slices: Sequence[int | None]) -> str:
    numbers = ", ".join("between two" if k is None else str(k + 1) for k in slices)
    return f"slice{'s' * (len(slices) > 1)} {numbers}"
