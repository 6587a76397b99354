"""The trunk of the one-shot solver: a few functions phi(t) of one input that hold every C_p and C_e the 2CXM can make of it.

    C_p = phi a,   C_e = phi b        phi (p,): functions of the input's own time t - T_a

Both curves of any parameters are sums of two members of one family (kinetics.py), (K + k0) E(t; K) with the slope dE/dt =
C_ap - K E. A singular value decomposition of the family and its slopes over ln K gives the functions. ``FREE`` more, the
leading ones of exp(-K t), let a curve begin elsewhere than at zero, as far as the initial condition's weight lets it.
Concentrations are shares of the input's peak here, times s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..kinetics import Rates, compartment_curves

HELD = 1e-3
TOLERANCE = 1e-6
SLOWEST, FASTEST, LOG_STEP = 1e-5, 500.0, 0.1
FREE = 2
_FREE_RATES = np.exp(np.arange(np.log(1e-3), np.log(3.0), 0.3))
_OFFSET = 0.02
_SLOPE_SECONDS = 0.3
_FEWEST = 4
_SHORTEST = 1.0


@dataclass(frozen=True)
class Trunk:
    """``grid`` (g,) s; ``phi`` and ``slope`` (g, p), the latter 1/s; ``C_ap`` (g,) of the ``peak`` mM.

    ``points`` (q,): which rows of the grid are collocation points; the first row is the start. ``left`` (b,): what the
    functions miss of the family's members at ln K = ``log_rates`` (b,).
    """

    grid: np.ndarray
    phi: np.ndarray
    slope: np.ndarray
    C_ap: np.ndarray
    peak: float
    points: np.ndarray
    log_rates: np.ndarray
    left: np.ndarray

    @classmethod
    def of(
        cls,
        aif: ArterialInput,
        last: float,
        *,
        points: int,
        most: int,
        strictness: float = 1.0,
        pulse: Callable[[], None] = lambda: None,
    ) -> Trunk:
        """For the input's times up to ``last`` s, with ``points`` collocation points, ``most`` functions at the most.

        What the functions miss of a solution obeys no equation: the more the equations weigh beside the data (``strictness``),
        the less may be missed, or it would move the parameters.
        """
        first = float(aif.knots[0])
        step = max(last - first, _SHORTEST) / points
        even = first + step * (np.arange(points) + 0.5)
        grid = np.unique(np.concatenate([[first], even, aif.knots[aif.knots < even[-1]]]))
        convolve, peak = ExponentialConvolution(aif, grid), float(aif.C_ap.max())
        C_ap = np.reshape(convolve.C_ap, -1) / peak
        log_rates = np.arange(np.log(SLOWEST), np.log(FASTEST), LOG_STEP)
        K = np.exp(log_rates)[:, None]
        E = convolve(K[:, 0])[0].T / peak
        pulse()
        family = np.stack([(K + _OFFSET) * E, (K + _OFFSET) * (C_ap - K * E)])
        decay = np.exp(-_FREE_RATES[:, None] * (grid - first))
        tolerance = TOLERANCE / max(1.0, strictness) ** 0.5
        phi, slope = _functions(family, np.stack([decay, -_FREE_RATES[:, None] * decay]), most, tolerance)
        pulse()
        Q = np.linalg.qr(phi[1:])[0]
        missed = family[0, :, 1:] - (family[0, :, 1:] @ Q) @ Q.T
        return cls(grid, phi, slope, C_ap, peak, np.searchsorted(grid, even), log_rates, np.abs(missed).max(axis=1))

    def at(self, times: np.ndarray) -> np.ndarray:
        """phi (..., p) at the input's times (...) s: zero before the start, held after the end."""
        return self._read(self._spline, times)

    def slope_at(self, times: np.ndarray) -> np.ndarray:
        """dphi/dt (..., p) 1/s, likewise."""
        return self._read(self._spline.derivative(), times)

    @cached_property
    def _spline(self) -> CubicHermiteSpline:
        return CubicHermiteSpline(self.grid, self.phi, self.slope)

    def _read(self, curves, times: np.ndarray) -> np.ndarray:
        values = curves(np.clip(times, self.grid[0], self.grid[-1]))
        values[times < self.grid[0]] = 0.0
        return values

    def holds(self, aif: ArterialInput, x: np.ndarray) -> np.ndarray:
        """(n,) bool: whether C_p and C_e at x (n, m) lie within ``HELD`` of the peak of what the functions can be.

        Who may not, by what the functions miss of the two members that the solution is made of, is compared with it.
        """
        F_p, v_p, v_e, PS = np.exp(x[:, :4].T)
        rates = Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS)
        held = self._most_missed(rates) <= HELD
        rows = np.flatnonzero(~held)
        if rows.size:
            given = {"F_p": F_p[rows], "v_p": v_p[rows], "v_e": v_e[rows], "PS": PS[rows]}
            Q, even = np.linalg.qr(self.phi[self.points])[0], self.grid[self.points]
            exact = np.stack(compartment_curves(aif, even, **given)) / self.peak
            held[rows] = np.abs(exact - (exact @ Q) @ Q.T).max(axis=(0, 2)) <= HELD
        return held

    def _most_missed(self, rates: Rates) -> np.ndarray:
        """(n,) no less than what the functions miss of C_p or C_e, as a share of the peak."""
        scale, missed = rates.f / (2 * rates.r), np.zeros_like(rates.f)
        for K, share in ((rates.fast, rates.fast - rates.k), (rates.slow, rates.k - rates.slow)):
            left = np.interp(np.log(np.maximum(K, SLOWEST)), self.log_rates, self.left) / (K + _OFFSET)
            missed += scale * np.maximum(np.abs(share), rates.k) * left
        return missed


def _functions(family: np.ndarray, free: np.ndarray, most: int, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """phi and its slope (g, p) from curves and slopes (2, b, g) of the family and of the free decays.

    As few as hold the family to ``tolerance``; each has a mean square of 1 over the grid beyond its start, and none of the others in it.
    """
    phi, slope = _leading(family)
    curves, size = family[0, :, 1:], 1
    for size in range(min(_FEWEST, most), min(most, phi.shape[1]) + 1):
        Q = np.linalg.qr(phi[1:, :size])[0]
        if np.abs(curves - (curves @ Q) @ Q.T).max() <= tolerance:
            break
    free_phi, free_slope = _leading(free)
    values = np.column_stack([phi[:, :size], free_phi[:, :FREE]])
    slopes = np.column_stack([slope[:, :size], free_slope[:, :FREE]])
    root = np.linalg.qr(values[1:])[1] / np.sqrt(len(values) - 1)
    return np.linalg.solve(root.T, values.T).T, np.linalg.solve(root.T, slopes.T).T


def _leading(pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All singular functions (g, b) of curves and slopes (2, b, g), largest first; the start, where a slope may jump, has no say."""
    rows = np.concatenate([pair[0, :, 1:], _SLOPE_SECONDS * pair[1, :, 1:]], axis=1)
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    count = int((sizes > 1e-10 * sizes[0]).sum())
    mixing = left[:, :count] / sizes[:count]
    return pair[0].T @ mixing, pair[1].T @ mixing
