"""What came of a study: fits, maps, segments and notes, and the table of its segments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .aha import TERRITORY, AHASegments
from .concentration import CurveSet
from .fit import FitResult, Outcome, TissueCurves
from .maps import ParameterMaps, SegmentStatistics, derived_deviations, derived_quantities, source_of
from .segmental import mean_deviations, true_spread
from .series import Masks, PerfusionSeries
from .settings import Settings, Spatial


@dataclass(frozen=True)
class SegmentRow:
    """One AHA segment: ``statistics`` over its voxels, the posterior standard deviations ``mean_sd`` of their means where the
    method gives posteriors, and ``mean_curve``, the fit of their mean curve with its standard deviations ``mean_curve_sd``, all by quantity, inside units. A segment that no slice reaches has no voxel and an empty ``mean_curve``; ``told``, by quantity: the share of
    its valid voxels whose own curves tell it, where the method says so; ``reason`` says why a fit is not valid.
    """

    segment: int
    name: str
    territory: str
    voxels: int
    valid_share: float | None
    statistics: dict[str, SegmentStatistics]
    mean_curve: dict[str, float]
    mean_curve_sd: dict[str, float]
    mean_sd: dict[str, float]
    told: dict[str, float]
    reason: str = ""


@dataclass(frozen=True)
class Analysis:
    """Everything that came of a study: the voxel-wise fit ``result`` of ``curve_set.curves``, its ``maps``; the segments,
    their mean curves and the fit of these (``segment_numbers`` names its rows); ``notes`` in plain words; ``seconds`` by step.
    """

    series: PerfusionSeries
    masks: Masks
    settings: Settings
    curve_set: CurveSet
    result: FitResult
    maps: ParameterMaps
    segments: AHASegments
    segment_numbers: tuple[int, ...]
    segment_curves: TissueCurves
    segment_result: FitResult
    segment_table: tuple[SegmentRow, ...]
    notes: tuple[str, ...]
    seconds: dict[str, float]

    def with_seconds(self, **seconds: float) -> Analysis:
        """The same analysis with more known about how long it took."""
        return replace(self, seconds={**self.seconds, **seconds})

    @property
    def outcomes(self) -> dict[str, int]:
        """How many voxels were fitted well ("valid"), and how many were not for which reason."""
        return {
            outcome.reason or "valid": int((self.result.outcome == outcome).sum())
            for outcome in Outcome
            if (self.result.outcome == outcome).any() or outcome is Outcome.FITTED
        }


def segment_table(
    maps: ParameterMaps,
    segments: AHASegments,
    numbers: tuple[int, ...],
    fitted: FitResult,
    settings: Settings,
    *,
    shared: dict[str, float],
) -> tuple[SegmentRow, ...]:
    """One row for each segment of the model, in order; ``fitted`` is the fit of the mean curves of ``numbers``;
    ``shared`` of the voxels' fit.
    """
    by_mean = derived_quantities(fitted.parameters, hct=settings.hct, density=settings.density)
    by_mean["residual"] = fitted.residual
    deviations = derived_deviations(fitted.sd, hct=settings.hct, density=settings.density)
    columns = {name: maps.by_segment(segments, name) for name in maps.values if name != "valid"}
    learns = settings.fit.method.learns
    sure = _mean_deviations(maps, segments, settings, by_mean, deviations, fitted.valid, shared) if learns else {}
    rows = []
    for place, flow in enumerate(columns["MBF"]):
        row = numbers.index(flow.segment) if flow.segment in numbers else None
        rows.append(
            SegmentRow(
                segment=flow.segment,
                name=flow.name,
                territory=TERRITORY[flow.segment],
                voxels=flow.voxels,
                valid_share=flow.valid_share,
                statistics={name: column[place] for name, column in columns.items()},
                mean_curve={} if row is None else {name: float(value[row]) for name, value in by_mean.items()},
                mean_curve_sd={} if row is None else {name: float(value[row]) for name, value in deviations.items()},
                mean_sd={
                    name: by_number[flow.segment] for name, by_number in sure.items() if flow.segment in by_number
                },
                told=_told(maps, segments.voxels_in(flow.segment)),
                reason="not measured" if row is None else Outcome(fitted.outcome[row]).reason,
            )
        )
    return tuple(rows)


def _told(maps: ParameterMaps, here: np.ndarray) -> dict[str, float]:
    """Quantity -> share of the valid voxels ``here`` whose own curves tell it."""
    shares = {name: maps.told_share(here, name) for name in maps.values}
    return {name: share for name, share in shares.items() if share is not None}


def _mean_deviations(
    maps: ParameterMaps,
    segments: AHASegments,
    settings: Settings,
    by_mean: dict,
    deviations: dict,
    valid: np.ndarray,
    shared: dict,
) -> dict[str, dict[int, float]]:
    """Quantity -> segment number -> deviation of the voxels' mean; ``by_mean`` and ``deviations`` of the mean curves' fits,
    which count where they are ``valid``.
    """
    coupled = settings.fit.spatial is Spatial.NEIGHBOURS
    return {
        name: mean_deviations(
            maps,
            segments,
            name,
            coupled=coupled,
            spread=true_spread(by_mean[name][valid], deviations[name][valid]) if name in deviations else None,
            shared=shared.get(source_of(name), 0.0),
        )
        for name in maps.sd
    }
