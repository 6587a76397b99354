"""A new result takes an earlier one's place; whatever breaks off, the next run ends or undoes it.

``locked(folder)`` lets one run in at a time, by a lock of the operating system that a killed process loses by itself.
The journal says what will be moved before anything is; only what it lists is ever moved or deleted, and no link is followed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex

from .errors import InputError
from .untrusted import json_object

PREFIX = ".myopinn-"
LOCK, JOURNAL, DRAFT, OLD = (PREFIX + name for name in ("lock", "journal", "draft", "old"))
MAX_JOURNAL_BYTES = 1_000_000
_PARTIAL = re.compile(r"\.myopinn-partial-[0-9a-f]{16}")


@dataclass(frozen=True)
class Journal:
    """The folder that is being written, then what leaves and what comes: names in the result folder, the last one seals."""

    partial: str
    leaving: tuple[str, ...] = ()
    coming: tuple[str, ...] = ()

    @property
    def places(self) -> set[str]:
        """The folders of a run that is under way or broke off."""
        return {self.partial, OLD} if self.leaving else {self.partial}


def begin(folder: Path) -> Journal:
    """A new empty folder to write into, which the journal names before it is there."""
    journal = Journal(f"{PREFIX}partial-{token_hex(8)}")
    _write(folder, journal)
    (folder / journal.partial).mkdir()
    return journal


def swap(folder: Path, journal: Journal) -> None:
    """Put aside what leaves, then move in what comes; an OSError on the way is for ``recover``."""
    _write(folder, journal)
    if journal.leaving:
        (folder / OLD).mkdir()
    for name in journal.leaving:
        (folder / name).rename(folder / OLD / name)
    for name in journal.coming:
        (folder / journal.partial / name).rename(folder / name)


def recover(folder: Path) -> None:
    """End a swap whose last move was made, undo any other; then only the result is left. Calling it again does no harm."""
    journal = read(folder)
    if journal is None:
        return
    partial, old = folder / journal.partial, folder / OLD
    if swapped(folder, journal):
        for name in journal.leaving:
            _remove(old / name)
    else:
        _undo(folder, journal)
    if journal.leaving and old.is_dir():
        old.rmdir()
    if journal.coming:
        _write(folder, Journal(journal.partial))
    _remove(partial)
    (folder / JOURNAL).unlink()


def swapped(folder: Path, journal: Journal) -> bool:
    """True where the last thing to come has come."""
    last = journal.coming[-1:]
    return any(os.path.lexists(folder / name) and not os.path.lexists(folder / journal.partial / name) for name in last)


def read(folder: Path) -> Journal | None:
    """The journal of ``folder``, None where there is none; InputError where it is not one of ours."""
    if JOURNAL not in own(folder):
        return None
    path = folder / JOURNAL
    try:
        values = json_object(path, MAX_JOURNAL_BYTES)
        journal = Journal(values["partial"], tuple(values["leaving"]), tuple(values["coming"]))
        sound = _PARTIAL.fullmatch(journal.partial) and all(map(_plain, (*journal.leaving, *journal.coming)))
    except (ValueError, TypeError, KeyError):
        sound = None
    if not sound or any(_strange(folder / name) for name in journal.places):
        raise _foreign(folder, JOURNAL)
    return journal


def own(folder: Path) -> set[str]:
    """The names of the small files in ``folder`` that are the swap's; a link or a folder of that name is not."""
    return {name for name in (LOCK, JOURNAL, DRAFT) if (folder / name).is_file() and not (folder / name).is_symlink()}


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Alone in ``folder``; InputError where another run is there."""
    path = folder / LOCK
    if os.path.lexists(path) and LOCK not in own(folder):
        raise _foreign(folder, LOCK)
    descriptor, held = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600), False
    try:
        held = hold(descriptor) and os.path.samestat(os.fstat(descriptor), os.stat(path))
        if not held:
            raise InputError(
                f'Another run is writing into "{folder.name}".', "Wait for its end or choose another folder."
            )
        yield
    finally:
        if held and sys.platform != "win32":
            path.unlink(missing_ok=True)
        os.close(descriptor)
        if held and sys.platform == "win32":
            with contextlib.suppress(OSError):  # another run has opened it meanwhile
                path.unlink(missing_ok=True)


def hold(descriptor: int) -> bool:
    """Lock an open file until it is closed: False where another process holds it; a disk without locks is taken as it is."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def _undo(folder: Path, journal: Journal) -> None:
    partial, old = folder / journal.partial, folder / OLD
    partial.mkdir(exist_ok=True)
    for name in journal.coming:
        if os.path.lexists(folder / name) and not os.path.lexists(partial / name):
            if name in journal.leaving and not os.path.lexists(old / name):
                continue  # the earlier one: it has not left, or is back
            (folder / name).rename(partial / name)
    for name in journal.leaving:
        if os.path.lexists(old / name):
            (old / name).rename(folder / name)


def _write(folder: Path, journal: Journal) -> None:
    draft = folder / DRAFT
    try:
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(journal), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / JOURNAL)
    except OSError:
        if DRAFT in own(folder):
            draft.unlink()
        raise


def _remove(path: Path) -> None:
    """Delete a file, a link or a folder and what lies in it; never what a link points at."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _plain(name) -> bool:
    return isinstance(name, str) and Path(name).name == name and "\\" not in name and not name.startswith(PREFIX)


def _strange(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())


def _foreign(folder: Path, name: str) -> InputError:
    return InputError(
        f'The folder "{folder.name}" holds "{name}", which no run of MyoPINN left there.',
        "Choose an empty or new folder.",
    )
