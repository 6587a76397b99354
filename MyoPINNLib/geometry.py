"""Where voxels lie in the patient: one affine a slice, in DICOM's LPS millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import InputError

TOLERANCE_MM = 1e-2


@dataclass(frozen=True)
class Geometry:
    """Voxel grid of a stack of slices that need be neither parallel nor evenly spaced.

    ``ijk_to_lps`` (k, 4, 4) mm maps ``(i, j, 0, 1)`` of its slice to LPS: the columns are the step along a row (i), the
    step along a column (j), the slice normal times the slice thickness, and the centre of the slice's first pixel.
    ``shape`` is (k, j, i).

    Raises InputError for shapes that do not fit together and for a singular affine.
    """

    ijk_to_lps: np.ndarray
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        affines = np.array(self.ijk_to_lps, dtype=float)
        shape = tuple(int(size) for size in self.shape)
        if affines.ndim != 3 or affines.shape[1:] != (4, 4) or len(shape) != 3 or affines.shape[0] != shape[0]:
            raise InputError(
                f"A grid of shape {shape} needs one 4 x 4 matrix a slice; it was given an array of shape {affines.shape}."
            )
        if min(shape) < 1:
            raise InputError(f"A grid of shape {shape} holds no voxel.")
        if not np.isfinite(affines).all() or (np.abs(np.linalg.det(affines[:, :3, :3])) < 1e-9).any():
            raise InputError("The image orientation is singular: rows, columns and normal do not span space.")
        affines.setflags(write=False)
        object.__setattr__(self, "ijk_to_lps", affines)
        object.__setattr__(self, "shape", shape)

    @classmethod
    def from_volume(cls, ijk_to_lps: np.ndarray, shape: tuple[int, int, int]) -> Geometry:
        """Grid of an ordinary volume: one (4, 4) affine that maps (i, j, k, 1) to LPS mm."""
        affine = np.asarray(ijk_to_lps, dtype=float)
        stack = np.repeat(affine[None], shape[0], axis=0)
        stack[:, :, 3] += np.arange(shape[0])[:, None] * affine[None, :, 2] * np.array([1, 1, 1, 0])
        return cls(stack, shape)

    @property
    def normals(self) -> np.ndarray:
        """Unit normal of each slice (k, 3): the direction of the third column."""
        columns = self.ijk_to_lps[:, :3, 2]
        return columns / np.linalg.norm(columns, axis=1, keepdims=True)

    @property
    def spacing(self) -> np.ndarray:
        """Pixel size along i and j and slice thickness, mm (k, 3)."""
        return np.linalg.norm(self.ijk_to_lps[:, :3, :3], axis=1)

    @property
    def centres(self) -> np.ndarray:
        """Centre of each slice in LPS mm (k, 3)."""
        middle = np.array([(self.shape[2] - 1) / 2, (self.shape[1] - 1) / 2, 0, 1])
        return (self.ijk_to_lps @ middle)[:, :3]

    @property
    def uniform(self) -> bool:
        """True where one volume can hold the grid: parallel slices one common step apart."""
        affines = self.ijk_to_lps
        if len(affines) == 1:
            return True
        parallel = np.abs(affines[:, :3, :2] - affines[:1, :3, :2]).max() * max(self.shape) < TOLERANCE_MM
        steps = np.diff(affines[:, :3, 3], axis=0)
        return bool(parallel and np.abs(steps - steps[:1]).max() < TOLERANCE_MM and self._right_angled(steps[0]))

    def _right_angled(self, step: np.ndarray) -> bool:
        along = self.normals[0] * (step @ self.normals[0])
        return bool(np.linalg.norm(step - along) < TOLERANCE_MM and abs(step @ self.normals[0]) > TOLERANCE_MM)

    def volume_affine(self) -> np.ndarray:
        """(4, 4) matrix from (i, j, k, 1) to LPS mm; raises InputError where the grid is not uniform."""
        if not self.uniform:
            raise InputError(
                "The slices are not parallel and evenly spaced: one volume cannot hold them.", "Use one volume a slice."
            )
        affine = self.ijk_to_lps[0].copy()
        if self.shape[0] > 1:
            affine[:3, 2] = self.ijk_to_lps[1, :3, 3] - self.ijk_to_lps[0, :3, 3]
        return affine

    def slice_grid(self, k: int) -> Geometry:
        """The grid of slice ``k`` alone."""
        return Geometry(self.ijk_to_lps[k : k + 1], (1, *self.shape[1:]))

    def to_lps(self, voxels: np.ndarray) -> np.ndarray:
        """LPS mm (n, 3) of voxels (n, 3) given as k, j, i (j and i may be fractional)."""
        voxels = np.asarray(voxels, dtype=float)
        k = voxels[:, 0].astype(int)
        in_plane = np.stack([voxels[:, 2], voxels[:, 1], np.zeros(len(voxels)), np.ones(len(voxels))], axis=-1)
        return np.einsum("nab,nb->na", self.ijk_to_lps[k], in_plane)[:, :3]

    def same_grid(self, other: Geometry) -> bool:
        """True where both grids have the same voxels within a hundredth of a millimetre at every corner."""
        if self.shape != other.shape:
            return False
        return all(np.abs(a - b).max() < TOLERANCE_MM for a, b in zip(self._corners(), other._corners(), strict=True))

    def _corners(self) -> list[np.ndarray]:
        k, j, i = self.shape
        corners = np.array([[s, row, col] for s in range(k) for row in (0, j - 1) for col in (0, i - 1)])
        return list(self.to_lps(corners))
