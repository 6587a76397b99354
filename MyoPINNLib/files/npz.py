"""``.npz`` files that may come from anyone: no pickle, and sizes are checked before memory is taken."""

from __future__ import annotations

import contextlib
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ..errors import InputError

MAX_ARRAYS = 10_000
DAMAGED = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
_NPY = ".npy"
_ENCRYPTED = 1
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0}  # 64 kB at most; later versions have headers of up to 4 GB


class Strange(ValueError):
    """What is wrong with a file of arrays, as the end of a sentence."""


class TooLarge(Strange):
    """The file holds more than is read."""


@contextlib.contextmanager
def stored_arrays(path: Path, most: int) -> Iterator[StoredArrays]:
    """The arrays of a ``.npz`` file that may come from anyone, ``most`` bytes of them; raises Strange or one of ``DAMAGED``."""
    size = path.stat().st_size
    if size > most:
        raise TooLarge(f"it has {size} bytes; at most {most} are read")
    with zipfile.ZipFile(path) as archive:
        yield StoredArrays(archive, most)


@contextlib.contextmanager
def arrays_of(path: Path, most: int, *, what: str, holds: str, hint: str) -> Iterator[StoredArrays]:
    """``stored_arrays`` of a file that the user names; whatever is wrong with it, also what the block finds, is an InputError.

    ``what`` the file is ("The weights") and what it ``holds`` ("trained network") stand in the sentence.
    """
    if not path.is_file():
        raise InputError(f'{what} "{path.name}" are not there.', hint)
    try:
        with stored_arrays(path, most) as arrays:
            yield arrays
    except Strange as error:
        raise InputError(f'"{path.name}" holds no {holds}: {error}.', hint) from error
    except (*DAMAGED, TypeError, IndexError) as error:
        raise InputError(f'"{path.name}" holds no {holds}, or is cut off.', hint) from error


class StoredArrays(Mapping):
    """name -> array, each read when it is asked for, and only where its header asks for as much memory as there is data."""

    def __init__(self, archive: zipfile.ZipFile, most: int) -> None:
        members = [member for member in archive.infolist() if member.filename.endswith(_NPY)]
        if len(members) > MAX_ARRAYS:
            raise TooLarge(f"it holds {len(members)} arrays; at most {MAX_ARRAYS} are read")
        size = sum(member.file_size for member in members)
        if size > most:
            raise TooLarge(f"it unpacks to {size} bytes; at most {most} are read")
        self._archive = archive
        self._members = {member.filename.removesuffix(_NPY): member for member in members}
        if len(self._members) < len(members):
            raise Strange("it holds an array of the same name twice")

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, name: str) -> np.ndarray:
        member = self._members[name]
        if member.flag_bits & _ENCRYPTED:
            raise Strange(f"its {name!r:.60} is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Strange(f"its {name!r:.60} is of compression {member.compress_type}, which is not read")
        with self._archive.open(member) as stream:
            _check_header(stream, name, member.file_size)
            stream.seek(0)
            return np.lib.format.read_array(stream, allow_pickle=False)


def _check_header(stream, name: str, size: int) -> None:
    """Strange where the array's header cannot be read, or asks for other than what is left of ``size`` bytes."""
    try:
        shape, _, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
    except Exception as error:  # its text goes through Python's parser, which may raise whatever it likes
        raise Strange(f"the header of its {name!r:.60} cannot be read") from error
    if dtype.hasobject or dtype.itemsize == 0:
        raise Strange(f"its {name!r:.60} holds no plain values")
    needed, left = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if min(shape, default=0) < 0 or needed != left:
        raise Strange(f"its {name!r:.60} needs {needed} bytes and has {left}")
