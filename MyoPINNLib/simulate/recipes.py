"""What a phantom study is made of, and the studies to choose from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from ..quantities import inside
from ..relaxation import Readout
from ..series import Acquisition
from ..settings import SignalSettings
from .chest import Grid
from .passage import Blood, Passage
from .perfusion import Lesion, Muscle, Territory


class Preset(str, Enum):
    """The phantom studies."""

    STRESS = "stress"
    REST = "rest"
    DUAL_BOLUS = "dual-bolus"
    TWO_VESSEL = "two-vessel"
    NOISY = "noisy"
    FAST = "fast"


def _protocol() -> Acquisition:
    return Acquisition(TS=0.11, TR=0.0022, flip_angle=float(np.deg2rad(12.0)), pulses=32, field_strength=3.0)


@dataclass(frozen=True)
class Recipe:
    """A phantom study before it is drawn. Times s, concentrations mM of whole blood, flows in inside units.

    ``noise`` SD as a share of the median peak enhancement of a myocardial pixel; ``breathing`` mm along the columns
    (0: breath held); ``offsets`` place of each slice in the heartbeat; ``pre_bolus`` the time between a diluted first
    injection of ``dose_ratio`` of the dose and the main one, None where there is one injection only.
    """

    normal: Muscle
    left: Passage
    right: Passage
    lesions: tuple[Lesion, ...] = ()
    frames: int = 60
    RR: float = 0.7
    jitter: float = 0.03
    offsets: tuple[float, ...] = (0.02, 0.24, 0.46)
    grid: Grid = field(default_factory=Grid)
    acquisition: Acquisition = field(default_factory=_protocol)
    contrast: SignalSettings = field(default_factory=SignalSettings)
    pre_bolus: float | None = None
    dose_ratio: float = 0.1
    noise: float = 0.05
    breathing: float = 0.0
    variation: float = 0.05
    hct: float = 0.45
    density: float = 1.05

    @property
    def readout(self) -> Readout:
        """The readout that turns R1 into signal."""
        how = self.acquisition
        return Readout(how.TS, how.TR, how.flip_angle, how.pulses)

    def blood(self, passage: Passage) -> Blood:
        """Every injection's passage at one place."""
        if self.pre_bolus is None:
            return Blood((passage,))
        return Blood(
            (passage.scaled(share=self.dose_ratio, delay=0.0), passage.scaled(share=1.0, delay=self.pre_bolus))
        )


def recipe(preset: Preset) -> Recipe:
    """The recipe of a preset."""
    preset = Preset(preset)
    stress = _stress()
    if preset is Preset.REST:
        return _rest()
    if preset is Preset.DUAL_BOLUS:
        return replace(stress, pre_bolus=26.0, frames=110)
    if preset is Preset.TWO_VESSEL:
        return replace(
            stress, lesions=(*stress.lesions, Lesion(Territory.RCA, _muscle(1.2, PS=0.8, T_a=0.9, across=0.4)))
        )
    if preset is Preset.NOISY:
        return replace(stress, noise=0.10)
    if preset is Preset.FAST:
        left, right = replace(stress.left, arrival=5.0), replace(stress.right, arrival=1.4)
        return replace(stress, left=left, right=right, frames=44, grid=Grid(size=84, fine=4))
    return stress


def _stress() -> Recipe:
    return Recipe(
        normal=_muscle(2.8, PS=1.1, T_a=0.35, across=-0.08),
        left=Passage(arrival=9.2, peak=4.9, to_peak=4.9),
        right=Passage(arrival=5.2, peak=6.4, to_peak=3.8, second=0.11, round_trip=11.0),
        lesions=(Lesion(Territory.LAD, _muscle(1.0, PS=0.75, T_a=1.0, across=0.6)),),
    )


def _rest() -> Recipe:
    return Recipe(
        normal=_muscle(0.88, PS=0.7, T_a=0.5, across=-0.1, v_p=0.055),
        left=Passage(arrival=12.8, peak=4.5, to_peak=6.2, round_trip=11.5),
        right=Passage(arrival=7.4, peak=6.2, to_peak=4.8, round_trip=11.5),
        lesions=(Lesion(Territory.LAD, _muscle(0.8, PS=0.65, T_a=0.8, across=0.0, v_p=0.055)),),
        RR=0.93,
        offsets=(0.02, 0.29, 0.56),
    )


def _muscle(MBF: float, *, PS: float, T_a: float, across: float, v_p: float = 0.08) -> Muscle:
    """From MBF mL/min/g and PS mL/min/mL."""
    return Muscle(inside("MBF", MBF), inside("PS", PS), v_p, 0.24, T_a, across)
