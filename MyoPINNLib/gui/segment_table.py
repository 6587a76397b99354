"""The short table of an analysis's segments that stands in the table view: one quantity, its spread, what is below the cut-off.

It is made anew for what is looked at, so it is not saved with the scene; the whole table is the analysis's own.
"""

from __future__ import annotations

import math
from typing import Any

import slicer
import vtk

from ..scene.added import hidden_node
from .bullseye_content import BullseyeContent

_NAME = "MyoPINN segments as shown"


class SegmentTable:
    """A hidden table node of a bull's-eye's content."""

    def __init__(self) -> None:
        self._node: Any = None

    @property
    def node(self):
        """The table's node, made where the scene has none (any more)."""
        if self._node is None or self._node.GetScene() is not slicer.mrmlScene:
            self._node = hidden_node("vtkMRMLTableNode", _NAME)
            self._node.SetLocked(True)
            self._node.SetUseColumnTitleAsColumnHeader(True)
            self._node.SetUseFirstColumnAsRowHeader(True)
        return self._node

    def show(self, content: BullseyeContent) -> None:
        """Fill the table from ``content``."""
        segments = sorted(content.values.keys() | content.notes.keys())
        columns = {
            "Segment": [content.describe(n).split(":")[0] for n in segments],
            content.column: [self._value(content, n) for n in segments],
        }
        for words, values in content.parts.items():
            columns[words] = [f"{values[n]:.2f}" if n in values else "–" for n in segments]
        columns["Mark"] = [self._mark(content, n) for n in segments]
        if content.voxels:
            columns["Voxels"] = [str(content.voxels.get(n, 0)) for n in segments]
        table = vtk.vtkTable()
        for title, cells in columns.items():
            column = vtk.vtkStringArray()
            column.SetName(title)
            for cell in cells:
                column.InsertNextValue(cell)
            table.AddColumn(column)
        self.node.SetAndObserveTable(table)

    def close(self) -> None:
        """Take the node out of the scene."""
        if self._node is not None and self._node.GetScene() is slicer.mrmlScene:
            slicer.mrmlScene.RemoveNode(self._node)
        self._node = None

    @staticmethod
    def _value(content: BullseyeContent, segment: int) -> str:
        value = content.known.get(segment, math.nan)
        if not math.isfinite(value):
            return "–"
        words = content.words(value)
        if (deviation := content.deviations.get(segment)) is not None:
            words = f"{words} ± {deviation:#.2g}"
        return f"({words})" if segment in content.doubtful else words

    @staticmethod
    def _mark(content: BullseyeContent, segment: int) -> str:
        """Below the cut-off; why there is no value, or why it is doubtful."""
        below = f"< {content.cut_off:g}" if segment in content.below else ""
        return ", ".join(filter(None, [below, content.reasons.get(segment, "")]))
