"""A prior of each voxel's own: the study's, and what the voxel's neighbours say (neighbours.py).

    ln p_i(x) = ln p(x) + ln N(x; m_i, V_i) - ln N(x; mean, covariance)

In a second pass over all voxels the modes are found again from those of the first, under N(m_i, V_i), and sampled anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..fit import Outcome
from ..prior import GaussianPrior, Prior, normalised_weights
from .batches import Arrays, Found
from .fields import Beliefs, Fields, learnt_fields, windows
from .levenberg import Minimum
from .modes import Problem
from .neighbours import own_gaussians
from .sampling import Samples

_SPEAKING = (Outcome.FITTED, Outcome.UNDETERMINED)
_KEPT = ("starts", "y", "sigma", "mean", "covariance", "outcome")


@dataclass(frozen=True)
class OwnGaussian(GaussianPrior):
    """A Gaussian a voxel: ``mean`` (n, m), ``covariance`` (n, m, m) of x."""

    def take(self, rows) -> OwnGaussian:
        """Those of some voxels."""
        return OwnGaussian(self.mean[rows], self.covariance[rows])

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """ln p (n, s) at x (n, s, m), up to a constant a voxel."""
        white = (x - self.mean[:, None]) @ np.swapaxes(self.root, 1, 2)
        return -(white**2).sum(axis=-1) / 2


@dataclass(frozen=True)
class OwnPrior:
    """``study``'s prior times ``own`` over ``common``, the Gaussian of all voxels."""

    study: Prior
    own: OwnGaussian
    common: GaussianPrior

    def take(self, rows) -> OwnPrior:
        """That of some voxels."""
        return OwnPrior(self.study, self.own.take(rows), self.common)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """ln p (n, s) at x (n, s, m), up to a constant a voxel."""
        return self.study.log_density(x) + self.own.log_density(x) - self.common.log_density(x)


def of_some(prior, rows):
    """A prior for some of its voxels; one that is the same for all stays."""
    return prior.take(rows) if isinstance(prior, (OwnGaussian, OwnPrior)) else prior


def remembered(problem: Problem, modes: list[Minimum]) -> Arrays:
    """What a second pass needs of the first beside the ``moments``: the cleaned problem and its modes.

    ``y`` is filled up to the number of frames with zeros: each clock has a basis of its own size.
    """
    frames, size = problem.compression.basis.shape
    y = np.pad(problem.y, ((0, 0), (0, frames - size)))
    return {"starts": np.stack([mode.x for mode in modes], axis=1), "y": y, "sigma": problem.sigma}


def moments(samples: Samples, prior) -> Arrays:
    """Each posterior's ``mean`` (n, m) and ``covariance`` (n, m, m) in x."""
    weight = normalised_weights(samples.log_weight + prior.log_density(samples.x))
    mean = np.einsum("ns,nsi->ni", weight, samples.x)
    off = samples.x - mean[:, None]
    return {"mean": mean, "covariance": np.einsum("ns,nsi,nsj->nij", weight, off, off, optimize=True)}


@dataclass(frozen=True)
class FirstPass:
    """``kept`` arrays of the first pass, a row a voxel, at the places ``row_of`` (all curves,); the ``fields`` behind them and
    each voxel's ``own`` Gaussian."""

    kept: Arrays
    row_of: np.ndarray
    fields: Fields
    own: OwnGaussian

    @classmethod
    def of(cls, found: Found, voxels: np.ndarray) -> FirstPass:
        """Learnt from what the first pass ``found`` of curves at ``voxels`` (all curves, 3)."""
        rows = np.concatenate([rows for rows, _ in found])
        kept = {name: np.concatenate([arrays[name] for _, arrays in found]) for name in _KEPT}
        usable = np.isin(kept["outcome"], _SPEAKING)
        near, offsets = windows(voxels[rows], usable)
        beliefs = Beliefs(kept["mean"], kept["covariance"])
        fields = learnt_fields(beliefs, near, offsets, usable)
        own = own_gaussians(beliefs, fields, near, offsets)
        row_of = np.full(len(voxels), -1)
        row_of[rows] = np.arange(len(rows))
        return cls(kept, row_of, fields, OwnGaussian(own.mean, own.covariance))

    def problem(self, empty: Problem, rows: np.ndarray) -> tuple[Problem, list[np.ndarray]]:
        """Of the curves ``rows``, the cleaned problem in place of their ``empty`` one, and where their modes were."""
        place = self.row_of[rows]
        y = self.kept["y"][place][:, : empty.y.shape[1]]
        starts = list(np.moveaxis(self.kept["starts"][place], 1, 0))
        return replace(empty, y=y, sigma=self.kept["sigma"][place]), starts

    def prior(self, rows: np.ndarray, study: Prior) -> OwnPrior:
        """Of the curves ``rows``."""
        return OwnPrior(
            study, self.own.take(self.row_of[rows]), GaussianPrior(self.fields.mean, self.fields.covariance)
        )
