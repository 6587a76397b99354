"""A training that was stopped goes on: its state lies beside the output until the output is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Cancelled
from ..job import Checkpoint
from ..settings import FitSettings

SUFFIX = ".unfinished"


@contextmanager
def unfinished(output: Path, settings: FitSettings, digest: Callable[[], str]) -> Iterator[Checkpoint | None]:
    """A checkpoint beside ``output`` for the work of the block, if that is a network's; cleared when the block ends well.

    ``digest()`` names everything that the work depends on.

    A block that is stopped leaves it, and the user is told how to go on.
    """
    if not settings.method.is_network:
        yield None
        return
    folder = output.with_name(output.name + SUFFIX)
    checkpoint = Checkpoint(folder, digest())
    try:
        yield checkpoint
    except (Cancelled, KeyboardInterrupt) as stopped:
        if not folder.is_dir():
            raise
        raise Cancelled(
            "The training was stopped.", f'"{folder.name}" keeps it: the same command goes on.'
        ) from stopped
    checkpoint.clear()
