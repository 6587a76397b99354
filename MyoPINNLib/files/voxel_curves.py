"""``voxel_curves.npz``: the measured and the fitted curve of every voxel, for whoever asks what lies below a map's value.

It may come from anyone: a job folder travels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..fit import FitResult, Outcome, TissueCurves
from .npz import arrays_of
from .outputs import whole_file

MAX_BYTES = 2_000_000_000
_TAKE = "Compute the study again."
_PARTS = ("voxels", "clock", "outcome", "time", "weight", "measured", "fitted")


@dataclass(frozen=True)
class VoxelCurves:
    """``voxels`` (n, 3) k, j, i; ``clock`` (n,) row of ``time`` (s, t) s and ``weight`` (s, t) of each; ``outcome`` (n,)
    Outcome codes; ``measured`` and ``fitted`` (n, t) mM.

    Raises InputError where the shapes do not fit together.
    """

    voxels: np.ndarray
    clock: np.ndarray
    outcome: np.ndarray
    time: np.ndarray
    weight: np.ndarray
    measured: np.ndarray
    fitted: np.ndarray

    def __post_init__(self) -> None:
        n, clocks = len(self.voxels), np.shape(self.time)
        frames = clocks[-1:]
        wanted = {
            "voxels": (n, 3), "clock": (n,), "outcome": (n,), "time": clocks[:1] + frames, "weight": clocks,
            "measured": (n, *frames), "fitted": (n, *frames),
        }  # fmt: skip
        for name, shape in wanted.items():
            if np.shape(getattr(self, name)) != shape:
                raise InputError(
                    f"The voxels' curves hold {name} of {np.shape(getattr(self, name))}, not {shape}.", _TAKE
                )
        if n and not (0 <= self.clock.min() <= self.clock.max() < clocks[0]):
            raise InputError(f"A voxel's curve names clock {self.clock.max()} and there are {clocks[0]}.", _TAKE)
        if not set(np.unique(self.outcome)) <= set(map(int, Outcome)):
            raise InputError(f"A voxel's outcome is {self.outcome.max()}, which is not known.", _TAKE)

    @classmethod
    def of(cls, curves: TissueCurves, result: FitResult) -> VoxelCurves:
        """The curves of a voxel-wise fit."""
        return cls(
            curves.voxels, curves.clock, result.outcome, curves.time, curves.weight, curves.C_t, result.C_t
        )  # fmt: skip

    def row_of(self, k: int, j: int, i: int) -> int | None:
        """The row of a voxel; None where it was not fitted."""
        found = np.flatnonzero((self.voxels == (k, j, i)).all(axis=1))
        return int(found[0]) if found.size else None


def write_voxel_curves(path: Path, curves: VoxelCurves) -> Path:
    """Write ``curves``; concentrations as 32-bit numbers."""
    whole = {name: np.asarray(getattr(curves, name), dtype=np.int32) for name in ("voxels", "clock", "outcome")}
    exact = {name: np.asarray(getattr(curves, name), dtype=np.float64) for name in ("time", "weight")}
    short = {name: np.asarray(getattr(curves, name), dtype=np.float32) for name in ("measured", "fitted")}
    with whole_file(path) as draft, draft.open("wb") as stream:
        np.savez(stream, **whole, **exact, **short)
    return Path(path)


def read_voxel_curves(path: Path) -> VoxelCurves:
    """The curves of a ``voxel_curves.npz``; raises InputError where there is none, or it is damaged, too large or strange."""
    with arrays_of(Path(path), MAX_BYTES, what="The voxels' curves", holds="curves of voxels", hint=_TAKE) as arrays:
        return VoxelCurves(**{name: arrays[name] for name in _PARTS})
