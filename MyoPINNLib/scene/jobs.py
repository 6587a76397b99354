"""A job folder of what the scene gave. It names nobody: no node's name goes into it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.masks import LABELS
from ..files.nrrd import write_label, write_series
from ..job import JOB, Job
from ..results import told
from ..series import Masks, PerfusionSeries
from ..settings import Settings

INPUT = "input"


def write_job(
    folder: Path, series: PerfusionSeries, masks: Masks, settings: Settings | None = None, *, insertion=None
) -> Job:
    """Write a new job into ``folder`` and return it; ``insertion`` points (n, 3) LPS mm.

    Raises InputError where the folder cannot be written or already holds a job, and where images and masks do not fit.
    """
    folder = Path(folder).absolute()
    if not masks.geometry.same_grid(series.geometry):
        raise InputError("The masks are not on the grid of the images.", "Draw them on this series.")
    settings = settings or Settings()
    if insertion is not None:
        settings = replace(settings, aha=replace(settings.aha, insertion_lps=tuple(map(tuple, insertion))))
    if (folder / JOB).exists():
        raise InputError(f'The folder "{folder.name}" already holds a job.', "Choose an empty or new folder.")
    with told(folder):
        (folder / INPUT).mkdir(parents=True, exist_ok=True)
    images = write_series(folder / INPUT / "series", series)
    labels = write_label(folder / INPUT / "masks.nrrd", _labels(masks), masks.geometry)
    series_names, mask_names = (tuple(f"{INPUT}/{path.name}" for path in paths) for paths in (images, labels))
    job = Job(folder, series_names, mask_names, settings=settings)
    job.write()
    return job


def _labels(masks: Masks) -> np.ndarray:
    """The masks as one label map (k, j, i)."""
    label = np.zeros(masks.geometry.shape, dtype=np.uint8)
    for role, value in LABELS.items():
        mask = getattr(masks, role)
        if mask is not None:
            label[mask] = value
    return label
