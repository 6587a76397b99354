"""Small JSON files that may come from anyone: a size is checked before memory is taken, and what comes out is an object."""

from __future__ import annotations

import json
from pathlib import Path


class NotJson(ValueError):
    """The file holds no JSON."""


class NotAnObject(NotJson):
    """The file holds something else than a JSON object."""


class TooLong(NotJson):
    """The file has more bytes than are read."""


def json_object(path: Path, most: int) -> dict:
    """The JSON object of a file of ``most`` bytes at most (UTF-8, a byte order mark is allowed).

    Raises OSError where it cannot be read, TooLong, NotAnObject, or another NotJson.
    """
    with Path(path).open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise TooLong(f"more than {most} bytes")
    try:
        values = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error
    if not isinstance(values, dict):
        raise NotAnObject(f"a {type(values).__name__}")
    return values
