"""The exact 2CXM with a prior learnt from the study: what each curve says, weighed with what all curves say together.

    p(x | C_t) ~ exp(-|C_t - C_2CXM(x)|^2 / (2 sigma^2)) p(x)        x = ln F_p, ln v_p, ln v_e, ln PS (and T_a)

How it goes step by step stands in study.py.
"""

from __future__ import annotations

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..events import Progress, Report
from ..fit import FitResult, TissueCurves
from ..settings import FitSettings
from .study import Pulse, Study
from .workbench import Workbench

_STAGE = "map"


def fit_map(
    curves: TissueCurves,
    aif: ArterialInput,
    settings: FitSettings,
    report: Report,
    checkpoint=None,
    *,
    convolution=ExponentialConvolution,
    compressions: dict | None = None,
) -> FitResult:
    """Fit F_p, v_p, v_e, PS (and T_a where ``settings.delay`` says so) to every curve, with standard deviations.

    A curve that cannot be fitted is marked in ``outcome``; nothing is raised for it. ``checkpoint`` keeps finished batches,
    ``compressions`` (a dict, or None) the input's tables for another fit.
    ``convolution(aif, time)`` builds E and G of the input: another than the exact one serves a discrete forward model, for
    which the input stays as it was measured.
    """
    pulse = Pulse(report, Progress(_STAGE, 0.0))
    kept = {} if compressions is None else compressions
    study = Study(curves, Workbench(aif, settings, pulse.beat, convolution, kept))
    return study.fitted(pulse, checkpoint, stage=_STAGE)[0]
