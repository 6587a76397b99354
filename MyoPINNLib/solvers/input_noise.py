"""What all voxels of a study share of their errors: the input's noise, and what is not known of the prior's mean.

No averaging over voxels lessens it. Linear about each of some voxels, with J = dC_t/dx, noise sigma and the learnt spread S of x
over the voxels, input samples that are off by e move the study's mean of x by

    d = -(sum J'V^-1 J)^-1 sum J'V^-1 (C_t(x; C_ap + e) - C_t(x; C_ap))        V = sigma^2 + J S J'

and the spread of d over draws of e is a deviation that all voxels share, in the logarithms of the parameters. The size
of e is told by the samples' own roughness. The inverse of the sum over all learners is the variance of the mean itself.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..fit import KineticParameters
from ..kinetics import Rates, tissue_response, tissue_sensitivity
from .joint_input import visible_noise
from .starts import LOGARITHMS

DRAWS, VOXELS = 24, 24


def shared_deviations(
    aif: ArterialInput,
    time: np.ndarray,
    root_weight: np.ndarray,
    found: KineticParameters,
    *,
    spread: np.ndarray,
    variance: float,
    learners: int,
) -> dict[str, float]:
    """Relative standard deviation of each parameter that all voxels share; ``found`` of voxels of one clock ``time`` (t,) s that
    are to be trusted; ``spread`` (m, m) S, ``variance`` sigma^2 mM^2; ``learners``: how many voxels taught
    the mean. Empty where there is no voxel.
    """
    rows = np.unique(np.linspace(0, len(found.F_p) - 1, VOXELS).astype(int)) if len(found.F_p) else []
    if not len(rows):
        return {}
    given = {name: value[rows] for name, value in found.items()}
    at, T_a = {name: given[name] for name in LOGARITHMS}, given["T_a"]
    rates, times, weight = Rates.of(**at), time[:, None] - T_a, root_weight[:, None]
    convolve = ExponentialConvolution(aif, times)
    C_t, response = tissue_response(convolve, rates, at["F_p"])
    m = len(spread)
    J = tissue_sensitivity(C_t, response, rates, at["F_p"], convolve.C_ap)[:m].transpose(2, 1, 0) * weight
    turned = np.swapaxes(J, 1, 2)
    heard = np.linalg.solve(np.eye(m) + turned @ J @ spread / variance, turned)
    answer = np.linalg.pinv((heard @ J).sum(axis=0))
    of_mean = np.diag(answer)[: len(LOGARITHMS)] * variance * len(rows) / learners
    rng, noise, off = np.random.default_rng(0), visible_noise(aif), []
    for _ in range(DRAWS):
        other = replace(aif, C_ap=aif.C_ap + noise * rng.standard_normal(aif.C_ap.size))
        moved = tissue_response(ExponentialConvolution(other, times), rates, at["F_p"])[0] - C_t
        off.append((answer @ (heard @ (moved * weight).T[:, :, None]).sum(axis=0))[: len(LOGARITHMS), 0])
    return dict(zip(LOGARITHMS, np.sqrt((np.array(off) ** 2).mean(axis=0) + of_mean).tolist(), strict=True))
