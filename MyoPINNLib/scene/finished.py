"""What a finished job left in its output folder, read and checked as a whole before the scene hears of it."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.nrrd import read_map
from ..files.voxel_curves import VoxelCurves, read_voxel_curves
from ..geometry import Geometry
from ..job import OUTPUT
from ..quantities import QUANTITIES
from ..results import MAX_SEAL_BYTES, SEAL
from ..untrusted import json_object

_AGAIN = "Compute the study again."
_SD = "_sd"
_MAX_TABLE = 50_000_000
_WORDS = {"name", "territory", "reason", "method", "doubtful"}
Table = dict[str, list]


@dataclass(frozen=True)
class Finished:
    """``summary`` is result.json; ``maps`` and ``sd`` quantity -> (k, j, i) shown units, ``label`` (k, j, i) AHA segments,
    all on ``geometry``; ``tables`` name -> column -> cells (numbers, NaN where empty, or words); ``curves`` of the voxels.
    """

    summary: dict
    maps: dict[str, np.ndarray]
    sd: dict[str, np.ndarray]
    label: np.ndarray
    geometry: Geometry
    tables: Mapping[str, Table]
    curves: VoxelCurves

    @property
    def fitted(self) -> np.ndarray:
        """(k, j, i) bool: the voxels that were fitted, well or not."""
        inside = np.zeros(self.geometry.shape, dtype=bool)
        inside[tuple(self.curves.voxels.T)] = True
        return inside

    @property
    def valid(self) -> np.ndarray:
        """(k, j, i) bool: the voxels that the solver vouches for."""
        return self.fitted & (self.maps["valid"] == 1)


def read_finished(job: Path) -> Finished:
    """The result of a job folder; raises InputError where it is not there, not whole, or does not fit together."""
    output = Path(job) / OUTPUT
    summary = _summary(output / SEAL)
    files = {str(name) for name in summary["outputs"]}
    wanted = {"aha.csv", "aif.csv", "segment_curves.csv", "voxel_curves.npz"}
    missing = sorted(name for name in files | wanted if not (output / name).is_file())
    if missing:
        raise InputError(f'The result lacks "{missing[0]:.80}".', _AGAIN)
    maps, sd, geometry = _maps(output, files)
    label, grid, _ = read_map(_parts(output, files, "segments"))
    curves = read_voxel_curves(output / "voxel_curves.npz")
    beyond = curves.voxels.min(initial=0) < 0 or (curves.voxels >= geometry.shape).any()
    if beyond or not grid.same_grid(geometry):
        raise InputError("The result's maps, segments and curves are not on one grid.", _AGAIN)
    tables = {
        "segments": _table(output / "aha.csv"),
        "input": _table(output / "aif.csv"),
        "curves": _table(output / "segment_curves.csv"),
        "settings": _settings(summary),
    }
    return Finished(summary, maps, sd, label, geometry, tables, curves)


def _summary(path: Path) -> dict:
    try:
        summary = json_object(path, MAX_SEAL_BYTES)
        if "method" in summary and isinstance(summary["outputs"], list) and isinstance(summary["settings"], dict):
            return summary
    except (OSError, ValueError, KeyError):
        pass
    raise InputError(f'The job holds no result: "{path.name}" is not there or damaged.', _AGAIN)


def _parts(output: Path, files: set[str], stem: str) -> list[Path]:
    """The file of a map, or its files where there is one a slice."""
    if f"{stem}.nrrd" in files:
        return [output / f"{stem}.nrrd"]
    parts: list[Path] = []
    while f"{stem}_{len(parts) + 1}.nrrd" in files:
        parts.append(output / f"{stem}_{len(parts) + 1}.nrrd")
    return parts


def _maps(output: Path, files: set[str]) -> tuple[dict, dict, Geometry]:
    maps: dict[str, np.ndarray] = {}
    sd: dict[str, np.ndarray] = {}
    geometry = None
    for name in QUANTITIES:
        for stem, found in ((name, maps), (name + _SD, sd)):
            parts = _parts(output, files, stem)
            if not parts:
                continue
            found[name], grid, _ = read_map(parts)
            geometry = geometry or grid
            if not grid.same_grid(geometry):
                raise InputError(f"The map of {stem} is on another grid than the others.", _AGAIN)
    if not {"MBF", "valid"} <= set(maps):
        raise InputError("The result holds no map of MBF and of its validity.", _AGAIN)
    return maps, sd, geometry


def _table(path: Path) -> Table:
    """Column -> cells; a column of numbers becomes numbers, NaN where a cell is empty."""
    try:
        if path.stat().st_size > _MAX_TABLE:
            raise ValueError
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
        columns = zip(*rows, strict=True) if rows else [()] * len(header)
        return {
            name: list(cells) if name in _WORDS else _cells(cells) for name, cells in zip(header, columns, strict=True)
        }
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f'The table "{path.name}" is damaged.', _AGAIN) from error


def _cells(cells: Sequence[str]) -> list[float]:
    return [float(cell) if cell else math.nan for cell in cells]


def _settings(summary: dict) -> Table:
    """All that decided the result, one row each."""
    rows = {"method": summary["method"], "version": summary.get("myopinn", ""), **_flat(summary["settings"])}
    rows |= {f"readout used.{name}": value for name, value in summary.get("readout", {}).items()}
    rows |= {"settings_digest": summary.get("settings_digest", "")}
    rows |= {f"warning {n + 1}": text for n, text in enumerate(summary.get("warnings", []))}
    return {"setting": list(rows), "value": [str(value) for value in rows.values()]}


def _flat(values: Mapping, stem: str = "") -> dict:
    found: dict[str, object] = {}
    for key, value in values.items():
        name = f"{stem}{key}"
        found |= _flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found
