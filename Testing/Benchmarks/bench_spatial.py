"""Neighbours that have a say, against none: smooth fields with a sharp border, a twin without order, and a heart's ring.

Each object by method map without and with --spatial neighbours: NMSE, their ratio, the bias of F_p within two voxels of the
border, coverage of the intervals, processor time. How sure segments' means are is in bench_segments.py.
make bench runs this; alone: python Testing/Benchmarks/bench_spatial.py [--seeds 1 2 3] [--phantoms 31] [--write]
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import numpy as np
from bench_prior import FIXED, HELD_OUT, NOISES, covers, judged, timed
from judging import EACH, NAMES, intervals, mean_of, nmse, pair, shares
from page import Section, parser
from study_phantom import GRID

from MyoPINNLib.pipeline import quantify
from MyoPINNLib.quantities import percent
from MyoPINNLib.settings import AHASettings, FitSettings, Method, Settings, Spatial
from MyoPINNLib.simulate import objects
from MyoPINNLib.simulate.phantom import Preset, make_phantom
from MyoPINNLib.simulate.recipes import recipe

HELD_OUT_PHANTOMS = (301, 302, 303)
SIDES = ("low side", "high side")


def both(reference):
    """Figures of one object without and with neighbours."""
    for spatial in Spatial:
        result, seconds = timed(reference.curves, reference.aif, replace(FIXED, spatial=spatial))
        yield judged(result, reference) | border(result, reference) | {"seconds": seconds}


def border(result, reference):
    """The median error of F_p beside the border, either side apart; NaN where there is no border."""
    if reference.shape is None:
        return dict.fromkeys(SIDES, np.nan)
    error = result.parameters.F_p / reference.truth.F_p - 1
    near, sick = objects.beside_border(reference.shape), objects.territory(reference.shape)
    return {side: np.median(error[near & here]) for side, here in zip(SIDES, (sick, ~sick), strict=True)}


def without_order(*, seed):
    """The twin, its voxels in random order on a grid."""
    reference = objects.twin(seed=seed)
    return replace(reference, curves=replace(reference.curves, voxels=np.argwhere(np.ones(objects.SMOOTH_SHAPE))))


def lowest_to_highest(values):
    """The range of some errors, in words."""
    return "–" if np.isnan(values).any() else f"{percent(min(values)):+.1f} to {percent(max(values)):+.1f} %"


def fields(section, seeds):
    """The ratio of NMSE at every seed; then the means of all figures, and the range of the bias at the border."""
    studies = {
        f"smooth twin, {words}": partial(objects.smooth_twin, noise=noise) for noise, (words, _) in NOISES.items()
    }
    section.say("NMSE of all parameters with neighbours against without, by seed (wanted at the paper's noise: 0.6):")
    row, told = section.table(["object", *seeds, "mean"]), []
    for label, make in (studies | {"twin without order": without_order}).items():
        found = [list(both(make(seed=seed))) for seed in seeds]
        ratios = [near["NMSE all"] / alone["NMSE all"] for alone, near in found]
        row(label, *(f"{ratio:.3f}" for ratio in ratios), f"**{np.mean(ratios):.2f}**")
        told += [(label, spatial.value, each) for spatial, each in zip(Spatial, zip(*found), strict=True)]
    section.say(
        "",
        "Means over the seeds. Sides: bias of F_p within two voxels of the border, lowest to highest of the seeds (wanted: 10 %). Intervals: how often "
        "those of 68 % and 95 % hold the truth, in per cent.",
    )
    head = (f"NMSE {EACH}", "NMSE, all", *SIDES, f"intervals {EACH}", "not valid", "s of processor")
    row = section.table(["object", "neighbours", *head])
    for label, spatial, each in told:
        mean = mean_of(each)
        sides = (lowest_to_highest([figures[side] for figures in each]) for side in SIDES)
        invalid = f"{percent(mean['invalid']):.1f} %"
        row(label, spatial, *nmse(mean), *sides, covers(mean), invalid, f"{mean['seconds']:.1f}")


def heart(row, seed):
    """A study of a phantom: errors of its voxels."""
    phantom = make_phantom(replace(recipe(Preset.STRESS), grid=GRID), seed=seed)
    for spatial in Spatial:
        how = FitSettings(method=Method.MAP, spatial=spatial)
        settings = Settings(fit=how, aha=AHASettings(insertion_lps=tuple(phantom.insertion_lps)))
        begun = time.process_time()
        maps = quantify(phantom.series, phantom.masks, settings).maps
        seconds = time.process_time() - begun
        found = [[part[name][maps.valid] for part in (maps, maps.sd, phantom.truth)] for name in NAMES]
        errors = [value / true - 1 for value, _, true in found]
        row(
            seed,
            spatial.value,
            shares(np.median(np.abs(error)) for error in errors),
            " / ".join(f"{percent(np.median(error)):+.1f}" for error in errors) + " %",
            " / ".join(pair(intervals(*each)) for each in found),
            f"{seconds:.1f}",
        )


def main():
    """Print every figure, and write them where asked to."""
    own = parser(__doc__)
    own.add_argument("--seeds", type=int, nargs="+", default=list(HELD_OUT))
    own.add_argument("--phantoms", type=int, nargs="*", default=list(HELD_OUT_PHANTOMS))
    given = own.parse_args()
    section = Section("neighbours", "Method map; objects of 4800 voxels, delay fixed; phantoms with the delay fitted.")
    fields(section, given.seeds)
    section.say("", f"Valid voxels of stress phantoms, {EACH}; bias: the median error with sign, intervals as above:")
    row = section.table(["phantom", "neighbours", "error", "bias", "intervals", "s of processor"])
    for seed in given.phantoms:
        heart(row, seed)
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
