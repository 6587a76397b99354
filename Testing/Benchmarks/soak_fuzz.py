"""Broken input for soak.py: Hypothesis damages files, byte by byte and in their own terms, and makes what fails as small as it can.

Every damaged input must end with a result or with a sentence about it. In their own terms: a value of the JSON becomes any other JSON, a
cell of a table any text, a line of an NRRD header another, an element of DICOM another value; so the damage gets past the reader's first look.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from soak_disk import AT_FAULT, GOOD, judged, quantify, quiet

from MyoPINNLib.files import read_study
from MyoPINNLib.files.nrrd import write_series
from MyoPINNLib.job import Job
from MyoPINNLib.settings import FitSettings, Method, Settings

SHARES = {"DICOM": 0.25, "NRRD series": 0.2, "NRRD masks": 0.1, "NIfTI": 0.1, "CSV": 0.15, "job JSON": 0.2}
WORDS = (
    "",
    "nan",
    "inf",
    "-inf",
    "0",
    "-1",
    "1e400",
    "1e308",
    "99999999999",
    "0.8 0.8",
    "é",
    "\x00",
    "../../etc",
    "1,5",
    "true",
    "none",
)
texts = st.sampled_from(WORDS) | st.text(max_size=20) | st.integers().map(str) | st.floats().map(str)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
anywhere = st.floats(0, 1, exclude_max=True)


@dataclass(frozen=True)
class Hurt:
    """Some bytes of a file: ``at`` a share of its length, or, near its beginning, a place."""

    at: float | int
    taken: int
    put: bytes

    def done(self, data):
        """``data`` with it."""
        at = self.at if isinstance(self.at, int) else int(self.at * len(data))
        return data[:at] + self.put + data[at + self.taken :]


hurts = st.builds(Hurt, anywhere | st.integers(0, 600), st.sampled_from((0, 1, 8, 200, 10**9)), st.binary(max_size=20))
bytewise = st.lists(hurts, min_size=1, max_size=3)
_nth = partial(st.tuples, anywhere)


def hurt(path, damage):
    """The file with ``damage``."""
    data = path.read_bytes()
    for each in damage:
        data = each.done(data)
    path.unlink()  # it may be a link to the study's own
    path.write_bytes(data)


def _pick(where, items):
    return items[int(where * len(items))]


# ---- JSON
def places_in(tree, at=()):
    """The path of every value below ``tree``."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield (*at, key)
        yield from places_in(value, (*at, key))


def hurt_json(path, damage):
    """The file with one value, or its name, made another."""
    where, value, rename = damage
    tree = json.loads(path.read_text(encoding="utf-8"))
    *ways, last = _pick(where, list(places_in(tree)))
    inside = tree
    for key in ways:
        inside = inside[key]
    if rename and isinstance(inside, dict):
        inside[rename] = inside.pop(last)
    else:
        inside[last] = value
    path.write_text(json.dumps(tree), encoding="utf-8", errors="surrogatepass")


json_values = _nth(values, st.just("") | st.just("") | st.text(max_size=8))


# ---- lines and cells
def hurt_line(path, damage):
    """A file whose header is lines: one of them with another value, gone or twice."""
    where, how, text = damage
    head, gap, data = path.read_bytes().partition(b"\n\n")
    lines = head.split(b"\n")
    n = int(where * len(lines))
    said = text.encode("utf-8", "surrogatepass")
    colon = b":=" if b":=" in lines[n] else b":"
    lines[n : n + 1] = {
        "other": [lines[n].partition(colon)[0] + colon + b" " + said],
        "gone": [],
        "twice": [lines[n]] * 2,
        "more": [lines[n] + b" " + said],
    }[how]
    path.write_bytes(b"\n".join(lines) + gap + data)


lines = _nth(st.sampled_from(("other", "other", "gone", "twice", "more")), texts)


def hurt_cell(path, damage):
    """A table with one cell made another."""
    where, text = damage
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    row, column = _pick(where, [(row, column) for row, cells in enumerate(rows) for column in range(len(cells))])
    rows[row][column] = text
    path.write_bytes("\n".join(map(",".join, rows)).encode("utf-8", "surrogatepass"))


# ---- DICOM
def hurt_element(path, damage):
    """A DICOM file with one element gone or of another value."""
    where, text, number = damage
    data = pydicom.dcmread(path)
    tag = _pick(where, list(data.keys()))
    if text is None:
        del data[tag]
    else:
        said = text.encode("utf-8", "replace") if number is None else number.to_bytes(2, "little")
        said += b" " * (len(said) % 2)
        old = data.get_item(tag)
        data[tag] = RawDataElement(tag, old.VR, len(said), said, 0, False, True)
    path.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data.save_as(path)


elements = _nth(st.none() | texts, st.none() | st.none() | st.integers(0, 65_535))


# ---- the inputs
def dicom(study, place, damages):
    """(command line) A few files of the series damaged, the others links to the study's."""
    files = sorted((study / "dicom").rglob("*.dcm"))
    (place / "dicom").mkdir()
    copies = [place / "dicom" / f"{n}.dcm" for n in range(len(files))]
    for file, copy in zip(files, copies, strict=True):
        os.link(file, copy)
    for copy, damage in {_pick(where, copies): damage for where, damage in damages}.items():
        apply(copy, damage, hurt_element)
    return ["info", str(place / "dicom"), "--quiet"]


def whole_dicom(study, place, damages):
    """(command line) The same, and a quantification."""
    dicom(study, place, damages)
    return quantify(place / "dicom", study / "masks.nrrd", place / "out")


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


def apply(path, damage, own):
    """Damage a file: some bytes of it (a list), or in its ``own`` terms."""
    (hurt if isinstance(damage, list) else own)(path, damage)


several = st.lists(st.tuples(anywhere, bytewise | elements), min_size=1, max_size=5)
FORMS = {
    "DICOM": (
        st.tuples(st.sampled_from((dicom, dicom, whole_dicom)), several),
        lambda *given: given[2][0](*given[:2], given[2][1]),
    ),
    "NRRD series": (bytewise | lines, nrrd_series),
    "NRRD masks": (bytewise | lines, nrrd_masks),
    "NIfTI": (bytewise | json_values, nifti),
    "CSV": (bytewise | _nth(texts), curves),
    "job JSON": (bytewise | json_values, job),
}


def with_volumes(study):
    """The study's series also as one Slicer sequence and as NIfTI with its times, below ``volumes``."""
    where = study / "volumes"
    where.mkdir()
    series = read_study([study / "dicom"])
    series = series.__class__(
        series.signal, np.broadcast_to(series.time[:1], series.time.shape), series.geometry, series.acquisition
    )
    (path,) = write_series(where / "series", series)
    affine = series.geometry.volume_affine()
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    frames = [sitk.GetImageFromArray(frame.astype(np.float32)) for frame in series.signal]
    for frame in frames:
        frame.SetSpacing(spacing.tolist())
        frame.SetOrigin(affine[:3, 3].tolist())
        frame.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    images = sitk.JoinSeries(frames)
    sitk.WriteImage(images, str(where / "series.nii"))
    (where / "series.json").write_text(json.dumps({"time_s": series.time[0].tolist()}), encoding="utf-8")
    return path


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
