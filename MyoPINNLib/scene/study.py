"""``quantify``: from nodes to an analysis in the scene, waiting or not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import InputError
from ..events import Progress
from ..files.volumes import joined_series
from ..job import Job
from ..results import told
from ..settings import Settings
from .colours import Colours
from .heart import WORDS, drawn_segments, insertion_from_points, masks_on
from .jobs import write_job
from .names import find_segments
from .nodes import called
from .run import Run
from .series import series_parts

_CHOOSE = "Name the segments: myocardium=..., blood_pool=..."


def quantify(
    series,
    segmentation,
    *,
    myocardium: str | None = None,
    blood_pool: str | None = None,
    right_ventricle: str | None = None,
    insertion=None,
    settings: Settings | None = None,
    times=None,
    name: str = "Perfusion",
    colours: Colours = Colours.ORDERED,
    wait: bool = True,
    on_progress: Callable[[Progress], None] | None = None,
    keep_job: Path | str | None = None,
    python: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Run:
    """Quantify the study of ``series`` (a sequence node, or several, one a slice) with the segments of ``segmentation``.

    Segments are given by name or id; those left out are found by usual names. ``insertion`` is a point-list node or points
    (n, 3) LPS mm; ``times`` serve a series that tells none (seconds between two frames, or one time a frame); ``settings``
    as everywhere. The engine runs in ``python`` (Slicer's own where left out) with the environment ``env``; ``keep_job``
    is a folder for its files, which else vanish at the end. With ``wait`` the call returns when the analysis is in the
    scene and raises what went wrong (InputError, EngineError, Cancelled); else ``poll`` the run from a timer.
    """
    if settings is not None and not isinstance(settings, Settings):
        raise InputError(
            f"The settings are given as {type(settings).__name__}.",
            "Give Settings(...), or settings_from_json(values).",
        )
    if segmentation is not None and not hasattr(segmentation, "GetSegmentation"):
        raise InputError(f"{called(segmentation)} is no segmentation.", "Choose the segmentation of the heart.")
    chosen = _segments(segmentation, myocardium, blood_pool, right_ventricle)
    parts = series_parts(series, times)
    drawn = drawn_segments(segmentation, **chosen)
    points = insertion_from_points(insertion) if hasattr(insertion, "GetNumberOfControlPoints") else insertion
    folder, passing = _folder(keep_job)
    nodes = list(series) if isinstance(series, (list, tuple)) else [series]
    show = {"name": name, "colours": colours, "series": nodes, "segmentation": segmentation}

    def write() -> None:
        images = joined_series(parts)
        write_job(folder, images, masks_on(drawn, images.geometry), settings, insertion=points)

    run = Run(
        folder, write, show, passing=passing, on_progress=on_progress, python=python, env=env
    )  # fmt: skip
    run.start()
    return run.wait() if wait else run


def resume(
    job: Path | str,
    *,
    name: str = "Perfusion",
    series=(),
    segmentation=None,
    colours: Colours = Colours.ORDERED,
    on_progress: Callable[[Progress], None] | None = None,
    python: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Run:
    """Go on with a job folder that was kept (``keep_job``) and cut short, from its last checkpoint; ``poll`` the run.

    Raises InputError where the folder holds no job.
    """
    job = Path(job).absolute()
    Job.read(job)
    show = {"name": name, "colours": colours, "series": list(series), "segmentation": segmentation}
    run = Run(job, lambda: None, show, on_progress=on_progress, python=python, env=env)
    run.start()
    return run


def _segments(segmentation, myocardium, blood_pool, right_ventricle) -> dict[str, str]:
    """The segments that were named, and for those that were not the ones with usual names."""
    given = {"myocardium": myocardium, "blood_pool": blood_pool, "right_ventricle": right_ventricle}
    usual = find_segments(segmentation) if segmentation is not None else {}
    chosen = {role: name or usual.get(role) for role, name in given.items()}
    if chosen["right_ventricle"] in (chosen["myocardium"], chosen["blood_pool"]):
        chosen["right_ventricle"] = None
    missing = [role for role in ("myocardium", "blood_pool") if not chosen[role]]
    if segmentation is not None and missing:
        raise InputError(f"No segment of the segmentation is called after the {WORDS[missing[0]]}.", _CHOOSE)
    return chosen


def _folder(keep_job: Path | str | None) -> tuple[Path, bool]:
    """The job's folder, and whether it is to vanish at the end."""
    if keep_job is not None:
        return Path(keep_job).absolute(), False
    place = Path(tempfile.gettempdir())
    with told(place):
        return Path(tempfile.mkdtemp(prefix="myopinn-", dir=place)), True
