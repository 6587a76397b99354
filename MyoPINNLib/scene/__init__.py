"""Slicer's scene and our types: series and masks out of it, results into it, and ``quantify`` for the Python console.

from MyoPINNLib.scene import quantify
analysis = quantify(sequence, segmentation, myocardium="Myocardium", blood_pool="LV blood pool")
"""

from __future__ import annotations

from .analysis import SceneAnalysis, Voxel, find_analyses
from .colours import Colours
from .drawing import usual_limits
from .heart import add_insertion, add_segmentation, insertion_from_points, masks_from_segments
from .jobs import write_job
from .loading import Loading, load_dicom
from .names import (
    at_rest,
    every_series,
    find_insertion,
    find_rest,
    find_segmentation,
    find_segments,
    find_series,
    offered,
    role_of,
)
from .playing import browser_of, peak_frame, show_frame, show_in_views, show_time, volumes_of
from .run import Run, engine_python
from .samples import Sample, SampleLoading, SceneSample, add_sample, load_sample
from .series import add_series, series_from_nodes, slice_names
from .show import show_job
from .studies import SceneStudy, add_study
from .study import quantify, resume
from .times import FrameTimes, frame_times, keep_times, own_times

__all__ = [
    "Colours",
    "FrameTimes",
    "Loading",
    "Run",
    "Sample",
    "SampleLoading",
    "SceneAnalysis",
    "SceneSample",
    "SceneStudy",
    "Voxel",
    "add_insertion",
    "add_sample",
    "add_segmentation",
    "add_series",
    "add_study",
    "at_rest",
    "browser_of",
    "engine_python",
    "every_series",
    "find_analyses",
    "find_insertion",
    "find_rest",
    "find_segmentation",
    "find_segments",
    "find_series",
    "frame_times",
    "insertion_from_points",
    "keep_times",
    "load_dicom",
    "load_sample",
    "masks_from_segments",
    "offered",
    "own_times",
    "peak_frame",
    "quantify",
    "resume",
    "role_of",
    "series_from_nodes",
    "show_frame",
    "show_in_views",
    "show_job",
    "show_time",
    "slice_names",
    "usual_limits",
    "volumes_of",
    "write_job",
]
