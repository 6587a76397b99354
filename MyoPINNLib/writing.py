"""An analysis as files: NRRD maps, tables for spreadsheets, pictures, and ``result.json`` that seals them.

Everything is in shown units, and every map says in its header what it is, how it was made and with which settings.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from . import __version__, figures
from .analysis import Analysis, SegmentRow
from .concentration import readout_of
from .events import Progress, Report, Warned, silent
from .files.nrrd import RESEARCH_USE, map_keys, write_label, write_map
from .files.tables import write_curves, write_segment_table
from .files.voxel_curves import VoxelCurves, write_voxel_curves
from .files.weights import write_weights
from .fit import PARAMETERS
from .maps import LEAST_VALID, derived_from
from .network_settings import Shift
from .polar import stem_of
from .quantities import QUANTITIES, degrees_from_radians, milliseconds_from_seconds, percent, shown
from .results import files_below, replaced, seal
from .settings import Bolus, Conversion, Delay, FitSettings, Method, Spatial

_LIBRARIES = ("numpy", "scipy", "SimpleITK", "pydicom", "matplotlib")
_METHODS = {
    Method.NLLS: "2CXM, least squares",
    Method.FERMI: "Fermi deconvolution",
    Method.MAP: "2CXM, prior learnt from the study",
    Method.ONE_SHOT: "one-shot PINN, prior learnt from the study",
    Method.TWO_COMPARTMENT: "PINN 2cxm",
    Method.MESH: "PINN 2cxm-mesh",
    Method.REDUCED: "PINN reduced",
    Method.COMBINED: "PINN combined",
}
_DEVIATIONS = {
    Method.NLLS: "linearised: too small where the problem is curved",
    Method.FERMI: "linearised: too small where the problem is curved",
    Method.MAP: "of the posterior, noise of the input not counted",
    Method.ONE_SHOT: "of the posterior, noise of the input not counted",
}
_CONVERSIONS = {
    Conversion.TRAIN: "saturation recovery with train",
    Conversion.SATURATION_RECOVERY: "saturation recovery without train",
    Conversion.LINEAR: "linear conversion",
}


def write_analysis(analysis: Analysis, folder: Path, report: Report = silent) -> tuple[str, ...]:
    """Write everything into ``folder``, whole or not at all, and return the files' names.

    Raises InputError where ``folder`` cannot be written or holds something that is not an earlier result.
    """
    with replaced(folder) as partial:
        report(Progress("writing", 0.0))
        _write_maps(analysis, partial)
        report(Progress("writing", 0.3))
        _write_tables(analysis, partial)
        report(Progress("writing", 0.4))
        missing = (
            () if figures.available() else ("matplotlib is not installed: there are maps and tables, but no pictures.",)
        )
        for text in missing:
            report(Warned(text))
        if not missing:
            _write_pictures(analysis, partial, report)
        outputs = tuple(files_below(partial))
        seal(partial, _summary(analysis, missing))
        report(Progress("writing", 1.0))
    return outputs


def method_words(analysis: Analysis) -> str:
    """How the numbers were made, in a line: for headers and below pictures."""
    settings = analysis.settings
    bolus = [f"dual bolus 1:{1 / settings.signal.dose_ratio:g}"] if settings.signal.bolus is Bolus.DUAL else []
    return ", ".join(
        [
            _METHODS[settings.fit.method],
            *_training_words(analysis),
            _delay_words(settings.fit),
            *(["neighbours coupled"] if settings.fit.spatial is Spatial.NEIGHBOURS else []),
            *(["input fitted"] if analysis.result.measured_aif is not None else []),
            _CONVERSIONS[settings.signal.conversion],
            *bolus,
            f"Hct {settings.hct:g}",
        ]
    )


def _training_words(analysis: Analysis) -> list[str]:
    """Steps made and where they began: a network's numbers depend on both."""
    details = analysis.result.details
    if "steps" not in details:
        return []
    steps = details.get("steps_of_slices", [details["steps"]])
    made = f"{steps[0]}" if len(steps) == 1 else f"{' / '.join(map(str, steps))}"
    return [f"{made} steps from {details['start']}"]


def _delay_words(fit: FitSettings) -> str:
    if fit.delay is Delay.FIXED:
        return f"delay {fit.T_a:g} s"
    if not fit.method.is_network:
        return "delay fitted"
    ahead = fit.network.ahead
    return "no delay" if ahead is None or fit.network.shift is Shift.OFF else f"delay of {ahead.words}"


def _write_maps(analysis: Analysis, folder: Path) -> None:
    geometry = analysis.series.geometry
    made = {"method": method_words(analysis), "version": f"MyoPINN {__version__}"}
    made["settings"] = analysis.settings.digest()
    doubtful = derived_from(analysis.result.doubtful)
    for name, values in analysis.maps.values.items():
        keys = map_keys(name, made, doubtful=name in doubtful)
        write_map(folder / f"{name}.nrrd", shown(name, values), geometry, keys=keys)
    for name, values in analysis.maps.sd.items():
        keys = map_keys(name, made, sd=_DEVIATIONS[analysis.settings.fit.method])
        write_map(folder / f"{name}_sd.nrrd", shown(name, values), geometry, keys=keys)
    write_label(folder / "segments.nrrd", analysis.segments.label, geometry)


def _write_tables(analysis: Analysis, folder: Path) -> None:
    made = {"method": method_words(analysis), "doubtful": " ".join(derived_from(analysis.result.doubtful))}
    write_segment_table(folder / "aha.csv", [{**_segment_columns(row), **made} for row in analysis.segment_table])
    curve_set = analysis.curve_set
    time = curve_set.aif_time
    columns = {"C_ap_mM": curve_set.aif(time), "C_ab_mM": curve_set.C_ab}
    if analysis.result.measured_aif is not None:
        columns["C_ap_fitted_mM"] = analysis.result.aif(time)
    write_curves(folder / "aif.csv", time, columns)
    write_segment_table(folder / "segment_curves.csv", _curve_rows(analysis))
    write_voxel_curves(folder / "voxel_curves.npz", VoxelCurves.of(curve_set.curves, analysis.result))
    if analysis.result.history:
        write_segment_table(folder / "training.csv", _history_rows(analysis.result.history))
    if analysis.result.trained is not None:
        write_weights(folder / "weights.npz", analysis.result.trained)


def _segment_columns(row: SegmentRow) -> dict:
    """A row of ``aha.csv``: for each quantity the fit of the mean curve, then statistics over the voxels."""
    columns = {
        "segment": row.segment,
        "name": row.name,
        "territory": row.territory,
        "voxels": row.voxels,
        "valid_percent": None if row.valid_share is None else percent(row.valid_share),
    }
    for name in sorted(row.statistics, key=lambda name: name != "MBF"):  # what is looked for comes first
        found = row.statistics[name]
        column = QUANTITIES[name].column
        values = {"mean_curve": row.mean_curve.get(name), "mean_curve_sd": row.mean_curve_sd.get(name)}
        values |= {key: getattr(found, key) for key in ("median", "q1", "q3", "mean", "sd")}
        values |= {"mean_sd": row.mean_sd[name]} if name in row.mean_sd else {}
        if name in row.told:
            columns[f"{QUANTITIES[name].column}_told_percent"] = percent(row.told[name])
        columns |= {f"{column}_{key}": None if value is None else shown(name, value) for key, value in values.items()}
    return {**columns, "reason": row.reason}


def _curve_rows(analysis: Analysis) -> list[dict]:
    """One row a frame; three columns a segment, since each has the clock of its slice."""
    curves, fitted = analysis.segment_curves, analysis.segment_result.C_t
    columns = {}
    for row, number in enumerate(analysis.segment_numbers):
        stem = stem_of(number)
        columns[f"{stem}_time_s"] = curves.time[curves.clock[row]]
        columns[f"{stem}_C_t_mM"] = curves.C_t[row]
        columns[f"{stem}_fitted_mM"] = fitted[row]
    return [{name: float(values[frame]) for name, values in columns.items()} for frame in range(curves.time.shape[1])]


def _history_rows(history: dict) -> list[dict]:
    """One row a step of the history; mean parameters with their units in the column's name."""
    names = {name: QUANTITIES[name].column if name in PARAMETERS else name for name in history}
    whole = ("slice", "step")
    columns = {names[name]: [int(v) if name in whole else float(v) for v in values] for name, values in history.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _write_pictures(analysis: Analysis, folder: Path, report: Report) -> None:
    footer = figures.footer(method_words(analysis))
    flows = {row.segment: row.statistics["MBF"].median for row in analysis.segment_table}
    values = {number: None if flow is None else shown("MBF", flow) for number, flow in flows.items()}
    estimated = analysis.segments.estimated_insertion
    title = "Myocardial blood flow by AHA segment: median of the voxels"
    doubtful = [row.segment for row in analysis.segment_table if (row.valid_share or 0.0) < LEAST_VALID]
    figures.bullseye(
        folder / "bullseye.png", values,
        quantity="MBF", title=title, footer=footer, estimated_insertion=estimated, doubtful=doubtful,
    )  # fmt: skip
    report(Progress("writing", 0.6))
    figures.overlay(
        folder / "maps.png", analysis.series, analysis.maps,
        segments=analysis.segments, quantity="MBF", title="Myocardial blood flow", footer=footer,
    )  # fmt: skip
    report(Progress("writing", 0.8))
    figures.curves(
        folder / "curves.png", analysis.segment_curves, analysis.segment_result, analysis.segment_numbers,
        hct=analysis.settings.hct, density=analysis.settings.density, title="Mean curve of each segment", footer=footer,
    )  # fmt: skip
    if analysis.result.history:
        report(Progress("writing", 0.9))
        figures.training(
            folder / "training.png", analysis.result.history, title="Training: loss and mean parameters", footer=footer
        )


def _summary(analysis: Analysis, missing: tuple[str, ...]) -> dict:
    """What ``result.json`` says beside the files; no name and no path of the study."""
    series, segments = analysis.series, analysis.segments
    slices, rows, columns = series.geometry.shape
    return {
        "myopinn": __version__,
        "use": RESEARCH_USE,
        "method": method_words(analysis),
        "training": analysis.result.details,
        "doubtful": derived_from(analysis.result.doubtful),
        "settings": analysis.settings.to_json(),
        "settings_digest": analysis.settings.digest(),
        "versions": {"python": platform.python_version(), **_versions()},
        "seconds": {name: round(value, 4) for name, value in analysis.seconds.items()},
        "series": {
            "slices": slices, "rows": rows, "columns": columns, "frames": series.frames,
            "times_from": series.acquisition.time_source,
        },
        "readout": _readout(analysis),
        "segments": {"model": segments.model, "levels": [level.value for level in segments.levels],
                     "estimated_insertion": bool(segments.estimated_insertion)},
        "voxels": analysis.outcomes,
        "warnings": [*analysis.notes, *missing],
    }  # fmt: skip


def _readout(analysis: Analysis) -> dict:
    """The readout that the conversion used: given by the settings, or read from the files."""
    used = readout_of(analysis.settings.signal, analysis.series.acquisition)
    return {
        "TS_ms": milliseconds_from_seconds(used.TS),
        "TR_ms": milliseconds_from_seconds(used.TR),
        "flip_angle_deg": degrees_from_radians(used.flip_angle),
        "pulses": used.pulses,
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
