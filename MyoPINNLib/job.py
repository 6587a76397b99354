"""A job is a folder: what to compute (``job.json``, ``input/``) and, later, what came of it.

    job/ job.json  input/ (series, masks, insertion point)  output/  checkpoint/  engine.log  result.json

A job may come from anyone: its JSON is small, plain and of a known schema, no path leads out of its folder, and nothing
is written through a link.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from .errors import InputError
from .log import LOG
from .results import told
from .settings import Settings, settings_from_json
from .untrusted import NotAnObject, TooLong, json_object

SCHEMA = 1
JOB, OUTPUT, CHECKPOINT, RESULT, CANCEL = "job.json", "output", "checkpoint", "result.json", "cancel"
MAX_JOB_BYTES = 1_000_000
MAX_CHECKPOINT_BYTES = 1_000_000_000
_SAVED = re.compile(r"\.?[0-9a-f]{32}\.npz(\.partial)?")
_KEYS = ("schema", "series", "masks", "insertion", "start_from", "settings")


@dataclass(frozen=True)
class Job:
    """``folder`` and what lies in it, as paths relative to it with "/": images, masks, insertion point, and the
    ``weights.npz`` that a network starts from; ``settings``.
    """

    folder: Path
    series: tuple[str, ...]
    masks: tuple[str, ...]
    insertion: str | None = None
    settings: Settings = field(default_factory=Settings)
    start_from: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder).absolute())

    @classmethod
    def read(cls, folder: Path) -> Job:
        """The job of a folder; raises InputError for all that is wrong with it, and for a path that leads out of it."""
        folder = Path(folder).absolute()
        values = _object(folder / JOB)
        _check_schema(values)
        for key in values:
            if key not in _KEYS:
                raise InputError(f"{JOB} holds {key!r:.40}, which is not known.", f"Known are: {', '.join(_KEYS)}.")
        insertion, start_from = values.get("insertion"), values.get("start_from")
        job = cls(
            folder,
            _names(values, "series"),
            _names(values, "masks"),
            None if insertion is None else _name(insertion, "insertion"),
            settings_from_json(values.get("settings", {})),
            None if start_from is None else _name(start_from, "start_from"),
        )
        job.check_places()
        return job

    def write(self) -> None:
        """Write ``job.json`` by rename; raises InputError where a path leads out of the folder."""
        values = {"schema": SCHEMA, "series": list(self.series), "masks": list(self.masks)}
        values |= {"insertion": self.insertion, "start_from": self.start_from, "settings": self.settings.to_json()}
        with told(self.folder / JOB):
            self.folder.mkdir(parents=True, exist_ok=True)
            with draft_of(self.folder / JOB) as file:
                file.write((json.dumps(values, indent=1) + "\n").encode())

    @property
    def series_paths(self) -> list[Path]:
        """The images: files and folders."""
        return [self.path(name) for name in self.series]

    @property
    def mask_paths(self) -> list[Path]:
        """The mask files."""
        return [self.path(name) for name in self.masks]

    def path(self, name: str) -> Path:
        """The place of ``name`` inside the folder; raises InputError where it, or a link in it, leads out."""
        windows, posix = PureWindowsPath(name), PurePosixPath(name)
        if windows.drive or windows.root or posix.is_absolute() or ".." in windows.parts or "\0" in name:
            raise InputError(
                f"The job names {name!r:.80}, which lies outside its folder.", "Paths in a job are relative to it."
            )
        place = self.folder / posix
        inside = self.folder.resolve()
        for path in (place, *(place.rglob("*") if place.is_dir() else ())):
            if not _lies_in(inside, path):
                raise InputError(
                    f"The job's {name!r:.80} leads outside its folder by a link.", "Copy the files into the job."
                )
        return place

    def check_places(self) -> None:
        """Refuse a job whose paths, or whose own places to write, lead outside its folder."""
        single = [name for name in (self.insertion, self.start_from) if name]
        for name in (*self.series, *self.masks, *single):
            if not self.path(name).exists():
                raise InputError(
                    f"The job names {name!r:.80}, which is not there.", "Copy the data into the job's input folder."
                )
        ours = [self.folder / name for name in (OUTPUT, CHECKPOINT, LOG, RESULT, CANCEL)]
        for path in (*ours, *_below(self.folder / CHECKPOINT)):
            if path.is_symlink():
                name = path.relative_to(self.folder).as_posix()
                raise InputError(f"The job's {name!r:.80} is a link.", "Remove it; the engine writes there itself.")


@dataclass(frozen=True)
class Checkpoint:
    """What a solver found so far, one file a key, in ``folder``; ``digest`` names inputs, settings and version.

    Another digest sees nothing of it, so that a stale checkpoint is never used.
    """

    folder: Path
    digest: str
    part_name: str = ""

    def part(self, name: str) -> Checkpoint:
        """The same checkpoint with keys of its own for one stage of a run."""
        return Checkpoint(self.folder, self.digest, f"{self.part_name}/{name}")

    def load(self, key: str):
        """The arrays saved under ``key``, by name; None where there are none, or the file is damaged, too large or a link."""
        from .files.npz import DAMAGED, stored_arrays

        path = self._file(key)
        try:
            if path.is_symlink() or not path.is_file():
                return None
            with stored_arrays(path, MAX_CHECKPOINT_BYTES) as arrays:
                return dict(arrays)
        except DAMAGED:
            return None

    def save(self, key: str, arrays: Mapping) -> None:
        """Keep ``arrays`` (name -> array) under ``key``, whole or not at all."""
        import numpy as np

        path = self._file(key)
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft_of(path) as file:
                np.savez(file, **arrays)

    def clear(self) -> None:
        """Forget everything: the run is done. Only what a checkpoint wrote is deleted."""
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if _SAVED.fullmatch(path.name):
                    path.unlink()
            self.folder.rmdir()

    def _file(self, key: str) -> Path:
        name = hashlib.sha256(f"{self.digest}\n{self.part_name}\n{key}".encode()).hexdigest()[:32]
        return self.folder / f"{name}.npz"


@contextlib.contextmanager
def draft_of(path: Path) -> Iterator[BinaryIO]:
    """A new file to write into; it takes the name ``path`` where the block ends well and vanishes where it does not.

    What lies in the draft's place, a link perhaps, is removed and never written through.
    """
    draft = path.with_name(f".{path.name}.partial")
    draft.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(draft, flags, 0o666), "wb") as file:
            yield file
        draft.replace(path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _lies_in(folder: Path, path: Path) -> bool:
    """False where ``path`` leads outside ``folder`` (resolved), or nowhere at all."""
    try:
        nowhere = path.is_symlink() and not path.exists()
        return path.resolve().is_relative_to(folder) and not nowhere
    except (OSError, RuntimeError):  # a link that leads to itself, before Python 3.13
        return False


def _below(folder: Path) -> Iterator[Path]:
    """All that lies below ``folder``; no link is followed."""
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *files))


def _object(path: Path) -> dict:
    """The JSON object of a small file of unknown origin."""
    if not path.is_file():
        raise InputError(f'The folder "{path.parent.name}" holds no {path.name}.', "Choose a job folder.")
    try:
        return json_object(path, MAX_JOB_BYTES)
    except OSError as error:
        raise InputError(f"{path.name} could not be read: {error.strerror}.") from error
    except TooLong as error:
        raise InputError(
            f"{path.name} has {path.stat().st_size} bytes; a job has {MAX_JOB_BYTES} at most.", "Choose a job folder."
        ) from error
    except NotAnObject as error:
        raise InputError(f"{path.name} is not a JSON object.", "Write the job again.") from error
    except ValueError as error:
        raise InputError(f"{path.name} is not valid JSON.", "Write the job again.") from error


def _check_schema(values: Mapping) -> None:
    schema = values.get("schema")
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise InputError(f"{JOB} has no schema number this version knows (it reads {SCHEMA}).", "Write the job again.")
    if schema > SCHEMA:
        raise InputError(
            f"{JOB} has schema {schema} and this MyoPINN reads {SCHEMA}: the job is of a newer version.",
            "Update MyoPINN.",
        )


def _names(values: Mapping, key: str) -> tuple[str, ...]:
    names = values.get(key)
    if not isinstance(names, list) or not names:
        raise InputError(f'{JOB} names no {key}: "{key}" must be a list of relative paths.')
    return tuple(_name(name, key) for name in names)


def _name(name, key: str) -> str:
    if not isinstance(name, str) or not name:
        raise InputError(f'{JOB} has {name!r:.40} in "{key}"; it must be a relative path.')
    return name
