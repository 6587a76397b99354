"""A result is a folder that is there whole or not at all.

``replaced(folder)`` hands out an empty folder inside it (so that both lie on one disk, even where ``folder`` is a mount),
whose files move up when all is written; after a failure or a cancel it vanishes and everything is as it was.
``result.json`` is the seal: it lists the files of the result, and a folder that holds anything else is never replaced.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError

SEAL = "result.json"
SEAL_KEY = "myopinn"
MAX_SEAL_BYTES = 4_000_000
_PARTIAL, _LEAVING, _OLD = ".myopinn-partial", ".myopinn-leaving", ".myopinn-old"
_OVERLOOKED = {_PARTIAL, _LEAVING, _OLD, ".DS_Store", "Thumbs.db", "desktop.ini"}
_ELSEWHERE = "Choose an empty or new folder."


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """An empty folder to write into; its files are ``folder`` where the block ends well and vanish where it does not.

    Raises InputError where ``folder`` cannot be written or holds something that is not an earlier result.
    """
    folder = Path(os.path.abspath(folder))
    partial = folder / _PARTIAL
    new = not folder.exists()
    with told(folder):
        _undo(folder)
        check_output(folder)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    try:
        yield partial
        with told(folder):
            _swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if new and not any(folder.iterdir()):
            folder.rmdir()


def check_output(folder: Path) -> None:
    """InputError where ``folder`` cannot become a result: a path below a file, no right to write, someone's own files."""
    folder = Path(os.path.abspath(folder))
    above = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not above.is_dir():
        raise InputError(f'"{folder.name}" cannot be written: "{above.name}" is a file, not a folder.', _ELSEWHERE)
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(
            f'"{folder.name}" cannot be written: there is no right to write in "{above.name}".', _ELSEWHERE
        )
    foreign = _foreign(folder) if above == folder else None
    if foreign:
        raise InputError(
            f'The folder "{folder.name}" holds "{foreign}", which is no earlier result of MyoPINN.', _ELSEWHERE
        )


def check_file(path: Path) -> None:
    """InputError where a file cannot be written at ``path``: a folder, a path below a file, no right to write."""
    path = Path(os.path.abspath(path))
    if path.is_dir():
        raise InputError(f'"{path.name}" is a folder, not a file.', "Give the name of the file to write.")
    if not path.parent.is_dir():
        raise InputError(
            f'"{path.name}" cannot be written: "{path.parent.name}" is no folder.', "Choose a folder that is there."
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f'"{path.name}" cannot be written: there is no right to write in "{path.parent.name}".')


def seal(folder: Path, values: dict) -> None:
    """Write ``result.json``, last and by rename: ``values`` and the list of all files below ``folder``."""
    draft = folder / f".{SEAL}.partial"
    with told(folder):
        text = json.dumps({**values, "outputs": files_below(folder)}, indent=1) + "\n"
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        draft.replace(folder / SEAL)


def files_below(folder: Path) -> list[str]:
    """All files below ``folder`` but its seal, as relative paths with "/"."""
    below = (path for item in _entries(folder) for path in (item, *item.rglob("*")))
    files = (path.relative_to(folder).as_posix() for path in below if path.is_symlink() or not path.is_dir())
    return sorted(path for path in files if path != SEAL)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """An OSError of the block becomes one sentence about ``path``."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(
            f'"{Path(path).name}" could not be written: {why}.', "Free space there or choose another place."
        ) from error


def _swap(partial: Path, folder: Path) -> None:
    """Put the earlier result aside, move the new one in, the seal last; anything that fails is undone."""
    try:
        (folder / _LEAVING).mkdir()
        for item in _entries(folder):
            item.rename(folder / _LEAVING / item.name)
        (folder / _LEAVING).rename(folder / _OLD)
        for item in _entries(partial):
            item.rename(folder / item.name)
    except OSError:
        _undo(folder)
        raise
    shutil.rmtree(folder / _OLD, ignore_errors=True)


def _undo(folder: Path) -> None:
    """Bring an earlier result back, where a swap broke off while it was leaving or while the new one moved in."""
    moved_in = (folder / _OLD).is_dir() and not (folder / SEAL).exists()
    for item in _entries(folder) if moved_in else ():
        shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()
    for item in [*_entries(folder / _LEAVING), *(_entries(folder / _OLD) if moved_in else ())]:
        item.rename(folder / item.name)
    for aside in (folder / _LEAVING, folder / _OLD):
        shutil.rmtree(aside, ignore_errors=True)


def _entries(folder: Path) -> list[Path]:
    """What lies in ``folder``, its seal last."""
    if not folder.is_dir():
        return []
    return sorted(
        (item for item in folder.iterdir() if item.name not in _OVERLOOKED), key=lambda item: item.name == SEAL
    )


def _foreign(folder: Path) -> str | None:
    """The first thing in ``folder`` that no earlier result left there."""
    known = _sealed(folder / SEAL)
    if not known and os.path.lexists(folder / SEAL):
        return SEAL
    return next((path for path in files_below(folder) if path not in known), None)


def _sealed(path: Path) -> frozenset[str]:
    """The files that a seal lists; none where it is no seal."""
    try:
        if path.is_symlink() or path.stat().st_size > MAX_SEAL_BYTES:
            return frozenset()
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return frozenset()
    if not isinstance(values, dict) or SEAL_KEY not in values or not isinstance(values.get("outputs"), list):
        return frozenset()
    return frozenset(item for item in values["outputs"] if isinstance(item, str))
