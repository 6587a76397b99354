"""A series and its masks: what cannot be is refused with its numbers."""

import numpy as np
import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.series import Masks, PerfusionSeries

GRID = Geometry.from_volume(np.diag([2.0, 2.0, 8.0, 1.0]), (2, 4, 5))
SIGNAL = np.ones((6, 2, 4, 5))
TIME = np.arange(6) * 0.8


def test_one_time_axis_serves_every_slice():
    series = PerfusionSeries(SIGNAL, TIME, GRID)
    np.testing.assert_array_equal(series.time, [TIME, TIME])
    assert (series.weight == 1).all()
    assert series.frames == 6


@pytest.mark.parametrize(
    ("signal", "time", "words"),
    [
        (SIGNAL[:1], TIME[:1], "1 frame; perfusion needs a series"),
        (SIGNAL[0], TIME, "four axes .* has 3"),
        (SIGNAL[:, :1], TIME, r"images are \(1, 4, 5\) .* grid is \(2, 4, 5\)"),
        (SIGNAL, TIME[:5], "2 x 6 images .* times of shape"),
        (SIGNAL, TIME - 1, "negative .*-1 s"),
        (SIGNAL, TIME[::-1], "do not increase: slice 1 has 4 s at frame 1 and 3.2 s at frame 2"),
        (SIGNAL, np.where(TIME == 0.8, np.nan, TIME), "2 frame times are not numbers"),
        (SIGNAL, TIME / 300, "0.00266667 s apart.*not the times"),
        (SIGNAL, TIME * 1000, "800 s apart.*milliseconds"),
    ],
)
def test_a_series_that_cannot_be_is_refused(signal, time, words):
    with pytest.raises(InputError, match=words):
        PerfusionSeries(signal, time, GRID)


def test_weights_of_another_shape_are_refused():
    with pytest.raises(InputError, match="weights have shape"):
        PerfusionSeries(SIGNAL, TIME, GRID, weight=np.ones(6))


def test_masks_are_checked():
    wall, pool, none = np.zeros((3, 2, 4, 5), dtype=bool)
    wall[0, 0], pool[0, 2] = True, True
    assert Masks(wall, pool, GRID).right_ventricle is None
    for bad, words in (
        ((none, pool), "myocardium mask is empty"),
        ((wall, none), "LV blood pool mask is empty"),
        ((wall, wall), "5 voxels are in both"),
        ((wall[:1], pool), r"is \(1, 4, 5\) .* grid is \(2, 4, 5\)"),
    ):
        with pytest.raises(InputError, match=words):
            Masks(*bad, GRID)


def test_a_right_ventricle_is_checked_like_the_others():
    wall, pool, none = np.zeros((3, 2, 4, 5), dtype=bool)
    wall[0, 0], pool[0, 2] = True, True
    for right, words in (
        (none, "right ventricle mask is empty"),
        (wall, "5 voxels are in both the myocardium and the right"),
    ):
        with pytest.raises(InputError, match=words):
            Masks(wall, pool, GRID, right)


def test_a_later_edit_of_the_array_does_not_reach_the_mask():
    wall, pool = np.zeros((2, 2, 4, 5), dtype=bool)
    wall[0, 0], pool[0, 2] = True, True
    masks = Masks(wall, pool, GRID)
    wall[:] = False
    assert masks.myocardium.sum() == 5
