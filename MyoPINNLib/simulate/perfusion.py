"""The true kinetic parameters of every heart muscle pixel: normal, with smooth variation, and in ischaemic territories.

Inside units. MBF rises or falls across the wall (subendocardium first), territories end softly at the borders of the AHA
segments, every parameter sways a little around the heart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ..kinetics import myocardial_blood_flow
from .heart import APICAL, Contours

_HARMONICS = 3
_TWIST_PER_SLICE = 0.35
_EDGE = np.deg2rad(2.5)
_BEYOND_THE_WALL = 1.2


class Territory(Enum):
    """A coronary artery's share of the wall: (centre, half width) in degrees, at the base and mid, and at the apex."""

    LAD = ((120.0, 60.0), (135.0, 90.0))
    RCA = ((240.0, 60.0), (270.0, 45.0))
    LCX = ((0.0, 60.0), (0.0, 45.0))


@dataclass(frozen=True)
class Muscle:
    """Perfusion of one kind of myocardium: MBF mL/s/g, PS mL/s/mL, v_p, v_e, T_a s.

    ``across``: how much the flow changes over the wall, (epicardium - endocardium) / mean.
    """

    MBF: float
    PS: float
    v_p: float
    v_e: float
    T_a: float
    across: float = 0.0


@dataclass(frozen=True)
class Lesion:
    """Ischaemic muscle in one territory."""

    territory: Territory
    muscle: Muscle


def true_parameters(
    contours: Contours,
    k: int,
    x: np.ndarray,
    y: np.ndarray,
    *,
    normal: Muscle,
    lesions: tuple[Lesion, ...],
    variation: float,
    hct: float,
    density: float,
    seed: int,
) -> dict[str, np.ndarray]:
    """F_p, v_p, v_e, PS, T_a and MBF at points x, y mm (n,) of slice ``k`` (0 the apical one), by name, inside units."""
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    depth = contours.depth(radius, angle)
    values = _muscle(normal, np.clip(depth, 0, 1))
    for lesion in lesions:
        share = _membership(lesion.territory, angle, apical=contours is APICAL) * (depth < _BEYOND_THE_WALL)
        sick = _muscle(lesion.muscle, np.clip(depth, 0, 1))
        values = {name: value + share * (sick[name] - value) for name, value in values.items()}
    rng = np.random.default_rng([seed, 10])
    strength = {"MBF": variation, "PS": variation / 2, "v_p": variation, "v_e": variation / 2, "T_a": 2 * variation}
    values = {name: value * _sway(rng, angle, k, strength[name]) for name, value in values.items()}
    return values | {"F_p": values["MBF"] / myocardial_blood_flow(1.0, hct=hct, density=density)}


def _muscle(muscle: Muscle, depth: np.ndarray) -> dict[str, np.ndarray]:
    flat = {name: np.full(depth.shape, getattr(muscle, name)) for name in ("PS", "v_p", "v_e", "T_a")}
    return flat | {"MBF": muscle.MBF * (1 + muscle.across * (depth - 0.5))}


def _membership(territory: Territory, angle: np.ndarray, *, apical: bool) -> np.ndarray:
    """1 inside the territory, 0 outside, with soft ends."""
    centre, half = np.deg2rad(territory.value[1 if apical else 0])
    away = np.abs(np.angle(np.exp(1j * (angle - centre))))
    return 1 / (1 + np.exp((away - half) / _EDGE))


def _sway(rng: np.random.Generator, angle: np.ndarray, k: int, strength: float) -> np.ndarray:
    """Smooth factor around 1 with SD ``strength`` round the wall, turning slowly from slice to slice."""
    phases = rng.uniform(0, 2 * np.pi, _HARMONICS)
    weights = 1 / np.arange(1, _HARMONICS + 1)
    waves = [
        w * np.cos(m * (angle + _TWIST_PER_SLICE * k) + p)
        for m, (w, p) in enumerate(zip(weights, phases, strict=True), 1)
    ]
    return 1 + strength * np.sum(waves, axis=0) / np.sqrt((weights**2).sum() / 2)
