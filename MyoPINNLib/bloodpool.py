"""The blood curve of a mask that somebody drew: pure blood only, no papillary muscle, no partial volume.

Rule: in the slice with the most voxels, each voxel is rated by its mean enhancement around the bolus's peak over its
baseline, the baseline as a smooth surface through all voxels' (the coil's shading, without a voxel's noise). Voxels of
pure blood crowd at the top; those that hold muscle lie below. What counts lies within ``WIDTHS`` spreads of the upper
half's middle, the spread taken from the top, where no muscle is. The signals of what counts are summed and converted
once, so that noise does not pass through the curved conversion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bolus import checked_bolus, earlier_hump
from .errors import InputError
from .relaxation import Readout, concentration_from_signal, magnitude_variance, without_noise_floor
from .robust import width
from .series import Masks, PerfusionSeries
from .settings import SignalSettings

AROUND_PEAK = 3
WIDTHS = 2.5
UPPER_MIDDLE, NEAR_TOP = 0.75, 0.95
_NORMAL_BETWEEN = 1.0
FEW_VOXELS = 10
MOST_BRIGHT_FRAMES, AFTER_BRIGHT, BRIGHT = 10, 4, 1.5
FEW_FOR_SURFACE, ROBUST_STEPS = 24, 8
_NOISE_STEPS = 12


@dataclass(frozen=True)
class BloodCurve:
    """``C_ab`` (t,) mM of whole blood at ``time`` (t,) s, from ``voxels`` (b, 3) k, j, i; ``quiet_until`` s: the
    last frame of the baseline; ``arrival`` s, just before the rise; ``notes`` in plain words; ``hump`` s: the peak of a
    smaller bolus before it, if any."""

    time: np.ndarray
    C_ab: np.ndarray
    voxels: np.ndarray
    quiet_until: float
    arrival: float
    notes: tuple[str, ...] = ()
    hump: float | None = None


def blood_curve(series: PerfusionSeries, masks: Masks, readout: Readout, how: SignalSettings) -> BloodCurve:
    """The blood curve of a study, on the clock of the slice it is taken from. Raises InputError where there is no bolus."""
    k = int(np.argmax(masks.blood_pool.sum(axis=(1, 2))))
    counted = series.weight[k] > 0
    time, signal = series.time[k, counted], series.signal[counted][:, k, masks.blood_pool[k]].T.astype(float)
    pool = np.median(signal, axis=0)
    bolus, hump = checked_bolus(pool, time), earlier_hump(pool)
    frames = how.baseline_frames or (hump or bolus).baseline
    sigma = noise_in_time(signal[:, :frames])
    places = np.argwhere(masks.blood_pool[k])
    start = signal[:, :frames].mean(axis=1)
    near = signal[:, max(bolus.peak - AROUND_PEAK, 0) : bolus.peak + AROUND_PEAK + 1].mean(axis=1)
    pure = pure_voxels(near / shading(places, start))
    whole = without_noise_floor(signal[pure].mean(axis=0), sigma)[None]
    C_ab = concentration_from_signal(
        whole,
        whole[:, :frames].mean(axis=1),
        T1=how.T1_blood,
        relaxivity=how.relaxivity,
        readout=readout,
        conversion=how.conversion,
    )[0]
    voxels = np.column_stack([np.full(pure.sum(), k), places[pure]])
    arrival = float(time[bolus.foot] + time[bolus.foot + 1]) / 2
    notes = () if len(voxels) >= FEW_VOXELS else (_few(len(voxels), len(places)),)
    return BloodCurve(
        time, C_ab, voxels, float(time[frames - 1]), arrival, notes, None if hump is None else float(time[hump.peak])
    )


def bright_start(series: PerfusionSeries, masks: Masks) -> int:
    """How many frames at the start are far brighter than those after them, as proton-density images are."""
    pool = np.median(series.signal[:, masks.blood_pool], axis=1)
    counts = range(min(MOST_BRIGHT_FRAMES, len(pool) - 1), 0, -1)
    return next((n for n in counts if pool[:n].min() > BRIGHT * np.median(pool[n : n + AFTER_BRIGHT])), 0)


def noise_in_time(signal: np.ndarray) -> float:
    """Standard deviation of a voxel's noise, before the magnitude is taken, from the baseline frames (n, t) of many: their
    differences in time.

    The median of few squared differences lies below their mean, and a dark magnitude varies less than its noise: both are
    made good (the second after Koay and Basser 2006).
    """
    differences = signal.shape[1] - 1
    if differences < 1 or not len(signal):
        return 0.0
    free = 2 * differences**2 / (3 * differences - 1)
    variance = np.nanmedian((np.diff(signal, axis=1) ** 2).mean(axis=1)) / 2 / (1 - 2 / (9 * free)) ** 3
    power, squared = np.nanmedian((signal**2).mean(axis=1)), variance
    for _ in range(_NOISE_STEPS if variance > 0 else 0):
        squared = variance / magnitude_variance(max(power / squared - 2, 0.0))
    return float(np.sqrt(squared))


def shading(places: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Baselines (n,) at pixels ``places`` (n, 2) as a smooth surface: a robust quadratic of their logarithms."""
    usable = start > 0
    if usable.sum() < FEW_FOR_SURFACE:
        return np.full(len(start), np.median(start[usable]) if usable.any() else np.nan)
    y, x = ((places - places.mean(axis=0)) / max(np.ptp(places, axis=0).max(), 1)).T
    terms = np.column_stack([np.ones_like(x), x, y, x * y, x**2, y**2])
    level = np.log(np.where(usable, start, 1.0))
    weight = usable.astype(float)
    for _ in range(ROBUST_STEPS):
        root = np.sqrt(weight)
        surface = terms @ np.linalg.lstsq(terms * root[:, None], level * root, rcond=None)[0]
        off = np.abs(level - surface)
        spread = max(width(off[usable]), 1e-9)
        weight = usable * np.minimum(1.0, spread / np.maximum(off, 1e-12))
    return np.exp(surface)


def _few(kept: int, drawn: int) -> str:
    return f"The arterial input comes from {kept} of the {drawn} voxels drawn in the LV blood pool: it is noisy; draw it larger."


def pure_voxels(rating: np.ndarray) -> np.ndarray:
    """(n,) bool: the voxels whose ``rating`` (n,) is that of pure blood. Raises InputError where none has a rating."""
    usable = np.isfinite(rating)
    if not usable.any():
        raise InputError(
            f"None of the {rating.size} voxels of the LV blood pool has a signal before the bolus.",
            "Check that the mask lies inside the image.",
        )
    middle, top = np.quantile(rating[usable], [UPPER_MIDDLE, NEAR_TOP])
    spread = (top - middle) / _NORMAL_BETWEEN
    return usable & (np.abs(rating - middle) <= WIDTHS * spread + 1e-12 * abs(middle))
