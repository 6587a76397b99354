"""Digital reference objects: the paper's grid (eq. 9) with exact curves, its continuous twin, and muscle of two kinds.

    C_AIF(t) = 1e5/3 t^2 exp(-t / 0.1)   t in min: 0, 0.02 .. 1.98 (peak 180.4 at 0.2 min)   paper section 2.5
    C_t      = exact 2CXM of that function; the solver sees the function's samples only
    noise    = normal; none on the input

The paper's own object, with its rectangle-rule convolution, is in Testing/Benchmarks/paper_object.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy import ndimage
from scipy.special import ndtr

from ..aif import ArterialInput
from ..fit import KineticParameters, TissueCurves
from ..kinetics import tissue_curve
from ..quantities import inside, minutes_from_seconds, seconds_from_minutes

GRID_SHAPE = (3, 40, 120)
FLOWS, PLASMA_VOLUMES = (0.5, 1.0, 1.5, 2.0), (0.02, 0.05, 0.1, 0.2)
INTERSTITIAL_VOLUMES, EXCHANGES = (0.1, 0.2, 0.5), (0.5, 1.5, 2.5)
PAPER_SIGMA = 0.4415
PEAK_SNR = 17.5
_FRAMES = 100
_VARIATION = 0.2
SMOOTH_SHAPE = (3, 40, 40)
SMOOTHNESS = 4.0
SICK_FLOW = 1 / 3


class Noise(str, Enum):
    """How much noise the curves carry."""

    NONE = "none"
    PAPER = "paper"
    PEAK_SNR_17_5 = "peak-snr-17.5"


@dataclass(frozen=True)
class ReferenceObject:
    """Noisy ``curves`` with their ``aif`` (the samples a solver may see) and the ``truth`` behind them.

    ``C_t_exact`` (n, t) mM without noise; ``sigma`` mM; ``shape`` (k, j, i) of the grid, None where there is no grid.
    """

    curves: TissueCurves
    aif: ArterialInput
    truth: KineticParameters
    C_t_exact: np.ndarray
    shape: tuple[int, int, int] | None = None
    sigma: float = 0.0


def paper_time() -> np.ndarray:
    """The object's 100 frame times (t,) s: 0, 0.02 .. 1.98 min."""
    return seconds_from_minutes(np.arange(_FRAMES) / (_FRAMES // 2))


def paper_input(time: np.ndarray) -> np.ndarray:
    """C_AIF mM at times s: 1e5/3 t^2 exp(-t/0.1), t in min."""
    minutes = minutes_from_seconds(np.asarray(time, dtype=float))
    return 1e5 / 3 * minutes**2 * np.exp(-minutes / 0.1)


def grid_parameters() -> KineticParameters:
    """Truth of the paper's grid, n = 14 400 voxels in (k, j, i) order, inside units.

    F_p by rows of 10, v_p by columns of 10 (three times over), v_e by columns of 40, PS by slice.
    """
    slices, rows, columns = (index.ravel() for index in np.indices(GRID_SHAPE))
    return KineticParameters(
        F_p=inside("F_p", np.array(FLOWS)[rows // 10]),
        v_p=np.array(PLASMA_VOLUMES)[columns // 10 % 4],
        v_e=np.array(INTERSTITIAL_VOLUMES)[columns // 40],
        PS=inside("PS", np.array(EXCHANGES)[slices]),
    )


def grid_voxels() -> np.ndarray:
    """(n, 3) k, j, i of the grid's voxels, in the order of ``grid_parameters``."""
    return np.argwhere(np.ones(GRID_SHAPE, dtype=bool))


def exact_grid(*, seed: int, noise: Noise = Noise.PAPER) -> ReferenceObject:
    """The paper's 40 x 120 x 3 grid with exact 2CXM curves."""
    truth = grid_parameters()
    atoms, row = np.unique(np.stack([value for _, value in truth.items()]), axis=1, return_inverse=True)
    C_t = _exact_curves(*atoms)[row.ravel()]
    return _with_noise(C_t, truth, noise=noise, seed=seed, voxels=grid_voxels(), shape=GRID_SHAPE)


def twin(*, seed: int, voxels: int = 4800, noise: Noise = Noise.PAPER) -> ReferenceObject:
    """The continuous twin: each parameter log-uniform in the grid's range, all voxels in one fit, no grid."""
    rng = np.random.default_rng([seed, 0])
    ranges = (FLOWS, PLASMA_VOLUMES, INTERSTITIAL_VOLUMES, EXCHANGES)
    F_p, v_p, v_e, PS = (np.exp(rng.uniform(np.log(min(r)), np.log(max(r)), voxels)) for r in ranges)
    truth = KineticParameters(inside("F_p", F_p), v_p, v_e, inside("PS", PS))
    return _with_noise(_exact_curves(truth.F_p, v_p, v_e, truth.PS), truth, noise=noise, seed=seed)


def two_kinds(*, seed: int, voxels: int = 4800, noise: Noise = Noise.PAPER) -> ReferenceObject:
    """Muscle of two kinds, all voxels in one fit: a fifth of the voxels, the first, have a third of the others' flow.

    Every parameter is log-normal about a value of its own; only the flow tells the kinds apart.
    """
    rng = np.random.default_rng([seed, 3])
    middle = (inside("F_p", 1.6), 0.07, 0.2, inside("PS", 1.0))
    F_p, v_p, v_e, PS = (value * np.exp(_VARIATION * rng.standard_normal(voxels)) for value in middle)
    F_p[sick_fifth(voxels)] /= 3
    truth = KineticParameters(F_p, v_p, v_e, PS)
    return _with_noise(_exact_curves(F_p, v_p, v_e, PS), truth, noise=noise, seed=seed)


def sick_fifth(voxels: int) -> np.ndarray:
    """(n,) bool: the voxels of ``two_kinds`` with a third of the flow."""
    return np.arange(voxels) < voxels // 5


def smooth_twin(
    *, seed: int, shape: tuple[int, int, int] = SMOOTH_SHAPE, noise: Noise = Noise.PAPER
) -> ReferenceObject:
    """The twin with neighbours: log-parameters are smooth random fields over the grid's ranges, and right of a straight
    border (``territory``) the flow is a third of what it would be.

    The fields are white noise smoothed over ``SMOOTHNESS`` voxels in each slice apart, their values spread evenly.
    """
    rng = np.random.default_rng([seed, 4])
    ranges = (FLOWS, PLASMA_VOLUMES, INTERSTITIAL_VOLUMES, EXCHANGES)
    F_p, v_p, v_e, PS = (
        np.exp(np.log(min(r)) + np.log(max(r) / min(r)) * _smooth_field(rng, shape)).ravel() for r in ranges
    )
    F_p[territory(shape)] *= SICK_FLOW
    truth = KineticParameters(inside("F_p", F_p), v_p, v_e, inside("PS", PS))
    C_t = _exact_curves(truth.F_p, v_p, v_e, truth.PS)
    return _with_noise(C_t, truth, noise=noise, seed=seed, voxels=np.argwhere(np.ones(shape)), shape=shape)


def territory(shape: tuple[int, int, int]) -> np.ndarray:
    """(n,) bool: the voxels of ``smooth_twin`` with a third of the flow, about a third of each slice."""
    _, rows, columns = np.indices(shape)
    return (columns > shape[2] / 2 + rows / 3).ravel()


def beside_border(shape: tuple[int, int, int]) -> np.ndarray:
    """(n,) bool: the voxels of ``smooth_twin`` within two voxels of the border, on either side."""
    sick = territory(shape).reshape(shape)
    window = np.ones((1, 5, 5), dtype=bool)
    near = ndimage.binary_dilation(sick, window) & ndimage.binary_dilation(~sick, window)
    return near.ravel()


def _smooth_field(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """(k, j, i), uniform from 0 to 1."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), (0, SMOOTHNESS, SMOOTHNESS), mode="wrap")
    return ndtr(field / field.std())


def noise_sigma(C_t: np.ndarray, noise: Noise) -> float:
    """Standard deviation of the noise, mM.

    PAPER: the value that the paper's object gets (variance = mean of all its curves / 10^1.75).
    PEAK_SNR_17_5: median noise-free tissue peak / 17.5.
    """
    if noise is Noise.PAPER:
        return PAPER_SIGMA
    if noise is Noise.PEAK_SNR_17_5:
        return float(np.median(C_t.max(axis=1)) / PEAK_SNR)
    return 0.0


def _exact_curves(F_p, v_p, v_e, PS) -> np.ndarray:
    time = paper_time()
    return tissue_curve(ArterialInput.from_function(paper_input, time), time, F_p=F_p, v_p=v_p, v_e=v_e, PS=PS)


def _with_noise(C_t, truth, *, noise: Noise, seed: int, voxels=None, shape=None) -> ReferenceObject:
    """``C_t`` with seeded noise, on one clock."""
    sigma = noise_sigma(C_t, Noise(noise))
    noisy = C_t + sigma * np.random.default_rng([seed, 1]).standard_normal(C_t.shape)
    time = paper_time()
    curves = TissueCurves(time[None], np.zeros(len(C_t), dtype=int), noisy, voxels=voxels)
    return ReferenceObject(curves, ArterialInput(time, paper_input(time)), truth, C_t, shape, sigma)
