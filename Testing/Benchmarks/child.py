"""What both kinds of child process share: ours (run_method.py) and the peers' (peers.py), which has no MyoPINNLib.

A study travels as .npz: ``time`` (t,) s, ``C_t`` (n, t) mM, ``aif_time`` (m,) s, ``C_ap`` (m,) mM, ``voxels`` (n, 3). An answer is .npz too: one
array (n,) for each parameter (1/s, fractions, s) and, by some methods, its SD ("sd F_p"), ``valid`` (n,), ``processor`` s, ``wall`` s and ``peak`` MiB.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

_KIB_A_MIB = 1024


def peak_memory():
    """The most memory that this program has held, MiB.

    Not by getrusage where Linux can say it: that counts what the parent held when it started this process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / _KIB_A_MIB
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / _KIB_A_MIB ** (2 if sys.platform == "darwin" else 1)


def study(path):
    """The arrays of a study, by name."""
    with np.load(path, allow_pickle=False) as held:
        return dict(held)


def answer(path, solve):
    """Run ``solve``, which gives arrays by name, and keep them with what they cost."""
    wall, processor = time.perf_counter(), time.process_time()
    found = solve()
    cost = {"processor": time.process_time() - processor, "wall": time.perf_counter() - wall, "peak": peak_memory()}
    np.savez(path, **found, **cost)
