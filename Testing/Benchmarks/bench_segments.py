"""How sure the means of AHA segments are: voxels' means and mean curves' fits against the truth of phantoms, by method map.

make bench runs this; alone: python Testing/Benchmarks/bench_segments.py [--first 601] [--seeds 6] [--write]
"""

from __future__ import annotations

import numpy as np
from judging import intervals, pair, within
from page import Section, parser

from MyoPINNLib.pipeline import quantify
from MyoPINNLib.quantities import percent
from MyoPINNLib.settings import AHASettings, FitSettings, Method, Settings
from MyoPINNLib.simulate.phantom import Preset, make_phantom

QUANTITIES = ("MBF", "v_p", "v_e", "PS")
PRESETS = (Preset.STRESS, Preset.REST, Preset.NOISY)


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


def cells(true, mean, sd, curve, curve_sd):
    """The cells of one quantity, (study, segment) each: the voxels' means, then the mean curves."""
    off, by_curve = mean / true - 1, curve / true - 1
    figures = (f"{percent(value):.1f} %" for value in (np.mean(sd / mean), np.sqrt((off**2).mean())))
    between = percent(off.mean(axis=1).std(ddof=1))
    biases = (f"{percent(each.mean()):+.1f} %" for each in (off, by_curve))
    return (
        pair(within(mean - true, sd)),
        *figures,
        next(biases),
        f"{between:.1f} %",
        pair(intervals(curve, curve_sd, true)),
        next(biases),
    )


def main():
    """Print every figure, and write them where asked to."""
    own = parser(__doc__)
    own.add_argument("--first", type=int, default=601)
    own.add_argument("--seeds", type=int, default=6)
    given = own.parse_args()
    section = Section("segments", f"{given.seeds} phantoms of each kind, from seed {given.first}.")
    section.say(
        "Within: how often, in per cent, the true mean of a segment lies within 1 and 1.96 SD (wanted: 68, 95). SD: what is said, of the mean. Error: root mean "
        "square. SD of studies: how far the mean error of all segments of a study moves from study to study. The last two: the fits of the mean curves."
    )
    row = section.table(
        ["phantom", "quantity", "within", "SD", "error", "mean error", "SD of studies", "curves: within", "mean error"]
    )
    every = []
    for preset in PRESETS:
        found = np.stack([segments(preset, given.first + i) for i in range(given.seeds)])
        every.append(np.moveaxis(found, -1, 0).reshape(5, -1))
        for j, name in enumerate(QUANTITIES):
            row(preset.value, name, *cells(*np.moveaxis(found[:, j], -1, 0)))
    true, mean, sd, curve, curve_sd = np.concatenate(every, axis=1)
    section.say(
        "",
        f"All together: {pair(within(mean - true, sd))} % of the voxels' means and {pair(intervals(curve, curve_sd, true))} % of the mean curves' fits.",
    )
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
