"""What each choice is worth: one thing of the printed network, and of our own methods, changed at a time; errors on objects of known truth.

Networks: ``combined`` as printed but for the number of steps, on 400 curves of the twin (paper's noise; delay known) and, for delays, of
the patient-like stress object. Own methods: prior, delay, joint input, neighbours and how strictly the equations hold. Means of the seeds; s of processor, all on one thread (OMP_NUM_THREADS=1, as make reproduce runs it).

python Testing/Benchmarks/study_ablations.py [--seeds 801 802] [--minutes 30]     (some 25 minutes a seed on one core; every fit is kept)
make reproduce                                                                    also writes them and the picture into docs/
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import judging
import numpy as np
from judging import NAMES, accuracy, intervals, mean_of, pair
from keep import dates, once, place
from page import ROOT, Section, parser
from study_networks import Memory

from MyoPINNLib.figures import canvas
from MyoPINNLib.network_settings import Collocation, NetworkSettings, Normalisation, Shift, Start
from MyoPINNLib.one_shot_settings import OneShotSettings
from MyoPINNLib.quantities import percent, seconds_from_minutes
from MyoPINNLib.settings import Delay, FitSettings, Input, Method, Spatial
from MyoPINNLib.simulate import objects
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.door import load_tensorflow

PICTURE = "figures/ablations-steps.png"
MAP_WORDS = "learnt (map)"
SEEDS = (801, 802)
CURVES, STEPS = 400, 5000
STOPS = (500, 1000, 2500, 5000, 10_000, 25_000)
PRINTED = NetworkSettings(steps=STEPS, threads=1)
OBJECTS = {
    "twin": partial(objects.twin, voxels=CURVES),
    "stress": partial(patient_like, Patient.STRESS, voxels=CURVES),
    "smooth": partial(objects.smooth_twin, shape=(2, 20, 20)),
}


@dataclass(frozen=True)
class Change:
    """One choice: what it is about, in words, on which object, by which settings."""

    about: str
    words: str
    settings: FitSettings
    on: str = "twin"


def of_network(about, words, on="twin", **chosen):
    """The printed network with something else chosen."""
    delay = Delay.FIT if "shift" in chosen else Delay.FIXED
    return Change(
        about, words, FitSettings(method=Method.COMBINED, delay=delay, network=replace(PRINTED, **chosen)), on
    )


def networks():
    """Every change to the printed network."""
    return [
        of_network("as printed", f"{STEPS} steps"),
        *(of_network("random start", f"seed {seed}", seed=seed) for seed in (2, 3)),
        *(of_network("collocation points", str(n), collocation_points=n) for n in (50, 100, 2000)),
        of_network("collocation points", "500, drawn once", collocation=Collocation.ONCE),
        *(of_network("weight of the data", f"w_C {w:g}", w_data=w) for w in (1.0, 25.0)),
        *(of_network("weight of the equations", f"w_r {w:g}", w_residual=w) for w in (0.1, 10.0)),
        of_network("weight of the start", "w_b 0", w_initial=0.0),
        of_network("weight of positivity", "w_reg 0", w_positive=0.0),
        *(of_network("layers", str(n), layers=n) for n in (1, 3)),
        *(of_network("width", str(n), width=n) for n in (16, 64)),
        of_network("normalisation", "of each batch", normalisation=Normalisation.BATCH),
        *(
            of_network("initial values", f"from {start.value}", start=start)
            for start in Start
            if start is not Start.RANDOM
        ),
        of_network("delay, stress", "ignored, as printed", "stress"),
        of_network("delay, stress", "input shifted by NLLS's", "stress", shift=Shift.PRESHIFT),
    ]


def own():
    """Every change to the methods of our own."""
    fixed, free = FitSettings(method=Method.MAP, delay=Delay.FIXED), FitSettings(method=Method.MAP)
    strict = [OneShotSettings(w_residual=w) for w in (0.01, 0.1)]
    return [
        Change("prior", "none (nlls)", replace(fixed, method=Method.NLLS)),
        Change("prior", MAP_WORDS, fixed),
        Change("equations", "strict (one-shot)", replace(fixed, method=Method.ONE_SHOT)),
        *(
            Change("equations", f"one-shot, w_r {s.w_residual:g}", replace(fixed, method=Method.ONE_SHOT, one_shot=s))
            for s in strict
        ),
        Change("prior, stress", "none (nlls)", replace(free, method=Method.NLLS), "stress"),
        Change("delay, stress", "fitted (map)", free, "stress"),
        Change("delay, stress", "fixed at 0", fixed, "stress"),
        Change("input, stress", "fitted jointly", replace(free, input=Input.JOINT), "stress"),
        Change("neighbours, smooth", "no say", fixed, "smooth"),
        Change("neighbours, smooth", "have a say", replace(fixed, spatial=Spatial.NEIGHBOURS), "smooth"),
    ]


def figures(result, truth):
    """What a row tells."""
    cover = intervals(result.parameters.F_p, result.sd.F_p, truth.F_p) if result.sd else (np.nan, np.nan)
    return accuracy(result, truth) | {"cover": cover}


def done(change, seed):
    """The figures of a change on one seed's object."""
    reference, begun = OBJECTS[change.on](seed=seed), time.process_time()
    result = fit(reference.curves, reference.aif, change.settings)
    return figures(result, reference.truth) | {"seconds": time.process_time() - begun}


def by_step(seed):
    """The printed training on the twin, from stop to stop: {"rows": figures with steps, seconds and loss}."""
    reference, memory, rows, begun = OBJECTS["twin"](seed=seed), Memory(), [], time.process_time()
    for stop in STOPS:
        settings = of_network("", "", steps=stop).settings
        result = fit(reference.curves, reference.aif, settings, checkpoint=memory)
        more = {"steps": stop, "seconds": time.process_time() - begun, "loss": float(result.history["total"][-1])}
        rows.append(figures(result, reference.truth) | more)
    return {"rows": rows}


def cells(row):
    """The figures of a row in words."""
    cover = "" if np.isnan(row["cover"]).any() else pair(row["cover"])
    return (*judging.cells(row)[:-1], cover, f"{row['seconds']:.1f}")


HEAD = (*judging.HEAD[:-1], "68, 95 hold F_p", "s of processor")


def draw(rows, best, picture):
    """Errors against training time; dashed: those of ``best``, which trains nothing."""
    with canvas.styled():
        figure = canvas.new_figure(7.5, 4.2)
        axes = figure.add_axes((0.1, 0.2, 0.86, 0.67))
        at = [row["seconds"] for row in rows]
        for name, colour in zip(NAMES, ("#0067a5", "#c2570c", "#00755a", "#7f3c8d"), strict=True):
            axes.plot(at, [percent(row[f"error {name}"]) for row in rows], "o-", color=colour, label=name)
            axes.axhline(percent(best[f"error {name}"]), color=colour, ls="--", lw=1)
        for row in rows:
            axes.annotate(f"{row['steps']:.0f}", (row["seconds"], axes.get_ylim()[1]), ha="center", va="bottom", size=7)
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_xlabel(f"training time of {CURVES} curves, s of processor; above: steps")
        axes.set_ylabel("median size of the error, %")
        axes.legend(loc="upper right", fontsize=8)
        footer = canvas.footer("combined as printed, the twin at the paper's noise; dashed: map")
        canvas.add_words(figure, title="Error against training time", footer=footer)
        canvas.save(figure, picture)


class Runs:
    """Fits by seed, kept; none is begun after ``end``."""

    def __init__(self, seeds, end):
        self.seeds, self.end, self.found = seeds, end, []

    def __call__(self, key, run):
        """What ``run(seed)`` gives for each seed; nothing where not all are there."""
        there = []
        for seed in self.seeds:
            path = place("ablations", *key, CURVES, STEPS, seed)
            kept = once(path, partial(run, seed), self.end)
            there += [kept] if kept else []
        self.found += there
        return there if len(there) == len(self.seeds) else []

    def tell(self, section, changes):
        """A row for each change that was done."""
        say = section.table(["choice", "", *HEAD])
        for change in changes:
            found = self((change.about, change.words), partial(done, change))
            if found:
                say(change.about, change.words, *cells(mean_of(found)))


def main():
    """Do what is not done yet, for as long as is given; print the tables."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    options.add_argument("--minutes", type=float, default=np.inf, help="begin no fit after these")
    given = options.parse_args()
    load_tensorflow()  # no part of a training's time
    runs = Runs(given.seeds, time.monotonic() + seconds_from_minutes(given.minutes))
    section = Section("ablations", f"{CURVES} curves, seeds: {' '.join(map(str, given.seeds))}.")
    section.say("Our own methods; errors, biases and shares in per cent:")
    runs.tell(section, own())
    section.say("", f"`combined` as printed, but {STEPS} steps where nothing else is said:")
    runs.tell(section, networks())
    trained = runs(("steps",), by_step)
    if trained:
        section.say("", "Error against training time:")
        say = section.table(["steps", "loss", *HEAD])
        rows = [mean_of(each) for each in zip(*(run["rows"] for run in trained), strict=True)]
        for row in rows:
            say(f"{row['steps']:.0f}", f"{row['loss']:.1e}", *cells(row))
    section.say("", dates(runs.found))
    if given.write and trained:
        (learnt,) = (change for change in own() if change.words == MAP_WORDS)
        best = mean_of(runs((learnt.about, learnt.words), partial(done, learnt)))
        draw(rows, best, ROOT / "docs" / PICTURE)
        section.picture(PICTURE, "Error of the printed network against training time")
        section.write()


if __name__ == "__main__":
    main()
