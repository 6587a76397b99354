"""Neighbours have a say where the tissue is smooth, none across a border, and none where there is no order in space."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from MyoPINNLib.errors import InputError
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.settings import Delay, FitSettings, Method, Spatial
from MyoPINNLib.simulate import metrics
from MyoPINNLib.simulate.objects import beside_border, smooth_twin, territory, twin
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.fields import Beliefs, Fields, learnt_fields, windows
from MyoPINNLib.solvers.neighbours import own_gaussians

ALONE = FitSettings(method=Method.MAP, delay=Delay.FIXED)
COUPLED = replace(ALONE, spatial=Spatial.NEIGHBOURS)
SHAPE = (2, 24, 24)
NAMES = ("F_p", "v_p", "v_e", "PS")


@pytest.fixture(scope="module")
def a_smooth_twin():
    return smooth_twin(seed=4, shape=SHAPE)


@pytest.fixture(scope="module")
def fitted_alone(a_smooth_twin):
    return fit(a_smooth_twin.curves, a_smooth_twin.aif, ALONE)


@pytest.fixture(scope="module")
def fitted_coupled(a_smooth_twin):
    return fit(a_smooth_twin.curves, a_smooth_twin.aif, COUPLED)


def a_grid(shape):
    """Voxels of a full grid, their neighbours and the neighbours' offsets."""
    voxels = np.argwhere(np.ones(shape))
    return voxels, *windows(voxels, np.ones(len(voxels), dtype=bool))


def beliefs_of(truth, noise, rng):
    """What curves with normal errors of ``noise`` would say of ``truth`` (n, m), under a prior N(0, 1)."""
    seen = truth + noise * rng.standard_normal(truth.shape)
    variance = 1 / (1 + noise**-2)
    return Beliefs(seen / (1 + noise**2), np.tile(variance * np.eye(truth.shape[1]), (len(truth), 1, 1)))


def test_neighbours_more_than_halve_the_error_of_a_smooth_object(a_smooth_twin, fitted_alone, fitted_coupled):
    alone, coupled = (
        metrics.nmse(result.parameters, a_smooth_twin.truth)["all"] for result in (fitted_alone, fitted_coupled)
    )
    assert coupled < 0.6 * alone


@pytest.mark.parametrize("sick", [True, False])
def test_a_border_of_the_flow_is_kept(sick, a_smooth_twin, fitted_coupled):
    near = beside_border(SHAPE) & (territory(SHAPE) == sick)
    error = fitted_coupled.parameters.F_p[near] / a_smooth_twin.truth.F_p[near] - 1
    assert abs(np.median(error)) < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_deviations_stay_honest_and_become_smaller(name, a_smooth_twin, fitted_alone, fitted_coupled):
    value, sd, true = (getattr(p, name) for p in (fitted_coupled.parameters, fitted_coupled.sd, a_smooth_twin.truth))
    off = np.abs(np.log(value / true)) / (sd / value)
    assert 0.52 < (off < 1).mean() < 0.85
    assert (off < 1.96).mean() > 0.85
    assert np.median(sd / value) < 0.9 * np.median(
        getattr(fitted_alone.sd, name) / getattr(fitted_alone.parameters, name)
    )


def test_voxels_without_order_in_space_are_left_alone():
    reference = twin(seed=5, voxels=256)
    curves = replace(reference.curves, voxels=np.argwhere(np.ones((1, 16, 16))))
    alone, coupled = (fit(curves, reference.aif, how) for how in (ALONE, COUPLED))
    np.testing.assert_array_equal(coupled.parameters.F_p, alone.parameters.F_p)


def a_corner(reference):
    """The curves of a corner of the first slice, with their places."""
    few = (reference.curves.voxels < (1, 16, 16)).all(axis=1)
    curves = TissueCurves.on_one_clock(reference.curves.time[0], reference.curves.C_t[few])
    return replace(curves, voxels=reference.curves.voxels[few])


def test_batches_do_not_change_a_voxel_s_answer(a_smooth_twin):
    whole, parts = (fit(a_corner(a_smooth_twin), a_smooth_twin.aif, replace(COUPLED, chunk=size)) for size in (512, 47))
    np.testing.assert_allclose(parts.parameters.F_p, whole.parameters.F_p, rtol=1e-5)


class Kept(dict):
    """A checkpoint in memory."""

    def load(self, key):
        """What was saved under ``key``."""
        return self.get(key)

    def save(self, key, arrays):
        """Keep ``arrays``."""
        self[key] = arrays


def test_a_run_that_was_cut_off_in_its_second_pass_goes_on_to_the_same_answer(a_smooth_twin):
    kept, heard, curves, how = Kept(), [], a_corner(a_smooth_twin), replace(COUPLED, chunk=100)
    whole = fit(curves, a_smooth_twin.aif, how, lambda event: heard.append(event.fraction), kept)
    assert len(kept) == 6 and (np.diff(heard) >= 0).all() and heard[-1] == 1.0
    for key in list(kept)[-2:]:
        del kept[key]
    again = fit(curves, a_smooth_twin.aif, how, checkpoint=kept)
    np.testing.assert_array_equal(again.parameters.F_p, whole.parameters.F_p)


@pytest.mark.parametrize("method", [Method.NLLS, Method.FERMI, Method.COMBINED])
def test_a_method_that_cannot_couple_says_so(method):
    with pytest.raises(InputError, match="cannot couple neighbours"):
        FitSettings(method=method, spatial=Spatial.NEIGHBOURS)


def test_one_shot_listens_to_neighbours_too(a_smooth_twin, fitted_coupled):
    result = fit(a_smooth_twin.curves, a_smooth_twin.aif, replace(COUPLED, method=Method.ONE_SHOT))
    soft, exact = (metrics.nmse(found.parameters, a_smooth_twin.truth)["all"] for found in (result, fitted_coupled))
    assert soft == pytest.approx(exact, rel=0.15)


def test_curves_without_places_say_so(a_smooth_twin):
    curves = TissueCurves.on_one_clock(a_smooth_twin.curves.time[0], a_smooth_twin.curves.C_t[:3])
    with pytest.raises(InputError, match="have no places"):
        fit(curves, a_smooth_twin.aif, COUPLED)


def test_a_window_holds_the_neighbours_of_its_slice_and_none_that_cannot_speak():
    voxels = np.argwhere(np.ones((2, 5, 5)))
    usable = ~(voxels == (0, 2, 3)).all(axis=1)
    near, offsets = windows(voxels, usable)
    middle = np.flatnonzero((voxels == (0, 2, 2)).all(axis=1))[0]
    held = near[middle] >= 0
    assert held.sum() == 23 and not held[(offsets == (0, 1)).all(axis=1)]
    np.testing.assert_array_equal(voxels[near[middle][held]][:, 1:] - (2, 2), offsets[held])
    assert (voxels[near[middle][held]][:, 0] == 0).all()


def test_kriging_from_exact_neighbours_gives_what_lies_between_them():
    voxels, near, offsets = a_grid((1, 9, 9))
    truth = np.cos(voxels[:, 1:] / 4.0)
    beliefs = beliefs_of(truth, 0.01, np.random.default_rng(0))
    fields = Fields(np.zeros(2), np.eye(2), np.eye(2), np.full(2, 0.98), np.full(2, 6.0))
    given = own_gaussians(beliefs, fields, near, offsets)
    inner = ((voxels[:, 1:] > 1) & (voxels[:, 1:] < 7)).all(axis=1)
    assert np.abs(given.mean - truth)[inner].max() < 0.1
    assert np.einsum("nii->ni", given.covariance)[inner].max() < 0.15


def test_without_coupled_fields_neighbours_say_the_study_s_gaussian():
    voxels, near, offsets = a_grid((1, 6, 6))
    rng = np.random.default_rng(0)
    fields = Fields(np.array([1.0, 2.0]), 4 * np.eye(2), np.eye(2) / 2, np.zeros(2), np.ones(2))
    given = own_gaussians(beliefs_of(rng.standard_normal((len(voxels), 2)), 0.5, rng), fields, near, offsets)
    np.testing.assert_allclose(given.mean, np.tile([1.0, 2.0], (36, 1)))
    np.testing.assert_allclose(given.covariance, np.tile(4 * np.eye(2), (36, 1, 1)))


def test_the_share_and_the_length_of_a_field_are_found_through_noise():
    voxels, near, offsets = a_grid((4, 40, 40))
    rng, fine = np.random.default_rng(1), smooth_noise((4, 40, 40), 2.0, np.random.default_rng(0))
    truth = np.column_stack([fine.ravel(), rng.standard_normal(fine.size)])
    fields = learnt_fields(beliefs_of(truth, 1.0, rng), near, offsets, np.ones(len(voxels), dtype=bool))
    assert sorted(fields.share > 0) == [False, True]
    coupled = int(fields.share.argmax())
    assert fields.share[coupled] > 0.85
    expected = np.corrcoef(fine[:, :, :-2].ravel(), fine[:, :, 2:].ravel())[0, 1]
    assert fields.correlation(2.0)[coupled] == pytest.approx(expected, abs=0.1)


def smooth_noise(shape, width, rng):
    """(k, j, i) of variance 1, smooth over ``width`` voxels in each slice."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), (0, width, width), mode="wrap")
    return field / field.std()
