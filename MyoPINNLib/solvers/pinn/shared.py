"""The residual and positivity terms of a network whose curves share one trunk, made cheap.

Every curve is features @ coefficients, and a residual is linear in the curves: in the basis psi = (phi, d phi/dt, late
inputs), which all curves share, it is psi @ w. With psi = Q R,

    sum over times of r^2 = |psi w|^2 = |R w|^2

so the few rows of R do for the equations what hundreds of random times would. A residual is small beside its terms: a
Gram matrix psi' psi would need float64 for every curve; its root R does not, if it comes from psi itself, in float64.
"""

from __future__ import annotations

import tensorflow as tf

from ...settings import Method
from .losses import residuals


def residual_terms(method: Method, phi, slope, late, head_p, head_e, share, kinetics: dict):
    """L_r (A.2). ``phi``, ``slope`` (t, f): features and their derivatives 1/min; ``late`` (t, L): the input late by each
    delay, ``share`` (L, K); ``head_p``, ``head_e`` (f, K).
    """
    root = _root(tf.concat([phi, slope, late], axis=1))
    phi_root, slope_root, late_root = tf.split(root, [phi.shape[1], slope.shape[1], late.shape[1]], axis=1)
    found = residuals(
        method,
        C_p=phi_root @ head_p,
        C_e=phi_root @ head_e,
        C_ap=late_root @ share,
        dC_p=slope_root @ head_p,
        dC_e=slope_root @ head_e,
        kinetics=kinetics,
    )
    total = tf.add_n([2.0 * tf.nn.l2_loss(r) for r in found])
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


def _root(psi):
    """R of psi = Q R, float32, as Q' psi with Q held: then the derivative of |R w|^2 by psi is that of |psi w|^2."""
    psi = tf.cast(psi, tf.float64)
    Q = tf.stop_gradient(tf.linalg.qr(tf.stop_gradient(psi)).q)
    return tf.cast(tf.matmul(Q, psi, transpose_a=True), tf.float32)


def _negative_squared(phi, head):
    """Sum of min(phi @ head, 0)^2. Few times have a negative curve at all: only these have a derivative to compute."""
    lowest = tf.reduce_min(tf.stop_gradient(phi) @ tf.stop_gradient(head), axis=1)
    some = tf.gather_nd(phi, tf.where(lowest < 0.0))
    return 2.0 * tf.nn.l2_loss(tf.minimum(some @ head, 0.0))
