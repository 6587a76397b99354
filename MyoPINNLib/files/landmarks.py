"""Points that the user set in Slicer (``.mrk.json``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputError
from ..untrusted import TooLong, json_object
from .words import plain

MAX_BYTES = 4_000_000
_TO_LPS = {"LPS": np.array([1.0, 1.0, 1.0]), "RAS": np.array([-1.0, -1.0, 1.0])}
_HINT = "Save the point list from Slicer as .mrk.json."


def read_insertion(path: Path) -> tuple[tuple[float, float, float], ...]:
    """The anterior RV insertion, LPS mm: the points of the file that were set, one, or one a slice.

    Raises InputError where the file is not there, too large, no point list, or holds no point.
    """
    path = Path(path)
    try:
        markups = json_object(path, MAX_BYTES)["markups"]
        points = [point for markup in markups for point in _points(markup, path.name)]
    except OSError as error:
        raise InputError(f'The points "{path.name}" could not be read: {error.strerror}.', "Check the path.") from error
    except TooLong as error:
        raise InputError(
            f'"{path.name}" has more than {MAX_BYTES} bytes: it is no list of a few points.', _HINT
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f'"{path.name}" is no point list of Slicer.', _HINT) from error
    if not points:
        raise InputError(f'"{path.name}" holds no point.', "Set the anterior RV insertion in Slicer and save it.")
    return tuple(points)


def _points(markup: dict, name: str) -> list[tuple[float, float, float]]:
    """The points of one markup that were set, LPS mm."""
    kind, system, unit = markup["type"], markup.get("coordinateSystem"), markup.get("coordinateUnits", "mm")
    unit = unit[0] if isinstance(unit, list) and unit else unit  # a coded unit: value, scheme, meaning
    if kind != "Fiducial":
        raise InputError(f'"{name}" holds a {plain(kind, 30)}, not points.', "Use a point list.")
    if system not in _TO_LPS or unit != "mm":
        raise InputError(
            f'"{name}" is in {plain(system, 30)} and {plain(unit, 30)}; points are in LPS or RAS and mm.', _HINT
        )
    places = [
        np.array(point["position"], dtype=float)
        for point in markup["controlPoints"]
        if point.get("positionStatus", "defined") == "defined"
    ]
    if any(place.shape != (3,) or not np.isfinite(place).all() for place in places):
        raise InputError(f'A point of "{name}" is not three numbers.', _HINT)
    in_lps = [(place * _TO_LPS[system] + 0.0).tolist() for place in places]
    return [(x, y, z) for x, y, z in in_lps]
