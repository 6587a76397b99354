"""A file is there whole, or as it was before."""

from __future__ import annotations

import errno
import os

import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.files.outputs import whole_file


@pytest.fixture
def an_earlier_file(tmp_path):
    (tmp_path / "map.nrrd").write_text("old")
    return tmp_path / "map.nrrd"


def test_a_file_takes_its_name_when_it_is_whole(an_earlier_file):
    with whole_file(an_earlier_file) as draft:
        draft.write_text("new")
        assert an_earlier_file.read_text() == "old"
        assert draft.suffix == ".nrrd"
    assert an_earlier_file.read_text() == "new"
    assert os.listdir(an_earlier_file.parent) == ["map.nrrd"]


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "No space left"), (errno.EACCES, "denied"), (errno.ENAMETOOLONG, "too long")]
)
def test_what_the_disk_says_is_one_sentence_and_nothing_half_stays(an_earlier_file, code, words):
    with pytest.raises(InputError, match=words) as told, whole_file(an_earlier_file) as draft:
        draft.write_text("half")
        raise OSError(code, os.strerror(code))
    assert '"map.nrrd" could not be written' in told.value.sentence
    assert str(an_earlier_file.parent) not in str(told.value)
    assert an_earlier_file.read_text() == "old"
    assert os.listdir(an_earlier_file.parent) == ["map.nrrd"]


def test_a_defect_leaves_the_earlier_file_too(an_earlier_file):
    with pytest.raises(ZeroDivisionError), whole_file(an_earlier_file) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert an_earlier_file.read_text() == "old" and os.listdir(an_earlier_file.parent) == ["map.nrrd"]


def test_a_path_below_a_file_is_refused(an_earlier_file):
    with pytest.raises(InputError, match='"map.nrrd" is no folder'), whole_file(an_earlier_file / "x.nrrd"):
        pass


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "map.nrrd").mkdir()
    with pytest.raises(InputError, match="could not be written"), whole_file(tmp_path / "map.nrrd") as draft:
        draft.write_text("x")
    assert os.listdir(tmp_path) == ["map.nrrd"]
