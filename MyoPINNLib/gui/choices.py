"""What is chosen in the panel, as one value; why it cannot be computed yet, in one sentence; and the settings of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import slicer

from ..errors import InputError
from ..network_settings import Shift, Start
from ..quantities import minutes_and_seconds
from ..scene import frame_times
from ..settings import Settings, Spatial, settings_from_json

FIELDS = {
    "--TS": "Saturation time",
    "--TR": "Readout TR",
    "--flip-angle": "Flip angle",
    "--pulses": "Pulses to the centre",
    "--conversion": "Conversion",
    "--T1-blood": "T1 of blood",
    "--T1-myocardium": "T1 of myocardium",
    "--interval": "Edit frame times",
}
_USUAL = "Native T1"
_NO_SERIES = "Choose the stress series, load a DICOM folder, or load the sample."
_NO_SEGMENTATION = "Choose the segmentation of the heart, drawn on the series."


def chosen_twice(studies: Sequence[Study]) -> str:
    """Which series is chosen for two studies, with what to do; "" where none is."""
    every = [node for study in studies for node in study.series]
    twice = next((node for node in every if every.count(node) > 1), None)
    return (
        "" if twice is None else f'"{twice.GetName()}" is chosen for both stress and rest. Leave it out of one of them.'
    )


@dataclass(frozen=True)
class Study:
    """The nodes of one study: ``series``, one sequence or one a slice; segment ids; ``insertion`` a point list or None;
    ``rest``: taken at rest.
    """

    name: str
    series: tuple = ()
    segmentation: Any = None
    myocardium: str = ""
    blood_pool: str = ""
    insertion: Any = None
    rest: bool = False

    @property
    def key(self) -> tuple:
        """What tells this study from another one of the same scene."""
        nodes = (*self.series, self.segmentation, self.insertion)
        return (*(node and node.GetID() for node in nodes), self.myocardium, self.blood_pool)

    @property
    def points(self):
        """The insertion's node where a point is set in it."""
        return self.insertion if has_point(self.insertion) else None


def has_point(insertion) -> bool:
    """True where a point list holds a point that is set."""
    placed = slicer.vtkMRMLMarkupsNode.PositionDefined
    return insertion is not None and any(
        insertion.GetNthControlPointPositionStatus(n) == placed for n in range(insertion.GetNumberOfControlPoints())
    )


def frames_of(node) -> int:
    """How many frames a series node has."""
    if node.IsA("vtkMRMLSequenceNode"):
        return node.GetNumberOfDataNodes()
    return node.GetNumberOfFrames() if hasattr(node, "GetNumberOfFrames") else 1


def trouble(study: Study) -> str:
    """Why the study cannot be computed yet, with what to do; "" where nothing is known against it.

    Only what costs no time is looked at; the rest is said when it is computed.
    """
    if not study.series:
        return f"No perfusion series is chosen. {_NO_SERIES}"
    try:
        for node in study.series:
            frame_times(node, _enough_frames(node))
    except InputError as error:
        return str(error)
    if study.segmentation is None:
        return f"No segmentation is chosen. {_NO_SEGMENTATION}"
    return _segment_trouble(study)


def _segment_trouble(study: Study) -> str:
    for id, words in ((study.myocardium, "myocardium"), (study.blood_pool, "LV blood pool")):
        if not id or study.segmentation.GetSegmentation().GetSegment(id) is None:
            name = study.segmentation.GetName()
            return f'No segment of "{name}" is chosen for the {words}. Choose one, or draw it in the Segment Editor.'
    if study.myocardium == study.blood_pool:
        return "The same segment is chosen for the myocardium and the LV blood pool. Choose two different ones."
    return ""


def _enough_frames(node) -> int:
    frames = frames_of(node)
    if frames < 2:
        raise InputError(
            f'"{node.GetName()}" has {frames} frame{"s" * (frames != 1)}; perfusion needs a series over time.',
            "Choose the sequence of the perfusion frames.",
        )
    return frames


def time_words(series) -> str:
    """The time axis of series nodes in a line: frames, over how long, how far apart, and where that is known from.

    Raises InputError where it is not known.
    """
    found = [frame_times(node, _enough_frames(node)) for node in series]
    if not found:
        return ""
    frames = sorted({len(each.time) for each in found})
    last = max(float(each.time.max() - each.time.min()) for each in found)
    gaps = [gap for each in found for gap in (each.time[1:] - each.time[:-1]).tolist()]
    notes = sorted({note for each in found for note in each.notes})
    sources = " and ".join(dict.fromkeys(each.source for each in found))
    counted = " or ".join(map(str, frames))
    words = f"{counted} frames over {last:.1f} s, {min(gaps):.2f} to {max(gaps):.2f} s apart; {sources}"
    return ". ".join([words, *notes])


def left_words(seconds: float | None) -> str:
    """The time left in words, "" where nobody knows it."""
    if seconds is None:
        return ""
    minutes, rest = minutes_and_seconds(seconds)
    return f"{minutes} min {rest} s left" if minutes else f"{rest} s left"


def without_options(text: str) -> str:
    """What the engine says, with the panel's fields in place of the options of its command line."""
    text = re.sub(r"\s*\(--[\w-]+ sets it\)|\s*\((--[\w-]+(, )?)+\)", "", text)
    return re.sub(r"--[\w-]+", lambda option: FIELDS.get(option.group(), option.group()), text)


def by_weight(notes) -> list[str]:
    """The engine's notes without its options: first what is odd about this study, last what is said of every one."""
    return sorted(map(without_options, notes), key=lambda note: note.startswith(_USUAL) or "readout pulses" in note)


def settings_of(chosen, levels: tuple[str, ...] | None = None) -> Settings:
    """The settings that the panel's parameters ``chosen`` stand for; ``levels`` one a slice, None: automatic.

    Raises InputError where a value cannot be used.
    """
    warm = chosen.start is not Start.RANDOM
    network = {
        "steps": chosen.steps,
        "start": chosen.start.value,
        "shift": (Shift.PRESHIFT if warm else Shift.OFF).value,
        "device": chosen.device.value,
    }
    coupled = chosen.spatial and chosen.method.learns
    fit = {
        "method": chosen.method.value,
        "spatial": (Spatial.NEIGHBOURS if coupled else Spatial.NONE).value,
        "one_shot": {"device": chosen.device.value},
    }
    if chosen.method.is_network:
        fit["network"] = network
    signal = {
        "conversion": chosen.conversion.value,
        "TS_ms": chosen.saturationTime or None,
        "TR_ms": chosen.readoutTR or None,
        "flip_angle_deg": chosen.flipAngle or None,
        "pulses": chosen.pulses or None,
        "T1_blood_ms": chosen.bloodT1,
        "T1_myocardium_ms": chosen.myocardiumT1,
        "relaxivity_per_s_mM": chosen.relaxivity,
    }
    aha = {"segments": int(chosen.segments), "levels": list(levels) if levels else None}
    return settings_from_json(
        {"hct": chosen.hct, "density_g_mL": chosen.density, "signal": signal, "fit": fit, "aha": aha}
    )
