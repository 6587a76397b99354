"""A result folder is whole or not there, and nobody's own files are ever replaced."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from MyoPINNLib.errors import Cancelled, InputError
from MyoPINNLib.results import check_output, files_below, replaced, seal


def write_result(folder: Path, text: str, *names: str) -> None:
    with replaced(folder) as partial:
        for name in names or ("MBF.nrrd",):
            (partial / name).parent.mkdir(exist_ok=True)
            (partial / name).write_text(text)
        seal(partial, {"myopinn": "0.1.0"})


def content(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def an_earlier_result(tmp_path) -> Path:
    write_result(tmp_path / "out", "old", "MBF.nrrd", "truth/F_p.nrrd")
    return tmp_path / "out"


def test_a_result_appears_whole_with_its_seal(an_earlier_result):
    assert files_below(an_earlier_result) == ["MBF.nrrd", "truth/F_p.nrrd"]
    assert json.loads((an_earlier_result / "result.json").read_text())["outputs"] == ["MBF.nrrd", "truth/F_p.nrrd"]


def test_a_new_result_takes_the_place_of_an_earlier_one(an_earlier_result):
    write_result(an_earlier_result, "new")
    assert sorted(path.name for path in an_earlier_result.iterdir()) == ["MBF.nrrd", "result.json"]
    assert (an_earlier_result / "MBF.nrrd").read_text() == "new"


@pytest.mark.parametrize("stop", [Cancelled(), InputError("x"), ValueError("x")])
def test_a_run_that_fails_leaves_the_earlier_result(an_earlier_result, stop):
    before = content(an_earlier_result)
    with pytest.raises(type(stop)), replaced(an_earlier_result) as partial:
        (partial / "MBF.nrrd").write_text("half")
        raise stop
    assert content(an_earlier_result) == before


def test_a_run_that_fails_leaves_no_new_folder(tmp_path):
    with pytest.raises(Cancelled), replaced(tmp_path / "new") as partial:
        (partial / "MBF.nrrd").write_text("half")
        raise Cancelled
    assert not list(tmp_path.iterdir())


def test_a_disk_without_room_for_a_journal_is_left_as_it_was(an_earlier_result, monkeypatch):
    before = content(an_earlier_result)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("MyoPINNLib.swap.json.dump", full)
    with pytest.raises(InputError, match="No space left"):
        write_result(an_earlier_result, "new")
    assert content(an_earlier_result) == before and len(list(an_earlier_result.iterdir())) == len(before)


def test_a_full_disk_while_moving_in_brings_the_earlier_result_back(an_earlier_result, monkeypatch):
    before, rename = content(an_earlier_result), Path.rename

    def full(path, target):
        if (
            Path(target).name == "result.json"
            and Path(target).parent == an_earlier_result
            and "partial" in path.parent.name
        ):
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(InputError, match="No space left"):
        write_result(an_earlier_result, "new", "MBF.nrrd", "aha.csv")
    assert content(an_earlier_result) == before


@pytest.mark.parametrize("renames", range(6))
def test_a_swap_that_was_killed_is_undone_or_ended_by_the_next_run(an_earlier_result, monkeypatch, renames):
    before, rename, left = content(an_earlier_result), Path.rename, [renames]

    def killed(path, target):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", killed)
        write_result(an_earlier_result, "new", "MBF.nrrd", "aha.csv")
    check_output(an_earlier_result)
    with pytest.raises(Cancelled), replaced(an_earlier_result):
        raise Cancelled
    assert content(an_earlier_result) == before


@pytest.mark.parametrize("name", ["notes.txt", "result.json", "sub/notes.txt"])
def test_a_folder_with_someones_own_files_is_refused(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match="no earlier result"):
        write_result(tmp_path, "new")
    assert content(tmp_path) == {name: "mine"}


def test_a_file_added_to_an_earlier_result_is_kept(an_earlier_result):
    (an_earlier_result / "my report.doc").write_text("mine")
    with pytest.raises(InputError, match="my report.doc"):
        write_result(an_earlier_result, "new")
    assert (an_earlier_result / "my report.doc").read_text() == "mine"


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "desktop.ini", "._MBF.nrrd"])
@pytest.mark.parametrize("place", ["", "truth"])
def test_what_a_file_browser_left_is_overlooked(an_earlier_result, place, name):
    (an_earlier_result / place / name).write_text("")
    write_result(an_earlier_result, "new")
    assert (an_earlier_result / "MBF.nrrd").read_text() == "new"


def test_a_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match='"file" is a file'):
        check_output(tmp_path / "file" / "out" / "deeper")
    with pytest.raises(InputError, match='"file" is a file'):
        write_result(tmp_path / "file", "new")


def test_a_check_creates_nothing(tmp_path):
    check_output(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
@pytest.mark.parametrize(
    "name", [".myopinn-leaving", ".myopinn-old", ".myopinn-partial", ".myopinn-lock", ".myopinn-draft"]
)
def test_a_link_to_a_foreign_folder_is_refused_and_not_followed(tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "scan.dcm").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / "mine")
    with pytest.raises(InputError, match=name):
        write_result(tmp_path / "out", "new")
    assert content(tmp_path) == {"mine/scan.dcm": "mine"}


@pytest.mark.parametrize("name", [".myopinn-leaving", ".myopinn-old", ".myopinn-partial-0123456789abcdef"])
def test_a_folder_that_no_journal_names_costs_nobody_a_file(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(InputError, match="holds"):
        write_result(tmp_path, "new")
    assert content(tmp_path) == {"thesis.doc": "mine"}


@pytest.mark.parametrize("partial", ["../mine", "mine", ".myopinn-partial-0123456789abcdef/../mine"])
def test_a_journal_that_leads_elsewhere_is_refused(tmp_path, partial):
    (tmp_path / "mine").mkdir()
    journal = {"partial": partial, "leaving": [], "coming": []}
    (tmp_path / ".myopinn-journal").write_text(json.dumps(journal))
    with pytest.raises(InputError, match="myopinn-journal"):
        write_result(tmp_path, "new")
    assert (tmp_path / "mine").is_dir()


def test_a_second_run_into_the_same_folder_is_refused_in_a_sentence(an_earlier_result):
    with replaced(an_earlier_result) as partial:
        (partial / "MBF.nrrd").write_text("first")
        with pytest.raises(InputError, match="Another run is writing"):
            write_result(an_earlier_result, "second", "aha.csv")
        seal(partial, {"myopinn": "0.1.0"})
    assert files_below(an_earlier_result) == ["MBF.nrrd"]
    assert sorted(path.name for path in an_earlier_result.iterdir()) == ["MBF.nrrd", "result.json"]


def test_what_a_killed_process_left_is_cleaned_by_the_next_run(an_earlier_result):
    before = content(an_earlier_result)
    code = "import os, sys; from pathlib import Path; from MyoPINNLib.results import replaced\n"
    code += "with replaced(Path(sys.argv[1])) as partial: (partial / 'half').write_text('half'); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code, str(an_earlier_result)]).returncode == 9
    check_output(an_earlier_result)
    with pytest.raises(Cancelled), replaced(an_earlier_result):
        raise Cancelled
    assert content(an_earlier_result) == before


def test_a_file_that_came_during_a_run_is_kept(an_earlier_result):
    with pytest.raises(InputError, match="notes.txt"), replaced(an_earlier_result) as partial:
        (an_earlier_result / "notes.txt").write_text("mine")
        seal(partial, {"myopinn": "0.1.0"})
    assert content(an_earlier_result)["notes.txt"] == "mine"
    assert (an_earlier_result / "MBF.nrrd").read_text() == "old"
