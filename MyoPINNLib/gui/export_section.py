"""The panel's Export: maps, tables and pictures of the analysis that is looked at, as files without a patient's name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import qt

from ..errors import InputError
from ..files.nrrd import map_keys, write_map
from ..files.tables import write_segment_table
from ..files.words import plain
from ..polar import NAMES, TERRITORY
from ..scene import SceneAnalysis
from .bullseye_content import RESERVE, BullseyeContent
from .captions import level_of
from .slices import write_picture

_DRAWN = 100  # ms, in which Qt lays out and draws new views
_COUNTS = {"segment", "voxels", "left_out"}
_TABLES = {"segments": "aha.csv", "input": "aif.csv", "curves": "segment_curves.csv", "settings": "settings.csv"}


class ExportSection:
    """``review`` gives the analysis, its bull's-eye and slice views; ``say`` tells the user what came of it."""

    def __init__(self, ui, review, say: Callable[[str], None]) -> None:
        self._ui, self._review, self._say = ui, review, say
        ui.exportMaps.checked = ui.exportTables.checked = ui.exportPictures.checked = True
        for box in (ui.exportMaps, ui.exportTables, ui.exportPictures):
            box.connect("toggled(bool)", lambda _: self.update())
        ui.exportPath.connect("currentPathChanged(QString)", lambda _: self.update())
        ui.exportPath.connect("validInputChanged(bool)", lambda _: self.update())
        ui.exportButton.connect("clicked()", self.export)

    def update(self) -> None:
        """Whether there is something to export, and why not."""
        why_not = self._why_not()
        self._ui.exportButton.enabled = not why_not
        self._ui.exportButton.toolTip = why_not or "Writes the files into a folder of its own inside the chosen one."

    def export(self) -> None:
        """Write the chosen files."""
        if why_not := self._why_not():  # CTK does not tell of a path that was emptied
            self._say(why_not)
            return
        if self._ui.exportPictures.checked and not self._review.layout.visible:
            self._show_first()
            return
        analysis = self._review.analysis
        try:
            folder = _new_folder(Path(self._ui.exportPath.currentPath).expanduser(), analysis.name)
            count = self._write(analysis, folder)
        except InputError as error:
            self._say(str(error))
        except OSError as error:
            self._say(f"The files could not be written: {error.strerror or error}. Choose another folder.")
        else:
            self._say(f"{count} files were written to {folder}.")

    def _show_first(self) -> None:
        """What was never drawn has no picture: export when the layout is on the screen."""
        self._review.show()
        if self._review.layout.visible:
            qt.QTimer.singleShot(_DRAWN, self.export)
        else:
            self._say("No picture can be taken: the views are not on the screen. Show the layout first.")

    def _why_not(self) -> str:
        ui = self._ui
        if self._review.analysis is None:
            return "There is no analysis yet: compute one."
        if not ui.exportPath.currentPath:
            return "Choose a folder."
        if not (ui.exportMaps.checked or ui.exportTables.checked or ui.exportPictures.checked):
            return "Choose what to export: maps, tables, pictures."
        return ""

    def _write(self, analysis: SceneAnalysis, folder: Path) -> int:
        if self._ui.exportMaps.checked:
            write_maps(analysis, folder)
        if self._ui.exportTables.checked:
            write_tables(analysis, folder)
            write_reserve(self._review.reserve, folder)
        if self._ui.exportPictures.checked:
            write_pictures(self._review, folder)
        return sum(path.is_file() for path in folder.rglob("*"))


def write_maps(analysis: SceneAnalysis, folder: Path) -> None:
    """Each map, and the standard deviations, as NRRD with quantity, unit, method and version in the header."""
    digest, doubtful = analysis.node.GetParameter("settings_digest"), analysis.summary.get("doubtful", ())
    made = {"method": analysis.method, "version": f"MyoPINN {analysis.version}", "settings": digest}
    for name in analysis.quantities:
        keys = map_keys(name, made, doubtful=name in doubtful)
        write_map(folder / f"{name}.nrrd", analysis.map(name), analysis.geometry, keys=keys)
        if analysis.volumes(name, sd=True):
            keys = map_keys(name, made, sd="as the method gives it")
            write_map(folder / f"{name}_sd.nrrd", analysis.map(name, sd=True), analysis.geometry, keys=keys)


def write_tables(analysis: SceneAnalysis, folder: Path) -> None:
    """Segments, arterial input and curves as CSV; the settings as CSV and JSON."""
    for role, name in _TABLES.items():
        write_segment_table(folder / name, _rows(analysis.table(role)))
    (folder / "settings.json").write_text(json.dumps(analysis.settings, indent=1) + "\n", encoding="utf-8")


def write_reserve(reserve: BullseyeContent | None, folder: Path) -> None:
    """Flow under stress, at rest and its reserve by segment as CSV; None: there is no reserve."""
    if reserve is None:
        return
    stress, rest = reserve.parts.values()
    rows = [
        {
            "segment": number,
            "name": NAMES[number],
            "territory": TERRITORY[number],
            "MBF_stress_mL_min_g": stress.get(number, math.nan),
            "MBF_rest_mL_min_g": rest.get(number, math.nan),
            RESERVE: reserve.known.get(number, math.nan),
            "statistic": reserve.statistic.value,
            "doubtful": RESERVE if number in reserve.doubtful and number in reserve.known else "",
            "reason": reserve.reasons.get(number, ""),
            "analyses": reserve.title,
            "caution": reserve.caution,
        }
        for number in range(1, reserve.model + 1)
    ]
    write_segment_table(folder / "reserve.csv", rows)


def write_pictures(review, folder: Path) -> None:
    """The bull's-eye and the slice views as they are on the screen."""
    if review.bullseye.bullseye.content is not None:  # a reserve without a rest analysis has none
        review.bullseye.save(folder / "bullseye.png")
    for name, k in review.overlay.slices.items():
        if k is not None:
            rest = "" if review.viewed.node is review.analysis.node else "rest"
            words = "_".join(filter(None, ["slice", str(k + 1), level_of(review.viewed.label, k), rest]))
            write_picture(name, folder / f"{words}.png")


def _rows(table: Mapping[str, list]) -> list[dict]:
    """One mapping a row; numbers that count something without a point."""
    columns = {title: [_whole(cell) for cell in cells] if title in _COUNTS else cells for title, cells in table.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _whole(cell):
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _new_folder(parent: Path, name: str) -> Path:
    """A folder of its own, so that no file is overwritten."""
    stem = "".join(c if c.isalnum() or c in "-_ " else "_" for c in plain(name, 60)).strip() or "Perfusion"
    for number in range(1, 1000):
        folder = parent / (f"{stem} {number}" if number > 1 else stem)
        if not folder.exists():
            folder.mkdir(parents=True)
            return folder
    raise InputError(f'There are 999 exports called "{stem}" in the folder.', "Choose another folder.")
