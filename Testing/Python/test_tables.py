"""Tables of curves, parameters and statistics: what goes out comes in again, and what is wrong is named by row and column."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.errors import InputError
from MyoPINNLib.files import tables
from MyoPINNLib.files.tables import read_curves, write_curves, write_parameters, write_segment_table
from MyoPINNLib.fit import FitResult, KineticParameters, Outcome

HEADER = "time_s,C_ap_mM,low,high"


@pytest.fixture
def the_time() -> np.ndarray:
    return np.cumsum(np.random.default_rng(1).uniform(0.7, 0.9, 8)) - 0.7


@pytest.fixture
def the_C_t() -> np.ndarray:
    return np.random.default_rng(2).uniform(0, 1, (2, 8))


@pytest.fixture
def a_result(an_aif, the_C_t) -> FitResult:
    parameters = KineticParameters(F_p=np.array([1 / 60, np.nan]), PS=np.array([0.01, 0.02]))
    sd = KineticParameters(F_p=np.array([0.001, 0.002]))
    outcome = np.array([Outcome.FITTED, Outcome.NOT_CONVERGED])
    return FitResult(parameters, the_C_t, np.array([0.01, 0.5]), outcome, an_aif, 0.1, sd)


def table(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def rows(path: Path) -> list[dict]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_curves_come_back_to_the_last_digit(the_time, the_C_t, tmp_path):
    write_curves(tmp_path / "c.csv", the_time, {"C_ap_mM": the_time**2, "low": the_C_t[0], "high": the_C_t[1]})
    curves, aif, names = read_curves(tmp_path / "c.csv")
    np.testing.assert_array_equal(curves.time[0], the_time)
    np.testing.assert_array_equal(curves.C_t, the_C_t)
    np.testing.assert_array_equal(aif(the_time), ArterialInput(the_time, the_time**2)(the_time))
    assert names == ("low", "high")


def test_arrays_are_read_as_the_table_is(the_time, the_C_t, tmp_path):
    np.savez(tmp_path / "c.npz", time_s=the_time, C_ap_mM=the_time**2, C_t_mM=the_C_t, names=np.array(["low", "high"]))
    np.savez(tmp_path / "unnamed.npz", time_s=the_time, C_ap_mM=the_time**2, C_t_mM=the_C_t)
    curves, aif, names = read_curves(tmp_path / "c.npz")
    np.testing.assert_array_equal(curves.C_t, the_C_t)
    np.testing.assert_array_equal(aif.C_ap, the_time**2)
    assert names == ("low", "high")
    assert read_curves(tmp_path / "unnamed.npz")[2] == ("1", "2")


def test_a_table_of_a_spreadsheet_is_read(tmp_path):
    path = table(tmp_path / "c.csv", " time_s , C_ap_mM, Größe", "0, 0, 0", "", "1, 2, 0.5", ",,", encoding="utf-8-sig")
    curves, _, names = read_curves(path)
    assert names == ("Größe",)
    assert curves.C_t.tolist() == [[0.0, 0.5]]


def test_a_curve_that_holds_nan_is_left_to_the_solver(tmp_path):
    curves, *_ = read_curves(table(tmp_path / "c.csv", HEADER, "0,0,0,0", "1,2,nan,1"))
    assert np.isnan(curves.C_t[0, 1]) and np.isfinite(curves.C_t[1]).all()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "it holds nothing"),
        (["t,C_ap_mM,a", "0,0,0"], "it holds t, C_ap_mM, a"),
        (["time_s,C_ab_mM,a", "0,0,0"], "time_s, C_ap_mM"),
        (["time_s,C_ap_mM", "0,0"], "time_s, C_ap_mM"),
        ([HEADER, "0,0,0,0", "1,1,x,0"], 'Row 3, column "low" of "c.csv" holds "x"'),
        ([HEADER, "0,0,0,0", "", "1,1,,0"], 'Row 4, column "low" of "c.csv" holds ""'),
        ([HEADER, "0,0,0,0", "1,nan,1,0"], 'column "C_ap_mM" of "c.csv" holds "nan"'),
        ([HEADER, "0,0,0,0", "1,1,1"], "Row 3 .* has 3 cells and the first row 4"),
        ([HEADER, "0,0,0,0"], "1 frame"),
        ([HEADER], "0 frame"),
        ([HEADER, "0,0,0,0", "800,1,1,1", "1600,1,1,1"], "milliseconds"),
        ([HEADER, "-1,0,0,0", "0,1,1,1"], "negative"),
        ([HEADER, "0,0,0,0", "1,1,1,1", "1,1,1,1"], "do not increase"),
        (["time_s,C_ap_mM,a,a", "0,0,0,0", "1,1,1,1"], 'Two curves of "c.csv" are called "a"'),
    ],
)
def test_a_table_that_is_wrong_is_one_sentence_that_says_where(tmp_path, lines, words):
    with pytest.raises(InputError, match=words) as told:
        read_curves(table(tmp_path / "c.csv", *lines))
    assert "\n" not in str(told.value) and told.value.hint
    assert str(tmp_path) not in str(told.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"C_t_mM": np.zeros((2, 7))}, r"\(2, 7\)"),
        ({"time_s": np.zeros((2, 8))}, r"time_s \(2, 8\)"),
        ({"C_ap_mM": np.full(8, np.nan)}, "not finite|not numbers|finite"),
        ({"C_t_mM": np.array([["a"] * 8])}, "does not hold curves"),
        ({"C_t_mM": np.array([{}] * 8)}, "does not hold curves"),
        ({"names": np.array(["one"])}, "2 curves and 1 names"),
    ],
)
def test_arrays_that_are_wrong_are_one_sentence(the_time, the_C_t, tmp_path, change, words):
    np.savez(tmp_path / "c.npz", **{"time_s": the_time, "C_ap_mM": the_time, "C_t_mM": the_C_t, **change})
    with pytest.raises(InputError, match=words):
        read_curves(tmp_path / "c.npz")


def test_arrays_that_unpack_to_too_much_are_refused(the_time, tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "c.npz", time_s=the_time, C_ap_mM=the_time, C_t_mM=np.zeros((1000, 8)))
    monkeypatch.setattr(tables, "MAX_BYTES", 20_000)
    assert (tmp_path / "c.npz").stat().st_size < 20_000
    with pytest.raises(InputError, match="holds more than 2e"):
        read_curves(tmp_path / "c.npz")


@pytest.mark.parametrize(
    ("name", "content"), [("c.csv", b"\xff\xfe\x00"), ("c.npz", b"PK\x03\x04broken"), ("c.xlsx", b"")]
)
def test_a_file_of_something_else_is_one_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        read_curves(tmp_path / name)


def test_a_table_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match='"c.csv" is not there'):
        read_curves(tmp_path / "c.csv")


def test_parameters_have_a_row_a_curve_in_shown_units(a_result, tmp_path):
    write_parameters(tmp_path / "p.csv", ["low", "high"], a_result)
    low, high = rows(tmp_path / "p.csv")
    assert list(low) == [
        "curve", "F_p_mL_min_mL", "v_p", "v_e", "PS_mL_min_mL", "T_a_s", "F_p_mL_min_mL_sd", "residual", "valid", "reason",
    ]  # fmt: skip
    assert (low["curve"], low["valid"], low["reason"]) == ("low", "1", "")
    assert float(low["F_p_mL_min_mL"]) == pytest.approx(1.0)
    assert float(low["F_p_mL_min_mL_sd"]) == pytest.approx(0.06)
    assert float(low["residual"]) == 0.01
    assert (high["valid"], high["reason"]) == ("0", "the fit did not converge")


def test_what_a_method_does_not_give_stays_empty(a_result, tmp_path):
    write_parameters(tmp_path / "p.csv", ["low", "high"], a_result)
    low, high = rows(tmp_path / "p.csv")
    assert (low["v_p"], low["v_e"], low["T_a_s"], high["F_p_mL_min_mL"]) == ("", "", "", "")


def test_a_table_of_rows_has_all_of_their_columns(tmp_path):
    write_segment_table(
        tmp_path / "aha.csv", [{"segment": 1, "MBF": 0.1}, {"segment": 2, "reason": "not measured, yet"}]
    )
    first, second = rows(tmp_path / "aha.csv")
    assert first == {"segment": "1", "MBF": "0.1", "reason": ""}
    assert second == {"segment": "2", "MBF": "", "reason": "not measured, yet"}


def test_a_full_disk_leaves_the_earlier_table(a_result, tmp_path, monkeypatch):
    (tmp_path / "p.csv").write_text("earlier")

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(InputError, match='"p.csv" could not be written: No space left'):
        write_parameters(tmp_path / "p.csv", ["low", "high"], a_result)
    monkeypatch.undo()
    assert (tmp_path / "p.csv").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]
