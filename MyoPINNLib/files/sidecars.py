"""Frame times in a small file beside the images: ``.json`` with "time_s", or ``.csv``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from ..errors import InputError

MAX_BYTES = 4_000_000
_HINT = 'Frame times are seconds: {"time_s": [0.0, 0.8, ...]} or one such list a slice; in a .csv, one column or one a slice.'


def sidecar_of(path: Path, suffix: str) -> Path | None:
    """The sidecar of an image file whose name ends in ``suffix``; None where there is none."""
    stem = path.name[: len(path.name) - len(suffix)]
    stems = [stem, stem[:-4]] if stem.lower().endswith(".seq") else [stem]
    places = (path.with_name(name + ending) for name in stems for ending in (".json", ".csv"))
    return next((place for place in places if place.is_file()), None)


def sidecar_times(path: Path, slices: int, frames: int) -> np.ndarray:
    """Frame times (k, t) s; InputError where the file does not hold them for ``slices`` x ``frames`` images."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f'"{path.name}" has more than {MAX_BYTES} bytes: it is no list of frame times.', _HINT)
        text = path.read_text(encoding="utf-8-sig")
        time = _from_json(text) if path.suffix == ".json" else _from_csv(text)
    except (OSError, ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f'"{path.name}" holds no frame times.', _HINT) from error
    if time.ndim == 0:
        raise InputError(f'"{path.name}" holds no list of frame times.', _HINT)
    if time.ndim == 1 or len(time) == 1:
        time = np.broadcast_to(time.reshape(-1), (slices, time.size))
    if time.shape != (slices, frames):
        raise InputError(
            f'"{path.name}" has {time.shape[-1]} times for {len(time)} slices; the images are {frames} frames of {slices} slices.',
            _HINT,
        )
    return time


def _from_json(text: str) -> np.ndarray:
    return np.array(json.loads(text)["time_s"], dtype=float)


def _from_csv(text: str) -> np.ndarray:
    """(columns, rows): the columns named time_s, time_s_1 ...; all columns where the first row holds numbers."""
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    header = [cell.strip().lower() for cell in rows[0]]
    wanted = [column for column, cell in enumerate(header) if cell.startswith("time_s")]
    body = rows[1:] if wanted else rows
    wanted = wanted or list(range(len(header)))
    return np.array([[float(row[column]) for row in body] for column in wanted])
