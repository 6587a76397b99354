"""Neighbours that have a say, against none: smooth fields with a sharp border, a twin without order, and a heart's ring.

Each object by method map without and with --spatial neighbours: NMSE, their ratio, the bias of F_p within two voxels of the
border, coverage of the intervals, processor time. The last rows: how often the segments' means lie within their SD.
make bench runs this; alone: python Testing/Benchmarks/bench_spatial.py [--seeds 1 2 3] [--phantoms 31]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
from study_phantom import GRID

from MyoPINNLib.pipeline import quantify
from MyoPINNLib.settings import AHASettings, Delay, FitSettings, Method, Settings, Spatial
from MyoPINNLib.simulate import metrics, objects
from MyoPINNLib.simulate.phantom import Preset, make_phantom
from MyoPINNLib.simulate.recipes import recipe
from MyoPINNLib.solvers import fit

FIXED = FitSettings(method=Method.MAP, delay=Delay.FIXED)
NAMES = ("F_p", "v_p", "v_e", "PS")
HELD_OUT = (301, 302, 303, 304, 305)
HELD_OUT_PHANTOMS = (301, 302, 303)


def timed(curves, aif, settings):
    """A fit and its seconds of processor."""
    begun = time.process_time()
    result = fit(curves, aif, settings)
    return result, time.process_time() - begun


def covered(value, sd, true):
    """Shares of voxels whose 68 % and 95 % intervals in the logarithm hold the truth, in words."""
    off = np.abs(np.log(value / true)) / (sd / value)
    return f"{(off < 1).mean():.0%}/{(off < 1.96).mean():.0%}"


def compare(label, reference):
    """One object without and with neighbours."""
    alone = None
    for spatial in Spatial:
        result, seconds = timed(reference.curves, reference.aif, replace(FIXED, spatial=spatial))
        scores = metrics.nmse(result.parameters, reference.truth)
        alone = alone or scores["all"]
        each = "  ".join(
            f"{name} {scores[name]:.4f} {covered(*(getattr(p, name) for p in (result.parameters, result.sd, reference.truth)))}"
            for name in NAMES
        )
        print(f"{label}, {spatial.value}: NMSE all {scores['all']:.4f} (x {scores['all'] / alone:.3f})  {each}")
        print(
            f"  {border(result, reference)}{seconds:.1f} s of processor, {(~result.valid).mean():.1%} invalid",
            flush=True,
        )


def border(result, reference):
    """The median error of F_p beside the border, either side apart, in words."""
    if reference.shape is None:
        return ""
    error = result.parameters.F_p / reference.truth.F_p - 1
    near, sick = objects.beside_border(reference.shape), objects.territory(reference.shape)
    return f"bias of F_p at the border: low side {np.median(error[near & sick]):+.1%}, high side {np.median(error[near & ~sick]):+.1%}  "


def without_order(seed):
    """The twin, its voxels in random order on a grid."""
    reference = objects.twin(seed=seed)
    return replace(reference, curves=replace(reference.curves, voxels=np.argwhere(np.ones(objects.SMOOTH_SHAPE))))


def heart(seed):
    """A study of a phantom: errors of its voxels and of its segments' means."""
    phantom = make_phantom(replace(recipe(Preset.STRESS), grid=GRID), seed=seed)
    for spatial in Spatial:
        how = FitSettings(method=Method.MAP, spatial=spatial)
        settings = Settings(fit=how, aha=AHASettings(insertion_lps=tuple(phantom.insertion_lps)))
        begun = time.process_time()
        analysis = quantify(phantom.series, phantom.masks, settings)
        seconds, maps = time.process_time() - begun, analysis.maps
        each = []
        for name in NAMES:
            value, sd, true = maps[name][maps.valid], maps.sd[name][maps.valid], phantom.truth[name][maps.valid]
            error = value / true - 1
            each.append(
                f"{name} {np.median(np.abs(error)):.1%} bias {np.median(error):+.1%} {covered(value, sd, true)}"
            )
        print(f"phantom {seed}, {spatial.value}: median |error| {'  '.join(each)}  {seconds:.1f} s of processor")
        print(f"  segments' means within 1 / 1.96 SD: {'  '.join(segments(analysis, phantom))}", flush=True)


def segments(analysis, phantom):
    """By parameter, the shares of segments whose true mean lies within the SD of theirs, in words."""
    for name in ("MBF", *NAMES[1:], "T_a"):
        off = []
        for row in analysis.segment_table:
            here = (analysis.segments.label == row.segment) & analysis.maps.valid
            off.append((analysis.maps[name][here].mean() - phantom.truth[name][here].mean()) / row.mean_sd[name])
        off = np.abs(off)
        yield f"{name} {(off < 1).mean():.0%}/{(off < 1.96).mean():.0%}"


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(HELD_OUT))
    parser.add_argument("--phantoms", type=int, nargs="*", default=list(HELD_OUT_PHANTOMS))
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        for noise in (objects.Noise.PAPER, objects.Noise.PEAK_SNR_17_5):
            compare(f"smooth twin {seed}, noise {noise.value}", objects.smooth_twin(seed=seed, noise=noise))
        compare(f"twin {seed} without order", without_order(seed))
    for seed in arguments.phantoms:
        heart(seed)


if __name__ == "__main__":
    main()
