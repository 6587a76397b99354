"""A dynamic perfusion series: signal over time on a grid, each slice with its own clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from .errors import InputError
from .geometry import Geometry

_MASKS = {"myocardium": "myocardium", "blood_pool": "LV blood pool", "right_ventricle": "right ventricle"}
MIN_FRAME_INTERVAL, MAX_FRAME_INTERVAL = 0.1, 60.0


@dataclass(frozen=True)
class Acquisition:
    """How the images were made; ``None`` where the files do not say (then a setting must).

    TS : time from saturation to the k-space centre, s.   TR : time between readout pulses, s.
    flip_angle : rad.   pulses : readout pulses before the k-space centre.   field_strength : T.
    time_source : where the frame times come from ("AcquisitionTime (0008,0032)").   notes : doubts in plain words.
    """

    TS: float | None = None
    TR: float | None = None
    flip_angle: float | None = None
    pulses: int | None = None
    field_strength: float | None = None
    time_source: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PerfusionSeries:
    """``signal`` (t, k, j, i), ``time`` (k, t) s (given as (t,) it serves every slice), ``geometry``, ``acquisition``.

    ``weight`` (k, t) is 0 for a frame that a slice lacks (its signal is ignored), else 1.
    Raises InputError where shapes disagree, there is one frame, or time is negative, not finite or not increasing.
    """

    signal: np.ndarray
    time: np.ndarray
    geometry: Geometry
    acquisition: Acquisition = field(default_factory=Acquisition)
    weight: np.ndarray | None = None

    def __post_init__(self) -> None:
        signal = np.asarray(self.signal)
        if signal.ndim != 4:
            raise InputError(
                f"A perfusion series has four axes (time, slice, row, column); this one has {signal.ndim}."
            )
        frames, slices = signal.shape[:2]
        if signal.shape[1:] != self.geometry.shape:
            raise InputError(
                f"The images are {signal.shape[1:]} (slices, rows, columns) and their grid is {self.geometry.shape}."
            )
        if frames < 2:
            raise InputError(
                f"The series has {frames} frame; perfusion needs a series over time.", "Choose the dynamic series."
            )
        time = checked_time(self.time, slices, frames)
        weight = np.ones(time.shape) if self.weight is None else np.array(self.weight, dtype=float)
        if weight.shape != time.shape:
            raise InputError(f"The frame weights have shape {weight.shape} and the frame times {time.shape}.")
        for name, value in (("time", time), ("weight", weight)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "signal", signal)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.signal.shape[0]


def checked_time(time: np.ndarray, slices: int, frames: int) -> np.ndarray:
    """``time`` as a (k, t) array in s, or an InputError that says what is wrong with it."""
    time = np.array(time, dtype=float)
    if time.ndim == 1:
        time = np.repeat(time[None], slices, axis=0)
    if time.shape != (slices, frames):
        raise InputError(
            f"There are {slices} x {frames} images (slices x frames) and frame times of shape {time.shape}."
        )
    if not np.isfinite(time).all():
        raise InputError(f"{int((~np.isfinite(time)).sum())} frame times are not numbers.", "Check the time axis.")
    if time.min() < 0:
        raise InputError(
            f"A frame time is negative ({time.min():g} s).", "Times count from the first frame, in seconds."
        )
    steps = np.diff(time, axis=1)
    if (steps <= 0).any():
        k, t = np.argwhere(steps <= 0)[0]
        raise InputError(
            f"The frame times do not increase: slice {k + 1} has {time[k, t]:g} s at frame {t + 1} and {time[k, t + 1]:g} s at frame {t + 2}.",
            "Check the time axis.",
        )
    _check_interval(float(np.median(steps)))
    return time


def _check_interval(usual: float) -> None:
    hints = {
        usual < MIN_FRAME_INTERVAL: "These are not the times of the frames: check the time axis.",
        usual > MAX_FRAME_INTERVAL: "Are the times given in milliseconds? They must be in seconds.",
    }
    if True in hints:
        raise InputError(
            f"The frames are {usual:g} s apart; a perfusion series has a frame every heartbeat (0.4 to 2 s).",
            hints[True],
        )


@dataclass(frozen=True)
class Masks:
    """Where the heart is: bool arrays (k, j, i) on ``geometry``; ``right_ventricle`` only where it was drawn.

    Raises InputError for a mask of another shape, an empty mask, or masks that overlap.
    """

    myocardium: np.ndarray
    blood_pool: np.ndarray
    geometry: Geometry
    right_ventricle: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, words in _MASKS.items():
            mask = getattr(self, name)
            if mask is None and name == "right_ventricle":
                continue
            mask = np.array(mask, dtype=bool)
            if mask.shape != self.geometry.shape:
                raise InputError(
                    f"The {words} mask is {mask.shape} (slices, rows, columns) and its grid is {self.geometry.shape}."
                )
            if not mask.any():
                raise InputError(
                    f"The {words} mask is empty.", "Draw it in one slice at least, or choose the right segment."
                )
            mask.setflags(write=False)
            object.__setattr__(self, name, mask)
        drawn = [name for name in _MASKS if getattr(self, name) is not None]
        for one, other in combinations(drawn, 2):
            both = int((getattr(self, one) & getattr(self, other)).sum())
            if both:
                raise InputError(
                    f"{both} voxels are in both the {_MASKS[one]} and the {_MASKS[other]} mask.",
                    "The masks must not overlap.",
                )
