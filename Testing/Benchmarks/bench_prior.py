"""The learnt prior on objects of known truth: errors, NMSE, coverage of the intervals, time, growth and memory.

"limit" is what the same samples give under the prior that made the object: no method can do better.
make bench runs this; alone: python Testing/Benchmarks/bench_prior.py [--seeds 1 2 3] [--voxels 4800] [--largest 20000] [--write]
"""

from __future__ import annotations

import resource
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
from judging import EACH, ERRORS, HEAD, NAMES, accuracy, cells, intervals, mean_of, pair
from page import Section, parser

from MyoPINNLib.quantities import inside, percent
from MyoPINNLib.settings import Delay, FitSettings, Input, Method
from MyoPINNLib.simulate import objects
from MyoPINNLib.simulate.patient_like import (
    LEAST_V_P,
    LONGEST_DELAY,
    MOST_V_P,
    SPREAD,
    Patient,
    ischaemic,
    patient_like,
)
from MyoPINNLib.solvers import fit, learning

FIXED = FitSettings(method=Method.MAP, delay=Delay.FIXED)
FREE = FitSettings(method=Method.MAP)
JOINT = replace(FREE, input=Input.JOINT)
HELD_OUT = (301, 302, 303, 304, 305)
NOISES = {
    objects.Noise.PAPER: ("paper's noise", "7.5 / 29 / 8.5 / 9.2 %, NMSE 0.030"),
    objects.Noise.PEAK_SNR_17_5: ("peak SNR 17.5", "F_p 11.2 %, none off"),
}
PATIENTS = {Patient.STRESS: "F_p 8 %, bias 2.5 %", Patient.REST: "F_p 6.2 %, bias 2 %"}
LEVELS = (68, 95)
GROUPS = {"all": "all voxels", "found lowest": "lowest fifth of F_p found", "truly lowest": "lowest fifth of true F_p"}
SIZES = (1000, 4800, 20_000)
STEEP = 100.0


class Box:
    """The twin's own prior: log-uniform within its ranges (a steep wall around them); ``spread`` (4,) its SDs."""

    def __init__(self):
        flows, exchanges = inside("F_p", np.array(objects.FLOWS)), inside("PS", np.array(objects.EXCHANGES))
        ranges = (flows, objects.PLASMA_VOLUMES, objects.INTERSTITIAL_VOLUMES, exchanges)
        self.low, self.high = np.log([(min(r), max(r)) for r in ranges]).T
        self.spread = (self.high - self.low) / np.sqrt(12)

    def log_density(self, x):
        """ln p (...) at x (..., 4), up to a constant."""
        return -STEEP * np.maximum(np.maximum(self.low - x, x - self.high), 0).sum(axis=-1)


class Heart:
    """The patient-like object's own prior; ``spread`` (5,) its SDs, of one kind of muscle."""

    def __init__(self, condition):
        self.condition = condition
        self.spread = np.array([*SPREAD.values(), LONGEST_DELAY / np.sqrt(12)])

    def log_density(self, x):
        """ln p (...) at x (..., 5), up to a constant."""
        heart = self.condition.value
        middle = np.log([inside("F_p", heart.F_p), heart.v_p, heart.v_e, inside("PS", heart.PS)])
        z = (x[..., :4] - middle) / np.array(list(SPREAD.values()))
        flow = -(z[..., 0] ** 2) / 2
        if self.condition is Patient.STRESS:
            sick = z[..., 0] + np.log(3) / SPREAD["F_p"]
            flow = np.logaddexp(np.log(0.8) + flow, np.log(0.2) - sick**2 / 2)
        walls = np.maximum(np.maximum(-x[..., 4], x[..., 4] - LONGEST_DELAY), 0)
        walls = walls + np.maximum(np.maximum(np.log(LEAST_V_P) - x[..., 1], x[..., 1] - np.log(MOST_V_P)), 0)
        return flow - (z[..., 1:] ** 2).sum(axis=-1) / 2 - STEEP * walls


@contextmanager
def weighed_with(prior):
    """The solver with ``prior`` in place of the one it learns."""
    learnt = learning.learnt_marginals
    learning.learnt_marginals = lambda *_, **__: prior
    try:
        yield
    finally:
        learning.learnt_marginals = learnt


def timed(curves, aif, settings):
    """A fit and its seconds of processor."""
    begun = time.process_time()
    result = fit(curves, aif, settings)
    return result, time.process_time() - begun


def coverage(result, truth, where):
    """By parameter, the shares of voxels whose 68 % and 95 % intervals in the logarithm hold the truth."""
    given = (result.parameters, result.sd, truth)
    return {name: intervals(*(getattr(part, name)[where] for part in given)) for name in NAMES}


def judged(result, reference):
    """All figures of one fit, by name."""
    truth, found = reference.truth, result.parameters
    lowest = {
        f"{how} lowest": F_p <= np.quantile(F_p, 0.2) for how, F_p in (("found", found.F_p), ("truly", truth.F_p))
    }
    figures = accuracy(result, truth)
    for group, where in ({"all": slice(None)} | lowest).items():
        for name, shares in coverage(result, truth, where).items():
            figures |= {f"{group} {name} {level}": share for level, share in zip(LEVELS, shares, strict=True)}
    return figures | {"seconds": result.seconds}


def covers(figures, group="all"):
    """How often the intervals of a group hold the truth, a cell."""
    return " / ".join(pair(figures[f"{group} {name} {level}"] for level in LEVELS) for name in NAMES)


def limited(label, make, settings, seeds, truth_prior, wanted):
    """(object, method, figures, wanted) of the solver and of the limit, means over ``seeds``, and of NLLS at the first seed."""
    references = [make(seed=seed) for seed in seeds]
    yield label, "map", mean(references, settings), wanted
    with weighed_with(truth_prior):
        figures = mean(references, settings)
    yield label, "limit", figures, ""
    first = references[0]
    nlls = fit(first.curves, first.aif, replace(settings, method=Method.NLLS))
    yield label, f"nlls, seed {seeds[0]}", accuracy(nlls, first.truth) | {"seconds": nlls.seconds}, ""


def mean(references, settings):
    """The mean of the figures of several objects."""
    return mean_of([judged(fit(r.curves, r.aif, settings), r) for r in references])


def studies(seeds, voxels):
    """(object, method, figures, wanted) of every study, one after the other."""
    for noise, (words, wanted) in NOISES.items():
        make = partial(objects.twin, noise=noise, voxels=voxels)
        yield from limited(f"twin, {words}", make, FIXED, seeds, Box(), wanted)
    for condition, wanted in PATIENTS.items():
        label = f"patient-like {condition.name.lower()}"
        yield from limited(label, partial(patient_like, condition), FREE, seeds, Heart(condition), wanted)
        yield label, "map, joint input", mean([patient_like(condition, seed=seed) for seed in seeds], JOINT), ""
        quiet = [patient_like(condition, seed=seed, input_noise=0.0) for seed in seeds]
        yield f"{label}, no noise on the input", "map", mean(quiet, FREE), ""


def errors_and_coverage(section, seeds, voxels):
    """Two tables: errors as they are found, and how often the intervals hold the truth."""
    section.say("", ERRORS)
    covered, row = [], section.table(["object", "method", *HEAD, "s", "wanted"])
    for label, method, figures, wanted in studies(seeds, voxels):
        row(label, method, *cells(figures), f"{figures['seconds']:.1f}", wanted)
        if not method.startswith("nlls"):
            covered.append((label, method, *(covers(figures, group) for group in GROUPS)))
    section.say("", f"How often the 68 % and 95 % intervals hold the truth, in per cent, {EACH}:")
    row = section.table(["object", "method", *GROUPS.values()])
    for line in covered:
        row(*line)


def territories(section, seeds, voxels):
    """A fifth of the voxels at a third of the flow: what becomes of their median."""
    section.say(
        "",
        "A fifth of the voxels at a third of the flow: bias of their median flow, median of their errors (wanted: 10 %):",
    )
    row = section.table(["seed", "twin's clock and noise, delay known", "patient-like stress, delay fitted"])
    for seed in seeds:
        mixed = objects.two_kinds(seed=seed, voxels=voxels)
        stress = patient_like(Patient.STRESS, seed=seed)
        row(
            seed,
            bias(fit(mixed.curves, mixed.aif, FIXED), mixed.truth, objects.sick_fifth(voxels)),
            bias(fit(stress.curves, stress.aif, FREE), stress.truth, ischaemic(stress.truth, Patient.STRESS)),
        )


def bias(result, truth, sick):
    """Bias of the sick voxels' median flow and the median of their relative errors, in words."""
    found, true = result.parameters.F_p[sick], truth.F_p[sick]
    off = np.median(found) / np.median(true) - 1, np.median(found / true) - 1
    return ", ".join(f"{percent(value):+.1f} %" for value in off)


def growth(section, methods, *, largest):
    """Seconds and memory of methods against the number of curves of 100 frames, deviations included."""
    section.say("Cost of the twin's curves (100 frames, delay fixed; wanted: 4800 in 5 s and under 1 GiB):")
    row = section.table(["method", "curves", "s", "s of processor", "memory at most so far, GiB"])
    for settings in methods:
        for voxels in [size for size in SIZES if size <= largest]:
            reference = objects.twin(seed=1, voxels=voxels)
            result, seconds = timed(reference.curves, reference.aif, settings)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            row(settings.method.value, voxels, f"{result.seconds:.1f}", f"{seconds:.1f}", f"{memory:.2f}")


def main():
    """Print every figure, and write them where asked to."""
    own = parser(__doc__)
    own.add_argument("--seeds", type=int, nargs="+", default=list(HELD_OUT))
    own.add_argument("--voxels", type=int, default=4800, help="of the twin")
    own.add_argument("--largest", type=int, default=20_000, help="number of curves where cost is measured")
    given = own.parse_args()
    size = f"Twin: {given.voxels} voxels, delay known; patient-like: 1500, delay fitted"
    section = Section("prior", f"Mean of the seeds {' '.join(map(str, given.seeds))}. {size}.")
    growth(section, [FIXED], largest=given.largest)
    errors_and_coverage(section, given.seeds, given.voxels)
    territories(section, given.seeds, given.voxels)
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
