"""Kills for soak.py: jobs whose engine dies at random moments and is taken up again until it is done.

Two proofs that a resumed run goes on and does not begin anew: what was kept before the kill is never written again (batches of nlls and map),
or only with more steps (a network's state); and the maps are those of a run left in peace, bit by bit.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from soak_disk import PATIENCE

from MyoPINNLib.engine import EngineRun, State
from MyoPINNLib.events import Started
from MyoPINNLib.job import CHECKPOINT, Job
from MyoPINNLib.network_settings import NetworkSettings
from MyoPINNLib.settings import Delay, FitSettings, Method, Settings

KILLS, AT_A_TIME = 50, 2
OF_A_NETWORK = 6
NETWORK = FitSettings(method=Method.COMBINED, network=NetworkSettings(steps=1500, threads=1))
HOWS = (FitSettings(method=Method.NLLS, delay=Delay.FIXED, T_a=0.3, chunk=64), FitSettings(method=Method.MAP, chunk=64))


def make_job(study, folder, how=HOWS[0]):
    """The study as a job, in many small steps."""
    (folder / "input").mkdir(parents=True)
    shutil.copytree(study / "dicom", folder / "input" / "dicom", copy_function=os.link)
    for name in ("masks.nrrd", "insertion.mrk.json"):
        shutil.copy(study / name, folder / "input" / name)
    job = Job(folder, ("input/dicom",), ("input/masks.nrrd",), "input/insertion.mrk.json", Settings(fit=how))
    job.write()
    return job


def maps_of(job):
    """Name -> bytes of the maps of a job."""
    return {path.name: path.read_bytes() for path in sorted((job.folder / "output").glob("*.nrrd"))}


def undisturbed(study, folder, how=HOWS[0]):
    """The maps of a run left in peace, and its seconds."""
    job, begun = make_job(study, folder / f"undisturbed-{how.method.value}", how), time.monotonic()
    assert Watch(job).until(begun + PATIENCE) is State.DONE
    return maps_of(job), time.monotonic() - begun


class Watch:
    """One engine run of a job, and what becomes of the files that an earlier one kept."""

    def __init__(self, job):
        self.folder, self.process = job.folder / CHECKPOINT, None
        self.kept, self.again = self.there(), []
        self.run = EngineRun(job.folder)
        self.run.start()

    def there(self):
        """Name -> (file, steps of a network or None) of what is kept now."""
        found = {}
        for path in self.folder.glob("*.npz") if self.folder.is_dir() else ():
            with contextlib.suppress(OSError, zipfile.BadZipFile):
                held = path.stat()
                found[path.name] = ((held.st_ino, held.st_mtime_ns), steps_in(path))
        return found

    def until(self, moment):
        """Poll the run until it ends or ``moment`` (time.monotonic) comes; the state that it is in then."""
        while not self.run.state.ended and time.monotonic() < moment:
            for event in self.run.poll():
                self.process = event.process if isinstance(event, Started) else self.process
            self.compare()
            time.sleep(0.01)
        return self.run.state

    def compare(self):
        """Note what was kept and is written anew without having gone on."""
        for name, (file, steps) in self.there().items():
            before = self.kept.get(name)
            if before and file != before[0] and (steps is None or steps < before[1]):
                self.again.append(name)
            self.kept[name] = (file, steps)

    def kill(self):
        """Kill -9; False where it was too late for that."""
        if self.process is None or self.run.state.ended:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        return self.until(time.monotonic() + 10.0) is not State.DONE


def steps_in(path):
    """The steps that a network's kept state has done; None of anything else."""
    with np.load(path, allow_pickle=False) as held:
        return int(held["step"]) if "step" in held.files else None


class Kills:
    """The killing of ``wanted`` runs, by several threads, and what they found."""

    def __init__(self, wanted):
        self.wanted, self.done, self.jobs, self.useful, self.troubles = wanted, 0, 0, 0, []
        self._lock = threading.Lock()

    def next(self):
        """The number of a job that is to be begun; None where enough was killed."""
        with self._lock:
            self.jobs += self.done < self.wanted
            return self.jobs if self.done < self.wanted else None

    def killed(self, watch):
        """Whether the run was killed, and counted."""
        with self._lock:
            wanted = self.done < self.wanted
            self.done += wanted
        if not wanted:
            return False
        killed = watch.kill()
        with self._lock:
            self.done -= not killed
            self.useful += killed and bool(watch.there())
        return killed

    def work(self, study, folder, how, right, seconds, rng):
        """Jobs, one after another."""
        while (number := self.next()) is not None:
            job = make_job(study, folder / f"{how.method.value}-{number}", how)
            self.troubles += [
                f"{how.method.value}, job {number}: {each}" for each in self.taken_up(job, right, seconds, rng)
            ]
            shutil.rmtree(job.folder)

    def taken_up(self, job, right, seconds, rng):
        """Run a job, killed again and again until one run is faster; what is wrong with how it ended."""
        troubles = []
        while True:
            watch = Watch(job)
            watch.until(time.monotonic() + float(rng.uniform(0.0, 1.1 * seconds)))
            killed = self.killed(watch)
            state = watch.run.state if killed else watch.until(time.monotonic() + PATIENCE)
            troubles += [f"{name} was done again" for name in watch.again]
            if not killed:
                break
        if state is not State.DONE:
            return [*troubles, f"{state}: {watch.run.failure}"]
        troubles += ["other maps than an undisturbed run's"] if maps_of(job) != right else []
        return troubles + (["a checkpoint is left behind"] if (job.folder / CHECKPOINT).exists() else [])


def kills(study, folder, rng):
    """Runs killed at random moments, each taken up again until it is done."""
    has_networks = importlib.util.find_spec("tensorflow") is not None
    plans = [(OF_A_NETWORK, NETWORK)] if has_networks else []
    rest = KILLS - sum(wanted for wanted, _ in plans)
    plans += [(rest // 2, HOWS[0]), (rest - rest // 2, HOWS[1])]
    left_alone = [undisturbed(study, folder, how) for _, how in plans]
    works = [Kills(wanted) for wanted, _ in plans]
    seeds = rng.integers(2**31, size=len(plans))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        busy = [
            pool.submit(work.work, study, folder, how, right, seconds, np.random.default_rng(seed))
            for work, (_, how), (right, seconds), seed in zip(works, plans, left_alone, seeds)
        ]
    for each in busy:
        each.result()
    words = ", ".join(
        f"{work.done} of {how.method.value} ({work.jobs} jobs; {work.useful} with work kept)"
        for work, (_, how) in zip(works, plans)
    )
    none = "" if has_networks else "; no TensorFlow here, so no network"
    return f"{words}{none}", [trouble for work in works for trouble in work.troubles]
