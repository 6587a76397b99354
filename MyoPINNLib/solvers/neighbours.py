"""What a voxel's neighbours say about it before its own curve is looked at: kriging across the mask, not across borders.

    prior of voxel i = study's prior . N(x; m_i, V_i) / N(x; mean, covariance)

m_i, V_i: mean and covariance of x_i given the curves of its neighbours alone (never its own), by the fields of fields.py; the
division takes out the study's Gaussian, which m_i and V_i already hold. Neighbour j speaks with the likelihood of its curve,
posterior less prior:  Lambda_j = S_j^-1 - 1, h_j = S_j^-1 a_j, and with the fields' covariance K among neighbours and c to i

    m_i = c' (1 + R Lambda K)^-1 R h,    V_i = 1 - c' (1 + R Lambda K)^-1 R Lambda c

R: the probability that j lies on i's side of any border, r = pi B / (pi B + 1 - pi): B, how much likelier both curves
are for neighbours of these fields than for two strangers. Errors of neighbours' likelihoods go the same way (their posteriors
are skewed alike), so what they say together counts for the share ``WORTH`` of its information.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fields import Beliefs, Fields

WORTH = 0.3
SAME_SIDE = 0.8
PART = 256
_LEAST, _MOST = 1e-9, 1 - 1e-3
_CLEAR = 50.0


@dataclass(frozen=True)
class Words:
    """What each voxel's curve says by itself, in the fields' coordinates: ``precision`` (n, m, m), ``pull`` (n, m)."""

    precision: np.ndarray
    pull: np.ndarray

    @classmethod
    def of(cls, beliefs: Beliefs) -> Words:
        """Posterior less the prior N(0, 1); where a curve says nothing about a direction, next to nothing."""
        size, axes = np.linalg.eigh(beliefs.covariance)
        size = np.clip(size, _LEAST, _MOST)
        back = np.swapaxes(axes, 1, 2)
        inverse = (axes / size[:, None]) @ back
        return cls((axes * (1 / size - 1)[:, None]) @ back, np.einsum("nij,nj->ni", inverse, beliefs.mean))


def own_gaussians(beliefs: Beliefs, fields: Fields, near: np.ndarray, offsets: np.ndarray) -> Beliefs:
    """Mean and covariance of x of every voxel, given its neighbours ``near`` (n, w) at ``offsets`` (w, 2)."""
    inside = beliefs.turned(fields.inward, fields.mean)
    words = Words.of(inside)
    side = same_side(inside, words, fields, near, offsets)
    given = _kriged(words, fields, near, offsets, side)
    outward = np.linalg.inv(fields.inward)
    tempered = _tempered(given).turned(outward)
    return Beliefs(tempered.mean + fields.mean, tempered.covariance)


def same_side(inside: Beliefs, words: Words, fields: Fields, near: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(n, w) probability that a neighbour lies on the same side of any border; 0 where there is none."""
    one = np.eye(inside.mean.shape[1])
    noise = np.linalg.inv(words.precision)
    seen = np.einsum("nij,nj->ni", noise, words.pull)
    strange = _log_normal(seen, one + noise)
    side = np.zeros(near.shape)
    for column, offset in enumerate(offsets):
        i = np.flatnonzero(near[:, column] >= 0)
        j, c = near[i, column], fields.correlation(np.hypot(*offset))
        spread = noise[j] + one - c[:, None] * (one - inside.covariance[i]) * c
        odds = _log_normal(seen[j] - c * inside.mean[i], spread) - strange[j]
        side[i, column] = 1 / (1 + (1 - SAME_SIDE) / SAME_SIDE * np.exp(-np.clip(odds, -_CLEAR, _CLEAR)))
    return side


def _kriged(words: Words, fields: Fields, near: np.ndarray, offsets: np.ndarray, side: np.ndarray) -> Beliefs:
    """Mean and covariance of every voxel's fields, given its neighbours."""
    w, m = len(offsets), words.pull.shape[1]
    apart = np.hypot(*np.moveaxis(offsets[:, None] - offsets[None], 2, 0))
    among, to = np.zeros((w, m, w, m)), np.zeros((w, m, m))
    for p in range(m):
        K = fields.correlation(apart)[:, :, p]
        among[:, p, :, p] = np.where(np.eye(w, dtype=bool), 1.0, K)
        to[:, p, p] = fields.correlation(np.hypot(*offsets.T))[:, p]
    among, flat = among.reshape(w, m, w * m), to.reshape(w * m, m)
    means, spreads = [], []
    for start in range(0, len(near), PART):
        rows, trust = near[start : start + PART], side[start : start + PART]
        precision, pull = words.precision[rows] * trust[:, :, None, None], words.pull[rows] * trust[:, :, None]
        system = np.eye(w * m) + (precision @ among).reshape(len(rows), w * m, w * m)
        told = np.concatenate([pull[..., None], precision @ to], axis=3).reshape(len(rows), w * m, 1 + m)
        answer = flat.T @ np.linalg.solve(system, told)
        means.append(answer[:, :, 0])
        spreads.append(np.eye(m) - answer[:, :, 1:])
    spread = np.concatenate(spreads)
    return Beliefs(np.concatenate(means), (spread + np.swapaxes(spread, 1, 2)) / 2)


def _tempered(given: Beliefs) -> Beliefs:
    """The same with ``WORTH`` of the information that it holds beyond N(0, 1)."""
    one = np.eye(given.mean.shape[1])
    precision = np.linalg.inv(given.covariance)
    covariance = np.linalg.inv(one + WORTH * (precision - one))
    return Beliefs(np.einsum("nij,njk,nk->ni", covariance, WORTH * precision, given.mean), covariance)


def _log_normal(off: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """ln N(off; 0, covariance) (n,) up to a constant, of (n, m) and (n, m, m)."""
    root = np.linalg.cholesky(covariance)
    white = np.linalg.solve(root, off[:, :, None])[:, :, 0]
    return -np.log(np.einsum("nii->ni", root)).sum(axis=1) - (white**2).sum(axis=1) / 2
