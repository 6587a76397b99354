"""The loss of the paper, one function a term, on plain curves: what the fast form must equal, and what the mesh uses.

    L_C    A.1   data          mean over frames of (C_myo - measured)^2, and the same of C_AIF
    L_r    A.2   residual      mean over random times of r_p^2, r_e^2, r_myo^2 (eq. 5 and 8; each variant its own)
    L_b    A.3   initial       C_p^2 + C_e^2 + C_myo^2 + C_AIF^2 at t = 0
    L_reg  A.4   positive      mean over random times of min(C_p, 0)^2 + min(C_e, 0)^2

Curves are (t, K), parameters (K,), flows 1/min, derivatives 1/min; every function gives the mean over the K curves.
"""

from __future__ import annotations

import tensorflow as tf

from ...kinetics import mass_balance, tissue_balance
from ...network_settings import NetworkSettings
from ...settings import Method

TERMS = ("data", "residual", "initial", "positive")


def tissue(C_p, C_e, kinetics: dict):
    """C_myo = v_p C_p + v_e C_e (paper eq. 3)."""
    return kinetics["v_p"] * C_p + kinetics["v_e"] * C_e


def residuals(method: Method, *, C_p, C_e, C_ap, dC_p, dC_e, kinetics: dict) -> list:
    """The residuals that the method asks to vanish: r_p, r_e (eq. 5) and r_myo (eq. 8).

    They are linear in the curves, so they may as well be given the coefficients of the curves in any basis.
    """
    found = []
    if method is not Method.REDUCED:
        found += mass_balance(C_p, C_e, C_ap, dC_p, dC_e, **kinetics)
    if method in (Method.REDUCED, Method.COMBINED):
        found.append(tissue_balance(tissue(dC_p, dC_e, kinetics), C_p, C_ap, F_p=kinetics["F_p"]))
    return found


def data_loss(C_myo, measured, weight, C_aif, measured_aif):
    """L_C (A.1): ``weight`` (t,) of mean 1 leaves frames out; the input at its own times."""
    tissue_part = tf.reduce_mean(weight[:, None] * (C_myo - measured) ** 2)
    return tissue_part + tf.reduce_mean((C_aif - measured_aif) ** 2)


def residual_loss(found: list):
    """L_r (A.2) of residuals (t, K)."""
    return tf.add_n([tf.reduce_mean(r * r) for r in found])


def initial_loss(C_p, C_e, C_myo, C_aif):
    """L_b (A.3) of the concentrations at t = 0, (K,) and of the input."""
    return tf.reduce_mean(C_p**2 + C_e**2 + C_myo**2) + tf.reduce_mean(C_aif**2)


def positive_loss(C_p, C_e):
    """L_reg (A.4): negative concentrations."""
    return tf.reduce_mean(tf.minimum(C_p, 0.0) ** 2) + tf.reduce_mean(tf.minimum(C_e, 0.0) ** 2)


def weighted(terms: dict, settings: NetworkSettings):
    """L (paper eq. 6) of the terms by name."""
    return tf.add_n([getattr(settings, f"w_{name}") * terms[name] for name in TERMS])
