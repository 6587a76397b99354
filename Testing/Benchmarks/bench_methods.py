"""Every method, and peers from PyPI, side by side on the same curves: errors, time, memory; and how cost grows.

    make bench                                         prints the tables
    make reproduce                                     also writes them and the pictures into docs/; keeps its fits (--keep)
    python Testing/Benchmarks/bench_methods.py --only twin stress --methods map nlls

Each fit is a process of its own. Times are processor seconds of the fit alone on one thread, for 1 000 curves; memory is the most that the
process held, Python and libraries included. Errors are of all curves, also of those that the method itself marks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
from child import study
from contest import CASES, PEERS_PYTHON, alone, command, drawn, entrants, judged, took_turn, travelling
from judging import mean_of
from keep import load, place, save
from method_pictures import draw
from method_tables import coverage_lines, growth_lines, model_error_lines, summary_lines, table_lines, write_into
from model_error import model_errors

from MyoPINNLib.aif import ArterialInput, Interpolation
from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.settings import Method
from MyoPINNLib.simulate import objects
from MyoPINNLib.simulate.population import parker

CURVES, SEED = 400, 11
SIZES = (100, 1000, 10_000, 100_000)
GROWING = (Method.NLLS, Method.MAP, Method.ONE_SHOT)
NOT_INSTALLED = "not installed"
PARKER_S, ARRIVAL_S = 180.0, 8.0
ROUNDING = 1e-6


def over_seeds(found):
    """The mean of several seeds' figures, or the word of the first that has none."""
    words = [figures for figures in found if isinstance(figures, str)]
    return words[0] if words else mean_of(found)


def turn(entrant, name, seed, given, truth, folder, kept):
    """Figures of one fit, or the words that say why there are none. ``kept``: where they are looked for and put, or None."""
    if entrant.peer and not PEERS_PYTHON.exists():
        return NOT_INSTALLED
    there = kept and load(kept)
    if there:
        return there
    target = Path(folder, f"{name}-{seed}-{abs(hash(entrant.label))}.npz")
    try:
        found = took_turn(command(entrant, CASES[name], given, target), target)
        figures = judged(found, truth, study(given)["voxels"] if CASES[name].whole else None)
    except (RuntimeError, subprocess.TimeoutExpired) as trouble:
        figures = f"failed: {trouble}"
    print(f"{name}, seed {seed}, {entrant.label}: {said(figures)}", flush=True)
    return save(kept, figures) if kept and isinstance(figures, dict) else figures


def said(figures):
    """One turn in a line."""
    if isinstance(figures, str):
        return figures
    return (
        f"F_p off by {figures['median']:.1%} (bias {figures['bias']:+.1%}, P90 {figures['p90']:.0%}), "
        f"{figures['seconds']:.2f} s for 1 000 curves, {figures['peak']:.0f} MiB"
    )


def contest(names, rows, seeds, curves, jobs, *, keep=False):
    """By (object, entrant's label): the figures. ``keep``: fits that were done and kept before are not done again."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        made, waiting = {}, {}
        for name, seed in product(names, seeds):
            given, truth = drawn(CASES[name], seed=seed, curves=curves)
            path = Path(folder, f"{name}-{seed}.npz")
            np.savez(path, **given)
            made[name, seed] = path, truth
        for entrant, name in product(rows, names):
            if name in entrant.cases:
                waiting[name, entrant.label] = [
                    pool.submit(
                        turn,
                        entrant,
                        name,
                        seed,
                        *made[name, seed],
                        folder,
                        place("methods", name, seed, entrant.label, curves) if keep else None,
                    )
                    for seed in seeds
                ]
        return {key: over_seeds([future.result() for future in futures]) for key, futures in waiting.items()}


def growth(sizes):
    """By (method, curves): processor s, MiB and the share marked; nothing that is no number in a valid voxel."""
    found = {}
    for method, size in product(GROWING, sizes):
        reference = objects.twin(seed=SEED, voxels=size)
        with tempfile.TemporaryDirectory() as folder:
            given, target = Path(folder, "given.npz"), Path(folder, "answer.npz")
            np.savez(given, **travelling(reference, slice(None)))
            arrays = took_turn(command(alone(method), CASES["twin"], given, target), target)
        valid = arrays["valid"]
        if not np.isfinite(arrays["F_p"][valid]).all():
            raise SystemExit(f"{method.value} of {size} curves: a valid voxel's flow is no number.")
        figures = {
            "seconds": float(arrays["processor"]),
            "peak": float(arrays["peak"]),
            "marked": float((~valid).mean()),
        }
        print(f"{method.value}, {size} curves: {figures['seconds']:.1f} s, {figures['peak']:.0f} MiB", flush=True)
        found[method.value, size] = figures
    return found


def peers_there():
    """What the peers' environment holds, by package."""
    if not PEERS_PYTHON.exists():
        return {}
    script = Path(__file__).with_name("peers.py")
    return json.loads(subprocess.run([PEERS_PYTHON, script, "versions"], capture_output=True, text=True).stdout or "{}")


def asked_of_peers(model, **arrays):
    """What ``peers.py`` answers to a study of ``arrays``."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "given.npz"), Path(folder, "answer.npz")
        np.savez(source, **arrays)
        return took_turn([PEERS_PYTHON, Path(__file__).with_name("peers.py"), model, source, target], target)


def agreement():
    """By object: how far dcmri's exact curves lie from ours, largest difference in shares of the highest value.

    First with our input linear between its samples, as dcmri takes it, where more than ``ROUNDING`` ends the run; then as our methods take it.
    """
    twin, stress = (drawn(CASES[name], seed=SEED, curves=100) for name in ("twin", "stress"))
    times = np.arange(0.0, PARKER_S)
    parkers = {"time": times, "aif_time": times, "C_ap": parker(times, arrival=ARRIVAL_S)}, twin[1]
    found = {}
    for name, (given, truth) in {"twin": twin, "stress": stress, "Parker's input": parkers}.items():
        parameters = {key: values for key, values in truth.items() if key != "T_a"}
        theirs = asked_of_peers("forward", **given, **parameters)["C_t"]
        pair = []
        for between in (Interpolation.LINEAR, Interpolation.MONOTONE_CUBIC):
            aif = ArterialInput(given["aif_time"], given["C_ap"], interpolation=between)
            pair.append(apart(tissue_curve(aif, given["time"], **parameters), theirs))
        found[name] = tuple(pair)
        print(f"dcmri's 2CXM beside ours, {name}: {pair[0]:.1e} (same input), {pair[1]:.1e} (our cubic)", flush=True)
        alike(f"dcmri's 2CXM of {name}", pair[0])
    return found


def inputs_agreement():
    """By package: how far its input of Parker et al. lies from ours, in shares of the highest value."""
    times = np.arange(0.0, PARKER_S)
    found = {
        name: apart(parker(times), theirs)
        for name, theirs in asked_of_peers("parker", time=times).items()
        if theirs.size == times.size
    }
    for name, far in found.items():
        alike(f"Parker's input of {name}", far)
    return found


def apart(ours, theirs):
    """Largest difference in shares of the highest value."""
    return float(np.abs(ours - theirs).max() / ours.max())


def alike(what, far):
    """End the run where two that must be alike are not."""
    if far > ROUNDING:
        raise SystemExit(f"{what} lies {far:.1e} from ours; {ROUNDING:.0e} is rounding.")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[SEED])
    parser.add_argument("--curves", type=int, default=CURVES)
    parser.add_argument("--steps", type=int, help="training steps of the networks")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), help="objects")
    parser.add_argument("--methods", nargs="+", help="only rows whose label begins with one of these")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=list(SIZES), help="numbers of curves for the growth of cost"
    )
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="fits at a time")
    parser.add_argument("--keep", action="store_true", help="keep fits in build/reproduce and do none again")
    parser.add_argument("--write", action="store_true", help="write docs/validation.md and its pictures")
    given = parser.parse_args()
    if given.write and (given.methods or set(given.only) != set(CASES)):
        parser.error(
            "docs/validation.md holds all methods, with short trainings, on all objects: --write without a choice"
        )
    return given


def main():
    """Run, print, and write where asked to."""
    given = arguments()
    rows = entrants(steps=given.steps)
    if given.methods:
        rows = [row for row in rows if row.label.startswith(tuple(given.methods))]
    figures = contest(given.only, rows, given.seeds, given.curves, given.jobs, keep=given.keep)
    there = peers_there()
    agreed = (agreement(), inputs_agreement()) if "dcmri" in there else ({}, {})
    grown = growth(given.sizes)
    errors = model_error_lines(model_errors(seed=given.seeds[0]))
    labels = [row.label for row in rows]
    run = f"Up to {given.curves} curves of each object (maps whole), seeds {' '.join(map(str, given.seeds))}"
    lines = summary_lines(figures, labels, there, agreed, run) + errors
    lines += coverage_lines(figures, labels) + table_lines(figures, labels) + growth_lines(grown)
    print("\n".join(lines))
    if given.write:
        write_into(lines)
        draw(figures, labels, grown)


if __name__ == "__main__":
    main()
