"""The curves of every voxel as a file: what goes in comes out, and what is no such file is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.files.voxel_curves import VoxelCurves, read_voxel_curves, write_voxel_curves


@pytest.fixture
def some_curves() -> VoxelCurves:
    rng, frames = np.random.default_rng(0), 5
    time = np.cumsum(rng.uniform(0.6, 0.8, (2, frames)), axis=1)
    voxels = np.array([[0, 1, 2], [1, 3, 3], [1, 4, 3]])
    measured, fitted = rng.random((2, 3, frames))
    return VoxelCurves(
        voxels, np.array([0, 1, 1]), np.array([0, 5, 0]), time, np.ones((2, frames)), measured, fitted
    )  # fmt: skip


def test_curves_come_back_as_they_were_written(some_curves, tmp_path):
    read = read_voxel_curves(write_voxel_curves(tmp_path / "voxel_curves.npz", some_curves))
    assert (read.voxels == some_curves.voxels).all() and (read.time == some_curves.time).all()
    assert np.allclose(read.fitted, some_curves.fitted, atol=1e-6)


def test_a_voxel_has_one_row_and_one_that_was_not_fitted_has_none(some_curves):
    assert some_curves.row_of(1, 4, 3) == 2
    assert some_curves.row_of(1, 4, 4) is None


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("measured", np.zeros((3, 4)), "measured"),
        ("clock", np.array([0, 1, 2]), "clock 2"),
        ("outcome", np.array([0, 0, 99]), "99"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(some_curves, part, value, said):
    with pytest.raises(InputError, match=said):
        replace(some_curves, **{part: value})


def test_a_file_that_is_none_or_cut_off_is_told(some_curves, tmp_path):
    with pytest.raises(InputError, match="not there"):
        read_voxel_curves(tmp_path / "voxel_curves.npz")
    path = write_voxel_curves(tmp_path / "voxel_curves.npz", some_curves)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="cut off"):
        read_voxel_curves(path)
