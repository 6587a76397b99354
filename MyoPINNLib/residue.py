"""The 2CXM seen as its residue function: coordinates in which noise draws straight clouds instead of bananas.

C_t = C_ap * R with R(t) = a+ exp(-K+ t) + a- exp(-K- t), a+ + a- = F_p (kinetics.py gives K+-). Data determine the slow
part and the area; in ln F_p, ln v_p, ln v_e, ln PS what they leave open is sharply curved. So a posterior is sampled in

    u = ln a-,  ln V,  ln q,  ln(K+ - K-)      V = a+/K+ + a-/K- = v_p + v_e,   q = (a+/K+) / (a-/K-)

Way back: K- = a- (1 + q) / V,  F_p = a+ + a-,  f = (a+ K+ + a- K-) / F_p,  k = K+ K- / f,  p = a+ a- (K+ - K-)^2 / (F_p^2 f).
From (ln a+-, ln K+-) to the parameters' logarithms the map keeps volume; with u it is |dx/du| = (K+ - K-) / K+.
"""

from __future__ import annotations

import numpy as np

LOGARITHMS = 4
_STEP = 1e-5
_TINY = 1e-150


def residue_from_logs(x: np.ndarray) -> np.ndarray:
    """u (..., m) of x (..., m): ln F_p, ln v_p, ln v_e, ln PS; what follows them (T_a) stays as it is."""
    F_p, v_p, v_e, PS = np.exp(np.moveaxis(x[..., :LOGARITHMS], -1, 0))
    f, p, k = F_p / v_p, PS / v_p, PS / v_e
    lean = (f - p - k) / 2
    r = np.maximum(np.sqrt(((f + p - k) / 2) ** 2 + p * k), _TINY)
    fast = (f + p + k) / 2 + r
    slow = f * k / fast
    above = np.where(lean > 0, p * f / np.maximum(lean + r, _TINY), r - lean)
    below = np.where(lean > 0, lean + r, p * f / np.maximum(r - lean, _TINY))
    fast_area, slow_part = F_p * below / (2 * r) / fast, F_p * above / (2 * r)
    slow_area = slow_part / slow
    u = np.log(np.stack([slow_part, fast_area + slow_area, fast_area / slow_area, 2 * r], axis=-1))
    return np.concatenate([u, x[..., LOGARITHMS:]], axis=-1)


def logs_from_residue(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (..., m) of u (..., m), and ln |dx/du| (...)."""
    slow_part, V, q, gap = np.exp(np.moveaxis(u[..., :LOGARITHMS], -1, 0))
    slow = slow_part * (1 + q) / V
    fast = slow + gap
    fast_part = q * slow_part / slow * fast
    F_p = fast_part + slow_part
    f = (fast_part * fast + slow_part * slow) / F_p
    k, p = fast * slow / f, fast_part * slow_part * (gap / F_p) ** 2 / f
    v_p = F_p / f
    x = np.log(np.maximum(np.stack([F_p, v_p, p * v_p / k, p * v_p], axis=-1), _TINY))
    return np.concatenate([x, u[..., LOGARITHMS:]], axis=-1), np.log(gap / fast)


def logs_by_residue(u: np.ndarray) -> np.ndarray:
    """dx/du (n, m, m) at u (n, m), by central differences."""
    steps = _STEP * np.eye(u.shape[1])
    return np.stack([(logs_from_residue(u + h)[0] - logs_from_residue(u - h)[0]) / (2 * _STEP) for h in steps], axis=-1)
