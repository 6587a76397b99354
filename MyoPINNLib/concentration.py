"""From images and masks to curves in mM: tissue, and the arterial input from the LV blood pool.

Baseline from the blood pool's signal; conversion by relaxation.py; input from the pure voxels of the pool; blood to
plasma by the haematocrit. A dual bolus gives the input by its scaled pre-bolus. A dual sequence (the input from a series
of its own) and proton-density frames would enter in ``curves_from_series``, before the conversion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from .aif import ArterialInput
from .bloodpool import BloodCurve, blood_curve, bright_start, noise_in_time
from .bolus import main_bolus, pre_bolus_before
from .dual_bolus import disagreement, joined_input
from .errors import InputError
from .fit import TissueCurves
from .plausibility import doubts
from .quantities import milliseconds_from_seconds
from .relaxation import FASTEST_R1, Readout, concentration_from_signal, signal_from_concentration, without_noise_floor
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
FEWEST_BASELINE_FRAMES = 3
MOST_CURVATURE = 0.1
LINEAR = (
    "Linear conversion leaves out that the signal saturates: the flow may come out more than twice too high (a blood peak of "
    "5 mM reads as 2 mM). Use saturation recovery."
)


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
    _check_baseline(series, how)
    bright = bright_start(series, masks)
    series = replace(series, weight=series.weight * (np.arange(series.frames) >= bright))
    blood = blood_curve(series, masks, readout, how)
    baseline = _baseline_frames(series, blood, how)
    C_t = _tissue(series, masks, baseline, readout, how)
    curves = TissueCurves(
        series.time, np.argwhere(masks.myocardium)[:, 0], C_t, series.weight, np.argwhere(masks.myocardium)
    )
    found = _dual(curves, blood, settings) if how.bolus is Injection.DUAL else _single(curves, blood, settings)
    found = replace(found, baseline=baseline)
    notes = (
        *_bright_note(bright),
        *_hump_note(blood, how),
        *_few_frames_note(baseline),
        *_limit_note(curves, how),
        *_conversion_note(how),
    )
    return replace(found, notes=(*blood.notes, *notes, *found.notes, *doubts(found.curves, found.aif_time, found.C_ab)))


def _check_baseline(series: PerfusionSeries, how: SignalSettings) -> None:
    if how.baseline_frames is not None and how.baseline_frames >= series.frames:
        raise InputError(
            f"{how.baseline_frames} baseline frames were asked for and the series has {series.frames} frames.",
            "Give --baseline-frames the number of frames before the contrast agent.",
        )


def _bright_note(frames: int) -> tuple[str, ...]:
    if not frames:
        return ()
    return (f"The first {frames} frame(s) are far brighter than the next (proton-density images?): they are left out.",)


def _hump_note(blood: BloodCurve, how: SignalSettings) -> tuple[str, ...]:
    if blood.hump is None or how.bolus is Injection.DUAL:
        return ()
    return (
        f"A smaller bolus passes first, at {blood.hump:.3g} s: if this is a dual-bolus study, choose the dual bolus.",
    )


def _few_frames_note(baseline: np.ndarray) -> tuple[str, ...]:
    fewest = int(baseline.min())
    if fewest >= FEWEST_BASELINE_FRAMES:
        return ()
    return (f"Only {fewest} frame(s) lie before the contrast agent: the baseline is uncertain, and all flows with it.",)


def _conversion_note(how: SignalSettings) -> tuple[str, ...]:
    """What is taken for granted: T1 is a setting, and the flow hangs on it."""
    blood, muscle = milliseconds_from_seconds(how.T1_blood), milliseconds_from_seconds(how.T1_myocardium)
    native = (
        f"Native T1 is taken as {blood:.0f} ms in blood and {muscle:.0f} ms in myocardium (--T1-blood, --T1-myocardium): "
        "10 % off in blood can change the flow by 40 %."
    )
    return (LINEAR, native) if how.conversion is Conversion.LINEAR else (native,)


def _limit_note(curves: TissueCurves, how: SignalSettings) -> tuple[str, ...]:
    """Signals that no concentration gives are held at the fastest relaxation."""
    limit = 0.999 * (FASTEST_R1 - 1.0 / how.T1_myocardium) / how.relaxivity
    held = int(((curves.C_t > limit) & (curves.weight[curves.clock] > 0)).any(axis=1).sum())
    if how.conversion is Conversion.LINEAR or not held:
        return ()
    return (f"In {held} of {len(curves)} voxels the signal is higher than full recovery: check TS, T1 and the masks.",)


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
        return np.full(len(series.time), how.baseline_frames)
    return np.maximum((series.time <= blood.quiet_until).sum(axis=1), 1)


def _tissue(
    series: PerfusionSeries, masks: Masks, baseline: np.ndarray, readout: Readout, how: SignalSettings
) -> np.ndarray:
    """C_t (n, t) mM of every myocardial voxel, its M0 from its slice's baseline frames."""
    k, j, i = np.nonzero(masks.myocardium)
    signal = np.moveaxis(series.signal[:, k, j, i], 0, 1).astype(float)
    counted = (series.weight > 0).all(axis=0) & (np.arange(series.frames) < baseline.min())
    sigma = noise_in_time(signal[:, counted])
    weight = series.weight[k] * (np.arange(series.frames) < baseline[k, None])
    start = (np.where(weight > 0, signal, 0.0) * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
    signal, start = without_noise_floor(signal, sigma), without_noise_floor(start, sigma)
    convert = partial(
        concentration_from_signal,
        T1=how.T1_myocardium,
        relaxivity=how.relaxivity,
        readout=readout,
        conversion=how.conversion,
    )
    return _without_curvature(convert, signal, start, sigma, sigma / np.sqrt(np.maximum(weight.sum(axis=1), 1.0)))


def _without_curvature(
    convert, signal: np.ndarray, start: np.ndarray, sigma: float, of_start: np.ndarray
) -> np.ndarray:
    """``convert(signal, start)`` (n, t) mM less what noise adds to it in the mean: the conversion is curved, in the signal (noise
    ``sigma``) and in the baseline ``start`` (n,) (noise ``of_start`` (n,)).

    The curvature is that of differences over one standard deviation; never more than ``MOST_CURVATURE`` of the value is taken off.
    """
    plain = convert(signal, start)
    if sigma == 0:
        return plain
    of_signal = (convert(signal + sigma, start) + convert(signal - sigma, start)) / 2 - plain
    of_baseline = (convert(signal, start + of_start) + convert(signal, start - of_start)) / 2 - plain
    most = MOST_CURVATURE * np.abs(plain)
    return plain - np.clip(np.nan_to_num(of_signal + of_baseline), -most, most)  # none of a baseline lost in noise


def _single(curves: TissueCurves, blood: BloodCurve, settings: Settings) -> CurveSet:
    aif = ArterialInput.from_blood(blood.time, blood.C_ab, settings.hct)
    return CurveSet(curves, aif, blood.C_ab, blood.time, blood.voxels, np.zeros(0, dtype=int), blood.arrival)


def _dual(curves: TissueCurves, blood: BloodCurve, settings: Settings) -> CurveSet:
    """The input of dual_bolus.py; tissue counts from just before the main bolus."""
    main = main_bolus(blood.C_ab)
    pre = pre_bolus_before(blood.C_ab, main, blood.time, settings.signal.dose_ratio)
    time, C_ab = joined_input(blood.time, blood.C_ab, pre, main, settings.signal.dose_ratio)
    first = np.maximum((curves.time <= blood.time[main.foot]).sum(axis=1) - FRAMES_BEFORE_MAIN, 0)
    counted = np.arange(curves.time.shape[1]) >= first[:, None]
    tissue = replace(curves, weight=curves.weight * counted)
    doubt = "" if settings.signal.conversion is Conversion.LINEAR else disagreement(blood.C_ab, C_ab)
    aif = ArterialInput.from_blood(time, C_ab, settings.hct)
    arrival = float(blood.time[main.foot])
    return CurveSet(tissue, aif, C_ab, time, blood.voxels, np.zeros(0, dtype=int), arrival, (doubt,) if doubt else ())
