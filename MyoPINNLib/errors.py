"""What can go wrong, as one small tree: every error is a sentence with the numbers in it and a hint that helps."""

from __future__ import annotations


class MyoPINNError(Exception):
    """A fault told in one sentence.

    Parameters
    ----------
    sentence : what is wrong, with both numbers ("The mask has 3 slices and the series has 4.").
    hint : what the user can do about it; may be empty.
    """

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(f"{sentence} {hint}".strip())
        self.sentence = sentence
        self.hint = hint


class InputError(MyoPINNError):
    """The data, the settings or the output place that the user gave cannot be used (exit code 2)."""


class FitError(MyoPINNError):
    """A fit as a whole is impossible; a single voxel that fails is marked invalid instead."""


class EngineError(MyoPINNError):
    """The engine process did not do its work (could not start, ended without a result, a defect)."""


class Cancelled(MyoPINNError):
    """The user asked to stop; nothing was written."""

    def __init__(self, sentence: str = "The run was cancelled.", hint: str = "Nothing was changed.") -> None:
        super().__init__(sentence, hint)
