"""Which images belong together: frames to slices by place, series to one acquisition.

A group is one acquisition of one slice stack: a series that holds all slices, or one series a slice. Series of one group
share no slice position, have the same matrix and pixel size and, where both tell a time of day, overlap in time. Stress
and rest, or an original and its motion-corrected copy, are therefore two groups, and the user chooses by series number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from ..errors import InputError
from .dicom_frames import Frame
from .dicom_times import Clock, choose_clock, moments, seconds

FEWEST_FRAMES = 5
SAME_PLACE_MM, SAME_DIRECTION = 0.1, 1e-3
CINE_INTERVAL, FASTEST_CINE = 0.2, 0.01
PARALLEL = 0.9
_TIMES_OF_DAY = (Clock.ACQUISITION_TIME, Clock.ACQUISITION_DATE_TIME, Clock.FRAME_DATE_TIME)


class SeveralError(InputError):
    """More than one acquisition could be meant; ``choices``: a series number that names it -> it in words."""

    def __init__(self, sentence: str, hint: str, choices: dict[int, str]) -> None:
        super().__init__(sentence, hint)
        self.choices = choices


@dataclass(frozen=True, eq=False)
class Group:
    """One acquisition: the frames of every slice, slices along their normal."""

    slices: tuple[tuple[Frame, ...], ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The series numbers it is made of."""
        return tuple(sorted({frame.series[0] for line in self.slices for frame in line if frame.series[0] is not None}))

    @property
    def frames(self) -> int:
        """Frames of its longest slice."""
        return max(len(line) for line in self.slices)

    def told(self) -> str:
        """In words, for the user to choose."""
        numbers = self.numbers
        name = f"series {', '.join(map(str, numbers))}" if numbers else "a series without a number"
        condition = {line[0].words.condition for line in self.slices}
        called = condition.pop() if len(condition) == 1 else None
        rows, columns = self.slices[0][0].shape
        few = min(len(line) for line in self.slices)
        frames = f"{self.frames}" if few == self.frames else f"{few} to {self.frames}"
        said = f"{called.value}, " if called else ""
        return f"{name} ({said}{len(self.slices)} slice{'s' * (len(self.slices) > 1)} of {frames} frames, {columns} x {rows})"


def choose_group(frames: Sequence[Frame], *, series: int | None) -> tuple[Group, tuple[str, ...]]:
    """The one dynamic acquisition among ``frames``, or the one that ``series`` names, and notes on what was left out.

    Raises InputError where there is none, or where there are several and nobody chose.
    """
    frames, notes = _without_copies(frames)
    by_series = _by_series(frames)
    dynamic = [lines for lines in by_series if max(map(len, lines)) >= FEWEST_FRAMES]
    if not dynamic:
        raise InputError(
            f"No slice has more than {max(len(line) for lines in by_series for line in lines)} images; "
            f"perfusion needs a series over time, {FEWEST_FRAMES} images at least and usually 50 to 90.",
            "Choose the folder of the dynamic series.",
        )
    groups = _groups(dynamic)
    chosen, left = _only(groups) if series is None else (_named(groups, by_series, series), [])
    few = sum(len(line) for lines in by_series if lines not in dynamic for line in lines)
    if few and series is None:
        notes.append(f"{few} images that are no series over time (localisers, single images) were left out")
    notes += [f"{group.told()} was left out: a cine, not perfusion" for group in left]
    return _checked(chosen, notes)


def _without_copies(frames: Sequence[Frame]) -> tuple[list[Frame], list[str]]:
    """Each SOP instance once."""
    once = list({frame.uid: frame for frame in reversed(frames)}.values())[::-1]
    return once, [_copies(len(frames) - len(once))] if len(once) < len(frames) else []


def _copies(count: int) -> str:
    return f"{count} image{'s' * (count > 1)} stored twice: the copies were left out"


def _by_series(frames: Iterable[Frame]) -> list[list[list[Frame]]]:
    """Series (in the order of their numbers) of slices of frames."""
    series: dict[tuple, list[Frame]] = {}
    for frame in frames:
        series.setdefault(frame.series, []).append(frame)
    ordered = sorted(series, key=lambda key: (key[0] is None, key[0] or 0, key[1]))
    return [_by_slice(series[key]) for key in ordered]


def _by_slice(frames: list[Frame]) -> list[list[Frame]]:
    """Frames at one place and in one orientation, in the order in which the places are met."""
    exact: dict[bytes, list[Frame]] = {}
    for frame in frames:
        exact.setdefault(np.concatenate([frame.position, frame.orientation.ravel()]).tobytes(), []).append(frame)
    slices: list[list[Frame]] = []
    for line in exact.values():
        near = next((other for other in slices if _same_place(line[0], other[0])), None)
        if near is None:
            slices.append(line)
        else:
            near += line
    return slices


def _same_place(a: Frame, b: Frame) -> bool:
    """True for two images of one slice (also where their matrix differs)."""
    turned = np.abs(a.orientation - b.orientation).max()
    return bool(np.abs(a.position - b.position).max() < SAME_PLACE_MM and turned < SAME_DIRECTION)


def _groups(series: list[list[list[Frame]]]) -> list[Group]:
    groups: list[list[list[Frame]]] = []
    for lines in series:
        home = next((group for group in groups if _fit(group, lines)), None)
        if home is None:
            groups.append(list(lines))
        else:
            home += lines
    return [Group(tuple(map(tuple, _along_normal(group)))) for group in groups]


def _fit(group: list[list[Frame]], lines: list[list[Frame]]) -> bool:
    """True where ``lines`` can be further slices of ``group``."""
    if any(_overlaid(a[0], b[0]) for a in group for b in lines):
        return False
    mine, yours = group[0][0], lines[0][0]
    same = mine.shape == yours.shape and np.allclose(mine.spacing, yours.spacing, rtol=1e-3)
    return same and _overlap(group, lines)


def _overlaid(a: Frame, b: Frame) -> bool:
    """True for parallel images of the same slice, whatever their matrix and small shifts within the plane."""
    parallel = abs(a.normal @ b.normal) > 1 - SAME_DIRECTION
    step = b.centre - a.centre
    return bool(parallel and abs(step @ a.normal) < 1.0 and np.linalg.norm(step) < 20.0)


def _overlap(group: list[list[Frame]], lines: list[list[Frame]]) -> bool:
    """False where a time of day says that one ended before the other began (a pause of a heartbeat or two is none)."""
    for clock in _TIMES_OF_DAY:
        told = moments([*group, *lines], clock)
        if told is not None:
            first = [moment for line in told[: len(group)] for moment in line]
            second = [moment for line in told[len(group) :] for moment in line]
            pause = max(min(second) - max(first), min(first) - max(second))
            return pause < timedelta(seconds=5)
    return True


def _along_normal(slices: list[list[Frame]]) -> list[list[Frame]]:
    """Slices by their centre along the first one's normal; slices far from parallel in the order of their series."""
    normal = slices[0][0].normal
    if any(abs(line[0].normal @ normal) < PARALLEL for line in slices):
        return slices
    return sorted(slices, key=lambda line: float(line[0].centre @ normal))


def _named(groups: list[Group], by_series: list[list[list[Frame]]], series: int) -> Group:
    chosen = [group for group in groups if series in group.numbers]
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise InputError(
            f"Series {series} is in {len(chosen)} acquisitions: {_list(chosen)}.",
            "Put each study into a folder of its own.",
        )
    short = [lines for lines in by_series if lines[0][0].series[0] == series]
    if short:
        raise InputError(
            f"Series {series} has {max(len(line) for lines in short for line in lines)} images a slice; "
            f"perfusion needs {FEWEST_FRAMES} at least.",
            f"There are {_list(groups)}.",
        )
    raise InputError(f"There is no series {series}.", f"There are {_list(groups)}.")


def _only(groups: list[Group]) -> tuple[Group, list[Group]]:
    """The only group, cines put aside."""
    cines = [group for group in groups if _is_cine(group)] if len(groups) > 1 else []
    left = [group for group in groups if group not in cines] or groups
    if len(left) > 1:
        count = Counter(number for group in groups for number in group.numbers)
        own = ((next((n for n in group.numbers if count[n] == 1), None), group.told()) for group in left)
        raise SeveralError(
            f"The folder holds {len(left)} dynamic acquisitions: {_list(left)}.",
            "Choose one by a series number: --series N.",
            {number: words for number, words in own if number is not None},
        )
    return left[0], cines


def _is_cine(group: Group) -> bool:
    try:
        clock, _ = choose_clock(group.slices, interval=None, fastest=FASTEST_CINE)
    except InputError:
        return False
    times = seconds(group.slices, clock, interval=None)
    return float(np.median([np.median(np.diff(np.sort(line))) for line in times if len(line) > 1])) < CINE_INTERVAL


def _list(groups: list[Group]) -> str:
    return "; ".join(group.told() for group in groups)


def _checked(group: Group, notes: list[str]) -> tuple[Group, tuple[str, ...]]:
    """Slices without a series over time left out; one matrix."""
    kept = tuple(line for line in group.slices if len(line) >= FEWEST_FRAMES)
    left = sum(len(line) for line in group.slices) - sum(len(line) for line in kept)
    if left:
        notes.append(f"{left} images at places with fewer than {FEWEST_FRAMES} frames were left out")
    sizes = Counter(frame.shape for line in kept for frame in line).most_common()
    if len(sizes) > 1:
        (a, _), (b, few) = sizes[:2]
        raise InputError(
            f"The images differ in size: most are {a[1]} x {a[0]} and {few} are {b[1]} x {b[0]} (columns x rows).",
            "All frames of a study must have one matrix; choose another series with --series N.",
        )
    return Group(kept), tuple(notes)
