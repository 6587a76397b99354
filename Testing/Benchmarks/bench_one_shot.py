"""The one-shot solver beside `map` on the same curves: errors, coverage, softness, trunk, time, growth and memory.

make bench runs this; alone: python Testing/Benchmarks/bench_one_shot.py [--seeds 1 2] [--voxels 1200] [--largest 20000]
    [--w-residual 0.01 1] [--write]
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from bench_prior import HELD_OUT, NOISES, covers, growth, judged, timed
from judging import EACH, ERRORS, HEAD, cells, mean_of
from page import Section, parser

from MyoPINNLib.one_shot_settings import OneShotSettings
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate import objects
from MyoPINNLib.simulate.dispersion import dispersed_curve
from MyoPINNLib.simulate.distributed import distributed_curve
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers.trunk import Trunk

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


def compare(row, label, make, delay, seeds, weights):
    """One object: a row a method, the mean over ``seeds``."""
    references = [make(seed=seed) for seed in seeds]
    for name, settings in methods(weights, delay).items():
        found = []
        for reference in references:
            result, seconds = timed(reference.curves, reference.aif, settings)
            found.append(judged(result, reference) | {"seconds": seconds})
        mean = mean_of(found)
        row(label, name, *cells(mean), covers(mean), f"{mean['seconds']:.1f}")


def trunks(section):
    """How long a trunk takes, how many functions it has and what they miss."""
    row = section.table(["trunk of", "functions", "they miss, of the peak", "s of processor (wanted: 0.5)"])
    for label, reference in (
        ("twin", objects.twin(seed=1, voxels=1)),
        ("stress", patient_like(Patient.STRESS, seed=1, voxels=1)),
        ("rest", patient_like(Patient.REST, seed=1, voxels=1)),
    ):
        begun = time.process_time()
        trunk = Trunk.of(reference.aif, reference.curves.time[0, -1] + 1.0, points=500, most=40)
        row(label, trunk.phi.shape[1], f"{trunk.left.max():.1e}", f"{time.process_time() - begun:.2f}")


def studies(voxels):
    """(words, object, delay) of everything that is compared."""
    for noise, (words, _) in NOISES.items():
        yield f"twin, {words}", partial(objects.twin, noise=noise, voxels=voxels), Delay.FIXED
    for condition in Patient:
        make = partial(patient_like, condition, voxels=voxels)
        yield f"patient-like {condition.name.lower()}", make, Delay.FIT
        for tissue, words in OTHER_TISSUE.items():
            yield f"{condition.name.lower()}, {words}", partial(make, tissue=tissue), Delay.FIT


def main():
    """Print every figure, and write them where asked to."""
    own = parser(__doc__)
    own.add_argument("--seeds", type=int, nargs="+", default=list(HELD_OUT))
    own.add_argument("--voxels", type=int, default=1200)
    own.add_argument("--largest", type=int, default=20_000, help="number of curves where cost is measured")
    own.add_argument("--w-residual", type=float, nargs="+", default=[0.01, 0.1, PAPER_WEIGHT, 1e4])
    given = own.parse_args()
    section = Section("one-shot", f"Mean of the seeds {' '.join(map(str, given.seeds))}, {given.voxels} voxels.")
    trunks(section)
    section.say("")
    growth(section, methods([PAPER_WEIGHT], Delay.FIXED).values(), largest=given.largest)
    section.say(
        "", f"{ERRORS} Intervals: how often those of 68 % and 95 % hold the truth, in per cent; s of processor."
    )
    row = section.table(["object", "method", *HEAD, f"intervals {EACH}", "s"])
    for label, make, delay in studies(given.voxels):
        compare(row, label, make, delay, given.seeds, given.w_residual)
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
