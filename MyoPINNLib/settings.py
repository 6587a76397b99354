"""Every choice a user can make, with its default: enums and frozen dataclasses, to and from JSON.

In code a setting has its inside unit (``TS`` s, ``flip_angle`` rad); as JSON its shown unit, which stands in its key
(``TS_ms``, ``flip_angle_deg``). A value that cannot be used is refused when the dataclass is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from . import options
from .errors import InputError
from .network_settings import NetworkSettings, Shift
from .one_shot_settings import OneShotSettings
from .options import Choice, Each, Number, OneOf, option

REFERENCE_HCT = 0.45

_TIMES = "Times of the sequence are given in milliseconds here (TS 100 to 150, TR 2, T1 1000 to 2000)."
_TS = Number(5, 2000, options.MILLISECONDS, optional=True, hint=_TIMES)
_TR = Number(0.1, 100, options.MILLISECONDS, optional=True, hint=_TIMES)
_T1 = Number(100, 5000, options.MILLISECONDS, hint=_TIMES)
_FLIP = Number(0.1, 90, options.DEGREES, optional=True, hint="The flip angle is given in degrees (10 to 15 is usual).")
_FLOW = options.unit_of("F_p")


class Method(str, Enum):
    """How the curves are fitted."""

    NLLS = "nlls"
    FERMI = "fermi"
    MAP = "map"
    ONE_SHOT = "one-shot"
    TWO_COMPARTMENT = "2cxm"
    MESH = "2cxm-mesh"
    REDUCED = "reduced"
    COMBINED = "combined"

    @property
    def is_network(self) -> bool:
        """True for the paper's networks, which need TensorFlow."""
        return self not in (Method.NLLS, Method.MAP, Method.ONE_SHOT, Method.FERMI)

    @property
    def learns(self) -> bool:
        """True for the methods that learn a prior from the study's voxels."""
        return self in (Method.MAP, Method.ONE_SHOT)

    def label(self) -> str:
        """Its words in a list (a method, as Slicer's lists of an enum want it)."""
        return _METHODS[self]


_METHODS = {
    Method.NLLS: "NLLS: exact model, each voxel alone",
    Method.FERMI: "Fermi: deconvolution, flow alone",
    Method.MAP: "MAP: exact model with the study's prior",
    Method.ONE_SHOT: "One-shot: physics-informed, solved at once",
    Method.TWO_COMPARTMENT: "PINN 2CXM (van Herten)",
    Method.MESH: "PINN 2CXM mesh (van Herten)",
    Method.REDUCED: "PINN reduced, flow alone (van Herten)",
    Method.COMBINED: "PINN combined (van Herten's best)",
}


# Of the methods with the smallest median error of F_p on objects of known truth (docs/validation.md, "Methods side by side"),
# map and one-shot, which err alike, the faster. It needs no TensorFlow.
DEFAULT_METHOD = Method.MAP


class Delay(str, Enum):
    """What becomes of the arterial delay T_a."""

    FIT = "fit"
    FIXED = "fixed"


class Input(str, Enum):
    """What the fit takes the arterial input for."""

    JOINT = "joint"
    MEASURED = "measured"


class Spatial(str, Enum):
    """Whether a voxel's neighbours in its slice of the mask have a say in its parameters."""

    NONE = "none"
    NEIGHBOURS = "neighbours"


class Conversion(str, Enum):
    """From signal to concentration."""

    TRAIN = "saturation-recovery-train"
    SATURATION_RECOVERY = "saturation-recovery"
    LINEAR = "linear"

    def label(self) -> str:
        """Its words in a list."""
        return {
            Conversion.TRAIN: "Saturation recovery with readout train",
            Conversion.SATURATION_RECOVERY: "Saturation recovery, no train",
            Conversion.LINEAR: "Linear",
        }[self]


class Bolus(str, Enum):
    """How the contrast agent was given."""

    SINGLE = "single"
    DUAL = "dual"


class SliceLevel(str, Enum):
    """Where a slice lies in the left ventricle."""

    BASAL = "basal"
    MID = "mid"
    APICAL = "apical"
    APEX = "apex"
    NONE = "none"


@dataclass(frozen=True)
class SignalSettings:
    """Signal to concentration. Times in s, flip angle in rad, relaxivity in 1/s/mM; ``None``: taken from the files."""

    conversion: Conversion = option(Conversion.TRAIN, Choice(Conversion))
    bolus: Bolus = option(Bolus.SINGLE, Choice(Bolus))
    dose_ratio: float = option(0.1, Number(0.001, 1.0, hint="The pre-bolus's share of the main dose: 0.1 for 10 %."))
    TS: float | None = option(None, _TS)
    TR: float | None = option(None, _TR)
    flip_angle: float | None = option(None, _FLIP)
    pulses: int | None = option(
        None, Number(1, 1024, whole=True, optional=True, hint="Readout pulses up to the k-space centre.")
    )
    relaxivity: float = option(4.9, Number(0.5, 50.0, options.PER_S_MM))
    T1_blood: float = option(1.65, _T1)
    T1_myocardium: float = option(1.15, _T1)
    baseline_frames: int | None = option(None, Number(1, 1000, whole=True, optional=True))

    def __post_init__(self) -> None:
        options.checked(self)


def _limits(default: tuple[float, float], unit: options.Unit, low: float, high: float):
    return option(default, Each(Number(low, high, unit), size=2, optional=False, rising=True))


@dataclass(frozen=True)
class FitSettings:
    """The fit. ``T_a`` s is used where ``delay`` is fixed; the delay is sought in ``T_a_range`` s. A network knows no
    delay of its own (paper); see ``network.shift``.

    ``input``, of methods map and one-shot: the measured input as it is, or fitted with the tissue where its samples are noisy.

    The limits of a study are meant at a haematocrit of ``REFERENCE_HCT``; the pipeline moves them with 1 - Hct.

    The limits bound the 2CXM's parameters (inside units: 1/s and fractions).
    """

    method: Method = option(DEFAULT_METHOD, Choice(Method))
    delay: Delay = option(Delay.FIT, Choice(Delay))
    input: Input = option(Input.MEASURED, Choice(Input))
    T_a: float = option(0.0, Number(-60, 60, options.SECONDS))
    T_a_range: tuple[float, float] = _limits((-1.0, 6.0), options.SECONDS, -60, 60)
    F_p_range: tuple[float, float] = _limits((1e-5, 0.25), _FLOW, 1e-9, 1e4)
    v_p_range: tuple[float, float] = _limits((1e-3, 1.0), options.PLAIN, 1e-9, 10)
    v_e_range: tuple[float, float] = _limits((1e-3, 1.0), options.PLAIN, 1e-9, 10)
    PS_range: tuple[float, float] = _limits((1e-6, 0.25), _FLOW, 1e-9, 1e4)
    max_iterations: int = option(100, Number(1, 100000, whole=True))
    tolerance: float = option(
        0.01,
        Number(1e-12, 10, hint="In units of the noise variance: a step that lowers chi-square by less is not taken."),
    )
    chunk: int = option(512, Number(1, 10**9, whole=True))
    spatial: Spatial = option(Spatial.NONE, Choice(Spatial))
    one_shot: OneShotSettings = field(default_factory=OneShotSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)

    def __post_init__(self) -> None:
        options.checked(self)
        if self.method.is_network and self.network.shift is Shift.PRESHIFT and self.delay is Delay.FIXED:
            raise InputError(
                f"The delay is fixed at {self.T_a:g} s and the network's shift is {self.network.shift.value}.",
                "Preshift takes the delay that NLLS finds: leave the delay at fit, or the shift off.",
            )
        if self.input is Input.JOINT and not self.method.learns:
            raise InputError(
                f"The method {self.method.value} takes the input as it was measured.",
                f"Take method {Method.MAP.value} or {Method.ONE_SHOT.value}, or input {Input.MEASURED.value}.",
            )
        if self.spatial is Spatial.NEIGHBOURS and not self.method.learns:
            raise InputError(
                f"The method {self.method.value} cannot couple neighbours.",
                f"Take method {Method.MAP.value} or {Method.ONE_SHOT.value}, or spatial {Spatial.NONE.value}.",
            )


@dataclass(frozen=True)
class AHASettings:
    """Segments. ``insertion_lps`` mm: anterior RV insertion point a slice or one for all; ``levels`` one a slice, in the study's order."""

    segments: int = option(16, OneOf((16, 17)))
    insertion_lps: tuple[tuple[float, float, float], ...] | None = option(
        None, Each(Each(Number(-1e5, 1e5, options.LPS_MM), size=3, optional=False))
    )
    levels: tuple[str, ...] | None = option(None, Each(Choice(SliceLevel)))

    def __post_init__(self) -> None:
        options.checked(self)


@dataclass(frozen=True)
class Settings:
    """Everything that decides a result beside the data: kept with every result."""

    signal: SignalSettings = field(default_factory=SignalSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    aha: AHASettings = field(default_factory=AHASettings)
    hct: float = option(REFERENCE_HCT, Number(0, 0.85, hint="The haematocrit is a fraction: 0.45 for 45 %."))
    density: float = option(1.05, Number(0.5, 2.0, options.G_ML, hint="Myocardium has 1.05 g/mL."))

    def __post_init__(self) -> None:
        options.checked(self)

    def to_json(self) -> dict:
        """Plain JSON values in shown units, each key with its unit."""
        return options.write(self)

    def digest(self) -> str:
        """Twelve letters that name these settings: kept in every map, so that a map and its settings can be matched."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:12]


def settings_from_json(values: Mapping) -> Settings:
    """Settings from what ``to_json`` wrote or a user typed; what is left out takes its default.

    Raises InputError for an unknown key, a wrong type, a value out of its range, and for an unknown choice (naming those there are).
    """
    return options.read(Settings, values, "The settings")
