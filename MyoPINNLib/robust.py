"""How wide a scatter is, whatever a few wild values do."""

from __future__ import annotations

import numpy as np

_MEDIAN_OF_NORMAL = 0.6745


def width(off: np.ndarray, axis: int | None = None):
    """The standard deviation of normal values from their distances ``off``: median |off| / 0.6745, along ``axis`` or of all."""
    return np.median(np.abs(off), axis=axis) / _MEDIAN_OF_NORMAL
