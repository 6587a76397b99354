"""``myopinn fit``: plain curves to a table of parameters."""

from __future__ import annotations

import time
from argparse import Namespace

from .apart import apart
from .parser import settings_of
from .terminal import Terminal


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
    result = solvers.fit(curves, aif, settings.fit, terminal.report, start_from=start_from)
    write_parameters(options.output, names, result)
    terminal.wipe()
    if not options.quiet:
        good = int(result.valid.sum())
        terminal.line(f"{good} of {len(result.valid)} curves are valid; the table is {options.output}.")
    terminal.line(times({"solver": result.seconds, "start_up": ready - started}, time.perf_counter() - started))
    return 0


def times(seconds: dict[str, float], total: float) -> str:
    """The closing line of a command that fits."""
    return f"solver {seconds['solver']:.3f} s, start-up {seconds['start_up']:.3f} s, total {total:.3f} s"
