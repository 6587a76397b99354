"""Plain tables: curves in, parameters and statistics out. CSV in UTF-8, with units in the columns' names."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..fit import PARAMETERS, FitResult
from ..quantities import QUANTITIES, shown
from .outputs import write_whole


def write_parameters(path: Path, names: Sequence[str], result: FitResult) -> None:
    """One row a curve, shown units: parameters, their SDs where the method gives them, ``residual`` mM, ``valid``, ``reason``.

    A quantity that the method does not give stays empty.
    """
    columns: dict[str, Sequence] = {"curve": names}
    values = dict(result.parameters.items())
    for name in PARAMETERS:
        columns[QUANTITIES[name].column] = shown(name, values[name]) if name in values else [None] * len(names)
    for name, sd in result.sd.items() if result.sd else ():
        columns[f"{QUANTITIES[name].column}_sd"] = shown(name, sd)
    columns |= {"residual": result.residual, "valid": result.valid.astype(int), "reason": result.reasons}
    _write(path, list(columns), zip(*columns.values(), strict=True))


def write_segment_table(path: Path, rows: Sequence[Mapping]) -> None:
    """One row a mapping, all of their columns in order of appearance; what is None or not a number stays empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    _write(path, columns, ([row.get(name) for name in columns] for row in rows))


def write_curves(path: Path, time: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
    """``time_s`` (t,) s and beside it curves (t,) under their names."""
    _write(path, ["time_s", *columns], zip(time, *columns.values(), strict=True))


def _write(path: Path, header: Sequence[str], rows: Iterable[Iterable]) -> None:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows([_cell(value) for value in row] for row in rows)
    write_whole(path, text.getvalue().encode("utf-8"))


def _cell(value) -> str:
    """A number with all of its digits, a word as it is."""
    if value is None:
        return ""
    if isinstance(value, (float, np.floating)):
        return repr(float(value)) if math.isfinite(value) else ""
    return str(value)
