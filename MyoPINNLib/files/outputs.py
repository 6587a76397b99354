"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError
from ..results import check_file, told


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A draft beside ``path`` to write into; it takes the name where the block ends well and vanishes where it does not.

    Raises InputError, in one sentence, where the disk is full or the place cannot be written.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f'"{path.name}" is a device, not a file.', "Name a file to write.")
    draft = path.with_name(f".partial-{path.name}")
    with told(path):
        try:
            if not path.is_dir():
                check_file(path)
            yield draft
            draft.replace(path)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> Path:
    """Write ``content`` at ``path``, whole or not at all."""
    with whole_file(path) as draft, draft.open("wb") as stream:
        stream.write(content)
    return Path(path)
