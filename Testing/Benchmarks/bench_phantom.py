"""Phantom studies against their truth: MBF of the segments and of the voxels, by preset, conversion and method.

make bench runs this; alone: python Testing/Benchmarks/bench_phantom.py [--seeds 5] [--write]
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from page import Section, parser

from MyoPINNLib.pipeline import quantify
from MyoPINNLib.quantities import inside, percent
from MyoPINNLib.settings import AHASettings, Bolus, Conversion, FitSettings, Method, Settings, SignalSettings
from MyoPINNLib.simulate.phantom import Preset, make_phantom

LOW_FLOW = inside("MBF", 1.5)
HEAD = ("study", "method", "segments", "each seed", "worst, mean", "voxels", "low flow", "not valid")


def errors(phantom, settings):
    """Relative error of MBF by segment (mean-curve fit), of every valid voxel, whether its flow is low; the share not valid."""
    settings = replace(settings, aha=AHASettings(insertion_lps=tuple(phantom.insertion_lps)))
    analysis = quantify(phantom.series, phantom.masks, settings)
    true = phantom.truth["MBF"]
    segments = [
        row.mean_curve["MBF"] / np.mean(true[analysis.segments.label == row.segment]) - 1
        for row in analysis.segment_table
    ]
    valid = analysis.maps.valid
    by_voxel = analysis.maps.values["MBF"][valid] / true[valid] - 1
    return np.array(segments), by_voxel, true[valid] < LOW_FLOW, 1 - valid.sum() / len(analysis.result.outcome)


def signed(*values):
    """Errors in per cent and words."""
    return ", ".join(f"{percent(value):+.1f}" for value in values) + " %"


def study(row, label, preset, settings, *, seeds, limit, wanted=""):
    """One row: segments of the mean over seeds and voxels. Without ``seeds``: seed 1 without noise."""
    found = [errors(make_phantom(preset, seed=seed, noise=bool(seeds)), settings) for seed in seeds or [1]]
    segments, voxels, lows, lost = zip(*found, strict=True)
    mean, voxel, low = np.mean(segments, axis=0), np.concatenate(voxels), np.concatenate(lows)
    each = [int((np.abs(off) <= limit).sum()) for off in segments]
    row(
        label if seeds else f"{label}, no noise",
        settings.fit.method.value,
        f"{int((np.abs(mean) <= limit).sum())} of {mean.size} within {percent(limit):.0f} %{wanted and f' (wanted: {wanted})'}",
        " ".join(map(str, each)) if seeds else "",
        signed(mean[np.argmax(np.abs(mean))], mean.mean()),
        f"{percent(np.median(voxel)):+.1f}, {percent(np.median(np.abs(voxel))):.1f}, {signed(voxel.mean())}",
        signed(np.median(voxel[low]), voxel[low].mean()),
        f"{percent(np.mean(lost)):.0f} %",
    )


def studies_of(row, method, *, seeds):
    """Every preset by one exact method."""
    plain = Settings(fit=FitSettings(method=method))
    dual = replace(plain, signal=SignalSettings(bolus=Bolus.DUAL))
    linear = replace(plain, signal=SignalSettings(bolus=Bolus.DUAL, conversion=Conversion.LINEAR))
    for preset in (Preset.STRESS, Preset.REST, Preset.TWO_VESSEL):
        study(row, preset.value, preset, plain, seeds=(), limit=0.02, wanted="all")
    study(row, "stress", Preset.STRESS, plain, seeds=seeds, limit=0.10, wanted="14")
    study(row, "rest", Preset.REST, plain, seeds=seeds, limit=0.10)
    study(row, "noisy stress", Preset.NOISY, plain, seeds=seeds, limit=0.10)
    study(row, "dual bolus", Preset.DUAL_BOLUS, dual, seeds=(), limit=0.12)
    study(row, "dual bolus", Preset.DUAL_BOLUS, dual, seeds=seeds, limit=0.12, wanted="all")
    study(row, "dual bolus, linear conversion", Preset.DUAL_BOLUS, linear, seeds=(), limit=0.12)


def main():
    """Print every study, and write them where asked to."""
    own = parser(__doc__)
    own.add_argument("--seeds", type=int, default=5)
    given = own.parse_args()
    seeds = range(1, given.seeds + 1)
    section = Section("phantoms", f"{given.seeds} seed(s) where there is noise.")
    section.say(
        "Relative errors of MBF. Segments: the fits of their mean curves, the mean of the seeds; how many lie within the limit, in each seed too; their worst and mean "
        "error. Voxels, valid ones: median error, median of its size, mean; low flow: median and mean where MBF < 1.5 mL/min/g; the share of all that is not valid."
    )
    row = section.table(HEAD)
    for method in (Method.MAP, Method.NLLS):
        studies_of(row, method, seeds=seeds)
    fermi = Settings(fit=FitSettings(method=Method.FERMI))
    without_train = Settings(signal=SignalSettings(conversion=Conversion.SATURATION_RECOVERY))
    study(row, "stress", Preset.STRESS, fermi, seeds=(), limit=0.10)
    study(row, "stress", Preset.STRESS, fermi, seeds=seeds, limit=0.10)
    study(row, "stress, readout train ignored", Preset.STRESS, without_train, seeds=(), limit=0.10)
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
