"""Masks drawn on the series: a label map, or a Slicer segmentation by the names of its segments.

A mask voxel belongs to the image voxel whose centre it shares. So a segmentation that Slicer cropped, layered or turned
round (it flips the slices of left-handed grids) falls into place, and one that lies between the voxels is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..geometry import TOLERANCE_MM, Geometry
from ..series import Masks
from .images import Image, read_image
from .words import plain

LABELS = {"blood_pool": 1, "myocardium": 2, "right_ventricle": 3}
SEGMENT_NAMES = {
    "myocardium": {"myocardium", "myo", "lv wall", "lv myocardium", "left ventricular myocardium"},
    "blood_pool": {
        *("lv blood pool", "blood pool", "lv cavity", "lv", "left ventricle"),
        *("left ventricular cavity", "left ventricular blood pool"),
    },
    "right_ventricle": {"right ventricle", "rv", "rv blood pool", "rv cavity", "right ventricular cavity"},
}
_WORDS = {"myocardium": "myocardium", "blood_pool": "LV blood pool", "right_ventricle": "right ventricle"}
_NEEDED = ("myocardium", "blood_pool")
_SEGMENT = re.compile(r"Segment(\d{1,6})_Name")


def read_masks(paths: Sequence[Path], geometry: Geometry, *, labels: Mapping[str, int] = LABELS) -> Masks:
    """The masks of one file or of several (one a slice, or one a mask) on the grid of the series.

    ``labels`` says what the values of a label map mean; the segments of a Slicer segmentation are known by their names
    (``SEGMENT_NAMES``). Slices that no file reaches have no mask.
    Raises InputError for a file on another grid, one that touches no slice, and a mask that is not there or is empty.
    """
    found: dict[str, np.ndarray] = {}
    there: list[str] = []
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        image = read_image(path)
        parts, names = _parts(image, labels)
        there += names
        drawn = {role: _placed(part, image, geometry) for role, part in parts.items()}
        for role, mask in drawn.items():
            found[role] = found.get(role, np.zeros(geometry.shape, dtype=bool)) | mask
        _check_touches(image, parts, drawn, geometry)
        _check_inside(image, parts, geometry)
    missing = [role for role in _NEEDED if role not in found]
    if missing:
        raise _not_there(missing[0], there, labels)
    return Masks(found["myocardium"], found["blood_pool"], geometry, found.get("right_ventricle"))


def _parts(image: Image, labels: Mapping[str, int]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Role -> bool (k, j, i) on the file's own grid, and what the file holds in words."""
    values = image.values
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise InputError(
            f'"{image.name}" holds values that are no whole numbers: it is no mask.', "Choose a label map."
        )
    named = ((_SEGMENT.fullmatch(key), name) for key, name in image.keys.items())
    segments = {match[1]: name for match, name in named if match}
    if segments:
        return _segments(image, segments)
    if values.shape[3] > 1:
        raise InputError(f'"{image.name}" holds {values.shape[3]} frames; a mask is one volume.', "Choose a label map.")
    there = sorted(int(value) for value in np.unique(values) if value)
    parts = {role: values[..., 0] == label for role, label in labels.items() if label in there}
    return parts, [f"label {value}" for value in there]


def _segments(image: Image, segments: Mapping[str, str]) -> tuple[dict[str, np.ndarray], list[str]]:
    parts: dict[str, np.ndarray] = {}
    for number, name in segments.items():
        role = _role(name)
        if role in parts:
            raise InputError(
                f'"{image.name}" has two segments for the {_WORDS[role]}.', f'One of them is "{plain(name)}".'
            )
        if role:
            layer, label = (
                _whole(image, f"Segment{number}_{key}", usual) for key, usual in (("Layer", 0), ("LabelValue", 1))
            )
            if not 0 <= layer < image.values.shape[3]:
                layers = image.values.shape[3]
                raise InputError(f'The segment "{plain(name)}" lies in layer {layer} and there are {layers}.')
            parts[role] = image.values[..., layer] == label
    return parts, [f'"{plain(name)}"' for name in segments.values()]


def _role(name: str) -> str | None:
    plain = " ".join(re.sub(r"[_\-]", " ", name).casefold().split())
    return next((role for role, names in SEGMENT_NAMES.items() if plain in names), None)


def _whole(image: Image, key: str, usual: int) -> int:
    try:
        return int(image.keys.get(key, usual))
    except ValueError as error:
        raise InputError(
            f'"{image.name}" is damaged: {key} is no whole number.', "Save the segmentation again."
        ) from error


def _placed(part: np.ndarray, image: Image, geometry: Geometry) -> np.ndarray:
    """``part`` of the file as a mask (k, j, i) of the series; slices outside the file stay empty."""
    mask = np.zeros(geometry.shape, dtype=bool)
    size = np.array(part.shape[::-1])[:, None, None]
    for k, affine in enumerate(geometry.ijk_to_lps):
        voxels, off = _in_file(affine, image.affine, geometry.shape[1:])
        inside = ((voxels > -0.5) & (voxels < size - 0.5)).all(axis=0)
        if inside.any() and off > TOLERANCE_MM:
            raise _other_grid(f'The mask "{image.name}" is not on the grid of the series', image, geometry)
        i, j, slices = np.rint(voxels).astype(int)[:, inside]
        mask[k, inside] = part[slices, j, i]
    return mask


def _in_file(affine: np.ndarray, of_file: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """(3, j, i) the place of a slice's pixels in the file, in voxels, and how far (mm) they are from its voxels' centres."""
    j, i = np.indices(shape)
    pixels = np.stack([i, j, np.zeros(shape), np.ones(shape)])
    voxels = np.einsum("ab,bji->aji", np.linalg.inv(of_file) @ affine, pixels)[:3]
    off = np.einsum("ab,bji->aji", of_file[:3, :3], voxels - np.rint(voxels))
    return voxels, float(np.linalg.norm(off, axis=0).max())


def _check_touches(
    image: Image, parts: Mapping[str, np.ndarray], drawn: Mapping[str, np.ndarray], geometry: Geometry
) -> None:
    before, after = (sum(int(mask.sum()) for mask in masks.values()) for masks in (parts, drawn))
    if before and not after:
        raise _other_grid(
            f'The mask "{image.name}" touches no slice of the series with its {before} voxels', image, geometry
        )


def _check_inside(image: Image, parts: Mapping[str, np.ndarray], geometry: Geometry) -> None:
    """InputError for mask voxels in the plane of a slice but beside its image; those between the slices may be there."""
    for role in [role for role in _NEEDED if role in parts]:
        k, j, i = np.nonzero(parts[role])
        lps = image.affine @ np.stack([i, j, k, np.ones(len(k))])
        in_plane, in_image = np.zeros((2, len(k)), dtype=bool)
        for affine, (_, _, thickness) in zip(geometry.ijk_to_lps, geometry.spacing, strict=True):
            x, y, n = (np.linalg.inv(affine) @ lps)[:3]
            here = np.abs(n) * thickness < TOLERANCE_MM
            rows, columns = geometry.shape[1:]
            in_plane |= here
            in_image |= here & (x > -0.5) & (x < columns - 0.5) & (y > -0.5) & (y < rows - 0.5)
        beside = int((in_plane & ~in_image).sum())
        if beside:
            raise InputError(
                f'{beside} of {len(k)} {_WORDS[role]} voxels of "{image.name}" lie beside the images of the series.',
                "Erase them, or choose the series that the masks were drawn on.",
            )


def _other_grid(sentence: str, image: Image, geometry: Geometry) -> InputError:
    """``sentence`` and why: both shapes, or how far apart two grids of one shape lie."""
    hint = "Draw the masks on the series itself, or resample them to its grid (nearest neighbour)."
    ours, theirs = geometry.shape, image.values.shape[:3]
    if ours != theirs:
        return InputError(f"{sentence}: it is {theirs} (slices, rows, columns) and the series {ours}.", hint)
    corners = np.array([[k, j, i] for k in (0, ours[0] - 1) for j in (0, ours[1] - 1) for i in (0, ours[2] - 1)])
    apart = np.linalg.norm(geometry.to_lps(corners) - image.geometry.to_lps(corners), axis=1).max()
    return InputError(f"{sentence}: its grid lies up to {apart:.3g} mm beside that of the series.", hint)


def _not_there(role: str, there: Sequence[str], labels: Mapping[str, int]) -> InputError:
    holds = ", ".join(dict.fromkeys(there)) or "nothing"
    wanted = ", ".join(f"{label} {_WORDS[name]}" for name, label in labels.items())
    return InputError(
        f"The masks hold no {_WORDS[role]}; they hold {holds:.300}.",
        f'Label maps: {wanted}. Segments: call them "{_WORDS["myocardium"]}" and "{_WORDS["blood_pool"]}".',
    )
