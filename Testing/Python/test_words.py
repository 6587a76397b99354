"""A stranger's text cannot speak to the terminal, nor fill it."""

from __future__ import annotations

from MyoPINNLib.files.words import plain


def test_what_cannot_be_printed_is_gone_and_the_rest_is_kept():
    assert plain("\x1b[31mMüller\x07\r\n\u202e |") == "[31mMüller |"


def test_long_text_is_cut_and_shows_it():
    assert plain("x" * 200_000, 10) == "x" * 9 + "…" and plain("x" * 10, 10) == "x" * 10
