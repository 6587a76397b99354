"""How soon the engine answers: import, first event, first progress of the fit, cancel. make bench runs this; alone:
python Testing/Benchmarks/bench_start.py [--write]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from page import Section, asked

from MyoPINNLib import cli
from MyoPINNLib.engine import EngineRun
from MyoPINNLib.events import Progress, Started
from MyoPINNLib.job import Job
from MyoPINNLib.settings import FitSettings, Method, Settings

REPEATS = 5
IMPORT = "import time; t = time.perf_counter(); import MyoPINNLib; print(time.perf_counter() - t)"


def main():
    """Tell each figure beside what is wanted of it."""
    given = asked(__doc__)
    section = Section("start", f"Medians of {REPEATS}.")
    seconds = [
        float(subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True).stdout)
        for _ in range(REPEATS)
    ]
    section.say(f"`import MyoPINNLib`: {np.median(seconds) * 1e3:.1f} ms (wanted < 500 ms). The engine, s:")
    row = section.table(
        ["stress phantom as DICOM", "started (wanted < 1)", "progress of the fit (< 3)", "cancelled (< 2)"]
    )
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder, "study")
        cli.main(["simulate", "stress", "-o", str(study), "--quiet"])
        for method in (Method.NLLS, Method.MAP):
            runs = [timed(job(study, Path(folder, f"{method.value}{n}"), method)) for n in range(REPEATS)]
            row(method.value, *(f"{value:.2f}" for value in np.median(runs, axis=0)))
    if given.write:
        section.write()


def job(study, folder, method):
    """The study as a job with small batches, so that there is something to cancel."""
    shutil.copytree(study / "dicom", folder / "input" / "dicom")
    shutil.copy(study / "masks.nrrd", folder / "input")
    settings = Settings(fit=FitSettings(method=method, chunk=64, max_iterations=5000, tolerance=1e-9))
    made = Job(folder, ("input/dicom",), ("input/masks.nrrd",), None, settings)
    made.write()
    return made


def timed(made):
    """Seconds to the started event, to the first progress of the fit beyond 0, and from cancel to the end."""
    run, begun, seen = EngineRun(made.folder), time.perf_counter(), {}
    run.start()
    while not run.state.ended:
        for event in run.poll():
            now = time.perf_counter() - begun
            if isinstance(event, Started):
                seen.setdefault("started", now)
            if isinstance(event, Progress) and event.stage.startswith("fit of"):
                seen.setdefault("progress", now)
            if isinstance(event, Progress) and event.stage == "fit of voxels" and "cancel" not in seen:
                seen["cancel"] = time.perf_counter()
                run.cancel()
        time.sleep(0.005)
    return seen["started"], seen["progress"], time.perf_counter() - seen["cancel"]


if __name__ == "__main__":
    main()
