"""NLLS and Fermi on the reference objects: errors against truth, run to the default stop and to the bottom.

make bench runs this; alone: python Testing/Benchmarks/bench_objects.py [--seeds 5] [--write]
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from judging import ERRORS, HEAD, NAMES, accuracy, cells, mean_of
from page import Section, parser
from paper_object import LIMIT_5, paper_object, rectangle, slices

from MyoPINNLib.events import silent
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate import metrics, objects
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.nlls import fit_nlls

FIXED = FitSettings(method=Method.NLLS, delay=Delay.FIXED)
BOTTOM = {"tolerance": 1e-7, "max_iterations": 1000}


def told(row, label, reference, result):
    """The row of one fit; answers its figures."""
    cost = result.seconds / len(reference.curves) * 1e3
    figures = accuracy(result, reference.truth) | {"ms": cost}
    row(label, *cells(figures), f"{cost:.2f}")
    return figures


def twin_rows(row, seeds):
    """The continuous twin: the mean over seeds is what is wanted; the last of them is fitted otherwise too."""
    found = []
    for seed in seeds:
        reference = objects.twin(seed=seed)
        result = fit(reference.curves, reference.aif, FIXED)
        found.append(told(row, f"twin, paper's noise, nlls, seed {seed}", reference, result))
    mean = mean_of(found)
    row("**mean of the seeds**", *cells(mean), f"{mean['ms']:.2f}")
    for label, settings in (
        ("to the bottom", replace(FIXED, **BOTTOM)),
        ("delay fitted", FitSettings(method=Method.NLLS)),
        ("fermi", replace(FIXED, method=Method.FERMI)),
    ):
        told(row, f"seed {seeds[-1]}, {label}", reference, fit(reference.curves, reference.aif, settings))


def paper_rows(row):
    """The paper's own object with its own forward model, flows bounded at 5 mL/min/mL; answers NMSE as its Table 1 takes it."""
    reference, by_slice = paper_object(seed=1), {}
    bounded = replace(FIXED, F_p_range=LIMIT_5, PS_range=LIMIT_5)
    solve = partial(fit_nlls, convolution=rectangle)
    for stop, settings in (("default stop", bounded), ("to the bottom", replace(bounded, **BOTTOM))):
        result = solve(reference.curves, reference.aif, settings, silent)
        told(row, f"paper's object, its forward model, {stop}", reference, result)
        by_slice[stop] = metrics.nmse(result.parameters, reference.truth, group=slices(reference))
    return by_slice


def main():
    """Print every row, and write them where asked to."""
    own = parser(__doc__)
    own.add_argument("--seeds", type=int, default=5)
    given = own.parse_args()
    section = Section(
        "objects",
        "Delay fixed at 0 and seed 1 where nothing else stands; F_p and PS of the paper's object at most 5 mL/min/mL.",
    )
    section.say(f"{ERRORS} Wanted of the seeds' mean: F_p 11.5 %, v_e 11.5 % and PS 13.5 % at most.")
    row = section.table(["object", *HEAD, "ms a curve"])
    twin_rows(row, range(1, given.seeds + 1))
    for label, reference in (
        ("twin, peak SNR 17.5, nlls", objects.twin(seed=1, noise=objects.Noise.PEAK_SNR_17_5)),
        ("twin, no noise, nlls", objects.twin(seed=1, noise=objects.Noise.NONE)),
        ("exact grid, paper's noise, nlls", objects.exact_grid(seed=1)),
    ):
        told(row, label, reference, fit(reference.curves, reference.aif, FIXED))
    by_slice = paper_rows(row)
    section.say(
        "", "NMSE of the paper's object, the mean of its three slices as in the paper's Table 1 (wanted: all 0.13):"
    )
    row = section.table(["stop", *NAMES, "all"])
    for stop, scores in by_slice.items():
        row(stop, *(f"{scores[name]:.3f}" for name in (*NAMES, "all")))
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
