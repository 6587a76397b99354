"""The arterial input as a smooth function with few coefficients, and what tissue curves are made of in them.

    C_ap(t) = sum_j z_j B_j(t)          B_j: the cubic spline that is 1 at node j, 0 at the others; z_j = C_ap(t_j) mM
    C_t,i(t) = sum_j z_j (R_i * B_j)(t - T_a)          R(t) = a+ exp(-K+ t) + a- exp(-K- t)  (residue.py)

Nodes are the samples and, where the bolus passes or a frame is missing, the middles between them. R * B_j is taken with B_j
straight between points ``step`` s apart: with P(u) = (K u - 1 + exp(-K u)) / K^2 for u > 0, the hat of a point s gives
(P(t - s + h) - 2 P(t - s) + P(t - s - h)) / h, exactly.

How rough C_ap is: sum over nodes of (C_ap'' / c)^2 dt, where c follows the measured input's own slope, so that a bolus may
bend where the tail may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline

from ..aif import ArterialInput, Interpolation
from ..kinetics import Rates

_FINER = 0.4
_LIVELY = 0.25
_GAP = 1.6
_QUIET = 0.05
_SLOWEST = 1e-4
_AT_ONCE = 32
_SMOOTH = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0


@dataclass(frozen=True)
class InputBasis:
    """``nodes`` (q,) s; ``bend`` (q,) how much the input may bend there (1 at most); ``step`` s between points."""

    nodes: np.ndarray
    bend: np.ndarray
    step: float

    @classmethod
    def of(cls, aif: ArterialInput) -> InputBasis:
        """For an input measured at ``aif.knots``."""
        time, usual = aif.knots, float(np.median(np.diff(aif.knots)))
        lively = _liveliness(aif)
        gap = np.diff(time)
        halved = (np.maximum(lively[1:], lively[:-1]) > _LIVELY) | (gap > _GAP * usual)
        nodes = np.sort(np.concatenate([time, (time[:-1] + gap / 2)[halved]]))
        return cls(nodes, np.interp(nodes, time, lively), _FINER * usual)

    @cached_property
    def _splines(self) -> CubicSpline:
        return CubicSpline(self.nodes, np.eye(len(self.nodes)))

    def matrix(self, t: np.ndarray) -> np.ndarray:
        """B_j at times t (p,) s: (p, q). Zero before the first node, constant after the last."""
        inside = np.clip(t, self.nodes[0], self.nodes[-1])
        return np.where((t >= self.nodes[0])[:, None], self._splines(inside), 0.0)

    def input(self, z: np.ndarray) -> ArterialInput:
        """The input of the coefficients z (q,)."""
        return ArterialInput(self.nodes, z, Interpolation.SPLINE)

    @cached_property
    def roughness(self) -> np.ndarray:
        """(q, q) matrix Q of rank q - 2: z'Q z says how rough the input is."""
        h = np.diff(self.nodes)
        bent = np.zeros((len(h) - 1, len(self.nodes)))
        rows = np.arange(len(bent))
        bent[rows, rows], bent[rows, rows + 2] = 1 / h[:-1], 1 / h[1:]
        bent[rows, rows + 1] = -(1 / h[:-1] + 1 / h[1:])
        bent *= (np.sqrt(2 / (h[:-1] + h[1:])) / self.bend[1:-1])[:, None]
        return bent.T @ bent

    def tissue(self, x: np.ndarray, time: np.ndarray, T_a: np.ndarray) -> np.ndarray:
        """dC_t/dz (n, t, q) at x (n, 4 or 5), delays T_a (n,) s, on ``time`` (t,) s."""
        end = time[-1] - T_a.min() + 2 * self.step
        points = np.arange(self.nodes[0], max(end, self.nodes[-1]), self.step)
        splines = self.matrix(points)
        around = np.concatenate([[points[0] - self.step], points, [points[-1] + self.step]])
        parts = [
            self._hats(x[i : i + _AT_ONCE], time - T_a[i : i + _AT_ONCE, None], around) @ splines
            for i in range(0, len(x), _AT_ONCE)
        ]
        return np.concatenate(parts)

    def _hats(self, x: np.ndarray, times: np.ndarray, around: np.ndarray) -> np.ndarray:
        """R * hat (n, t, p) at ``times`` (n, t) s for the inner points of ``around`` (p + 2,)."""
        since = np.maximum(times[:, :, None] - around, 0.0)
        ramp = np.zeros_like(since)
        for K, share in _rates_and_shares(x):
            grown = since * K[:, None, None]
            grown += np.expm1(-grown)
            grown *= (share / K**2)[:, None, None]
            ramp += grown
        return (ramp[:, :, 2:] - 2 * ramp[:, :, 1:-1] + ramp[:, :, :-2]) / self.step

    def score(self, x: np.ndarray, time: np.ndarray, T_a: np.ndarray, r: np.ndarray) -> np.ndarray:
        """sum over voxels and frames of r dC_t/dz (q,), for r (n, t): as ``tissue``, at a cost of n (t + p) only.

        The hats' ramps are summed over the frames after each point, backwards in time.
        """
        end = max(time[-1] - T_a.min() + 2 * self.step, self.nodes[-1])
        points = np.arange(self.nodes[0], end, self.step)
        around = np.concatenate([[points[0] - self.step], points, [points[-1] + self.step]])
        frame = np.searchsorted(time, (around + T_a[:, None]).ravel(), side="right").reshape(len(x), -1)
        r = np.concatenate([r, np.zeros((len(r), 1))], axis=1)
        times = np.append(time, time[-1])
        left = np.cumsum(r[:, ::-1], axis=1)[:, ::-1]
        left_later = np.cumsum((r * times)[:, ::-1], axis=1)[:, ::-1]
        at = np.take_along_axis(left, frame, axis=1)
        since = np.take_along_axis(left_later, frame, axis=1) - (around + T_a[:, None]) * at
        until = np.where(frame < len(time), times[frame] - T_a[:, None] - around, 0.0)
        ramp = np.zeros(around.size)
        for K, share in _rates_and_shares(x):
            tail = r.copy()
            for k in range(len(time) - 1, -1, -1):
                tail[:, k] += np.exp(-K * (times[k + 1] - times[k])) * tail[:, k + 1]
            decayed = np.exp(-K[:, None] * until) * np.take_along_axis(tail, frame, axis=1)
            ramp += (share / K**2) @ (K[:, None] * since - at + decayed)
        return ((ramp[2:] - 2 * ramp[1:-1] + ramp[:-2]) / self.step) @ self.matrix(points)


def _rates_and_shares(x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(K, a) (n,) of the residue function's two parts at x (n, m)."""
    F_p, v_p, v_e, PS = np.exp(x[:, :4].T)
    rates = Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS)
    K = (np.maximum(rates.fast, _SLOWEST), np.maximum(rates.slow, _SLOWEST))
    return list(zip(K, rates.parts(F_p), strict=True))


def _liveliness(aif: ArterialInput) -> np.ndarray:
    """(m,) how fast the measured input changes about each sample, as a share of the most; never below ``_QUIET``."""
    slope = np.abs(np.gradient(aif.C_ap, aif.time))
    wide = np.convolve(np.pad(slope, 2, mode="edge"), _SMOOTH, mode="valid")
    return np.maximum(wide / max(wide.max(), 1e-300), _QUIET)
