"""Segments scored by eye beside the others: the paper's own table, our tables of many studies, and what is wrong with others."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from MyoPINNLib import cli
from MyoPINNLib.errors import InputError
from MyoPINNLib.figures.groups import words_of_column
from MyoPINNLib.files.scores import read_scored
from MyoPINNLib.groups import ScoredSegments, Spread


def a_table(path: Path, rows: list[dict]) -> Path:
    """A CSV of ``rows``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, rows[0])
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.fixture
def two_studies(tmp_path):
    """Result folders A and B with four segments each, and a table of scores: in A segments 1 and 2, in B segment 4."""
    flows = {"A": (1.0, 1.1, 2.0, 2.2), "B": (2.4, "", 2.6, 0.9)}
    folders = [
        a_table(
            tmp_path / name / "aha.csv",
            [{"segment": n, "name": "-", "MBF_mL_min_g_median": flow} for n, flow in enumerate(values, 1)],
        ).parent
        for name, values in flows.items()
    ]
    marked = {("A", 1), ("A", 2), ("B", 4)}
    scores = [
        {"study": study, "segment": n, "ischaemic": int((study, n) in marked)} for study in flows for n in range(1, 5)
    ]
    return folders, a_table(tmp_path / "scores.csv", scores)


def test_u_counts_the_pairs_in_which_the_scored_segment_lies_higher():
    low, high = np.array([1.0, 2.0, 3.0, 5.0]), np.array([2.0, 4.0, 6.0])
    segments = ScoredSegments(np.r_[low, high], np.r_[[True] * 4, [False] * 3], np.zeros(7))
    pairs = np.sign(low[:, None] - high)
    found = segments.compared()
    assert found.U == (pairs > 0).sum() + 0.5 * (pairs == 0).sum()
    assert found.separation == 1 - found.U / 12
    assert found.scored == Spread(4, 2.5, 1.75, 3.5, 1.0, 5.0)


def test_one_sided_p_says_that_scored_segments_lie_lower():
    rng = np.random.default_rng(1)
    values, scored = np.r_[rng.normal(1, 0.3, 40), rng.normal(2, 0.3, 60)], np.arange(100) < 40
    found = ScoredSegments(values, scored, np.zeros(100)).compared()
    assert found.p_lower < 1e-6 and found.p_two_sided == pytest.approx(2 * found.p_lower, rel=1e-6)
    turned = ScoredSegments(values, ~scored, np.zeros(100)).compared()
    assert turned.p_lower > 0.99 and turned.U == 40 * 60 - found.U


def test_tables_of_many_studies_are_joined_with_their_scores(two_studies):
    folders, scores = two_studies
    segments, notes = read_scored(folders, value="MBF_mL_min_g_median", by="ischaemic", scores=scores)
    assert sorted(segments.values[segments.scored]) == [0.9, 1.0, 1.1]
    assert list(segments.study) == ["A"] * 4 + ["B"] * 3
    assert notes == ("1 segments have no MBF_mL_min_g_median and are left out.",)


def test_the_command_writes_table_test_and_picture(two_studies, tmp_path, capsys):
    folders, scores = two_studies
    out = tmp_path / "out"
    given = ["--value", "MBF_mL_min_g_median", "--by", "ischaemic", "--scores", scores, "-o", out]
    assert cli.main(["compare", *map(str, [*folders, *given])]) == 0
    said = capsys.readouterr().out
    assert "one-sided (scored lower)" in said and "as if segments were independent" in said
    rows = list(csv.DictReader((out / "groups.csv").open(encoding="utf-8")))
    assert [(row["group"], row["segments"], row["studies"]) for row in rows] == [
        ("ischaemic", "3", "2"),
        ("not ischaemic", "4", "2"),
    ]
    assert json.loads((out / "comparison.json").read_text())["U"] == 0.0
    assert (out / "groups.png").read_bytes()[:4] == b"\x89PNG"
    assert cli.main(["compare", *map(str, [*folders, *given])]) == 0, "a comparison replaces an earlier one"


def test_a_comparison_replaces_no_result_and_no_input(two_studies, tmp_path, capsys):
    folders, scores = two_studies
    given = ["--value", "MBF_mL_min_g_median", "--by", "ischaemic", "--scores", scores]
    assert cli.main(["compare", *map(str, [*folders, *given, "-o", folders[0]])]) == 2
    assert "would replace the input" in capsys.readouterr().err
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "result.json").write_text('{"myopinn": "0.1.0", "outputs": []}')
    assert cli.main(["compare", *map(str, [*folders, *given, "-o", tmp_path / "result"])]) == 2
    assert "a comparison may not replace it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": "MBF"}, 'has no column "MBF"'),
        ({"by": "scar"}, 'has no column "scar"'),
        ({"scores": None}, 'has no column "ischaemic"'),
    ],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(two_studies, change, words):
    folders, scores = two_studies
    given = {"value": "MBF_mL_min_g_median", "by": "ischaemic", "scores": scores} | change
    with pytest.raises(InputError, match=words) as raised:
        read_scored(folders, **given)
    assert "segment" in raised.value.hint


@pytest.mark.parametrize(
    ("cell", "column", "words"),
    [("maybe", "ischaemic", 'is "maybe"'), ("", "ischaemic", 'is ""'), ("low", "MBF", "which is no number")],
)
def test_a_cell_that_says_nothing_is_named(tmp_path, cell, column, words):
    rows = [{"study": "A", "segment": n, "ischaemic": n % 2, "MBF": n} for n in range(1, 9)]
    rows[4][column] = cell
    with pytest.raises(InputError, match=words) as raised:
        read_scored([a_table(tmp_path / "t.csv", rows)], value="MBF", by="ischaemic")
    assert 'segment 5 of "A"' in raised.value.sentence


def test_a_score_that_is_missing_or_given_twice_is_named(two_studies, tmp_path):
    folders, scores = two_studies
    rows = list(csv.DictReader(scores.open(encoding="utf-8")))
    given = {"value": "MBF_mL_min_g_median", "by": "ischaemic"}
    with pytest.raises(InputError, match='The scores hold no segment 4 of "B"'):
        read_scored(folders, **given, scores=a_table(tmp_path / "few.csv", rows[:-1]))
    with pytest.raises(InputError, match='scores segment 4 of "B" twice'):
        read_scored(folders, **given, scores=a_table(tmp_path / "twice.csv", [*rows, rows[-1]]))


def test_too_few_of_a_kind_are_counted(tmp_path):
    rows = [{"study": "A", "segment": n, "ischaemic": int(n < 3), "MBF": n} for n in range(1, 9)]
    with pytest.raises(InputError, match="2 segments with a value are scored and 6 are not"):
        read_scored([a_table(tmp_path / "t.csv", rows)], value="MBF", by="ischaemic")


@pytest.mark.parametrize("content", [b"", b"segment\n", b"\xff\xfe\x00", b"a;b\n1;2\n"])
def test_what_is_no_table_is_told_so(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_scored([path], value="MBF", by="ischaemic")


def test_the_papers_p_come_out_of_its_own_table(reference_data):
    table = reference_data / "paper" / "aha16_patients.csv"
    segments, _ = read_scored([table], value="F_b_mL_min_mL", by="visually_ischaemic")
    found = segments.compared()
    assert (found.scored.count, found.others.count, len(set(segments.study))) == (51, 77, 8)
    assert found.p_two_sided == pytest.approx(5.1e-7, rel=0.01)
    assert found.p_lower == pytest.approx(2.5e-7, rel=0.02)


def test_a_columns_name_becomes_words_with_a_unit():
    assert words_of_column("MBF_mL_min_g_median") == "Myocardial blood flow, MBF (mL/min/g), median"
    assert words_of_column("v_e") == "Interstitial volume, v_e (mL/mL)"
    assert words_of_column("thickness_mm") == "thickness_mm"


def test_p_within_studies_asks_each_study_alone():
    rng = np.random.default_rng(2)
    study = np.repeat(np.arange(8), 16)
    scored = study < 3  # whole studies are scored
    between = ScoredSegments(rng.normal(np.where(scored, 1.0, 2.0), 0.3), scored, study).compared()
    assert between.p_lower < 1e-6 and np.isnan(between.p_within_studies) and "both kinds" in between.words[2]
    mixed = np.tile(np.arange(16) < 5, 8)
    level = rng.normal(2.0, 1.0, 8)[study]
    within = ScoredSegments(level - 0.5 * mixed + rng.normal(0, 0.1, 128), mixed, study).compared()
    assert within.p_within_studies < 1e-3 < within.p_lower, "it is not led astray by how patients differ"
    none = ScoredSegments(level + rng.normal(0, 0.1, 128), mixed, study).compared()
    assert none.p_within_studies > 0.05


def test_a_segment_of_a_study_comes_once(two_studies, tmp_path):
    folders, scores = two_studies
    given = {"value": "MBF_mL_min_g_median", "by": "ischaemic", "scores": scores}
    with pytest.raises(InputError, match='Segment 1 of the study "A" comes twice'):
        read_scored([*folders, folders[0] / "aha.csv"], **given)


def test_scores_that_belong_to_no_table_are_told(two_studies):
    folders, scores = two_studies
    rows = list(csv.DictReader(scores.open(encoding="utf-8")))
    more = a_table(scores.parent / "more.csv", [*rows, rows[0] | {"study": "C"}])
    notes = read_scored(folders, value="MBF_mL_min_g_median", by="ischaemic", scores=more)[1]
    assert "1 scores are of segments that are in no table." in notes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("study,segment,MBF,MBF,ischaemic\nA,1,1,2,0\n", 'Two columns of "t.csv" are called "MBF"'),
        ("study,segment,MBF,ischaemic\nA,1,1,0\nA,2,1\n", 'Row 3 of "t.csv" has not as many cells'),
        ("study,segment,MBF,ischaemic\nA,1,1,0,7\n", 'Row 2 of "t.csv" has not as many cells'),
    ],
)
def test_a_table_that_is_not_square_is_refused(tmp_path, text, words):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_scored([path], value="MBF", by="ischaemic")


def test_a_name_with_dollars_is_drawn_as_it_is(tmp_path):
    rows = [{"study": "A", "segment": n, "$a$": n % 2, "$b": n} for n in range(1, 17)]
    table = a_table(tmp_path / "t.csv", rows)
    given = ["compare", str(table), "--value", "$b", "--by", "$a$", "-o", str(tmp_path / "out"), "--quiet"]
    assert cli.main(given) == 0 and (tmp_path / "out" / "groups.png").exists()
