"""How results can be looked at: what the panel offers and the scene remembers. It costs Slicer's start nothing."""

from __future__ import annotations

from enum import Enum

CUT_OFF = 1.94  # mL/min/g, stress MBF (Kotecha 2019, by another method: a place to begin)
RESERVE_CUT_OFF = 2.0  # stress over rest, the usual limit of other methods


class Colours(str, Enum):
    """The colour tables of maps."""

    ORDERED = "ordered"
    CLINICAL = "clinical"

    def label(self) -> str:
        """Its words in a list."""
        return "Ordered (viridis)" if self is Colours.ORDERED else "Clinical (blue to red)"


class Statistic(str, Enum):
    """Which number of a segment's table is meant."""

    MEDIAN = "median"
    MEAN = "mean"
    MEAN_CURVE = "mean_curve"

    @property
    def words(self) -> str:
        """As it stands below a title."""
        return {"median": "median of the voxels", "mean": "mean of the voxels", "mean_curve": "fit of the mean curve"}[
            self.value
        ]

    def label(self) -> str:
        """Its words in a list."""
        return self.words

    @property
    def spread(self) -> str:
        """What stands after ± in a table: the standard deviation of a fit, or the spread of the voxels' values."""
        return "SD" if self is Statistic.MEAN_CURVE else "spread"

    @property
    def deviation(self) -> str:
        """The statistic that says how sure or how spread it is."""
        return "mean_curve_sd" if self is Statistic.MEAN_CURVE else "sd"


class Mode(Enum):
    """Which study bull's-eye, views and curves show."""

    ANALYSIS = "analysis"
    REST = "rest"
    RESERVE = "reserve"

    def label(self) -> str:
        """Its words in a list."""
        return {"analysis": "this analysis", "rest": "rest", "reserve": "reserve (stress / rest)"}[self.value]


class Curve(Enum):
    """Whose curve the plot shows."""

    VOXEL = "voxel"
    SEGMENT = "segment"
    INPUT = "input"

    def label(self) -> str:
        """Its words in a list."""
        return {"voxel": "voxel under the mouse", "segment": "selected segment", "input": "arterial input"}[self.value]
