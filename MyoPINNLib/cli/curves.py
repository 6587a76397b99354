"""``myopinn fit``: plain curves to a table of parameters."""

from __future__ import annotations

import hashlib
import time
from argparse import Namespace

from .. import __version__
from .apart import apart
from .muted import wake
from .parser import settings_of
from .terminal import Terminal
from .unfinished import unfinished


def fit(options: Namespace, terminal: Terminal, started: float) -> int:
    """Fit the curves of a table and write one row a curve."""
    settings = settings_of(options)
    from .. import solvers
    from ..files import read_weights
    from ..files.tables import read_curves, write_parameters
    from ..results import check_file

    apart(options.output, [options.curves, options.settings, options.start_from])
    check_file(options.output)
    ready = time.perf_counter()
    curves, aif, names = read_curves(options.curves)
    start_from = read_weights(options.start_from) if options.start_from else None
    wake(settings.fit)
    with unfinished(options.output, settings.fit, lambda: _digest(options, settings)) as kept:
        result = solvers.fit(curves, aif, settings.fit, terminal.report, kept, start_from)
        write_parameters(options.output, names, result)
    terminal.wipe()
    if not options.quiet:
        good = int(result.valid.sum())
        terminal.line(f"{good} of {len(result.valid)} curves are valid; the table is {options.output}.")
    terminal.line(times({"solver": result.seconds, "start_up": ready - started}, time.perf_counter() - started))
    return 0


def _digest(options: Namespace, settings) -> str:
    """A name for the curves, the settings, the weights and the version together."""
    digest = hashlib.sha256(f"{__version__} {settings.digest()}".encode())
    for path in (options.curves, options.start_from):
        digest.update(b"" if path is None else path.read_bytes())
    return digest.hexdigest()


def times(seconds: dict[str, float], total: float) -> str:
    """The closing line of a command that fits."""
    return f"solver {seconds['solver']:.3f} s, start-up {seconds['start_up']:.3f} s, total {total:.3f} s"
