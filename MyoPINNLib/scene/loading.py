"""A folder of DICOM files into the scene: sequences with times in s, one a slice where the slices have their own clocks.

No name that a person gave goes into the scene: a series description is free text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..events import Event, Failed, Progress
from ..files.dicom_times import CountedError
from ..series import PerfusionSeries
from .arriving import Arriving
from .studies import SceneStudy, View, add_study, view_of

_OPTIONS = r":? (with )?--(series N|interval SECONDS)"


@dataclass(frozen=True)
class Read:
    """A series as it was read, before the scene hears of it: ``name`` and ``slices`` are the words that it is called by."""

    series: PerfusionSeries
    name: str
    slices: tuple[str, ...]
    view: View


class Loading(Arriving[Read, SceneStudy]):
    """A DICOM folder on its way into the scene. ``start`` it, ``poll`` it from a timer; then ``study`` and ``nodes`` are there.

    ``series`` chooses by a series number where the folder holds several acquisitions; where that is needed, ``choices`` says
    after a failure which there are (number -> words). ``interval`` s between frames, where the files only count them.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        series: int | str | None = None,
        interval: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        super().__init__(
            lambda report: _read(Path(folder), series, interval, report),
            lambda read: add_study(read.series, read.name, slices=read.slices, view=read.view),
            on_progress=on_progress,
        )

    @property
    def study(self) -> SceneStudy:
        """What came of it; raises what went wrong."""
        self.check()
        return self.result

    @property
    def nodes(self) -> list:
        """The sequences; none before the end."""
        return list(self.result.nodes) if self.result is not None else []

    @property
    def choices(self) -> dict[int, str]:
        """Series number -> words, where one of several acquisitions must be chosen."""
        return dict(getattr(self.error, "choices", {}))

    @property
    def counted(self) -> bool:
        """True where the files only count their frames and ``interval`` must be given."""
        return isinstance(self.error, CountedError)

    def _failure(self, error: Exception) -> Failed:
        """Without the command line's options."""
        said = super()._failure(error)
        text, hint = (
            re.sub(_OPTIONS, "", each).replace("--interval", "The interval") for each in (said.text, said.hint)
        )
        return replace(said, text=text, hint=hint)


def load_dicom(
    folder: Path | str,
    *,
    series: int | str | None = None,
    interval: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> SceneStudy:
    """Load the perfusion series below ``folder`` and wait for it; ``Loading`` is the same without waiting.

    Raises InputError, with the scene as it was, where there is no such series, or several and ``series`` names none.
    """
    loading = Loading(folder, series=series, interval=interval, on_progress=on_progress)
    loading.start()
    return loading.wait()


def _read(folder: Path, series: int | str | None, interval: float | None, report: Callable[[Event], None]) -> Read:
    """In a thread: no node is touched."""
    from ..files import read_dicom_study

    found = read_dicom_study(folder, series=series, interval=interval, report=report)
    return Read(found.series, _name(found.words), _slices(found.words), view_of(found.series))


def _name(words) -> str:
    said = {word.condition for word in words}
    condition = said.pop() if len(said) == 1 else None
    return f"{condition.value.capitalize()} perfusion" if condition else "Perfusion"


def _slices(words) -> tuple[str, ...]:
    """The slices' levels where the files name each slice by another one; else nothing, and they are numbered."""
    levels = Counter(word.level for word in words)
    return () if None in levels or max(levels.values()) > 1 else tuple(word.level.value for word in words)
