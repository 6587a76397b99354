"""From a series to maps and a table: a phantom whose flow is known goes in, and that flow must come out."""

from __future__ import annotations

import csv
import errno
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from MyoPINNLib.errors import Cancelled, InputError
from MyoPINNLib.events import Progress, Warned
from MyoPINNLib.files.nrrd import read_map
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.job import Checkpoint
from MyoPINNLib.pipeline import input_digest, quantify, with_insertion, write_analysis
from MyoPINNLib.quantities import shown
from MyoPINNLib.series import Masks
from MyoPINNLib.settings import FitSettings, Input, Method, Settings, Spatial
from MyoPINNLib.simulate.phantom import Preset, make_phantom
from MyoPINNLib.writing import method_words

PICTURES = {"bullseye.png", "maps.png", "curves.png"}


@pytest.fixture(scope="module")
def a_phantom():
    return make_phantom(Preset.FAST, seed=1, noise=False)


@pytest.fixture(scope="module")
def a_noisy_phantom():
    return make_phantom(Preset.FAST, seed=2)


@pytest.fixture(scope="module")
def the_settings(a_phantom) -> Settings:
    return with_insertion(Settings(hct=a_phantom.hct), a_phantom.insertion_lps)


@pytest.fixture(scope="module")
def an_analysis(a_phantom, the_settings):
    return quantify(a_phantom.series, a_phantom.masks, the_settings)


@pytest.fixture(scope="module")
def a_fermi_analysis(a_phantom, the_settings):
    return quantify(a_phantom.series, a_phantom.masks, replace(the_settings, fit=FitSettings(Method.FERMI)))


@pytest.fixture
def a_checkpoint(tmp_path, a_phantom, the_settings) -> Checkpoint:
    return Checkpoint(tmp_path / "checkpoint", input_digest(a_phantom.series, a_phantom.masks, the_settings))


def rows(path: Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_flow_of_each_segment_is_the_true_one(an_analysis, a_phantom):
    for row in an_analysis.segment_table:
        if row.mean_curve:
            true = np.nanmean(a_phantom.truth["MBF"][an_analysis.segments.voxels_in(row.segment)])
            assert row.mean_curve["MBF"] == pytest.approx(true, rel=0.1), row.name


def test_every_voxel_of_the_myocardium_has_an_outcome(an_analysis, a_phantom):
    assert sum(an_analysis.outcomes.values()) == a_phantom.masks.myocardium.sum()
    assert an_analysis.outcomes["valid"] > 0.9 * a_phantom.masks.myocardium.sum()


def test_flow_does_not_depend_on_the_haematocrit(a_phantom, the_settings):
    flows = [
        quantify(a_phantom.series, a_phantom.masks, replace(the_settings, hct=hct, fit=FitSettings(Method.FERMI))).maps[
            "MBF"
        ]
        for hct in (0.3, 0.5)
    ]
    np.testing.assert_allclose(*flows, rtol=1e-6)


def test_masks_on_another_grid_are_refused(a_phantom, the_settings):
    moved = a_phantom.masks.geometry.ijk_to_lps.copy()
    moved[:, 0, 3] += 1.0
    masks = Masks(
        a_phantom.masks.myocardium, a_phantom.masks.blood_pool, Geometry(moved, a_phantom.masks.geometry.shape)
    )
    with pytest.raises(InputError, match="is not the grid of the images"):
        quantify(a_phantom.series, masks, the_settings)


def test_progress_runs_forward_from_nothing_to_all(a_phantom, the_settings):
    heard = []
    quantify(
        a_phantom.series, a_phantom.masks, replace(the_settings, fit=FitSettings(Method.FERMI, chunk=64)), heard.append
    )
    fractions = [event.fraction for event in heard if isinstance(event, Progress)]
    assert fractions[0] == 0.0
    assert fractions[-1] == pytest.approx(1.0)
    assert fractions == sorted(fractions)
    assert len(fractions) > 5


def test_a_cancel_in_the_fit_ends_it_and_the_next_run_goes_on_with_equal_bits(
    a_phantom, the_settings, a_checkpoint, an_analysis
):
    def impatient(event):
        if isinstance(event, Progress) and event.fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        quantify(a_phantom.series, a_phantom.masks, the_settings, impatient, a_checkpoint)
    done = {path: path.stat().st_mtime_ns for path in a_checkpoint.folder.iterdir()}
    assert len(done) > 1
    analysis = quantify(a_phantom.series, a_phantom.masks, the_settings, checkpoint=a_checkpoint)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    for name, values in an_analysis.maps.values.items():
        np.testing.assert_array_equal(analysis.maps[name], values)


def test_a_checkpoint_is_for_these_images_masks_and_settings_alone(a_phantom, the_settings):
    series, masks = a_phantom.series, a_phantom.masks
    brighter = replace(series, signal=series.signal * np.float32(1.001))
    one_less = masks.myocardium.copy()
    one_less[tuple(np.argwhere(one_less)[0])] = False
    same = input_digest(series, masks, the_settings)
    assert same == input_digest(series, masks, the_settings)
    others = [
        input_digest(brighter, masks, the_settings),
        input_digest(replace(series, time=series.time + 0.1), masks, the_settings),
        input_digest(series, replace(masks, myocardium=one_less), the_settings),
        input_digest(series, replace(masks, blood_pool=~masks.myocardium, right_ventricle=None), the_settings),
        input_digest(series, masks, replace(the_settings, hct=0.4)),
    ]
    assert len({same, *others}) == 1 + len(others)


def test_everything_is_written_and_listed(an_analysis, tmp_path):
    outputs = write_analysis(an_analysis, tmp_path / "out")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    maps = {
        f"{name}.nrrd" for name in ("F_p", "F_b", "MBF", "v_p", "v_b", "v_e", "PS", "PS_g", "T_a", "residual", "valid")
    }
    assert maps | PICTURES | {"aha.csv", "aif.csv", "segment_curves.csv", "segments.nrrd"} <= set(outputs)
    assert result["outputs"] == list(outputs)
    assert all((tmp_path / "out" / name).stat().st_size > 0 for name in outputs)


def test_the_deviations_are_maps_of_their_own_in_the_same_units(an_analysis, tmp_path):
    write_analysis(an_analysis, tmp_path / "out")
    flow, _, keys = read_map(tmp_path / "out" / "MBF_sd.nrrd")
    plasma, _, _ = read_map(tmp_path / "out" / "F_p_sd.nrrd")
    assert keys["units"] == "mL/min/g" and keys["quantity"].startswith("standard deviation of MBF")
    there = np.isfinite(flow)
    assert there.sum() > 100 and flow[there] == pytest.approx(plasma[there] / (1 - 0.45) / 1.05, rel=1e-5)
    with (tmp_path / "out" / "aha.csv").open(newline="") as file:
        row = next(iter(csv.DictReader(file)))
    assert float(row["MBF_mL_min_g_mean_curve_sd"]) > 0


def test_only_posteriors_say_how_sure_a_segment_s_mean_is(a_fermi_analysis):
    assert all(row.mean_sd == {} for row in a_fermi_analysis.segment_table)


def test_segments_take_the_input_that_was_fitted_with_the_voxels(a_noisy_phantom, the_settings):
    joint = replace(the_settings, fit=FitSettings(method=Method.MAP, input=Input.JOINT))
    analysis = quantify(a_noisy_phantom.series, a_noisy_phantom.masks, joint)
    assert analysis.result.measured_aif is analysis.curve_set.aif
    assert analysis.segment_result.aif is analysis.result.aif is not analysis.curve_set.aif
    assert "input fitted" in method_words(analysis)


def test_every_output_says_whether_neighbours_and_input_took_part(an_analysis):
    fit = replace(an_analysis.settings.fit, spatial=Spatial.NEIGHBOURS)
    coupled = replace(an_analysis, settings=replace(an_analysis.settings, fit=fit))
    assert "neighbours coupled" in method_words(coupled)
    assert not {"neighbours coupled", "input fitted"} & set(method_words(an_analysis).split(", "))


def test_a_learnt_prior_gives_a_whole_study(a_noisy_phantom, the_settings, tmp_path):
    found = {}
    for method in (Method.NLLS, Method.MAP):
        settings = replace(the_settings, fit=FitSettings(method))
        analysis = quantify(a_noisy_phantom.series, a_noisy_phantom.masks, settings)
        true = a_noisy_phantom.truth["MBF"]
        wall = a_noisy_phantom.masks.myocardium & np.isfinite(analysis.maps["MBF"])
        found[method] = np.median(np.abs(analysis.maps["MBF"][wall] / true[wall] - 1))
    write_analysis(analysis, tmp_path / "out")
    assert found[Method.MAP] < 0.8 * found[Method.NLLS]
    assert "2CXM, prior learnt from the study" in json.loads((tmp_path / "out" / "result.json").read_text())["method"]
    assert (tmp_path / "out" / "PS_sd.nrrd").exists()
    sure = float(rows(tmp_path / "out" / "aha.csv")[0]["MBF_mL_min_g_mean_sd"])
    assert 0 < sure < shown("MBF", np.nanmedian(analysis.maps.sd["MBF"]))


def test_a_map_says_what_it_is(an_analysis, tmp_path):
    write_analysis(an_analysis, tmp_path / "out")
    values, geometry, keys = read_map(tmp_path / "out" / "MBF.nrrd")
    np.testing.assert_allclose(values, np.nan_to_num(shown("MBF", an_analysis.maps["MBF"])), rtol=1e-6)
    assert geometry.same_grid(an_analysis.series.geometry)
    assert keys["units"] == "mL/min/g"
    assert keys["OSIPI"] == "Q.PH1.003 per Q.PH1.011"
    assert keys["settings"] == an_analysis.settings.digest()
    assert "research use only" in keys["use"]
    assert keys["quantity"].startswith("MBF")
    assert keys["version"].startswith("MyoPINN ")


def test_the_tables_hold_fit_statistics_and_curves(an_analysis, tmp_path):
    write_analysis(an_analysis, tmp_path / "out")
    table = rows(tmp_path / "out" / "aha.csv")
    assert [int(row["segment"]) for row in table] == list(range(1, 17))
    flow = an_analysis.segment_table[0]
    assert float(table[0]["MBF_mL_min_g_mean_curve"]) == pytest.approx(shown("MBF", flow.mean_curve["MBF"]), rel=1e-4)
    assert float(table[0]["MBF_mL_min_g_median"]) == pytest.approx(
        shown("MBF", flow.statistics["MBF"].median), rel=1e-4
    )
    curves = rows(tmp_path / "out" / "segment_curves.csv")
    assert len(curves) == an_analysis.series.frames
    assert float(curves[5]["1_basal_anterior_C_t_mM"]) == pytest.approx(an_analysis.segment_curves.C_t[0, 5], rel=1e-4)
    assert "C_ap_mM" in rows(tmp_path / "out" / "aif.csv")[0]


def test_result_json_tells_settings_versions_times_and_voxels(an_analysis, tmp_path):
    write_analysis(an_analysis.with_seconds(start_up=0.5), tmp_path / "out")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["settings"] == an_analysis.settings.to_json()
    assert result["seconds"]["start_up"] == 0.5
    assert result["seconds"]["solver"] == pytest.approx(an_analysis.seconds["solver"], abs=1e-3)
    assert result["voxels"] == an_analysis.outcomes
    assert {"python", "numpy", "scipy"} <= set(result["versions"])
    how = an_analysis.series.acquisition
    assert result["readout"]["TS_ms"] == pytest.approx(how.TS / 1e-3) and result["readout"]["pulses"] == how.pulses
    assert str(tmp_path) not in json.dumps(result)


def test_a_method_that_gives_flow_alone_writes_flow_alone(a_fermi_analysis, tmp_path):
    outputs = write_analysis(a_fermi_analysis, tmp_path / "out")
    assert "MBF.nrrd" in outputs
    assert "PS.nrrd" not in outputs
    assert "v_p_median" not in rows(tmp_path / "out" / "aha.csv")[0]


def test_without_matplotlib_there_are_no_pictures_and_a_warning(a_fermi_analysis, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    heard = []
    outputs = write_analysis(a_fermi_analysis, tmp_path / "out", heard.append)
    assert not PICTURES & set(outputs)
    assert {"MBF.nrrd", "aha.csv", "aif.csv"} <= set(outputs)
    assert any(isinstance(event, Warned) and "matplotlib" in event.text for event in heard)
    assert any("matplotlib" in text for text in json.loads((tmp_path / "out" / "result.json").read_text())["warnings"])


@pytest.mark.parametrize("cannot_write", ["aha.csv", "result.json", "segment_curves.csv"])
def test_a_full_disk_leaves_the_earlier_result(a_fermi_analysis, tmp_path, monkeypatch, cannot_write):
    write_analysis(a_fermi_analysis, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    real = Path.open

    def full(path, mode="r", *arguments, **options):
        if "w" in mode and cannot_write in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(InputError, match="No space left"):
        write_analysis(a_fermi_analysis, tmp_path / "out")
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_blood_in_the_wall_stays_out_of_the_mean_curves_and_is_told(a_phantom, the_settings, an_analysis):
    masks = a_phantom.masks
    cavity = np.stack([ndimage.binary_fill_holes(each) for each in masks.myocardium]) & ~masks.myocardium
    thick = np.stack([ndimage.binary_dilation(each) for each in masks.myocardium]) & cavity | masks.myocardium
    drawn = replace(masks, myocardium=thick, blood_pool=masks.blood_pool & ~thick)
    analysis = quantify(a_phantom.series, drawn, the_settings)
    assert any("blood in them" in note for note in analysis.notes)
    assert "it enhances far more than muscle does" in analysis.outcomes
    for row, right in zip(analysis.segment_table, an_analysis.segment_table, strict=True):
        assert abs(row.mean_curve["MBF"] / right.mean_curve["MBF"] - 1) < 0.2, row.name
    assert not any("blood in them" in note for note in an_analysis.notes)


def test_the_bulls_eye_shows_medians_and_brackets_where_few_voxels_are_valid(an_analysis, tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr("MyoPINNLib.figures.bullseye", lambda path, values, **how: seen.update(values=values, **how))
    table = list(an_analysis.segment_table)
    table[3] = replace(table[3], valid_share=0.4)
    write_analysis(replace(an_analysis, segment_table=tuple(table)), tmp_path / "out")
    assert seen["doubtful"] == [4]
    for row in table:
        assert seen["values"][row.segment] == pytest.approx(shown("MBF", row.statistics["MBF"].median))
