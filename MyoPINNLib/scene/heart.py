"""Where the heart is: masks from the segments of a segmentation node, the RV insertion from a point list, and back.

A voxel of the series belongs to a segment where more than half of its pixel does, so that a segmentation on a finer
grid, a turned or a moved one falls into place. Between the slices a segment is read where the slice's middle lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import slicer
import vtk
from scipy import ndimage
from vtk.util.numpy_support import vtk_to_numpy

from ..errors import InputError
from ..files.words import plain
from ..geometry import Geometry
from ..series import Masks
from .nodes import RAS_LPS, called, filled, in_scene, lps_from_ras, matrix, parent_matrix, the_scene, vtk_matrix

WORDS = {"myocardium": "myocardium", "blood_pool": "LV blood pool", "right_ventricle": "right ventricle"}
_COLOURS = {"myocardium": (0.30, 0.69, 0.47), "blood_pool": (0.85, 0.26, 0.21), "right_ventricle": (0.26, 0.45, 0.85)}
_FINEST = 8
FEWEST_VOXELS = 10
_SWAPPED = 0.5
_SURROUNDED = 0.5
_DIRECTIONS = np.linspace(0, 2 * np.pi, 64, endpoint=False)
_CHOOSE = "Choose the segment again."
_LABELMAP = "Binary labelmap"


def masks_from_segments(
    segmentation, geometry: Geometry, *, myocardium: str, blood_pool: str, right_ventricle: str | None = None
) -> Masks:
    """The masks on the grid of a series, of segments given by id or by name.

    Raises InputError where a segment is not there, empty, beside the series (another frame of reference), and where
    myocardium and blood pool are swapped.
    """
    drawn = drawn_segments(segmentation, myocardium=myocardium, blood_pool=blood_pool, right_ventricle=right_ventricle)
    return masks_on(drawn, geometry)


@dataclass(frozen=True)
class Drawn:
    """A segment copied out of the scene: ``part`` bool (k, j, i) and ``affine`` (4, 4) from (i, j, k, 1) to LPS mm."""

    part: np.ndarray
    affine: np.ndarray


def drawn_segments(
    segmentation, *, myocardium: str, blood_pool: str, right_ventricle: str | None = None
) -> dict[str, Drawn]:
    """Role -> segment, of segments given by id or by name; InputError where one is not there or empty."""
    in_scene(segmentation, "segmentation")
    asked = {"myocardium": myocardium, "blood_pool": blood_pool, "right_ventricle": right_ventricle}
    ids = {role: _segment_id(segmentation, name, role) for role, name in asked.items() if name}
    for role in ("myocardium", "blood_pool"):
        if role not in ids:
            raise InputError(
                f"No segment is chosen for the {WORDS[role]}.", "Choose one of the segmentation's segments."
            )
    if ids["myocardium"] == ids["blood_pool"]:
        raise InputError(
            f'The segment "{plain(myocardium)}" is chosen for both the myocardium and the LV blood pool.', _CHOOSE
        )
    return {role: _drawn(segmentation, id, WORDS[role]) for role, id in ids.items()}


def masks_on(drawn: Mapping[str, Drawn], geometry: Geometry) -> Masks:
    """The masks of segments on the grid of a series; touches no scene, so that it can be done beside the GUI.

    Raises InputError where a segment lies beside the series, where myocardium and blood pool are swapped, and where the
    blood pool is not the one that the myocardium surrounds.
    """
    found = {role: _on_grid(segment, geometry, WORDS[role]) for role, segment in drawn.items()}
    masks = Masks(found["myocardium"], found["blood_pool"], geometry, found.get("right_ventricle"))
    _check_size(masks)
    _check_not_swapped(masks)
    _check_surrounded(masks)
    return masks


def insertion_from_points(points) -> tuple[tuple[float, float, float], ...]:
    """The points that are set in a point-list node, LPS mm; raises InputError where there is none."""
    in_scene(points, "RV insertion")
    found, place = [], [0.0, 0.0, 0.0]
    for n in range(points.GetNumberOfControlPoints()):
        if points.GetNthControlPointPositionStatus(n) == slicer.vtkMRMLMarkupsNode.PositionDefined:
            points.GetNthControlPointPositionWorld(n, place)
            x, y, z = lps_from_ras(place).tolist()
            found.append((x, y, z))
    if not found:
        raise InputError(
            f"{called(points)} holds no point.",
            "Place one point where the right ventricle's front edge meets the wall.",
        )
    return tuple(found)


def add_segmentation(masks: Masks, name: str):
    """A segmentation node in the scene with the masks, under usual names.

    Raises InputError where the slices are not evenly spaced: draw on each slice's own images then.
    """
    affine = masks.geometry.volume_affine()
    node = the_scene().AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    for role, words in WORDS.items():
        mask = getattr(masks, role)
        if mask is not None:
            segment = slicer.vtkSegment()
            segment.SetName(words if role == "blood_pool" else words.capitalize())
            segment.SetColor(*_COLOURS[role])
            segment.AddRepresentation(_LABELMAP, _oriented(mask, affine))
            node.GetSegmentation().AddSegment(segment)
    return node


def add_insertion(points, name: str):
    """A point list in the scene of ``points`` (n, 3) LPS mm."""
    node = the_scene().AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    for point in lps_from_ras(points):
        node.AddControlPoint(vtk.vtkVector3d(*point))
    return node


def _oriented(mask: np.ndarray, affine: np.ndarray):
    volume = filled(slicer.vtkMRMLScalarVolumeNode(), mask.astype(np.uint8), affine)
    image = slicer.vtkOrientedImageData()
    image.ShallowCopy(volume.GetImageData())
    image.SetImageToWorldMatrix(vtk_matrix(RAS_LPS @ affine))
    return image


def _segment_id(segmentation, name: str, role: str) -> str:
    """The id of a segment named by its id or its name."""
    segments = segmentation.GetSegmentation()
    if segments.GetSegment(name) is not None:
        return name
    id = segments.GetSegmentIdBySegmentName(name)
    if not id:
        there = [segments.GetNthSegment(n).GetName() for n in range(segments.GetNumberOfSegments())]
        raise InputError(
            f'{called(segmentation)} has no segment "{plain(name, 60)}" for the {WORDS[role]}.',
            f"There are: {', '.join(plain(each, 60) for each in there) or 'none'}.",
        )
    return id


def _drawn(segmentation, id: str, words: str) -> Drawn:
    part, affine = _labelmap(segmentation, id)
    if not part.any():
        raise InputError(
            f"The {words} segment is empty.", "Draw it in one slice at least, or choose the right segment."
        )
    return Drawn(part, RAS_LPS @ parent_matrix(segmentation) @ RAS_LPS @ affine)


def _on_grid(drawn: Drawn, geometry: Geometry, words: str) -> np.ndarray:
    """A segment as bool (k, j, i) on the grid of the series."""
    part, affine = drawn.part, drawn.affine
    _check_lies_there(part, affine, geometry, words)
    mask = np.stack([_share(part, affine, geometry, k) for k in range(geometry.shape[0])])
    if not mask.any():
        raise _elsewhere(part, affine, geometry, words)
    return mask


def _labelmap(segmentation, id: str) -> tuple[np.ndarray, np.ndarray]:
    """A segment's own labelmap: bool (k, j, i) and (4, 4) from (i, j, k, 1) to LPS mm. The node stays as it is."""
    segments = segmentation.GetSegmentation()
    if not segments.GetSegment(id).GetRepresentation(_LABELMAP):
        copy = slicer.vtkSegmentation()
        copy.DeepCopy(segments)
        segments = copy if copy.CreateRepresentation(_LABELMAP) else segments
    segment = segments.GetSegment(id)
    image = segment.GetRepresentation(_LABELMAP)
    if image is None or image.GetPointData().GetScalars() is None or min(image.GetDimensions()) < 1:
        return np.zeros((1, 1, 1), dtype=bool), np.eye(4)
    values = vtk_to_numpy(image.GetPointData().GetScalars())
    part = values.reshape(image.GetDimensions()[::-1]) == segment.GetLabelValue()
    to_world = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_world)
    affine = RAS_LPS @ matrix(to_world)
    affine[:3, 3] += affine[:3, :3] @ np.array(image.GetExtent()[::2])  # the array begins where the extent does
    return part, affine


def _share(part: np.ndarray, affine: np.ndarray, geometry: Geometry, k: int) -> np.ndarray:
    """Bool (j, i): the pixels of slice ``k`` of which more than half lies in ``part`` (half: where the centre does)."""
    to_part = np.linalg.inv(affine) @ geometry.ijk_to_lps[k]
    per_pixel = np.abs(to_part[:3, :2]).max(axis=0)
    counts = [int(np.clip(np.ceil(size - 1e-3), 1, _FINEST)) for size in per_pixel]
    offsets = [(np.arange(n) + 0.5) / n - 0.5 for n in counts]
    inside = [_sampled(part, to_part, geometry.shape[1:], di, dj) for dj, di in product(offsets[1], offsets[0])]
    if len(inside) == 1:
        return inside[0]
    share = np.mean(inside, axis=0)
    return (share > 0.5) | ((share == 0.5) & _sampled(part, to_part, geometry.shape[1:], 0.0, 0.0))


def _sampled(part: np.ndarray, to_part: np.ndarray, shape: tuple, di: float, dj: float) -> np.ndarray:
    """Bool (j, i): ``part`` at the pixels' centres moved by ``di``, ``dj`` pixels."""
    j, i = np.indices(shape)
    points = np.stack([i + di, j + dj, np.zeros(shape), np.ones(shape)])
    places = np.rint(np.einsum("ab,bji->aji", to_part, points)[:3] - 1e-6).astype(int)
    size = np.array(part.shape[::-1])[:, None, None]
    there = ((places >= 0) & (places < size)).all(axis=0)
    found = np.zeros(shape, dtype=bool)
    x, y, z = places[:, there]
    found[there] = part[z, y, x]
    return found


def _check_lies_there(part: np.ndarray, affine: np.ndarray, geometry: Geometry, words: str) -> None:
    """InputError for a segment that leaves the images of a slice sideways: it was drawn on other images."""
    k, j, i = np.nonzero(part)
    lps = affine @ np.stack([i, j, k, np.ones(len(k))])
    rows, columns = geometry.shape[1:]
    in_plane, in_image = np.zeros((2, len(k)), dtype=bool)
    for to_lps in geometry.ijk_to_lps:
        x, y, n = (np.linalg.inv(to_lps) @ lps)[:3]
        here = np.abs(n) <= 0.5
        in_plane |= here
        in_image |= here & (np.abs(x - (columns - 1) / 2) <= columns / 2) & (np.abs(y - (rows - 1) / 2) <= rows / 2)
    beside = int((in_plane & ~in_image).sum())
    if not in_image.any():
        raise _elsewhere(part, affine, geometry, words)
    if beside:
        raise InputError(
            f"{beside} of {len(k)} voxels of the {words} segment lie beside the images of the series.",
            "Erase them, or choose the segmentation that was drawn on this series.",
        )


def _elsewhere(part: np.ndarray, affine: np.ndarray, geometry: Geometry, words: str) -> InputError:
    middle = affine @ np.append(np.argwhere(part).mean(axis=0)[::-1], 1.0)
    apart = float(np.linalg.norm(middle[:3] - geometry.centres.mean(axis=0)))
    return InputError(
        f"The {words} segment touches no slice of the series: their middles are {apart:.0f} mm apart.",
        "It was drawn on other images, or in another frame of reference: choose the segmentation of this series.",
    )


def _check_size(masks: Masks) -> None:
    """InputError for a myocardium that is a slip of the brush."""
    drawn = int(masks.myocardium.sum())
    if drawn < FEWEST_VOXELS:
        raise InputError(
            f"The myocardium segment covers {drawn} voxel{'s' * (drawn != 1)} of the series; a wall has hundreds.",
            "Draw the left ventricle's wall, or choose the right segment.",
        )


def _check_not_swapped(masks: Masks) -> None:
    """The wall surrounds the cavity: InputError where the blood pool surrounds the myocardium."""
    surrounded = 0
    for wall, pool in zip(masks.myocardium, masks.blood_pool, strict=True):
        hole = ndimage.binary_fill_holes(pool) & ~pool
        surrounded += bool(wall.any() and (hole & wall).sum() > _SWAPPED * wall.sum())
    if surrounded:
        raise InputError(
            f"The LV blood pool surrounds the myocardium in {surrounded} of {len(masks.myocardium)} slices; the myocardium surrounds the blood.",
            "Are the two segments swapped?",
        )


def _check_surrounded(masks: Masks) -> None:
    """InputError where the blood pool lies beside the wall, as the right ventricle does; an open ring surrounds its cavity too."""
    drawn = inside = 0
    for wall, pool in zip(masks.myocardium, masks.blood_pool, strict=True):
        if wall.any():
            drawn += int(pool.sum())
            inside += int(_in_hull(np.argwhere(wall), np.argwhere(pool)).sum())
    if inside < _SURROUNDED * drawn:
        raise InputError(
            f"Only {inside} of {drawn} voxels of the LV blood pool lie inside the ring of the myocardium.",
            "Is it the right ventricle? Choose the blood pool that the myocardium surrounds.",
        )


def _in_hull(corners: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Bool (n,): which ``places`` (n, 2) lie in the convex hull of ``corners`` (m, 2), seen from 64 sides."""
    lines = np.stack([np.cos(_DIRECTIONS), np.sin(_DIRECTIONS)])
    return (places @ lines <= (corners @ lines).max(axis=0)).all(axis=1)
