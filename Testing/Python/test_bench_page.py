"""What a benchmark prints and what it writes into the page are the same; long runs are kept whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "Benchmarks"


@pytest.fixture(scope="module")
def modules(the_benchmarks):
    """page and keep."""
    import keep
    import page

    return page, keep


def test_a_section_writes_what_it_printed_with_date_version_and_machine(modules, tmp_path, capsys):
    page, _ = modules
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- own: begin -->\nold\n<!-- own: end -->\nafter\n", encoding="utf-8")
    section = page.Section("own", "Seed 3.")
    say = section.table(["method", "error"])
    say("map", "1 %")
    section.say("", "In words.")
    section.write(document)
    printed, text = capsys.readouterr().out, document.read_text(encoding="utf-8")
    assert text == f"before\n<!-- own: begin -->\n{printed}<!-- own: end -->\nafter\n"
    assert "MyoPINN" in printed and "Python" in printed and "Seed 3." in printed and "| map | 1 % |" in printed


def test_a_second_table_begins_after_an_empty_line(modules):
    page, _ = modules
    section = page.Section("own")
    section.table(["a"])("1")
    section.table(["b"])("2")
    assert section.lines[2:] == ["| a |", "| --- |", "| 1 |", "", "| b |", "| --- |", "| 2 |"]


def test_a_run_that_cannot_be_written_leaves_nothing_that_looks_done(modules, tmp_path):
    _, keep = modules
    path = tmp_path / "run.json"
    with pytest.raises(TypeError):
        keep.save(path, {"error": object()})
    assert keep.load(path) is None


def test_arrays_lie_beside_a_run(modules, tmp_path):
    _, keep = modules
    path = tmp_path / "run.json"
    keep.save(path, {}, F_p=np.arange(3.0))
    np.testing.assert_array_equal(keep.arrays(path)["F_p"], [0, 1, 2])
    assert keep.arrays(tmp_path / "other.json") is None and json.loads(path.read_text())["date"]


def test_runs_of_several_days_say_so(modules):
    _, keep = modules
    two = [{"date": "2026-11-30", "source": "abc"}, {"date": "2026-12-02", "source": "def+"}, {"date": "2026-12-01"}]
    assert keep.dates(two) == "Runs of 2026-11-30 to 2026-12-02, source abc, def+, unknown."
    assert keep.dates([{"date": "2026-12-01", "source": "abc"}]) == "Runs of 2026-12-01, source abc."


def test_a_run_is_done_once_and_none_is_begun_too_late(modules, tmp_path):
    _, keep = modules
    path, runs = tmp_path / "run.json", []
    assert keep.once(path, lambda: runs.append(1) or {"error": 0.5}, end=0.0) is None and not runs
    for _ in range(2):
        assert keep.once(path, lambda: runs.append(1) or {"error": 0.5})["error"] == 0.5
    assert runs == [1]
