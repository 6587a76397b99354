"""The paper's patients (Table 2, Fig. 5): its medians, quartiles and p out of its own table, with the factor 1.05 as printed and as it
must be; each patient's bull's-eye, drawn by the product, in build/patients.

The table holds F_b in mL/min/mL. Per gram it must be divided by the density (1.05 g/mL); the printed figures come out multiplied.

python Testing/Benchmarks/study_patients.py [--write]   needs aha16_patients.csv (MYOPINN_REFERENCE_DATA names its folder)
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
from page import ROOT, Section, asked

from MyoPINNLib import figures
from MyoPINNLib.groups import ScoredSegments, Spread
from MyoPINNLib.settings import Settings

PICTURE = "figures/patients.png"
DENSITY = Settings().density
COLUMNS = {"F_b": "F_b_mL_min_mL", "v_b": "v_b", "v_e": "v_e", "PS": "PS_mL_min_mL"}
PRINTED = {
    "F_b": "1.41 (0.94 to 1.75)",
    "v_b": "0.06 (0.05 to 0.07)",
    "v_e": "0.12 (0.10 to 0.15)",
    "PS": "0.49 (0.33 to 0.68)",
}
PRINTED_GROUPS = ("0.90 (0.62 to 1.42)", "1.52 (1.31 to 1.86)")


def reference_table():
    """The paper's table of segments, None where the reference data are not there."""
    folder = Path(os.environ.get("MYOPINN_REFERENCE_DATA") or ROOT.parent / "shared" / "data")
    path = folder / "paper" / "aha16_patients.csv"
    return path if path.is_file() else None


def read(path):
    """Column -> values (n,) of the table."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def words(values):
    """Median and quartiles as the paper prints them."""
    spread = Spread.of(values)
    return f"{spread.median:.2f} ({spread.q1:.2f} to {spread.q3:.2f})"


def tell(section, table):
    """Table 2 and Fig. 5 beside the printed figures."""
    say = section.table(["quantity", "printed", "as stored", "times 1.05", "divided by 1.05"])
    for name, column in COLUMNS.items():
        scaled = name in ("F_b", "PS")
        others = [words(table[column] * factor) if scaled else "" for factor in (DENSITY, 1 / DENSITY)]
        say(name, PRINTED[name], words(table[column]), *others)
    scored, flow = table["visually_ischaemic"] == 1, table[COLUMNS["F_b"]]
    for kind, here, printed in zip(("ischaemic", "other"), (scored, ~scored), PRINTED_GROUPS, strict=True):
        each = [words(flow[here] * factor) for factor in (1.0, DENSITY, 1 / DENSITY)]
        say(f"F_b of {here.sum()} {kind} segments", printed, *each)
    test = ScoredSegments(flow, scored, table["patient"]).compared()
    affected = len(set(table["patient"][scored]))
    section.say(
        "",
        f"Mann-Whitney U {test.U:g}: p = {test.p_lower:.2g} one-sided, {test.p_two_sided:.2g} two-sided, whatever the factor (printed: p < 0.001); area under ROC "
        f"{test.separation:.2f}. It takes 128 segments for independent; the {int(scored.sum())} scored ones are those of {affected} of the {len(set(table['patient']))} patients.",
        f"With the scores dealt anew within each patient p is {test.p_within_studies:.2g} one-sided: within a patient the evidence is slight.",
    )


def draw(table, folder):
    """One bull's-eye a patient, per gram."""
    folder.mkdir(parents=True, exist_ok=True)
    for patient in np.unique(table["patient"]):
        here = table["patient"] == patient
        numbers, flow = table["aha_segment"][here].astype(int).tolist(), table[COLUMNS["F_b"]][here] / DENSITY
        figures.bullseye(
            folder / f"patient_{int(patient)}.png",
            dict(zip(numbers, flow.tolist(), strict=True)),
            quantity="MBF",
            title=f"Patient {int(patient)} of the paper",
            footer=figures.footer("values of the paper's combined network, per gram"),
        )
    print(f"{len(np.unique(table['patient']))} bull's-eyes are in {folder}.")


def main():
    """Print, and write where asked to."""
    given = asked(__doc__)
    path = reference_table()
    if path is None:
        print("skipped: aha16_patients.csv is not there; MYOPINN_REFERENCE_DATA names the reference data's folder")
        return
    table = read(path)
    section = Section("patients")
    tell(section, table)
    draw(table, ROOT / "build" / "patients")
    if given.write:
        scored = table["visually_ischaemic"] == 1
        segments = ScoredSegments(table[COLUMNS["F_b"]] / DENSITY, scored, table["patient"])
        names = {"value": "MBF_mL_min_g", "by": "visually_ischaemic"}
        footer = figures.footer("values of the paper's combined network, per gram")
        figures.groups(ROOT / "docs" / PICTURE, segments, segments.compared(), **names, footer=footer)
        section.picture(PICTURE, "MBF of segments scored ischaemic and of the others")
        section.write()


if __name__ == "__main__":
    main()
