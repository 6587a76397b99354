"""A result folder is whole or not there, and nobody's own files are ever replaced."""

from __future__ import annotations

import errno
import json
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


def test_a_full_disk_while_moving_in_brings_the_earlier_result_back(an_earlier_result, monkeypatch):
    before, rename = content(an_earlier_result), Path.rename

    def full(path, target):
        if (
            Path(target).name == "result.json"
            and Path(target).parent == an_earlier_result
            and path.parent.name.endswith("partial")
        ):
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(InputError, match="No space left"):
        write_result(an_earlier_result, "new", "MBF.nrrd", "aha.csv")
    assert content(an_earlier_result) == before


@pytest.mark.parametrize("renames", range(7))
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


def test_what_a_file_browser_left_is_overlooked(an_earlier_result):
    (an_earlier_result / ".DS_Store").write_text("")
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
