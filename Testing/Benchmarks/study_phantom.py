"""A three-slice stress study of 1 500 voxels by `combined`, 2 500 steps from an NLLS start: time, and MBF of the segments.

make reproduce     runs this too; alone: python Testing/Benchmarks/study_phantom.py [--seed N] [--steps N]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from MyoPINNLib.network_settings import NetworkSettings, Shift, Start
from MyoPINNLib.pipeline import quantify
from MyoPINNLib.quantities import shown
from MyoPINNLib.settings import AHASettings, FitSettings, Method, Settings
from MyoPINNLib.simulate.chest import Grid
from MyoPINNLib.simulate.phantom import Preset, make_phantom
from MyoPINNLib.simulate.recipes import recipe

GRID = Grid(size=120, pixel=1.6)
LIMIT = 0.1


def study(label, phantom, fit):
    """Quantify, and print the time, every segment's MBF beside the truth, and the voxels' errors."""
    settings = Settings(fit=fit, aha=AHASettings(insertion_lps=tuple(phantom.insertion_lps)))
    begun = time.perf_counter()
    analysis = quantify(phantom.series, phantom.masks, settings)
    seconds, truth, valid = time.perf_counter() - begun, phantom.truth["MBF"], analysis.maps.valid
    found = np.array([row.mean_curve["MBF"] for row in analysis.segment_table])
    true = np.array([truth[analysis.segments.label == row.segment].mean() for row in analysis.segment_table])
    medians = np.array([row.statistics["MBF"].median for row in analysis.segment_table], dtype=float)
    off, voxel = found / true - 1, analysis.maps.values["MBF"][valid] / truth[valid] - 1
    print(f"{label}: {seconds:.0f} s for {len(analysis.result.outcome)} voxels, {valid.sum()} valid")
    for name, values in (("true", true), ("mean curve", found), ("voxels' median", medians)):
        print(f"  {name:15s}" + " ".join(f"{shown('MBF', value):5.2f}" for value in values))
    print(
        f"  mean curves: {(np.abs(off) <= LIMIT).sum()} of {off.size} within {LIMIT:.0%}, worst {off[np.abs(off).argmax()]:+.1%}, "
        f"mean {off.mean():+.1%}; voxels: median {np.median(voxel):+.1%}, of its size {np.median(np.abs(voxel)):.1%}, "
        f"off by > 100 % {np.mean(np.abs(voxel) > 1):.1%}",
        flush=True,
    )


def main():
    """The same study by NLLS, with a learnt prior, and by the network without and with NLLS's delays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--steps", type=int, default=2500)
    options = parser.parse_args()
    phantom = make_phantom(replace(recipe(Preset.STRESS), grid=GRID), seed=options.seed)
    network = NetworkSettings(steps=options.steps, start=Start.NLLS)
    combined = FitSettings(method=Method.COMBINED, network=network)
    shifted = replace(combined, network=replace(network, shift=Shift.PRESHIFT))
    study("nlls, delay fitted", phantom, FitSettings(method=Method.NLLS))
    study("map, delay fitted", phantom, FitSettings(method=Method.MAP))
    study(f"combined, {options.steps} steps, no delay", phantom, combined)
    study(f"combined, {options.steps} steps, delays of NLLS", phantom, shifted)


if __name__ == "__main__":
    main()
