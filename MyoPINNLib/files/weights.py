"""``weights.npz``: a trained network as plain arrays. It may come from anyone: no pickle, and sizes are checked first."""

from __future__ import annotations

import contextlib
import math
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..trained import SCALES, VOXELS, TrainedNetwork, network_build, network_method, weight_shapes
from .outputs import whole_file

MAX_BYTES = 1_000_000_000
MAX_ARRAYS = 10_000
FORMAT = 1
DAMAGED = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
_TAKE = "Take the weights.npz of a result that a network made."
_NPY = ".npy"
_ENCRYPTED = 1
_OF_SLICE = re.compile(r"slice([1-9][0-9]{0,4})/(.+)", re.DOTALL)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0}  # 64 kB at most; later versions have headers of up to 4 GB


def write_weights(path: Path, trained: TrainedNetwork) -> Path:
    """Write ``trained``: what it is, then one array a weight, "slice1/hidden1/kernel"."""
    about = {
        "format": np.array(FORMAT),
        "method": np.array(trained.method.value),
        "layers": np.array(trained.layers),
        "width": np.array(trained.width),
        "normalisation": np.array(trained.normalisation.value),
        "steps": np.array(trained.steps),
        "slices": np.array(len(trained.slices)),
    }
    arrays = {f"slice{n}/{name}": value for n, part in enumerate(trained.slices, 1) for name, value in part.items()}
    with whole_file(path) as draft, draft.open("wb") as stream:
        np.savez_compressed(stream, **about, **arrays)
    return Path(path)


def read_weights(path: Path) -> TrainedNetwork:
    """The network of a ``weights.npz``; raises InputError where there is none, or it is damaged, too large or strange."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f'The weights "{path.name}" are not there.', _TAKE)
    try:
        with stored_arrays(path, MAX_BYTES) as arrays:
            return _network(arrays, path.name)
    except Strange as error:
        raise InputError(f'"{path.name}" holds no trained network: {error}.', _TAKE) from error
    except DAMAGED as error:
        raise InputError(f'"{path.name}" holds no trained network, or is cut off.', _TAKE) from error


def _network(arrays: StoredArrays, file: str) -> TrainedNetwork:
    version, count = _scalar(arrays, "format", int), _scalar(arrays, "slices", int)
    if version != FORMAT:
        hint = "Update MyoPINN." if version > FORMAT else _TAKE
        raise InputError(f'"{file}" has format {version} and this MyoPINN reads {FORMAT}.', hint)
    if not 1 <= count <= len(arrays):
        raise Strange(f"its number of slices is {count}; with {len(arrays)} arrays it must lie from 1 to {len(arrays)}")
    method, normalisation = _scalar(arrays, "method", str), _scalar(arrays, "normalisation", str)
    layers, width, steps = (_scalar(arrays, name, int) for name in ("layers", "width", "steps"))
    build = network_build(layers, width, normalisation, steps)
    known = {VOXELS, *SCALES, *weight_shapes(network_method(method), build, 1)}
    slices: list[dict[str, np.ndarray]] = [{} for _ in range(count)]
    for key in arrays:
        numbered = _OF_SLICE.fullmatch(key)
        if "/" in key and not (numbered and int(numbered[1]) <= count):
            raise Strange(f"it names {key!r:.60}, and its weights are of slices 1 to {count}")
        if numbered and numbered[2] in known:
            slices[int(numbered[1]) - 1][numbered[2]] = arrays[key]
    return TrainedNetwork(network_method(method), layers, width, build.normalisation, steps, tuple(slices))


def _scalar(arrays: StoredArrays, name: str, kind: type):
    """The one number or word of an array."""
    array = arrays[name]
    if array.shape != ():
        raise Strange(f"its {name} is an array of shape {array.shape}, not one value")
    value = array.item()
    if type(value) is not kind:
        wanted = "a whole number" if kind is int else "a word"
        raise Strange(f"its {name} is {value!r:.40}, not {wanted}")
    return value


class Strange(ValueError):
    """What is wrong with a file of arrays, as the end of a sentence."""


@contextlib.contextmanager
def stored_arrays(path: Path, most: int) -> Iterator[StoredArrays]:
    """The arrays of a ``.npz`` file that may come from anyone, ``most`` bytes of them; raises Strange or one of ``DAMAGED``."""
    size = path.stat().st_size
    if size > most:
        raise Strange(f"it has {size} bytes; at most {most} are read")
    with zipfile.ZipFile(path) as archive:
        yield StoredArrays(archive, most)


class StoredArrays(Mapping):
    """name -> array, each read when it is asked for, and only where its header asks for as much memory as there is data."""

    def __init__(self, archive: zipfile.ZipFile, most: int) -> None:
        members = [member for member in archive.infolist() if member.filename.endswith(_NPY)]
        if len(members) > MAX_ARRAYS:
            raise Strange(f"it holds {len(members)} arrays; at most {MAX_ARRAYS} are read")
        size = sum(member.file_size for member in members)
        if size > most:
            raise Strange(f"it unpacks to {size} bytes; at most {most} are read")
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
