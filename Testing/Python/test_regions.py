"""Regions of neighbours that are alike hold the prior's mean where their mean curves are."""

from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.pipeline import quantify
from MyoPINNLib.prior import GaussianPrior
from MyoPINNLib.quantities import inside
from MyoPINNLib.settings import Delay, FitSettings, Method, Settings
from MyoPINNLib.simulate.metrics import nmse
from MyoPINNLib.simulate.objects import Noise, smooth_twin, twin
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.simulate.phantom import Preset, make_phantom
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers import study as together
from MyoPINNLib.solvers.learning import anchored
from MyoPINNLib.solvers.regions import FEWEST_REGIONS, LARGEST, alike_regions
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


def test_regions_that_are_few_among_unlike_voxels_teach_no_mean(a_muscle):
    strangers, muscle = twin(seed=5, voxels=640).curves, a_muscle.curves.C_t
    C_t = np.array([np.interp(a_muscle.curves.time[0], strangers.time[0], curve) for curve in strangers.C_t])
    C_t[: len(muscle)] = muscle
    places = np.column_stack([np.zeros(640), *(axis.ravel() for axis in np.mgrid[:32, :20])])
    mixed = TissueCurves(a_muscle.curves.time, np.zeros(640, dtype=int), C_t, voxels=places)
    assert alike_regions(mixed, np.ones(640, bool)) == []
    assert len(alike_regions(mixed, np.arange(640) < 400)[0].members) >= FEWEST_REGIONS, "they are most of these"


def test_unlike_voxels_do_not_pull_the_mean_off():
    smooth = smooth_twin(seed=321, noise=Noise.PEAK_SNR_17_5)
    found = fit(smooth.curves, smooth.aif, replace(MAP, delay=Delay.FIXED)).parameters
    assert nmse(found, smooth.truth)["all"] < 0.050, "0.047 without any region"


def test_an_ischaemic_territory_and_the_rest_are_not_set_apart_by_the_prior():
    phantom = make_phantom(Preset.FAST, seed=6)
    maps = quantify(phantom.series, phantom.masks, Settings(fit=MAP)).maps
    off, true = maps["MBF"][maps.valid] / phantom.truth["MBF"][maps.valid] - 1, phantom.truth["MBF"][maps.valid]
    sick = true < inside("MBF", 1.8)
    assert abs(np.median(off[~sick]) - np.median(off[sick])) < 0.02


def test_regions_take_the_bias_from_the_flow_of_a_study(a_muscle, monkeypatch):
    true = a_muscle.truth.F_p[0]
    held = fit(a_muscle.curves, a_muscle.aif, MAP).parameters.F_p
    monkeypatch.setattr(together, "alike_regions", lambda curves, usable: [])
    free = fit(a_muscle.curves, a_muscle.aif, MAP).parameters.F_p
    bias, without = (abs(np.median(each) / true - 1) for each in (held, free))
    assert bias < 0.6 * without and bias < 0.015 and without < 0.03


def test_exact_fits_of_voxels_that_differ_a_little_leave_the_mean_where_it_is():
    side, names = 24, ("F_p", "v_p", "v_e", "PS")
    smooth = smooth_twin(seed=4, shape=(1, side, side), noise=Noise.NONE)
    x = np.log(np.stack([getattr(smooth.truth, name) for name in names], axis=1))
    x = x.mean(axis=0) + 0.3 * (x - x.mean(axis=0))
    some = {name: np.exp(column) for name, column in zip(names, x.T, strict=True)}
    C_t = tissue_curve(smooth.aif, smooth.curves.time[0], **some)
    regions = alike_regions(replace(smooth.curves, C_t=C_t), np.ones(side**2, bool))
    anchor = anchored(Workbench(smooth.aif, replace(MAP, delay=Delay.FIXED), lambda: None), regions)
    held = anchor.held(GaussianPrior(np.zeros(4), np.eye(4)), np.arange(side**2), x)
    assert np.abs(held.mean).max() < 0.03
