"""Long runs are kept in build/reproduce, a file each, and not done again: make reproduce goes on where it was stopped. make clean forgets them."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import time
from datetime import date
from pathlib import Path

import numpy as np
from page import ROOT

from MyoPINNLib import __version__

KEPT = ROOT / "build" / "reproduce"


def place(*words):
    """Where the run that ``words`` name is kept."""
    return KEPT / f"{'-'.join(re.sub('[^A-Za-z0-9.-]+', '_', str(word)) for word in words)}.json"


def load(path):
    """The figures of a run, None where it was not done yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def arrays(path):
    """The arrays kept beside a run's figures, by name; None where there are none."""
    beside = path.with_suffix(".npz")
    if not beside.is_file():
        return None
    with np.load(beside, allow_pickle=False) as held:
        return dict(held)


def save(path, figures, **beside):
    """Keep a run's figures, with date and version, and arrays beside them. A run that is stopped leaves nothing half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if beside:
        draft = path.with_name(f"draft-{path.stem}.npz")
        np.savez(draft, **beside)
        os.replace(draft, path.with_suffix(".npz"))
    draft = Path(f"{path}.draft")
    stamped = figures | {"date": date.today().isoformat(), "version": __version__, "source": source()}
    draft.write_text(f"{json.dumps(stamped)}\n", encoding="utf-8")
    os.replace(draft, path)
    return stamped


def once(path, run, end=math.inf):
    """What is kept at ``path``, else what ``run()`` gives, kept; None where it is past ``end`` (time.monotonic) and not there yet."""
    return load(path) or (save(path, run()) if time.monotonic() < end else None)


def source():
    """The commit that a run was made with, with a + where files differ from it; "" where git cannot say."""
    words = ["git", "describe", "--always", "--dirty=+"]
    try:
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def dates(runs):
    """When the runs were done, and with which source, in words: code that was changed since may give other figures."""
    days = sorted({run.get("date", "a day unknown") for run in runs})
    made = sorted({run.get("source") or "unknown" for run in runs})
    return (
        f"Runs of {' to '.join(dict.fromkeys([days[0], days[-1]]))}, source {', '.join(made)}." if runs else "No runs."
    )
