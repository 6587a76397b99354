"""The command line: ``myopinn simulate | info | quantify | run | fit | compare | demo``.

At this door a fault is one sentence and a hint on stderr, and an exit code: 0 done, 2 the input is at fault, 1 a defect,
130 cancelled. Heavy modules are imported by the command that needs them, so that every command answers at once.
"""

from __future__ import annotations

import contextlib
import sys
import time
import traceback
from collections.abc import Sequence

from ..errors import MyoPINNError
from ..events import Failed, Fault
from ..worker import failure
from .parser import build_parser
from .terminal import Terminal

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line ``arguments`` (the process's own where left out) and return the exit code."""
    started = time.perf_counter()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        options = build_parser().parse_args(arguments)
    except MyoPINNError as error:
        return _told(failure(error), Terminal())
    except SystemExit as asked:  # --help and --version have been answered
        return int(asked.code or 0)
    terminal = Terminal(quiet=options.quiet, events=options.events)
    try:
        return _command(options.command)(options, terminal, started)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stdout = None
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if options.traceback:
            traceback.print_exc()
        return _told(failure(error), terminal)


def _command(name: str):
    """The function of a subcommand, which takes options, terminal and the start's time and returns the exit code."""
    from . import compare, curves, study

    return {
        "simulate": study.simulate,
        "info": study.info,
        "quantify": study.quantify,
        "demo": study.demo,
        "run": study.run,
        "fit": curves.fit,
        "compare": compare.compare,
    }[name]


def _told(failed: Failed, terminal: Terminal) -> int:
    if failed.kind is Fault.DEFECT:
        failed = Failed(failed.kind, failed.text, "Run it again with --traceback to see where.")
    terminal.report(failed)
    return failed.kind.exit_code
