from __future__ import annotations

import numpy as np
import pytest

from MyoPINNLib.simulate import chest
from MyoPINNLib.simulate.chest import Grid
from MyoPINNLib.simulate.heart import SLICES, Tissue


@pytest.fixture(scope="module")
def an_anatomy():
    return chest.build_anatomy(Grid(size=96, pixel=2.6, fine=4))


@pytest.fixture(scope="module")
def centroids(an_anatomy):
    """LPS mm of each tissue's centre in the mid slice."""
    share = an_anatomy.fraction[:, 1]
    return {
        tissue: np.average(an_anatomy.lps[1].reshape(-1, 3), axis=0, weights=share[tissue].ravel() + 1e-12)
        for tissue in Tissue
    }


def test_every_pixel_is_wholly_made_of_tissue(an_anatomy):
    assert an_anatomy.fraction.sum(axis=0) == pytest.approx(1.0)


def test_the_long_axis_points_left_forward_and_down(an_anatomy):
    base_to_apex = an_anatomy.geometry.centres[0] - an_anatomy.geometry.centres[2]
    assert base_to_apex[0] > 0 and base_to_apex[1] < 0 and base_to_apex[2] < 0
    assert an_anatomy.geometry.normals @ base_to_apex == pytest.approx(-40.0)


def test_the_picture_has_anterior_up_and_the_right_ventricle_on_the_left(an_anatomy, centroids):
    to_pixel = np.linalg.inv(an_anatomy.geometry.ijk_to_lps[1])
    right, left = (to_pixel @ [*centroids[tissue], 1.0] for tissue in (Tissue.RV_BLOOD, Tissue.LV_BLOOD))
    assert right[0] < left[0] - 10
    step_down = an_anatomy.geometry.ijk_to_lps[1][:3, 1]
    assert step_down[2] < 0 and step_down[1] > 0


def test_organs_lie_where_they_belong_in_the_patient(centroids):
    heart = centroids[Tissue.LV_BLOOD]
    assert centroids[Tissue.RV_BLOOD][0] < heart[0] and centroids[Tissue.RV_BLOOD][1] < heart[1]
    assert centroids[Tissue.LIVER][2] < heart[2] and centroids[Tissue.LIVER][0] < heart[0]
    assert centroids[Tissue.AORTA][1] > heart[1]


def test_the_grid_says_where_its_pixels_are(an_anatomy):
    voxels = np.array([[0, 0, 0], [1, 10, 70], [2, 95, 3]])
    assert an_anatomy.geometry.to_lps(voxels) == pytest.approx(an_anatomy.lps[tuple(voxels.T)])


def test_the_wall_and_the_cavity_shrink_towards_the_apex():
    angle = np.linspace(0, 2 * np.pi, 100)
    walls = [(heart.epicardium(angle) - heart.endocardium(angle)).mean() for heart in SLICES]
    cavities = [heart.endocardium(angle).mean() for heart in SLICES]
    assert 6 < walls[0] < walls[1] < walls[2] < 11
    assert 12 < cavities[0] < cavities[1] < cavities[2] < 27


def test_the_insertion_is_where_the_right_ventricle_meets_the_left(an_anatomy):
    for k, point in enumerate(an_anatomy.insertion_lps):
        away = np.linalg.norm(an_anatomy.lps[k] - point, axis=-1)
        near = away < 6.0
        assert away.min() < 2.6
        assert (an_anatomy.fraction[Tissue.RV_BLOOD, k][near].sum() > 0) and (
            an_anatomy.fraction[Tissue.MYOCARDIUM, k][near].sum() > 1
        )
        assert (an_anatomy.fraction[Tissue.LUNG, k] + an_anatomy.fraction[Tissue.FAT, k])[near].sum() > 1


def test_papillary_muscles_stand_in_the_cavity(an_anatomy):
    radius = np.hypot(an_anatomy.x, an_anatomy.y)
    where = an_anatomy.fraction[Tissue.PAPILLARY, 1] > 0.5
    assert where.sum() >= 10
    assert radius[where].max() < SLICES[1].endo
