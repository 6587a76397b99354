"""A three-slice stress study of 1 500 voxels by `combined`, 2 500 steps from an NLLS start: time, and MBF of the segments.

make reproduce     runs this too (some three minutes); alone: python Testing/Benchmarks/study_phantom.py [--seed N] [--steps N] [--write]
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from page import Section, parser

from MyoPINNLib.network_settings import NetworkSettings, Shift, Start
from MyoPINNLib.pipeline import quantify
from MyoPINNLib.quantities import percent, shown
from MyoPINNLib.settings import AHASettings, FitSettings, Method, Settings
from MyoPINNLib.simulate.chest import Grid
from MyoPINNLib.simulate.phantom import Preset, make_phantom
from MyoPINNLib.simulate.recipes import recipe

GRID = Grid(size=120, pixel=1.6)
LIMIT = 0.1


def study(say, label, phantom, fit):
    """Quantify, tell the time and the errors; MBF by segment, mL/min/g: true, of the mean curves, and the voxels' median."""
    settings = Settings(fit=fit, aha=AHASettings(insertion_lps=tuple(phantom.insertion_lps)))
    begun = time.perf_counter()
    analysis = quantify(phantom.series, phantom.masks, settings)
    seconds, truth, valid = time.perf_counter() - begun, phantom.truth["MBF"], analysis.maps.valid
    found = np.array([row.mean_curve["MBF"] for row in analysis.segment_table])
    true = np.array([truth[analysis.segments.label == row.segment].mean() for row in analysis.segment_table])
    medians = np.array([row.statistics["MBF"].median for row in analysis.segment_table], dtype=float)
    off, voxel = found / true - 1, analysis.maps.values["MBF"][valid] / truth[valid] - 1
    within = f"{(np.abs(off) <= LIMIT).sum()} of {off.size}"
    sizes = percent(np.median(np.abs(voxel))), percent(np.mean(np.abs(voxel) > 1))
    say(
        label, f"{seconds:.0f}", f"{valid.sum()} of {len(analysis.result.outcome)}",
        within, signed(off[np.abs(off).argmax()]), signed(off.mean()),
        signed(np.median(voxel)), *(f"{size:.1f} %" for size in sizes),
    )  # fmt: skip
    return shown("MBF", np.array([true, found, medians]))


def signed(share):
    """A share in per cent with its sign."""
    return f"{percent(share):+.1f} %"


def main():
    """The same study by NLLS, with a learnt prior, and by the network without and with NLLS's delays."""
    options = parser(__doc__)
    options.add_argument("--seed", type=int, default=31)
    options.add_argument("--steps", type=int, default=2500)
    given = options.parse_args()
    phantom = make_phantom(replace(recipe(Preset.STRESS), grid=GRID), seed=given.seed)
    network = NetworkSettings(steps=given.steps, start=Start.NLLS)
    combined = FitSettings(method=Method.COMBINED, network=network)
    fits = {
        "nlls, delay fitted": FitSettings(method=Method.NLLS),
        "map, delay fitted": FitSettings(method=Method.MAP),
        "combined, no delay": combined,
        "combined, delays of nlls": replace(combined, network=replace(network, shift=Shift.PRESHIFT)),
    }
    section = Section("networks on a phantom", f"Seed {given.seed}; `combined`: {given.steps} steps from `nlls`.")
    section.say("MBF, found less true: of the segments' mean curves, then of the valid voxels.")
    columns = [f"segments within {percent(LIMIT):.0f} %", "worst", "mean"]
    say = section.table(["method", "s", "valid", *columns, "voxels: median", "of its size", "> 100 %"])
    flows = {label: study(say, label, phantom, fit) for label, fit in fits.items()}
    by_segment(section, flows)
    if given.write:
        section.write()


def by_segment(section, flows):
    """MBF of every segment beside the truth, a column a method."""
    section.say("", "MBF by segment, mL/min/g: of its mean curve, and the median of its voxels:")
    row = section.table(["segment", "true", *flows])
    for n, true in enumerate(next(iter(flows.values()))[0]):
        row(n + 1, f"{true:.2f}", *(f"{found[n]:.2f}, {medians[n]:.2f}" for _, found, medians in flows.values()))


if __name__ == "__main__":
    main()
