"""How sure the means of AHA segments are: voxels' means and mean curves' fits against the truth of phantoms, by method map.

make bench runs this; alone: python Testing/Benchmarks/bench_segments.py [--first 601] [--seeds 6]
"""

from __future__ import annotations

import argparse

import numpy as np

from MyoPINNLib.pipeline import quantify
from MyoPINNLib.settings import AHASettings, FitSettings, Method, Settings
from MyoPINNLib.simulate.phantom import Preset, make_phantom

QUANTITIES = ("MBF", "v_p", "v_e", "PS")


def segments(preset, seed):
    """(quantity, segment, 5): true mean of a segment's valid voxels, the voxels' mean and its SD, the mean curve's fit and its SD."""
    phantom = make_phantom(preset, seed=seed)
    settings = Settings(fit=FitSettings(method=Method.MAP), aha=AHASettings(insertion_lps=tuple(phantom.insertion_lps)))
    analysis, table = quantify(phantom.series, phantom.masks, settings), []
    for name in QUANTITIES:
        for row in analysis.segment_table:
            here = analysis.segments.voxels_in(row.segment) & analysis.maps.valid
            by_voxel = (row.statistics[name].mean, row.mean_sd[name])
            table.append((phantom.truth[name][here].mean(), *by_voxel, row.mean_curve[name], row.mean_curve_sd[name]))
    return np.array(table).reshape(len(QUANTITIES), -1, 5)


def within(off, sd):
    """How many lie within 1 and 1.96 SD, as text."""
    return " and ".join(f"{np.mean(np.abs(off) < times * sd):.0%}" for times in (1.0, 1.96))


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=601)
    parser.add_argument("--seeds", type=int, default=6)
    given = parser.parse_args()
    for preset in (Preset.STRESS, Preset.REST, Preset.NOISY):
        found = np.stack([segments(preset, given.first + i) for i in range(given.seeds)])
        for j, name in enumerate(QUANTITIES):
            true, mean, sd, curve, curve_sd = np.moveaxis(found[:, j], -1, 0)
            off, of_study = mean / true - 1, (mean / true - 1).mean(axis=1)
            print(
                f"{preset.value}, {name}: voxels' means within 1 and 1.96 SD {within(mean - true, sd)}, SD said {np.mean(sd / mean):.1%}, error "
                f"{np.sqrt((off**2).mean()):.1%}, mean {off.mean():+.1%}, of the studies' means {of_study.std(ddof=1):.1%}; mean curves "
                f"{within(np.log(curve / true), curve_sd / curve)}, mean {np.mean(curve / true - 1):+.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
