"""Frames that a slice lacks: all slices get the same number, and what is filled in has weight 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError

GAP = 1.8


@dataclass(frozen=True)
class Clock:
    """``time`` (t,) s, strictly increasing; ``weight`` (t,) 0 for a frame that is not there; ``source`` (t,) the frame
    whose pixels stand in for it (of the frames that are there)."""

    time: np.ndarray
    weight: np.ndarray
    source: np.ndarray


@dataclass(frozen=True)
class Slice:
    """One slice's frames: ``pixels`` (n, j, i), ``time`` (n,) s and ``weight`` (n,)."""

    pixels: np.ndarray
    time: np.ndarray
    weight: np.ndarray


def check_interval(interval: float | None) -> None:
    """InputError where the user's time between frames (s) can be none."""
    if interval is not None and not 0 < interval < np.inf:
        raise InputError(f"--interval is {interval:g} s.", "Give the seconds between two frames, 0.4 to 2 usually.")


def gaps(time: np.ndarray) -> np.ndarray:
    """(t - 1,) bool: intervals longer than ``GAP`` medians, where frames are likely missing."""
    steps = np.diff(time)
    return steps > GAP * np.median(steps)


def filled(time: np.ndarray, frames: int) -> Clock:
    """``time`` (n,) s made up to ``frames`` times: first inside its gaps, where heartbeats went by, then at its end."""
    time = np.asarray(time, dtype=float)
    steps = np.diff(time)
    usual = float(np.median(steps)) if len(steps) else 1.0
    missing = frames - len(time)
    inserted = np.zeros(len(time), dtype=int)
    for gap in np.argsort(-steps):
        if steps[gap] > GAP * usual:
            inserted[gap] = min(missing, round(steps[gap] / usual) - 1)
            missing -= inserted[gap]
    inserted[-1] = missing
    ends = np.append(time[1:], time[-1] + usual * (missing + 1))
    times, source = [], []
    for frame, (start, end, more) in enumerate(zip(time, ends, inserted, strict=True)):
        times.append(np.linspace(start, end, more + 1, endpoint=False))
        source += [frame] * (more + 1)
    weight = np.diff(np.concatenate([[-1], source])) > 0
    return Clock(np.concatenate(times), weight.astype(float), np.array(source))


def stacked(slices: Sequence[Slice]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``signal`` (t, k, j, i), ``time`` and ``weight`` (k, t) of slices whose numbers of frames may differ."""
    frames = max(len(part.time) for part in slices)
    clocks = [filled(part.time, frames) for part in slices]
    pairs = list(zip(slices, clocks, strict=True))
    signal = np.stack([part.pixels[clock.source] for part, clock in pairs], axis=1)
    weight = np.stack([part.weight[clock.source] * clock.weight for part, clock in pairs])
    return signal, np.stack([clock.time for clock in clocks]), weight


def missing_note(counts: Sequence[int]) -> list[str]:
    """What is said of slices that have fewer frames than others; nothing where all have the same number."""
    most = max(counts)
    fewer = [f"slice {k + 1} has {count} of {most}" for k, count in enumerate(counts) if count < most]
    return [f"Frames are missing: {', '.join(fewer)}; those are left out of the fit."] if fewer else []
