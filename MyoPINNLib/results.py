"""A result is a folder that is there whole or not at all.

``replaced(folder)`` hands out an empty folder inside it (so that both lie on one disk, even where ``folder`` is a mount),
whose files move up when all is written; after a failure or a cancel it vanishes and everything is as it was.
``result.json`` is the seal: it lists the files of the result, and a folder that holds anything else is never replaced.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from .errors import InputError
from .swap import PREFIX, Journal, begin, locked, own, read, recover, swap
from .untrusted import json_object

SEAL = "result.json"
SEAL_KEY = "myopinn"
MAX_SEAL_BYTES = 4_000_000
_OVERLOOKED = {".DS_Store", "Thumbs.db", "desktop.ini"}
_ELSEWHERE = "Choose an empty or new folder."


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """An empty folder to write into; its files are ``folder`` where the block ends well and vanish where it does not.

    Raises InputError where ``folder`` cannot be written, holds something that is not an earlier result, or has a run in it.
    """
    folder = Path(os.path.abspath(folder))
    new = not folder.exists()
    check_output(folder)
    try:
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            yield from _replaced(folder)
    finally:
        if new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The lock of ``folder``; what an earlier run left half done is ended or undone."""
    with ExitStack() as stack:
        with told(folder):
            stack.enter_context(locked(folder))
            recover(folder)
        check_output(folder)
        yield


def _replaced(folder: Path) -> Iterator[Path]:
    try:
        with told(folder):
            journal = begin(folder)
        partial = folder / journal.partial
        yield partial
        check_output(folder)  # also what came while we were at work
        leaving, coming = (tuple(item.name for item in _entries(place)) for place in (folder, partial))
        if coming:
            with told(folder):
                swap(folder, Journal(journal.partial, leaving, coming))
    finally:
        with suppress(OSError):  # the next run clears up
            recover(folder)


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
    files = (path for path in below if (path.is_symlink() or not path.is_dir()) and not _overlooked(path))
    names = (path.relative_to(folder).as_posix() for path in files)
    return sorted(name for name in names if name != SEAL)


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


def _entries(folder: Path) -> list[Path]:
    """What lies in ``folder``, its seal last; not what belongs to a run under way or to a file browser."""
    if not folder.is_dir():
        return []
    journal = read(folder)
    ours = own(folder) | (journal.places if journal else set())
    items = (item for item in folder.iterdir() if item.name not in ours and not _overlooked(item))
    return sorted(items, key=lambda item: item.name == SEAL)


def _overlooked(path: Path) -> bool:
    """True for what a file browser leaves in any folder."""
    return path.name in _OVERLOOKED or path.name.startswith("._")


def _foreign(folder: Path) -> str | None:
    """The first thing in ``folder`` that no earlier result left there."""
    journal = read(folder)
    known = frozenset().union(*(_sealed(folder / place / SEAL) for place in ("", *(journal.places if journal else ()))))
    if not _sealed(folder / SEAL) and os.path.lexists(folder / SEAL):
        return SEAL
    strange = (item.name for item in _entries(folder) if item.name.startswith(PREFIX))
    return next((path for path in (*strange, *files_below(folder)) if path not in known), None)


def _sealed(path: Path) -> frozenset[str]:
    """The files that a seal lists; none where it is no seal."""
    try:
        values = {} if path.is_symlink() else json_object(path, MAX_SEAL_BYTES)
    except (OSError, ValueError):
        return frozenset()
    if SEAL_KEY not in values or not isinstance(values.get("outputs"), list):
        return frozenset()
    return frozenset(item for item in values["outputs"] if isinstance(item, str))
