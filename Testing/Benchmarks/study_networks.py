"""The paper's network, trained as printed on slice PS = 1.5 of the paper's object and of exact curves: NMSE by step, cold and warm.

    make reproduce     about half an hour on two cores; alone:
    python Testing/Benchmarks/study_networks.py [--steps N] [--method M] [--seed N] [--minutes M] [--write]     (no training goes beyond N steps)

Truth and metrics are those of the paper's Table 1; the loss is eq. 6 with A.1 to A.4 and nothing else. Warm: begun at the truth, and at
`map` and `one-shot`, whose own results stand beside as 0 steps. Every training is kept in build/reproduce and not done again.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import numpy as np
from judging import NAMES
from keep import dates, once, place
from page import Section, parser
from paper_object import paper_object, rectangle

from MyoPINNLib.events import silent
from MyoPINNLib.fit import FitResult, KineticParameters, TissueCurves
from MyoPINNLib.network_settings import NetworkSettings
from MyoPINNLib.quantities import percent, seconds_from_minutes
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate import metrics, objects
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.map import fit_map

SLICE = 1
STOPS = (1000, 2500, 4000, 7500, 15_000, 25_000)
WARM_STOPS = (250, 1000, 2500)


class Memory:
    """A checkpoint that keeps its arrays in memory, so that a training goes on from stop to stop."""

    def __init__(self) -> None:
        self.kept: dict = {}

    def load(self, key):
        """What was saved under ``key``."""
        return self.kept.get(key)

    def save(self, key, arrays) -> None:
        """Keep ``arrays``."""
        self.kept[key] = dict(arrays)


def one_slice(reference):
    """(curves, truth) of slice PS = 1.5."""
    rows = np.flatnonzero(reference.curves.voxels[:, 0] == SLICE)
    curves = reference.curves
    part = TissueCurves(curves.time, curves.clock[rows], curves.C_t[rows], curves.weight, curves.voxels[rows])
    return part, KineticParameters(**{name: value[rows] for name, value in reference.truth.items()})


def cells(result, truth):
    """NMSE and median |error| of each parameter, and the median error of F_p for each v_p of the grid."""
    nmse, errors = metrics.nmse(result.parameters, truth), metrics.error_summary(result.parameters, truth)
    words = " / ".join(f"{nmse[name]:.3f}" if name in nmse else "–" for name in NAMES)
    medians = " / ".join(f"{percent(errors[name]['median']):.1f}" if name in errors else "–" for name in NAMES)
    off = result.parameters.F_p / truth.F_p - 1
    by_v_p = " / ".join(f"{percent(np.median(off[truth.v_p == v])):+.1f}" for v in np.unique(truth.v_p))
    return f"{words}, {nmse['all']:.3f}", medians, by_v_p


def trained(reference, settings, stops, *, start=None, origin="random"):
    """Rows of a training that goes on from stop to stop. ``start``: the result that it begins at, ``origin`` in a word."""
    curves, truth = one_slice(reference)
    memory, begun = Memory(), time.perf_counter()
    for stop in stops:
        at = replace(settings, network=replace(settings.network, steps=stop))
        result = fit(curves, reference.aif, at, checkpoint=memory, start_from=start)
        seconds = time.perf_counter() - begun
        yield origin, stop, *cells(result, truth), f"{result.history['total'][-1]:.1e}", f"{seconds:.0f}"


def begun_at(method, reference, settings, stops, *, solve=fit):
    """The same begun at the result of ``method``, and that itself: does it need the cold start's 25 000 steps?"""
    curves, truth = one_slice(reference)
    start = solve(curves, reference.aif, replace(settings, method=method), silent)
    yield method.value, 0, *cells(start, truth), "–", f"{start.seconds:.0f}"
    yield from trained(reference, settings, stops, start=start, origin=method.value)


def begun_at_the_truth(reference, settings, stops):
    """What limits F_p: the same begun at the truth. Where it stays, the loss would have allowed the truth."""
    curves, truth = one_slice(reference)
    nothing = np.zeros(len(curves))
    start = FitResult(truth, curves.C_t, nothing, nothing.astype(int), reference.aif, 0.0)
    yield from trained(reference, settings, stops, start=start, origin="truth")


def studies(settings, seed, cold, warm):
    """(object, start, the rows of its training, not yet made) of every training."""
    paper = paper_object(seed=seed)
    own_rule = partial(fit_map, convolution=rectangle)
    yield "paper's", "map", begun_at(Method.MAP, paper, settings, warm, solve=own_rule)
    noisy = objects.exact_grid(seed=seed, noise=objects.Noise.PAPER)
    for method in (Method.MAP, Method.ONE_SHOT):
        yield "exact, paper's noise", method.value, begun_at(method, noisy, settings, warm)
    exact = objects.exact_grid(seed=seed, noise=objects.Noise.NONE)
    yield "exact, no noise", "truth", begun_at_the_truth(exact, settings, warm[-1:])
    for label, reference in (("exact, paper's noise", noisy), ("exact, no noise", exact), ("paper's", paper)):
        yield label, "random", trained(reference, settings, cold)


def until(stops, steps):
    """The ``stops`` before ``steps``, and that."""
    return [*(stop for stop in stops if stop < steps), steps]


def main():
    """Both objects, the exact one with the paper's noise and with none."""
    options = parser(__doc__)
    options.add_argument("--steps", type=int, default=STOPS[-1])
    options.add_argument("--method", default=Method.COMBINED.value)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--minutes", type=float, default=np.inf, help="begin no training after these")
    given = options.parse_args()
    network = NetworkSettings(seed=given.seed, history_every=500)
    settings = FitSettings(method=Method(given.method), delay=Delay.FIXED, network=network)
    end = time.monotonic() + seconds_from_minutes(given.minutes)
    cold, warm = until(STOPS, given.steps), until(WARM_STOPS, min(given.steps, WARM_STOPS[-1]))
    section = Section("networks", f"`{given.method}`, all defaults, seed {given.seed}, slice PS = 1.5.")
    section.say("Errors are medians in per cent: the size of all four, and F_p with its sign for each v_p of the grid.")
    section.say("0 steps: the start alone; on the paper's object `map` has the object's own rule.")
    errors = ["median error", f"F_p by v_p {' / '.join(f'{v:g}' for v in objects.PLASMA_VOLUMES)}"]
    row, runs = section.table(["object", "start", "steps", "NMSE F_p / v_p / v_e / PS, all", *errors, "loss", "s"]), []
    for label, origin, rows in studies(settings, given.seed, cold, warm):
        path = place("networks", given.method, label, origin, given.seed, given.steps)
        run = once(path, lambda rows=rows: {"rows": list(rows)}, end)
        if run:
            runs.append(run)
            for each in run["rows"]:
                row(label, *each)
    section.say("", dates(runs))
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
