"""The paper's Table 1 on the paper's object: NMSE and SSIM by method and slice, with the loss as printed and with the released code's term.

The released code's data loss also fits dC_myo/dt to the gradient of the NOISE-FREE curve (in 1/min, over the input's peak), which no
patient has; the paper does not print it. That term lives here and not in the product.

Every run is kept in build/reproduce and not done again, so that the study goes on where it was stopped.

python Testing/Benchmarks/study_table1.py [--minutes 30] [--seed 1] [--write]     (about 8 minutes a run on two quiet cores)
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from contest import ROOT
from method_tables import write_between
from paper_object import paper_object, rectangle
from study_networks import Memory

from MyoPINNLib.events import silent
from MyoPINNLib.fit import KineticParameters, TissueCurves
from MyoPINNLib.network_settings import NetworkSettings
from MyoPINNLib.quantities import minutes_from_seconds, seconds_from_minutes
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate import metrics
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.nlls import fit_nlls

BEGIN, END = "<!-- table 1: begin -->", "<!-- table 1: end -->"
KEPT = ROOT / "build" / "reproduce"
NAMES = ("F_p", "v_p", "v_e", "PS")
SLICES = {0: 0.5, 1: 1.5, 2: 2.5}
STOPS = (1000, 4000, 7500, 15_000, 25_000)
PRINTED_TABLE = {
    "nlls": ".03 / .08 / .03 / .70, .21",
    "combined": ".13 / .03 / .01 / .30, .11",
}


@dataclass(frozen=True)
class Recipe:
    """A training: its loss (``term``: with the released code's), steps, layers and weight of the data."""

    words: str
    term: bool = False
    steps: int = 25_000
    layers: int = 2
    w_data: float = 5.0


AS_PRINTED = Recipe("as printed")
WITH_TERM = Recipe("with the term", term=True)
RELEASED = Recipe("with the term, 3 layers, w_C 1", term=True, steps=15_000, layers=3, w_data=1.0)
FIRST = (
    (AS_PRINTED, Method.COMBINED),
    (RELEASED, Method.COMBINED),
    (AS_PRINTED, Method.REDUCED),
    (AS_PRINTED, Method.TWO_COMPARTMENT),
    (WITH_TERM, Method.COMBINED),
    (RELEASED, Method.REDUCED),
    (RELEASED, Method.TWO_COMPARTMENT),
)
RUNS = [(recipe, method, k) for k in (1, 0, 2) for recipe, method in FIRST]


def part(reference, k):
    """(curves, truth, noise-free curves) of a slice of the object."""
    rows = np.flatnonzero(reference.curves.voxels[:, 0] == k)
    curves = reference.curves
    some = TissueCurves(curves.time, curves.clock[rows], curves.C_t[rows], curves.weight, curves.voxels[rows])
    truth = KineticParameters(**{name: value[rows] for name, value in reference.truth.items()})
    return some, truth, reference.C_t_exact[rows]


def released(clean, time_s):
    """The product's objective with the released code's term: the gradient of the ``clean`` (n, t) mM curves is data too."""
    import tensorflow as tf

    from MyoPINNLib.solvers.pinn import losses
    from MyoPINNLib.solvers.pinn.objective import Objective

    minutes = minutes_from_seconds(np.asarray(time_s))

    class Released(Objective):
        """Eq. 6 with mean (dC_myo/dt - its noise-free gradient)^2 added to L_C."""

        def __init__(self, network, problem, settings, **how):
            super().__init__(network, problem, settings, **how)
            slope = np.gradient(clean[problem.rows], minutes, axis=1) / problem.peak
            self.slope = tf.constant(slope.T, tf.float32)

        def terms(self, step):
            """The terms, the data's with the slopes."""
            seen, features = {}, self.network.features

            def watched(x, **how):
                phi, seen["slope"] = features(x, **how)
                return phi, seen["slope"]

            self.network.features = watched
            try:
                found = super().terms(step)
            finally:
                self.network.features = features
            K, head = self.network.curves, self.network.head
            at_frames = seen["slope"][: self.sizes[0]] / self.sigma
            dC = at_frames @ losses.tissue(head[:, :K], head[:, K : 2 * K], self.network.parameters())
            term = tf.reduce_mean((dC - self.slope) ** 2)
            more = {"data": found["data"] + term, "total": found["total"] + self.settings.w_data * term}
            return found | more

    return Released


def trained(reference, recipe, method, k, seed):
    """NMSE (and SSIM at the end) by stop."""
    from MyoPINNLib.solvers.pinn import slices as training

    curves, truth, clean = part(reference, k)
    network = NetworkSettings(seed=seed, history_every=500, layers=recipe.layers, w_data=recipe.w_data)
    settings = FitSettings(method=method, delay=Delay.FIXED, network=network)
    plain, memory, rows, begun = training.Objective, Memory(), [], time.perf_counter()
    if recipe.term:
        training.Objective = released(clean, curves.time[0])
    try:
        for stop in [each for each in STOPS if each <= recipe.steps]:
            at = replace(settings, network=replace(network, steps=stop))
            result = fit(curves, reference.aif, at, checkpoint=memory)
            loss = float(result.history["total"][-1])
            rows.append({"steps": stop, "loss": loss, "nmse": metrics.nmse(result.parameters, truth)})
            print(
                f"  {stop} steps: loss {loss:.2e}, {cells(rows[-1])}, {time.perf_counter() - begun:.0f} s", flush=True
            )
    finally:
        training.Objective = plain
    rows[-1]["ssim"] = similarity(result.parameters, truth, curves)
    return {"rows": rows, "seconds": time.perf_counter() - begun}


def similarity(found, truth, curves):
    """SSIM of each parameter's map, as the paper defines it."""
    rows, columns = np.ptp(curves.voxels[:, 1:], axis=0) + 1
    return metrics.ssim(found, truth, shape=(1, int(rows), int(columns)))


def nlls(reference, k):
    """NLLS with the object's own rule."""
    curves, truth, _ = part(reference, k)
    how = FitSettings(method=Method.NLLS, delay=Delay.FIXED)
    begun = time.perf_counter()
    result = fit_nlls(curves, reference.aif, how, silent, convolution=rectangle)
    row = {
        "steps": 0,
        "loss": 0.0,
        "nmse": metrics.nmse(result.parameters, truth),
        "ssim": similarity(result.parameters, truth, curves),
    }
    return {"rows": [row], "seconds": time.perf_counter() - begun}


def cells(row):
    """NMSE of F_p / v_p / v_e / PS, all."""
    words = " / ".join(f"{row['nmse'][name]:.2f}" if name in row["nmse"] else "-" for name in NAMES)
    return f"{words}, {row['nmse']['all']:.3f}"


def kept(recipe, method, k, seed):
    """Where a run is kept."""
    return KEPT / f"{method.value}-{recipe.words}-{k}-{seed}.json".replace(" ", "_").replace(",", "")


def table(seed):
    """The document's lines, of the runs that are there."""
    head = ["| method | loss | slices | NMSE F_p / v_p / v_e / PS, all | SSIM | printed |", "|---|---|---|---|---|---|"]
    lines = [*head]
    for recipe, method in dict.fromkeys([(AS_PRINTED, Method.NLLS), *((recipe, method) for recipe, method, _ in RUNS)]):
        there = {k: kept(recipe, method, k, seed) for k in SLICES}
        found = {k: json.loads(path.read_text()) for k, path in there.items() if path.is_file()}
        if not found:
            continue
        ends = [each["rows"][-1] for each in found.values()]
        mean = {"nmse": {name: np.mean([end["nmse"][name] for end in ends]) for name in ends[0]["nmse"]}}
        ssim = " / ".join(
            f"{np.mean([end['ssim'][name] for end in ends]):.2f}" if name in ends[0]["ssim"] else "-" for name in NAMES
        )
        which = ", ".join(f"{SLICES[k]:g}" for k in sorted(found))
        loss = "" if method is Method.NLLS else f"{recipe.words}, {ends[0]['steps']} steps"
        printed = PRINTED_TABLE.get(method.value, "") if recipe is AS_PRINTED else ""
        lines.append(f"| {method.value} | {loss} | {which} | {cells(mean)} | {ssim} | {printed} |")
    lines += [
        "",
        "NMSE, all, against the step, slice PS = 1.5:",
        "",
        f"| method, loss | {' | '.join(map(str, STOPS))} |",
        "|---" * (len(STOPS) + 1) + "|",
    ]
    for recipe, method in dict.fromkeys((recipe, method) for recipe, method, _ in RUNS):
        path = kept(recipe, method, 1, seed)
        if path.is_file():
            by_stop = {row["steps"]: row for row in json.loads(path.read_text())["rows"]}
            each = " | ".join(
                f"{by_stop[s]['nmse']['all']:.2f} (F_p {by_stop[s]['nmse']['F_p']:.2f})" if s in by_stop else ""
                for s in STOPS
            )
            lines.append(f"| {method.value}, {recipe.words} | {each} |")
    return lines


def main():
    """Do what is not done yet, for as long as is given; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=np.inf, help="begin no run after these")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write docs/validation.md")
    given = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    end, reference = time.monotonic() + seconds_from_minutes(given.minutes), paper_object(seed=given.seed)
    own = [(AS_PRINTED, Method.NLLS, k) for k in SLICES]
    for recipe, method, k in [*own, *RUNS]:
        path = kept(recipe, method, k, given.seed)
        if path.is_file() or time.monotonic() > end:
            continue
        print(f"{method.value}, {recipe.words}, slice PS = {SLICES[k]:g}", flush=True)
        run = (
            partial(nlls, reference, k)
            if method is Method.NLLS
            else partial(trained, reference, recipe, method, k, given.seed)
        )
        path.write_text(json.dumps(run()) + "\n")
    print("\n".join(table(given.seed)))
    if given.write:
        write_between(BEGIN, END, table(given.seed))


if __name__ == "__main__":
    main()
