"""How noisy the curves are: one level for the study, each voxel's own as far as it can be told, and frames that lie far off.

With s_i^2 = |r_i|^2 / (t - m) of voxel i's residual r (t,), the study's s_0^2 is their median, and a voxel's

    sigma_i^2 = (nu_0 s_0^2 + |r_i|^2) / (nu_0 + t_i - m)

where nu_0 says how alike the voxels are: the spread of ln s_i^2 beyond the 2/(t - m) that chance gives it is 2/nu_0 (Smyth
2004). A frame more than ``OUTLYING`` of its voxel's robust widths off does not count (t_i counts the others).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..robust import width

OUTLYING = 5.0
_FEWEST_FOR_WIDTH = 10
_LEAST_EXCESS = 2e-3
_OF_PEAK = 3e-4
_SPIKE_SHARE = 0.5
_TINY = 1e-150


@dataclass(frozen=True)
class NoiseLevel:
    """The study's ``variance`` mM^2 and the number of frames that it is worth to a voxel, ``freedom``."""

    variance: float
    freedom: float

    @classmethod
    def of(cls, residuals: list[np.ndarray], unknowns: int) -> NoiseLevel:
        """From residuals of all voxels, an array (n, t) a clock."""
        logs, chance = [], []
        for residual in residuals:
            inlying = ~outlying(residual, unknowns)
            free = np.maximum(inlying.sum(axis=1) - unknowns, 1)
            logs.append(np.log(np.maximum((residual**2 * inlying).sum(axis=1) / free, _TINY)))
            chance.append(2.0 / free)
        spread = np.concatenate(logs)
        middle = np.median(spread)
        excess = width(spread - middle) ** 2 - np.concatenate(chance).mean()
        return cls(float(np.exp(middle)), 2.0 / max(excess, _LEAST_EXCESS))

    def sigma(self, residual: np.ndarray, inlying: np.ndarray, unknowns: int, peak: np.ndarray) -> np.ndarray:
        """(n,) mM from residuals (n, t); ``inlying`` (n, t): the frames that count. Never below 3e-4 of the ``peak`` (n,)."""
        power = self.freedom * self.variance + (residual**2 * inlying).sum(axis=1)
        free = self.freedom + np.maximum(inlying.sum(axis=1) - unknowns, 0)
        return np.maximum(np.sqrt(power / free), _OF_PEAK * np.abs(peak))


def outlying(residual: np.ndarray, unknowns: int) -> np.ndarray:
    """(n, t) bool: frames that lie far off their curve; none where too few frames are left to know how far is far."""
    frames = residual.shape[1]
    if frames < unknowns + _FEWEST_FOR_WIDTH:
        return np.zeros(residual.shape, dtype=bool)
    usual = width(residual, axis=1) * np.sqrt(frames / (frames - unknowns))
    return np.abs(residual) > OUTLYING * usual[:, None]


def without_spikes(C_t: np.ndarray) -> np.ndarray:
    """Curves (n, t) in which a frame that juts out over both its neighbours by half the curve's range is their mean.

    Good enough to start from: a spike of many times the peak would lead the first fit astray.
    """
    if C_t.shape[1] < _FEWEST_FOR_WIDTH:
        return C_t
    low, high = np.quantile(C_t, [0.05, 0.95], axis=1)
    before, after = C_t[:, 1:-1] - C_t[:, :-2], C_t[:, 1:-1] - C_t[:, 2:]
    juts = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    smooth = C_t.copy()
    mean = (C_t[:, :-2] + C_t[:, 2:]) / 2
    smooth[:, 1:-1] = np.where(juts > _SPIKE_SHARE * (high - low)[:, None], mean, C_t[:, 1:-1])
    return smooth
