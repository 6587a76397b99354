"""How far MBF, v_b, v_e and PS come out from the truth when what they hang on is wrong: one table and one picture.

Stress phantoms, without noise where none is named, quantified by ``map`` with one thing wrong at a time. The error of a segment's median
(and of the fit of its mean curve) against the median of its true values (the mean curve: their mean): in the median over the remote and over the
ischaemic segments, and of the worst segment.

python Testing/Benchmarks/study_sensitivity.py            prints them (about three minutes)
make validate                                             also writes them and the picture into docs/
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
from page import ROOT, Section, asked
from scipy import ndimage

from MyoPINNLib.aha import segment
from MyoPINNLib.figures import canvas
from MyoPINNLib.kinetics import blood_from_plasma
from MyoPINNLib.pipeline import quantify
from MyoPINNLib.quantities import percent
from MyoPINNLib.series import Masks, PerfusionSeries
from MyoPINNLib.settings import AHASettings, Conversion, Delay, FitSettings, Method, Settings, SignalSettings
from MyoPINNLib.simulate.phantom import Phantom, make_phantom
from MyoPINNLib.simulate.recipes import Preset, recipe

PICTURE = "figures/sensitivity.png"
QUANTITIES = ("MBF", "v_b", "v_e", "PS")
SEED = 31
NOISES = 3  # phantoms with noise, of as many seeds, their segments together
MAP = FitSettings(method=Method.MAP)


@dataclass(frozen=True)
class Study:
    """A phantom and how it is quantified; masks and series are the phantom's where none is given."""

    phantom: Phantom
    signal: SignalSettings = field(default_factory=SignalSettings)
    fit: FitSettings = MAP
    hct: float = 0.45
    density: float = 1.05
    masks: Masks | None = None
    series: PerfusionSeries | None = None

    def errors(self):
        """(segment, 5): relative errors of the segments' medians by quantity, and of MBF of their mean curves; and (segment,) who is ischaemic."""
        aha = AHASettings(insertion_lps=tuple(self.phantom.insertion_lps))
        settings = Settings(hct=self.hct, density=self.density, signal=self.signal, fit=self.fit, aha=aha)
        rows = quantify(self.series or self.phantom.series, self.masks or self.phantom.masks, settings).segment_table
        found = [[*(row.statistics[name].median for name in QUANTITIES), row.mean_curve.get("MBF")] for row in rows]
        found = np.array([[np.nan if value is None else value for value in row] for row in found])
        true = self._truth(aha)
        return found / true - 1, true[:, 0] < np.median(true[:, 0]) / 1.5

    def _truth(self, aha):
        """(segment, 5): medians of the true values in the true myocardium by quantity, and the mean of MBF."""
        segments, _ = segment(self.phantom.masks, aha)
        truth = self.phantom.truth | {"v_b": blood_from_plasma(self.phantom.truth["v_p"], hct=self.phantom.hct)}
        rows = []
        for voxels in map(segments.voxels_in, segments.numbers):
            rows.append([*(np.median(truth[name][voxels]) for name in QUANTITIES), truth["MBF"][voxels].mean()])
        return np.array(rows)


def variations(base):
    """(what is wrong, the study) of a noise-free base study, as drawn first."""
    how, signal = base.phantom.acquisition, base.signal
    yield "nothing", base
    for hct in (0.35, 0.40, 0.50):
        yield f"Hct {hct:g} (true 0.45)", replace(base, hct=hct)
    for density in (1.00, 1.10):
        yield f"density {density:.2f} (true 1.05 g/mL)", replace(base, density=density)
    for words, name, value in (
        ("TS", "TS", how.TS),
        ("TR", "TR", how.TR),
        ("flip angle", "flip_angle", how.flip_angle),
        ("relaxivity", "relaxivity", signal.relaxivity),
        ("T1 of blood", "T1_blood", signal.T1_blood),
        ("T1 of myocardium", "T1_myocardium", signal.T1_myocardium),
    ):
        for share in (0.9, 1.1):
            changed = replace(base, signal=replace(signal, **{name: share * value}))
            yield f"{words} {percent(share - 1):+.0f} %", changed
    for conversion, words in (
        (Conversion.SATURATION_RECOVERY, "readout train ignored"),
        (Conversion.LINEAR, "linear conversion"),
    ):
        yield words, replace(base, signal=replace(signal, conversion=conversion))
    for voxels in (2, 1, -1, -2):
        words = f"blood pool {abs(voxels)} voxel{'s' * (abs(voxels) > 1)} {'smaller' if voxels > 0 else 'larger'}"
        into = "" if voxels > 0 else ", into the muscle"
        yield f"{words}{into}", replace(base, masks=pool_by(base.phantom.masks, voxels))
    for words, way in (("into the blood", Way.IN), ("outwards", Way.OUT), ("on both sides", Way.BOTH)):
        yield f"myocardium 1 voxel larger {words}", replace(base, masks=muscle_grown(base.phantom.masks, way))
    yield "myocardium 1 voxel smaller on both sides", replace(base, masks=muscle_shrunk(base.phantom.masks))
    yield "delay fixed at 0", replace(base, fit=replace(MAP, delay=Delay.FIXED))
    for share in (0.05, 0.2):
        yield (
            f"{percent(share):.0f} % of the frames dropped",
            replace(base, series=dropped(base.phantom.series, share)),
        )
    yield "frame of the input's peak dropped", replace(base, series=peak_dropped(base.phantom))
    yield "last third of the frames missing", replace(base, series=shortened(base.phantom.series))


def images(seed):
    """(what is wrong, the study) of studies that are drawn anew."""
    how = recipe(Preset.STRESS)
    for pixel in (1.5, 2.5, 3.0):
        size = round(how.grid.size * how.grid.pixel / pixel)
        other = replace(how, grid=replace(how.grid, pixel=pixel, size=size))
        yield f"pixels {pixel:g} mm (base 2 mm)", Study(make_phantom(other, seed=seed, noise=False))
    for breathing in (1.0, 2.0):
        other = replace(how, breathing=breathing)
        yield f"breathing {breathing:g} mm", Study(make_phantom(other, seed=seed, noise=False))


def pool_by(masks, voxels):
    """The blood pool smaller by voxels in each slice, or larger, at the muscle's cost, where ``voxels`` is negative."""
    turn = ndimage.binary_erosion if voxels > 0 else ndimage.binary_dilation
    pool = np.stack([turn(each, iterations=abs(voxels)) for each in masks.blood_pool])
    return drawn(masks, wall=masks.myocardium & ~pool, pool=pool)


class Way(Enum):
    """Where a wall grows."""

    IN = "in"
    OUT = "out"
    BOTH = "both"


def muscle_grown(masks, way):
    """The myocardium a voxel thicker: into the cavity, into what is around, or both."""
    wall = np.stack([ndimage.binary_dilation(each) for each in masks.myocardium])
    cavity = np.stack([ndimage.binary_fill_holes(each) for each in masks.myocardium]) & ~masks.myocardium
    added = {Way.IN: cavity, Way.OUT: ~cavity, Way.BOTH: np.ones_like(cavity)}[way]
    return with_wall(masks, masks.myocardium | (wall & added))


def muscle_shrunk(masks):
    """The myocardium a voxel thinner on both sides."""
    return with_wall(masks, np.stack([ndimage.binary_erosion(each) for each in masks.myocardium]))


def with_wall(masks, wall):
    """The masks with another myocardium, at the cost of the others."""
    return drawn(masks, wall=wall, pool=masks.blood_pool & ~wall)


def drawn(masks, *, wall, pool):
    """The masks with another myocardium and blood pool, from which the right ventricle keeps away."""
    right = masks.right_ventricle
    right = None if right is None else right & ~wall & ~pool
    return replace(masks, myocardium=wall, blood_pool=pool, right_ventricle=right)


def kept(series, frames):
    """The series with the ``frames`` (t,) bool alone."""
    weight = None if series.weight is None else series.weight[:, frames]
    return replace(series, signal=series.signal[frames], time=series.time[:, frames], weight=weight)


def dropped(series, share):
    """Without a random share of the frames, the first ones left alone."""
    frames = len(series.signal)
    gone = np.random.default_rng(0).choice(np.arange(5, frames), round(share * frames), replace=False)
    return kept(series, ~np.isin(np.arange(frames), gone))


def peak_dropped(phantom):
    """Without the frame in which the blood pool is brightest."""
    bright = phantom.series.signal[:, phantom.masks.blood_pool].mean(axis=1)
    return kept(phantom.series, np.arange(len(bright)) != bright.argmax())


def shortened(series):
    """Without the last third of the frames."""
    frames = len(series.signal)
    return kept(series, np.arange(frames) < round(frames * 2 / 3))


def noisy(seed):
    """(what is wrong, the study): noise, and outlines at the usual one."""
    how = recipe(Preset.STRESS)
    for noise in (0.025, 0.05, 0.1, 0.2):
        words = f"noise {percent(noise):g} % of the muscle's peak"
        yield words, Study(make_phantom(replace(how, noise=noise), seed=seed))
    phantom = make_phantom(Preset.STRESS, seed=seed)
    for words, way in (("inwards", Way.IN), ("outwards", Way.OUT)):
        yield f"noise 5 %, wall 1 voxel larger {words}", Study(phantom, masks=muscle_grown(phantom.masks, way))
    for breathing in (1.0, 2.0):
        yield (
            f"noise 5 %, breathing {breathing:g} mm",
            Study(make_phantom(replace(how, breathing=breathing), seed=seed)),
        )


def study(seed, say):
    """(words, errors (segment, 5), who is ischaemic) of every study, each said in a row."""
    base = Study(make_phantom(Preset.STRESS, seed=seed, noise=False))
    alone = [(words, [other]) for words, other in (*variations(base), *images(seed))]
    several = [(rows[0][0], [other for _, other in rows]) for rows in zip(*map(noisy, range(seed, seed + NOISES)))]
    for words, others in alone + several:
        errors, low = (np.concatenate(parts) for parts in zip(*(other.errors() for other in others)))
        say(words, *cells_of(errors, low))
        yield words, errors, low


def cells_of(errors, low):
    """A row's cells: the median over the remote and over the ischaemic (``low``) segments, and the worst segment."""
    cells = []
    for column in range(errors.shape[1]):
        found = errors[:, column]
        middle = ", ".join(f"{percent(np.nanmedian(found[here])):+.1f}" for here in (~low, low))
        worst = f"; {percent(found[np.nanargmax(np.abs(found))]):+.0f}" if column in (0, errors.shape[1] - 1) else ""
        cells.append(f"{middle}{worst}")
    return cells


def draw(rows, place):
    """MBF's change by what is changed: a bar for the remote segments and one for the ischaemic."""
    height = 1.3 + 0.2 * len(rows)
    with canvas.styled():
        figure = canvas.new_figure(8.5, height)
        axes = figure.add_axes((0.36, 0.75 / height, 0.6, 1 - 1.3 / height))
        at = np.arange(len(rows))
        for n, (words, colour) in enumerate((("remote segments", "#0067a5"), ("ischaemic segments", "#c2570c"))):
            change = percent(np.array([np.nanmedian(found[low if n else ~low, 0]) for _, found, low in rows]))
            axes.barh(at + 0.2 * (2 * n - 1), change, 0.38, color=colour, label=words)
        axes.set_yticks(at, [words for words, _, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xscale("symlog", linthresh=10)
        axes.set_xticks(
            [-50, -20, -10, -5, 0, 5, 10, 20, 50, 100], ["-50", "-20", "-10", "-5", "0", "5", "10", "20", "50", "100"]
        )
        axes.minorticks_off()
        axes.axvline(0, color=canvas.INK, lw=0.8)
        axes.grid(axis="x", alpha=0.3)
        axes.set_xlabel("error of MBF, % (linear to 10, logarithmic beyond)")
        axes.legend(loc="lower right", fontsize=8)
        footer = canvas.footer("map, delay fitted; stress phantom, medians of the segments' voxels")
        canvas.add_words(figure, title="What MBF hangs on", footer=footer)
        canvas.save(figure, place)


def main():
    """Print, and write where asked to."""
    given = asked(__doc__, seed=SEED)
    section = Section(
        "sensitivity",
        f"Stress phantom, seed {given.seed}, no noise but where it is named ({NOISES} phantoms there, from that seed on); method `map`.",
    )
    section.say(
        "Error against the truth in per cent of the segments' medians: the median over the remote segments, that over the",
        "ischaemic ones; of the worst segment. Last: the same of the fits of the mean curves.",
    )
    say = section.table(["what is wrong", "MBF", "v_b", "v_e", "PS", "MBF of the mean curve"])
    rows = list(study(given.seed, say))
    if given.write:
        draw(rows, ROOT / "docs" / PICTURE)
        section.picture(PICTURE, "MBF by what is wrong")
        section.write()


if __name__ == "__main__":
    main()
