"""Every way to fit, behind one door: ``fit(curves, aif, settings, report)``.

A solver takes curves, an input and settings, and gives a FitResult; it marks what it cannot fit and raises nothing for a
single voxel. The paper's networks and the one-shot solver come here as further members of ``Method``.
"""

from __future__ import annotations

from ..aif import ArterialInput
from ..errors import FitError
from ..events import Report, silent
from ..fit import FitResult, TissueCurves
from ..settings import FitSettings, Method
from .fermi import fit_fermi
from .nlls import fit_nlls

_SOLVERS = {Method.NLLS: fit_nlls, Method.FERMI: fit_fermi}


def fit(
    curves: TissueCurves, aif: ArterialInput, settings: FitSettings, report: Report = silent, checkpoint=None
) -> FitResult:
    """Fit ``curves`` (n, t) mM to the input by ``settings.method``.

    ``report`` hears the progress and may raise Cancelled; ``checkpoint`` (load, save) keeps finished batches.
    Raises FitError where there is no curve at all.
    """
    if len(curves) == 0:
        raise FitError("There is no curve to fit.", "The myocardium mask holds no voxel of the series.")
    return _SOLVERS[settings.method](curves, aif, settings, report, checkpoint)
