"""The paper's network, trained as printed on the paper's slice PS = 1.5: NMSE by step; then on exact curves without noise.

    make reproduce     about half an hour on two cores; alone: python Testing/Benchmarks/study_networks.py [--steps N] [--method M]

Truth and metrics are those of the paper's Table 1; the loss is eq. 6 with A.1 to A.4 and nothing else.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial

import numpy as np
from paper_object import paper_object, rectangle

from MyoPINNLib.events import silent
from MyoPINNLib.fit import FitResult, KineticParameters, TissueCurves
from MyoPINNLib.network_settings import NetworkSettings
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate import metrics, objects
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.map import fit_map

SLICE = 1
STOPS = (1000, 4000, 7500, 15000, 22500, 25000)
WARM_STOPS = (250, 1000, 2500)
NAMES = ("F_p", "v_p", "v_e", "PS")


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


def scores(label, result, truth, seconds):
    """NMSE and median |error| of each parameter, and the loss, in one line."""
    nmse, errors = metrics.nmse(result.parameters, truth), metrics.error_summary(result.parameters, truth)
    words = " / ".join(f"{nmse[n]:.3f}" if n in nmse else "-" for n in NAMES)
    medians = " / ".join(f"{errors[n]['median']:.1%}" if n in errors else "-" for n in NAMES)
    loss = {name: float(result.history[name][-1]) for name in ("data", "residual", "total")}
    terms = "  ".join(f"{name} {value:.2e}" for name, value in loss.items())
    print(
        f"{label:28s} NMSE {words}, all {nmse['all']:.3f}   median {medians}   {terms}   {seconds:6.0f} s", flush=True
    )


def at_the_truth(reference, settings, steps):
    """What limits F_p: the same training begun at the truth. Where it stays, the loss would have allowed the truth."""
    curves, truth = one_slice(reference)
    nothing = np.zeros(len(curves))
    start = FitResult(truth, curves.C_t, nothing, nothing.astype(int), reference.aif, 0.0)
    begun = time.perf_counter()
    at = replace(settings, network=replace(settings.network, steps=steps))
    result = fit(curves, reference.aif, at, start_from=start)
    scores(f"begun at the truth, {steps} steps", result, truth, time.perf_counter() - begun)
    by_v_p_line(result, truth)


def begun_at(method, label, reference, settings, *, solve=fit):
    """``combined`` begun at the result of ``method``, by itself and as training goes on: does it need the cold start's 25 000 steps?"""
    curves, truth = one_slice(reference)
    start = solve(curves, reference.aif, replace(settings, method=method), silent)
    nmse, errors = metrics.nmse(start.parameters, truth), metrics.error_summary(start.parameters, truth)
    words = " / ".join(f"{nmse[name]:.3f}" for name in NAMES)
    middle = " / ".join(f"{errors[name]['median']:.1%}" for name in NAMES)
    print(
        f"{label}, {method.value}: NMSE {words}, all {nmse['all']:.3f}   median {middle}   {start.seconds:6.1f} s",
        flush=True,
    )
    memory, begun = Memory(), time.perf_counter()
    for stop in WARM_STOPS:
        at = replace(settings, network=replace(settings.network, steps=stop))
        result = fit(curves, reference.aif, at, checkpoint=memory, start_from=start)
        scores(f"{label}, from {method.value}, {stop} steps", result, truth, time.perf_counter() - begun)


def by_v_p_line(result, truth):
    """Median error of F_p for each v_p of the grid."""
    off = result.parameters.F_p / truth.F_p - 1
    parts = [f"v_p {v:g}: {np.median(off[truth.v_p == v]):+.1%}" for v in np.unique(truth.v_p)]
    print(f"{'':28s} F_p off by (median)  {'   '.join(parts)}", flush=True)


def study(label, reference, settings, stops, *, by_v_p=False):
    """Train from stop to stop; ``by_v_p``: also the median error of F_p for each v_p of the grid."""
    curves, truth = one_slice(reference)
    memory, begun = Memory(), time.perf_counter()
    for stop in stops:
        at = replace(settings, network=replace(settings.network, steps=stop))
        result = fit(curves, reference.aif, at, checkpoint=memory)
        scores(f"{label}, {stop} steps", result, truth, time.perf_counter() - begun)
        if by_v_p:
            by_v_p_line(result, truth)
    print(f"{'':28s} {result.details}", flush=True)


def main():
    """Both objects."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STOPS[-1])
    parser.add_argument("--method", default=Method.COMBINED.value)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    network = NetworkSettings(seed=options.seed, history_every=500)
    settings = FitSettings(method=Method(options.method), delay=Delay.FIXED, network=network)
    stops = [stop for stop in STOPS if stop < options.steps] + [options.steps]
    study(f"{options.method}, paper's object", paper_object(seed=options.seed), settings, stops)
    own_rule = partial(fit_map, convolution=rectangle)
    begun_at(Method.MAP, "paper's object", paper_object(seed=options.seed), settings, solve=own_rule)
    noisy = objects.exact_grid(seed=options.seed, noise=objects.Noise.PAPER)
    study(f"{options.method}, exact, paper's noise", noisy, settings, stops)
    for method in (Method.MAP, Method.ONE_SHOT):
        begun_at(method, "exact, paper's noise", noisy, settings)
    exact = objects.exact_grid(seed=options.seed, noise=objects.Noise.NONE)
    at_the_truth(exact, settings, min(options.steps, 2500))
    study(f"{options.method}, exact, no noise", exact, settings, stops, by_v_p=True)


if __name__ == "__main__":
    main()
