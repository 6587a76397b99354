"""The command line, whole: a study in, a result out; and for every bad input one sentence, a hint and exit code 2."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.uid import CTImageStorage

from MyoPINNLib import __version__, cli
from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.files import read_study
from MyoPINNLib.files.nrrd import write_series
from MyoPINNLib.kinetics import tissue_curve

F_P = np.array([0.01, 0.02, 0.04])


@pytest.fixture(scope="module")
def a_result(a_study, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("result") / "out"
    assert cli.main([*quantify(a_study, folder), "--quiet"]) == 0
    return folder


@pytest.fixture
def the_curves(tmp_path) -> Path:
    """Exact 2CXM curves as a table."""
    time = np.arange(60) * 0.9
    C_ap = 8.0 * np.clip((time - 6) / 4, 0, None) ** 3 * np.exp(3 - 3 * np.clip((time - 6) / 4, 0, None))
    C_t = tissue_curve(
        ArterialInput(time, C_ap), time, F_p=F_P, v_p=np.full(3, 0.08), v_e=np.full(3, 0.2), PS=np.full(3, 0.015)
    )
    write_csv(
        tmp_path / "curves.csv", ["time_s", "C_ap_mM", "low", "mid", "high"], np.column_stack([time, C_ap, C_t.T])
    )
    return tmp_path / "curves.csv"


def quantify(study: Path, out: Path, *, masks: Path | None = None) -> list[str]:
    masks = masks or study / "masks.nrrd"
    return ["quantify", str(study / "dicom"), "--masks", str(masks), "-o", str(out), "--method", "fermi"]


def write_csv(path: Path, header: list[str], values: np.ndarray) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(values.tolist())


def rows(path: Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def refused(capsys, arguments: list[str], *words: str) -> str:
    """Run a command that must be refused: exit code 2, one line on stderr with the words, no traceback."""
    capsys.readouterr()
    code = cli.main([*arguments, "--quiet"])
    said = capsys.readouterr().err
    assert code == 2, said
    assert "Traceback" not in said
    assert said.count("\n") == 1, said
    for word in words:
        assert word.lower() in said.lower(), said
    return said


def as_nrrd(study: Path, path: Path, change=lambda signal: signal) -> list[str]:
    """The study as 4D NRRD files (one a slice) whose signal (t, k, j, i) ``change`` has altered."""
    series = read_study([study / "dicom"])
    return list(map(str, write_series(path, replace(series, signal=change(series.signal.astype(np.float32))))))


def relabelled(study: Path, path: Path, change) -> Path:
    image = sitk.ReadImage(str(study / "masks.nrrd"))
    labels = sitk.GetImageFromArray(change(sitk.GetArrayFromImage(image)))
    labels.CopyInformation(image)
    sitk.WriteImage(labels, str(path))
    return path


def test_a_study_becomes_a_result(a_result):
    result = json.loads((a_result / "result.json").read_text())
    assert {"MBF.nrrd", "aha.csv", "bullseye.png", "maps.png", "curves.png"} <= set(result["outputs"])
    assert len(rows(a_result / "aha.csv")) == 16


def test_info_says_what_a_study_holds(a_study, capsys):
    assert cli.main(["info", str(a_study / "dicom")]) == 0
    said = capsys.readouterr().out
    assert "AcquisitionTime" in said
    assert "slices" in said


def test_the_last_line_tells_solver_seconds_apart_from_start_up(the_curves, tmp_path, capsys):
    assert cli.main(["fit", str(the_curves), "-o", str(tmp_path / "p.csv")]) == 0
    last = capsys.readouterr().err.splitlines()[-1].split()
    assert (last[0], last[3]) == ("solver", "start-up")
    assert float(last[1]) > 0


def test_fit_finds_the_parameters_of_exact_curves(the_curves, tmp_path):
    assert cli.main(["fit", str(the_curves), "-o", str(tmp_path / "p.csv"), "--quiet"]) == 0
    table = rows(tmp_path / "p.csv")
    assert [row["curve"] for row in table] == ["low", "mid", "high"]
    np.testing.assert_allclose([float(row["F_p_mL_min_mL"]) for row in table], F_P * 60, rtol=0.01)
    assert [row["valid"] for row in table] == ["1", "1", "1"]


@pytest.mark.parametrize(("word", "delay"), [("fixed", 0.0), ("1.5", 1.5)])
def test_a_fixed_delay_stays_where_it_was_put(the_curves, tmp_path, word, delay):
    assert cli.main(["fit", str(the_curves), "-o", str(tmp_path / "p.csv"), "--T_a", word, "--quiet"]) == 0
    assert [float(row["T_a_s"]) for row in rows(tmp_path / "p.csv")] == [delay] * 3


def test_events_are_for_programs(the_curves, tmp_path, capsys):
    assert cli.main(["fit", str(the_curves), "-o", str(tmp_path / "p.csv"), "--events"]) == 0
    assert {json.loads(line)["myopinn"] for line in capsys.readouterr().out.splitlines()} == {"progress"}


def test_settings_of_an_earlier_result_can_be_used_again(a_result, a_study, tmp_path):
    again = [
        *quantify(a_study, tmp_path / "out")[:-2],
        "--settings",
        str(a_result / "result.json"),
        "--hct",
        "0.4",
        "--quiet",
    ]
    assert cli.main(again) == 0
    settings = json.loads((tmp_path / "out" / "result.json").read_text())["settings"]
    assert (settings["fit"]["method"], settings["hct"]) == ("fermi", 0.4)
    assert settings["aha"]["insertion_lps_mm"] is None  # it lies in the other patient


def test_the_version_is_told(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"myopinn {__version__}\n"


@pytest.mark.parametrize("command", [[], ["simulate"], ["info"], ["quantify"], ["run"], ["fit"], ["demo"]])
def test_every_command_explains_itself(command, capsys):
    assert cli.main([*command, "--help"]) == 0
    assert "usage: myopinn" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "required"),
        (["dance"], "invalid choice"),
        (["quantify", "study"], "required"),
        (["fit", "c.csv", "-o", "p.csv", "--T_a", "soon"], "fit|fixed or seconds"),
        (["fit", "c.csv", "-o", "p.csv", "--method", "magic"], "choose one of: nlls, fermi"),
        (["fit", "missing.csv", "-o", "p.csv"], "missing.csv"),
        (["simulate", "marathon", "-o", "x"], "choose one of: stress"),
        (["quantify", "s", "--masks", "m", "-o", "o", "--TS", "0.12"], "milliseconds"),
        (["quantify", "s", "--masks", "m", "-o", "o", "--TS", "abc"], "invalid float"),
        (["quantify", "s", "--masks", "m", "-o", "o", "--hct", "45"], "0.45 for 45 %"),
        (["quantify", "s", "--masks", "m", "-o", "o", "--settings", "missing.json"], "could not be read"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    code = cli.main(arguments)
    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (2, 1)
    assert words in said.lower()
    assert not list(tmp_path.iterdir())


def test_an_empty_mask_is_refused(a_study, tmp_path, capsys):
    masks = relabelled(a_study, tmp_path / "m.nrrd", lambda labels: np.where(labels == 2, 0, labels).astype(np.uint8))
    refused(capsys, quantify(a_study, tmp_path / "out", masks=masks), "myocardium")
    assert not (tmp_path / "out").exists()


def test_a_mask_on_another_grid_is_refused(a_study, tmp_path, capsys):
    masks = relabelled(a_study, tmp_path / "m.nrrd", lambda labels: labels)
    image = sitk.ReadImage(str(masks))
    image.SetOrigin([value + 3 for value in image.GetOrigin()])
    sitk.WriteImage(image, str(masks))
    refused(capsys, quantify(a_study, tmp_path / "out", masks=masks), "grid")


def test_a_mask_that_touches_no_slice_of_the_series_is_refused(a_study, tmp_path, capsys):
    image = sitk.ReadImage(str(a_study / "masks.nrrd"))
    image.SetOrigin([value + 900 for value in image.GetOrigin()])
    sitk.WriteImage(image, str(tmp_path / "m.nrrd"))
    refused(capsys, quantify(a_study, tmp_path / "out", masks=tmp_path / "m.nrrd"), "touches", "series")


def constant(signal):
    return np.full_like(signal, 100.0)


def without_a_bolus(signal):
    noise = np.random.default_rng(1).normal(0, 2, signal.shape).astype(np.float32)
    return np.repeat(signal[:1], len(signal), axis=0) + noise


def not_a_number(signal):
    return np.full_like(signal, np.nan)


@pytest.mark.parametrize(
    ("change", "words"), [(constant, "no bolus"), (without_a_bolus, "bolus"), (not_a_number, "not numbers")]
)
def test_images_that_hold_no_first_pass_are_refused(a_study, tmp_path, capsys, change, words):
    paths = as_nrrd(a_study, tmp_path / "series", change)
    arguments = quantify(a_study, tmp_path / "out")
    refused(capsys, [arguments[0], *paths, *arguments[2:]], words)
    assert not (tmp_path / "out").exists()


def edited_times(study: Path, folder: Path, change) -> list[str]:
    """The study as 4D NRRD files whose header's line of times ``change`` rewrote."""
    paths = as_nrrd(study, folder / "series")
    for path in map(Path, paths):
        head, rest = path.read_bytes().split(b"\n\n", 1)
        lines = [change(line) if b"index values" in line else line for line in head.split(b"\n")]
        assert lines != head.split(b"\n")
        path.write_bytes(b"\n".join(lines) + b"\n\n" + rest)
    return paths


def in_milliseconds(line: bytes) -> bytes:
    key, values = line.split(b":=")
    return key + b":=" + b" ".join(b"%g" % (1000 * float(value)) for value in values.split())


def negative(line: bytes) -> bytes:
    key, values = line.split(b":=")
    return key + b":=" + b" ".join(b"%g" % (float(value) - 20) for value in values.split())


def falling(line: bytes) -> bytes:
    key, values = line.split(b":=")
    return key + b":=" + b" ".join(reversed(values.split()))


@pytest.mark.parametrize(
    ("change", "words"), [(in_milliseconds, "milliseconds"), (negative, "negative"), (falling, "increase")]
)
def test_times_that_cannot_be_are_refused(a_study, tmp_path, capsys, change, words):
    paths = edited_times(a_study, tmp_path, change)
    arguments = quantify(a_study, tmp_path / "out")
    refused(capsys, [arguments[0], *paths, *arguments[2:]], words)


def test_one_frame_is_refused(a_study, tmp_path, capsys):
    for series in sorted((a_study / "dicom").iterdir()):
        (tmp_path / "dicom" / series.name).mkdir(parents=True)
        shutil.copy(min(series.iterdir()), tmp_path / "dicom" / series.name)
    arguments = quantify(a_study, tmp_path / "out")
    refused(capsys, [arguments[0], str(tmp_path / "dicom"), *arguments[2:]])


def test_a_truncated_nrrd_is_refused(a_study, tmp_path, capsys):
    paths = as_nrrd(a_study, tmp_path / "series")
    Path(paths[0]).write_bytes(Path(paths[0]).read_bytes()[:20000])
    arguments = quantify(a_study, tmp_path / "out")
    refused(capsys, [arguments[0], *paths, *arguments[2:]], "series_1.seq.nrrd")


def test_truncated_dicom_is_refused(a_study, tmp_path, capsys):
    shutil.copytree(a_study / "dicom", tmp_path / "dicom")
    victim = min((tmp_path / "dicom").rglob("*.dcm"))
    victim.write_bytes(victim.read_bytes()[:2000])
    arguments = quantify(a_study, tmp_path / "out")
    refused(capsys, [arguments[0], str(tmp_path / "dicom"), *arguments[2:]])


def test_a_folder_of_something_else_is_refused(a_study, tmp_path, capsys):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("Dear colleague")
    refused(capsys, ["info", str(tmp_path / "other")])
    refused(capsys, ["info", str(tmp_path / "nowhere")])


def test_an_output_below_a_file_is_refused(a_study, the_curves, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    refused(capsys, quantify(a_study, tmp_path / "file" / "out"), "is a file")
    refused(capsys, ["fit", str(the_curves), "-o", str(tmp_path / "file" / "p.csv")], "is no folder")
    refused(capsys, ["simulate", "fast", "-o", str(tmp_path / "file" / "study")], "is a file")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_output_folder_with_someones_own_files_is_refused(a_study, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    refused(capsys, quantify(a_study, tmp_path), "notes.txt")
    refused(capsys, ["simulate", "fast", "-o", str(tmp_path)], "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_frames_of_different_size_are_refused(a_study, tmp_path, capsys):
    shutil.copytree(a_study / "dicom", tmp_path / "dicom")
    victim = sorted((tmp_path / "dicom").rglob("*.dcm"))[5]
    frame = dcmread(victim)
    smaller = frame.pixel_array[:-8]
    frame.Rows, frame.PixelData = smaller.shape[0], smaller.tobytes()
    frame.save_as(victim)
    arguments = quantify(a_study, tmp_path / "out")
    refused(capsys, [arguments[0], str(tmp_path / "dicom"), *arguments[2:]])


def test_dicom_of_something_else_is_refused(a_study, tmp_path, capsys):
    frame = dcmread(min((a_study / "dicom").rglob("*.dcm")))
    frame.SOPClassUID = frame.file_meta.MediaStorageSOPClassUID = CTImageStorage
    frame.Modality = "CT"
    frame.save_as(tmp_path / "1.dcm")
    refused(capsys, ["info", str(tmp_path)])


@pytest.mark.parametrize(
    ("levels", "words"),
    [("basal,mid", "3 slices"), ("basal,mid,top", "choose one of: basal"), ("mid,basal,apical", "base to apex")],
)
def test_slice_levels_that_make_no_sense_are_refused(a_study, tmp_path, capsys, levels, words):
    refused(capsys, [*quantify(a_study, tmp_path / "out"), "--levels", levels], words)


@pytest.mark.parametrize("victim", ["MBF.nrrd", "aha.csv", "result.json"])
def test_a_full_disk_is_told_and_leaves_nothing_half(a_study, tmp_path, capsys, monkeypatch, victim):
    full_disk(monkeypatch, victim)
    refused(capsys, quantify(a_study, tmp_path / "out"), "no space left")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_an_earlier_table(the_curves, tmp_path, capsys, monkeypatch):
    (tmp_path / "p.csv").write_text("earlier")
    full_disk(monkeypatch, "p.csv")
    refused(capsys, ["fit", str(the_curves), "-o", str(tmp_path / "p.csv")], "no space left")
    assert (tmp_path / "p.csv").read_text() == "earlier"


def full_disk(monkeypatch, victim: str) -> None:
    """From now on no file with ``victim`` in its name can be written."""
    real = Path.open

    def full(path, mode="r", *arguments, **options):
        if "w" in mode and victim in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)


def test_no_name_and_no_path_of_the_patient_gets_into_a_result(a_study, tmp_path):
    for path in (a_study / "dicom").rglob("*.dcm"):
        frame = dcmread(path)
        frame.PatientName, frame.PatientID = "Doe^Jonathan", "ID4711"
        place = tmp_path / "Doe_Jonathan" / path.relative_to(a_study / "dicom")
        place.parent.mkdir(parents=True, exist_ok=True)
        frame.save_as(place)
    arguments = quantify(a_study, tmp_path / "out")
    assert cli.main([arguments[0], str(tmp_path / "Doe_Jonathan"), *arguments[2:], "--quiet"]) == 0
    for path in (tmp_path / "out").iterdir():
        assert not any(
            name in path.read_bytes() for name in (b"Jonathan", b"ID4711", str(frame.StudyInstanceUID).encode())
        )


def test_a_result_is_not_touched_by_a_run_that_fails(a_result, a_study, tmp_path, capsys):
    before = {path.name: path.read_bytes() for path in a_result.iterdir()}
    masks = relabelled(a_study, tmp_path / "m.nrrd", np.zeros_like)
    refused(capsys, quantify(a_study, a_result, masks=masks))
    assert {path.name: path.read_bytes() for path in a_result.iterdir()} == before


def test_a_defect_is_one_sentence_too(the_curves, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("MyoPINNLib.solvers.fit", lambda *arguments, **options: 1 / 0)
    assert cli.main(["fit", str(the_curves), "-o", str(tmp_path / "p.csv"), "--quiet"]) == 1
    said = capsys.readouterr().err
    assert said == "MyoPINN met a defect of its own (ZeroDivisionError). Run it again with --traceback to see where.\n"


def test_the_demo_prints_the_table_beside_the_truth(tmp_path, capsys):
    assert cli.main(["demo", "-o", str(tmp_path), "--preset", "fast", "--method", "fermi", "--traceback"]) == 0
    said = capsys.readouterr().out
    assert "within 10 % of the truth" in said
    for name in ("bullseye.png", "maps.png", "curves.png"):
        assert (tmp_path / "result" / name).exists()
        assert name in said


def test_a_result_never_replaces_what_it_was_made_from(a_study, tmp_path, capsys):
    study = tmp_path / "study"
    shutil.copytree(a_study, study)
    before = sorted(path.name for path in study.rglob("*"))
    for output in (study, study / "dicom", study.parent):
        assert (
            cli.main(["quantify", str(study / "dicom"), "--masks", str(study / "masks.nrrd"), "-o", str(output)]) == 2
        )
        assert "would replace the input" in capsys.readouterr().err
    assert sorted(path.name for path in study.rglob("*")) == before


def test_a_study_and_a_result_do_not_replace_each_other(a_result, a_study, tmp_path, capsys):
    result, study = tmp_path / "result", tmp_path / "study"
    shutil.copytree(a_result, result)
    shutil.copytree(a_study, study)
    assert cli.main(["simulate", "fast", "-o", str(result)]) == 2
    assert cli.main([*quantify(a_study, study), "--quiet"]) == 2
    assert capsys.readouterr().err.count("may not replace it") == 2
    assert (result / "MBF.nrrd").exists()


def test_a_table_of_curves_is_not_replaced_by_its_fit(the_curves, capsys):
    before = the_curves.read_bytes()
    assert cli.main(["fit", str(the_curves), "-o", str(the_curves)]) == 2
    assert the_curves.read_bytes() == before


def test_a_link_keeps_and_a_device_stays(the_curves, tmp_path, capsys):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert cli.main(["fit", str(the_curves), "-o", str(tmp_path / "link.csv"), "--quiet"]) == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() != "old"
    assert cli.main(["fit", str(the_curves), "-o", str(tmp_path / "pipe.csv"), "--quiet"]) == 2


def test_an_input_without_a_bolus_is_refused(tmp_path, capsys):
    rows = [f"{0.7 * t:.2f},0.5,{0.01 * t:.3f}" for t in range(30)]
    (tmp_path / "c.csv").write_text("\n".join(["time_s,C_ap_mM,a", *rows]))
    assert cli.main(["fit", str(tmp_path / "c.csv"), "-o", str(tmp_path / "p.csv")]) == 2
    assert "no bolus: it runs from 0.5 to 0.5 mM" in capsys.readouterr().err
    assert not (tmp_path / "p.csv").exists()
