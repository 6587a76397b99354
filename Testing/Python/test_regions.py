"""Regions of neighbours that are alike hold the prior's mean where their mean curves are."""

from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.prior import GaussianPrior
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate.objects import Noise, smooth_twin, twin
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers import study as together
from MyoPINNLib.solvers.learning import anchored
from MyoPINNLib.solvers.regions import LARGEST, alike_regions
from MyoPINNLib.solvers.workbench import Workbench

MAP = FitSettings(method=Method.MAP)
SIDE = 16


@pytest.fixture(scope="module")
def a_muscle():
    """A square of muscle at rest whose voxels differ by noise alone."""
    one = patient_like(Patient.REST, seed=5, voxels=1, tissue_noise=0.0, input_noise=0.0)
    rng, n = np.random.default_rng(11), SIDE**2
    C_t = one.curves.C_t + 0.06 * one.curves.C_t.max() * rng.standard_normal((n, one.curves.C_t.shape[1]))
    places = np.column_stack([np.zeros(n), *(axis.ravel() for axis in np.mgrid[:SIDE, :SIDE])])
    curves = TissueCurves(one.curves.time, np.zeros(n, dtype=int), C_t, voxels=places)
    return replace(one, curves=curves)


def test_regions_hold_every_voxel_once_and_are_small(a_muscle):
    members = [rows for regions in alike_regions(a_muscle.curves, np.ones(SIDE**2, bool)) for rows in regions.members]
    assert max(map(len, members)) <= LARGEST
    np.testing.assert_array_equal(np.sort(np.concatenate(members)), np.arange(SIDE**2))


def test_voxels_that_differ_widely_teach_no_mean(a_muscle):
    strangers = twin(seed=5, voxels=SIDE**2).curves
    placed = replace(strangers, voxels=a_muscle.curves.voxels)
    assert alike_regions(placed, np.ones(SIDE**2, bool)) == []


def test_curves_without_places_have_no_regions(a_muscle):
    nowhere = replace(a_muscle.curves, voxels=None)
    assert alike_regions(nowhere, np.ones(SIDE**2, bool)) == []


def test_unlike_voxels_do_not_pull_the_mean_off():
    smooth = smooth_twin(seed=4, shape=(1, 24, 24))
    fixed = replace(MAP, delay=Delay.FIXED)
    found = fit(smooth.curves, smooth.aif, fixed).parameters
    assert alike_regions(smooth.curves, np.ones(len(smooth.curves), bool))
    assert abs(np.median(found.F_p / smooth.truth.F_p) - 1) < 0.03


def test_regions_take_the_bias_from_the_flow_of_a_study(a_muscle, monkeypatch):
    true = a_muscle.truth.F_p[0]
    held = fit(a_muscle.curves, a_muscle.aif, MAP).parameters.F_p
    monkeypatch.setattr(together, "alike_regions", lambda curves, usable: [])
    free = fit(a_muscle.curves, a_muscle.aif, MAP).parameters.F_p
    assert abs(np.median(held) / true - 1) < 0.03 < abs(np.median(free) / true - 1)


def test_exact_fits_of_unlike_voxels_leave_the_mean_where_it_is():
    side = 24
    smooth = smooth_twin(seed=4, shape=(1, side, side), noise=Noise.NONE)
    regions = alike_regions(smooth.curves, np.ones(side**2, bool))
    anchor = anchored(Workbench(smooth.aif, replace(MAP, delay=Delay.FIXED), lambda: None), regions)
    x = np.log(np.stack([getattr(smooth.truth, name) for name in ("F_p", "v_p", "v_e", "PS")], axis=1))
    held = anchor.held(GaussianPrior(np.zeros(4), np.eye(4)), np.arange(side**2), x)
    assert np.abs(held.mean).max() < 0.03
