"""How soak_fuzz.py damages files: strategies of Hypothesis, and what they do to a file, byte by byte or in its own terms.

In their own terms: a value of the JSON becomes any other JSON, a cell of a table any text, a line of an NRRD header another, an element of
DICOM another value; so the damage gets past the reader's first look.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from functools import partial

import pydicom
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement

WORDS = ["", "nan", "inf", "-inf", "0", "-1", "1e400", "1e308", "99999999999", "0.8 0.8", "1,5", "é", "\x00", "../../etc", "true", "none"]  # fmt: skip
texts = st.sampled_from(WORDS) | st.text(max_size=20) | st.integers().map(str) | st.floats().map(str)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
anywhere = st.floats(0, 1, exclude_max=True)


@dataclass(frozen=True)
class Hurt:
    """Some bytes of a file: ``at`` a share of its length, or, near its beginning, a place."""

    at: float | int
    taken: int
    put: bytes

    def done(self, data):
        """``data`` with it."""
        at = self.at if isinstance(self.at, int) else int(self.at * len(data))
        return data[:at] + self.put + data[at + self.taken :]


hurts = st.builds(Hurt, anywhere | st.integers(0, 600), st.sampled_from((0, 1, 8, 200, 10**9)), st.binary(max_size=20))
bytewise = st.lists(hurts, min_size=1, max_size=3)
nth = partial(st.tuples, anywhere)


def hurt(path, damage):
    """The file with ``damage``."""
    data = path.read_bytes()
    for each in damage:
        data = each.done(data)
    path.unlink()  # it may be a link to the study's own
    path.write_bytes(data)


def pick(where, items):
    return items[int(where * len(items))]


# ---- JSON
def places_in(tree, at=()):
    """The path of every value below ``tree``."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield (*at, key)
        yield from places_in(value, (*at, key))


def hurt_json(path, damage):
    """The file with one value, or its name, made another."""
    where, value, rename = damage
    tree = json.loads(path.read_text(encoding="utf-8"))
    *ways, last = pick(where, list(places_in(tree)))
    inside = tree
    for key in ways:
        inside = inside[key]
    if rename and isinstance(inside, dict):
        inside[rename] = inside.pop(last)
    else:
        inside[last] = value
    path.write_text(json.dumps(tree), encoding="utf-8", errors="surrogatepass")


json_values = nth(values, st.just("") | st.just("") | st.text(max_size=8))


# ---- lines and cells
def hurt_line(path, damage):
    """A file whose header is lines: one of them with another value, gone or twice."""
    where, how, text = damage
    head, gap, data = path.read_bytes().partition(b"\n\n")
    lines = head.split(b"\n")
    n = int(where * len(lines))
    said = text.encode("utf-8", "surrogatepass")
    colon = b":=" if b":=" in lines[n] else b":"
    lines[n : n + 1] = {
        "other": [lines[n].partition(colon)[0] + colon + b" " + said],
        "gone": [],
        "twice": [lines[n]] * 2,
        "more": [lines[n] + b" " + said],
    }[how]
    path.write_bytes(b"\n".join(lines) + gap + data)


lines = nth(st.sampled_from(("other", "other", "gone", "twice", "more")), texts)


def hurt_cell(path, damage):
    """A table with one cell made another."""
    where, text = damage
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    row, column = pick(where, [(row, column) for row, cells in enumerate(rows) for column in range(len(cells))])
    rows[row][column] = text
    path.write_bytes("\n".join(map(",".join, rows)).encode("utf-8", "surrogatepass"))


# ---- DICOM
def hurt_element(path, damage):
    """A DICOM file with one element gone or of another value."""
    where, text, number = damage
    data = pydicom.dcmread(path)
    tag = pick(where, list(data.keys()))
    if text is None:
        del data[tag]
    else:
        said = text.encode("utf-8", "replace") if number is None else number.to_bytes(2, "little")
        said += b" " * (len(said) % 2)
        old = data.get_item(tag)
        data[tag] = RawDataElement(tag, old.VR, len(said), said, 0, False, True)
    path.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data.save_as(path)


elements = nth(st.none() | texts, st.none() | st.none() | st.integers(0, 65_535))


def apply(path, damage, own):
    """Damage a file: some bytes of it (a list), or in its ``own`` terms."""
    (hurt if isinstance(damage, list) else own)(path, damage)
