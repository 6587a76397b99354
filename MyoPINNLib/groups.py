"""Segments of one or many studies split by a visual score, and whether a quantity tells the two kinds apart.

    U = number of pairs (scored, other) in which the scored segment has the larger value, ties counted half
    separation = 1 - U / (n_scored n_other): the chance that a scored segment lies below another one (area under the ROC curve)

p by the normal approximation with continuity and tie correction (Mann and Whitney 1947; scipy.stats.mannwhitneyu). Segments of one
patient are not independent of each other, which the test takes them for: its p is too small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import mannwhitneyu

from .errors import InputError

FEWEST = 3


@dataclass(frozen=True)
class Spread:
    """``count`` values: ``median``, quartiles ``q1`` and ``q3``, ``least`` and ``most``."""

    count: int
    median: float
    q1: float
    q3: float
    least: float
    most: float

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """Those of ``values`` (n,), at least one."""
        q1, median, q3 = np.percentile(values, [25, 50, 75])
        return cls(len(values), float(median), float(q1), float(q3), float(values.min()), float(values.max()))


@dataclass(frozen=True)
class Comparison:
    """Of segments that are ``scored`` and the ``others``: U, ``separation``, and p: ``p_lower``, one-sided, that scored segments
    lie lower by chance; ``p_two_sided``.
    """

    scored: Spread
    others: Spread
    U: float
    separation: float
    p_lower: float
    p_two_sided: float

    @property
    def words(self) -> tuple[str, ...]:
        """Medians with quartiles, the test with both p, and what it takes for granted."""
        low, high = (f"{each.median:.3g} ({each.q1:.3g} to {each.q3:.3g})" for each in (self.scored, self.others))
        return (
            f"Median (quartiles) {low} in {self.scored.count} scored segments, {high} in {self.others.count} others",
            f"Mann-Whitney U {self.U:g}: p {self.p_two_sided:.2g} two-sided, {self.p_lower:.2g} one-sided (scored lower); area under ROC {self.separation:.2f}",
            "Segments of one patient are not independent of each other: the true p is larger.",
        )


@dataclass(frozen=True)
class ScoredSegments:
    """``values`` (n,) of a quantity in n segments, ``scored`` (n,) bool, ``study`` (n,) to which study each belongs.

    Raises InputError where their lengths differ or either kind has fewer than ``FEWEST`` finite values.
    """

    values: np.ndarray
    scored: np.ndarray
    study: np.ndarray

    def __post_init__(self) -> None:
        values, scored, study = np.asarray(self.values, float), np.asarray(self.scored, bool), np.asarray(self.study)
        if not values.shape == scored.shape == study.shape or values.ndim != 1:
            raise InputError(
                f"{values.size} values, {scored.size} scores and {study.size} studies do not fit together."
            )
        known = np.isfinite(values)
        for name, value in (("values", values[known]), ("scored", scored[known]), ("study", study[known])):
            object.__setattr__(self, name, value)
        few = min(int(self.scored.sum()), int((~self.scored).sum()))
        if few < FEWEST:
            raise InputError(
                f"{int(self.scored.sum())} segments with a value are scored and {int((~self.scored).sum())} are not; "
                f"a comparison needs {FEWEST} of each.",
                "Give more studies, or check the scores.",
            )

    def compared(self) -> Comparison:
        """The two kinds beside each other."""
        low, high = self.values[self.scored], self.values[~self.scored]
        test = mannwhitneyu(low, high, alternative="two-sided", method="asymptotic")
        lower = mannwhitneyu(low, high, alternative="less", method="asymptotic")
        U = float(test.statistic)
        separation = 1 - U / (len(low) * len(high))
        return Comparison(Spread.of(low), Spread.of(high), U, separation, float(lower.pvalue), float(test.pvalue))
