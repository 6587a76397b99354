"""Other packages on our curves, run by the Python of their own environment (.venv-peers): MODEL STUDY.npz ANSWER.npz

    dcmri-2cxm           dcmri's Tissue("2CX", "FF"), its start values, bounds and stop (scipy's curve_fit), a curve at a time
    dcmri-2cxm-delayed   the same with its arterial delay free (0 to 5 s)
    dcmri-deconvolution  dcmri's truncated SVD (tolerance 0.1; its default, 1e-15, is for curves without noise): flow alone, the highest value of the residue
    forward              dcmri's 2CXM curves of the parameters in the study
    parker               osipi's and dcmri's population input of Parker et al. at the study's times
    versions             what is there, as JSON on stdout

dcmri fits signals. It gets ours by its own equation in a range where that is nearly a straight line (flip angle 90 degrees,
R1 TR < 0.01), with S0 and R10 known: so it neither gains nor loses by signals. It counts in blood; with a haematocrit of 0 its
Fb, vb and ca are plasma's. Its input is linear between samples. Units agree (s, mL/s/mL).
osipi 0.1.2 has population inputs only and no tissue model, so there is nothing of it to fit; its Parker input is compared.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import sys
import warnings

import numpy as np
from child import answer, study

R10, REPETITION_TIME, FLIP_ANGLE, LARGEST_R1 = 0.7, 0.005, 90.0, 2.0
NAMES = {"F_p": "Fb", "v_p": "vb", "v_e": "vi", "PS": "PS"}
TOLERANCE = 0.1
LATEST = 5.0
MM_A_M = 1000


def versions():
    """By package: its version, and its functions that are no input function."""
    found = {}
    for name in ("dcmri", "osipi"):
        try:
            package = importlib.import_module(name)
        except ImportError:
            continue
        own = [key for key, _ in inspect.getmembers(package, callable) if not key.startswith(("_", "aif"))]
        found[name] = {"version": importlib.metadata.version(name), "models": own}
    return found


def exchange(held, *, delayed):
    """The 2CXM by dcmri's own fit."""
    import dcmri

    time, C_ap = held["time"], np.interp(held["time"], held["aif_time"], held["C_ap"])
    relaxivity = LARGEST_R1 / C_ap.max()
    free = dcmri.Tissue("2CX", "FF", "SS", ca=C_ap, t=time).free
    free = dict(free) | ({"Ta": [0, LATEST]} if delayed else {})
    common = {"R10": R10, "TR": REPETITION_TIME, "FA": FLIP_ANGLE, "H": 0.0, "S0": 1.0, "r1": relaxivity}
    found = {name: [] for name in (*NAMES, *(["T_a"] if delayed else []))}
    for C_t in held["C_t"]:
        tissue = dcmri.Tissue("2CX", "FF", "SS", ca=C_ap, t=time, free=dict(free), **common)
        tissue.train(time, dcmri.signal_ss(1.0, R10 + relaxivity * C_t, REPETITION_TIME, FLIP_ANGLE), init_s0=False)
        for name, values in found.items():
            values.append(float(getattr(tissue, NAMES.get(name, "Ta"))))
    return {name: np.array(values) for name, values in found.items()}


def deconvolution(held):
    """Flow alone, without a model. It needs even steps: curves are put on such by straight lines."""
    from dcmri import pk_inv

    time = held["time"]
    even = np.linspace(time[0], time[-1], time.size)
    C_t = np.array([np.interp(even, time, curve) for curve in held["C_t"]])
    C_ap = np.interp(even, held["aif_time"], held["C_ap"])
    residue = pk_inv.deconv(C_t.T, C_ap, even[1] - even[0], tol=TOLERANCE)
    return {"F_p": residue.max(axis=0)}


def forward(held):
    """C_t (n, t) mM of the study's parameters."""
    import dcmri

    C_ap = np.interp(held["time"], held["aif_time"], held["C_ap"])
    rows = zip(*(held[name] for name in NAMES))
    common = {"t": held["time"], "kinetics": "2CX", "H": 0.0}
    return {"C_t": np.array([dcmri.conc_tissue(C_ap, **common, **dict(zip(NAMES.values(), row))) for row in rows])}


def parker(held):
    """C_ab (t,) mM of both packages, the bolus arriving at 0 s."""
    import dcmri
    import osipi

    return {"osipi": osipi.aif_parker(held["time"], BAT=0.0), "dcmri": MM_A_M * dcmri.aif_parker(held["time"], BAT=0.0)}


def main():
    """What the command line asks for."""
    warnings.filterwarnings("ignore")
    if sys.argv[1] == "versions":
        print(json.dumps(versions()))
        return
    model, source, target = sys.argv[1:]
    held = study(source)
    importlib.import_module("dcmri")  # once a program: no part of a fit's time
    solvers = {
        "dcmri-2cxm": lambda: exchange(held, delayed=False),
        "dcmri-2cxm-delayed": lambda: exchange(held, delayed=True),
        "dcmri-deconvolution": lambda: deconvolution(held),
        "forward": lambda: forward(held),
        "parker": lambda: parker(held),
    }
    answer(target, solvers[model])


if __name__ == "__main__":
    main()
