"""The paper's networks trained as it prints them (25 000 steps from a random start), on the objects of known truth of the comparison of methods.

    make reproduce     some hours; alone:
    python Testing/Benchmarks/study_printed.py [--minutes 60] [--seed 301] [--only twin stress] [--write]     (3 to 15 minutes a run)

The same curves as in bench_methods.py, so that its rows stand beside these. Every run is kept in build/reproduce and not done again; what was
not run yet has no row. Where delays are unknown, the networks see the input shifted by those that NLLS finds.
"""

from __future__ import annotations

import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np
from bench_methods import CURVES, turn
from contest import CASES, PRINTED_STEPS, drawn, printed
from judging import NAMES
from keep import dates, load, place
from method_tables import number
from page import Section, parser

from MyoPINNLib.quantities import percent, seconds_from_minutes

FIRST = (
    "twin",
    "stress",
    "rest",
    "exact",
    "twin-noisy",
    "exact-noisy",
    "distributed",
    "dispersed",
    "smooth",
    "paper",
    "smooth-noisy",
)
HEAD = (
    "method",
    "F_p: median error",
    "P90",
    "bias",
    "off by > 100 %",
    f"NMSE {' / '.join(NAMES)}",
    "SSIM of each",
    "processor s",
)


def kept(entrant, name, seed):
    """Where a run is kept."""
    return place("methods", name, seed, entrant.label, CURVES)


def runs(names, seed, end):
    """Do what is not there yet, beginning none after ``end`` (time.monotonic)."""
    with tempfile.TemporaryDirectory() as folder:
        for entrant, name in product(printed(), names):
            path = kept(entrant, name, seed)
            if name not in entrant.cases or path.is_file() or time.monotonic() > end:
                continue
            given, truth = drawn(CASES[name], seed=seed, curves=CURVES)
            source = Path(folder, f"{name}.npz")
            np.savez(source, **given)
            turn(entrant, name, seed, source, truth, folder, path)


def row(label, figures, curves):
    """A run in cells under ``HEAD``; ``curves``: how many there are."""
    nmse = " / ".join(number(figures[f"NMSE {name}"]) if f"NMSE {name}" in figures else "–" for name in NAMES)
    alike = " / ".join(number(figures[f"SSIM {name}"], 2) for name in NAMES if f"SSIM {name}" in figures)
    off = (
        f"{percent(figures['p90']):.0f} %",
        f"{percent(figures['bias']):+.1f} %",
        f"{percent(figures['share_off']):.1f} %",
    )
    return label, f"{percent(figures['median']):.1f} %", *off, nmse, alike, f"{figures['seconds'] * curves / 1000:.0f}"


def tell(section, seed):
    """A table an object, of the runs that are there; below it what is missing."""
    missing = {}
    for name, case in CASES.items():
        takes_part = [entrant for entrant in printed() if name in entrant.cases]
        found = {entrant.label: load(kept(entrant, name, seed)) for entrant in takes_part}
        for label in (label for label, figures in found.items() if not figures):
            missing.setdefault(label.split(",")[0], []).append(name)
        there = {label: figures for label, figures in found.items() if figures}
        if there:
            curves = len(drawn(case, seed=seed, curves=CURVES)[1].F_p)
            section.say("", f"**{case.label[0].upper()}{case.label[1:]}** (`{name}`), {curves} curves")
            say = section.table(HEAD)
            for label, figures in there.items():
                say(*row(label.split(",")[0], figures, curves))
    for method, names in missing.items():
        section.say("", f"`{method}` was not run yet on {', '.join(names)}.")


def main():
    """Do what is not done yet, for as long as is given; print the tables."""
    own = parser(__doc__)
    own.add_argument("--minutes", type=float, default=np.inf, help="begin no run after these")
    own.add_argument("--seed", type=int, default=301)
    own.add_argument(
        "--only", nargs="+", choices=CASES, default=list(FIRST), help="objects to run; the tables hold all"
    )
    given = own.parse_args()
    runs(given.only, given.seed, time.monotonic() + seconds_from_minutes(given.minutes))
    done = [load(kept(entrant, name, given.seed)) for entrant, name in product(printed(), CASES)]
    words = (
        f"Seed {given.seed}, {PRINTED_STEPS} steps from a random start, one thread. {dates(list(filter(None, done)))}"
    )
    section = Section("methods as printed", words)
    tell(section, given.seed)
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
