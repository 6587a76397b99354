"""Broken input for soak.py: Hypothesis damages files (soak_damage.py) and makes what fails as small as it can.

Every damaged input must end with a result or with a sentence about it.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from soak_damage import (
    anywhere,
    apply,
    bytewise,
    elements,
    hurt_cell,
    hurt_element,
    hurt_json,
    hurt_line,
    json_values,
    lines,
    nth,
    pick,
    texts,
)
from soak_disk import AT_FAULT, GOOD, judged, quantify, quiet

from MyoPINNLib.files import read_study
from MyoPINNLib.files.nrrd import write_series
from MyoPINNLib.job import Job
from MyoPINNLib.settings import FitSettings, Method, Settings

SHARES = {"DICOM": 0.25, "NRRD series": 0.2, "NRRD masks": 0.1, "NIfTI": 0.1, "CSV": 0.15, "job JSON": 0.2}


def dicom(study, place, damage):
    """(command line) A few files of the series damaged, the others links to the study's; looked at, or quantified."""
    whole, damages = damage
    files = sorted((study / "dicom").rglob("*.dcm"))
    (place / "dicom").mkdir()
    copies = [place / "dicom" / f"{n}.dcm" for n in range(len(files))]
    for file, copy in zip(files, copies, strict=True):
        os.link(file, copy)
    for copy, hurt in {pick(where, copies): each for where, each in damages}.items():
        apply(copy, hurt, hurt_element)
    quantified = quantify(place / "dicom", study / "masks.nrrd", place / "out")
    return quantified if whole else ["info", str(place / "dicom"), "--quiet"]


def nrrd_series(study, place, damage):
    """(command line) The series as Slicer's sequence, damaged, in a quantification."""
    return _volume(study, place, damage, "series.seq.nrrd", hurt_line)


def nifti(study, place, damage):
    """(command line) The series as NIfTI, the frames' times beside it, one of the two damaged, in a quantification."""
    return [*_volume(study, place, damage, "series.nii", hurt_json), "--conversion", "linear", "--TS", "110"]


def _volume(study, place, damage, name, own):
    for file in (study / "volumes").glob(f"{name.split('.')[0]}*"):
        if name.endswith(".nii") != file.name.endswith(".nrrd"):
            shutil.copy(file, place / file.name)
    target = place / "series.json" if own is hurt_json and isinstance(damage, tuple) else place / name
    apply(target, damage, own)
    return quantify(place / name, study / "masks.nrrd", place / "out")


def nrrd_masks(study, place, damage):
    """(command line) The masks' label map damaged, in a quantification."""
    shutil.copy(study / "masks.nrrd", place)
    apply(place / "masks.nrrd", damage, hurt_line)
    return quantify(study / "volumes" / "series.seq.nrrd", place / "masks.nrrd", place / "out")


def curves(study, place, damage):
    """(command line) A table of curves damaged, in a fit."""
    time_s = np.arange(40) * 0.8
    C_ap = 6 * np.clip((time_s - 5) / 4, 0, None) ** 3 * np.exp(3 - 3 * np.clip((time_s - 5) / 4, 0, None))
    rows = ["time_s,C_ap_mM,a,b", *(f"{t:.2f},{c:.4f},{0.2 * c:.4f},{0.1 * c:.4f}" for t, c in zip(time_s, C_ap))]
    (place / "curves.csv").write_text("\n".join(rows), encoding="utf-8")
    apply(place / "curves.csv", damage, hurt_cell)
    return ["fit", str(place / "curves.csv"), "-o", str(place / "out.csv"), "--method", "fermi", "--quiet"]


def job(study, place, damage):
    """(command line) job.json damaged, in a run."""
    folder = place / "job"
    (folder / "input").mkdir(parents=True)
    for name in ("volumes/series.seq.nrrd", "masks.nrrd", "insertion.mrk.json"):
        os.link(study / name, folder / "input" / Path(name).name)
    how = Settings(fit=FitSettings(method=Method.FERMI))
    Job(folder, ("input/series.seq.nrrd",), ("input/masks.nrrd",), "input/insertion.mrk.json", how).write()
    apply(folder / "job.json", damage, hurt_json)
    return ["run", str(folder), "--quiet"]


several = st.lists(st.tuples(anywhere, bytewise | elements), min_size=1, max_size=5)
FORMS = {
    "DICOM": (st.tuples(st.sampled_from((False, False, True)), several), dicom),
    "NRRD series": (bytewise | lines, nrrd_series),
    "NRRD masks": (bytewise | lines, nrrd_masks),
    "NIfTI": (bytewise | json_values, nifti),
    "CSV": (bytewise | nth(texts), curves),
    "job JSON": (bytewise | json_values, job),
}


def with_volumes(study):
    """The study's series also as one Slicer sequence and as NIfTI with its times, below ``volumes``."""
    where = study / "volumes"
    where.mkdir()
    series = read_study([study / "dicom"])
    series = replace(series, time=np.broadcast_to(series.time[:1], series.time.shape))
    (path,) = write_series(where / "series", series)
    frames = sitk.ReadImage(str(path))  # a vector a voxel
    one_by_one = [sitk.VectorIndexSelectionCast(frames, n) for n in range(len(series.signal))]
    sitk.WriteImage(sitk.JoinSeries(one_by_one), str(where / "series.nii"))
    (where / "series.json").write_text(json.dumps({"time_s": series.time[0].tolist()}), encoding="utf-8")


def tried(form, study, folder, examples, number):
    """(how many ended with a result, how many with a sentence, troubles) of damaged inputs of one form."""
    damages, make = FORMS[form]
    ended, count = {GOOD: 0, AT_FAULT: 0}, 0

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(damages)
    def holds(damage):
        nonlocal count
        count += 1
        place = folder / f"{form}-{count}".replace(" ", "-")
        place.mkdir()
        try:
            code, said = quiet(make(study, place, damage))
        finally:
            shutil.rmtree(place, ignore_errors=True)
        ended[code] = ended.get(code, 0) + 1
        wrong = judged(code, said, f"{form}: {damage}")
        assert not wrong, wrong[0]

    try:
        holds()
    except AssertionError as wrong:
        return ended[GOOD], ended[AT_FAULT], [str(wrong)]
    return ended[GOOD], ended[AT_FAULT], []


def fuzz(study, folder, rng, inputs=500):
    """Damaged DICOM, NRRD, NIfTI, CSV and job JSON through the command line."""
    with_volumes(study)
    good, refused, troubles = 0, 0, []
    for form, share in SHARES.items():
        found = tried(form, study, folder, round(share * inputs), int(rng.integers(2**31)))
        good, refused, troubles = good + found[0], refused + found[1], troubles + found[2]
    return f"{good + refused} inputs, {good} read, {refused} refused in a sentence", troubles
