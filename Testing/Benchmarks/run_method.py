"""One fit by one of our methods, in a process of its own so that its memory is its own: STUDY.npz ANSWER.npz JOB

JOB is JSON: ``settings`` of the fit, and ``rectangle`` where the paper's own forward model is to stand in for the exact one.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from child import answer, study
from paper_object import rectangle

from MyoPINNLib import options
from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.events import silent
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.settings import FitSettings, Method
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.door import load_tensorflow
from MyoPINNLib.solvers.map import fit_map
from MyoPINNLib.solvers.nlls import fit_nlls

WITH_CONVOLUTION = {Method.NLLS: fit_nlls, Method.MAP: fit_map}


def solve(held, settings, *, by_rectangle):
    """The parameters by name, their SD where there are any ("sd F_p"), and which voxels the method vouches for."""
    one_clock = np.zeros(len(held["C_t"]), dtype=int)
    curves = TissueCurves(held["time"][None], one_clock, held["C_t"], voxels=held["voxels"])
    aif = ArterialInput(held["aif_time"], held["C_ap"])
    if by_rectangle:
        result = WITH_CONVOLUTION[settings.method](curves, aif, settings, silent, convolution=rectangle)
    else:
        result = fit(curves, aif, settings)
    found = {name: np.asarray(values) for name, values in result.parameters.items()}
    sure = {f"sd {name}": np.asarray(values) for name, values in (result.sd.items() if result.sd else ())}
    return found | sure | {"valid": result.valid}


def main():
    """Read, fit, keep."""
    source, target, job = sys.argv[1:]
    given = json.loads(job)
    settings = options.read(FitSettings, given["settings"], "The settings")
    held = study(source)
    if settings.method.is_network:
        load_tensorflow()  # once a program: no part of a fit's time
    answer(target, lambda: solve(held, settings, by_rectangle=given["rectangle"]))


if __name__ == "__main__":
    main()
