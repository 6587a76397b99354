"""What a bull's-eye shows: a quantity's value in each AHA segment, with what is said about it.

reserve = value under stress / value at rest        (no unit)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import InputError
from ..figures.canvas import digits, name_of
from ..looks import Colours, Statistic
from ..maps import LEAST_VALID
from ..polar import NAMES, segments_of
from ..quantities import PERCENT, QUANTITIES
from ..scene import SceneAnalysis, at_rest
from ..scene.analysis import REST

RESERVE = "MPR"
_RESERVE_LIMITS = (0.0, 4.0)
_RESERVE_LABEL = f"Myocardial perfusion reserve, {RESERVE}"


@dataclass(frozen=True)
class BullseyeContent:
    """``values`` segment -> value in the shown unit (absent or NaN: not measured) of ``quantity``, a name of ``QUANTITIES`` or
    ``RESERVE``; ``limits`` of the colours (None: the quantity's own); ``cut_off`` below which a segment is marked (None:
    none is); ``notes`` segment -> what is said beside its value; ``doubtful`` segments have their value in brackets;
    ``deviations`` segment -> standard deviation of the value, ``voxels`` segment -> number of voxels, ``reasons`` segment
    -> why it has no value or a doubtful one, where they are known; ``parts`` words -> segment -> what the value comes from;
    ``caution`` what has to be known before values are compared.

    Raises InputError for an unknown quantity, a model that is not 16 or 17, and limits that do not rise.
    """

    values: Mapping[int, float]
    quantity: str = "MBF"
    model: int = 16
    colours: Colours = Colours.ORDERED
    limits: tuple[float, float] | None = None
    cut_off: float | None = None
    title: str = ""
    statistic: Statistic = Statistic.MEAN_CURVE
    notes: Mapping[int, str] = field(default_factory=dict)
    doubtful: frozenset[int] = frozenset()
    deviations: Mapping[int, float] = field(default_factory=dict)
    voxels: Mapping[int, int] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    caution: str = ""

    def __post_init__(self) -> None:
        segments_of(self.model)
        if self.quantity != RESERVE and self.quantity not in QUANTITIES:
            raise InputError(
                f'There is no quantity "{self.quantity}".', f"There are: {', '.join(QUANTITIES)}, {RESERVE}."
            )
        low, high = self.range
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InputError(f"The colours cannot run from {low:g} to {high:g}.", "Give the lower limit first.")

    @property
    def range(self) -> tuple[float, float]:
        """From which to which value the colours run."""
        own = _RESERVE_LIMITS if self.quantity == RESERVE else QUANTITIES[self.quantity].limits
        return self.limits or own

    @property
    def unit(self) -> str:
        """The shown unit; empty where there is none."""
        unit = "" if self.quantity == RESERVE else QUANTITIES[self.quantity].unit
        return "" if unit == "1" else unit

    @property
    def label(self) -> str:
        """The quantity in words with its unit."""
        words = _RESERVE_LABEL if self.quantity == RESERVE else name_of(QUANTITIES[self.quantity])
        return f"{words} ({self.unit})" if self.unit else words

    @property
    def subtitle(self) -> str:
        """Which number of which quantity this is."""
        joint = " from the" if self.quantity == RESERVE else ","
        return "; ".join(filter(None, [f"{self.quantity}{joint} {self.statistic.words}", self.caution]))

    @property
    def column(self) -> str:
        """The head of a column of the values: quantity, what stands after ±, where it does, and unit; short enough for a narrow view."""
        named = f"{self.quantity} ± {self.statistic.spread}" if self.deviations else self.quantity
        return f"{named}, {self.unit}" if self.unit else named

    @property
    def known(self) -> dict[int, float]:
        """The segments of the model that have a value."""
        found = {number: self.values.get(number) for number in segments_of(self.model)}
        return {number: float(v) for number, v in found.items() if v is not None and math.isfinite(v)}

    @property
    def below(self) -> frozenset[int]:
        """The segments below the cut-off."""
        return frozenset(n for n, value in self.known.items() if self.cut_off is not None and value < self.cut_off)

    def words(self, value: float) -> str:
        """A value as the wedges show it."""
        return f"{value:.{digits(self.range)}f}"

    def describe(self, segment: int) -> str:
        """A segment in one line: number, name, value with unit, and its note."""
        value, note = self.known.get(segment), self.notes.get(segment, "")
        shown = "no value" if value is None else f"{self.quantity} {self.words(value)} {self.unit}".rstrip()
        return ", ".join(filter(None, [f"{segment} {NAMES[segment]}: {shown}", note]))


def has_segments(analysis: SceneAnalysis, quantity: str) -> bool:
    """True where the analysis's table of the segments holds a quantity: all but the validity of single voxels."""
    return f"{QUANTITIES[quantity].column}_{Statistic.MEDIAN.value}" in analysis.segments


def content_of(
    analysis: SceneAnalysis,
    quantity: str = "MBF",
    statistic: Statistic = Statistic.MEAN_CURVE,
    *,
    cut_off: float | None = None,
    colours: Colours = Colours.ORDERED,
    limits: tuple[float, float] | None = None,
) -> BullseyeContent:
    """A quantity in the segments' table of an analysis. Raises InputError where the table does not hold it."""
    rows = _Rows(analysis, quantity, statistic)
    return BullseyeContent(
        rows.values,
        quantity,
        rows.model,
        colours,
        limits,
        cut_off,
        _title(analysis),
        statistic,
        {number: rows.note(number) for number in rows.numbers},
        rows.doubtful,
        {n: sd for n in rows.numbers if (sd := rows.deviation(n)) is not None},
        {n: rows.voxels(n) for n in rows.numbers},
        {n: rows.reason(n) for n in rows.numbers},
    )


def reserve_of(
    stress: SceneAnalysis,
    rest: SceneAnalysis,
    statistic: Statistic = Statistic.MEAN_CURVE,
    *,
    cut_off: float | None = None,
    colours: Colours = Colours.ORDERED,
    limits: tuple[float, float] | None = None,
) -> BullseyeContent:
    """Flow of ``stress`` over that of ``rest`` in each segment that has both."""
    above, below = (_Rows(each, "MBF", statistic) for each in (stress, rest))
    if stress.node is rest.node:
        raise InputError(f"{stress.name} is chosen for stress and for rest.", "Choose another rest analysis.")
    both = {n: (flow, below.values[n]) for n, flow in above.values.items() if below.values.get(n, 0.0) > 0}
    return BullseyeContent(
        {n: flow / resting for n, (flow, resting) in both.items()},
        RESERVE,
        max(above.model, below.model),
        colours,
        limits,
        cut_off,
        f"{stress.name} / {rest.name}",
        statistic,
        {n: f"stress {flow:.2f}, rest {resting:.2f} {QUANTITIES['MBF'].unit}" for n, (flow, resting) in both.items()},
        above.doubtful | below.doubtful,
        reasons={n: above.reason(n) or below.reason(n) for n in above.numbers},
        parts={
            f"{words}, {QUANTITIES['MBF'].unit}": rows.values for words, rows in (("Stress", above), ("Rest", below))
        },
        caution=_other_methods(stress, rest),
    )


def _title(analysis: SceneAnalysis) -> str:
    """Its name, which says "rest" where it was made of a rest series."""
    said = not analysis.at_rest or at_rest(analysis.node)
    return analysis.name if said else f"{analysis.name} ({REST})"


def _other_methods(stress: SceneAnalysis, rest: SceneAnalysis) -> str:
    """Which methods two analyses were made by, where they differ."""
    by = stress.method_name, rest.method_name
    return "" if by[0] == by[1] else f"stress by {by[0]}, rest by {by[1]}"


class _Rows:
    """The columns of one quantity in an analysis's table of segments."""

    def __init__(self, analysis: SceneAnalysis, quantity: str, statistic: Statistic) -> None:
        self._table, self._statistic, self._quantity = analysis.segments, statistic, quantity
        self._stem = QUANTITIES[quantity].column if quantity in QUANTITIES else quantity
        self.numbers = [int(number) for number in self._table["segment"]]
        column = f"{self._stem}_{statistic.value}"
        if column not in self._table:
            raise InputError(f"The table of the segments holds no {quantity}.", "Choose another quantity.")
        self._row = {number: row for row, number in enumerate(self.numbers)}
        found = dict(zip(self.numbers, self._table[column], strict=True))
        self.values = {n: float(v) for n, v in found.items() if isinstance(v, float) and math.isfinite(v)}

    @property
    def model(self) -> int:
        return max(16, *self.numbers)

    @property
    def doubtful(self) -> frozenset[int]:
        """Segments that have a value which is not reliable."""
        named = {n for n in self.values if self._quantity in str(self._cell(n, "doubtful", "")).split()}
        by_mean = self._statistic is Statistic.MEAN_CURVE
        few = {n for n in self.values if not by_mean and self.valid(n) < LEAST_VALID * self.voxels(n)}
        return frozenset(named | few | {n for n in self.values if by_mean and self._cell(n, "reason", "")})

    def note(self, number: int) -> str:
        """Standard deviation, number of voxels, and the reason where there is something to say."""
        deviation, voxels = self.deviation(number), self.voxels(number)
        said = f"SD {deviation:.2g}" if deviation is not None else ""
        parts = [said, f"{voxels} voxel{'s' * (voxels != 1)}" if voxels else ""]
        return ", ".join(filter(None, [*parts, self.reason(number)]))

    def reason(self, number: int) -> str:
        """Why a segment has no value, or a doubtful one; "" where there is nothing to say."""
        few = f"{self.valid(number)} of {self.voxels(number)} voxels valid" if number in self.doubtful else ""
        return str(self._cell(number, "reason", "")) or few

    def deviation(self, number: int) -> float | None:
        """How sure or how spread the value of a segment is; None where nobody knows."""
        found = self._cell(number, f"{self._stem}_{self._statistic.deviation}", math.nan)
        return found if isinstance(found, float) and math.isfinite(found) else None

    def voxels(self, number: int) -> int:
        """How many voxels a segment has."""
        return int(self._cell(number, "voxels", 0.0))

    def valid(self, number: int) -> int:
        """How many of them were fitted well."""
        share = self._cell(number, "valid_percent", PERCENT)
        return round(self.voxels(number) * share / PERCENT) if share == share else 0

    def _cell(self, number: int, column: str, default):
        known = column in self._table and number in self._row
        return self._table[column][self._row[number]] if known else default
