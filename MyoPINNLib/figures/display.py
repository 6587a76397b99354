"""How a slice stands on paper: anterior up and septum left, however the grid is stored.

Only flips and a swap of rows and columns are used, so that every pixel is shown as it was measured. Places on the
picture are millimetres from the ventricle's centre: x to the right, y up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..geometry import Geometry

_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))  # as DICOM has them: feet, head; S would read as septal
_SECOND_LETTER = 0.42


@dataclass(frozen=True)
class View:
    """The view of one slice: ``right`` and ``up`` unit vectors LPS, ``centre`` (3,) LPS mm at the origin; ``swap`` rows
    and columns first, then step backwards along what becomes rows or columns."""

    right: np.ndarray
    up: np.ndarray
    centre: np.ndarray
    swap: bool
    rows_reversed: bool
    columns_reversed: bool
    extent: tuple[float, float, float, float]

    def picture(self, image: np.ndarray) -> np.ndarray:
        """The slice (j, i), grey or in colours (j, i, 4), as rows from top to bottom, columns from left to right."""
        shown = image.swapaxes(0, 1) if self.swap else image
        return shown[:: -1 if self.rows_reversed else 1, :: -1 if self.columns_reversed else 1]

    def place(self, points: np.ndarray) -> np.ndarray:
        """LPS points (..., 3) as x, y mm."""
        arm = np.asarray(points) - self.centre
        return np.stack([arm @ self.right, arm @ self.up], axis=-1)


def view_of(geometry: Geometry, k: int, *, centre: np.ndarray, anterior: np.ndarray, septal: np.ndarray) -> View:
    """The view of slice ``k`` whose up is nearest to ``anterior`` and whose left is nearest to ``septal`` (LPS vectors)."""
    i, j = (geometry.ijk_to_lps[k, :3, n] / geometry.spacing[k, n] for n in (0, 1))
    choices = [
        (right_sign * right, up_sign * up, swap, up_sign > 0, right_sign < 0)
        for right, up, swap in ((i, j, False), (j, i, True))
        for right_sign in (1, -1)
        for up_sign in (1, -1)
    ]
    right, up, swap, rows, columns = max(choices, key=lambda choice: choice[1] @ anterior - choice[0] @ septal)
    nowhere = (0.0, 0.0, 0.0, 0.0)
    view = View(right, up, np.asarray(centre, dtype=float), swap, rows, columns, nowhere)
    return replace(view, extent=_extent(view, geometry, k))


def _extent(view: View, geometry: Geometry, k: int) -> tuple[float, float, float, float]:
    """Left, right, bottom and top edge of the picture, mm: half a pixel beyond the outer pixels' centres."""
    rows, columns = geometry.shape[1:]
    corners = view.place(
        geometry.to_lps(np.array([[k, row, col] for row in (0, rows - 1) for col in (0, columns - 1)]))
    )
    half = geometry.spacing[k, [1, 0] if view.swap else [0, 1]] / 2
    low, high = corners.min(axis=0) - half, corners.max(axis=0) + half
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def letters(direction: np.ndarray) -> str:
    """Where a direction points in the patient: one or two of R L A P H F, the main one first."""
    order = np.argsort(-np.abs(direction))
    words = [_LETTERS[axis][int(direction[axis] > 0)] for axis in order]
    return words[0] + (words[1] if abs(direction[order[1]]) >= _SECOND_LETTER else "")


def label_borders(label: np.ndarray, extent: tuple[float, float, float, float]) -> np.ndarray:
    """Lines (m, 2, 2) x, y mm between neighbouring pixels of different segments; ``label`` as on the picture."""
    rows, columns = label.shape
    x, y = np.linspace(*extent[:2], columns + 1), np.linspace(extent[3], extent[2], rows + 1)
    beside, below = _differ(label[:, :-1], label[:, 1:]), _differ(label[:-1], label[1:])
    upright = [[(x[c + 1], y[r]), (x[c + 1], y[r + 1])] for r, c in np.argwhere(beside)]
    level = [[(x[c], y[r + 1]), (x[c + 1], y[r + 1])] for r, c in np.argwhere(below)]
    return np.array(upright + level).reshape(-1, 2, 2)


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one != other) & (one > 0) & (other > 0)
