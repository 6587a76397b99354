"""The one-shot solver beside `map` on the same curves: errors, coverage, softness, trunk, time, growth and memory.

make bench runs this; alone: python Testing/Benchmarks/bench_one_shot.py [--seeds 1 2] [--voxels 1200] [--w-residual 0.01 1]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial

import numpy as np
from bench_prior import growth

from MyoPINNLib.one_shot_settings import OneShotSettings
from MyoPINNLib.quantities import percent
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate import metrics, objects
from MyoPINNLib.simulate.dispersion import dispersed_curve
from MyoPINNLib.simulate.distributed import distributed_curve
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.trunk import Trunk

NAMES = ("F_p", "v_p", "v_e", "PS")
HELD_OUT = (301, 302, 303, 304, 305)
PAPER_WEIGHT = 1.0
OTHER_TISSUE = {distributed_curve: "distributed exchange", dispersed_curve: "dispersed input"}


def methods(weights, delay):
    """What is compared, by name."""
    base = FitSettings(method=Method.MAP, delay=delay)
    soft = {
        f"one-shot, w_r {w:g}": replace(base, method=Method.ONE_SHOT, one_shot=OneShotSettings(w_residual=w))
        for w in weights
    }
    return {"map": base, **soft}


def figures(result, truth):
    """Median errors, bias and P90 of F_p, NMSE, shares of the intervals that hold the truth, and the share not valid."""
    errors = metrics.error_summary(result.parameters, truth)
    row = [percent(errors[name]["median"]) for name in NAMES]
    row += [
        percent(errors["F_p"]["bias"]),
        percent(errors["F_p"]["p90"]),
        metrics.nmse(result.parameters, truth)["all"],
    ]
    for name in NAMES:
        value, sd, true = (getattr(part, name) for part in (result.parameters, result.sd, truth))
        row.append(percent((np.abs(np.log(value / true)) < sd / value).mean()))
    return [*row, percent((~result.valid).mean())]


def compare(label, make, delay, seeds, weights):
    """One object: a line a method, the mean over ``seeds``."""
    references = [make(seed=seed) for seed in seeds]
    for name, settings in methods(weights, delay).items():
        begun = time.process_time()
        rows = [figures(fit(r.curves, r.aif, settings), r.truth) for r in references]
        seconds = (time.process_time() - begun) / len(seeds)
        row = np.mean(rows, axis=0)
        print(
            f"{label:38s} {name:18s} median |error| F_p/v_p/v_e/PS {'/'.join(f'{v:.1f}' for v in row[:4])} %  bias {row[4]:+.1f} %"
            f"  P90 {row[5]:.0f} %  NMSE {row[6]:.4f}  68 % cover {'/'.join(f'{v:.0f}' for v in row[7:11])}"
            f"  not valid {row[11]:.1f} %  {seconds:.1f} s",
            flush=True,
        )


def trunks():
    """How long a trunk takes, how many functions it has and what they miss."""
    for label, reference in (
        ("twin", objects.twin(seed=1, voxels=1)),
        ("stress", patient_like(Patient.STRESS, seed=1, voxels=1)),
        ("rest", patient_like(Patient.REST, seed=1, voxels=1)),
    ):
        begun = time.process_time()
        trunk = Trunk.of(reference.aif, reference.curves.time[0, -1] + 1.0, points=500, most=40)
        seconds = time.process_time() - begun
        print(
            f"trunk of {label}: {trunk.phi.shape[1]} functions miss {trunk.left.max():.1e}, {seconds:.2f} s (wanted 0.5)"
        )


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(HELD_OUT))
    parser.add_argument("--voxels", type=int, default=1200)
    parser.add_argument("--largest", type=int, default=20_000)
    parser.add_argument("--w-residual", type=float, nargs="+", default=[0.01, 0.1, PAPER_WEIGHT, 1e4])
    arguments = parser.parse_args()
    trunks()
    for settings in methods([PAPER_WEIGHT], Delay.FIXED).values():
        growth(settings, largest=arguments.largest)
    size = {"voxels": arguments.voxels}
    for noise in (objects.Noise.PAPER, objects.Noise.PEAK_SNR_17_5):
        make = partial(objects.twin, noise=noise, **size)
        compare(f"twin, noise {noise.value}", make, Delay.FIXED, arguments.seeds, arguments.w_residual)
    for condition in Patient:
        name = condition.name.lower()
        make = partial(patient_like, condition, **size)
        compare(f"patient-like {name}", make, Delay.FIT, arguments.seeds, arguments.w_residual)
        for tissue, words in OTHER_TISSUE.items():
            make = partial(patient_like, condition, tissue=tissue, **size)
            compare(f"{words}, {name}", make, Delay.FIT, arguments.seeds, arguments.w_residual)


if __name__ == "__main__":
    main()
