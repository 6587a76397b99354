"""What is read and what is written must not be the same place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError
from ..results import MAX_SEAL_BYTES, SEAL
from ..untrusted import json_object

PHANTOM = "phantom"


def apart(output: Path, inputs: Iterable[Path | None]) -> None:
    """InputError where ``output`` is one of the ``inputs`` or a folder that holds one: replacing it would delete it."""
    place = output.resolve()
    for given in inputs:
        if given is None:
            continue
        source = given.resolve()
        if place == source or place in source.parents:
            raise InputError(
                f'The output "{output.name}" would replace the input "{given.name}".',
                "Choose another place for the output.",
            )


def of_one_kind(folder: Path, *, phantom: bool) -> None:
    """InputError where a study would replace a result, or a result a study: only like replaces like."""
    try:
        values = json_object(folder / SEAL, MAX_SEAL_BYTES)
    except (OSError, ValueError):
        return
    if (PHANTOM in values) != phantom:
        there, here = ("a result", "a study") if phantom else ("a study", "a result")
        raise InputError(f'"{folder.name}" holds {there}; {here} may not replace it.', "Choose an empty or new folder.")
