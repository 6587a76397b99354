"""From weighted samples to what is reported: the median of every parameter and its standard deviation."""

from __future__ import annotations

import numpy as np

from ..prior import Prior, normalised_weights
from .batches import Arrays
from .sampling import Samples
from .starts import LOGARITHMS

_HALF = 0.5
_TINY = 1e-300


def summary(samples: Samples, prior: Prior) -> Arrays:
    """Per voxel (n,): the parameters and their ``_sd``, inside units, and ``effective``, how many samples carry the weight.

    Medians, since they are the same in a parameter and in its logarithm, and lie closest in relative error. The deviation
    is the root mean square distance of the logarithm from its median, as a share of the parameter: sd = median times that.
    """
    weight = normalised_weights(samples.log_weight + prior.log_density(samples.x))
    found: Arrays = {"effective": 1 / (weight**2).sum(axis=1)}
    for j, name in enumerate((*LOGARITHMS, "T_a")[: samples.x.shape[2]]):
        values = samples.x[:, :, j]
        middle = weighted_median(values, weight)
        sd = np.sqrt((weight * (values - middle[:, None]) ** 2).sum(axis=1))
        found[name] = np.exp(middle) if name in LOGARITHMS else middle
        found[f"{name}_sd"] = sd * found[name] if name in LOGARITHMS else sd
    return found


def weighted_median(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(n,) medians of ``values`` (n, s) with ``weight`` (n, s), straight between neighbours."""
    order = np.argsort(values, axis=1)
    values, weight = np.take_along_axis(values, order, axis=1), np.take_along_axis(weight, order, axis=1)
    mass = np.cumsum(weight, axis=1) - weight / 2
    above = np.clip((mass < _HALF).sum(axis=1), 1, values.shape[1] - 1)
    rows = np.arange(len(values))
    low, high = mass[rows, above - 1], mass[rows, above]
    part = np.clip((_HALF - low) / np.maximum(high - low, _TINY), 0, 1)
    return values[rows, above - 1] + part * (values[rows, above] - values[rows, above - 1])
