"""The residual and positivity terms of a network whose curves share one trunk, made cheap.

Each curve is features @ coefficients, and so is each residual: in the basis  psi = (phi, d phi/dt, late inputs)  the
coefficients w of r_p, r_e, r_myo are the very equations of the 2CXM, applied to coefficients. So

    sum over times of r^2 = w' G w = |R w|^2     G = psi' psi = R' R   (2 (width + 1) + L square, shared by all curves)

and no residual curve is ever made. A residual is small beside its terms: G would need float64 for every curve; its root
R does not, if it comes from psi itself (psi = Q R, in float64, once a step).
"""

from __future__ import annotations

import tensorflow as tf

from ...settings import Method
from .losses import residuals


def residual_terms(method: Method, phi, slope, late, head_p, head_e, share, kinetics: dict):
    """L_r (A.2). ``phi``, ``slope`` (t, f): features and their derivatives 1/min; ``late`` (t, L): the input late by each
    delay, ``share`` (L, K); ``head_p``, ``head_e`` (f, K).
    """
    nothing = {"C_p": 0.0, "C_e": 0.0, "C_ap": 0.0, "dC_p": 0.0, "dC_e": 0.0, "kinetics": kinetics}
    blocks = (
        (residuals(method, **{**nothing, "C_p": head_p, "C_e": head_e}), tf.shape(head_p)),
        (residuals(method, **{**nothing, "dC_p": head_p, "dC_e": head_e}), tf.shape(head_p)),
        (residuals(method, **{**nothing, "C_ap": share}), tf.shape(share)),
    )
    rows = [[tf.broadcast_to(r, shape) for r in found] for found, shape in blocks]
    coefficients = tf.concat([tf.concat(row, axis=1) for row in rows], axis=0)
    total = _sum_of_squares(tf.concat([phi, slope, late], axis=1), coefficients)
    return total / tf.cast(tf.shape(phi)[0] * tf.shape(head_p)[1], tf.float32)


def positive_terms(phi, head, *, pieces: int = 1):
    """L_reg (A.4): ``head`` (f, 2 K) of C_p and C_e, taken in ``pieces`` to save memory."""
    curves = tf.cast(tf.shape(head)[1], tf.float32) / 2.0
    parts = tf.split(head, _sizes(tf.shape(head)[1], pieces), axis=1, num=pieces) if pieces > 1 else [head]
    total = tf.add_n([_negative_squared(phi, part) for part in parts])
    return total / tf.cast(tf.shape(phi)[0], tf.float32) / curves


def _sizes(count, pieces: int):
    share = count // pieces
    return tf.concat([tf.fill([pieces - 1], share), [count - share * (pieces - 1)]], axis=0)


@tf.custom_gradient
def _sum_of_squares(psi, w):
    """Sum of (psi w)^2, with psi = Q R: psi w = Q (R w) is never made."""
    Q, R = (tf.cast(part, tf.float32) for part in tf.linalg.qr(tf.cast(psi, tf.float64)))
    z = R @ w

    def gradient(upstream):
        by_psi = Q @ tf.matmul(z, w, transpose_b=True)
        return (2.0 * upstream) * by_psi, (2.0 * upstream) * tf.matmul(R, z, transpose_a=True)

    return tf.reduce_sum(z * z), gradient


@tf.custom_gradient
def _negative_squared(phi, head):
    """Sum of min(phi @ head, 0)^2; only the negative part is kept for the derivative."""
    negative = tf.minimum(phi @ head, 0.0)

    def gradient(upstream):
        pull = (2.0 * upstream) * negative
        return tf.matmul(pull, head, transpose_b=True), tf.matmul(phi, pull, transpose_a=True)

    return tf.reduce_sum(negative * negative), gradient
