"""NLLS and Fermi on the reference objects: errors against truth, run to the default stop and to the bottom.

make bench runs this; alone: python Testing/Benchmarks/bench_objects.py [--seeds 5] [--write]
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from page import Section, parser
from paper_object import paper_object, rectangle, slices

from MyoPINNLib.events import silent
from MyoPINNLib.quantities import inside, percent
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate import metrics, objects
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.nlls import fit_nlls

FIXED = FitSettings(method=Method.NLLS, delay=Delay.FIXED)
BOTTOM = {"tolerance": 1e-7, "max_iterations": 1000}
LIMIT_5 = (inside("F_p", 0.005), inside("F_p", 5.0))
NAMES = ("F_p", "v_p", "v_e", "PS")
EACH = " / ".join(NAMES)
HEAD = (f"error {EACH}", "P90 of F_p", "bias of F_p", "off by > 100 %", f"NMSE {EACH}", "NMSE, all", "not valid")
ERRORS = (
    "Error: the median of the relative error's size, of all voxels. P90: its 90th percentile; bias: the median with sign; "
    "off by > 100 %: the share of such voxels; all three of F_p."
)


def accuracy(result, truth):
    """Figures of one fit, by name; NaN for a parameter that the method does not give."""
    errors, scores = metrics.error_summary(result.parameters, truth), metrics.nmse(result.parameters, truth)
    figures = {f"error {name}": errors[name]["median"] if name in errors else np.nan for name in NAMES}
    figures |= {f"NMSE {name}": scores.get(name, np.nan) for name in NAMES}
    figures |= {key: errors["F_p"][key] for key in ("p90", "bias", "share_off")}
    whole = scores["all"] if set(NAMES) <= set(scores) else np.nan
    return figures | {"NMSE all": whole, "invalid": (~result.valid).mean()}


def mean_of(found):
    """The mean of several fits' figures."""
    return {key: float(np.mean([figures[key] for figures in found])) for key in found[0]}


def nmse(figures):
    """Two cells: NMSE of each parameter, and of all."""
    each, whole = [figures[f"NMSE {name}"] for name in NAMES], figures["NMSE all"]
    words = "–" if np.isnan(whole) else f"{whole:.4f}" if whole < 1 else f"{whole:.2f}"
    return " / ".join("–" if np.isnan(value) else f"{value:.3f}" for value in each), words


def shares(values):
    """A value a parameter, in per cent and words."""
    return " / ".join("–" if np.isnan(value) else f"{percent(value):.1f}" for value in values) + " %"


def cells(figures):
    """The cells under ``HEAD``."""
    return (
        shares(figures[f"error {name}"] for name in NAMES),
        f"{percent(figures['p90']):.0f} %",
        f"{percent(figures['bias']):+.1f} %",
        f"{percent(figures['share_off']):.2f} %",
        *nmse(figures),
        f"{percent(figures['invalid']):.1f} %",
    )


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
