"""What a map shows, and in which unit, as DICOM says it: codes of DCM and UCUM, our own scheme where there is none.

Source: DICOM PS3.16 (CID 4107, 218), UCUM.
"""

from __future__ import annotations

from dataclasses import dataclass

from .quantities import QUANTITIES

OWN_SCHEME = "99MYOPINN"


@dataclass(frozen=True)
class Code:
    """``value`` of ``scheme``, and its ``meaning`` in words."""

    value: str
    scheme: str
    meaning: str


_QUANTITIES = {
    "MBF": Code("126390", "DCM", "Absolute Regional Blood Flow"),
    "v_b": Code("126391", "DCM", "Absolute Regional Blood Volume"),
    "v_p": Code("126331", "DCM", "Vp"),
    "v_e": Code("126314", "DCM", "Ve"),
    "K_trans": Code("126312", "DCM", "Ktrans"),
}
_UCUM = {
    "mL/min/g": "ml/min/g",
    "mL/min/mL": "ml/min/ml",
    "mL/mL": "ml/ml",
    "1/min": "/min",
    "mM": "mmol/l",
    "s": "s",
    "%": "%",
    "1": "1",
}


def quantity_code(name: str) -> Code:
    """The code of a quantity of ``QUANTITIES``."""
    return _QUANTITIES.get(name) or Code(name, OWN_SCHEME, QUANTITIES[name].label.capitalize())


def unit_code(name: str) -> Code:
    """The code of the unit that a quantity is shown in."""
    unit = QUANTITIES[name].unit
    return Code(_UCUM[unit], "UCUM", unit)
