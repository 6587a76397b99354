"""The comparison of methods as Markdown, and its place in docs/validation.md: between two markers, all else stays."""

from __future__ import annotations

import argparse
import os
import platform
from datetime import date
from pathlib import Path

import numpy as np
import scipy
from contest import CASES, ROOT

from MyoPINNLib import __version__
from MyoPINNLib.quantities import percent

DOCUMENT = ROOT / "docs" / "validation.md"
PARAMETERS = ("F_p", "v_p", "v_e", "PS")
BEGIN, END = "<!-- methods: written by bench_methods.py, do not edit -->", "<!-- methods: end -->"
PICTURES = {
    "figures/methods-flow.png": "Errors of plasma flow by object and method",
    "figures/methods-growth.png": "Processor time and memory by number of curves",
}
OSIPI = "osipi"
LARGE = (1000, 10_000)


def machine():
    """Date, version and machine of a run, in one line."""
    info = Path("/proc/cpuinfo")
    names = (
        [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if (info.exists())
        else []
    )
    name = names[0] if names else platform.processor() or platform.machine()
    return (
        f"{date.today().isoformat()}, MyoPINN {__version__}, {os.cpu_count()} cores of {name}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    )


def table(head, rows):
    """A Markdown table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)] + [""]


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
    for name, (same, cubic) in agreed.items():
        lines.append(
            f"- Exact 2CXM curves of dcmri and ours, `{name}`: within {same:.1e} of the highest value where both take the input as linear "
            f"between samples, within {cubic:.1e} where ours is the monotone cubic that our methods take."
        )
    return lines or ["- The peers were not installed (no registry within reach?)."]


def table_lines(figures, labels):
    """One table an object: cost, errors of F_p, NMSE of each parameter."""
    lines = []
    head = ["method", "s for 1 000 curves", "peak memory, MiB", "F_p: median error", "P90", "bias", "off by > 100 %"]
    head += [f"NMSE {name}" for name in PARAMETERS] + ["marked not valid"]
    for name, case in CASES.items():
        there = [(label, figures[name, label]) for label in labels if (name, label) in figures]
        if there:
            title = f"{case.label[0].upper()}{case.label[1:]}"
            lines += [f"**{title}** (`{name}`)", "", *table(head, [_row(*entry) for entry in there])]
    return lines


def _row(label, figures):
    if isinstance(figures, str):
        return [label, figures, *[""] * 10]
    errors = [
        f"{percent(figures['median']):.1f} %",
        f"{percent(figures['p90']):.0f} %",
        f"{percent(figures['bias']):+.1f} %",
    ]
    scores = [number(figures.get(f"NMSE {name}", np.nan)) for name in PARAMETERS]
    marked = "–" if np.isnan(figures["marked"]) else f"{percent(figures['marked']):.0f} %"
    off = f"{percent(figures['share_off']):.1f} %"
    return [label, number(figures["seconds"], 2), f"{figures['peak']:.0f}", *errors, off, *scores, marked]


def model_error_lines(errors):
    """The bias that the tissue model alone makes, beside the residual that could betray it."""
    lines = ["**Without noise, at stress: what the wrong model alone does**", ""]
    head = [
        "tissue",
        "delay",
        "method",
        *(f"bias of {name}" for name in PARAMETERS),
        "delay too late",
        "residual, of the peak",
    ]
    rows = [
        [
            *key,
            *(f"{percent(f[n]):+.1f} %" if n in f else "–" for n in PARAMETERS),
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
    write_between(BEGIN, END, [*lines, *pictures], document)


def asked(words, *, seed=None):
    """The options of a study that prints and, with --write, puts what it printed and its picture into the document."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    if seed is not None:
        parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--write", action="store_true", help="write docs/validation.md and its picture")
    return parser.parse_args()


def write_between(begin, end, lines, document=DOCUMENT):
    """Put ``lines`` between two markers of the document. Raises ValueError where one of them is not there once."""
    text = document.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{document.name} lacks its markers '{begin}' and '{end}'.")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    document.write_text("\n".join([before + begin, *lines, end + after]), encoding="utf-8")
