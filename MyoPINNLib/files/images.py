"""Volumes and lists of volumes as they lie in NRRD and NIfTI files, read by SimpleITK into LPS millimetres."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from ..geometry import Geometry
from .limits import check_memory

SUFFIXES = (".nrrd", ".nii.gz", ".nii")
MAX_HEADER = 4_000_000
LIST_UNIT = "unit of the list axis"
_OF_THE_FORMAT = ("NRRD_", "ITK_", LIST_UNIT)
_DATA_ELSEWHERE = re.compile(rb"\s*data ?file\s*:(?!=)", re.IGNORECASE)
_UNITS = re.compile(rb"^units[ ]*:(?!=)(.*)", re.IGNORECASE | re.MULTILINE)
_FREE_TEXT = re.compile(rb"#|[^:]*:=")
_LONGEST_FIELD = 500


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
    reader = _reader(path)
    try:
        reader.ReadImageInformation()
        _check(path, reader)
        image = reader.Execute()
    except RuntimeError as error:
        raise _damaged(path) from error
    keys = _keys(image) | _list_unit(path, reader.GetImageIO())
    return Image(_frames_last(image, path.name), _affine(image), keys, path.name)


def joined(geometries: Sequence[Geometry]) -> Geometry:
    """One grid of the slices of several, in their order. Raises InputError where their slices differ in size."""
    shapes = sorted({geometry.shape[1:] for geometry in geometries})
    if len(shapes) > 1:
        sizes = " and ".join(f"{rows} x {columns}" for rows, columns in shapes[:2])
        raise InputError(f"The files' images have different sizes: {sizes} pixels.", "Give files of one series.")
    affines = np.concatenate([geometry.ijk_to_lps for geometry in geometries])
    return Geometry(affines, (len(affines), *geometries[0].shape[1:]))


def _reader(path: Path) -> sitk.ImageFileReader:
    """A reader that opens this file and no other: a header may come from anyone and name any file of this computer."""
    suffix = suffix_of(path)
    if not suffix:
        raise InputError(
            f'"{path.name}" is neither NRRD nor NIfTI by its name.', f"Give one of: {', '.join(SUFFIXES)}."
        )
    if suffix.lower() == ".nrrd":
        _check_header(path)
    reader = sitk.ImageFileReader()
    reader.SetImageIO("NrrdImageIO" if suffix.lower() == ".nrrd" else "NiftiImageIO")
    reader.SetFileName(str(path))
    return reader


def _check_header(path: Path) -> None:
    """InputError for an NRRD header that names another file, or whose fields are so long that ITK crashes on them.

    Key/value pairs and comments may have any length: ITK 5.4 ends the process at about 1000 characters of other lines.
    """
    lines = re.split(rb"[\r\n]+", _head(path))
    if any(_DATA_ELSEWHERE.match(line) for line in lines):
        raise InputError(f'"{path.name}" keeps its data in another file.', "Save it as one file (.nrrd).")
    if any(len(line) > _LONGEST_FIELD and not _FREE_TEXT.match(line) for line in lines):
        raise _damaged(path)


def _head(path: Path) -> bytes:
    """The text of an NRRD file, up to its first empty line."""
    lines, size = [], 0
    try:
        with path.open("rb") as stream:
            while size < MAX_HEADER and (line := stream.readline(MAX_HEADER)).strip(b"\r\n"):
                lines.append(line)
                size += len(line)
    except OSError as error:
        raise InputError(f'"{path.name}" could not be read: {error.strerror}.', "Check the path.") from error
    if size >= MAX_HEADER:
        raise _damaged(path)
    return b"".join(lines)


def _damaged(path: Path) -> InputError:
    return InputError(
        f'"{path.name}" cannot be read: it is damaged, cut off, or neither NRRD nor NIfTI.', "Export it again."
    )


def _check(path: Path, reader: sitk.ImageFileReader) -> None:
    size, components = reader.GetSize(), reader.GetNumberOfComponents()
    if len(size) not in (3, 4) or (len(size) == 4 and components > 1):
        raise InputError(
            f'"{path.name}" has {len(size)} axes and {components} values a pixel; three axes in space and one in time are read.',
            "Give a 3D or 4D file of plain numbers.",
        )
    bits = re.search(r"(\d+)-bit", sitk.GetPixelIDValueAsString(reader.GetPixelID()))
    value_bytes = int(bits[1]) // 8 if bits else 8
    check_memory(int(np.prod(size, dtype=object)) * components, value_bytes=value_bytes)


def _keys(image: sitk.Image) -> dict[str, str]:
    """What the header says, as far as it is UTF-8: keys in another coding are nobody's, values lose what is not."""
    keys = [key for key in image.GetMetaDataKeys() if key.encode("utf-8", "replace") == key.encode("utf-8", "ignore")]
    values = [image.GetMetaData(key).encode("utf-8", "replace").decode("utf-8") for key in keys]
    return dict(zip(keys, values, strict=True))


def _list_unit(path: Path, io: str) -> dict[str, str]:
    """The unit of an NRRD file's list axis: the one that ``units`` names, as axes in space have none there.

    Slicer's sequences keep the unit of time in this field, and most releases of SimpleITK do not hand it on.
    """
    field = _UNITS.search(_head(path)) if io == "NrrdImageIO" else None
    units = [unit for unit in re.findall(rb'"([^"]*)"', field.group(1)) if unit.strip()] if field else []
    return {LIST_UNIT: units[0].decode("utf-8", "replace")} if len(units) == 1 else {}


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
