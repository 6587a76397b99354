"""The input of a dual-bolus study: the main bolus's first pass from the diluted pre-bolus, which does not saturate.

    C_ab(t) = C_pre(t)                                 until the main bolus comes
            = C_pre(t - shift) / dose_ratio + left(t)  while it passes
            = C_ab as measured                         after, when the blood is thin again

The 2CXM is linear and remembers: the input keeps the pre-bolus itself, so that what that left in the tissue is in the
model and nothing is taken off. ``left`` is what the pre-bolus left in the blood: a straight line between what was
measured just before the main bolus, and the measured less the scaled where the scaled piece ends.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import minimize_scalar

from .bolus import Bolus

ENDS = 4
RISING_SHARE = 0.5
SEARCH, SEARCH_STEP = 6.0, 0.05
SURPLUS = 0.15
_ROUNDS = 3


def joined_input(
    time: np.ndarray, C_ab: np.ndarray, pre: Bolus, main: Bolus, dose_ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Times s and C_ab mM of the joined input, from the blood's ``C_ab`` (t,) mM at ``time`` (t,) s.

    The scaled piece ends where the main bolus has surely not begun in the measured one: scaled, the first sign of it
    would be a bolus of its own.
    """
    before = slice(0, main.baseline)
    early, scaled = time[before], C_ab[before] / dose_ratio
    start = float(np.polyval(np.polyfit(early[-ENDS:] - early[-1], C_ab[before][-ENDS:], 1), 0.0))
    end, shift = start, float(time[main.foot] - time[pre.foot])
    for _ in range(_ROUNDS):
        left = start + (end - start) * np.clip((time - early[-1]) / shift, 0, 1)
        shift = alignment(time, C_ab - left, scaled, pre, main)
        moved = early + shift
        end = float((np.interp(moved[-ENDS:], time, C_ab) - scaled[-ENDS:]).mean())
    arriving = (np.arange(scaled.size) >= max(pre.foot - 1, 0)) & (moved > early[-1])
    remains = start + (end - start) * np.clip((moved - early[-1]) / shift, 0, 1)
    later = time > moved[-1]
    return (
        np.concatenate([early, moved[arriving], time[later]]),
        np.concatenate([C_ab[before], (scaled + remains)[arriving], C_ab[later]]),
    )


def alignment(time: np.ndarray, own: np.ndarray, scaled: np.ndarray, pre: Bolus, main: Bolus) -> float:
    """Seconds by which the ``scaled`` pre-bolus must move to lie on the lower part of the main bolus's rise.

    ``own`` (t,) mM: the main bolus without what the pre-bolus left. Only its rise up to half the scaled peak counts:
    there it does not saturate.
    """
    curve = PchipInterpolator(time[: scaled.size], scaled, extrapolate=False)
    rising = slice(max(main.foot - 1, 0), main.peak + 1)
    low = own[rising] <= RISING_SHARE * float(scaled[pre.peak])
    low[: int(low.sum()) + 1] = True
    t, C = time[rising][low], own[rising][low]

    def misfit(shift: float) -> float:
        return float(((np.nan_to_num(curve(t - shift)) - C) ** 2).sum())

    tried = time[main.foot] - time[pre.foot] + np.arange(-SEARCH, SEARCH + SEARCH_STEP, SEARCH_STEP)
    best = float(tried[np.argmin([misfit(shift) for shift in tried])])
    return float(minimize_scalar(misfit, bounds=(best - SEARCH_STEP, best + SEARCH_STEP), method="bounded").x)


def disagreement(C_ab: np.ndarray, joined: np.ndarray) -> str:
    """A note where the measured main bolus is higher than the scaled pre-bolus, which saturation cannot do; else ""."""
    measured, scaled = float(C_ab.max()), float(joined.max())
    if measured <= (1 + SURPLUS) * scaled:
        return ""
    return (
        f"The main bolus was measured up to {measured:.2g} mM and the scaled pre-bolus reaches {scaled:.2g} mM: saturation only "
        "lowers what is measured, so the dose ratio, TS or T1 is wrong, and the flow with it."
    )
