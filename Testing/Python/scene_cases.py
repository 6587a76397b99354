"""Small hearts of known flow, in any pose, for all tests of ``MyoPINNLib.scene``."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from MyoPINNLib.geometry import Geometry
from MyoPINNLib.series import Masks, PerfusionSeries
from MyoPINNLib.settings import FitSettings, Method, Settings
from MyoPINNLib.simulate.chest import Grid
from MyoPINNLib.simulate.phantom import make_phantom
from MyoPINNLib.simulate.recipes import Preset, recipe

FERMI = Settings(fit=FitSettings(method=Method.FERMI))  # the quickest method


@dataclass(frozen=True)
class Study:
    """Images, masks and insertion of a heart whose flow is known; ``flow`` (k, j, i) mL/s/g."""

    series: PerfusionSeries
    masks: Masks
    insertion: tuple
    flow: np.ndarray


def a_heart(*, oblique: bool = False, tilted: bool = False, shared_clock: bool = False) -> Study:
    """A small noise-free phantom: turned in space, with slices that are not parallel, with one clock for all slices."""
    how = replace(recipe(Preset.FAST), grid=Grid(size=64, fine=2), frames=36)
    if shared_clock:
        how = replace(how, offsets=(0.0, 0.0, 0.0))
    phantom = make_phantom(how, seed=1, noise=False)
    turn = rotation((1.0, -2.0, 0.5), 0.45) if oblique else np.eye(4)
    affines = turn @ phantom.series.geometry.ijk_to_lps
    insertion = [(turn @ np.append(point, 1.0))[:3] for point in phantom.insertion_lps]
    if tilted:
        affines[2] = rotation((1.0, 0.0, 0.0), 0.1) @ affines[2]
        insertion = insertion[:2]
    geometry = Geometry(affines, phantom.series.geometry.shape)
    series, masks = replace(phantom.series, geometry=geometry), replace(phantom.masks, geometry=geometry)
    return Study(
        series,
        masks,
        tuple(tuple(map(float, point)) for point in insertion),
        phantom.truth["MBF"],
    )


def rotation(axis, angle: float) -> np.ndarray:
    """(4, 4): a turn about ``axis`` by ``angle`` rad."""
    x = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -x[2], x[1]], [x[2], 0, -x[0]], [-x[1], x[0], 0]])
    turn = np.eye(4)
    turn[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turn


def contents(scene) -> dict[str, str]:
    """Id -> name of all nodes."""
    nodes = [scene.GetNthNode(n) for n in range(scene.GetNumberOfNodes())]
    return {node.GetID(): node.GetName() for node in nodes}
