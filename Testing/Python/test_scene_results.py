"""An analysis in Slicer's scene: by the real engine, as nodes, found again in a saved scene, removed without a trace."""

from __future__ import annotations

import json
import shutil
import time

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "vtk"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from scene_cases import FERMI, a_heart, contents

from MyoPINNLib import polar
from MyoPINNLib.engine import State
from MyoPINNLib.errors import InputError
from MyoPINNLib.quantities import QUANTITIES, shown
from MyoPINNLib.scene import (
    Colours,
    add_insertion,
    add_segmentation,
    add_series,
    find_analyses,
    quantify,
    show_job,
)
from MyoPINNLib.scene.colours import MARK, colour_table, rgb
from MyoPINNLib.scene.nodes import affine_of, lps_from_ras, values_of
from MyoPINNLib.settings import (
    DEFAULT_METHOD,
)

A_MOMENT = 0.05
A_BYTE = 1 / 255


@pytest.fixture(scope="module")
def a_study():
    return a_heart(oblique=True)


@pytest.fixture(scope="module")
def a_job(a_study, an_application, tmp_path_factory):
    """A finished job of an oblique study whose slices have their own clocks; nobody changes it."""
    folder = tmp_path_factory.mktemp("scene")
    series, heart = add_series(a_study.series, "Doe^John stress"), add_segmentation(a_study.masks, "Doe^John heart")
    point = add_insertion(a_study.insertion, "Doe^John RV insertion")
    heard = []
    run = quantify(series, heart, insertion=point, keep_job=folder / "job", on_progress=heard.append)
    assert run.state is State.DONE and heard[-1].fraction == 1.0
    an_application.mrmlScene().Clear(False)
    return folder / "job"


def folders() -> list[str]:
    """Names of the folders in the subject hierarchy."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    from vtk import vtkIdList

    items = vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), items, True)
    ids = [items.GetId(n) for n in range(items.GetNumberOfIds())]
    return [hierarchy.GetItemName(id) for id in ids if hierarchy.GetItemDataNode(id) is None]


def test_the_flow_of_an_oblique_study_is_the_true_one(a_study, a_job, a_scene):
    found = show_job(a_job).maps["MBF"]
    there = np.isfinite(found)
    assert there.sum() > 0.95 * a_study.masks.myocardium.sum()
    truth = shown("MBF", a_study.flow)
    assert np.median(np.abs(found - truth)[there] / truth[there]) < 0.05


def test_maps_lie_on_the_images_to_a_tenth_of_a_voxel(a_study, a_job, a_scene):
    geometry = show_job(a_job).geometry
    corners = np.array([[k, j, i] for k in (0, 2) for j in (0, 63) for i in (0, 63)])
    apart = np.linalg.norm(geometry.to_lps(corners) - a_study.series.geometry.to_lps(corners), axis=1)
    assert apart.max() < 0.1 * geometry.spacing[0, 0]


def test_a_map_says_what_it_is_and_in_which_unit(a_job, a_scene):
    (volume,) = show_job(a_job).volumes("MBF")
    assert volume.GetVoxelValueQuantity().GetCodeValue() == "126390"
    assert volume.GetVoxelValueUnits().GetCodeValue() == "ml/min/g"
    assert volume.GetVoxelValueUnits().GetCodingSchemeDesignator() == "UCUM"


def test_only_the_myocardium_is_coloured(a_study, a_job, a_scene):
    analysis = show_job(a_job)
    valid = analysis.map("valid") == 1
    for quantity in ("MBF", "T_a", "PS"):
        (volume,) = analysis.volumes(quantity)
        display, values = volume.GetDisplayNode(), values_of(volume)
        coloured = (values >= display.GetLowerThreshold()) & (values <= display.GetUpperThreshold())
        assert display.GetApplyThreshold() and not display.GetInterpolate()
        assert np.array_equal(coloured, valid)


def test_a_map_has_ordered_colours_a_range_and_a_legend(a_job, a_scene):
    analysis = show_job(a_job)
    (volume,) = analysis.volumes("MBF")
    display = volume.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 4.0)
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)
    assert "MBF" in legend.GetTitleText() and "mL/min/g" in legend.GetTitleText()
    analysis.legend("PS")
    other = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(analysis.volumes("PS")[0])
    assert other.GetVisibility() and "mL/min/mL" in other.GetTitleText()
    assert slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume) is None
    analysis.colour("MBF", Colours.CLINICAL, limits=(0.0, 3.0))
    assert display.GetColorNode().GetName() == "MyoPINN clinical" and display.GetWindowLevelMax() == 3.0


def test_what_is_below_the_cut_off_has_one_striking_colour_of_its_own(a_job, a_scene):
    analysis = show_job(a_job)
    (volume,) = analysis.volumes("MBF")
    analysis.colour("MBF", Colours.ORDERED, limits=(0.0, 4.0), cut_off=2.0)
    colours, below, above = volume.GetDisplayNode().GetColorNode(), [0.0] * 4, [0.0] * 4
    colours.GetColor(127, below)
    colours.GetColor(128, above)
    assert np.allclose(below[:3], rgb(MARK), atol=A_BYTE)
    assert np.allclose(above[:3], colour_table(Colours.ORDERED)[128], atol=A_BYTE)
    analysis.colour("MBF", Colours.ORDERED)
    assert volume.GetDisplayNode().GetColorNode() is not colours


def test_a_colour_table_changes_once_and_only_where_the_cut_off_does(a_job, a_scene):
    analysis, told = show_job(a_job), []
    analysis.colour("MBF", Colours.ORDERED, limits=(0.0, 4.0), cut_off=2.0)
    colours = analysis.volumes("MBF")[0].GetDisplayNode().GetColorNode()
    colours.AddObserver("ModifiedEvent", lambda *_: told.append(1))
    analysis.colour("MBF", Colours.ORDERED, cut_off=2.0)
    assert told == []
    analysis.colour("MBF", Colours.ORDERED, cut_off=1.0)
    assert 1 <= len(told) <= 2


def test_a_map_of_standard_deviations_has_a_legend_that_says_so(a_job, a_scene):
    analysis = show_job(a_job)
    analysis.legend("MBF", sd=True)
    of_sd, of_map = (
        slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(analysis.volumes("MBF", sd=sd)[0]) for sd in (True, False)
    )
    assert of_map is None and of_sd.GetVisibility() and "MBF SD" in of_sd.GetTitleText()


@pytest.mark.parametrize(
    ("limits", "format"),
    [
        ((0.0, 0.5), "%.2f"),
        ((0.0, 1.0), "%.1f"),
        ((0.0, 4.0), "%.1f"),
        ((0.0, 0.05), "%.3f"),
        ((0.0, 0.015), "%.4f"),
        ((1.0, 3.5), "%.2f"),
    ],
)
def test_the_ticks_of_a_legend_are_not_rounded(a_job, a_scene, limits, format):
    analysis = show_job(a_job)
    analysis.colour("MBF", Colours.ORDERED, limits=limits)
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(analysis.volumes("MBF")[0])
    assert legend.GetLabelFormat() == format


def test_the_maps_are_listed_flow_first_in_the_order_of_the_quantities(a_job, a_scene):
    names = show_job(a_job).quantities
    assert names[:3] == ["MBF", "F_p", "F_b"] and names[-2:] == ["residual", "valid"]
    assert names[1:] == [name for name in QUANTITIES if name in names and name != "MBF"]


def test_the_ordered_colours_grow_lighter_from_low_to_high():
    light = colour_table(Colours.ORDERED) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > 0).all()


def test_the_tables_are_those_of_the_engine(a_job, a_scene):
    analysis = show_job(a_job)
    segments = analysis.segments
    assert segments["name"] == [polar.NAMES[n] for n in range(1, 17)]
    assert 0.9 < segments["MBF_mL_min_g_median"][0] < 1.3 and segments["reason"][0] == ""
    assert len(analysis.table("input")["time_s"]) == 36
    rows = dict(zip(*analysis.table("settings").values(), strict=True))
    assert rows["hct"] == "0.45" and rows["method"].startswith("2CXM")
    assert analysis.settings["fit"]["method"] == DEFAULT_METHOD.value and analysis.version


def test_charts_show_the_input_and_the_segments_that_are_chosen(a_job, a_scene):
    analysis = show_job(a_job)
    (chart,) = analysis.nodes["chart.segments"]
    assert chart.GetNumberOfPlotSeriesNodes() == 4
    analysis.chart_segments([8])
    names = [chart.GetNthPlotSeriesNode(n).GetName() for n in range(chart.GetNumberOfPlotSeriesNodes())]
    assert [name.split(", ")[1] for name in names] == ["measured", "fitted"]
    plot = chart.GetNthPlotSeriesNode(0)
    columns = [plot.GetTableNode().GetColumnName(n) for n in range(plot.GetTableNode().GetNumberOfColumns())]
    assert {plot.GetXColumnName(), plot.GetYColumnName()} <= set(columns)
    assert analysis.nodes["chart.input"][0].GetNumberOfPlotSeriesNodes() == 2


def test_a_voxel_is_found_by_its_place_and_tells_its_curve(a_study, a_job, a_scene):
    analysis = show_job(a_job)
    k, j, i = map(int, np.argwhere(analysis.label == 8)[5])
    ras = lps_from_ras(a_study.series.geometry.to_lps(np.array([[k, j, i]]))[0])
    analysis.voxel_at(ras)
    started = time.perf_counter()
    voxel = analysis.voxel_at(ras + 0.2)
    assert time.perf_counter() - started < A_MOMENT
    assert voxel.index == (k, j, i) and voxel.segment == 8 and voxel.name == "mid anteroseptal"
    assert np.allclose(voxel.time, a_study.series.time[k], atol=1e-6)
    assert np.abs(voxel.fitted - voxel.measured).max() < 0.02 and voxel.measured.max() > 0.2
    assert voxel.parameters["MBF"] == pytest.approx(analysis.map("MBF")[k, j, i]) and voxel.reason == ""


def test_a_voxel_that_could_not_be_fitted_says_why(a_job, a_scene):
    analysis = show_job(a_job)
    rows = values_of(analysis.node.GetNodeReference("voxel_curves"))
    rows[0, 0, 4] = 6
    voxel = analysis.voxel(tuple(rows[0, 0, :3].astype(int)))
    assert voxel.reason == "the model does not follow the curve" and voxel.parameters == {}


def test_outside_the_heart_there_is_no_voxel(a_study, a_job, a_scene):
    analysis = show_job(a_job)
    assert analysis.voxel_at((1e4, 0.0, 0.0)) is None
    corner = lps_from_ras(a_study.series.geometry.to_lps(np.array([[0, 0, 0]]))[0])
    assert analysis.index_at(corner) == (0, 0, 0) and analysis.voxel_at(corner) is None
    assert analysis.segment_at(corner) == 0


def test_a_segment_is_found_and_painted(a_job, a_scene):
    analysis = show_job(a_job)
    assert analysis.segment_at(analysis.centre_of(11)) == 11
    analysis.highlight(11)
    (paint,) = analysis.nodes["segment_colours"]
    opacity, colour = [], [0.0] * 4
    for number in range(1, 17):
        paint.GetColor(number, colour)
        opacity.append(colour[3])
    assert opacity == [1.0 if number == 11 else 0.0 for number in range(1, 17)]


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("map.MBF", "map of MBF"),
        ("label", "map of its segments"),
        ("table.segments", "table of its segments"),
        ("voxel_curves", "curves of its voxels"),
    ],
)
def test_an_analysis_says_what_it_has_lost(a_job, a_scene, role, words):
    analysis = show_job(a_job)
    analysis.check_whole()
    a_scene.RemoveNode(analysis.node.GetNodeReference(role))
    with pytest.raises(InputError, match=f"has lost its {words}. Remove what is left"):
        analysis.check_whole()


def test_segments_of_a_label_map_that_was_removed_are_a_sentence(a_job, a_scene):
    analysis = show_job(a_job)
    a_scene.RemoveNode(analysis.labels[0])
    with pytest.raises(InputError, match="has no map of its segments any more"):
        analysis.centre_of(11)


def test_a_map_that_lost_a_slice_is_no_map(a_scene):
    study = a_heart(tilted=True)
    analysis = quantify(add_series(study.series, "Stress"), add_surface_of(study.masks), settings=FERMI).analysis
    a_scene.RemoveNode(analysis.volumes("MBF")[1])
    assert analysis.volumes("MBF") == [] and "MBF" not in analysis.quantities and "F_p" in analysis.quantities
    with pytest.raises(InputError, match="has lost its map of MBF"):
        analysis.check_whole()


def test_two_analyses_stand_side_by_side_and_one_goes_without_the_other(a_job, a_scene):
    before = contents(a_scene)
    first, second = show_job(a_job), show_job(a_job)
    assert first.name != second.name and {first.name, second.name} <= set(folders())
    assert [each.name for each in find_analyses()] == [first.name, second.name]
    assert not {n.GetID() for each in first.nodes.values() for n in each} & {
        n.GetID() for each in second.nodes.values() for n in each
    }
    first.remove()
    assert not first.there and second.maps["MBF"].shape == (3, 64, 64)
    assert folders() == [second.name]
    second.remove()
    kept = {id: name for id, name in contents(a_scene).items() if "SubjectHierarchy" not in id}
    assert kept == {id: name for id, name in before.items() if "SubjectHierarchy" not in id}
    assert folders() == [] and find_analyses() == []


def test_a_saved_scene_holds_it_all(a_study, a_job, a_scene, tmp_path):
    series = add_series(a_study.series, "Stress")
    before = show_job(a_job, series=series)
    voxel = tuple(np.argwhere(before.label == 8)[5])
    assert a_scene.WriteToMRB(str(tmp_path / "scene.mrb"), None, slicer.vtkMRMLMessageCollection())
    quantity_maps, label, table = before.maps, before.label, before.segments
    known, place, name, settings = before.voxel(voxel), before.geometry, before.name, before.settings
    a_scene.Clear(False)
    assert find_analyses() == []
    assert a_scene.ReadFromMRB(str(tmp_path / "scene.mrb"), True)
    (after,) = find_analyses()
    assert after.name == name and after.settings == settings and after.method.startswith("2CXM")
    for quantity, values in quantity_maps.items():
        assert np.array_equal(after.map(quantity), values, equal_nan=True)
    assert after.geometry.same_grid(place) and np.array_equal(after.label, label)
    assert after.segments["name"] == table["name"]
    assert np.allclose(after.segments["MBF_mL_min_g_median"], table["MBF_mL_min_g_median"])
    assert np.array_equal(after.voxel(voxel).measured, known.measured)
    assert np.allclose(after.voxel(voxel).time, known.time)
    assert after.nodes["chart.segments"][0].GetNumberOfPlotSeriesNodes() == 4
    (volume,) = after.volumes("MBF")
    assert volume.GetVoxelValueUnits().GetCodeValue() == "ml/min/g"
    assert volume.GetDisplayNode().GetColorNode().GetName() == "MyoPINN ordered"
    assert after.name in folders()
    after.remove()
    assert find_analyses() == [] and after.name not in folders()


@pytest.mark.parametrize("lost", ["MBF.nrrd", "aha.csv", "voxel_curves.npz", "result.json", "segments.nrrd"])
def test_a_result_that_is_not_whole_leaves_the_scene_untouched(a_job, a_scene, tmp_path, lost):
    shutil.copytree(a_job, tmp_path / "job")
    (tmp_path / "job" / "output" / lost).unlink()
    before = contents(a_scene)
    with pytest.raises(InputError, match="Compute the study again"):
        show_job(tmp_path / "job")
    assert contents(a_scene) == before


def test_a_failure_halfway_leaves_the_scene_untouched(a_job, a_scene, monkeypatch):
    from MyoPINNLib.scene import drawing

    def broken(*_):
        raise MemoryError

    before = contents(a_scene)
    monkeypatch.setattr(drawing, "chart", broken)
    with pytest.raises(MemoryError):
        show_job(a_job)
    after = contents(a_scene)
    assert {id: name for id, name in after.items() if "SubjectHierarchy" not in id} == {
        id: n for id, n in before.items() if "SubjectHierarchy" not in id
    }
    assert folders() == []


def test_no_name_of_the_scene_is_in_the_job(a_job):
    for path in (path for path in a_job.rglob("*") if path.is_file()):
        assert b"Doe" not in path.read_bytes(), path.name
        assert "Doe" not in path.name
    assert "Doe" not in json.dumps(json.loads((a_job / "job.json").read_text()))


def test_slices_that_are_not_parallel_get_a_volume_each(a_scene):
    study = a_heart(tilted=True)
    series = add_series(study.series, "Stress")
    with pytest.raises(InputError, match="not parallel"):
        add_segmentation(study.masks, "Heart")
    run = quantify(series, add_surface_of(study.masks), settings=FERMI)
    volumes = run.analysis.volumes("MBF")
    assert [volume.GetName()[-1] for volume in volumes] == ["1", "2", "3"]
    for k, volume in enumerate(volumes):
        assert np.allclose(affine_of(volume)[:3, :2], study.series.geometry.ijk_to_lps[k, :3, :2])
    assert run.analysis.geometry.same_grid(study.series.geometry)


def add_surface_of(masks):
    """A segmentation with a fine labelmap that holds slices of any pose: each voxel of a slice, thickened."""
    from dataclasses import replace

    from MyoPINNLib.geometry import Geometry

    step, low = 1.0, masks.geometry.centres.min(axis=0) - 60
    size = np.ceil((masks.geometry.centres.max(axis=0) + 60 - low) / step).astype(int)
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = low
    k, j, i = np.indices(size[::-1])
    lps = affine @ np.stack([i.ravel(), j.ravel(), k.ravel(), np.ones(k.size)])
    drawn = {name: np.zeros(k.size, dtype=bool) for name in ("myocardium", "blood_pool")}
    rows, columns = masks.geometry.shape[1:]
    for n, to_lps in enumerate(masks.geometry.ijk_to_lps):
        x, y, z = (np.linalg.inv(to_lps) @ lps)[:3]
        x, y = np.rint(x).astype(int), np.rint(y).astype(int)
        here = (np.abs(z) < 0.3) & (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
        for name, part in drawn.items():
            part[here] |= getattr(masks, name)[n, y[here], x[here]]
    shape = tuple(int(each) for each in size[::-1])
    parts = {name: part.reshape(shape) for name, part in drawn.items()}
    fine = replace(masks, geometry=Geometry.from_volume(affine, shape), right_ventricle=None, **parts)
    return add_segmentation(fine, "Heart")
