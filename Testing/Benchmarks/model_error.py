"""What the wrong tissue model alone does to the flow: other tissue's curves without noise, delay fitted and known.

The residual beside each bias says whether data could tell: noise is some 3 % of a curve's peak.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from contest import alone
from judging import NAMES

from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.settings import Delay, Method
from MyoPINNLib.simulate.dispersion import dispersed_curve
from MyoPINNLib.simulate.distributed import distributed_curve
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit

TISSUES = {"2CXM": tissue_curve, "distributed exchange": distributed_curve, "dispersed input": dispersed_curve}
METHODS = (Method.NLLS, Method.FERMI)
VOXELS = 150


def model_errors(*, seed):
    """By (tissue, delay's word, method): median relative error of each parameter, how much later T_a is, and residual over peak."""
    found = {}
    for name, tissue in TISSUES.items():
        for delay in Delay:
            reference = patient_like(
                Patient.STRESS,
                seed=seed,
                voxels=VOXELS,
                tissue_noise=0.0,
                input_noise=0.0,
                tissue=tissue if delay is Delay.FIT else _on_time(tissue),
            )
            for method in METHODS:
                settings = replace(alone(method).settings[1], delay=delay)
                result = fit(reference.curves, reference.aif, settings)
                estimate, truth = dict(result.parameters.items()), dict(reference.truth.items())
                there = [key for key in NAMES if key in estimate]
                figures = {key: float(np.median(estimate[key] / truth[key] - 1)) for key in there}
                figures["residual"] = float(np.median(result.residual / np.nanmax(result.C_t, axis=1)))
                if delay is Delay.FIT:
                    figures["later"] = float(np.median(estimate["T_a"] - truth["T_a"]))
                word = "fitted" if delay is Delay.FIT else "known"
                found[name, word, method.value] = figures
    return found


def _on_time(tissue):
    """The tissue without its delays, so that a delay fixed at 0 is the true one."""

    def curve(aif, time, *, T_a, **parameters):
        return tissue(aif, time, **parameters)

    return curve
