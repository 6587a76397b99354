"""What is read and what is written must not be the same place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError
from ..results import MAX_SEAL_BYTES, SEAL
from ..untrusted import json_object

PHANTOM, COMPARISON = "phantom", "comparison"


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


def of_one_kind(folder: Path, kind: str = "") -> None:
    """InputError where something of another kind would be replaced: a study, a comparison, or (no word) a result."""
    try:
        values = json_object(folder / SEAL, MAX_SEAL_BYTES)
    except (OSError, ValueError):
        return
    there = next((name for name in (PHANTOM, COMPARISON) if name in values), "")
    if there != kind:
        words = {PHANTOM: "a study", COMPARISON: "a comparison", "": "a result"}
        raise InputError(
            f'"{folder.name}" holds {words[there]}; {words[kind]} may not replace it.', "Choose an empty or new folder."
        )
