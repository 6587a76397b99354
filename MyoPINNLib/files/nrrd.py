"""Maps, label maps and series as NRRD files that 3D Slicer opens; LPS millimetres throughout.

Where one volume can hold the grid there is one file, else one a slice: ``MBF_1.nrrd``, ``MBF_2.nrrd`` and so on.
In a map of several slices the distance of the slices stands for their thickness: a volume has one vector for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..geometry import Geometry
from ..quantities import QUANTITIES, degrees_from_radians, milliseconds_from_seconds
from ..series import Acquisition, PerfusionSeries
from .header import nrrd_bytes, storable
from .images import Image, joined, read_image
from .outputs import write_whole

SEQUENCE = ".seq.nrrd"
TIME_UNIT = "axis 3 index unit"
TS, TR, FLIP = "MyoPINN saturation time ms", "MyoPINN repetition time ms", "MyoPINN flip angle degrees"
PULSES, FIELD = "MyoPINN pulses before the k-space centre", "MyoPINN field strength T"
THICKNESS = "MyoPINN slice thickness mm"
SOURCE, NOTES, LEFT_OUT = "MyoPINN times from", "MyoPINN notes", "MyoPINN frames left out"
BETWEEN_NOTES = " | "
_LARGEST_LABEL = 255
RESEARCH_USE = "research use only, not for diagnosis"


def map_keys(name: str, made: Mapping[str, str], *, doubtful: bool = False, sd: str = "") -> dict[str, str]:
    """The header of a quantity's map, or of its standard deviations where ``sd`` says whose; ``made``: method, version, and
    the digest of the settings.
    """
    quantity = QUANTITIES[name]
    words = f"{name} ({quantity.label})"
    keys = {
        "quantity": f"standard deviation of {words}, {sd}" if sd else words,
        "units": quantity.unit,
        "OSIPI": quantity.code,
        **made,
        "use": RESEARCH_USE,
        "validity": "a voxel counts where valid.nrrd is 1; 0 outside the myocardium",
    }
    return {**keys, "doubtful": "this method gives the quantity and does not determine it"} if doubtful else keys


def write_map(
    path: Path, values: np.ndarray, geometry: Geometry, *, keys: Mapping[str, str] | None = None
) -> list[Path]:
    """Write ``values`` (k, j, i) as 32-bit numbers, ``keys`` into the header; returns the files.

    What is not a number becomes 0, because Slicer finds no window for a map that holds NaN. So 0 may mean "not
    measured"; the map ``valid`` says which voxels count.
    """
    values = np.asarray(values, dtype=np.float32)
    return _write(Path(path), np.where(np.isfinite(values), values, np.float32(0)), geometry, dict(keys or {}))


def write_label(path: Path, labels: np.ndarray, geometry: Geometry) -> list[Path]:
    """Write ``labels`` (k, j, i), whole numbers 0 to 255, as a label map; returns the files."""
    labels = np.asarray(labels)
    if labels.size and not 0 <= labels.min() <= labels.max() <= _LARGEST_LABEL:
        raise InputError(f"Labels run from 0 to {_LARGEST_LABEL}; here from {labels.min()} to {labels.max()}.")
    return _write(Path(path), labels.astype(np.uint8), geometry, {})


def read_map(path: Path | Sequence[Path]) -> tuple[np.ndarray, Geometry, dict[str, str]]:
    """(values (k, j, i), grid, header keys) of a map or label map; several files (one a slice) become one array.

    Raises InputError where a file is not there, damaged, or a series.
    """
    images = [_volume(each) for each in ([path] if isinstance(path, (str, Path)) else path)]
    geometry = joined([image.geometry for image in images])
    return np.concatenate([image.values[..., 0] for image in images]), geometry, images[0].own_keys


def write_series(path: Path, series: PerfusionSeries) -> list[Path]:
    """Write a series as Slicer sequences, ``path`` without ending; returns the files.

    One file where the grid is uniform, all slices share one clock and no frame is left out; else one a slice. The index
    of the sequence is the frame time in s; the acquisition stands in the header.
    """
    path = Path(path)
    path = path.with_name(path.name.removesuffix(SEQUENCE) + SEQUENCE)
    shared = (series.time == series.time[:1]).all() and (series.weight > 0).all()
    if shared and series.geometry.uniform:
        return [_write_sequence(path, series, slice(None), series.geometry.volume_affine())]
    return [
        _write_sequence(each, series, slice(k, k + 1), series.geometry.ijk_to_lps[k])
        for k, each in enumerate(_a_slice_each(path, SEQUENCE, series.geometry.shape[0]))
    ]


def _write_sequence(path: Path, series: PerfusionSeries, slices: slice, affine: np.ndarray) -> Path:
    time, weight = series.time[slices][0], series.weight[slices]
    keys = {
        "DataNodeClassName": "vtkMRMLScalarVolumeNode",
        "axis 3 index type": "numeric",
        TIME_UNIT: "s",
        "axis 3 index values": " ".join(repr(float(value)) for value in time),
        THICKNESS: repr(float(series.geometry.spacing[slices][0, 2])),
        **acquisition_keys(series.acquisition),
    }
    if (weight == 0).any():
        keys[LEFT_OUT] = " ".join(f"{k + 1}:{t + 1}" for k, t in np.argwhere(weight == 0))
    signal = storable(series.signal[:, slices])
    return write_whole(path, nrrd_bytes(signal, affine, keys, list_of=("time", "s")))


def acquisition_keys(how: Acquisition) -> dict[str, str]:
    """What the files say of the acquisition; nothing of what they do not say."""
    numbers = {
        TS: None if how.TS is None else milliseconds_from_seconds(how.TS),
        TR: None if how.TR is None else milliseconds_from_seconds(how.TR),
        FLIP: None if how.flip_angle is None else degrees_from_radians(how.flip_angle),
        PULSES: how.pulses,
        FIELD: how.field_strength,
    }
    words = {SOURCE: how.time_source, NOTES: BETWEEN_NOTES.join(how.notes)}
    keys = {key: f"{value:.12g}" for key, value in numbers.items() if value is not None}
    return keys | {key: value for key, value in words.items() if value}


def _a_slice_each(path: Path, suffix: str, slices: int) -> list[Path]:
    stem = path.name.removesuffix(suffix)
    return [path.with_name(f"{stem}_{k + 1}{suffix}") for k in range(slices)]


def _volume(path: Path) -> Image:
    image = read_image(path)
    if image.values.shape[3] > 1:
        raise InputError(f'"{image.name}" holds {image.values.shape[3]} frames; a map is one volume.', "Choose a map.")
    return image


def _write(path: Path, values: np.ndarray, geometry: Geometry, keys: dict[str, str]) -> list[Path]:
    if values.shape != geometry.shape:
        raise InputError(f"The map is {values.shape} (slices, rows, columns) and its grid is {geometry.shape}.")
    if geometry.uniform:
        return [write_whole(path, nrrd_bytes(values, geometry.volume_affine(), keys))]
    return [
        write_whole(each, nrrd_bytes(values[k : k + 1], geometry.ijk_to_lps[k], keys))
        for k, each in enumerate(_a_slice_each(path, ".nrrd", len(values)))
    ]
