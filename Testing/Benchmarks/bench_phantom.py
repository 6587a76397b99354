"""Phantom studies against their truth: MBF of the segments and of the voxels, by preset, conversion and method.

make bench runs this; alone: python Testing/Benchmarks/bench_phantom.py
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from MyoPINNLib.pipeline import quantify
from MyoPINNLib.quantities import inside
from MyoPINNLib.settings import AHASettings, Bolus, Conversion, FitSettings, Method, Settings, SignalSettings
from MyoPINNLib.simulate.phantom import Preset, make_phantom

LOW_FLOW = inside("MBF", 1.5)


def errors(phantom, settings):
    """Relative error of MBF by segment (mean-curve fit), and of every valid voxel with whether its flow is low."""
    settings = replace(settings, aha=AHASettings(insertion_lps=tuple(phantom.insertion_lps)))
    analysis = quantify(phantom.series, phantom.masks, settings)
    true = phantom.truth["MBF"]
    segments = [
        row.mean_curve["MBF"] / np.mean(true[analysis.segments.label == row.segment]) - 1
        for row in analysis.segment_table
    ]
    valid = analysis.maps.valid
    return np.array(segments), analysis.maps.values["MBF"][valid] / true[valid] - 1, true[valid] < LOW_FLOW


def study(label, preset, settings, *, seeds, noise, limit):
    """Two lines: segments of the mean over seeds, and voxels."""
    found = [errors(make_phantom(preset, seed=seed, noise=noise), settings) for seed in seeds]
    mean = np.mean([segments for segments, _, _ in found], axis=0)
    each = [int((np.abs(segments) <= limit).sum()) for segments, _, _ in found]
    voxel, low = np.concatenate([v for _, v, _ in found]), np.concatenate([w for _, _, w in found])
    print(f"{label}, {len(seeds)} seed(s)")
    print(
        f"  segments: {int((np.abs(mean) <= limit).sum())} of {mean.size} within {limit:.0%} in the mean of the seeds "
        f"(each seed {each}), worst {mean[np.argmax(np.abs(mean))]:+.1%}, mean {mean.mean():+.1%}"
    )
    print(
        f"  voxels: median error {np.median(voxel):+.1%}, of its size {np.median(np.abs(voxel)):.1%}; "
        f"mean {voxel.mean():+.1%}; where MBF < 1.5: median {np.median(voxel[low]):+.1%}, mean {voxel[low].mean():+.1%}",
        flush=True,
    )


def studies_of(method, *, seeds):
    """Every preset by one exact method."""
    one = [1]
    plain = Settings(fit=FitSettings(method=method))
    dual = replace(plain, signal=SignalSettings(bolus=Bolus.DUAL))
    linear = replace(plain, signal=SignalSettings(bolus=Bolus.DUAL, conversion=Conversion.LINEAR))
    name = method.value
    for preset in (Preset.STRESS, Preset.REST, Preset.TWO_VESSEL):
        label = f"{preset.value}, {name}, no noise (wanted: all within 2 %)"
        study(label, preset, plain, seeds=one, noise=False, limit=0.02)
    study(f"stress, {name} (wanted: 14 of 16 within 10 %)", Preset.STRESS, plain, seeds=seeds, noise=True, limit=0.10)
    study(f"rest, {name}", Preset.REST, plain, seeds=seeds, noise=True, limit=0.10)
    study(f"noisy stress, {name}", Preset.NOISY, plain, seeds=seeds, noise=True, limit=0.10)
    study(f"dual bolus, {name}, no noise", Preset.DUAL_BOLUS, dual, seeds=one, noise=False, limit=0.12)
    study(f"dual bolus, {name} (wanted: within 12 %)", Preset.DUAL_BOLUS, dual, seeds=seeds, noise=True, limit=0.12)
    study(f"dual bolus, linear conversion, {name}", Preset.DUAL_BOLUS, linear, seeds=one, noise=False, limit=0.12)


def main():
    """Print every study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(1, parser.parse_args().seeds + 1)
    one = [1]
    for method in (Method.MAP, Method.NLLS):
        studies_of(method, seeds=seeds)
    fermi = Settings(fit=FitSettings(method=Method.FERMI))
    without_train = Settings(signal=SignalSettings(conversion=Conversion.SATURATION_RECOVERY))
    study("stress, fermi, no noise", Preset.STRESS, fermi, seeds=one, noise=False, limit=0.10)
    study("stress, fermi", Preset.STRESS, fermi, seeds=seeds, noise=True, limit=0.10)
    study("stress, readout train ignored, no noise", Preset.STRESS, without_train, seeds=one, noise=False, limit=0.10)


if __name__ == "__main__":
    main()
