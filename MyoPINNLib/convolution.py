"""An input convolved with exp(-K t), exactly, for any increasing knots and any sample times.

E(t; K) = int_0^t exp(-K (t - s)) C_ap(s) ds   and   G(t; K) = -dE/dK = int_0^t (t - s) exp(-K (t - s)) C_ap(s) ds

C_ap is a polynomial on each piece (ArterialInput.coefficients), so a step of length h has the closed form, with x = K h,

    E(t+h) = exp(-x) E(t) + sum_p c_p p! h^(p+1) phi_(p+1)(-x)
    G(t+h) = exp(-x) (G(t) + h E(t)) + sum_p c_p p! h^(p+2) phi'_(p+1)(-x)

with the phi functions of exponential integrators, phi_0(z) = exp(z), phi_(j+1)(z) = (phi_j(z) - 1/j!)/z.
Written for arrays (time, n), so that the one loop, over knots, works on whole rows of voxels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial

import numpy as np

from .aif import ArterialInput

_PIECES = 4
_SMALL = 0.5
_TERMS = 13
_SAME_STEP_DECIMALS = 11


def phi_functions(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """exp(-x), phi_1..phi_4(-x) and their derivatives phi'_1..phi'_4(-x), for x >= 0 of any shape.

    Upward recurrence where x is large, a Taylor series and the downward one where it is small: both are stable there.
    Returns (exp, phi (4, ...), slope (4, ...)).
    """
    x = np.asarray(x, dtype=float)
    phi, slope = np.empty((_PIECES, *x.shape)), np.empty((_PIECES, *x.shape))
    decay = np.exp(-x)
    large = np.maximum(x, _SMALL)
    below, below_slope = np.exp(-large), np.exp(-large)
    for j in range(_PIECES):
        phi[j] = (1.0 / factorial(j) - below) / large
        slope[j] = (phi[j] - below_slope) / large
        below, below_slope = phi[j], slope[j]
    small = x < _SMALL
    if small.any():
        phi[:, small], slope[:, small] = _phi_near_zero(x[small])
    return decay, phi, slope


def _phi_near_zero(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    highest = np.full(x.shape, 1.0 / factorial(_PIECES + 1 + _TERMS))
    for i in range(_TERMS - 1, -1, -1):
        highest = 1.0 / factorial(_PIECES + 1 + i) - x * highest
    phi = np.empty((_PIECES + 1, *x.shape))
    phi[_PIECES] = highest
    for j in range(_PIECES - 1, -1, -1):
        phi[j] = 1.0 / factorial(j + 1) - x * phi[j + 1]
    slope = np.stack([phi[j] - (j + 1) * phi[j + 1] for j in range(_PIECES)])
    return phi[:_PIECES], slope


def _increments(h: np.ndarray, coefficients: np.ndarray, K: np.ndarray, which: np.ndarray | None):
    """exp(-K h), and what the pieces add to E and G. ``h`` (s,) or (s, n); pieces (4, q) or (4, q, n); K (n,)."""
    h = h if h.ndim == 2 else h[:, None]
    decay, phi, slope = phi_functions(h * K)
    step = h.copy()
    grown, grown_slope = np.empty_like(phi), np.empty_like(phi)
    for p in range(_PIECES):
        grown[p] = factorial(p) * step * phi[p]
        step = step * h
        grown_slope[p] = factorial(p) * step * slope[p]
    if which is not None:
        decay, grown, grown_slope = decay[which], grown[:, which], grown_slope[:, which]
    coefficients = coefficients if coefficients.ndim == 3 else coefficients[:, :, None]
    return decay, (coefficients * grown).sum(0), (coefficients * grown_slope).sum(0)


@dataclass(frozen=True)
class Samples:
    """Where samples fall among the knots: ``piece`` and time ``into`` the piece s, ``before`` the first knot."""

    piece: np.ndarray
    into: np.ndarray
    before: np.ndarray

    @classmethod
    def at(cls, aif: ArterialInput, time: np.ndarray) -> Samples:
        """Samples of ``time`` (t,) or (t, n), s."""
        piece = np.searchsorted(aif.knots, time, side="right") - 1
        before = piece < 0
        piece = np.maximum(piece, 0)
        return cls(piece, np.where(before, 0.0, time - aif.knots[piece]), before)


class ExponentialConvolution:
    """E and G of one input at given sample times (t,) s, or (t, n) s where each voxel has times of its own."""

    def __init__(self, aif: ArterialInput, time: np.ndarray) -> None:
        self.samples = Samples.at(aif, np.asarray(time, dtype=float))
        last = int(self.samples.piece.max(initial=0))
        self._coefficients = aif.coefficients[:, : last + 1]
        steps = np.diff(aif.knots[: last + 1])
        self._steps, self._which = np.unique(np.round(steps, _SAME_STEP_DECIMALS), return_inverse=True)
        self.C_ap = aif(time)

    def __call__(self, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E (t, n) mM s and G (t, n) mM s^2 for rates K (n,) 1/s."""
        return self._into_pieces(*self._at_knots(K), K, self.samples)

    @classmethod
    def at_delays(cls, aif: ArterialInput, time: np.ndarray, delays: np.ndarray, K: np.ndarray) -> Iterator[np.ndarray]:
        """E (t, n) at ``time`` (t,) less each of the ``delays`` (b,) s in turn: one pass over the knots serves all."""
        longest = cls(aif, time - delays.min())
        at_knots = longest._at_knots(K)
        for delay in delays:
            yield longest._into_pieces(*at_knots, K, Samples.at(aif, time - delay))[0]

    def _at_knots(self, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        knots = self._coefficients.shape[1]
        E, G = np.zeros((knots, K.size)), np.zeros((knots, K.size))
        if knots == 1:
            return E, G
        decay, more_E, more_G = _increments(self._steps, self._coefficients[:, :-1], K, self._which)
        h_decay = self._steps[self._which][:, None] * decay
        for q in range(knots - 1):
            np.multiply(decay[q], E[q], out=E[q + 1])
            E[q + 1] += more_E[q]
            np.multiply(decay[q], G[q], out=G[q + 1])
            G[q + 1] += h_decay[q] * E[q]
            G[q + 1] += more_G[q]
        return E, G

    def _into_pieces(
        self, E: np.ndarray, G: np.ndarray, K: np.ndarray, samples: Samples
    ) -> tuple[np.ndarray, np.ndarray]:
        piece, into, before = samples.piece, samples.into, samples.before
        own_times = piece.ndim == 2
        E, G = (np.take_along_axis(a, piece, axis=0) if own_times else a[piece] for a in (E, G))
        if into.any():
            decay, more_E, more_G = _increments(into, self._coefficients[:, piece], K, None)
            h = into if own_times else into[:, None]
            G = decay * (G + h * E) + more_G
            E = decay * E + more_E
        if before.any():
            E[before], G[before] = 0.0, 0.0
        return E, G
