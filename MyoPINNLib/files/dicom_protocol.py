"""How the images were made, as far as DICOM says: TS, readout pulses, flip angle, field.

No tag tells how many readout pulses come before the k-space centre. Half of the phase-encoding steps is taken (linear
order) and said, so that the user can correct it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..quantities import milliseconds_from_seconds as ms
from ..quantities import radians_from_degrees, seconds_from_milliseconds
from ..series import Acquisition

LONGEST_TR = 0.020


@dataclass(frozen=True)
class Protocol:
    """What one frame's tags say; None where they do not. Times s, flip angle rad, field T."""

    TS: float | None = None
    TR: float | None = None
    flip_angle: float | None = None
    lines: int | None = None
    field_strength: float | None = None


def number(tags: dict, keyword: str) -> float | None:
    """A finite number from ``tags`` (the first of several values), or None."""
    value = tags.get(keyword)
    if value is not None and not isinstance(value, (str, bytes)) and hasattr(value, "__getitem__"):
        value = value[0] if len(value) else None
    try:
        result = float(value)
    except (TypeError, ValueError):
        return None
    return result if np.isfinite(result) else None


def protocol_of(tags: dict) -> Protocol:
    """The protocol of one frame, ordinary or enhanced (functional groups laid flat)."""
    saturated = str(tags.get("SaturationRecovery", "YES")) == "YES"
    TS = _positive(tags, "InversionTime") or (_positive(tags, "InversionTimes") if saturated else None)
    TR, angle = _positive(tags, "RepetitionTime"), _positive(tags, "FlipAngle")
    lines = _positive(tags, "NumberOfPhaseEncodingSteps") or _positive(tags, "MRAcquisitionPhaseEncodingStepsInPlane")
    return Protocol(
        TS=None if TS is None else seconds_from_milliseconds(TS),
        TR=None if TR is None else seconds_from_milliseconds(TR),
        flip_angle=None if angle is None else radians_from_degrees(angle),
        lines=None if lines is None else int(lines),
        field_strength=_positive(tags, "MagneticFieldStrength"),
    )


def _positive(tags: dict, keyword: str) -> float | None:
    value = number(tags, keyword)
    return value if value is not None and value > 0 else None


def acquisition(protocols: Sequence[Protocol], *, time_source: str, notes: tuple[str, ...]) -> Acquisition:
    """One acquisition from the protocols of all frames; what differs or was assumed is noted."""
    doubts: list[str] = []
    TS = _one(protocols, "TS", doubts)
    TR, flip_angle = _readout(protocols, doubts)
    pulses = _pulses(_one(protocols, "lines", doubts), TS, TR, doubts)
    return Acquisition(
        TS=TS,
        TR=TR,
        flip_angle=flip_angle,
        pulses=pulses,
        field_strength=_one(protocols, "field_strength", doubts),
        time_source=time_source,
        notes=(*notes, *doubts),
    )


_SHOWN = {
    "TS": ("saturation times (InversionTime)", ms, "ms"),
    "TR": ("repetition times", ms, "ms"),
    "flip_angle": ("flip angles", np.rad2deg, "degrees"),
    "lines": ("numbers of phase-encoding steps", int, ""),
    "field_strength": ("field strengths", float, "T"),
}


def _one(protocols: Sequence[Protocol], name: str, doubts: list[str]):
    """The commonest value, and a doubt where the frames differ."""
    told = [getattr(protocol, name) for protocol in protocols if getattr(protocol, name) is not None]
    if not told:
        return None
    values = sorted(set(told))
    taken = max(values, key=told.count)
    if len(values) > 1:
        words, shown, unit = _SHOWN[name]
        doubts.append(
            f"the images have several {words}, {shown(values[0]):g} to {shown(values[-1]):g} {unit}".rstrip()
            + f": {shown(taken):g} was taken"
        )
    return taken


def _readout(protocols: Sequence[Protocol], doubts: list[str]) -> tuple[float | None, float | None]:
    TR = _one(protocols, "TR", doubts)
    if TR is not None and TR >= LONGEST_TR:
        doubts.append(
            f"RepetitionTime is {ms(TR):g} ms, too long for the time between readout pulses (about 2 ms): not used, give --TR"
        )
        TR = None
    return TR, _one(protocols, "flip_angle", doubts)


def _pulses(lines: int | None, TS: float | None, TR: float | None, doubts: list[str]) -> int | None:
    """n = lines / 2, unless the train would then be longer than TS."""
    if lines is None:
        return None
    pulses = max(1, (lines + 1) // 2)
    if TS is not None and TR is not None and (pulses - 1) * TR >= TS:
        doubts.append(
            f"half of the {lines} phase-encoding steps, {ms(TR):g} ms apart, last longer than TS ({ms(TS):g} ms): "
            "the pulses before the k-space centre are not known, give --pulses"
        )
        return None
    doubts.append(
        f"{pulses} readout pulses before the k-space centre: half of the {lines} phase-encoding steps, "
        "linear order assumed (--pulses sets it)"
    )
    return pulses
