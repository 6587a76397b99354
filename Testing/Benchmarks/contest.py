"""Who takes part in the comparison of methods, on which objects, and how one takes its turn in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from child import study
from judging import NAMES, intervals
from page import ROOT
from paper_object import paper_object

from MyoPINNLib import options
from MyoPINNLib.fit import PARAMETERS, KineticParameters, TissueCurves
from MyoPINNLib.network_settings import NetworkSettings, Shift, Start
from MyoPINNLib.settings import Delay, FitSettings, Input, Method, Spatial
from MyoPINNLib.simulate import metrics, objects
from MyoPINNLib.simulate.dispersion import dispersed_curve
from MyoPINNLib.simulate.distributed import distributed_curve
from MyoPINNLib.simulate.patient_like import Patient, patient_like

HERE = Path(__file__).parent
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
SHORT_STEPS, PRINTED_STEPS = 2500, 25_000
LIMIT_S = 3600
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
NETWORKS = (Method.COMBINED, Method.TWO_COMPARTMENT, Method.REDUCED, Method.MESH)
EVERY_NETWORK = ("exact", "exact-noisy", "twin", "twin-noisy", "stress", "rest")
SMOOTH = ("smooth", "smooth-noisy")
ON_A_GRID = ("exact", "exact-noisy", *SMOOTH)
A_BLOCK, KEPT_OF_A_BLOCK = 10, 3
NOISY_INPUT = ("stress", "rest", "distributed", "dispersed")


@dataclass(frozen=True)
class Case:
    """An object of known truth: how it is made of a seed, whether its delays are unknown, and whether its voxels belong together.

    Of a ``whole`` object every curve travels, at its place.
    """

    label: str
    make: Callable
    delayed: bool = False
    whole: bool = False


def thinned_grid(*, seed, noise=objects.Noise.PAPER):
    """The paper's grid with exact curves, 3 x 3 voxels of each block of 10 x 10, so that its maps stay maps."""
    whole = objects.exact_grid(seed=seed, noise=noise)
    k, j, i = whole.curves.voxels.T
    rows = np.flatnonzero((j % A_BLOCK < KEPT_OF_A_BLOCK) & (i % A_BLOCK < KEPT_OF_A_BLOCK))
    places = np.stack([k, *(at // A_BLOCK * KEPT_OF_A_BLOCK + at % A_BLOCK for at in (j, i))], axis=1)[rows]
    some = whole.curves
    curves = TissueCurves(some.time, some.clock[rows], some.C_t[rows], some.weight, places)
    truth = KineticParameters(**{name: values[rows] for name, values in whole.truth.items()})
    return replace(
        whole, curves=curves, truth=truth, C_t_exact=whole.C_t_exact[rows], shape=tuple(np.ptp(places, axis=0) + 1)
    )


CASES = {
    "paper": Case("the paper's object (rectangle-rule curves)", paper_object),
    "exact": Case("the same grid, exact curves, the paper's noise", thinned_grid, whole=True),
    "exact-noisy": Case(
        "the same grid, exact curves, peak SNR 17.5",
        partial(thinned_grid, noise=objects.Noise.PEAK_SNR_17_5),
        whole=True,
    ),
    "twin": Case("the twin, the paper's noise", objects.twin),
    "twin-noisy": Case("the twin, peak SNR 17.5", partial(objects.twin, noise=objects.Noise.PEAK_SNR_17_5)),
    "smooth": Case(
        "the twin with smooth fields and a border, two slices of 20 x 20, the paper's noise",
        partial(objects.smooth_twin, shape=(2, 20, 20)),
        whole=True,
    ),
    "smooth-noisy": Case(
        "the same, peak SNR 17.5",
        partial(objects.smooth_twin, shape=(2, 20, 20), noise=objects.Noise.PEAK_SNR_17_5),
        whole=True,
    ),
    "stress": Case("patient-like, stress", partial(patient_like, Patient.STRESS), delayed=True),
    "rest": Case("patient-like, rest", partial(patient_like, Patient.REST), delayed=True),
    "distributed": Case(
        "not a 2CXM: distributed exchange, stress",
        partial(patient_like, Patient.STRESS, tissue=distributed_curve),
        delayed=True,
    ),
    "dispersed": Case(
        "not a 2CXM of this input: dispersed by 0.5, 1 or 1.5 s, stress",
        partial(patient_like, Patient.STRESS, tissue=dispersed_curve),
        delayed=True,
    ),
}


@dataclass(frozen=True)
class Entrant:
    """A row of the tables: our ``settings`` for objects without and with unknown delays, or a ``peer``'s models for them.

    ``cases`` are those that it runs on; ``rectangle``: with the forward model of the paper's object.
    """

    label: str
    settings: tuple[FitSettings, FitSettings] | None = None
    peer: tuple[str, str] | None = None
    cases: tuple[str, ...] = tuple(CASES)
    rectangle: bool = False


def alone(method):
    """A method of ours that needs no TensorFlow."""
    free = FitSettings(method=method)
    return Entrant(method.value, (replace(free, delay=Delay.FIXED), free))


def option(method, words, cases, **chosen):
    """A method of ours with something chosen that is off by default, where it may matter."""
    fixed, free = (replace(settings, **chosen) for settings in alone(method).settings)
    return Entrant(f"{method.value}, {words}", (fixed, free), cases=cases)


def network(method, *, steps, start):
    """A network of the paper, begun at ``start``; with unknown delays at the input shifted by those that NLLS finds."""
    knobs = NetworkSettings(steps=steps, start=start, threads=1)
    fixed = FitSettings(method=method, delay=Delay.FIXED, network=knobs)
    free = FitSettings(method=method, network=replace(knobs, shift=Shift.PRESHIFT))
    words = f"{method.value}, {steps} steps from {start.value}"
    if method is Method.COMBINED:
        return Entrant(words, (fixed, free))
    return Entrant(words, (fixed, free), cases=ON_A_GRID if method is Method.MESH else EVERY_NETWORK)


def printed():
    """The networks as the paper prints them."""
    return [network(method, steps=PRINTED_STEPS, start=Start.RANDOM) for method in NETWORKS]


def entrants(*, steps):
    """Who takes part: our methods, the networks from another method's result, peers."""
    ours = [alone(method) for method in Method if not method.is_network]
    own_rule = [
        replace(alone(method), label=f"{method.value}, the object's own rule", cases=("paper",), rectangle=True)
        for method in (Method.NLLS, Method.MAP)
    ]
    more = [
        option(Method.MAP, "neighbours", SMOOTH, spatial=Spatial.NEIGHBOURS),
        option(Method.ONE_SHOT, "neighbours", SMOOTH, spatial=Spatial.NEIGHBOURS),
        option(Method.MAP, "joint input", NOISY_INPUT, input=Input.JOINT),
    ]
    trained = [network(method, steps=steps or SHORT_STEPS, start=Start.NLLS) for method in NETWORKS]
    trained.append(network(Method.COMBINED, steps=steps or SHORT_STEPS, start=Start.MAP))
    peers = [
        Entrant("dcmri 2CX", peer=("dcmri-2cxm", "dcmri-2cxm-delayed")),
        Entrant("dcmri deconvolution", peer=("dcmri-deconvolution", "dcmri-deconvolution")),
    ]
    return [*ours, *more, *own_rule, *trained, *peers]


def drawn(case, *, seed, curves):
    """(study, truth): ``curves`` curves of the object, drawn at random, as they travel to every entrant."""
    reference = case.make(seed=seed)
    size = len(reference.curves)
    count = size if case.whole else min(curves, size)
    rows = np.sort(np.random.default_rng([seed, 9]).choice(size, count, replace=False))
    truth = KineticParameters(**{name: values[rows] for name, values in reference.truth.items()})
    return travelling(reference, rows), truth


def travelling(reference, rows):
    """The arrays of a study (child.py) of the reference's curves ``rows``."""
    aif = reference.aif
    return {
        "time": reference.curves.time[0],
        "C_t": reference.curves.C_t[rows],
        "aif_time": aif.time,
        "C_ap": aif.C_ap,
        "voxels": reference.curves.voxels[rows],
    }


def command(entrant, case, source, target):
    """The command line of one turn."""
    if entrant.peer:
        return [PEERS_PYTHON, HERE / "peers.py", entrant.peer[case.delayed], source, target]
    job = {"settings": options.write(entrant.settings[case.delayed]), "rectangle": entrant.rectangle}
    return [sys.executable, HERE / "run_method.py", source, target, json.dumps(job)]


def took_turn(words, target):
    """The arrays that a child left in ``target``. Raises RuntimeError with its last words where it failed."""
    environment = os.environ | _ONE_THREAD | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [*map(str, words)], env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no word"])[-1])
    return study(target)


def judged(found, truth, voxels=None):
    """Figures of one turn, by name; of every curve, marked or not. ``voxels`` (n, 3): their places, where they are a grid."""
    estimate = KineticParameters(**{name: found[name] for name in PARAMETERS if name in found})
    errors, scores = metrics.error_summary(estimate, truth), metrics.nmse(estimate, truth)
    figures = {f"NMSE {name}": score for name, score in scores.items()}
    figures |= {key: errors["F_p"][key] for key in ("median", "p90", "bias", "share_off")}
    figures |= {f"cover {name}": shares for name, shares in coverage(found, truth).items()}
    if voxels is not None:
        shape = tuple(int(size) for size in np.ptp(voxels, axis=0) + 1)
        figures |= {
            f"SSIM {n}": value for n, value in metrics.ssim(estimate, truth, shape=shape, truth_range=True).items()
        }
    valid = found.get("valid")
    per_thousand = 1000 / len(truth.F_p)
    return figures | {
        "seconds": float(found["processor"]) * per_thousand,
        "peak": float(found["peak"]),
        "marked": np.nan if valid is None else float((~valid).mean()),
    }


def coverage(found, truth):
    """By parameter, the shares of all curves whose 68 % and 95 % intervals in the logarithm hold the truth."""
    there = [(name, true) for name, true in truth.items() if name in NAMES and f"sd {name}" in found]
    return {name: intervals(found[name], found[f"sd {name}"], true) for name, true in there}
