"""``weights.npz``: a trained network as plain arrays. It may come from anyone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..trained import SCALES, VOXELS, TrainedNetwork, network_build, network_method, weight_shapes
from .npz import StoredArrays, Strange, arrays_of
from .outputs import whole_file

MAX_BYTES = 1_000_000_000
FORMAT = 1
_TAKE = "Take the weights.npz of a result that a network made."
_OF_SLICE = re.compile(r"slice([1-9][0-9]{0,4})/(.+)", re.DOTALL)


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
    with arrays_of(path, MAX_BYTES, what="The weights", holds="trained network", hint=_TAKE) as arrays:
        return _network(arrays, path.name)


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
