"""Tables of segments with a visual score, of one or many studies: what ``myopinn compare`` reads, and what it writes."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .. import __version__
from ..errors import InputError
from ..groups import Comparison, ScoredSegments
from .outputs import write_whole
from .tables import write_segment_table
from .words import plain

MAX_BYTES, MAX_TABLES = 20_000_000, 10_000
TABLE = "aha.csv"
STUDY, SEGMENT = ("study", "patient"), ("segment", "aha_segment")
_YES, _NO = {"1", "1.0", "yes", "true", "y"}, {"0", "0.0", "no", "false", "n"}
_ONE_TABLE = "Give tables of segments with a first row of column names, such as aha.csv of a result."


def read_scored(
    tables: Sequence[Path], *, value: str, by: str, scores: Path | None = None
) -> tuple[ScoredSegments, tuple[str, ...]]:
    """The column ``value`` of all ``tables`` (.csv, or folders with an aha.csv), split by the column ``by`` (0 or 1); and notes.

    A study is a table's column study or patient, else its folder's name; no segment of a study may come twice. ``scores``: a table with study, segment and ``by``
    where the others have no such column. Raises InputError where a table or a column is not there, a score is neither yes
    nor no, or a segment has no score.
    """
    if len(tables) > MAX_TABLES:
        raise InputError(f"{len(tables)} tables are more than {MAX_TABLES}.")
    known = None if scores is None else _scores_of(scores, by)
    values, marks, studies, unmeasured = [], [], [], 0
    seen: set[tuple[str, str]] = set()
    for place, row, number in (found for table in tables for found in _segments(table)):
        study = _study(row) or place.resolve().parent.name
        if (study, number) in seen:
            raise InputError(
                f'Segment {number} of the study "{plain(study, 40)}" comes twice.',
                "Give each table once, and studies of the same folder name a column study.",
            )
        seen.add((study, number))
        where = f'segment {number} of "{plain(study, 40)}"'
        score = _cell(place, row, by) if known is None else known.get((study, number))
        if score is None:
            raise InputError(f"The scores hold no {where}.", 'Their columns are "study", "segment" and the score.')
        measured = _number(place, row, value, where)
        unmeasured += not math.isfinite(measured)
        values.append(measured)
        marks.append(_is_yes(score, by, where))
        studies.append(study)
    notes = [f"{unmeasured} segments have no {value} and are left out."] if unmeasured else []
    unused = len(set(known or ()) - seen)
    notes += [f"{unused} scores are of segments that are in no table."] if unused else []
    return ScoredSegments(np.array(values), np.array(marks), np.array(studies)), tuple(notes)


def write_comparison(
    folder: Path, segments: ScoredSegments, found: Comparison, notes: Sequence[str] = (), *, value: str, by: str
) -> None:
    """``groups.csv``, a row a kind, and ``comparison.json`` with the test and the notes."""
    kinds = ((by, found.scored, segments.scored), (f"not {by}", found.others, ~segments.scored))
    rows = [
        {
            "group": name,
            "segments": spread.count,
            "studies": len(np.unique(segments.study[here])),
            "value": value,
            "median": spread.median,
            "q1": spread.q1,
            "q3": spread.q3,
            "min": spread.least,
            "max": spread.most,
        }
        for name, spread, here in kinds
    ]
    write_segment_table(folder / "groups.csv", rows)
    test = {key: number for key, number in asdict(found).items() if isinstance(number, float) and math.isfinite(number)}
    told = {"value": value, "by": by, "test": "Mann-Whitney U", **test, "notes": list(notes), "version": __version__}
    write_whole(folder / "comparison.json", (json.dumps(told, indent=1) + "\n").encode())


def _segments(table: Path) -> list[tuple[Path, Mapping[str, str], str]]:
    """(path, row, number of the segment) of each row of a table."""
    path = Path(table) / TABLE if Path(table).is_dir() else Path(table)
    rows = _rows(path)
    return [(path, row, _segment(path, row)) for row in rows]


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise InputError(f'The table "{path.name}" is not there, or is no file.', "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f'"{path.name}" holds more than {MAX_BYTES:.3g} bytes.', "Split it into smaller tables.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            table = csv.DictReader(stream)
            rows = [row for row in table if any(row.values())]
            columns = [name.strip() for name in table.fieldnames or ()]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            f'"{path.name}" cannot be read as a table.', "Save it as CSV in UTF-8, with commas."
        ) from error
    if not rows:
        raise InputError(f'"{path.name}" holds no segments.', _ONE_TABLE)
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f'Two columns of "{path.name}" are called "{plain(twice, 40)}".', "Give each a name of its own."
        )
    ragged = next((n for n, row in enumerate(rows, start=2) if None in row or None in row.values()), None)
    if ragged is not None:
        raise InputError(f'Row {ragged} of "{path.name}" has not as many cells as the first row.', _ONE_TABLE)
    return rows


def _scores_of(path: Path, by: str) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for row in _rows(path):
        key = _study(row), _segment(path, row)
        if key in found:
            raise InputError(
                f'"{path.name}" scores segment {key[1]} of "{plain(key[0], 40)}" twice.', "Keep one of them."
            )
        found[key] = _cell(path, row, by)
    return found


def _segment(path: Path, row: Mapping[str, str]) -> str:
    number = _first(row, SEGMENT)
    if number is None:
        raise InputError(f'"{path.name}" has no column "{SEGMENT[0]}".', _ONE_TABLE)
    return number.removesuffix(".0")


def _study(row: Mapping[str, str]) -> str:
    """The study that a row names, "" where it names none."""
    return (_first(row, STUDY) or "").removesuffix(".0")


def _first(row: Mapping[str, str], names: Sequence[str]) -> str | None:
    found = (row[name] for name in names if row.get(name))
    return next((cell.strip() for cell in found), None)


def _cell(path: Path, row: Mapping[str, str], column: str) -> str:
    if row.get(column) is None:
        names = ", ".join(plain(name, 40) for name in row if name)
        raise InputError(f'"{path.name}" has no column "{plain(column, 40)}".', f"It has: {plain(names, 400)}.")
    return row[column].strip()


def _number(path: Path, row: Mapping[str, str], column: str, where: str) -> float:
    """A cell's number, NaN where it is empty."""
    text = _cell(path, row, column)
    try:
        return float(text) if text else math.nan
    except ValueError:
        raise InputError(
            f'{column} of {where} is "{plain(text, 20)}", which is no number.', "Numbers have a point: 0.85."
        ) from None


def _is_yes(text: str, by: str, where: str) -> bool:
    word = text.casefold()
    if word not in _YES | _NO:
        raise InputError(f'{by} of {where} is "{plain(text, 20)}".', "A score is 1 or 0 (or yes, no).")
    return word in _YES
