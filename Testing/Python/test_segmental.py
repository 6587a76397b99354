"""How sure a segment's mean is: noise averages out over its voxels, what they have in common does not."""

import numpy as np
import pytest

from MyoPINNLib.aha import AHASegments, Half
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.maps import ParameterMaps
from MyoPINNLib.segmental import COMMON, OVERLAP, mean_deviations, true_spread
from MyoPINNLib.settings import SliceLevel

SHAPE = (1, 16, 100)


def segments_of(label):
    """Sixteen segments on a grid."""
    nowhere, half = np.full((1, 3), np.nan), np.full(SHAPE, int(Half.ENDO), dtype=np.uint8)
    return AHASegments(label.astype(np.uint8), (SliceLevel.MID,), 16, False, half, nowhere, nowhere, nowhere, nowhere)


@pytest.fixture
def the_segments():
    return segments_of(np.broadcast_to(np.arange(1, 17)[None, :, None], SHAPE))


def maps_of(values, sd, valid=None):
    """Maps of MBF with its standard deviations."""
    valid = np.ones(SHAPE, dtype=bool) if valid is None else valid
    return ParameterMaps({"MBF": values}, valid, Geometry.from_volume(np.eye(4), SHAPE), {"MBF": sd})


def study(rng, *, between, within, noise):
    """Truth of segments that differ by ``between`` and voxels by ``within``, and what a posterior makes of it (mean, SD)."""
    truth = 2.0 + between * rng.standard_normal((1, 16, 1)) + within * rng.standard_normal(SHAPE)
    total = between**2 + within**2
    gain = total / (total + noise**2)
    found = 2.0 + gain * (truth + noise * rng.standard_normal(SHAPE) - 2.0)
    return truth, found, np.full(SHAPE, np.sqrt(gain) * noise)


def test_noise_averages_out_and_what_is_common_stays(the_segments):
    values = np.broadcast_to(np.random.default_rng(0).normal(2, 0.5, (1, 1, 100)), SHAPE)
    few, many = (mean_deviations(maps_of(values, np.full(SHAPE, sd)), the_segments, "MBF")[3] for sd in (0.01, 0.02))
    assert many == pytest.approx(2 * few, rel=1e-3)
    assert few == pytest.approx(0.01 * np.sqrt(1 / 100 + COMMON), rel=1e-3)


def test_the_prior_s_pull_on_a_segment_is_counted(the_segments):
    off, said = [], []
    for seed in range(10):
        truth, found, sd = study(np.random.default_rng(seed), between=0.4, within=0.2, noise=0.5)
        deviations = mean_deviations(maps_of(found, sd), the_segments, "MBF")
        off += list((found - truth).mean(axis=(0, 2)))
        said += [deviations[number] for number in range(1, 17)]
    ratio = np.abs(off) / said
    assert np.std(off) > 2 * 0.5 / np.sqrt(100)
    assert 0.60 < (ratio < 1).mean() < 0.88 and (ratio < 1.96).mean() > 0.9


def test_neighbours_that_share_their_noise_count_for_fewer(the_segments):
    values = np.broadcast_to(np.random.default_rng(0).normal(2, 0.5, (1, 1, 100)), SHAPE)
    maps = maps_of(values, np.full(SHAPE, 0.01))
    coupled = mean_deviations(maps, the_segments, "MBF", coupled=True)[1]
    assert coupled == pytest.approx(0.01 * np.sqrt(OVERLAP / 100 + COMMON), rel=1e-3)


def test_what_is_not_known_is_absent(the_segments):
    valid = np.ones(SHAPE, dtype=bool)
    valid[:, 4] = False
    maps = maps_of(np.ones(SHAPE), np.full(SHAPE, 0.1), valid)
    found = mean_deviations(maps, the_segments, "MBF")
    assert sorted(found) == [number for number in range(1, 17) if number != 5]
    assert mean_deviations(maps, the_segments, "PS") == {}
    assert mean_deviations(maps_of(np.ones(SHAPE), np.full(SHAPE, 0.1), ~valid & valid), the_segments, "MBF") == {}


def test_what_all_voxels_share_does_not_average_out(the_segments):
    values = np.broadcast_to(np.random.default_rng(0).normal(2, 0.5, (1, 16, 100)), SHAPE)
    maps = maps_of(values, np.full(SHAPE, 0.1))
    plain, more = (mean_deviations(maps, the_segments, "MBF", shared=share)[3] for share in (0.0, 0.05))
    assert more**2 - plain**2 == pytest.approx((0.05 * values[0, 2].mean()) ** 2)


def test_the_spread_of_values_is_told_from_their_noise():
    rng, sd = np.random.default_rng(1), np.full(4000, 0.3)
    values = 2 + 0.4 * rng.standard_normal(4000) + sd * rng.standard_normal(4000)
    assert true_spread(values, sd) == pytest.approx(0.4, rel=0.05)
    assert true_spread(values[:2], sd[:2]) is None
