"""Every choice a user can make, with its default: enums and frozen dataclasses, to and from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum

from .errors import InputError


class Method(str, Enum):
    """How the curves are fitted."""

    NLLS = "nlls"
    FERMI = "fermi"


class Delay(str, Enum):
    """What becomes of the arterial delay T_a."""

    FIT = "fit"
    FIXED = "fixed"


class Conversion(str, Enum):
    """From signal to concentration."""

    TRAIN = "saturation-recovery-train"
    SATURATION_RECOVERY = "saturation-recovery"
    LINEAR = "linear"


class Bolus(str, Enum):
    """How the contrast agent was given."""

    SINGLE = "single"
    DUAL = "dual"


@dataclass(frozen=True)
class SignalSettings:
    """Signal to concentration. Times in s, flip angle in rad, relaxivity in 1/s/mM; ``None``: taken from the files."""

    conversion: Conversion = Conversion.TRAIN
    bolus: Bolus = Bolus.SINGLE
    dose_ratio: float = 0.1
    TS: float | None = None
    TR: float | None = None
    flip_angle: float | None = None
    pulses: int | None = None
    relaxivity: float = 4.9
    T1_blood: float = 1.65
    T1_myocardium: float = 1.15
    baseline_frames: int | None = None


@dataclass(frozen=True)
class FitSettings:
    """The fit. ``T_a`` s is used where ``delay`` is fixed; the delay is sought in ``T_a_range`` s.

    The limits bound the 2CXM's parameters (inside units: 1/s and fractions).
    """

    method: Method = Method.NLLS
    delay: Delay = Delay.FIT
    T_a: float = 0.0
    T_a_range: tuple[float, float] = (-1.0, 6.0)
    F_p_range: tuple[float, float] = (1e-5, 0.25)
    v_p_range: tuple[float, float] = (1e-3, 1.0)
    v_e_range: tuple[float, float] = (1e-3, 1.0)
    PS_range: tuple[float, float] = (1e-6, 0.25)
    max_iterations: int = 60
    chunk: int = 512


@dataclass(frozen=True)
class AHASettings:
    """Segments. ``insertion_lps`` mm: anterior RV insertion point a slice or one for all; levels base to apex."""

    segments: int = 16
    insertion_lps: tuple[tuple[float, float, float], ...] | None = None
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Settings:
    """Everything that decides a result beside the data: kept with every result."""

    signal: SignalSettings = field(default_factory=SignalSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    aha: AHASettings = field(default_factory=AHASettings)
    hct: float = 0.45
    density: float = 1.05

    def to_json(self) -> dict:
        """Plain JSON values."""
        return asdict(self, dict_factory=lambda pairs: {k: v.value if isinstance(v, Enum) else v for k, v in pairs})
