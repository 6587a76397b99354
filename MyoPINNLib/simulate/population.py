"""A population's arterial input, for simulations: that of Parker et al. (Magn Reson Med 2006;56:993, eq. 1 and table 1).

    C_ab(t) = sum_n A_n / (sigma_n sqrt(2 pi)) exp(-(t - T_n)^2 / (2 sigma_n^2)) + alpha exp(-beta t) / (1 + exp(-s (t - tau)))

t min, C_ab mM of whole blood at a dose of 0.1 mmol/kg; OSIPI M.IC2.001. The mean of 113 visits of 23 patients, injected at 3 mL/s: no heart's
own first pass, so no study is fitted with it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ..errors import InputError
from ..quantities import minutes_from_seconds

_AREAS, _CENTRES, _WIDTHS = (0.809, 0.330), (0.17046, 0.365), (0.0563, 0.132)  # mM min, min, min
_ALPHA, _BETA, _S, _TAU = 1.050, 0.1685, 38.078, 0.483  # mM, 1/min, 1/min, min


def parker(time: np.ndarray, *, arrival: float = 0.0) -> np.ndarray:
    """C_ab mM of whole blood at ``time`` s; zero before ``arrival`` s. Raises InputError where a time is no number."""
    t = minutes_from_seconds(np.asarray(time, dtype=float) - arrival)
    if not np.isfinite(t).all():
        raise InputError("The times of the population's input are not all numbers.", "Give them in seconds.")
    since = np.maximum(t, 0.0)
    areas, centres, widths = (np.array(each)[:, None] for each in (_AREAS, _CENTRES, _WIDTHS))
    humps = areas / (widths * np.sqrt(2 * np.pi)) * np.exp(-(((since.ravel() - centres) / widths) ** 2) / 2)
    washout = _ALPHA * np.exp(-_BETA * since) * expit(_S * (since - _TAU))
    return np.where(t >= 0, humps.sum(axis=0).reshape(t.shape) + washout, 0.0)
