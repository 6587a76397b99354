"""Volumes and lists of volumes as they lie in NRRD and NIfTI files, read by SimpleITK into LPS millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from ..geometry import Geometry

MAX_VALUES = 1_000_000_000
SUFFIXES = (".nrrd", ".nhdr", ".nii.gz", ".nii")
_OF_THE_FORMAT = ("NRRD_", "ITK_")


@dataclass(frozen=True)
class Image:
    """``values`` (k, j, i, t), the last axis of length 1 in a plain volume; ``affine`` (4, 4) from (i, j, k, 1) to LPS mm;
    ``keys`` everything that the header says; ``name`` of the file.
    """

    values: np.ndarray
    affine: np.ndarray
    keys: dict[str, str]
    name: str

    @property
    def geometry(self) -> Geometry:
        """The grid of a frame."""
        return Geometry.from_volume(self.affine, self.values.shape[:3])

    @property
    def own_keys(self) -> dict[str, str]:
        """What someone wrote into the header, without what the format itself keeps there."""
        return {key: value for key, value in self.keys.items() if not key.startswith(_OF_THE_FORMAT)}


def suffix_of(path: Path) -> str:
    """The ending that says which format a file has; empty where it is none of ours."""
    return next((path.name[-len(suffix) :] for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")


def read_image(path: Path) -> Image:
    """Read a file of three axes in space and perhaps one more (frames, or layers of a segmentation).

    Raises InputError where it is not there, damaged, cut off, flat, or too large (asked before memory is taken).
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f'"{path.name}" is not there, or is no file.', "Check the path.")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        _check(path, reader)
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(
            f'"{path.name}" cannot be read: it is damaged, cut off, or neither NRRD nor NIfTI.', "Export it again."
        ) from error
    keys = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    return Image(_frames_last(image, path.name), _affine(image), keys, path.name)


def joined(geometries: Sequence[Geometry]) -> Geometry:
    """One grid of the slices of several, in their order. Raises InputError where their slices differ in size."""
    shapes = sorted({geometry.shape[1:] for geometry in geometries})
    if len(shapes) > 1:
        sizes = " and ".join(f"{rows} x {columns}" for rows, columns in shapes[:2])
        raise InputError(f"The files' images have different sizes: {sizes} pixels.", "Give files of one series.")
    affines = np.concatenate([geometry.ijk_to_lps for geometry in geometries])
    return Geometry(affines, (len(affines), *geometries[0].shape[1:]))


def _check(path: Path, reader: sitk.ImageFileReader) -> None:
    size, components = reader.GetSize(), reader.GetNumberOfComponents()
    if len(size) not in (3, 4) or (len(size) == 4 and components > 1):
        raise InputError(
            f'"{path.name}" has {len(size)} axes and {components} values a pixel; three axes in space and one in time are read.',
            "Give a 3D or 4D file of plain numbers.",
        )
    values = int(np.prod(size, dtype=object)) * components
    if values > MAX_VALUES:
        raise InputError(
            f'"{path.name}" holds {values:.3g} values; MyoPINN reads up to {MAX_VALUES:.3g}.',
            "Crop it to the heart, or leave frames out.",
        )


def _frames_last(image: sitk.Image, name: str) -> np.ndarray:
    values = sitk.GetArrayFromImage(image)
    if np.iscomplexobj(values):
        raise InputError(f'"{name}" holds complex numbers; perfusion needs magnitudes.', "Export the magnitude images.")
    if image.GetDimension() == 4:
        return np.moveaxis(values, 0, -1)
    return values if image.GetNumberOfComponentsPerPixel() > 1 else values[..., None]


def _affine(image: sitk.Image) -> np.ndarray:
    axes = image.GetDimension()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (axes, axes))[:3, :3] * np.array(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    return affine
