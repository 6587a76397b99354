"""Myocardium and LV blood pool of one segmentation: two selectors of its segments, which find the usual names by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import qt


class SegmentChoice:
    """``selectors`` and ``keys``: role -> widget, and -> the parameter that keeps the segment's id; ``node`` is the parameter of the
    segmentation; ``usual`` finds role -> id in a segmentation; ``changed`` is called when something else is chosen.

    ``follows``: a segment that nobody chose is the usual one at any time, and not kept.
    """

    def __init__(
        self,
        selectors: Mapping,
        keys: Mapping[str, str],
        node: str,
        parameters: Callable,
        *,
        usual: Callable[..., Mapping[str, str]],
        changed: Callable[[], None],
        follows: bool = False,
    ) -> None:
        self._selectors, self._keys, self._node, self._follows = selectors, keys, node, follows
        self._parameters, self._usual, self._changed = parameters, usual, changed
        self._tips = {role: selector.toolTip for role, selector in selectors.items()}
        self._filling = False
        self._seen: list[str] = []  # the segments when the selectors were last brought to what is chosen
        for role, selector in selectors.items():
            selector.connect("currentSegmentChanged(QString)", lambda id, role=role: self._keep(role, id))

    @property
    def segmentation(self):
        """The segmentation node that is chosen, None where none is."""
        return getattr(self._parameters(), self._node)

    @property
    def ids(self) -> dict[str, str]:
        """Role -> id of the chosen segment, "" where none is."""
        usual = self._usual(self.segmentation) if self._follows and self.segmentation is not None else {}
        return {role: kept or usual.get(role, "") for role, kept in self._kept.items()}

    @property
    def _kept(self) -> dict[str, str]:
        return {role: getattr(self._parameters(), key) for role, key in self._keys.items()}

    def take(self, node) -> None:
        """Let ``node`` be the segmentation, with its segments by their names where it is another one."""
        another = node is not self.segmentation
        setattr(self._parameters(), self._node, node)
        self.guess(anew=another)

    def guess(self, *, anew: bool = False) -> None:
        """Segments that are not those of the chosen segmentation are found by their names; ``anew``: all of them, since
        equal ids mean other segments in another segmentation.
        """
        if self.segmentation is None:
            return
        usual = {} if self._follows else self._usual(self.segmentation)
        for role, id in self._kept.items():
            if anew or not has_segment(self.segmentation, id):
                setattr(self._parameters(), self._keys[role], usual.get(role, ""))

    def update(self) -> None:
        """Show what is chosen."""
        node = self.segmentation
        self._filling, self._seen = True, _segment_ids(node)
        for role, id in self.ids.items():
            selector = self._selectors[role]
            if selector.currentNode() is not node:
                selector.setCurrentNode(node)
            if selector.currentSegmentID() != id:
                selector.setCurrentSegmentID(id)
            selector.enabled = node is not None
            selector.toolTip = ("" if selector.enabled else "Choose the segmentation first. ") + self._tips[role]
        self._filling = False

    def _keep(self, role: str, id: str) -> None:
        """The selector shows another segment: the user's choice, or its own, the first, where segments came or went."""
        if self._filling or self._parameters() is None:
            return
        there = _segment_ids(self.segmentation)
        if there != self._seen and there[:1] == [id]:
            qt.QTimer.singleShot(0, self._segments_changed)  # once both selectors have heard of it
        else:
            setattr(self._parameters(), self._keys[role], id or "")
            self._changed()

    def _segments_changed(self) -> None:
        if self._parameters() is not None:
            self.guess()
            self._changed()


def has_segment(segmentation, id: str) -> bool:
    """True where a segmentation node holds the segment ``id``."""
    return bool(id) and segmentation.GetSegmentation().GetSegment(id) is not None


def _segment_ids(segmentation) -> list[str]:
    segments = None if segmentation is None else segmentation.GetSegmentation()
    return [] if segments is None else [segments.GetNthSegmentID(n) for n in range(segments.GetNumberOfSegments())]
