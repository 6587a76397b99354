"""Slicer's scene and our types: series and masks out of it, results into it, and ``quantify`` for the Python console.

from MyoPINNLib.scene import quantify
analysis = quantify(sequence, segmentation, myocardium="Myocardium", blood_pool="LV blood pool")
"""

from __future__ import annotations

from .analysis import SceneAnalysis, Voxel, find_analyses
from .colours import Colours
from .heart import add_insertion, add_segmentation, insertion_from_points, masks_from_segments
from .jobs import write_job
from .names import find_insertion, find_rest, find_segmentation, find_segments, find_series, role_of
from .run import Run, engine_python
from .series import add_series, series_from_nodes
from .show import show_job
from .study import quantify, resume
from .times import FrameTimes, frame_times, keep_times

__all__ = [
    "Colours",
    "FrameTimes",
    "Run",
    "SceneAnalysis",
    "Voxel",
    "add_insertion",
    "add_segmentation",
    "add_series",
    "engine_python",
    "find_analyses",
    "find_insertion",
    "find_rest",
    "find_segmentation",
    "find_segments",
    "find_series",
    "frame_times",
    "insertion_from_points",
    "keep_times",
    "masks_from_segments",
    "quantify",
    "resume",
    "role_of",
    "series_from_nodes",
    "show_job",
    "write_job",
]
