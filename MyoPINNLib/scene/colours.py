"""Colours of maps and segments as nodes of the scene.

``Colours.ORDERED`` is viridis (perceptually ordered, told apart by colour-blind readers, public domain), the colours of the
engine's own pictures; ``Colours.CLINICAL`` runs from dark blue (no flow) over green and yellow to red, as perfusion maps
in the clinic often do.
"""

from __future__ import annotations

import numpy as np

from ..looks import Colours
from ..polar import NAMES, TERRITORY, TERRITORY_COLOURS
from .nodes import the_scene

ATTRIBUTE = "MyoPINN.colours"
SEGMENTS = "segments"
_STEPS = 256
_BYTE = 255.0


_ANCHORS = {
    Colours.ORDERED: (
        "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"
    ),
    Colours.CLINICAL: "08103c 142c8c 1e64c8 1ea0b4 28b45a 8cc83c f0dc32 f59628 dc2820",
}
MARK = "#e8308a"
_MARKED, _MARKS = "marked", "MyoPINN.marks"
_TITLES = {Colours.ORDERED: "MyoPINN ordered", Colours.CLINICAL: "MyoPINN clinical"}


def rgb(word: str) -> np.ndarray:
    """(3,) red, green, blue from 0 to 1 of six hexadecimal digits, with or without "#"."""
    digits = word.removeprefix("#")
    return np.array([int(digits[n : n + 2], 16) for n in (0, 2, 4)]) / _BYTE


def territory_ink(segment: int) -> np.ndarray:
    """(3,) red, green, blue of the coronary territory that an AHA segment counts to, as in the engine's pictures."""
    return rgb(TERRITORY_COLOURS[TERRITORY[segment]])


def colour_table(colours: Colours) -> np.ndarray:
    """(256, 3) red, green, blue from 0 to 1, from low to high."""
    anchors = np.array([rgb(word) for word in _ANCHORS[colours].split()])
    places = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(np.linspace(0, 1, _STEPS), places, anchors[:, n]) for n in range(3)], axis=-1)


def colour_node(colours: Colours):
    """The scene's node of a colour table; made where it is not there yet. All analyses of a scene share it."""
    node = _there(colours.value)
    if node is None:
        node = _new(colours.value, _TITLES[colours], _STEPS)
        _fill(node, colour_table(colours))
    return node


def marked_node(colours: Colours, share: float):
    """The scene's node of a colour table whose lowest ``share`` (0 to 1) is one striking colour: what is below a cut-off."""
    node = _there(_MARKED)
    if node is None:
        node = _new(_MARKED, "MyoPINN marked below the cut-off", _STEPS)
    below = round(min(max(share, 0.0), 1.0) * _STEPS)
    if node.GetAttribute(_MARKS) != f"{colours.value} {below}":
        table = colour_table(colours)
        table[:below] = rgb(MARK)
        _fill(node, table)
        node.SetAttribute(_MARKS, f"{colours.value} {below}")
    return node


def _fill(node, table: np.ndarray) -> None:
    """The colours (n, 3) of a node, told to those who look at it once, not 256 times."""
    modifying = node.StartModify()
    for n, (red, green, blue) in enumerate(table):
        node.SetColor(n, f"{n}", red, green, blue, 1.0)
    node.EndModify(modifying)


def segment_colours(name: str):
    """A node of its own that paints the AHA segments in their territory's colour: opacity is what highlights one."""
    node = _new(SEGMENTS, name, max(NAMES) + 1)
    node.SetColor(0, "none", 0.0, 0.0, 0.0, 0.0)
    for number, words in NAMES.items():
        shade = 0.75 + 0.25 * (number % 2)  # neighbours of one territory differ
        node.SetColor(number, f"{number} {words}", *(shade * territory_ink(number)), 0.0)
    return node


def show_segments(node, numbers) -> None:
    """Paint the segments ``numbers`` alone; none of them hides all."""
    chosen = set(numbers)
    modifying = node.StartModify()
    for number in NAMES:
        node.SetOpacity(number, 1.0 if number in chosen else 0.0)
    node.EndModify(modifying)


def shared_colours() -> list:
    """The colour tables that analyses share."""
    kinds = [*(colours.value for colours in Colours), _MARKED]
    return [node for kind in kinds if (node := _there(kind)) is not None]


def _there(kind: str):
    scene = the_scene()
    for n in range(scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")):
        node = scene.GetNthNodeByClass(n, "vtkMRMLColorTableNode")
        if node.GetAttribute(ATTRIBUTE) == kind:
            return node
    return None


def _new(kind: str, name: str, size: int):
    node = the_scene().AddNewNodeByClass("vtkMRMLColorTableNode", name)
    node.SetTypeToUser()
    node.SetAttribute(ATTRIBUTE, kind)
    node.SetAttribute("Category", "MyoPINN")
    node.SetHideFromEditors(False)
    node.SetNumberOfColors(size)
    return node
