"""How far estimates lie from the truth: the paper's two metrics under their names, and ones that outliers cannot fool.

NMSE = mean((estimate - truth)^2) / mean(truth)     in shown units: it scales with the unit (paper, Table 1)
SSIM = structural similarity, 7 x 7 window, data range = max - min of the ESTIMATE (paper, Table 1)
"""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..fit import KineticParameters
from ..quantities import shown

PAPER_PARAMETERS = ("F_p", "v_p", "v_e", "PS")
SSIM_WINDOW = 7
_FAR_OFF = 1.0


def nmse(estimate: KineticParameters, truth: KineticParameters, *, group: np.ndarray | None = None) -> dict[str, float]:
    """NMSE by parameter, and "all": the mean of those.

    ``group`` (n,): compute within each group (the paper: each slice of constant PS) and average over the groups.
    """
    result = {}
    for name, (value, true) in _pairs(estimate, truth).items():
        groups = np.zeros(true.size, dtype=int) if group is None else np.asarray(group)
        parts = [
            ((value[groups == g] - true[groups == g]) ** 2).mean() / true[groups == g].mean() for g in np.unique(groups)
        ]
        result[name] = float(np.mean(parts))
    return result | {"all": float(np.mean(list(result.values())))}


def ssim(
    estimate: KineticParameters, truth: KineticParameters, *, shape: tuple[int, int, int], truth_range: bool = False
) -> dict[str, float]:
    """SSIM by parameter, mean over the slices of a full grid of ``shape`` (k, j, i), and "all": the mean of those.

    The window's range is the estimate's, so an outlier raises it: that is the paper's definition, not advice.
    ``truth_range``: the range of the truth over the grid instead, which an outlier cannot move.
    """
    similarity = _structural_similarity()
    result = {}
    for name, (value, true) in _pairs(estimate, truth).items():
        if value.size != np.prod(shape):
            raise InputError(
                f"{value.size} voxels do not fill a grid of shape {tuple(shape)}.", "SSIM needs a full grid."
            )
        slices = zip(value.reshape(shape), true.reshape(shape), strict=True)
        parts = [
            similarity(t, v, win_size=SSIM_WINDOW, data_range=_range(true if truth_range else v)) for v, t in slices
        ]
        result[name] = float(np.mean(parts))
    return result | {"all": float(np.mean(list(result.values())))}


def error_summary(
    estimate: KineticParameters, truth: KineticParameters, *, where: np.ndarray | None = None
) -> dict[str, dict[str, float]]:
    """By parameter, of the relative error (estimate - truth) / truth, as fractions.

    ``median`` and ``p90`` of its size, ``bias``: its median with sign, ``share_off``: share of voxels off by more than 100 %.
    ``where`` (n,) bool: the voxels that count.
    """
    result = {}
    for name, (value, true) in _pairs(estimate, truth, where=where).items():
        relative = (value - true) / true
        size = np.abs(relative)
        result[name] = {
            "median": float(np.median(size)),
            "p90": float(np.quantile(size, 0.9)),
            "bias": float(np.median(relative)),
            "share_off": float((size > _FAR_OFF).mean()),
        }
    return result


def _pairs(
    estimate: KineticParameters, truth: KineticParameters, *, where=None
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(estimate, truth) in shown units of the parameters that both have, or an InputError."""
    estimates, truths = dict(estimate.items()), dict(truth.items())
    pairs = {}
    for name in PAPER_PARAMETERS:
        if name not in estimates or name not in truths:
            continue
        value, true = (
            shown(name, np.asarray(estimates[name], dtype=float)),
            shown(name, np.asarray(truths[name], dtype=float)),
        )
        if value.shape != true.shape:
            raise InputError(f"There are {value.size} estimates of {name} and {true.size} true values.")
        rows = np.ones(true.shape, dtype=bool) if where is None else np.asarray(where, dtype=bool)
        if not rows.any():
            raise InputError(f"None of the {rows.size} voxels is to be judged.")
        missing = int((~np.isfinite(value[rows])).sum())
        if missing:
            raise InputError(
                f"{missing} of {int(rows.sum())} estimates of {name} are not numbers.", "Judge the valid voxels only."
            )
        pairs[name] = value[rows], true[rows]
    return pairs


def _range(values: np.ndarray) -> float:
    """max - min; never quite zero, so that a constant estimate has a similarity."""
    return max(float(np.ptp(values)), 1e-9 * max(float(np.abs(values).max()), 1e-9))


def _structural_similarity():
    try:
        from skimage.metrics import structural_similarity
    except ImportError as missing:
        raise InputError("SSIM needs scikit-image, which is not installed.", "pip install scikit-image") from missing
    return structural_similarity
