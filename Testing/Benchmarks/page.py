"""docs/validation.md: what a benchmark prints is also what stands there, between two markers, with date, version and machine.

section = Section("neighbours")                      <!-- neighbours: begin --> ... <!-- neighbours: end -->
row = section.table(["noise", "NMSE"])               prints and keeps the head
row("paper's", "0.54")                               prints and keeps a row
section.say("", "NMSE of all parameters ...")        prints and keeps lines
section.write()                                      puts all that into the page
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
from datetime import date
from pathlib import Path

import numpy as np
import scipy

from MyoPINNLib import __version__

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "validation.md"


def machine():
    """Date, version and machine of a run, in one line."""
    info = Path("/proc/cpuinfo")
    names = (
        [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    name = names[0] if names else platform.processor() or platform.machine()
    return (
        f"{date.today().isoformat()}, MyoPINN {__version__}, {os.cpu_count()} cores of {name}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}{_tensorflow()}"
    )


def _tensorflow():
    """Its version, without loading it; nothing where it is not installed."""
    try:
        return f", TensorFlow {importlib.metadata.version('tensorflow')}"
    except importlib.metadata.PackageNotFoundError:
        return ""


def row(cells):
    """A row of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


def table(head, rows):
    """A Markdown table."""
    return [row(head), row(["---"] * len(head)), *map(row, rows), ""]


def markers(name):
    """The lines between which the section ``name`` stands."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


class Section:
    """What a command has to say, printed as it comes and kept for the page. ``how``: the run in a few words (seeds, sizes)."""

    def __init__(self, name, how=""):
        self.name = name
        self.lines = []
        self.say(f"*{machine()}.{' ' if how else ''}{how}*", "")

    def say(self, *lines):
        """Print and keep lines."""
        for line in lines:
            print(line, flush=True)
        self.lines += lines

    def table(self, head):
        """Begin a table; the answer prints and keeps a row of cells."""
        if self.lines[-1]:
            self.say("")
        self.say(*table(head, [])[:2])
        return lambda *cells: self.say(row(cells))

    def picture(self, path, words):
        """Keep a picture, ``path`` from docs/."""
        self.lines += ["", f"![{words}]({path})"]

    def write(self, document=DOCUMENT):
        """Put it all into the page."""
        write_between(*markers(self.name), self.lines, document)


def parser(words):
    """The options of a study or benchmark that can write what it prints into the page."""
    own = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    own.add_argument("--write", action="store_true", help="write docs/validation.md and its picture")
    return own


def asked(words, *, seed=None):
    """The options of a study with a ``seed`` (or none) and no others."""
    own = parser(words)
    if seed is not None:
        own.add_argument("--seed", type=int, default=seed)
    return own.parse_args()


def write_between(begin, end, lines, document=DOCUMENT):
    """Put ``lines`` between two markers of the document. Raises ValueError where one of them is not there once."""
    text = document.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{document.name} lacks its markers '{begin}' and '{end}'.")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    document.write_text("\n".join([before + begin, *lines, end + after]), encoding="utf-8")
