from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.kinetics import myocardial_blood_flow, tissue_curve
from MyoPINNLib.quantities import shown
from MyoPINNLib.simulate.chest import Grid
from MyoPINNLib.simulate.heart import Tissue
from MyoPINNLib.simulate.perfusion import Territory
from MyoPINNLib.simulate.phantom import Preset, build_anatomy, make_phantom
from MyoPINNLib.simulate.recipes import recipe

SMALL = Grid(size=84, fine=4)


@pytest.fixture(scope="module")
def a_phantom():
    return make_phantom(Preset.FAST, seed=5)


@pytest.fixture(scope="module")
def a_clean_phantom():
    return make_phantom(Preset.FAST, seed=5, noise=False)


def small(preset, **changes):
    return replace(recipe(preset), grid=SMALL, **changes)


def curves(phantom, k=1):
    """C_t (n, t) mM of the myocardium mask of slice ``k``, from the truth."""
    where = phantom.masks.myocardium[k]
    names = ("F_p", "v_p", "v_e", "PS", "T_a")
    return tissue_curve(phantom.aif, phantom.series.time[k], **{name: phantom.truth[name][k][where] for name in names})


@pytest.mark.parametrize("preset", [Preset.STRESS, Preset.DUAL_BOLUS, Preset.REST])
def test_blood_and_tissue_peaks_are_those_of_patients(preset):
    how = small(preset)
    phantom = make_phantom(how, seed=1, noise=False)
    C_ab = phantom.aif(phantom.aif.time) * (1 - phantom.hct)
    tissue = np.median(
        curves(phantom)[shown("MBF", phantom.truth["MBF"][1][phantom.masks.myocardium[1]]) > 0.8].max(axis=1)
    )
    assert 3.5 <= C_ab.max() <= 5.0
    assert (0.3 if preset is Preset.REST else 0.6) < tissue < 1.0


def test_normal_stress_tissue_peaks_between_07_and_1_mM(a_phantom):
    normal = shown("MBF", a_phantom.truth["MBF"][1][a_phantom.masks.myocardium[1]]) > 2.3
    peaks = curves(a_phantom)[normal].max(axis=1)
    assert 0.7 < np.median(peaks) and peaks.max() < 1.0


def test_flow_is_normal_but_for_the_ischaemic_territory():
    how = recipe(Preset.STRESS)
    phantom = make_phantom(replace(how, grid=SMALL), seed=2, noise=False)
    body = build_anatomy(SMALL)
    angle = np.degrees(np.arctan2(body.y, body.x))
    MBF = shown("MBF", phantom.truth["MBF"])
    assert 0.9 < np.nanmean(MBF[1:, (angle > 75) & (angle < 165)]) < 1.2
    assert 2.5 < np.nanmean(MBF[1:, (angle > -160) & (angle < 40)]) < 3.1


def test_ischaemia_is_worse_under_the_endocardium(a_phantom):
    body = build_anatomy(recipe(Preset.FAST).grid)
    radius, angle = np.hypot(body.x, body.y), np.degrees(np.arctan2(body.y, body.x))
    sick = a_phantom.masks.myocardium[1] & (angle > 75) & (angle < 165)
    middle = np.median(radius[sick])
    inner, outer = (np.nanmean(a_phantom.truth["MBF"][1][sick & part]) for part in (radius < middle, radius >= middle))
    assert inner < 0.8 * outer


def test_two_vessel_disease_has_a_second_territory():
    one, two = (
        np.nan_to_num(make_phantom(small(p, frames=10), seed=2).truth["MBF"])
        for p in (Preset.STRESS, Preset.TWO_VESSEL)
    )
    body = build_anatomy(SMALL)
    worse = (two < 0.7 * one)[2]
    angles = np.degrees(np.arctan2(body.y, body.x))[worse] % 360
    centre, half = Territory.RCA.value[0]
    assert worse.sum() > 30
    assert np.abs(angles - centre).max() < half + 8


def test_rest_flow_is_a_third_of_stress_flow():
    rest, stress = (make_phantom(small(p, frames=10), seed=2).truth["MBF"] for p in (Preset.REST, Preset.STRESS))
    assert 0.7 < np.nanmedian(shown("MBF", rest)) < 1.0
    assert 2.5 < np.nanquantile(stress, 0.8) / np.nanquantile(rest, 0.8) < 3.8


def test_the_right_ventricle_lights_up_before_the_left_and_the_left_before_the_muscle(a_clean_phantom):
    signal, masks = a_clean_phantom.series.signal, a_clean_phantom.masks
    means = [signal[:, mask].mean(axis=1) for mask in (masks.right_ventricle, masks.blood_pool, masks.myocardium)]
    half = [int(np.argmax(mean > mean[0] + 0.5 * np.ptp(mean))) for mean in means]
    assert half[0] + 3 <= half[1] < half[2]


def test_pure_myocardium_shows_the_signal_of_its_own_curve(a_clean_phantom):
    how, k = recipe(Preset.FAST), 1
    where = a_clean_phantom.masks.myocardium[k]
    measured = a_clean_phantom.series.signal[:, k, where].T
    M = how.readout.signal(1 / how.contrast.T1_myocardium + how.contrast.relaxivity * curves(a_clean_phantom, k))
    assert measured / measured[:, :1] == pytest.approx(M / M[:, :1], rel=1e-5)


def test_noise_is_five_per_cent_of_the_median_peak_enhancement(a_phantom, a_clean_phantom):
    clean = a_clean_phantom.series.signal[:, a_clean_phantom.masks.myocardium]
    enhancement = np.median(clean.max(axis=0) - clean[0])
    off = a_phantom.series.signal[:, a_phantom.masks.myocardium] - clean
    assert off.std() == pytest.approx(0.05 * enhancement, rel=0.03)
    assert make_phantom(Preset.NOISY, seed=1).sigma == pytest.approx(2 * make_phantom(Preset.STRESS, seed=1).sigma)


def test_air_holds_rician_noise(a_phantom):
    body = build_anatomy(recipe(Preset.FAST).grid)
    air = a_phantom.series.signal[:, body.fraction[Tissue.AIR] == 1]
    assert air.mean() == pytest.approx(a_phantom.sigma * np.sqrt(np.pi / 2), rel=0.02)


def test_the_masks_are_what_a_careful_user_draws(a_phantom):
    body, masks = build_anatomy(recipe(Preset.FAST).grid), a_phantom.masks
    assert body.fraction[Tissue.MYOCARDIUM][masks.myocardium].min() >= 0.99
    assert body.fraction[Tissue.PAPILLARY][masks.blood_pool].max() == 1.0
    assert all(masks.myocardium[k].sum() > 90 and masks.blood_pool[k].sum() > 90 for k in range(3))
    assert not (masks.blood_pool & masks.right_ventricle).any()


def test_truth_maps_cover_the_myocardium_and_agree_with_each_other(a_phantom):
    truth = a_phantom.truth
    assert all((np.isfinite(values) == a_phantom.masks.myocardium).all() for values in truth.values())
    MBF = myocardial_blood_flow(truth["F_p"], hct=a_phantom.hct, density=a_phantom.density)
    assert MBF[a_phantom.masks.myocardium] == pytest.approx(truth["MBF"][a_phantom.masks.myocardium])


def test_a_pre_bolus_of_a_tenth_comes_first():
    phantom = make_phantom(Preset.DUAL_BOLUS, seed=1, noise=False)
    C_ap, time = phantom.aif(phantom.series.time[0]), phantom.series.time[0]
    assert phantom.series.frames >= 100
    assert C_ap[time < 30].max() / C_ap.max() == pytest.approx(0.1, rel=0.05)


def test_a_seed_repeats_its_study_and_another_seed_is_another_study(a_phantom):
    again, other = (make_phantom(Preset.FAST, seed=seed) for seed in (5, 6))
    assert (again.series.signal == a_phantom.series.signal).all()
    assert (other.series.time[0, 1:] != a_phantom.series.time[0, 1:]).all()
    assert np.nanmax(np.abs(other.truth["F_p"] / a_phantom.truth["F_p"] - 1)) > 0.02


def test_leaving_out_the_noise_leaves_everything_else(a_phantom, a_clean_phantom):
    assert a_clean_phantom.sigma == 0.0
    assert (a_clean_phantom.series.time == a_phantom.series.time).all()
    assert all(
        np.array_equal(a_clean_phantom.truth[name], value, equal_nan=True) for name, value in a_phantom.truth.items()
    )


def test_breathing_moves_the_heart_down_and_back():
    how = replace(recipe(Preset.FAST), breathing=8.0)
    still, moving = (make_phantom(r, seed=5, noise=False) for r in (recipe(Preset.FAST), how))
    frame = int(moving.shift[0].argmax())
    pixels = round(moving.shift[0, frame] / how.grid.pixel)
    assert 6.0 < moving.shift.max() <= 8.0
    there, back = moving.series.signal[frame, 0], np.roll(still.series.signal[frame, 0], pixels, axis=0)
    assert np.corrcoef(there[20:60].ravel(), back[20:60].ravel())[0, 1] > 0.97
