"""The one door through which TensorFlow is let in: where it is missing or broken, a sentence says so."""

from __future__ import annotations

import importlib
import os

from ..errors import InputError

INSTALL = 'Install it with: pip install "myopinn[engine]"'
_BACKEND = "KERAS_BACKEND"


def load_tensorflow(who: str = "The networks need") -> None:
    """Load TensorFlow and Keras, or raise an InputError that says ``who`` needs them and how to get them. Keras computes with
    TensorFlow here, whatever the user's settings are.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    before = os.environ.get(_BACKEND)
    os.environ[_BACKEND] = "tensorflow"
    try:
        for name in ("tensorflow", "keras"):
            _load(name, who)
    finally:
        os.environ.pop(_BACKEND)
        if before is not None:
            os.environ[_BACKEND] = before


def _load(name: str, who: str) -> None:
    try:
        importlib.import_module(name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == name:
            raise InputError(f"{who} {name}, which is not installed.", INSTALL) from error
        raise InputError(
            f"{name} is installed but does not load ({type(error).__name__}).",
            'Install it anew with: pip install --force-reinstall "myopinn[engine]"; nlls, map, one-shot and fermi work without it.',
        ) from error
