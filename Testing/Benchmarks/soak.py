"""Whether MyoPINN stands a rough week: broken input, kills at random moments, crowds, long sessions, full disks, closed folders.

fuzz      500 inputs (DICOM, NRRD, CSV, job JSON) broken at random: each ends with a result or words about the input, never with a traceback
kills     50 runs (nlls and map) killed with -9 at random moments and taken up again: the maps are those of a run left in peace, bit by bit
crowd     20 jobs at once: all end well with the same maps
session   200 runs in one process: memory stays where it is after the first 20
disk      files that may not grow beyond a size (RLIMIT_FSIZE: the write fails), and a disk of 1 MiB that is full, where this process may
          mount one (root on Linux may): words, and the earlier result as it was
closed    places that cannot be written: words

make soak      all of them (about ten minutes on two cores); alone:
python Testing/Benchmarks/soak.py [--only fuzz kills] [--seed 1] [--write]
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
from page import Section, parser
from soak_disk import AT_FAULT, GOOD, PATIENCE, closed, disk, judged, quantify, quiet

from MyoPINNLib import pipeline
from MyoPINNLib.engine import EngineRun, State
from MyoPINNLib.events import Started
from MyoPINNLib.job import Job
from MyoPINNLib.settings import Delay, FitSettings, Method, Settings
from MyoPINNLib.simulate.phantom import Preset, make_phantom

INPUTS, KILLS, JOBS, RUNS = 500, 50, 20, 200
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


# ---- fuzz
def broken(data, rng):
    """Bytes with a few wrong ones, a piece missing, a piece twice, or cut off."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at, length = int(rng.integers(0, max(len(data), 1))), int(rng.integers(1, 200))
        kind = rng.integers(0, 6)
        if kind == 0:
            data[at : at + length] = rng.bytes(min(length, 20))
        elif kind == 1:
            del data[at : at + length]
        elif kind == 2:
            data[at:at] = data[at : at + length]
        elif kind == 3:
            del data[at:]
        elif kind == 4 and data:
            data[at % len(data)] ^= 1 << int(rng.integers(0, 8))
        else:  # near the beginning, where the header is
            at = int(rng.integers(0, min(len(data), 600) + 1))
            data[at : at + 8] = rng.bytes(8)
    return bytes(data)


def fuzz(study, folder, rng):
    """Broken DICOM, NRRD, CSV and job JSON, a quarter each, through the command line."""
    troubles, ended = [], {GOOD: 0, AT_FAULT: 0}
    makers = (fuzzed_dicom, fuzzed_nrrd, fuzzed_csv, fuzzed_job)
    for n in range(INPUTS):
        place = folder / str(n)
        place.mkdir()
        arguments = makers[n % len(makers)](study, place, rng)
        code, said = quiet(arguments)
        ended[code] = ended.get(code, 0) + 1
        troubles += judged(code, said, f"{n}: {arguments[0]} ({makers[n % len(makers)].__name__})")
        shutil.rmtree(place, ignore_errors=True)
    return f"{INPUTS} inputs, {ended[GOOD]} read, {ended[AT_FAULT]} refused in a sentence", troubles


def fuzzed_dicom(study, place, rng):
    """A few files of the series broken; the others are links to it."""
    files = sorted((study / "dicom").rglob("*.dcm")) or sorted(p for p in (study / "dicom").rglob("*") if p.is_file())
    hurt = set(rng.choice(len(files), rng.integers(1, 6), replace=False).tolist())
    (place / "dicom").mkdir()
    for n, file in enumerate(files):
        target = place / "dicom" / f"{n}.dcm"
        if n in hurt:
            target.write_bytes(broken(file.read_bytes(), rng))
        else:
            os.link(file, target)
    if rng.integers(0, 3):
        return ["info", str(place / "dicom"), "--quiet"]
    return quantify(place / "dicom", study / "masks.nrrd", place / "out")


def fuzzed_nrrd(study, place, rng):
    """The masks' label map broken, in a whole quantification by Fermi."""
    (place / "masks.nrrd").write_bytes(broken((study / "masks.nrrd").read_bytes(), rng))
    return quantify(study / "dicom", place / "masks.nrrd", place / "out")


def fuzzed_csv(study, place, rng):
    """A table of curves broken."""
    time_s = np.arange(40) * 0.8
    C_ap = 6 * np.clip((time_s - 5) / 4, 0, None) ** 3 * np.exp(3 - 3 * np.clip((time_s - 5) / 4, 0, None))
    rows = ["time_s,C_ap_mM,a,b", *(f"{t:.2f},{c:.4f},{0.2 * c:.4f},{0.1 * c:.4f}" for t, c in zip(time_s, C_ap))]
    (place / "curves.csv").write_bytes(broken("\n".join(rows).encode(), rng))
    return ["fit", str(place / "curves.csv"), "-o", str(place / "out.csv"), "--method", "fermi", "--quiet"]


def fuzzed_job(study, place, rng):
    """job.json broken."""
    job = make_job(study, place / "job", FitSettings(method=Method.FERMI))
    path = job.folder / "job.json"
    path.write_bytes(broken(path.read_bytes(), rng))
    return ["run", str(job.folder), "--quiet"]


# ---- runs
def make_job(study, folder, how=None):
    """The study as a job in many small steps."""
    (folder / "input").mkdir(parents=True)
    shutil.copytree(study / "dicom", folder / "input" / "dicom", copy_function=os.link)
    for name in ("masks.nrrd", "insertion.mrk.json"):
        shutil.copy(study / name, folder / "input" / name)
    settings = Settings(fit=how or FitSettings(method=Method.NLLS, delay=Delay.FIXED, T_a=0.3, chunk=64))
    job = Job(folder, ("input/dicom",), ("input/masks.nrrd",), "input/insertion.mrk.json", settings)
    job.write()
    return job


def maps_of(job):
    """Name -> bytes of the maps of a job."""
    return {path.name: path.read_bytes() for path in sorted((job.folder / "output").glob("*.nrrd"))}


def ended(run, seconds=PATIENCE):
    """Poll a run until it ends."""
    end = time.monotonic() + seconds
    while not run.state.ended and time.monotonic() < end:
        run.poll()
        time.sleep(0.01)
    return run.state


def undisturbed(study, folder, how=None):
    """The maps of a run left in peace, and its seconds."""
    name = "undisturbed" if how is None else f"undisturbed-{how.method.value}"
    job, begun = make_job(study, folder / name, how), time.monotonic()
    run = EngineRun(job.folder)
    run.start()
    assert ended(run) is State.DONE
    return maps_of(job), time.monotonic() - begun


def kills(study, folder, rng):
    """Runs killed at random moments, each taken up again until it is done."""
    hows = [None, FitSettings(method=Method.MAP, chunk=64)]
    left_alone = [undisturbed(study, folder, how) for how in hows]
    troubles, killed = [], 0
    n = 0
    while killed < KILLS:
        n += 1
        right, seconds = left_alone[n % 2]
        job = make_job(study, folder / str(n), hows[n % 2])
        while True:
            run = EngineRun(job.folder)
            run.start()
            moment, pid = time.monotonic() + float(rng.uniform(0.0, 1.1 * seconds)), None
            while not run.state.ended and time.monotonic() < moment:
                pid = pid or next((event.process for event in run.poll() if isinstance(event, Started)), None)
                time.sleep(0.005)
            if pid is None or run.state.ended or killed >= KILLS:
                ended(run)
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
            if ended(run, 10.0) is State.DONE:
                break
        if run.state is not State.DONE:
            troubles.append(f"job {n}: {run.state}: {run.failure}")
        elif maps_of(job) != right:
            troubles.append(f"job {n}: other maps than an undisturbed run's")
        elif (job.folder / "checkpoint").exists():
            troubles.append(f"job {n}: a checkpoint is left behind")
        shutil.rmtree(job.folder)
    return f"{killed} kills of {n} jobs", troubles


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
