"""Tissue curves as a dozen numbers: the same fit for a tenth of the work.

Every 2CXM curve of one input is a sum of two members of one family, E(t; K) at a delay T_a (kinetics.py). A singular value
decomposition of that family over all rates and delays that a fit may visit gives a few orthonormal curves U that hold it to
``TOLERANCE``. What a measured curve has outside of them no parameter can change, so (with the frames' weights)

    |C_t - C_2CXM|^2 = |U'C_t - U'C_2CXM|^2 + a constant

(K + k0) U'E stands in a table: straight between neighbours of ln K, first order in T_a about the nearest one (dE/dt =
C_ap - K E, which also fills the table between the delays that are convolved). A solution then costs two look-ups instead of two convolutions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..kinetics import Rates, tissue_response, tissue_sensitivity

TOLERANCE = 2e-5
SLOWEST, FASTEST = 1e-5, 60.0
LOG_STEP, DELAY_STEP = 0.02, 0.05
_OFFSET = 0.02
_EVERY = 8
_FINER = 4
_MOST_GAPS = 60
_FEWEST = 5


@dataclass(frozen=True)
class Compression:
    """One clock. ``basis`` (t, d); ``table`` (b, a, d) of (K + k0) U'E mM at ``delays`` (b,) s; ``input`` (b, d) U'C_ap mM."""

    basis: np.ndarray
    table: np.ndarray
    input: np.ndarray
    delays: np.ndarray

    @classmethod
    def of(
        cls,
        aif: ArterialInput,
        time: np.ndarray,
        root_weight: np.ndarray,
        limits: tuple[float, float],
        *,
        convolution=ExponentialConvolution,
        pulse: Callable[[], None] = lambda: None,
    ) -> Compression:
        """For curves on ``time`` (t,) s with delays within ``limits`` s; ``pulse`` is called now and then.

        Limits more than 12 s apart get a coarser table, so that it stays small.
        """
        gaps = min(int(np.ceil((limits[1] - limits[0]) / (DELAY_STEP * _FINER))), _MOST_GAPS)
        coarse = np.linspace(*limits, gaps + 1)
        K = np.exp(np.arange(np.log(SLOWEST), np.log(FASTEST) + LOG_STEP, LOG_STEP))
        family, inputs = [], [aif(time - delay) * root_weight for delay in coarse]
        for E in _at_delays(convolution, aif, time, coarse, K):
            family.append((E * (K + _OFFSET)).T * root_weight)
            pulse()
        basis = _basis(np.concatenate([*(part[::_EVERY] for part in family), inputs]))
        pulse()
        table, C_ap = np.stack([part @ basis for part in family]), np.stack(inputs) @ basis
        delays = np.linspace(*limits, gaps * _FINER + 1)
        if gaps:
            slope = K[:, None] * table - (K + _OFFSET)[:, None] * C_ap[:, None]
            table = CubicHermiteSpline(coarse, table, slope)(delays)
            pulse()
            C_ap = np.stack([aif(time - delay) * root_weight for delay in delays]) @ basis
        return cls(basis, table, C_ap, delays)

    def compress(self, weighted: np.ndarray) -> np.ndarray:
        """U'C (n, d) of weighted curves (n, t)."""
        return weighted @ self.basis

    def curves(self, x: np.ndarray) -> np.ndarray:
        """U'C_t (n, d) at x (n, m): ln F_p, ln v_p, ln v_e, ln PS and, where it is sought, T_a."""
        F_p, rates = _rates(x)
        node, late = self.node(x)
        C_t = np.zeros((len(x), self.table.shape[2]))
        flat, size = self.table.reshape(-1, C_t.shape[1]), self.table.shape[1]
        for K, share in zip((rates.fast, rates.slow), rates.parts(F_p), strict=True):
            place, part = self._place(K)
            share = share * (1 + late * K) / (K + _OFFSET)
            first = np.take(flat, node * size + place, axis=0)
            first *= (share * (1 - part))[:, None]
            C_t += first
            second = np.take(flat, node * size + place + 1, axis=0)
            second *= (share * part)[:, None]
            C_t += second
        if len(self.delays) > 1:
            C_t -= (F_p * late)[:, None] * self.input[node]
        return C_t

    def sensitivities(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """U'C_t (d, n) and its derivatives (m, d, n) by x (n, m)."""
        F_p, rates = _rates(x)
        lookup = _Lookup(self, *self.node(x))
        C_t, response = tissue_response(lookup, rates, F_p)
        return C_t, tissue_sensitivity(C_t, response, rates, F_p, lookup.C_ap)[: x.shape[1]]

    def _place(self, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = np.clip((np.log(K) - np.log(SLOWEST)) / LOG_STEP, 0.0, self.table.shape[1] - 1.0 - 1e-9)
        whole = place.astype(int)
        return whole, place - whole

    def node(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest tabled delay (n,), and how much later x is, s."""
        if len(self.delays) == 1:
            return np.zeros(len(x), dtype=int), np.zeros(len(x))
        step = self.delays[1] - self.delays[0]
        node = np.clip(np.rint((x[:, 4] - self.delays[0]) / step), 0, len(self.delays) - 1).astype(int)
        return node, x[:, 4] - self.delays[node]


@dataclass(frozen=True)
class _Lookup:
    """Answers as ``ExponentialConvolution`` does, in compressed numbers (d, n)."""

    whole: Compression
    node: np.ndarray
    late: np.ndarray

    @property
    def C_ap(self) -> np.ndarray:
        return self.whole.input[self.node].T

    def __call__(self, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place, part = self.whole._place(K)
        low, high = self.whole.table[self.node, place].T, self.whole.table[self.node, place + 1].T
        E = (low + part * (high - low)) / (K + _OFFSET)
        G = E / (K + _OFFSET) - (high - low) / (LOG_STEP * K * (K + _OFFSET))
        return E + self.late * (K * E - self.C_ap), G


def _at_delays(convolution, aif: ArterialInput, time: np.ndarray, delays: np.ndarray, K: np.ndarray):
    """E (t, b) of the rates K (b,) for each delay in turn."""
    if convolution is ExponentialConvolution:
        return ExponentialConvolution.at_delays(aif, time, delays, K)
    return (convolution(aif, time - delay)(K)[0] for delay in delays)


def _rates(x: np.ndarray) -> tuple[np.ndarray, Rates]:
    F_p, v_p, v_e, PS = np.exp(x[:, :4].T)
    return F_p, Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS)


def _basis(rows: np.ndarray) -> np.ndarray:
    """(t, d) orthonormal: as few as hold every row (r, t) to ``TOLERANCE`` of the largest value."""
    directions = np.linalg.svd(rows, full_matrices=False)[2]
    for d in range(min(_FEWEST, len(directions)), len(directions)):
        left = rows - (rows @ directions[:d].T) @ directions[:d]
        if np.abs(left).max() <= TOLERANCE * np.abs(rows).max():
            return directions[:d].T
    return directions.T


def exact(aif: ArterialInput, time: np.ndarray, x: np.ndarray, T_a: float, convolution=ExponentialConvolution):
    """C_t (n, t) mM of the uncompressed model at x (n, m); ``T_a`` s where x holds none."""
    F_p, rates = _rates(x)
    times = time[:, None] - x[:, 4] if x.shape[1] > 4 else time - T_a
    return tissue_response(convolution(aif, times), rates, F_p)[0].T
