"""Phantom studies from end to end: MBF against truth by method, as Bland-Altman figures and scatter plots of segments and voxels.

Stress, rest, two-vessel and noisy stress phantoms, one seed each that was in no search. A segment's value is the median of its
valid voxels (as the module shows it), and its truth the median of all its voxels. Difference d = found - true; limits of agreement:
mean(d) +- 1.96 SD(d).

python Testing/Benchmarks/study_agreement.py [--seed 701]     prints the table (about two minutes)
make validate                                                 also writes it and the picture into docs/
make reproduce                                                with --networks: `combined` too (ten minutes once; kept in build/reproduce)
"""

from __future__ import annotations

import time

import numpy as np
from keep import arrays, load, place, save
from page import ROOT, Section, parser

from MyoPINNLib.figures import canvas
from MyoPINNLib.network_settings import NetworkSettings, Shift, Start
from MyoPINNLib.pipeline import quantify
from MyoPINNLib.quantities import percent, shown
from MyoPINNLib.settings import AHASettings, FitSettings, Method, Settings
from MyoPINNLib.simulate.phantom import Preset, make_phantom

PICTURE = "figures/agreement.png"
METHODS = (Method.MAP, Method.ONE_SHOT, Method.NLLS, Method.FERMI, Method.COMBINED)
NETWORK = NetworkSettings(steps=2500, start=Start.MAP, shift=Shift.PRESHIFT, threads=1)
STUDIES = {Preset.STRESS: "#c2570c", Preset.REST: "#0067a5", Preset.TWO_VESSEL: "#00755a", Preset.NOISY: "#7f3c8d"}
SEED = 701
LIMIT = 1.96


def measured(preset, method, seed):
    """(true, found) MBF in mL/min/g of the segments (s,), and of the valid voxels (n,); the share that is not valid.

    A segment's truth is the median of all its voxels, its value that of the valid ones.
    """
    phantom = make_phantom(preset, seed=seed)
    fit = FitSettings(method=method, network=NETWORK)
    settings = Settings(fit=fit, aha=AHASettings(insertion_lps=tuple(phantom.insertion_lps)))
    analysis = quantify(phantom.series, phantom.masks, settings)
    maps, true = analysis.maps, phantom.truth["MBF"]
    pairs = []
    for number in analysis.segments.numbers:
        own = analysis.segments.voxels_in(number)
        here = own & maps.valid & np.isfinite(maps["MBF"])
        pairs += [(np.median(true[own]), np.median(maps["MBF"][here]))] if here.any() else []
    sure = maps.valid & np.isfinite(maps["MBF"])
    voxels = shown("MBF", np.array([true[sure], maps["MBF"][sure]]))
    return shown("MBF", np.array(pairs).T), voxels, 1 - sure.sum() / phantom.masks.myocardium.sum()


def trained(preset, seed, *, anew):
    """What ``measured`` says of `combined`, kept; None where it was never trained and is not to be (``anew``)."""
    path = place("agreement", preset.value, Method.COMBINED.value, NETWORK.steps, seed)
    figures, held = load(path), arrays(path)
    if figures and held:
        return held["segments"], held["voxels"], figures["lost"]
    if not anew:
        return None
    begun = time.perf_counter()
    segments, voxels, lost = measured(preset, Method.COMBINED, seed)
    save(path, {"lost": float(lost), "seconds": time.perf_counter() - begun}, segments=segments, voxels=voxels)
    return segments, voxels, lost


def agreement(pairs):
    """Mean difference and half the width of the limits of agreement of (true, found) pairs, mL/min/g."""
    off = pairs[1] - pairs[0]
    return float(off.mean()), LIMIT * float(off.std(ddof=1))


def cells_of(segments, voxels, lost):
    """The figures of a row of the table."""
    cells = []
    for pairs in (segments, voxels):
        bias, width = agreement(pairs)
        cells.append(f"{bias:+.2f} ({bias - width:+.2f} to {bias + width:+.2f})")
    size = np.abs(segments[1] / segments[0] - 1)
    within = f"{(size <= 0.1).sum()} of {len(size)}"
    return [*cells, f"{percent(lost):.0f} %", f"{within}, {percent(size.max()):.0f} %"]


def draw(found, path):
    """Truth against found, and difference against mean, of the segments, a column a method."""
    methods = [method for method in METHODS if all((preset, method) in found for preset in STUDIES)]
    with canvas.styled():
        figure = canvas.new_figure(3.0 * len(methods), 6.6)
        axes = figure.subplots(2, len(methods), sharex=True, sharey="row")
        figure.subplots_adjust(left=0.06, right=0.985, top=0.88, bottom=0.14, hspace=0.12, wspace=0.08)
        for column, method in enumerate(methods):
            above, below = axes[:, column]
            every = np.concatenate([found[preset, method][0] for preset in STUDIES], axis=1)
            for preset, colour in STUDIES.items():
                true, value = found[preset, method][0]
                above.plot(true, value, "o", color=colour, ms=4, alpha=0.8, label=preset.value)
                below.plot((true + value) / 2, value - true, "o", color=colour, ms=4, alpha=0.8)
            bias, width = agreement(every)
            above.axline((0, 0), slope=1, color=canvas.INK, lw=0.8)
            for at, style in ((bias, "-"), (bias - width, "--"), (bias + width, "--")):
                below.axhline(at, color=canvas.INK, lw=0.8, ls=style)
            below.set_title(f"{bias:+.2f} ({bias - width:+.2f} to {bias + width:+.2f})", size=9)
            above.set_title(method.value, weight="bold")
            below.set_xlabel("MBF, mL/min/g (below: mean of both)")
        axes[0, 0].set_ylabel("found MBF, mL/min/g")
        axes[1, 0].set_ylabel("found - true, mL/min/g")
        axes[0, 0].legend(fontsize=8, loc="upper left")
        footer = canvas.footer("phantoms; medians of segments; lines: mean difference and limits of agreement")
        canvas.add_words(figure, title="MBF of segments against truth", footer=footer)
        canvas.save(figure, path)


def main():
    """Print, and write where asked to."""
    own = parser(__doc__)
    own.add_argument("--seed", type=int, default=SEED)
    own.add_argument("--networks", action="store_true", help="train `combined` where it was not yet")
    given = own.parse_args()
    section = Section(
        "agreement",
        f"Seed {given.seed} of each phantom; a segment is the median of its valid voxels; `combined`: {NETWORK.steps} steps from `map`, "
        "the input shifted by the delays of NLLS.",
    )
    section.say("MBF found less true, mL/min/g: mean (limits of agreement).")
    say = section.table(["study", "method", "segments", "valid voxels", "not valid", "segments within 10 %, worst"])
    found = {}
    for preset in STUDIES:
        for method in METHODS:
            network = method is Method.COMBINED
            pairs = (
                trained(preset, given.seed, anew=given.networks) if network else measured(preset, method, given.seed)
            )
            if pairs:
                found[preset, method] = pairs
                say(preset.value, method.value, *cells_of(*pairs))
    if given.write:
        draw(found, ROOT / "docs" / PICTURE)
        section.picture(PICTURE, "MBF of segments against truth")
        section.write()


if __name__ == "__main__":
    main()
