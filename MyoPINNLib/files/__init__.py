"""Studies, masks and landmarks in; maps and tables out (``files.nrrd``, ``files.tables``).

Each reader is imported when it is called: a job of NRRD files needs no pydicom.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .describe import describe  # at once: imported later, the module of the same name would take its place

if TYPE_CHECKING:
    from ..geometry import Geometry
    from ..series import Masks, PerfusionSeries
    from ..trained import TrainedNetwork
    from .dicom import Acquired

__all__ = ["describe", "read_dicom_study", "read_insertion", "read_masks", "read_study"]

_ONE_STUDY = "Give one DICOM folder, or the NRRD or NIfTI files of one series."


def read_study(
    paths: Sequence[Path], *, series: int | str | None = None, interval: float | None = None
) -> PerfusionSeries:
    """A perfusion series from a DICOM folder, or from 4D NRRD, Slicer's .seq.nrrd or NIfTI files (all slices, or one each).

    ``series`` chooses one of a DICOM folder that holds several; ``interval`` s between frames, where the files give no
    times. Raises InputError for whatever is no readable perfusion study.
    """
    places = [Path(path) for path in ([paths] if isinstance(paths, (str, Path)) else paths)]
    if not places:
        raise InputError("No study was named.", _ONE_STUDY)
    for place in places:
        if not place.exists():
            raise InputError(f'The study "{place.name}" is not there.', "Check the path.")
    from .images import suffix_of

    if all(suffix_of(place) and place.is_file() for place in places):
        from .volumes import read_volumes

        return read_volumes(places, interval=interval)
    if len(places) > 1:
        raise InputError(f"The study is {len(places)} things that are not all NRRD or NIfTI files.", _ONE_STUDY)
    from .dicom import read_dicom

    return read_dicom(places[0], series=series, interval=interval)


def read_dicom_study(folder: Path, **options) -> Acquired:
    """A DICOM folder with the words that its slices are called by; see ``files.dicom.read_acquired``."""
    if not folder.exists():
        raise InputError(f'The study "{folder.name}" is not there.', "Check the path.")
    from .dicom import read_acquired

    return read_acquired(folder, **options)


def read_masks(paths: Sequence[Path], geometry: Geometry, **options) -> Masks:
    """Masks on the grid of a series; see ``files.masks.read_masks``."""
    from .masks import read_masks as read

    return read(paths, geometry, **options)


def read_weights(path: Path) -> TrainedNetwork:
    """A trained network, to start another from; see ``files.weights.read_weights``."""
    from .weights import read_weights as read

    return read(path)


def read_insertion(path: Path) -> tuple[tuple[float, float, float], ...]:
    """The anterior RV insertion as LPS points; see ``files.landmarks.read_insertion``."""
    from .landmarks import read_insertion as read

    return read(path)
