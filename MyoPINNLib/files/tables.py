"""Plain tables: curves in, parameters and statistics out. CSV in UTF-8, with units in the columns' names."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..aif import ArterialInput
from ..errors import InputError
from ..fit import PARAMETERS, FitResult, TissueCurves
from ..quantities import QUANTITIES, shown
from ..series import checked_time
from .npz import DAMAGED, TooLarge, stored_arrays
from .outputs import write_whole
from .words import plain

MAX_BYTES = 256_000_000
TIME, INPUT, TISSUE = "time_s", "C_ap_mM", "C_t_mM"
_COLUMNS = f"The columns are {TIME}, {INPUT}, then one a curve, in mM."
_ARRAYS = f"It needs the arrays {TIME} (t,), {INPUT} (t,) and {TISSUE} (n, t)."


def read_curves(path: Path) -> tuple[TissueCurves, ArterialInput, tuple[str, ...]]:
    """(curves, input, names) of a .csv with the columns ``time_s``, ``C_ap_mM`` and one a curve, or of an .npz.

    Raises InputError where the file is not there, too large, or holds no such table. A curve may hold "nan": the solver
    says so of that curve; times and input may not.
    """
    path = Path(path)
    read = {".csv": _read_csv, ".npz": _read_npz}.get(path.suffix.lower())
    if not path.is_file():
        raise InputError(f'The table "{path.name}" is not there, or is no file.', "Check the path.")
    if read is None:
        raise InputError(f'"{path.name}" is no table of curves.', "Give a .csv or an .npz file.")
    if path.stat().st_size > MAX_BYTES:
        raise _too_large(path)
    time, C_ap, C_t, names = read(path)
    if len(time) < 2:
        raise InputError(f'"{path.name}" holds {len(time)} frame; curves need two at least.', _COLUMNS)
    time = checked_time(time, 1, len(time))[0]
    again = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if again is not None:
        raise InputError(
            f'Two curves of "{path.name}" are called "{plain(again, 40)}".', "Give each a name of its own."
        )
    return TissueCurves.on_one_clock(time, C_t), ArterialInput(time, C_ap), names


def _read_csv(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = [(number, row) for number, row in enumerate(csv.reader(stream), 1) if any(map(str.strip, row))]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            f'"{path.name}" cannot be read as a table.', "Save it as CSV in UTF-8, with commas."
        ) from error
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    if header[:2] != [TIME, INPUT] or len(header) < 3:
        found = ", ".join(header[:4]) or "nothing"
        raise InputError(
            f'The first row of "{path.name}" is not {TIME}, {INPUT} and a curve: it holds {plain(found, 80)}.', _COLUMNS
        )
    table = np.array([_numbers(path, number, header, row) for number, row in rows[1:]]).reshape(-1, len(header))
    return table[:, 0], table[:, 1], table[:, 2:].T, tuple(header[2:])


def _numbers(path: Path, number: int, header: list[str], row: list[str]) -> list[float]:
    """The cells of a row, or an InputError that names the row and the column."""
    if len(row) != len(header):
        raise InputError(
            f'Row {number} of "{path.name}" has {len(row)} cells and the first row {len(header)}.', _COLUMNS
        )
    values = []
    for column, (name, cell) in enumerate(zip(header, row, strict=True)):
        try:
            values.append(float(cell))
        except ValueError:
            values.append(None)
        if values[-1] is None or (column < 2 and not math.isfinite(values[-1])):
            where = f'Row {number}, column "{plain(name, 40)}" of "{path.name}"'
            raise InputError(
                f'{where} holds "{plain(cell.strip(), 20)}", which is no number.', "Numbers have a point: 0.85."
            )
    return values


def _read_npz(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    try:
        with stored_arrays(path, MAX_BYTES) as arrays:
            time, C_ap, C_t = (np.asarray(arrays[name], dtype=float) for name in (TIME, INPUT, TISSUE))
            names = tuple(str(name) for name in np.ravel(arrays["names"])) if "names" in arrays else None
    except TooLarge as error:
        raise _too_large(path) from error
    except (*DAMAGED, TypeError) as error:
        raise InputError(f'"{path.name}" does not hold curves.', _ARRAYS) from error
    C_t = np.atleast_2d(C_t)
    if time.ndim != 1 or C_ap.shape != time.shape or C_t.ndim != 2 or C_t.shape[1:] != time.shape:
        raise InputError(
            f'"{path.name}" holds {TIME} {time.shape}, {INPUT} {C_ap.shape} and {TISSUE} {C_t.shape}, which do not fit.',
            _ARRAYS,
        )
    names = names or tuple(str(number + 1) for number in range(len(C_t)))
    if len(names) != len(C_t):
        raise InputError(f'"{path.name}" holds {len(C_t)} curves and {len(names)} names.', _ARRAYS)
    return time, C_ap, C_t, names


def _too_large(path: Path) -> InputError:
    return InputError(f'"{path.name}" holds more than {MAX_BYTES:.3g} bytes.', "Split it into smaller tables.")


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
    if "steps" in result.details:
        columns |= {"steps": [result.details["steps"]] * len(names), "start": [result.details["start"]] * len(names)}
    if result.doubtful:
        columns["doubtful"] = [" ".join(result.doubtful)] * len(names)
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
