"""From images to curves: the phantom's blood and tissue come back, and what is no perfusion study is refused."""

from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.bloodpool import noise_in_time, pure_voxels, shading
from MyoPINNLib.bolus import find_bolus
from MyoPINNLib.concentration import _without_curvature, curves_from_series
from MyoPINNLib.errors import InputError
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.plausibility import blood_note, doubts, with_blood
from MyoPINNLib.relaxation import Readout, signal_from_concentration
from MyoPINNLib.series import Acquisition, Masks, PerfusionSeries
from MyoPINNLib.settings import Bolus, Conversion, Settings, SignalSettings
from MyoPINNLib.simulate.passage import gamma_variate
from MyoPINNLib.simulate.phantom import Preset, make_phantom
from MyoPINNLib.simulate.recipes import recipe

DUAL = Settings(signal=SignalSettings(bolus=Bolus.DUAL))


@pytest.fixture(scope="module")
def a_clean_phantom():
    return make_phantom(Preset.FAST, seed=1, noise=False)


@pytest.fixture(scope="module")
def a_phantom():
    return make_phantom(Preset.FAST, seed=1)


@pytest.fixture(scope="module")
def a_dual_phantom():
    return make_phantom(replace(recipe(Preset.DUAL_BOLUS), grid=recipe(Preset.FAST).grid), seed=1)


def true_tissue(phantom):
    """C_t (n, t) mM of the phantom's truth at each voxel's own clock."""
    where = np.nonzero(phantom.masks.myocardium)
    P = {name: phantom.truth[name][where] for name in ("F_p", "v_p", "v_e", "PS", "T_a")}
    return tissue_curve(phantom.aif, phantom.series.time[where[0]], **P)


def changed(phantom, signal):
    """The phantom's series with other images."""
    return replace(phantom.series, signal=signal)


def test_the_blood_curve_is_the_true_one(a_clean_phantom):
    found = curves_from_series(a_clean_phantom.series, a_clean_phantom.masks, Settings())
    true = a_clean_phantom.aif(found.aif_time)
    assert np.abs(found.aif(found.aif_time) - true).max() < 0.01 * true.max()


def test_noise_moves_the_blood_curve_by_little(a_phantom):
    found = curves_from_series(a_phantom.series, a_phantom.masks, Settings())
    true = a_phantom.aif(found.aif_time)
    assert np.abs(found.aif(found.aif_time) - true).max() < 0.04 * true.max()


def test_the_tissue_curves_are_the_true_ones(a_clean_phantom):
    found = curves_from_series(a_clean_phantom.series, a_clean_phantom.masks, Settings())
    true = true_tissue(a_clean_phantom)
    assert np.median(np.abs(found.curves.C_t - true).max(axis=1) / true.max(axis=1)) < 0.02
    assert (found.curves.voxels == np.argwhere(a_clean_phantom.masks.myocardium)).all()


def test_the_bias_of_noise_is_small_in_the_mean(a_phantom):
    found = curves_from_series(a_phantom.series, a_phantom.masks, Settings())
    true = true_tissue(a_phantom).mean(axis=0)
    assert np.abs(found.curves.C_t.mean(axis=0) - true).max() < 0.03 * true.max()


@pytest.mark.parametrize("snr", [2.7, 8.0])
def test_the_noise_is_told_from_a_dozen_dark_frames(snr):
    noise = np.random.default_rng(7).standard_normal((2, 4000, 12))
    assert noise_in_time(20.0 * np.abs(snr + noise[0] + 1j * noise[1])) == pytest.approx(20.0, rel=0.02)


def test_the_mean_of_many_noisy_curves_is_that_without_noise(a_clean_phantom, a_phantom):
    clean, noisy = (curves_from_series(p.series, p.masks, Settings()).curves.C_t for p in (a_clean_phantom, a_phantom))
    top = clean.mean(axis=0) > clean.mean()
    assert noisy[:, top].mean() == pytest.approx(clean[:, top].mean(), rel=0.004)


def test_plasma_is_blood_over_one_minus_haematocrit(a_phantom):
    found = [curves_from_series(a_phantom.series, a_phantom.masks, Settings(hct=hct)) for hct in (0.0, 0.45)]
    np.testing.assert_allclose(found[1].aif.C_ap * 0.55, found[0].aif.C_ap, rtol=1e-12)
    np.testing.assert_array_equal(found[0].C_ab, found[1].C_ab)


def test_the_baseline_ends_before_the_blood_arrives(a_phantom):
    found = curves_from_series(a_phantom.series, a_phantom.masks, Settings())
    arrival = recipe(Preset.FAST).left.arrival
    last = a_phantom.series.time[np.arange(3), found.baseline - 1]
    assert (last < arrival).all()
    assert (found.baseline >= 3).all()
    assert found.arrival == pytest.approx(arrival, abs=1.5)


def test_a_given_number_of_baseline_frames_is_used(a_phantom):
    settings = Settings(signal=SignalSettings(baseline_frames=3))
    assert (curves_from_series(a_phantom.series, a_phantom.masks, settings).baseline == 3).all()


def test_no_papillary_muscle_and_no_partial_volume_is_in_the_blood():
    draw, n = np.random.default_rng(4), 240
    share = np.concatenate([np.ones(160), draw.uniform(0.3, 0.97, 80)])
    places = np.stack([np.arange(n) // 16, np.arange(n) % 16], axis=1)
    shade = 1 + 0.02 * places[:, 0] - 0.01 * places[:, 1]
    noise = draw.normal(0, 0.008, n)
    rating = share * 9.0 * (1 + noise)
    kept = pure_voxels(rating)
    assert rating[kept].mean() == pytest.approx(9.0, rel=0.01)
    assert kept[:160].mean() > 0.9
    assert share[kept].min() > 0.93
    np.testing.assert_allclose(shading(places, shade), shade, rtol=0.01)


def test_shading_does_not_follow_a_single_voxel():
    places = np.stack(np.meshgrid(np.arange(12), np.arange(12)), axis=-1).reshape(-1, 2)
    start = np.full(144, 100.0)
    start[60] = 400.0
    assert np.abs(shading(places, start) - 100).max() < 3


def test_the_foot_of_a_bolus_is_where_it_starts():
    time = np.arange(50) * 0.7
    curve = 100 + 900 * gamma_variate(time - 10.5, 5.0, 2.8) + np.random.default_rng(0).normal(0, 3, 50)
    bolus = find_bolus(curve)
    assert time[bolus.foot] == pytest.approx(10.5, abs=1.5)
    assert time[bolus.peak] == pytest.approx(15.5, abs=0.8)


def test_a_dual_bolus_gives_the_input_that_one_bolus_would_have_given(a_dual_phantom):
    found = curves_from_series(a_dual_phantom.series, a_dual_phantom.masks, DUAL)
    main = found.aif_time > found.arrival
    true = a_dual_phantom.aif(found.aif_time)
    assert np.abs(found.aif(found.aif_time) - true)[main].max() < 0.06 * true.max()


def test_a_dual_bolus_counts_tissue_from_just_before_the_main_bolus(a_dual_phantom):
    found = curves_from_series(a_dual_phantom.series, a_dual_phantom.masks, DUAL)
    first = found.curves.time[0, np.argmax(found.curves.weight[0] > 0)]
    assert 0 < found.arrival - first < 3.0


def test_one_bolus_is_not_two(a_phantom):
    with pytest.raises(InputError, match="Only one bolus was found"):
        curves_from_series(a_phantom.series, a_phantom.masks, DUAL)


def test_linear_conversion_of_a_dual_bolus_is_warned_of(a_dual_phantom):
    settings = replace(DUAL, signal=replace(DUAL.signal, conversion=Conversion.LINEAR))
    found = curves_from_series(a_dual_phantom.series, a_dual_phantom.masks, settings)
    assert any("Linear conversion" in note for note in found.notes)


def test_a_saturated_input_is_told(a_phantom):
    signal = np.minimum(
        a_phantom.series.signal, np.quantile(a_phantom.series.signal[:, a_phantom.masks.blood_pool], 0.5)
    )
    settings = Settings(signal=SignalSettings(conversion=Conversion.LINEAR))
    notes = curves_from_series(changed(a_phantom, signal), a_phantom.masks, settings).notes
    assert any("saturated" in note for note in notes)


def test_swapped_masks_are_noticed(a_phantom):
    masks = Masks(a_phantom.masks.blood_pool, a_phantom.masks.myocardium, a_phantom.masks.geometry)
    with pytest.raises(InputError, match="swapped"):
        curves_from_series(a_phantom.series, masks, Settings())


def test_a_constant_series_has_no_bolus(a_phantom):
    flat = np.full_like(a_phantom.series.signal, 120.0)
    with pytest.raises(InputError, match=r"no bolus in the LV blood pool: its signal rises from 120 to 120 \(0%\)"):
        curves_from_series(changed(a_phantom, flat), a_phantom.masks, Settings())


def test_a_series_of_noise_has_no_bolus(a_phantom):
    noise = 100 + np.random.default_rng(0).normal(0, 10, a_phantom.series.signal.shape)
    with pytest.raises(InputError, match="no bolus"):
        curves_from_series(changed(a_phantom, noise), a_phantom.masks, Settings())


def test_a_series_that_begins_with_contrast_agent_has_no_baseline(a_phantom):
    peak = int(np.argmax(a_phantom.series.signal[:, a_phantom.masks.blood_pool].mean(axis=1)))
    late = replace(
        a_phantom.series,
        signal=a_phantom.series.signal[peak - 1 :],
        time=a_phantom.series.time[:, peak - 1 :],
        weight=None,
    )
    with pytest.raises(InputError, match=r"baseline|no bolus"):
        curves_from_series(late, a_phantom.masks, Settings())


def test_a_series_that_ends_at_the_peak_is_too_short(a_phantom):
    peak = int(np.argmax(a_phantom.series.signal[:, a_phantom.masks.blood_pool].mean(axis=1)))
    short = replace(
        a_phantom.series,
        signal=a_phantom.series.signal[: peak - 1],
        time=a_phantom.series.time[:, : peak - 1],
        weight=None,
    )
    with pytest.raises(InputError, match="still rises at the last frame"):
        curves_from_series(short, a_phantom.masks, Settings())


def test_pixels_that_are_not_numbers_are_refused_with_their_count(a_phantom):
    signal = a_phantom.series.signal.copy()
    k, j, i = np.argwhere(a_phantom.masks.myocardium)[5]
    signal[4:7, k, j, i] = np.nan
    with pytest.raises(InputError, match=r"3 pixel values inside the masks are not numbers \(in 1 pixels, 3 frames\)"):
        curves_from_series(changed(a_phantom, signal), a_phantom.masks, Settings())


def test_a_frame_of_weight_zero_may_hold_anything(a_phantom):
    signal, weight = a_phantom.series.signal.copy(), np.ones(a_phantom.series.time.shape)
    signal[20, 1], weight[1, 20] = np.nan, 0
    found = curves_from_series(replace(a_phantom.series, signal=signal, weight=weight), a_phantom.masks, Settings())
    assert np.isfinite(found.aif.C_ap).all()
    assert (found.curves.weight[1, 20], found.curves.weight[0, 20]) == (0, 1)


def test_what_nobody_says_about_the_readout_is_asked_for_by_its_flag(a_phantom):
    series = replace(a_phantom.series, acquisition=Acquisition(TR=0.0022, flip_angle=0.2, pulses=32))
    with pytest.raises(InputError, match=r"do not say TS.*--TS \(ms\)"):
        curves_from_series(series, a_phantom.masks, Settings())


def test_a_setting_goes_before_what_the_images_say(a_clean_phantom):
    wrong = replace(a_clean_phantom.series, acquisition=Acquisition(TS=0.2, TR=0.004, flip_angle=0.3, pulses=40))
    told = SignalSettings(TS=0.11, TR=0.0022, flip_angle=float(np.deg2rad(12)), pulses=32)
    found = curves_from_series(wrong, a_clean_phantom.masks, Settings(signal=told))
    expected = curves_from_series(a_clean_phantom.series, a_clean_phantom.masks, Settings())
    np.testing.assert_allclose(found.C_ab, expected.C_ab)


def test_a_weak_bolus_of_blood_is_doubted(a_phantom):
    time, masks = a_phantom.series.time, a_phantom.masks
    C = 0.5 * gamma_variate(time - 8.0, 5.0, 2.8)
    readout = Readout(0.11, 0.0022, np.deg2rad(12), 32)
    blood, muscle = (
        signal_from_concentration(share * C, T1=T1, relaxivity=4.9, readout=readout, M0=800.0).T[:, :, None, None]
        for share, T1 in ((1.0, 1.65), (0.05, 1.15))
    )
    signal = np.where(masks.blood_pool, blood, muscle)
    series = PerfusionSeries(signal, time, a_phantom.series.geometry, a_phantom.series.acquisition)
    notes = curves_from_series(series, masks, Settings()).notes
    assert any("blood's peak is 0.5 mM" in note or "blood's peak is 0.49 mM" in note for note in notes)
    assert any("myocardium's peak" in note for note in notes)


@pytest.mark.parametrize("gap", [22.0, 32.0, 45.0])
@pytest.mark.parametrize("bolus", list(Bolus))
def test_a_pre_bolus_is_never_taken_for_baseline(gap, bolus):
    base = recipe(Preset.DUAL_BOLUS)
    clean = make_phantom(
        replace(base, pre_bolus=gap, frames=int((gap + 45) / base.RR), grid=recipe(Preset.FAST).grid),
        seed=2,
        noise=False,
    )
    found = curves_from_series(clean.series, clean.masks, Settings(signal=SignalSettings(bolus=bolus)))
    assert clean.series.time[np.arange(3), found.baseline - 1].max() < base.left.arrival
    true = clean.aif(found.aif_time)
    assert np.abs(found.aif(found.aif_time) - true).max() < 0.04 * true.max()


def test_a_dual_bolus_study_read_as_a_single_one_is_noticed(a_dual_phantom):
    notes = curves_from_series(a_dual_phantom.series, a_dual_phantom.masks, Settings()).notes
    assert any("A smaller bolus passes first" in note for note in notes)


@pytest.mark.parametrize("arrival", [1.1, 1.6, 2.2, 3.5])
def test_a_short_baseline_holds_no_contrast_agent(arrival):
    base = recipe(Preset.FAST)
    clean = make_phantom(replace(base, left=replace(base.left, arrival=arrival)), seed=1, noise=False)
    found = curves_from_series(clean.series, clean.masks, Settings())
    true = clean.aif(found.aif_time)
    assert np.abs(found.aif(found.aif_time) - true).max() < 0.02 * true.max()
    assert any("frame(s) lie before the contrast agent" in note for note in found.notes) == (found.baseline.min() < 3)


@pytest.mark.parametrize("rubbish", [np.nan, 0.0, 5000.0])
def test_a_frame_left_out_of_the_baseline_changes_nothing(a_phantom, rubbish):
    signal, weight = a_phantom.series.signal.copy(), np.ones(a_phantom.series.time.shape)
    signal[2], weight[:, 2] = rubbish, 0
    found = curves_from_series(replace(a_phantom.series, signal=signal, weight=weight), a_phantom.masks, Settings())
    kept = np.delete(found.curves.C_t, 2, axis=1)
    expected = np.delete(curves_from_series(a_phantom.series, a_phantom.masks, Settings()).curves.C_t, 2, axis=1)
    assert np.median(np.abs(kept - expected).max(axis=1)) < 0.08 * np.median(expected.max(axis=1))
    assert kept.mean(axis=0).max() == pytest.approx(expected.mean(axis=0).max(), rel=0.01)


def test_more_baseline_frames_than_frames_are_refused(a_phantom):
    with pytest.raises(InputError, match="200 baseline frames were asked for and the series has 44 frames"):
        curves_from_series(a_phantom.series, a_phantom.masks, Settings(signal=SignalSettings(baseline_frames=200)))


def test_signals_beyond_full_recovery_are_counted(a_phantom):
    signal = a_phantom.series.signal.copy()
    k, j, i = np.argwhere(a_phantom.masks.myocardium)[:7].T
    signal[25, k, j, i] *= 40
    notes = curves_from_series(changed(a_phantom, signal), a_phantom.masks, Settings()).notes
    assert any("In 7 of" in note and "full recovery" in note for note in notes)


def test_proton_density_images_at_the_start_are_left_out(a_phantom):
    signal = np.concatenate([a_phantom.series.signal[:3] * 6, a_phantom.series.signal])
    shift = a_phantom.series.time[:, 3].max()
    time = np.concatenate([a_phantom.series.time[:, :3], a_phantom.series.time + shift], axis=1)
    found = curves_from_series(
        replace(a_phantom.series, signal=signal, time=time, weight=None), a_phantom.masks, Settings()
    )
    plain = curves_from_series(a_phantom.series, a_phantom.masks, Settings())
    np.testing.assert_allclose(found.C_ab, plain.C_ab)
    np.testing.assert_allclose(found.curves.C_t[:, 3:], plain.curves.C_t)
    assert any("first 3 frame(s) are far brighter" in note for note in found.notes)


@pytest.mark.parametrize("gap", [14.0, 15.0, 16.0, 17.0, 19.0])
def test_two_boluses_close_together_are_told_apart(gap):
    clean = make_phantom(replace(recipe(Preset.FAST), pre_bolus=gap, frames=80), seed=2, noise=False)
    found = curves_from_series(clean.series, clean.masks, DUAL)
    true = clean.aif(found.aif_time)
    assert np.abs(found.aif(found.aif_time) - true).max() < 0.08 * true.max()


def test_a_dose_ratio_that_cannot_be_is_noticed(a_dual_phantom):
    for ratio, doubted in ((0.1, False), (0.2, True)):
        settings = replace(DUAL, signal=replace(DUAL.signal, dose_ratio=ratio))
        notes = curves_from_series(a_dual_phantom.series, a_dual_phantom.masks, settings).notes
        assert any("the dose ratio, TS or T1 is wrong" in note for note in notes) == doubted


def test_the_native_T1_that_everything_hangs_on_is_said(a_phantom):
    notes = curves_from_series(a_phantom.series, a_phantom.masks, Settings(signal=SignalSettings(T1_blood=1.9))).notes
    assert any("1900 ms in blood and 1150 ms in myocardium" in note for note in notes)


def test_a_dead_voxel_does_not_silence_the_check_of_swapped_masks():
    time = np.arange(20.0)
    curve = 3.0 * np.exp(-((time - 8) ** 2) / 8)
    curves = TissueCurves.on_one_clock(time, np.stack([np.full(20, np.nan), curve, curve]))
    with pytest.raises(InputError, match="Are the two masks swapped"):
        doubts(curves, time, 0.5 * curve)


def test_noise_adds_to_a_curved_conversion_by_signal_and_by_baseline():
    def convert(S, S0):
        return 100 + 0.1 * S**2 + 0.2 * S0[:, None] ** 2

    found = _without_curvature(convert, np.full((1, 3), 5.0), np.array([2.0]), 2.0, np.array([1.0]))
    np.testing.assert_allclose(found, 100 + 2.5 + 0.8 - 0.1 * 2.0**2 - 0.2 * 1.0**2)


def test_a_baseline_that_is_lost_in_noise_leaves_the_curve_as_it_is():
    def convert(S, S0):
        return np.where(S0[:, None] > 0, S / np.where(S0 > 0, S0, 1.0)[:, None], np.nan)

    assert np.isfinite(_without_curvature(convert, np.ones((1, 3)), np.array([0.5]), 0.1, np.array([0.6]))).all()


def levels(values, label, slices):
    """Curves that enhance by ``values`` (n,) mM for good, of the segments ``label`` (n,) in ``slices`` (n,)."""
    C_t = np.repeat(np.asarray(values, float)[:, None], 40, axis=1) * (np.arange(40) > 5)
    places = np.column_stack([slices, np.arange(len(C_t)), np.zeros(len(C_t), int)])
    return TissueCurves(np.arange(40.0), np.zeros(len(C_t), int), C_t, voxels=places), np.asarray(label)


def test_a_curve_of_twice_the_muscles_enhancement_has_blood_in_it():
    curves, label = levels([0.5] * 9 + [1.2, 3.0, 3.0], [1] * 11 + [0], [0] * 12)
    assert np.flatnonzero(with_blood(curves, label)).tolist() == [9, 10], "what lies in no segment is nobody's"


def test_good_muscle_beside_ischaemia_is_no_blood():
    sick, well = [0.2] * 6 + [0.5] * 4, [0.5] * 20
    curves, label = levels(sick + well, [7] * 10 + [8] * 20, [0] * 30)
    assert not with_blood(curves, label).any()


def test_a_slice_that_is_ischaemic_as_a_whole_is_seen_beside_the_others():
    curves, label = levels([0.2] * 6 + [0.5] * 4 + [0.5] * 30, [7] * 10 + [1] * 30, [1] * 10 + [0] * 30)
    assert not with_blood(curves, label).any()


def test_a_dead_voxel_and_frames_left_out_do_not_matter():
    curves, label = levels([0.5] * 9 + [1.2, np.nan], [1] * 11, [0] * 11)
    weight = np.ones((1, 40))
    weight[0, 10] = 0
    C_t = curves.C_t.copy()
    C_t[:, 10] = np.nan
    found = with_blood(replace(curves, C_t=C_t, weight=weight), label)
    assert np.flatnonzero(found).tolist() == [9]


def test_a_segment_that_is_mostly_blood_does_not_speak_for_itself():
    curves, label = levels([0.5] * 4 + [5.0] * 6 + [0.5] * 40, [7] * 10 + [1] * 40, [0] * 10 + [1] * 40)
    assert np.flatnonzero(with_blood(curves, label)).tolist() == list(range(4, 10))


def test_muscle_that_scatters_widely_is_no_blood():
    rng = np.random.default_rng(3)
    curves, label = levels(0.5 * (1 + 0.35 * rng.standard_normal(400)), [1] * 400, [0] * 400)
    assert not with_blood(curves, label).any(), "the brightest are 2.2 times the median"
    quiet, label = levels(0.5 * np.exp(0.1 * rng.standard_normal(400)), [1] * 400, [0] * 400)
    assert not with_blood(quiet, label).any()


def test_blood_is_seen_in_the_first_pass_however_long_the_scan_runs():
    time, passing = np.arange(300.0), np.exp(-(((np.arange(300.0) - 12) / 4) ** 2))
    C_t = np.array([0.5 * (time > 8)] * 20 + [0.5 * (time > 8) + 2.0 * passing] * 2)
    curves = TissueCurves(time, np.zeros(22, int), C_t)
    assert np.flatnonzero(with_blood(curves, np.ones(22, int), first_pass=20.0)).tolist() == [20, 21]
    assert not with_blood(curves, np.ones(22, int)).any()


def test_no_segment_and_no_curve_have_no_blood():
    curves, _ = levels([0.5] * 3, [0] * 3, [0] * 3)
    assert not with_blood(curves, np.zeros(3, int)).any()
    assert not with_blood(replace(curves, C_t=np.full_like(curves.C_t, np.nan)), np.ones(3, int)).any()


def test_blood_in_the_wall_is_counted_in_words():
    assert blood_note(np.zeros(1000, bool)) == ()
    (note,) = blood_note(np.arange(1000) < 30)
    assert note.startswith("30 of 1000 voxels") and "outline" in note
