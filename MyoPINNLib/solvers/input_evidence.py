"""What tissue and samples say about the input's coefficients z, as normal equations.

Tissue: score b = sum_i mean over draws x of (dC_t/dz)' (C_t,i - C_2CXM(x)) / sigma_i^2, which is exact (Fisher's identity);
information N with C_t linear in x about the voxel's mean, so that with A = dC_t/dz, J = dC_t/dx (weighted) and prior covariance S

    N = sum_i A'A - A'J (J'J + S^-1)^-1 J'A        and the prior's mean eliminated in the same way

The input's scale and a shift in time change C_t as the prior's mean does: N knows nothing of them, and b is freed of them.
Samples: (C_ap(t_k) - measured_k)^2 / sigma_a^2 + smoothness z'Q z, both strengths the most probable ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from ..convolution import ExponentialConvolution
from ..kinetics import Rates, tissue_response, tissue_sensitivity
from ..prior import GaussianPrior
from .batches import Batch
from .input_basis import InputBasis
from .modes import Problem

NOISE_RANGE = (0.6, 1.5)
_SMOOTH_RANGE = (-8.0, 8.0)
_FIRST_STEPS = np.array([[0.0, 0.0], [0.4, 0.0], [0.0, 2.0]])
_TRIALS = 60
_LEAST = 1e-300


@dataclass(frozen=True)
class Voxels:
    """Curves of one clock under the present input: mean ``x`` (n, m), ``draws`` (n, d, m) of the posterior; ``certain``
    (n, t) root weight over sigma, 1/mM, 0 for a frame that does not count; ``T_a`` s where x holds none."""

    batch: Batch
    problem: Problem
    x: np.ndarray
    draws: np.ndarray
    certain: np.ndarray
    T_a: float

    def delays(self, x: np.ndarray) -> np.ndarray:
        """(n,) s at x (n, m)."""
        return x[:, 4] if x.shape[1] > 4 else np.full(len(x), self.T_a)

    def score(self, basis: InputBasis) -> np.ndarray:
        """(q,) sum of (dC_t/dz)' (C_t - C_2CXM) / sigma^2, the mean over the draws."""
        n, d, m = self.draws.shape
        x, compression = self.draws.reshape(n * d, m), self.problem.compression
        weight = np.where(self.batch.counted, self.batch.root_weight, 1.0)
        C_t = compression.curves(x) @ compression.basis.T / weight
        r = (self.batch.C_t[:, None] - C_t.reshape(n, d, -1)) * self.certain[:, None] ** 2 / d
        return basis.score(x, self.batch.time, self.delays(x), r.reshape(n * d, -1))

    def slopes(self, basis: InputBasis, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weighted dC_t/dz (n, t, q) and dC_t/dx (n, t, m) at the means."""
        F_p, v_p, v_e, PS = np.exp(self.x[:, :4].T)
        rates, time = Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS), self.batch.time
        convolve = ExponentialConvolution(basis.input(z), time[:, None] - self.delays(self.x))
        C_t, response = tissue_response(convolve, rates, F_p)
        J = tissue_sensitivity(C_t, response, rates, F_p, convolve.C_ap)[: self.x.shape[1]]
        A = basis.tissue(self.x, time, self.delays(self.x))
        return A * self.certain[:, :, None], J.transpose(2, 1, 0) * self.certain[:, :, None]


@dataclass(frozen=True)
class Evidence:
    """About z less ``z`` (q,): score ``b`` (q,), information ``N`` (q, q), and what ``more`` (q, q) known x would add."""

    z: np.ndarray
    b: np.ndarray
    N: np.ndarray
    more: np.ndarray

    @classmethod
    def none(cls, z: np.ndarray) -> Evidence:
        """Nothing is known but the samples."""
        empty = np.zeros((z.size, z.size))
        return cls(z, np.zeros(z.size), empty, empty)

    @classmethod
    def of_tissue(cls, voxels: list[Voxels], basis: InputBasis, z: np.ndarray, prior: GaussianPrior) -> Evidence:
        """Of all voxels, the curves of each clock in a part of their own."""
        q, m = z.size, prior.mean.size
        precision = np.linalg.inv(prior.covariance)
        whole, held, b = np.zeros((q + m, q + m)), np.zeros((q, q)), np.zeros(q)
        for part in voxels:
            A, J = part.slopes(basis, z)
            # The draws' own mean is off by chance; to first order in x that is known and put right.
            chance = np.einsum("ntm,nm->nt", J, part.draws.mean(axis=1) - part.x)
            b += part.score(basis) + np.einsum("ntq,nt->q", A, chance)
            G = np.concatenate([A, J], axis=2)
            root = np.linalg.inv(np.linalg.cholesky(np.swapaxes(J, 1, 2) @ J + precision))
            flat, known = G.reshape(-1, q + m), (root @ (np.swapaxes(J, 1, 2) @ G)).reshape(-1, q + m)
            square = flat.T @ flat
            held += square[:q, :q]
            whole += square - known.T @ known
        return cls._reduced(z, b, whole, held, _unknowable(basis, z, m))

    @classmethod
    def _reduced(cls, z, b, whole, held, unknowable) -> Evidence:
        """``whole`` (q + m, q + m) with the prior's mean eliminated; b freed of what changes C_t as the mean does."""
        q = z.size
        as_z, as_mean = unknowable
        lean = whole[:q, q:] @ as_mean
        b = b - lean @ np.linalg.solve(as_mean.T @ whole[q:, q:] @ as_mean, as_z.T @ b)
        N = whole[:q, :q] - whole[:q, q:] @ np.linalg.solve(whole[q:, q:], whole[q:, :q])
        more = held - N
        out = more @ as_z
        more = more - out @ np.linalg.solve(as_z.T @ out, out.T)
        return cls(z, b, (N + N.T) / 2, (more + more.T) / 2)

    def weakened(self, share: float) -> Evidence:
        """The same with ``share`` of the weight; how far a step is held back stays."""
        return Evidence(self.z, share * self.b, share * self.N, self.more)


def _unknowable(basis: InputBasis, z: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and, where T_a is sought, shift: as changes of z (q, 2) and of the prior's mean (m, 2), alike for C_t."""
    sought = m > 4
    as_z = np.column_stack([z, -basis.input(z).derivative(basis.nodes)])[:, : 1 + sought]
    as_mean = np.zeros((m, 1 + sought))
    as_mean[:4, 0], as_mean[4:, 1:] = 1.0, 1.0
    return as_z, as_mean


@dataclass
class Sampled:
    """Samples ``measured`` (k,) mM at the nodes ``at`` (q,) bool, with noise of about ``noise`` mM; ``strengths`` (2,): the
    last logarithms of sigma_a / noise and of the smoothness, relative to that of the present input."""

    basis: InputBasis
    measured: np.ndarray
    at: np.ndarray
    noise: float
    strengths: np.ndarray

    def most_probable(self, told: Evidence, hold: float) -> np.ndarray:
        """z (q,) with sigma_a and smoothness of the highest marginal likelihood; ``hold`` times ``told.more`` holds it back."""
        steps = self.strengths + _FIRST_STEPS
        limits = {"maxfev": _TRIALS, "xatol": 0.05, "fatol": 0.1, "initial_simplex": steps}
        found = minimize(lambda s: self._solved(told, s, 0.0)[0], self.strengths, method="Nelder-Mead", options=limits)
        low, high = np.array([np.log(NOISE_RANGE), _SMOOTH_RANGE]).T
        self.strengths = np.clip(found.x, low, high)
        return self._solved(told, self.strengths, hold)[1]

    def misfit(self, z: np.ndarray) -> float:
        """Mean square distance of the samples from z, in units of their noise."""
        return float((((z[self.at] - self.measured) / self.noise) ** 2).mean())

    def scaled(self, z: np.ndarray) -> np.ndarray:
        """z at the samples' own scale: to be smooth must not mean to be low."""
        return z * (self.measured @ z[self.at]) / (z[self.at] @ z[self.at])

    def _solved(self, told: Evidence, strengths: np.ndarray, hold: float) -> tuple[float, np.ndarray]:
        """-2 ln marginal likelihood up to a constant, and z."""
        Q, z = self.basis.roughness, told.z
        sigma = self.noise * np.exp(np.clip(strengths[0], *np.log(NOISE_RANGE)))
        smooth = np.exp(np.clip(strengths[1], *_SMOOTH_RANGE)) * len(Q) / max(float(z @ Q @ z), _LEAST)
        precision = told.N + hold * told.more + smooth * Q
        precision[np.diag_indices(len(Q))] += self.at / sigma**2
        rhs = (told.N + hold * told.more) @ z + told.b
        rhs[self.at] += self.measured / sigma**2
        factor = cho_factor(precision)
        best = cho_solve(factor, rhs)
        unlikely = 2 * len(self.measured) * np.log(sigma) - (len(Q) - 2) * np.log(smooth)
        unlikely += 2 * np.log(np.diag(factor[0])).sum() + (self.measured @ self.measured) / sigma**2 - rhs @ best
        return unlikely, best
