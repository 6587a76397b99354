"""Every way to fit, behind one door: ``fit(curves, aif, settings, report)``.

A solver takes curves, an input and settings, and gives a FitResult; it marks what it cannot fit and raises nothing for a
single voxel. What a network needs (TensorFlow) is loaded when one is wanted, not before.
"""

from __future__ import annotations

import numpy as np

from ..aif import ArterialInput
from ..errors import FitError, InputError
from ..events import Report, silent
from ..fit import FitResult, TissueCurves
from ..settings import FitSettings, Method, Spatial
from ..trained import TrainedNetwork
from .fermi import fit_fermi
from .map import fit_map
from .networks import fit_networks
from .nlls import fit_nlls
from .one_shot import fit_one_shot

LONGEST_HELD_INPUT, SMALLEST_BOLUS = 5.0, 0.1
_ALONE = {Method.NLLS: fit_nlls, Method.FERMI: fit_fermi}
_TOGETHER = {Method.MAP: fit_map, Method.ONE_SHOT: fit_one_shot}


def fit(
    curves: TissueCurves,
    aif: ArterialInput,
    settings: FitSettings,
    report: Report = silent,
    checkpoint=None,
    start_from: FitResult | TrainedNetwork | None = None,
    *,
    compressions: dict | None = None,
) -> FitResult:
    """Fit ``curves`` (n, t) mM to the input by ``settings.method``.

    ``report`` hears the progress and may raise Cancelled; ``checkpoint`` (load, save) keeps what is done;
    ``start_from``, for the networks: an earlier network, or another method's result of these curves; ``compressions``: a dict
    that fits of one study share, so that the input's tables are made once.
    Raises FitError where there is no curve at all, InputError for an input that cannot have fed the curves.
    """
    if len(curves) == 0:
        raise FitError("There is no curve to fit.", "The myocardium mask holds no voxel of the series.")
    _check_input(curves, aif)
    if settings.spatial is Spatial.NEIGHBOURS and len(curves) > 1 and not np.ptp(curves.voxels, axis=0).any():
        raise InputError(
            "These curves have no places, so none has neighbours.", f"Take spatial {Spatial.NONE.value} for them."
        )
    if settings.method.is_network:
        return fit_networks(curves, aif, settings, report, checkpoint, start_from)
    if start_from is not None:
        raise InputError(f"{settings.method.value} starts by itself; only the networks start from something earlier.")
    if settings.method in _TOGETHER:
        return _TOGETHER[settings.method](curves, aif, settings, report, checkpoint, compressions=compressions)
    return _ALONE[settings.method](curves, aif, settings, report, checkpoint)


def _check_input(curves: TissueCurves, aif: ArterialInput) -> None:
    peak = float(aif.C_ap.max())
    if peak - float(aif.C_ap.min()) < SMALLEST_BOLUS * peak:
        raise InputError(
            f"The arterial input shows no bolus: it runs from {aif.C_ap.min():.4g} to {peak:.4g} mM.",
            "Is it the right curve?",
        )
    if peak <= 0:
        raise InputError(
            f"The arterial input never rises above zero (its highest value is {peak:g} mM).", "Is it the right curve?"
        )
    counted = curves.time[curves.weight > 0]
    if counted.size and aif.knots[0] > counted.max():
        raise InputError(
            f"The arterial input begins at {aif.knots[0]:.4g} s, after the last tissue frame ({counted.max():.4g} s).",
            "Both must count from the same moment.",
        )
    if counted.size and aif.knots[-1] < counted.max() - LONGEST_HELD_INPUT:
        raise InputError(
            f"The arterial input ends at {aif.knots[-1]:.4g} s and the tissue at {counted.max():.4g} s.",
            "The input must last as long as the tissue curves.",
        )
