"""A perfusion series from sequences of the scene, and sequences from a series.

The frames are those of the sequence itself: what a browser shows of it at the moment does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import slicer

from ..errors import InputError, MyoPINNError
from ..files.dicom_protocol import LONGEST_TR, protocol_of
from ..files.nrrd import LEFT_OUT, SOURCE, THICKNESS, acquisition_keys
from ..files.volumes import acquisition_from, along_the_normal, joined_series, number_of
from ..geometry import TOLERANCE_MM, Geometry
from ..series import Acquisition, PerfusionSeries
from .nodes import affine_of, called, filled, in_scene, parent_matrix, the_scene, values_of
from .playing import browser_of
from .times import FrameTimes, frame_times

_FEW = "Choose the sequence of the perfusion frames."
_DICOM = "MultiVolume.DICOM."


def series_from_nodes(nodes, times=None) -> PerfusionSeries:
    """The perfusion series of one series node (a sequence or a multi-volume), or of several, one a slice or more.

    ``times`` is the user's word where the nodes do not tell: the seconds between two frames, or one time a frame, s; for
    several nodes one of these for all, or a list with one for each (None: as the node says). Times below 0 make the earliest
    frame the start. Raises InputError where a node is no series, its times are not known, or the slices do not fit together.
    """
    return joined_series(series_parts(nodes, times))


def series_parts(nodes, times=None) -> list[PerfusionSeries]:
    """The series of each node, copied out of the scene: ``joined_series`` takes longer and can do its work beside the GUI."""
    nodes = list(nodes) if isinstance(nodes, (list, tuple)) else [nodes]
    if not nodes:
        raise InputError("No perfusion series is chosen.", "Choose the sequence of the perfusion frames.")
    each = _times_of_each(times, len(nodes))
    frames = [_frames(in_scene(node, "perfusion series")) for node in nodes]
    clocks = [
        frame_times(node, len(values), given)
        for node, (values, _), given in zip(nodes, frames, each, strict=True)
    ]  # fmt: skip
    start = min(0.0, *(clock.time.min() for clock in clocks))
    return [
        _part(node, values, affine, clock, start)
        for node, (values, affine), clock in zip(nodes, frames, clocks, strict=True)
    ]


def add_series(series: PerfusionSeries, name: str, *, slices: Sequence[str] = ()) -> list:
    """Sequences of ``series`` in the scene: one where a sequence can hold all, else one a slice ("name 1", ... or with the
    words of ``slices`` in place of the number).

    The index is the time in s; the acquisition stands in the attributes, from which ``series_from_nodes`` reads it again.
    """
    shared = (series.time == series.time[:1]).all() and (series.weight > 0).all() and series.geometry.uniform
    if shared:
        return [_sequence(series, slice(None), series.geometry.volume_affine(), name)]
    words = slices or [str(k + 1) for k in range(series.geometry.shape[0])]
    return [
        _sequence(series, slice(k, k + 1), series.geometry.ijk_to_lps[k], f"{name} {word}")
        for k, word in enumerate(words)
    ]


def slice_names(nodes) -> list[str]:
    """What the slices of series nodes are called, in the order in which they are quantified; [] where that is not known.

    Where there are several nodes, each lends its slices its name.
    """
    volumes = [node.GetNthDataNode(0) if node.IsA("vtkMRMLSequenceNode") else node for node in nodes]
    try:
        affines = [_affines(volume) for volume in volumes]
        order = along_the_normal(np.concatenate(affines)) if len(affines) > 1 else range(len(affines[0]))
    except (AttributeError, IndexError, MyoPINNError):
        return []
    told = [
        f" ({node.GetName()})" if len(affines) > 1 else ""
        for node, part in zip(nodes, affines, strict=True)
        for _ in part
    ]
    return [f"Slice {place + 1}{told[k]}" for place, k in enumerate(order)]


def _affines(volume) -> np.ndarray:
    """(k, 4, 4) LPS of a volume's slices."""
    return Geometry.from_volume(affine_of(volume), volume.GetImageData().GetDimensions()[::-1]).ijk_to_lps


def _times_of_each(times, nodes: int) -> list:
    if times is None or np.isscalar(times):
        return [times] * nodes
    times = list(times)
    if all(np.isscalar(value) and value is not None for value in times) and not (nodes > 1 and len(times) == nodes):
        return [times] * nodes
    if len(times) != nodes:
        raise InputError(f"There are {nodes} series and times for {len(times)}.", "Give one list of times a series.")
    return times


def _frames(node) -> tuple[np.ndarray, np.ndarray]:
    """Signal (t, k, j, i) and affine (4, 4), i j k 1 to LPS mm, of one series node."""
    if node.IsA("vtkMRMLSequenceNode"):
        values, affine = _frames_of_sequence(node)
    elif node.IsA("vtkMRMLVolumeNode"):
        every = values_of(node)
        values = np.moveaxis(every, -1, 0).copy() if every.ndim == 4 else every[None]
        affine = affine_of(node, parent_matrix(node))
    else:
        raise InputError(f"{called(node)} is no image series ({node.GetClassName()}).", _FEW)
    if len(values) < 2:
        raise InputError(f"{called(node)} has {len(values)} frame; perfusion needs a series over time.", _FEW)
    return values, affine


def _frames_of_sequence(node) -> tuple[np.ndarray, np.ndarray]:
    volumes = [node.GetNthDataNode(n) for n in range(node.GetNumberOfDataNodes())]
    if not volumes:
        raise InputError(f"{called(node)} is empty.", _FEW)
    for volume in volumes:
        if volume is None or not volume.IsA("vtkMRMLScalarVolumeNode") or values_of(volume).ndim != 3:
            raise InputError(f"{called(node)} holds no grey images ({node.GetDataNodeClassName()}).", _FEW)
    first, images = affine_of(volumes[0]), [values_of(volume) for volume in volumes]
    for n, (volume, image) in enumerate(zip(volumes, images, strict=True)):
        if image.shape != images[0].shape:
            raise InputError(f"{called(node)}: frame {n + 1} is {image.shape} and frame 1 is {images[0].shape}.", _FEW)
        apart = np.abs(affine_of(volume) - first).max() * max(image.shape)
        if apart > TOLERANCE_MM:
            raise InputError(
                f"{called(node)}: frame {n + 1} lies up to {apart:.3g} mm beside frame 1.",
                "Resample the frames to one grid.",
            )
    return np.stack(images), affine_of(volumes[0], _world(node))


def _world(node) -> np.ndarray:
    """(4, 4) RAS: where a transform puts the volume that shows this sequence, which is where the user drew the heart."""
    browser = browser_of(node)
    proxy = browser and browser.GetProxyNode(node)
    if proxy is not None and proxy.IsA("vtkMRMLTransformableNode"):
        return parent_matrix(proxy)
    return np.eye(4)


def _part(node, values: np.ndarray, affine: np.ndarray, clock: FrameTimes, start: float) -> PerfusionSeries:
    keys = _attributes(node)
    weight = np.ones((values.shape[1], len(values)))
    for k, t in re.findall(r"(\d{1,6}):(\d{1,6})", keys.get(LEFT_OUT, "")):
        if 0 < int(k) <= len(weight) and 0 < int(t) <= len(values):
            weight[int(k) - 1, int(t) - 1] = 0.0
    geometry = Geometry.from_volume(affine, values.shape[1:])
    thickness = number_of(keys, THICKNESS)
    if thickness is not None:
        affines = geometry.ijk_to_lps.copy()
        affines[:, :3, 2] = geometry.normals * thickness
        geometry = Geometry(affines, geometry.shape)
    return PerfusionSeries(values, clock.time - start, geometry, _acquisition(keys, clock), weight)


def _attributes(node) -> dict[str, str]:
    return {name: node.GetAttribute(name) for name in node.GetAttributeNames()}


def _acquisition(keys: dict[str, str], clock: FrameTimes) -> Acquisition:
    """What MyoPINN left at the node, else what Slicer's MultiVolume import did."""
    source = keys.get(SOURCE) if clock.source.startswith("sequence index") else None
    ours = acquisition_from(keys, source or clock.source, clock.notes)
    if ours.TR is not None or ours.flip_angle is not None:
        return ours
    theirs = protocol_of({name.removeprefix(_DICOM): value for name, value in keys.items() if name.startswith(_DICOM)})
    # RepetitionTime of many scanners is the time between two images
    return replace(ours, TR=theirs.TR if theirs.TR and theirs.TR < LONGEST_TR else None, flip_angle=theirs.flip_angle)


def _sequence(series: PerfusionSeries, slices: slice, affine: np.ndarray, name: str):
    node = the_scene().AddNewNodeByClass("vtkMRMLSequenceNode", name)
    node.SetIndexName("time")
    node.SetIndexUnit("s")
    node.SetIndexType(slicer.vtkMRMLSequenceNode.NumericIndex)
    for t, time in enumerate(series.time[slices][0]):
        volume = slicer.vtkMRMLScalarVolumeNode()
        volume.SetName(f"{name} {t + 1}")
        node.SetDataNodeAtValue(filled(volume, series.signal[t, slices], affine), repr(float(time)))
    keys = {THICKNESS: repr(float(series.geometry.spacing[slices][0, 2])), **acquisition_keys(series.acquisition)}
    left_out = np.argwhere(series.weight[slices] == 0)
    if len(left_out):
        keys[LEFT_OUT] = " ".join(f"{k + 1}:{t + 1}" for k, t in left_out)
    for key, value in keys.items():
        node.SetAttribute(key, value)
    return node
