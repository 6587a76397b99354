"""The one table of names, OSIPI CAPLEX codes and units; units are converted here and nowhere else.

Inside the library: s, mM, mL/s/mL, fractions. At the doors (files, command line, job, scene): the shown unit.
Source: OSIPI CAPLEX lexicon (Q.PH1.*, Q.IC1.001); MBF is blood flow (Q.PH1.003) per gram of tissue (Q.PH1.011).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SECONDS_PER_MINUTE = 60.0
MILLISECONDS_PER_SECOND = 1000.0
PERCENT = 100.0


@dataclass(frozen=True)
class Quantity:
    """One quantity: ``shown value = inside value * factor``.

    ``column`` is the quantity's name in tables (ASCII, with its unit); ``limits`` is the display range in the shown unit.
    """

    name: str
    label: str
    code: str
    inside_unit: str
    unit: str
    factor: float
    column: str
    limits: tuple[float, float]

    def shown(self, value):
        """Inside unit to shown unit (scalar or array)."""
        return value * self.factor

    def inside(self, value):
        """Shown unit to inside unit (scalar or array)."""
        return value / self.factor


_FLOW = ("mL/s/mL", "mL/min/mL", SECONDS_PER_MINUTE)
_PER_GRAM = ("mL/s/g", "mL/min/g", SECONDS_PER_MINUTE)
_FRACTION = ("mL/mL", "mL/mL", 1.0)
_CONCENTRATION = ("mM", "mM", 1.0)
_SECONDS = ("s", "s", 1.0)

_ROWS = (
    ("F_p", "plasma flow", "Q.PH1.002", *_FLOW, "F_p_mL_min_mL", (0.0, 3.0)),
    ("F_b", "blood flow", "Q.PH1.003", *_FLOW, "F_b_mL_min_mL", (0.0, 5.0)),
    ("MBF", "myocardial blood flow", "Q.PH1.003 per Q.PH1.011", *_PER_GRAM, "MBF_mL_min_g", (0.0, 4.0)),
    ("v_p", "plasma volume", "Q.PH1.001.p", *_FRACTION, "v_p", (0.0, 0.2)),
    ("v_b", "blood volume", "Q.PH1.001.b", *_FRACTION, "v_b", (0.0, 0.3)),
    ("v_e", "interstitial volume", "Q.PH1.001.e", *_FRACTION, "v_e", (0.0, 0.5)),
    ("PS", "permeability surface area product", "Q.PH1.004", *_FLOW, "PS_mL_min_mL", (0.0, 2.0)),
    (
        "PS_g",
        "permeability surface area product per gram",
        "Q.PH1.004 per Q.PH1.011",
        *_PER_GRAM,
        "PS_mL_min_g",
        (0.0, 2.0),
    ),
    ("E", "extraction fraction", "Q.PH1.005", "1", "%", PERCENT, "E_percent", (0.0, 100.0)),
    (
        "K_trans",
        "volume transfer constant",
        "Q.PH1.008",
        "1/s",
        "1/min",
        SECONDS_PER_MINUTE,
        "K_trans_per_min",
        (0.0, 1.5),
    ),
    ("MTT", "mean transit time", "Q.PH1.006", *_SECONDS, "MTT_s", (0.0, 20.0)),
    ("T_a", "arterial delay", "Q.PH1.007", *_SECONDS, "T_a_s", (0.0, 4.0)),
    ("residual", "root mean square residual", "", *_CONCENTRATION, "residual_mM", (0.0, 0.1)),
    ("valid", "reliable voxel", "", "1", "1", 1.0, "valid", (0.0, 1.0)),
    ("C_ap", "arterial plasma concentration", "Q.IC1.001", *_CONCENTRATION, "C_ap_mM", (0.0, 10.0)),
    ("C_ab", "arterial blood concentration", "Q.IC1.001", *_CONCENTRATION, "C_ab_mM", (0.0, 6.0)),
    ("C_p", "plasma concentration", "Q.IC1.001", *_CONCENTRATION, "C_p_mM", (0.0, 10.0)),
    ("C_e", "interstitial concentration", "Q.IC1.001", *_CONCENTRATION, "C_e_mM", (0.0, 3.0)),
    ("C_t", "tissue concentration", "Q.IC1.001", *_CONCENTRATION, "C_t_mM", (0.0, 1.5)),
)

QUANTITIES: dict[str, Quantity] = {row[0]: Quantity(*row) for row in _ROWS}


def shown(name: str, value):
    """``value`` of the quantity ``name`` in its shown unit."""
    return QUANTITIES[name].shown(value)


def inside(name: str, value):
    """``value`` of the quantity ``name``, given in its shown unit, in its inside unit."""
    return QUANTITIES[name].inside(value)


def seconds_from_milliseconds(value):
    """DICOM's and the user's milliseconds to the library's seconds."""
    return value / MILLISECONDS_PER_SECOND


def milliseconds_from_seconds(value):
    """The library's seconds to milliseconds (doors only)."""
    return value * MILLISECONDS_PER_SECOND


def minutes_and_seconds(value: float) -> tuple[int, int]:
    """A duration in s as whole minutes and the seconds that remain."""
    minutes, rest = divmod(round(value), round(SECONDS_PER_MINUTE))
    return minutes, rest


def radians_from_degrees(value: float) -> float:
    """The user's and DICOM's degrees to the library's radians."""
    return math.radians(value)


def degrees_from_radians(value: float) -> float:
    """The library's radians to degrees (doors only)."""
    return math.degrees(value)


def seconds_from_minutes(value):
    """Minutes (the paper's objects) to the library's seconds."""
    return value * SECONDS_PER_MINUTE


def minutes_from_seconds(value):
    """The library's seconds to minutes."""
    return value / SECONDS_PER_MINUTE


def flow_from_per_100_ml_min(value):
    """OSIPI's mL/100mL/min to mL/s/mL."""
    return value / (PERCENT * SECONDS_PER_MINUTE)


def percent(value):
    """A fraction as per cent (doors only)."""
    return value * PERCENT
