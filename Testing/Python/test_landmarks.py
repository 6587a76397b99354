"""Points from Slicer arrive in LPS, and a file of anything else is told in a sentence."""

from __future__ import annotations

import json

import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.files import landmarks
from MyoPINNLib.files.landmarks import read_insertion


def markup(*positions, system="LPS", **more) -> dict:
    points = [{"position": position, "positionStatus": "defined"} for position in positions]
    return {"type": "Fiducial", "coordinateSystem": system, "coordinateUnits": "mm", "controlPoints": points, **more}


def written(tmp_path, *markups):
    path = tmp_path / "insertion.mrk.json"
    path.write_text(json.dumps({"@schema": "https://...", "markups": list(markups)}))
    return path


def test_points_in_lps_stay_as_they_are(tmp_path):
    assert read_insertion(written(tmp_path, markup([1, -2, 3.5], [4, 5, 6]))) == ((1.0, -2.0, 3.5), (4.0, 5.0, 6.0))


def test_points_in_ras_change_two_signs(tmp_path):
    assert read_insertion(written(tmp_path, markup([1, -2, 3.5], system="RAS"))) == ((-1.0, 2.0, 3.5),)


def test_a_point_that_was_not_set_is_left_out(tmp_path):
    one = markup([1, 2, 3], [0, 0, 0])
    one["controlPoints"][1]["positionStatus"] = "undefined"
    assert read_insertion(written(tmp_path, one)) == ((1.0, 2.0, 3.0),)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (markup(), "holds no point"),
        (markup([1, 2, 3], system="scanner"), "is in scanner"),
        (markup([1, 2, 3], coordinateUnits=["um", "UCUM", "micrometer"]), "um"),
        (markup([1, 2, 3], system=None), "LPS or RAS"),
        (markup([1, 2, 3], coordinateUnits="cm"), "cm"),
        (markup([1, 2, 3], type="Line"), "holds a Line"),
        (markup([1, 2]), "not three numbers"),
        (markup([1, 2, float("nan")]), "not three numbers"),
        (markup(["a", 2, 3]), "no point list"),
        ({"type": "Fiducial"}, "no point list|LPS or RAS"),
        ([], "no point list"),
    ],
)
def test_points_that_cannot_be_used_are_one_sentence(tmp_path, one, words):
    with pytest.raises(InputError, match=words) as told:
        read_insertion(written(tmp_path, one))
    assert "\n" not in str(told.value) and told.value.hint and str(tmp_path) not in str(told.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"markups": 3}', "[" * 100_000, "\xff\xfe"])
def test_bad_json_is_one_sentence(tmp_path, text):
    (tmp_path / "p.mrk.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match='"p.mrk.json" is no point list'):
        read_insertion(tmp_path / "p.mrk.json")


def test_a_file_that_is_not_there_or_far_too_large_is_told(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="could not be read"):
        read_insertion(tmp_path / "p.mrk.json")
    monkeypatch.setattr(landmarks, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="more than 10 bytes"):
        read_insertion(written(tmp_path, markup([1, 2, 3])))


def test_a_coded_unit_is_a_unit(tmp_path):
    one = markup([1, 2, 3], coordinateUnits=["mm", "UCUM", "millimeter"])
    assert read_insertion(written(tmp_path, one)) == ((1.0, 2.0, 3.0),)
