"""Segments of one or many studies split by a visual score, and whether a quantity tells the two kinds apart.

    U = number of pairs (scored, other) in which the scored segment has the larger value, ties counted half
    separation = 1 - U / (n_scored n_other): the chance that a scored segment lies below another one (area under the ROC curve)

p takes all segments for independent (Mann and Whitney 1947; scipy.stats.mannwhitneyu). Those of one patient are not: where the
scores go by patient it is far too small. So there is a second one, of what would be found if the scores were dealt anew within
each patient; it asks whether a patient's own scored segments lie lower than the patient's others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import mannwhitneyu, rankdata

from .errors import InputError

FEWEST, DEALS = 3, 9999
_ROUNDING = 1e-9


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
    lie lower by chance; ``p_two_sided``; ``p_within_studies``, one-sided, scores dealt anew within each study (NaN where no study has
    both kinds).
    """

    scored: Spread
    others: Spread
    U: float
    separation: float
    p_lower: float
    p_two_sided: float
    p_within_studies: float

    @property
    def words(self) -> tuple[str, ...]:
        """Medians with quartiles, the test with both p, and what it takes for granted."""
        low, high = (f"{each.median:.3g} ({each.q1:.3g} to {each.q3:.3g})" for each in (self.scored, self.others))
        return (
            f"Median (quartiles) {low} in {self.scored.count} scored segments, {high} in {self.others.count} others",
            f"Mann-Whitney U {self.U:g}: p {self.p_two_sided:.2g} two-sided, {self.p_lower:.2g} one-sided (scored lower), as if segments were independent",
            f"{self._within}; area under ROC {self.separation:.2f}",
        )

    @property
    def _within(self) -> str:
        if np.isnan(self.p_within_studies):
            return "No study has segments of both kinds, so p says as much of studies as of segments"
        return f"Within studies: p {self.p_within_studies:.2g} one-sided (scores dealt anew {DEALS} times)"


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
        test = mannwhitneyu(low, high, alternative="two-sided", method="auto")
        lower = mannwhitneyu(low, high, alternative="less", method="auto")
        U = float(test.statistic)
        separation = 1 - U / (len(low) * len(high))
        kinds = Spread.of(low), Spread.of(high)
        return Comparison(*kinds, U, separation, float(lower.pvalue), float(test.pvalue), self._within_studies())

    def _within_studies(self) -> float:
        """How often scores that are dealt anew within each study lie as low as these; NaN where no study has both kinds."""
        parts = [np.flatnonzero(self.study == one) for one in np.unique(self.study)]
        mixed = [rows for rows in parts if 0 < self.scored[rows].sum() < rows.size]
        if not mixed:
            return float("nan")
        ranks, rng = rankdata(self.values), np.random.default_rng(0)
        found, dealt = 0.0, np.zeros(DEALS)
        for rows in mixed:
            scored = self.scored[rows]
            found += ranks[rows][scored].sum()
            hands = rng.permuted(np.broadcast_to(ranks[rows], (DEALS, rows.size)), axis=1)
            dealt += hands[:, : scored.sum()].sum(axis=1)
        return float((dealt <= found + _ROUNDING).sum() + 1) / (DEALS + 1)
