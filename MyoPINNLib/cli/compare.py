"""``myopinn compare``: segments that were scored by eye beside those that were not."""

from __future__ import annotations

from argparse import Namespace

from .. import __version__
from .apart import COMPARISON, apart, of_one_kind
from .terminal import Terminal


def compare(options: Namespace, terminal: Terminal, started: float) -> int:
    """Split the tables' segments by their score, and write table, test and box plot."""
    from .. import figures
    from ..files.scores import read_scored, write_comparison
    from ..results import SEAL_KEY, replaced, seal

    names = {"value": options.value, "by": options.by}
    apart(options.output, [*options.tables, options.scores])
    of_one_kind(options.output, COMPARISON)
    segments, notes = read_scored(options.tables, **names, scores=options.scores)
    found = segments.compared()
    with replaced(options.output) as draft:
        write_comparison(draft, segments, found, notes, **names)
        if figures.available():
            footer = figures.footer(f"{len(set(segments.study))} studies, Mann-Whitney U")
            figures.groups(draft / "groups.png", segments, found, **names, footer=footer)
        seal(draft, {SEAL_KEY: __version__, COMPARISON: names})
    if not options.quiet:
        for line in (*notes, *found.words):
            print(line)
        print(f"Written to {options.output}")
    return 0
