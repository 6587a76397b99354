"""TensorFlow greets the terminal in its own words as it loads, some of them errors that are none; here it does so unheard."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..settings import FitSettings, Method

_STDERR = 2


def wake(settings: FitSettings) -> None:
    """Load what a network or a GPU needs, where one is wanted. Raises InputError where it is missing or broken."""
    from ..solvers.one_shot import may_need_tensorflow

    if settings.method.is_network or (settings.method is Method.ONE_SHOT and may_need_tensorflow(settings.one_shot)):
        from ..solvers.networks import look_for_devices

        with muted():
            look_for_devices()


@contextmanager
def muted() -> Iterator[None]:
    """Nothing that the block writes to the process's stderr is seen, if there is one."""
    try:
        kept = os.dup(_STDERR)
    except OSError:
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)
