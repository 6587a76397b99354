"""The two-compartment exchange model (2CXM): its equations, its exact solution and what follows from its parameters.

    v_p dC_p/dt = F_p (C_ap - C_p) + PS (C_e - C_p)        paper eq. 1
    v_e dC_e/dt = PS (C_p - C_e)                           paper eq. 2
    C_t = v_p C_p + v_e C_e                                paper eq. 3

Exact solution. With f = F_p/v_p, p = PS/v_p, k = PS/v_e (1/s) the system's rates are K+- = m +- r,
m = (f + p + k)/2, r^2 = m^2 - f k, and with E(K) the input convolved with exp(-K t) (convolution.py)

    C_p = f ((K+ - k) E(K+) + (k - K-) E(K-)) / (2 r)      C_e = f k (E(K-) - E(K+)) / (2 r)
    C_t = F_p (A + (m - q) H),   q = p + k,   A = (E(K+) + E(K-))/2,   H = (E(K+) - E(K-))/(2 r)

Derived here from the equations above: the closed form printed in OSIPI CAPLEX has sign errors.
Inside units throughout: s, mM, 1/s (mL/s/mL), fractions. Arrays are (n, t): voxel, time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .aif import ArterialInput
from .convolution import ExponentialConvolution
from .errors import InputError

SMALLEST_VOLUME = 1e-10
LARGEST_PS = 1e9
_TINY = 1e-150
_SMALLEST_SPREAD = 1e-7


def mass_balance(C_p, C_e, C_ap, dC_p, dC_e, *, F_p, v_p, v_e, PS):
    """Residuals r_p, r_e (paper eq. 5), mM/s: zero where the curves obey the 2CXM.

    Plain arithmetic, so NumPy arrays and TensorFlow tensors of any shapes that broadcast do alike.
    dC_p, dC_e are time derivatives, mM/s.
    """
    exchange = PS * (C_e - C_p)
    r_p = v_p * dC_p - F_p * (C_ap - C_p) - exchange
    r_e = v_e * dC_e + exchange
    return r_p, r_e


def tissue_balance(dC_t, C_p, C_ap, *, F_p):
    """Residual r_myo of the reduced model (paper eq. 8), mM/s: dC_t/dt - F_p (C_ap - C_p)."""
    return dC_t - F_p * (C_ap - C_p)


@dataclass(frozen=True)
class Rates:
    """The rates of the 2CXM, each (n,) 1/s: f, p, k and what the solution needs of them."""

    f: np.ndarray
    p: np.ndarray
    k: np.ndarray

    @classmethod
    def of(cls, *, F_p, v_p, v_e, PS) -> Rates:
        """Rates of parameters (n,). A volume of 0 and an endless PS are limits: they are held just off them."""
        v_p, v_e = np.maximum(v_p, SMALLEST_VOLUME), np.maximum(v_e, SMALLEST_VOLUME)
        PS = np.minimum(PS, LARGEST_PS)
        return cls(F_p / v_p, PS / v_p, PS / v_e)

    @property
    def m(self) -> np.ndarray:
        """Mean of the two rates."""
        return (self.f + self.p + self.k) / 2

    @property
    def q(self) -> np.ndarray:
        """p + k."""
        return self.p + self.k

    @property
    def r(self) -> np.ndarray:
        """Half the distance of the two rates; never quite zero, so that it can divide."""
        half_gap = (self.f + self.p - self.k) / 2
        r = np.sqrt(half_gap**2 + self.p * self.k)
        return np.maximum(np.maximum(r, _SMALLEST_SPREAD * self.m), _TINY)

    @property
    def fast(self) -> np.ndarray:
        """K+ = m + r."""
        return self.m + self.r

    @property
    def slow(self) -> np.ndarray:
        """K- = f k / K+: the product of the roots, free of cancellation."""
        return self.f * self.k / np.maximum(self.fast, _TINY)

    def parts(self, F_p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """a+, a- of the residue function a+ exp(-K+ t) + a- exp(-K- t), 1/s: F_p (1 +- (m - q) / r) / 2."""
        lean = (self.m - self.q) / self.r
        return (F_p / 2) * (1 + lean), (F_p / 2) * (1 - lean)


def _checked(**parameters) -> dict[str, np.ndarray]:
    """The parameters as float arrays of one shape (n,), or an InputError."""
    arrays = dict(zip(parameters, np.broadcast_arrays(*map(np.atleast_1d, parameters.values())), strict=True))
    for name, value in arrays.items():
        bad = ~(value >= 0)
        if bad.any():
            raise InputError(
                f"{name} is {value[bad][0]:g} in {int(bad.sum())} of {value.size} voxels; it cannot be negative."
            )
    return {name: np.array(value, dtype=float) for name, value in arrays.items()}


def _times(time: np.ndarray, T_a) -> np.ndarray:
    """Times on the input's clock: (t,) where all voxels share them, else (t, n)."""
    time, T_a = np.asarray(time, dtype=float), np.asarray(T_a, dtype=float)
    if time.ndim == 1 and T_a.ndim == 0:
        return time - T_a
    return (time[:, None] if time.ndim == 1 else time.T) - T_a


def _prepare(aif: ArterialInput, time, T_a, parameters: dict):
    """The convolution at the sample times, the rates and F_p (n,)."""
    given, times = _checked(**parameters), _times(time, T_a)
    if times.ndim == 2 and given["F_p"].size == 1:
        given = {name: np.repeat(value, times.shape[1]) for name, value in given.items()}
    if times.ndim == 2 and times.shape[1] == 1:
        times = times[:, 0]
    return ExponentialConvolution(aif, times), Rates.of(**given), given["F_p"]


def compartment_curves(aif: ArterialInput, time, *, F_p, v_p, v_e, PS, T_a=0.0) -> tuple[np.ndarray, np.ndarray]:
    """C_p, C_e (n, t) mM: the exact solution of paper eq. 1 and 2 from zero, for an input that comes T_a s late.

    ``time`` (t,) or (n, t) s; parameters scalar or (n,), inside units. Raises InputError for negative parameters.
    """
    convolve, rates, _ = _prepare(aif, time, T_a, {"F_p": F_p, "v_p": v_p, "v_e": v_e, "PS": PS})
    fast, slow = convolve(rates.fast)[0], convolve(rates.slow)[0]
    scale = rates.f / (2 * rates.r)
    C_p = scale * ((rates.fast - rates.k) * fast + (rates.k - rates.slow) * slow)
    C_e = scale * rates.k * (slow - fast)
    return C_p.T, C_e.T


def tissue_curve(aif: ArterialInput, time, *, F_p, v_p, v_e, PS, T_a=0.0) -> np.ndarray:
    """C_t (n, t) mM (paper eq. 3) of the exact solution; arguments as ``compartment_curves``."""
    convolve, rates, flow = _prepare(aif, time, T_a, {"F_p": F_p, "v_p": v_p, "v_e": v_e, "PS": PS})
    return tissue_response(convolve, rates, flow)[0].T


@dataclass(frozen=True)
class Response:
    """What the tissue curve's derivatives are made of, each (t, n): E and G at both rates."""

    fast_E: np.ndarray
    fast_G: np.ndarray
    slow_E: np.ndarray
    slow_G: np.ndarray


def tissue_response(convolve, rates: Rates, F_p: np.ndarray) -> tuple[np.ndarray, Response]:
    """C_t (t, n) mM, and the convolutions it came from. ``convolve(K)`` gives E and G at the sample times."""
    (fast_E, fast_G), (slow_E, slow_G) = convolve(rates.fast), convolve(rates.slow)
    fast_part, slow_part = rates.parts(F_p)
    return fast_part * fast_E + slow_part * slow_E, Response(fast_E, fast_G, slow_E, slow_G)


def tissue_sensitivity(
    C_t: np.ndarray, response: Response, rates: Rates, F_p: np.ndarray, C_ap: np.ndarray
) -> np.ndarray:
    """Derivatives of C_t, (5, t, n): by ln F_p, ln v_p, ln v_e, ln PS (mM) and by T_a (mM/s).

    With D = r^2: dA/dm = -G_A, dA/dD = dH/dm / 2 = -G_H / 2, dH/dD = -(G_A + H) / (2 D), where G_A, G_H are built of G
    as A, H are of E; dD = (m - k) df + m dp + (m - f) dk. ``C_ap`` (t, 1) or (t, n) at the sample times.
    """
    f, p, k, m, r = rates.f, rates.p, rates.k, rates.m, rates.r
    H = (response.fast_E - response.slow_E) / (2 * r)
    G_A = (response.fast_G + response.slow_G) / 2
    G_H = (response.fast_G - response.slow_G) / (2 * r)
    lean = m - rates.q
    by_m = -G_A - lean * G_H
    by_D = -G_H / 2 - lean * (G_A + H) / (2 * r**2)
    f_df = F_p * f * ((by_m + H) / 2 + (m - k) * by_D)
    p_dp = F_p * p * ((by_m - H) / 2 + m * by_D)
    k_dk = F_p * k * ((by_m - H) / 2 + (m - f) * by_D)
    A = (response.fast_E + response.slow_E) / 2
    slope = F_p * (C_ap - (m * A + r**2 * H) - lean * (A + m * H))
    return np.stack([C_t + f_df, -f_df - p_dp, -k_dk, p_dp + k_dk, -slope])


def blood_from_plasma(value, *, hct: float):
    """A flow or volume of whole blood from that of its plasma: F_b = F_p / (1 - Hct), v_b = v_p / (1 - Hct)."""
    return value / (1.0 - hct)


def myocardial_blood_flow(F_p, *, hct: float, density: float):
    """MBF = F_p / ((1 - Hct) density), mL/s/g, from F_p mL/s/mL and the density of myocardium g/mL (OSIPI Q.PH1.003)."""
    return blood_from_plasma(F_p, hct=hct) / density


def extraction(F_p, PS):
    """Extraction fraction of the 2CXM: E = PS / (F_p + PS) (OSIPI Q.PH1.005)."""
    return PS / (F_p + PS)


def transfer_constant(F_p, PS):
    """K_trans = E F_p, 1/s (OSIPI Q.PH1.008)."""
    return extraction(F_p, PS) * F_p


def mean_transit_time(F_p, v_p, v_e):
    """MTT = (v_p + v_e) / F_p, s (OSIPI Q.PH1.006): the area of the residue function over its start."""
    return (v_p + v_e) / F_p
