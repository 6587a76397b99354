"""From a series and its masks to perfusion: the page to read first.

    signal -> [Gd] in blood and muscle -> AHA segments -> fit of each segment's mean curve and of every voxel -> maps

Each step is one call to a module of its own; here they only follow each other. ``write_analysis`` puts what came of it
into a folder.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace

import numpy as np

from . import __version__, aha, solvers
from .aif import first_pass_end
from .analysis import Analysis, segment_table
from .concentration import CurveSet, curves_from_series
from .errors import InputError
from .events import Progress, Report, Warned, silent, within
from .fit import FitResult, Outcome, TissueCurves
from .kinetics import blood_from_plasma
from .maps import mean_curves, parameter_maps
from .plausibility import blood_note, with_blood
from .series import Masks, PerfusionSeries
from .settings import REFERENCE_HCT, FitSettings, Input, Method, Settings, Spatial
from .trained import TrainedNetwork
from .writing import write_analysis

__all__ = ["Analysis", "input_digest", "quantify", "with_insertion", "write_analysis"]


def quantify(
    series: PerfusionSeries,
    masks: Masks,
    settings: Settings,
    report: Report = silent,
    checkpoint=None,
    start_from: TrainedNetwork | None = None,
) -> Analysis:
    """Quantify a study.

    ``report`` hears progress (0 to 1) and warnings and may raise Cancelled; ``checkpoint`` (``job.Checkpoint``, or None)
    keeps what is already fitted; a network may ``start_from`` an earlier study's. Raises InputError where the data cannot
    be used.
    """
    started = time.perf_counter()
    check_grid(series, masks)
    report(Progress("curves", 0.0))
    curve_set = curves_from_series(series, masks, settings)
    segments, doubts = aha.segment(masks, settings.aha)
    label = segments.label[tuple(curve_set.curves.voxels.T)]
    bloody = with_blood(curve_set.curves, label, first_pass=first_pass_end(curve_set.aif))
    means, numbers = mean_curves(curve_set.curves, segments, without=bloody)
    notes = (*series.acquisition.notes, *curve_set.notes, *doubts, *blood_note(bloody))
    for note in notes:
        report(Warned(note))
    prepared = time.perf_counter()
    by_segment, by_voxel = _fit(means, curve_set, settings, report, checkpoint, start_from)
    by_voxel = replace(by_voxel, outcome=np.where(bloody & by_voxel.valid, Outcome.BLOOD, by_voxel.outcome))
    notes = (*notes, *dict.fromkeys((*by_segment.notes, *by_voxel.notes)))
    maps = parameter_maps(by_voxel, curve_set.curves, series.geometry, hct=settings.hct, density=settings.density)
    return Analysis(
        series, masks, settings, curve_set, by_voxel, maps, segments,
        numbers, means, by_segment, segment_table(maps, segments, numbers, by_segment, settings, shared=by_voxel.shared),
        notes, {"curves": prepared - started, "solver": by_voxel.seconds + by_segment.seconds},
    )  # fmt: skip


def _fit(
    means: TissueCurves, curve_set: CurveSet, settings: Settings, report: Report, checkpoint, start_from
) -> tuple[FitResult, FitResult]:
    """The fit of the segments' mean curves and of every voxel.

    A network trains once for both. Other methods fit the means by themselves, since they are less noisy than any voxel (and
    have no neighbours), after the voxels, whose fitted input serves them too; so does the mesh, in which a curve has a place.
    """
    limits, method = limits_for(settings), settings.fit.method
    compressions: dict = {}

    def fit(curves: TissueCurves, aif, how: FitSettings, stage: str, low: float, high: float) -> FitResult:
        progress = within(report, low, high, stage=f"fit of {stage}")
        part = None if checkpoint is None else checkpoint.part(stage)
        return solvers.fit(curves, aif, how, progress, part, start_from, compressions=compressions)

    if method.is_network and method is not Method.MESH:
        both = means.and_then(curve_set.curves)
        return fit(both, curve_set.aif, limits, "segments and voxels", 0.02, 1.0).parted(len(means))
    between = 0.72 if method is Method.MESH else 0.94
    by_voxel = fit(curve_set.curves, curve_set.aif, limits, "voxels", 0.02, between)
    fitted = curve_set.aif if by_voxel.measured_aif is None else by_voxel.aif
    of_means = replace(limits, spatial=Spatial.NONE, input=Input.MEASURED)
    return fit(means, fitted, of_means, "segments", between, 1.0), by_voxel


def limits_for(settings: Settings) -> FitSettings:
    """The fit's settings with its limits, which hold at a haematocrit of ``REFERENCE_HCT``, at the study's.

    All plasma parameters carry 1 - Hct; limits that move with it keep MBF independent of the haematocrit.
    """
    share = blood_from_plasma(1.0, hct=REFERENCE_HCT) / blood_from_plasma(1.0, hct=settings.hct)

    def moved(limits: tuple[float, float]) -> tuple[float, float]:
        return (share * limits[0], share * limits[1])

    fit = settings.fit
    return replace(
        fit,
        F_p_range=moved(fit.F_p_range),
        v_p_range=moved(fit.v_p_range),
        v_e_range=moved(fit.v_e_range),
        PS_range=moved(fit.PS_range),
    )


def check_grid(series: PerfusionSeries, masks: Masks) -> None:
    """InputError where the masks were drawn on another grid than the series'."""
    if not masks.geometry.same_grid(series.geometry):
        raise InputError(
            f"The masks' grid {masks.geometry.shape} is not the grid of the images {series.geometry.shape} (slices, rows, columns).",
            "Draw the masks on this series, or choose the series they were drawn on.",
        )


def with_insertion(settings: Settings, points) -> Settings:
    """The settings with an insertion point that was read from a file; unchanged where there is none."""
    return settings if points is None else replace(settings, aha=replace(settings.aha, insertion_lps=tuple(points)))


def input_digest(
    series: PerfusionSeries, masks: Masks, settings: Settings, start_from: TrainedNetwork | None = None
) -> str:
    """A name for images, masks, settings, start and version together: what a checkpoint is good for."""
    values = settings.to_json()
    for part, name in (("network", "device"), ("network", "threads"), ("one_shot", "device")):
        del values["fit"][part][name]  # where it is computed; work may go on elsewhere
    digest = hashlib.sha256(f"{__version__}\n{json.dumps(values)}\n{series.acquisition!r}\n".encode())
    arrays = (series.signal, series.time, series.weight, series.geometry.ijk_to_lps, masks.myocardium, masks.blood_pool)
    for array in (*arrays, *([] if masks.right_ventricle is None else [masks.right_ventricle])):
        digest.update(f"{array.shape} {array.dtype}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    for weights in () if start_from is None else start_from.slices:
        for name, array in sorted(weights.items()):
            digest.update(f"{name} {array.shape} {array.dtype}\n".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
