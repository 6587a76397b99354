"""``weights.npz``: a trained network as plain arrays. It may come from anyone: no pickle, and sizes are checked first."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..network_settings import Normalisation
from ..settings import Method
from ..trained import TrainedNetwork
from .outputs import whole_file

MAX_BYTES = 1_000_000_000
MAX_ARRAYS = 10_000
FORMAT = 1
_TAKE = "Take the weights.npz of a result that a network made."
_DAMAGED = (OSError, ValueError, TypeError, KeyError, EOFError, OverflowError, zipfile.BadZipFile, zlib.error)


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
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_ARRAYS or sum(member.file_size for member in members) > MAX_BYTES:
                raise InputError(f'"{path.name}" holds more than {MAX_BYTES:.3g} bytes of weights.', _TAKE)
        with np.load(path, allow_pickle=False) as arrays:
            return _network(arrays, path)
    except _DAMAGED as error:
        raise InputError(f'"{path.name}" holds no trained network, or is cut off.', _TAKE) from error


def _network(arrays, path: Path) -> TrainedNetwork:
    version, count = int(arrays["format"]), int(arrays["slices"])
    if version > FORMAT:
        raise InputError(f'"{path.name}" has format {version} and this MyoPINN reads {FORMAT}.', "Update MyoPINN.")
    slices: list[dict[str, np.ndarray]] = [{} for _ in range(min(count, MAX_ARRAYS))]
    for key in arrays.files:
        part, _, name = key.partition("/")
        if name:
            slices[int(part.removeprefix("slice")) - 1][name] = arrays[key]
    return TrainedNetwork(
        Method(str(arrays["method"])),
        int(arrays["layers"]),
        int(arrays["width"]),
        Normalisation(str(arrays["normalisation"])),
        int(arrays["steps"]),
        tuple(slices),
    )
