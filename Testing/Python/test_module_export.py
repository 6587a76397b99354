"""Export by real clicks: files with units and method, numbers that a spreadsheet reads, nobody's name, nothing overwritten."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from PySide6 import QtGui
from review_cases import Heart, open_analysis

from MyoPINNLib.files.nrrd import read_map
from Testing.SlicerHarness.clicks import choose, click, screenshot, type_text, wait

TABLES = {"aha.csv", "aif.csv", "segment_curves.csv", "settings.csv", "settings.json"}


@pytest.fixture
def a_folder(tmp_path) -> Path:
    return tmp_path


@pytest.fixture
def an_export(a_module, a_folder):
    """All of an upright heart's analysis exported: its folder."""
    open_analysis(a_module, Heart.UPRIGHT)
    export(a_module, a_folder)
    return a_folder / "Stress"


def open_section(a_module) -> None:
    if a_module.ui.exportSection.collapsed:
        click(a_module.ui.exportSection)


def export(a_module, folder: Path, *names: str) -> None:
    """Maps, tables and pictures, or those of ``names``, into a folder."""
    ui = a_module.ui
    open_section(a_module)
    type_text(ui.exportPath, str(folder))
    for box in (ui.exportMaps, ui.exportTables, ui.exportPictures):
        if box.checked != (not names or box.text.split()[0] in names):
            click(box)
    click(ui.exportButton)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_export_writes_maps_tables_and_pictures_and_tells_where(a_module, an_export):
    there = {path.name for path in an_export.iterdir()}
    pictures = {"bullseye.png", "slice_3_basal.png", "slice_2_mid.png", "slice_1_apical.png"}
    assert there >= TABLES | pictures | {"MBF.nrrd", "MBF_sd.nrrd", "valid.nrrd"}
    assert a_module.status == f"{len(there)} files were written to {an_export}."
    screenshot(a_module.window, "export_done")


def test_a_reserve_is_exported_with_what_it_comes_from(a_module, a_folder):
    _, rest = open_analysis(a_module, Heart.UPRIGHT, "Stress", "Rest")
    export(a_module, a_folder, "tables")
    assert not (a_folder / "Stress" / "reserve.csv").exists(), "there is no rest analysis yet"
    choose(a_module.ui.restAnalysisSelector, "Rest")
    flows = rest.analysis.node.GetNodeReference("table.segments").GetTable().GetColumnByName("MBF_mL_min_g_median")
    for row in range(flows.GetNumberOfTuples()):
        flows.SetValue(row, flows.GetValue(row) / 2)
    export(a_module, a_folder, "tables")
    rows = rows_of(a_folder / "Stress 2" / "reserve.csv")
    assert [int(row["segment"]) for row in rows] == list(range(1, 17)) and rows[10]["name"] == "mid inferolateral"
    for row in rows:
        assert float(row["MPR"]) == pytest.approx(2.0) and row["statistic"] == "median"
        assert float(row["MBF_stress_mL_min_g"]) == pytest.approx(2 * float(row["MBF_rest_mL_min_g"]))


def test_a_map_says_quantity_unit_and_method_in_its_header(an_export):
    values, _, keys = read_map([an_export / "MBF.nrrd"])
    assert keys["units"] == "mL/min/g" and keys["quantity"] == "MBF (myocardial blood flow)"
    assert "not for diagnosis" in keys["use"] and keys["method"] and keys["version"].startswith("MyoPINN ")
    assert 2.0 < np.nanmax(values) < 4.5
    assert read_map([an_export / "MBF_sd.nrrd"])[2]["quantity"].startswith("standard deviation of MBF")


def test_the_table_of_the_segments_reads_as_numbers_with_units(an_export):
    rows = rows_of(an_export / "aha.csv")
    assert [row["segment"] for row in rows] == [str(n) for n in range(1, 17)]
    assert rows[0]["voxels"] == "69" and rows[0]["name"] == "basal anterior"
    assert 1.0 < float(rows[0]["MBF_mL_min_g_median"]) < 1.2
    assert rows[0]["method"]


def test_curves_and_input_have_their_units_in_the_columns(an_export):
    curves, blood = rows_of(an_export / "segment_curves.csv"), rows_of(an_export / "aif.csv")
    assert "1_basal_anterior_C_t_mM" in curves[0] and "time_s" in blood[0] and "C_ap_mM" in blood[0]
    assert max(float(row["C_ap_mM"]) for row in blood) > 1.0
    assert json.loads((an_export / "settings.json").read_text(encoding="utf-8"))["hct"] == 0.45


def test_pictures_show_what_the_views_show(an_export):
    bullseye, basal = (QtGui.QImage(str(an_export / name)) for name in ("bullseye.png", "slice_3_basal.png"))
    assert min(bullseye.width(), basal.width()) > 250
    assert QtGui.QColor(bullseye.pixel(2, 2)) == QtGui.QColor("white")
    colours = {basal.pixel(x, basal.height() // 2) for x in range(basal.width())}
    assert len(colours) > 20


def test_nobodys_name_is_written(a_module, a_folder):
    looked = open_analysis(a_module, Heart.OBLIQUE)[0]
    for node in (*looked.study.nodes, *looked.study.volumes):
        node.SetName("Doe^John")
    export(a_module, a_folder)
    for path in (a_folder / "Stress").iterdir():
        assert b"Doe" not in path.read_bytes(), path.name


def test_a_second_export_goes_beside_the_first(a_module, an_export):
    before = (an_export / "aha.csv").stat().st_mtime_ns
    click(a_module.ui.exportButton)
    assert (an_export.parent / "Stress 2" / "aha.csv").is_file()
    assert (an_export / "aha.csv").stat().st_mtime_ns == before


def test_only_what_is_ticked_is_written(a_module, a_folder):
    open_analysis(a_module, Heart.OBLIQUE)
    export(a_module, a_folder, "tables")
    assert {path.name for path in (a_folder / "Stress").iterdir()} == TABLES


def test_pictures_of_one_slice_are_those_of_one_view(a_module, a_folder):
    open_analysis(a_module, Heart.ONE_SLICE)
    export(a_module, a_folder, "pictures")
    assert {path.name for path in (a_folder / "Stress").iterdir()} == {"bullseye.png", "slice_1_mid.png"}


def test_pictures_are_taken_in_the_perfusion_layout_whatever_is_shown(a_module, a_folder):
    open_analysis(a_module, Heart.OBLIQUE)
    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    export(a_module, a_folder, "pictures")
    wait(lambda: "files were written" in a_module.status)  # once the views have been drawn
    assert len(list((a_folder / "Stress").iterdir())) == 4


def test_a_file_in_place_of_the_folder_is_one_sentence(a_module, a_folder):
    open_analysis(a_module, Heart.OBLIQUE)
    (a_folder / "taken").write_text("a file")
    export(a_module, a_folder / "taken")
    assert a_module.status == "The files could not be written: Not a directory. Choose another folder."


def test_export_says_what_is_missing(a_module, a_folder):
    open_section(a_module)
    assert not a_module.ui.exportButton.enabled
    assert a_module.ui.exportButton.toolTip == "There is no analysis yet: compute one."
    open_analysis(a_module, Heart.OBLIQUE)
    type_text(a_module.ui.exportPath, "")
    assert a_module.ui.exportButton.toolTip == "Choose a folder."
    type_text(a_module.ui.exportPath, str(a_folder))
    assert a_module.ui.exportButton.enabled
    for box in (a_module.ui.exportMaps, a_module.ui.exportTables, a_module.ui.exportPictures):
        if box.checked:
            click(box)
    assert a_module.ui.exportButton.toolTip.startswith("Choose what to export")


def test_a_path_emptied_unheard_exports_nothing(a_module, a_folder):
    open_analysis(a_module, Heart.OBLIQUE)
    open_section(a_module)
    type_text(a_module.ui.exportPath, str(a_folder))
    if not a_module.ui.exportTables.checked:
        click(a_module.ui.exportTables)
    a_module.ui.exportPath.blockSignals(True)  # CTK is silent about a path that cannot be used
    type_text(a_module.ui.exportPath, "")
    a_module.ui.exportPath.blockSignals(False)
    click(a_module.ui.exportButton)
    assert a_module.status == "Choose a folder."


def test_browsing_asks_for_a_folder(a_module, a_desktop, a_folder):
    open_section(a_module)
    a_desktop.answers.give(str(a_folder))
    a_module.ui.exportPath.browse()
    assert a_desktop.answers.said[-1] == (
        "file",
        "Select a directory...",
    ) and a_module.ui.exportPath.currentPath == str(a_folder)


def test_pictures_of_views_that_are_not_on_the_screen_are_refused_in_a_sentence(a_module, a_folder, monkeypatch):
    open_analysis(a_module, Heart.OBLIQUE)
    monkeypatch.setattr(type(a_module.panel.review.layout), "visible", False)
    export(a_module, a_folder, "maps", "pictures")
    assert "Show the layout first." in a_module.status and not (a_folder / "Stress").exists()
