"""An array as the bytes of one NRRD file.

SimpleITK reads our files but cannot write them all: it knows no axis of kind ``list``, which makes a file a Slicer
sequence, and it does not notice a disk that is full. So the dozen lines of header are written here, in LPS millimetres.
"""

from __future__ import annotations

import gzip

import numpy as np

_TYPES = {
    "uint8": "unsigned char",
    "int8": "signed char",
    "uint16": "unsigned short",
    "int16": "short",
    "uint32": "unsigned int",
    "int32": "int",
    "float32": "float",
    "float64": "double",
}
_LEVEL = 3


def nrrd_bytes(
    values: np.ndarray, affine: np.ndarray, keys: dict[str, str], *, list_of: tuple[str, str] | None = None
) -> bytes:
    """The file: ``values`` (k, j, i), or (t, k, j, i) where ``list_of`` names the first axis and its unit.

    ``affine`` (4, 4) maps (i, j, k, 1) to LPS mm; ``keys`` become key/value pairs. Equal input gives equal bytes.
    """
    frames = "" if list_of is None else " none"
    lines = [
        "NRRD0005",
        "# Complete NRRD file format specification at:",
        "# http://teem.sourceforge.net/nrrd/format.html",
        f"type: {_TYPES[values.dtype.name]}",
        f"dimension: {values.ndim}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(str(size) for size in values.shape[::-1])}",
        f"space directions: {' '.join(_vector(affine[:3, axis]) for axis in range(3))}{frames}",
        f"kinds: domain domain domain{'' if list_of is None else ' list'}",
    ]
    if list_of is not None:
        lines += [f'labels: "" "" "" "{list_of[0]}"', f'units: "" "" "" "{list_of[1]}"']
    lines += ["endian: little", "encoding: gzip", f"space origin: {_vector(affine[:3, 3])}"]
    lines += [f"{_one_line(key)}:={_one_line(value)}" for key, value in keys.items()]
    pixels = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()
    return "\n".join([*lines, "", ""]).encode("utf-8") + gzip.compress(pixels, _LEVEL, mtime=0)


def storable(values: np.ndarray) -> np.ndarray:
    """``values`` in a number type that NRRD and Slicer share."""
    values = np.asarray(values)
    if values.dtype == bool:
        return values.astype(np.uint8)
    return values if values.dtype.name in _TYPES else values.astype(np.float32)


def _vector(values: np.ndarray) -> str:
    return f"({','.join(repr(float(value) + 0.0) for value in values)})"


def _one_line(text: str) -> str:
    return str(text).replace("\\", "\\\\").replace("\n", "\\n")
