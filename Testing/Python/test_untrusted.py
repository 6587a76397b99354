"""Small JSON files of unknown origin."""

import json

import pytest

from MyoPINNLib.untrusted import NotAnObject, NotJson, TooLong, json_object


def test_an_object_comes_back_as_it_was_written(tmp_path):
    (tmp_path / "a.json").write_text('{"a": [1, 2]}', encoding="utf-8")
    assert json_object(tmp_path / "a.json", 100) == {"a": [1, 2]}


def test_a_byte_order_mark_is_no_part_of_it(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf{}")
    assert json_object(tmp_path / "a.json", 100) == {}


def test_no_more_is_read_than_allowed(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"a": "x" * 100}), encoding="utf-8")
    assert json_object(tmp_path / "a.json", 109)
    with pytest.raises(TooLong):
        json_object(tmp_path / "a.json", 108)


def test_a_list_is_no_object(tmp_path):
    (tmp_path / "a.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(NotAnObject):
        json_object(tmp_path / "a.json", 100)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"a":' * 100_000])
def test_what_is_no_json_is_told_as_such(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(NotJson):
        json_object(tmp_path / "a.json", 10**6)
