"""The paper's own object: the grid of eq. 9 with the rectangle-rule convolution of its published code.

    C_t(t_i) = F_p sum_{j <= i} dt R(t_i - t_j) C_AIF(t_j)      R: impulse response of the 2CXM
    sigma^2  = mean(all noise-free curves) / 10^1.75, the first noisy sample set to 0

Its curves do not satisfy the ODEs, so it serves for comparison with Table 1 only; a solver that is to fit it needs the
same forward model: ``RectangleConvolution`` stands where ``MyoPINNLib.convolution.ExponentialConvolution`` does.
"""

from __future__ import annotations

import numpy as np

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.kinetics import Rates, tissue_response
from MyoPINNLib.quantities import inside
from MyoPINNLib.simulate.objects import (
    GRID_SHAPE,
    ReferenceObject,
    grid_parameters,
    grid_voxels,
    paper_input,
    paper_time,
)

DECIBEL = 17.5
LIMIT_5 = (inside("F_p", 0.005), inside("F_p", 5.0))


class RectangleConvolution:
    """E(K) = sum_j dt exp(-K (t_i - t_j)) c_j and G(K) = -dE/dK = sum_j dt (t_i - t_j) exp(-K (t_i - t_j)) c_j, j <= i.

    The step dt belongs to the object's definition (uniform frames).
    """

    def __init__(self, time: np.ndarray, C_ap: np.ndarray) -> None:
        steps = np.diff(time)
        if np.ptp(steps) > 1e-9 * steps.mean():
            raise ValueError("The rectangle rule of the paper's object is defined on uniform frames.")
        self.dt = float(steps.mean())
        self.C_ap = np.asarray(C_ap, dtype=float)

    def __call__(self, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E (t, n) mM s and G (t, n) mM s^2 for rates K (n,) 1/s."""
        decay = np.exp(-np.asarray(K, dtype=float) * self.dt)
        E, G = np.zeros((self.C_ap.size, decay.size)), np.zeros((self.C_ap.size, decay.size))
        E[0] = self.dt * self.C_ap[0]
        for i in range(1, self.C_ap.size):
            G[i] = decay * (G[i - 1] + self.dt * E[i - 1])
            E[i] = decay * E[i - 1] + self.dt * self.C_ap[i]
        return E, G


def rectangle(aif, _time):
    """The paper's discrete convolution in place of the exact one."""
    return RectangleConvolution(aif.time, aif.C_ap)


def rectangle_curve(time: np.ndarray, C_ap: np.ndarray, *, F_p, v_p, v_e, PS) -> np.ndarray:
    """C_t (n, t) mM by the rectangle rule; parameters (n,), inside units."""
    rates = Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS)
    return tissue_response(RectangleConvolution(time, C_ap), rates, F_p)[0].T


def paper_object(*, seed: int, noise: bool = True) -> ReferenceObject:
    """The object of the paper's Table 1, 14 400 curves."""
    truth, time = grid_parameters(), paper_time()
    C_ap = paper_input(time)
    C_t = rectangle_curve(time, C_ap, **dict(truth.items()))
    sigma = float(np.sqrt(C_t.mean() / 10 ** (DECIBEL / 10))) if noise else 0.0
    noisy = C_t + sigma * np.random.default_rng([seed, 1]).standard_normal(C_t.shape)
    noisy[:, 0] = 0.0
    curves = TissueCurves(time[None], np.zeros(len(C_t), dtype=int), noisy, voxels=grid_voxels())
    return ReferenceObject(curves, ArterialInput(time, C_ap), truth, C_t, GRID_SHAPE, sigma)


def slices(reference: ReferenceObject) -> np.ndarray:
    """(n,) slice of each voxel: the groups over which the paper averages its NMSE."""
    return reference.curves.voxels[:, 0]
