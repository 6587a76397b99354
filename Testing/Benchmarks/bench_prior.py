"""The learnt prior on objects of known truth: errors, NMSE, coverage of the intervals, time, growth and memory.

"limit" is what the same samples give under the prior that made the object: no method can do better.
make bench runs this; alone: python Testing/Benchmarks/bench_prior.py [--seeds 1 2 3] [--voxels 4800]
"""

from __future__ import annotations

import argparse
import resource
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np

from MyoPINNLib.quantities import inside, percent
from MyoPINNLib.settings import Delay, FitSettings, Input, Method
from MyoPINNLib.simulate import metrics, objects
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
NAMES = ("F_p", "v_p", "v_e", "PS")
HELD_OUT = (301, 302, 303, 304, 305)
STEEP = 100.0


class Box:
    """The twin's own prior: log-uniform within its ranges (a steep wall around them)."""

    def log_density(self, x):
        """ln p (...) at x (..., 4), up to a constant."""
        flows, exchanges = inside("F_p", np.array(objects.FLOWS)), inside("PS", np.array(objects.EXCHANGES))
        ranges = (flows, objects.PLASMA_VOLUMES, objects.INTERSTITIAL_VOLUMES, exchanges)
        low, high = np.log([(min(r), max(r)) for r in ranges]).T
        return -STEEP * np.maximum(np.maximum(low - x, x - high), 0).sum(axis=-1)


class Heart:
    """The patient-like object's own prior."""

    def __init__(self, condition):
        self.condition = condition

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


def coverage(result, truth, where):
    """By parameter, the shares of voxels whose 68 % and 95 % intervals in the logarithm hold the truth."""
    shares = {}
    for name in NAMES:
        value, sd, true = (getattr(part, name)[where] for part in (result.parameters, result.sd, truth))
        off = np.abs(np.log(value / true)) / (sd / value)
        shares[name] = (off < 1).mean(), (off < 1.96).mean()
    return shares


def judged(result, reference):
    """All figures of one fit, by name."""
    truth = reference.truth
    errors, scores = metrics.error_summary(result.parameters, truth), metrics.nmse(result.parameters, truth)
    lowest = {
        "all": np.ones(len(truth.F_p), dtype=bool),
        "lowest fifth by truth": truth.F_p <= np.quantile(truth.F_p, 0.2),
        "lowest fifth by estimate": result.parameters.F_p <= np.quantile(result.parameters.F_p, 0.2),
    }
    figures = {f"median {name}": errors[name]["median"] for name in NAMES}
    figures |= {f"NMSE {name}": scores[name] for name in (*NAMES, "all")}
    figures |= {key: errors["F_p"][key] for key in ("p90", "bias", "share_off")}
    for group, where in lowest.items():
        for name, shares in coverage(result, truth, where).items():
            figures |= {f"{group} {name} {level}": share for level, share in zip((68, 95), shares, strict=True)}
    return figures | {"invalid": (~result.valid).mean(), "seconds": result.seconds}


def mean_of(found):
    """The mean of several fits' figures."""
    return {key: float(np.mean([figures[key] for figures in found])) for key in found[0]}


def show(label, figures, *, wanted=""):
    """One object's figures in a few lines."""
    medians = " / ".join(f"{percent(figures[f'median {name}']):.1f}" for name in NAMES)
    scores = " / ".join(f"{figures[f'NMSE {name}']:.3f}" for name in NAMES)
    print(f"{label}: median |error| F_p / v_p / v_e / PS {medians} %  P90 F_p {figures['p90']:.0%}")
    print(
        f"  bias F_p {figures['bias']:+.1%}  >100 % {figures['share_off']:.2%}  NMSE {scores}, all {figures['NMSE all']:.4f}"
        f"  invalid {figures['invalid']:.1%}  {figures['seconds']:.1f} s  {wanted}"
    )
    for group in ("all", "lowest fifth by truth", "lowest fifth by estimate"):
        each = "  ".join(
            f"{name} {percent(figures[f'{group} {name} 68']):.0f}/{percent(figures[f'{group} {name} 95']):.0f}"
            for name in NAMES
        )
        print(f"  68/95 % intervals cover, {group}: {each}", flush=True)


def rows(label, make, settings, seeds, truth_prior, *, wanted=""):
    """The mean over ``seeds`` of the solver, of NLLS, and of the limit at the first seed."""
    references = [make(seed=seed) for seed in seeds]
    show(label, mean_of([judged(fit(r.curves, r.aif, settings), r) for r in references]), wanted=wanted)
    with weighed_with(truth_prior):
        limit = mean_of([judged(fit(r.curves, r.aif, settings), r) for r in references])
    show(f"{label}, limit", limit)
    first = references[0]
    nlls = fit(first.curves, first.aif, replace(settings, method=Method.NLLS))
    errors = metrics.error_summary(nlls.parameters, first.truth)
    medians = [percent(errors[name]["median"]) for name in NAMES]
    print(f"{label}, nlls: median |error| {' / '.join(f'{median:.1f}' for median in medians)} %\n")


def territories(seeds, voxels):
    """A fifth of the voxels at a third of the flow: what becomes of their median."""
    for seed in seeds:
        mixed = objects.two_kinds(seed=seed, voxels=voxels)
        result = fit(mixed.curves, mixed.aif, FIXED)
        say_bias(f"twin with a sick fifth, seed {seed}", result, mixed.truth, objects.sick_fifth(voxels))
        stress = patient_like(Patient.STRESS, seed=seed)
        result = fit(stress.curves, stress.aif, FREE)
        say_bias(f"stress, seed {seed}", result, stress.truth, ischaemic(stress.truth, Patient.STRESS))


def say_bias(label, result, truth, sick):
    """Bias of the sick voxels' median flow, and the median of their relative errors."""
    found, true = result.parameters.F_p[sick], truth.F_p[sick]
    print(
        f"{label}: median flow {np.median(found) / np.median(true) - 1:+.1%}, median of the errors {np.median(found / true) - 1:+.1%}  wanted 10 %",
        flush=True,
    )


def growth(settings, *, largest=20_000):
    """Seconds and memory of a method against the number of curves of 100 frames, deviations included."""
    for voxels in [size for size in (1000, 4800, 20_000) if size <= largest]:
        reference = objects.twin(seed=1, voxels=voxels)
        begun = time.process_time()
        result = fit(reference.curves, reference.aif, settings)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{voxels} curves, {settings.method.value}: {result.seconds:.1f} s ({time.process_time() - begun:.1f} s of processor), "
            f"{memory:.2f} GiB at most so far  wanted 4800 in 5 s, under 1 GiB",
            flush=True,
        )


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(HELD_OUT))
    parser.add_argument("--voxels", type=int, default=4800)
    arguments = parser.parse_args()
    seeds, size = arguments.seeds, {"voxels": arguments.voxels}
    growth(FIXED)
    for noise, wanted in (
        (objects.Noise.PAPER, "wanted 7.5 / 29 / 8.5 / 9.2 %, NMSE all 0.030"),
        (objects.Noise.PEAK_SNR_17_5, "wanted F_p 11.2 %, none off by > 100 %"),
    ):
        rows(
            f"twin, noise {noise.value}", partial(objects.twin, noise=noise, **size), FIXED, seeds, Box(), wanted=wanted
        )
    for condition, wanted in ((Patient.STRESS, "wanted 8 %, bias 2.5 %"), (Patient.REST, "wanted 6.2 %, bias 2 %")):
        label = f"patient-like, {condition.name.lower()}"
        rows(label, partial(patient_like, condition), FREE, seeds, Heart(condition), wanted=wanted)
        noisy = [patient_like(condition, seed=seed) for seed in seeds]
        show(f"{label}, input fitted jointly", mean_of([judged(fit(r.curves, r.aif, JOINT), r) for r in noisy]))
        quiet = [patient_like(condition, seed=seed, input_noise=0.0) for seed in seeds]
        show(f"{label}, no noise on the input", mean_of([judged(fit(r.curves, r.aif, FREE), r) for r in quiet]))
    territories(seeds, arguments.voxels)


if __name__ == "__main__":
    main()
