"""How much of a study is read into memory."""

from __future__ import annotations

from ..errors import InputError

GIB = 1024**3
MAX_BYTES = 4 * GIB
_SMALLEST = 4  # bytes a value: signals are computed in 32 bits at least


def check_memory(values: int, *, value_bytes: int = _SMALLEST) -> None:
    """InputError where so many values of ``value_bytes`` would not fit, before any memory is taken."""
    needed = values * max(value_bytes, _SMALLEST)
    if needed > MAX_BYTES:
        raise InputError(
            f"The images need {needed / GIB:.1f} GiB of memory; at most {MAX_BYTES / GIB:g} GiB are read.",
            "Choose the perfusion series alone, crop it to the heart, or leave frames out.",
        )
