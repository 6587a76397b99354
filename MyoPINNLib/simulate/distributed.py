"""Distributed-parameter tissue: plasma flows along a tube and exchanges with the interstitium beside it. No 2CXM.

    v_p dC_p/dt + F_p dC_p/dx = PS (C_e - C_p)      0 <= x <= 1, C_p(0, t) = C_ap(t)
    v_e dC_e/dt               = PS (C_p - C_e)      at each x: nothing spreads along the interstitium
    C_t = int_0^1 (v_p C_p + v_e C_e) dx

Sangren and Sheppard 1953; Larson, Markham and Raichle 1987. Solved here by the Laplace transform: what leaves at x = 1
has the transfer function exp(-s T - e s / (s + k)) with T = v_p/F_p, e = PS/F_p, k = PS/v_e; what has not left stays:

    R(t) = F_p                              for t < T         (plug flow: nothing has left yet)
    R(t) = F_p P(2 e; 2, 2 k (t - T))       for t >= T        P(x; d, c): distribution of non-central chi-square

since the outflow's integral is Marcum's Q_1(sqrt(2 k (t - T)), sqrt(2 e)). R(0) = F_p; at T it falls to
F_p (1 - exp(-e)), the extraction of Crone and Renkin; its area is v_p + v_e. Without back-flux (v_e without end) it
stays there.
Inside units: s, mM, 1/s, fractions.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.interpolate import CubicSpline
from scipy.special import chndtr

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution

GRID_STEP = 0.025
_LEAST_V_E = 1e-10


def distributed_residue(t, *, F_p, v_p, v_e, PS) -> np.ndarray:
    """R(t) 1/s at times s since the input; parameters and ``t`` broadcast."""
    t, F_p, v_p, v_e, PS = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (t, F_p, v_p, v_e, PS)))
    after = np.where(t >= v_p / F_p, _kept(t - v_p / F_p, F_p, v_e, PS), 1.0)
    return np.where(t >= 0, F_p * after, 0.0)


def distributed_curve(aif: ArterialInput, time, *, F_p, v_p, v_e, PS, T_a=0.0) -> np.ndarray:
    """C_t (n, t) mM at times (t,) s of an input that comes T_a s late; parameters (n,) with F_p above 0.

    The plug is the input's exact integral over the last T seconds; the rest is a trapezoid sum on a fine grid.
    """
    given = (np.atleast_1d(np.asarray(a, dtype=float)) for a in (F_p, v_p, v_e, PS, T_a))
    F_p, v_p, v_e, PS, T_a = np.broadcast_arrays(*given)
    since = np.asarray(time, dtype=float)[:, None] - T_a
    transit = v_p / F_p
    plug = _integral(aif, since) - _integral(aif, since - transit)
    rest = _after_the_plug(aif, (since - transit).T, F_p, v_e, PS)
    return (F_p * plug).T + F_p[:, None] * rest


def _kept(since, F_p, v_e, PS) -> np.ndarray:
    """Share of the agent that is still there ``since`` s after the plug has left."""
    k = PS / np.maximum(v_e, _LEAST_V_E)
    return np.where(PS > 0, chndtr(2 * PS / F_p, 2.0, 2 * k * np.maximum(since, 0.0)), 0.0)


def _integral(aif: ArterialInput, time: np.ndarray) -> np.ndarray:
    """Integral of the input up to times (t, n) s, mM s: its convolution with exp(0)."""
    return ExponentialConvolution(aif, time)(np.zeros(time.shape[1]))[0]


def _after_the_plug(aif: ArterialInput, time: np.ndarray, F_p, v_e, PS) -> np.ndarray:
    """The input convolved with the share that is kept, mM s, at times (n, t) s."""
    first = aif.knots[0]
    grid = np.arange(0.0, max(time.max() - first, 0.0) + 4 * GRID_STEP, GRID_STEP)
    size = next_fast_len(2 * grid.size, real=True)
    C_ap = aif(first + grid)
    spectrum, found = rfft(C_ap, size), np.zeros(time.shape)
    for n in range(len(time)):
        kept = _kept(grid, F_p[n], v_e[n], PS[n])
        whole = irfft(rfft(kept, size) * spectrum, size)[: grid.size]
        fine = GRID_STEP * (whole - (kept[0] * C_ap + kept * C_ap[0]) / 2)
        late = time[n] > first
        found[n, late] = CubicSpline(grid, fine)(time[n, late] - first)
    return found
