"""Volumes of the scene as arrays and LPS affines, and back; all else of this package stands on it.

LPS = diag(-1, -1, 1, 1) RAS     Slicer's scene is RAS, the library LPS; both in mm
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ..errors import InputError
from ..files.words import plain

RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_LONGEST_NAME = 60


def the_scene():
    """Slicer's scene."""
    return slicer.mrmlScene


def called(node) -> str:
    """A node's name as it stands in a sentence for the user, never in a file."""
    return f'"{plain(node.GetName() or node.GetClassName(), _LONGEST_NAME)}"'


def in_scene(node, what: str):
    """``node`` where it is in the scene; raises InputError for None and for one that was removed."""
    if node is None:
        raise InputError(f"No {what} is chosen.", f"Choose the {what}.")
    if node.GetScene() is None:
        raise InputError(f"The {what} {called(node)} is no longer in the scene.", "Choose another one.")
    return node


def matrix(of: vtk.vtkMatrix4x4) -> np.ndarray:
    """A VTK matrix as an array (4, 4)."""
    return np.array([[of.GetElement(row, column) for column in range(4)] for row in range(4)])


def vtk_matrix(of: np.ndarray) -> vtk.vtkMatrix4x4:
    """An array (4, 4) as a VTK matrix."""
    made = vtk.vtkMatrix4x4()
    for (row, column), value in np.ndenumerate(of):
        made.SetElement(row, column, float(value))
    return made


def parent_matrix(node) -> np.ndarray:
    """(4, 4) RAS: from a node's own place to the world, by its parent transforms. InputError where one of them bends space."""
    parent = node.GetParentTransformNode()
    if parent is None:
        return np.eye(4)
    if not parent.IsTransformToWorldLinear():
        raise InputError(
            f"{called(node)} lies under a transform that bends space.",
            "Harden the transform on it (Transforms module).",
        )
    to_world = vtk.vtkMatrix4x4()
    parent.GetMatrixTransformToWorld(to_world)
    return matrix(to_world)


def affine_of(volume, world: np.ndarray | None = None) -> np.ndarray:
    """(4, 4) from (i, j, k, 1) of a volume node to LPS mm, moved by ``world`` (RAS) where that is given."""
    to_ras = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(to_ras)
    moved = matrix(to_ras) if world is None else world @ matrix(to_ras)
    return RAS_LPS @ moved


def values_of(volume) -> np.ndarray:
    """A view (k, j, i) of a volume node's voxels, (k, j, i, n) where each has n values.

    Raises InputError where the node holds no image.
    """
    image = volume.GetImageData()
    scalars = None if image is None else image.GetPointData().GetScalars()
    if scalars is None or min(image.GetDimensions()) < 1:
        raise InputError(f"{called(volume)} holds no image.", "Choose a volume with voxels.")
    parts = scalars.GetNumberOfComponents()
    shape = image.GetDimensions()[::-1]
    return vtk_to_numpy(scalars).reshape(shape if parts == 1 else (*shape, parts))


def image_of(values: np.ndarray) -> vtk.vtkImageData:
    """``values`` (k, j, i) as VTK's image, with a copy of the numbers."""
    image = vtk.vtkImageData()
    image.SetDimensions(*values.shape[::-1])
    scalars = numpy_to_vtk(np.ascontiguousarray(values).ravel(), deep=True)
    scalars.SetName("ImageScalars")
    image.GetPointData().SetScalars(scalars)
    return image


def filled(volume, values: np.ndarray, affine: np.ndarray):
    """``volume`` with ``values`` (k, j, i) at ``affine`` (4, 4), (i, j, k, 1) to LPS mm."""
    volume.SetIJKToRASMatrix(vtk_matrix(RAS_LPS @ affine))
    volume.SetAndObserveImageData(image_of(values))
    return volume


def lps_from_ras(points) -> np.ndarray:
    """Points (..., 3) of the scene in LPS mm; the same turns LPS into RAS."""
    return np.asarray(points, dtype=float) * np.diag(RAS_LPS)[:3] + 0.0
