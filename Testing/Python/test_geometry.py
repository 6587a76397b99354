"""Voxels in the patient: affines, uniform stacks, grids that are the same."""

import numpy as np
import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.geometry import Geometry


def rotation(axis, angle):
    """A rotation matrix about ``axis`` by ``angle`` rad (Rodrigues)."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K


@pytest.fixture
def an_oblique_affine():
    affine = np.eye(4)
    affine[:3, :3] = rotation([1, 2, 0.5], 0.7) @ np.diag([2.0, 2.5, 8.0])
    affine[:3, 3] = [-40, 12, 90]
    return affine


def test_a_voxel_lies_where_the_volume_s_affine_says(an_oblique_affine):
    grid = Geometry.from_volume(an_oblique_affine, (3, 20, 30))
    found = grid.to_lps(np.array([[2, 7, 11], [0, 0, 0]]))
    np.testing.assert_allclose(found, [(an_oblique_affine @ [11, 7, 2, 1])[:3], [-40, 12, 90]])


def test_a_volume_is_uniform_and_gives_its_affine_back(an_oblique_affine):
    grid = Geometry.from_volume(an_oblique_affine, (3, 20, 30))
    assert grid.uniform
    np.testing.assert_allclose(grid.volume_affine(), an_oblique_affine, atol=1e-12)
    np.testing.assert_allclose(grid.spacing[1], [2.0, 2.5, 8.0])


def test_the_normal_and_the_centre_are_those_of_the_slice(an_oblique_affine):
    grid = Geometry.from_volume(an_oblique_affine, (2, 21, 31))
    np.testing.assert_allclose(grid.normals[0], an_oblique_affine[:3, 2] / 8.0)
    np.testing.assert_allclose(grid.centres[1], (an_oblique_affine @ [15, 10, 1, 1])[:3])


@pytest.mark.parametrize("what", ["gap", "tilt", "shear"])
def test_slices_that_no_volume_can_hold_are_told(an_oblique_affine, what):
    stack = Geometry.from_volume(an_oblique_affine, (3, 20, 30)).ijk_to_lps.copy()
    if what == "gap":
        stack[2, :3, 3] += an_oblique_affine[:3, 2] * 0.5
    if what == "tilt":
        stack[2, :3, :3] = rotation([0, 1, 0], 0.05) @ stack[2, :3, :3]
    if what == "shear":
        stack[:, :3, 3] += np.arange(3)[:, None] * an_oblique_affine[:3, 0]
    grid = Geometry(stack, (3, 20, 30))
    assert not grid.uniform
    assert grid.slice_grid(2).uniform
    with pytest.raises(InputError, match="not parallel and evenly spaced"):
        grid.volume_affine()


def test_grids_are_the_same_within_a_hundredth_of_a_millimetre(an_oblique_affine):
    grid, near, far = (Geometry.from_volume(an_oblique_affine + shift, (2, 5, 5)) for shift in (0.0, 0.0005, 0.02))
    assert grid.same_grid(near)
    assert not grid.same_grid(far)
    assert not grid.same_grid(Geometry.from_volume(an_oblique_affine, (2, 5, 6)))


@pytest.mark.parametrize(
    ("affines", "shape", "words"),
    [
        (np.eye(4)[None], (2, 4, 4), "one 4 x 4 matrix a slice"),
        (np.eye(4)[None], (1, 0, 4), "holds no voxel"),
        (np.zeros((1, 4, 4)), (1, 4, 4), "singular"),
        (np.full((1, 4, 4), np.nan), (1, 4, 4), "singular"),
    ],
)
def test_an_impossible_grid_is_refused(affines, shape, words):
    with pytest.raises(InputError, match=words):
        Geometry(affines, shape)
