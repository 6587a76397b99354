"""The comparison of methods as Markdown, and its place in docs/validation.md: between two markers, all else stays."""

from __future__ import annotations

import numpy as np
from contest import CASES
from judging import NAMES, pair
from page import DOCUMENT, machine, markers, table, write_between

from MyoPINNLib.quantities import percent

SECTION = "methods"
PICTURES = {
    "figures/methods-flow.png": "Errors of plasma flow by object and method",
    "figures/methods-growth.png": "Processor time and memory by number of curves",
}
OSIPI = "osipi"
LARGE = (1000, 10_000)


def number(value, digits=3):
    """A figure with a sensible number of digits; runaways as a power."""
    return "–" if not np.isfinite(value) else f"{value:.{digits}f}" if abs(value) < 100 else f"{value:.0e}"


def summary_lines(figures, labels, there, agreed, run):
    """Whose F_p is least biased: bias and median size of its error, by object."""
    names = [name for name in CASES if any(key[0] == name for key in figures)]
    lines = [
        f"*{machine()}. {run}.*",
        "",
        "Bias of F_p (median of the relative error), and the median of its size:",
        "",
    ]
    rows = []
    for label in labels:
        cells = [figures.get((name, label)) for name in names]
        rows.append([label, *(_bias(cell) for cell in cells)])
    lines += table(["method", *names], rows)
    lines += [f"- `{name}`: {CASES[name].label}." for name in names]
    return [*lines, "", "Peers:", "", *_about_peers(there, agreed), ""]


def _bias(cell):
    if not isinstance(cell, dict):
        return cell or ""
    return f"{percent(cell['bias']):+.0f} %, {percent(cell['median']):.0f} %"


def _about_peers(there, agreed):
    lines = [
        f"- {name} {package['version']} fits the same curves by its own 2CXM and without a model; `peers.py` says how."
        for name, package in there.items()
        if name != OSIPI
    ]
    if OSIPI in there:
        models = there[OSIPI]["models"]
        what = (
            f"functions that this table does not know: {', '.join(models)}"
            if models
            else ("population input functions only, no tissue model, so there is nothing to fit")
        )
        lines.append(f"- {OSIPI} {there[OSIPI]['version']} has {what}.")
    curves, inputs = agreed
    lines += [
        f"- The population input of Parker et al. of {name} and ours: within {far:.1e} of its highest value."
        for name, far in inputs.items()
    ]
    for name, (same, cubic) in curves.items():
        lines.append(
            f"- Exact 2CXM curves of dcmri and ours, `{name}`: within {same:.1e} of the highest value where both take the input as linear "
            f"between samples, within {cubic:.1e} where ours is the monotone cubic that our methods take."
        )
    return lines or ["- The peers were not installed (no registry within reach?)."]


def table_lines(figures, labels):
    """One table an object: cost, errors of F_p, NMSE of each parameter and, of maps, SSIM with the truth's range."""
    lines = []
    head = ["method", "s for 1 000 curves", "peak memory, MiB", "F_p: median error", "P90", "bias", "off by > 100 %"]
    head += [f"NMSE {name}" for name in NAMES] + ["SSIM of each", "marked not valid"]
    for name, case in CASES.items():
        there = [(label, figures[name, label]) for label in labels if (name, label) in figures]
        if there:
            title = f"{case.label[0].upper()}{case.label[1:]}"
            lines += [f"**{title}** (`{name}`)", "", *table(head, [_row(*entry) for entry in there])]
    return lines


def _row(label, figures):
    if isinstance(figures, str):
        return [label, figures, *[""] * 11]
    errors = [
        f"{percent(figures['median']):.1f} %",
        f"{percent(figures['p90']):.0f} %",
        f"{percent(figures['bias']):+.1f} %",
    ]
    scores = [number(figures.get(f"NMSE {name}", np.nan)) for name in NAMES]
    marked = "–" if np.isnan(figures["marked"]) else f"{percent(figures['marked']):.0f} %"
    off = f"{percent(figures['share_off']):.1f} %"
    alike = " / ".join(number(figures[f"SSIM {name}"], 2) for name in NAMES if f"SSIM {name}" in figures)
    return [label, number(figures["seconds"], 2), f"{figures['peak']:.0f}", *errors, off, *scores, alike, marked]


def coverage_lines(figures, labels):
    """How often the intervals hold the truth, of the methods that give an SD."""
    rows = []
    for name in CASES:
        for label in labels:
            found = figures.get((name, label))
            if isinstance(found, dict) and "cover F_p" in found:
                shares = [found.get(f"cover {parameter}") for parameter in NAMES]
                rows.append([name, label, *(pair(each) if each else "" for each in shares)])
    if not rows:
        return []
    lines = ["**How often the 68 % and 95 % intervals hold the truth**, per cent of all curves, marked or not", ""]
    return lines + table(["object", "method", *NAMES], rows)


def model_error_lines(errors):
    """The bias that the tissue model alone makes, beside the residual that could betray it."""
    lines = ["**Without noise, at stress: what the wrong model alone does**", ""]
    head = [
        "tissue",
        "delay",
        "method",
        *(f"bias of {name}" for name in NAMES),
        "delay too late",
        "residual, of the peak",
    ]
    rows = [
        [
            *key,
            *(f"{percent(f[n]):+.1f} %" if n in f else "–" for n in NAMES),
            _later(f),
            f"{percent(f['residual']):.2f} %",
        ]
        for key, f in errors.items()
    ]
    return lines + table(head, rows)


def _later(figures):
    return f"{figures['later']:+.2f} s" if "later" in figures else "–"


def slope(sizes, costs):
    """Power of the growth: slope of a straight line through log cost against log size."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def growth_lines(grown):
    """How cost grows with the number of curves (the twin, 100 frames)."""
    if not grown:
        return []
    lines = ["**How cost grows** (the twin, 100 frames, delay fixed, one thread)", ""]
    rows = [
        [
            method,
            str(size),
            number(f["seconds"], 1),
            number(1000 * f["seconds"] / size, 2),
            f"{f['peak']:.0f}",
            f"{percent(f['marked']):.0f} %",
        ]
        for (method, size), f in grown.items()
    ]
    lines += table(["method", "curves", "processor s", "s for 1 000", "peak memory, MiB", "marked"], rows)
    for method in dict.fromkeys(method for method, _ in grown):
        sizes = sorted(size for name, size in grown if name == method)
        for least in (0, *LARGE):
            label = f"from {least} curves on" if least else "all sizes"
            some = [size for size in sizes if size >= least]
            if len(some) > 1:
                power = slope(some, [grown[method, size]["seconds"] for size in some])
                lines.append(f"- {method}, {label}: time grows with the number of curves to the power {power:.2f}.")
    return [*lines, ""]


def write_into(lines, document=DOCUMENT):
    """Put ``lines`` and the pictures between the document's markers. Raises ValueError where a marker is missing."""
    pictures = [f"![{words}]({path})" for path, words in PICTURES.items()]
    write_between(*markers(SECTION), [*lines, *pictures], document)
