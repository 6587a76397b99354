"""From images and masks to curves in mM: tissue, and the arterial input from the LV blood pool.

Baseline from the blood pool's signal; conversion by relaxation.py; input from the pure voxels of the pool; blood to
plasma by the haematocrit. A dual bolus gives the input by its scaled pre-bolus. A dual sequence (the input from a series
of its own) and proton-density frames would enter in ``curves_from_series``, before the conversion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .aif import ArterialInput
from .bloodpool import BloodCurve, blood_curve, noise_in_time
from .bolus import Bolus, main_bolus, pre_bolus_before, rise_times
from .errors import InputError
from .fit import TissueCurves
from .plausibility import doubts
from .relaxation import Readout, concentration_from_signal, signal_from_concentration, without_noise_floor
from .series import Acquisition, Masks, PerfusionSeries
from .settings import Bolus as Injection
from .settings import Conversion, Settings, SignalSettings

__all__ = [
    "CurveSet",
    "Readout",
    "concentration_from_signal",
    "curves_from_series",
    "readout_of",
    "signal_from_concentration",
]

FRAMES_BEFORE_MAIN = 3
LINEAR_DUAL_BOLUS = "Linear conversion of the main bolus puts the flow 13 to 69 % too high: use saturation recovery for a dual-bolus study."


@dataclass(frozen=True)
class CurveSet:
    """What the fit sees: tissue ``curves`` and the plasma input ``aif``.

    ``C_ab`` (m,) mM whole blood at ``aif_time`` (m,) s; ``blood_voxels`` (b, 3) k, j, i that it came from; ``baseline`` (k,)
    frames before the contrast agent in each slice; ``arrival`` s in the blood pool; ``notes`` doubts in plain words.
    """

    curves: TissueCurves
    aif: ArterialInput
    C_ab: np.ndarray
    aif_time: np.ndarray
    blood_voxels: np.ndarray
    baseline: np.ndarray
    arrival: float
    notes: tuple[str, ...] = ()


def readout_of(settings: SignalSettings, acquisition: Acquisition) -> Readout:
    """The readout: a setting before what the files say; InputError names what neither gives."""
    needed = {"TS": "--TS (ms)"}
    if settings.conversion is Conversion.TRAIN:
        needed |= {"TR": "--TR (ms)", "flip_angle": "--flip-angle (degrees)", "pulses": "--pulses"}
    values = {}
    for name, flag in needed.items():
        given = getattr(settings, name)
        values[name] = given if given is not None else getattr(acquisition, name)
        if values[name] is None:
            raise InputError(
                f"The images do not say {name}, which the conversion {settings.conversion.value} needs.",
                f"Give it with {flag}, or choose another --conversion.",
            )
    return Readout(**values)


def curves_from_series(series: PerfusionSeries, masks: Masks, settings: Settings) -> CurveSet:
    """Tissue curves (every myocardial voxel) and the arterial input of a study.

    Raises InputError for pixels that are not numbers, a pool without a bolus, readout numbers that nobody gives.
    """
    how = settings.signal
    readout = readout_of(how, series.acquisition)
    _check_numbers(series, masks)
    blood = blood_curve(series, masks, readout, how)
    baseline = _baseline_frames(series, blood, how)
    C_t = _tissue(series, masks, baseline, readout, how)
    curves = TissueCurves(
        series.time, np.argwhere(masks.myocardium)[:, 0], C_t, series.weight, np.argwhere(masks.myocardium)
    )
    found = _dual(curves, blood, settings) if how.bolus is Injection.DUAL else _single(curves, blood, settings)
    found = replace(found, baseline=baseline)
    return replace(found, notes=(*blood.notes, *found.notes, *doubts(found.curves, found.aif_time, found.C_ab)))


def _check_numbers(series: PerfusionSeries, masks: Masks) -> None:
    inside = masks.myocardium | masks.blood_pool
    counted = series.weight.T[:, np.nonzero(inside)[0]] > 0
    wrong = ~np.isfinite(series.signal[:, inside]) & counted
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} pixel values inside the masks are not numbers (in {int(wrong.any(axis=0).sum())} pixels, {int(wrong.any(axis=1).sum())} frames).",
            "Check the images; motion correction may leave holes at the border.",
        )


def _baseline_frames(series: PerfusionSeries, blood: BloodCurve, how: SignalSettings) -> np.ndarray:
    """(k,) frames of each slice before the contrast agent; each slice has at least one."""
    if how.baseline_frames is not None:
        most = series.frames - 1
        if how.baseline_frames > most:
            raise InputError(
                f"{how.baseline_frames} baseline frames were asked for and the series has {series.frames} frames."
            )
        return np.full(len(series.time), how.baseline_frames)
    return np.maximum((series.time <= blood.quiet_until).sum(axis=1), 1)


def _tissue(
    series: PerfusionSeries, masks: Masks, baseline: np.ndarray, readout: Readout, how: SignalSettings
) -> np.ndarray:
    """C_t (n, t) mM of every myocardial voxel, its M0 from its slice's baseline frames."""
    where = np.nonzero(masks.myocardium)
    signal = np.moveaxis(series.signal[(slice(None), *where)], 0, 1).astype(float)
    sigma = noise_in_time(signal[:, : int(baseline.min())])
    signal = without_noise_floor(signal, sigma)
    weight = series.weight[where[0]] * (np.arange(series.frames) < baseline[where[0], None])
    start = (np.where(weight > 0, signal, 0.0) * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
    return concentration_from_signal(
        signal, start, T1=how.T1_myocardium, relaxivity=how.relaxivity, readout=readout, conversion=how.conversion
    )


def _single(curves: TissueCurves, blood: BloodCurve, settings: Settings) -> CurveSet:
    aif = ArterialInput.from_blood(blood.time, blood.C_ab, settings.hct)
    return CurveSet(curves, aif, blood.C_ab, blood.time, blood.voxels, np.zeros(0, dtype=int), blood.arrival)


def _dual(curves: TissueCurves, blood: BloodCurve, settings: Settings) -> CurveSet:
    """The first pass of the main bolus is taken from the pre-bolus over the dose ratio; tissue counts from just before.

    The 2CXM is linear and remembers: the input keeps the pre-bolus itself, so that what it left in the tissue is in the
    model and nothing needs to be taken off.
    """
    main = main_bolus(blood.C_ab)
    pre = pre_bolus_before(blood.C_ab, main, blood.time, settings.signal.dose_ratio)
    time, C_ab = _joined(blood, pre, main, settings.signal.dose_ratio)
    first = np.maximum((curves.time <= blood.time[main.foot]).sum(axis=1) - FRAMES_BEFORE_MAIN, 0)
    counted = np.arange(curves.time.shape[1]) >= first[:, None]
    tissue = replace(curves, weight=curves.weight * counted)
    notes = (LINEAR_DUAL_BOLUS,) if settings.signal.conversion is Conversion.LINEAR else ()
    aif = ArterialInput.from_blood(time, C_ab, settings.hct)
    arrival = float(blood.time[main.foot])
    return CurveSet(tissue, aif, C_ab, time, blood.voxels, np.zeros(0, dtype=int), arrival, notes)


def _joined(blood: BloodCurve, pre: Bolus, main: Bolus, dose_ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Times s and C_ab mM: the pre-bolus as measured; scaled and moved, on what is left of it; the main bolus's tail.

    Moved by the mean difference of the times at which both rise through the same shares of the scaled peak, low enough
    that the main bolus is not saturated there. The scaled piece ends where the main bolus has surely not begun in the
    measured one: scaled, the first sign of it would be a bolus of its own. From there on the blood is measured again: it
    is thin by then.
    """
    before = slice(0, main.baseline)
    left = float(blood.C_ab[before][-FRAMES_BEFORE_MAIN:].mean())
    scaled = (blood.C_ab / dose_ratio)[before]
    height = float(scaled[pre.peak])
    late = rise_times(blood.time, blood.C_ab - left, main, height) - rise_times(blood.time, scaled, pre, height)
    moved = blood.time[before] + late.mean()
    arriving, later = moved > blood.time[before][-1], blood.time > moved[-1]
    time = np.concatenate([blood.time[before], moved[arriving], blood.time[later]])
    return time, np.concatenate([blood.C_ab[before], scaled[arriving] + left, blood.C_ab[later]])
