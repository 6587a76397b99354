"""Whether MyoPINN stands a rough week: broken input, kills at random moments, crowds, long sessions, full disks, closed folders.

fuzz      500 inputs (DICOM, NRRD, NIfTI, CSV, job JSON) damaged by Hypothesis: each ends with a result or words about the input, never with a traceback
kills     50 runs (nlls, map and a network) killed with -9 at random moments and taken up again: what was kept is not done again, and the
          maps are those of a run left in peace, bit by bit
crowd     20 jobs at once: all end well with the same maps
session   200 runs in one process: memory stays where it is after the first 20
disk      files that may not grow beyond a size (RLIMIT_FSIZE: the write fails), and a disk of 1 MiB that is full, where this process may
          mount one (root on Linux may): words, and the earlier result as it was
closed    places that cannot be written: words

make soak      all of them (about a quarter of an hour on two cores); alone:
python Testing/Benchmarks/soak.py [--only fuzz kills] [--seed 1] [--write]
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
from page import Section, parser
from soak_disk import GOOD, PATIENCE, closed, disk, quiet
from soak_fuzz import fuzz
from soak_kills import kills, make_job, maps_of, undisturbed

from MyoPINNLib import pipeline
from MyoPINNLib.engine import EngineRun, State
from MyoPINNLib.settings import FitSettings, Method, Settings
from MyoPINNLib.simulate.phantom import Preset, make_phantom

JOBS, RUNS = 20, 200
FLAT_MB = 30.0
EARLY = 20


def main():
    """Run what is asked for; exit code 1 where something was lost, silent or crashed."""
    options = parser(__doc__)
    options.add_argument("--only", nargs="+", choices=list(TRIALS), default=list(TRIALS))
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    if given.write and set(given.only) != set(TRIALS):
        options.error("docs/validation.md holds all trials: --write without --only")
    section, found = Section("soak", f"Seed {given.seed}."), []
    row = section.table(["trial", "outcome", "troubles (wanted 0)", "s"])
    with tempfile.TemporaryDirectory(prefix="myopinn-soak-") as place:
        study = Path(place) / "study"
        assert quiet(["simulate", "fast", "-o", str(study), "--quiet"])[0] == GOOD
        for name in given.only:
            begun, folder = time.monotonic(), Path(place) / name
            folder.mkdir()
            words, troubles = TRIALS[name](study, folder, np.random.default_rng([given.seed, *name.encode()]))
            left = orphans(place)
            troubles += [f"processes left behind: {left}"] if left else []
            row(name, words, len(troubles), f"{time.monotonic() - begun:.0f}")
            found += [f"- {name}: {' '.join(trouble.split())}" for trouble in troubles[:20]]
            shutil.rmtree(folder, ignore_errors=True)
    if found:
        section.say("", *found)
    if given.write:
        section.write()
    return int(bool(found))


def orphans(place):
    """The command lines of processes that still work below ``place``, also of those whose parent has gone."""
    left = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if process.pid != os.getpid() and any(str(place) in word for word in words):
            left.append(" ".join(words)[:100])
    return left


def crowd(study, folder, rng):
    """Many jobs at once."""
    right, _ = undisturbed(study, folder)
    jobs = [make_job(study, folder / str(n)) for n in range(JOBS)]
    runs = [EngineRun(job.folder) for job in jobs]
    for run in runs:
        run.start()
    end = time.monotonic() + 3 * PATIENCE
    while not all(run.state.ended for run in runs) and time.monotonic() < end:
        for run in runs:
            run.poll()
        time.sleep(0.02)
    troubles = [f"job {n}: {run.state}: {run.failure}" for n, run in enumerate(runs) if run.state is not State.DONE]
    troubles += [f"job {n}: other maps" for n, job in enumerate(jobs) if not troubles and maps_of(job) != right]
    return f"{JOBS} jobs at once", troubles


def session(study, folder, rng):
    """Many quantifications in one process."""
    phantom, sizes = make_phantom(Preset.FAST, seed=1), []
    methods = (Method.FERMI, Method.MAP)
    for n in range(RUNS):
        settings = Settings(fit=replace(FitSettings(), method=methods[n % 10 == 9]))
        pipeline.quantify(phantom.series, phantom.masks, settings)
        gc.collect()
        sizes.append(psutil.Process().memory_info().rss / 1e6)
    grown = float(np.median(sizes[-EARLY:]) - np.median(sizes[EARLY : 2 * EARLY]))
    troubles = [f"memory grew by {grown:.0f} MB"] if grown > FLAT_MB else []
    words = f"{RUNS} runs, memory {sizes[EARLY]:.0f} MB after {EARLY}, {sizes[-1]:.0f} MB at the end"
    return f"{words} (median {grown:+.1f} MB, wanted < {FLAT_MB:.0f})", troubles


TRIALS = {"fuzz": fuzz, "kills": kills, "crowd": crowd, "session": session, "disk": disk, "closed": closed}

if __name__ == "__main__":
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 256, "too few open files are allowed"
    sys.exit(main())
