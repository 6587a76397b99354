"""Which of the review's widgets can be used, and why not: said in their tooltips."""

from __future__ import annotations

from ..looks import Mode

_NONE = "There is no analysis yet: compute one."
_AT_REST = "Nothing is marked at rest: the cut-off is one of flow under stress."
_OF_RESERVE = "There is no map of the reserve to be marked."


class ReviewWidgets:
    """The widgets of the review in ``ui``, with the tooltips that they have where they can be used."""

    def __init__(self, ui) -> None:
        self._ui = ui
        self._needing = (
            ui.removeButton, ui.layoutButton, ui.copyCurveButton, ui.rangeButton, ui.quantitySelector, ui.deviationCheck,
            ui.lowSpin, ui.highSpin, ui.sliceSelector,
        )  # fmt: skip
        marks = (ui.cutOffSpin, ui.markCheck, ui.markVoxelsCheck)
        self._tips = {widget.objectName: widget.toolTip for widget in (*self._needing, *marks)}

    def allow(self, widget, why_not: str) -> None:
        """Enable a widget, or say in its tooltip why it is not."""
        widget.enabled = not why_not
        widget.toolTip = why_not or self._tips[widget.objectName]

    def enable(self, why_not: str, *, chosen: bool) -> None:
        """What needs an analysis; what is left of a ``chosen`` one that is not whole can be removed."""
        for widget in self._needing:
            self.allow(widget, why_not if chosen else _NONE)
        if chosen:
            self.allow(self._ui.removeButton, "")

    def show_marks(self, mode: Mode) -> None:
        """The cut-off of what is shown, and what cannot be marked."""
        ui, in_reserve = self._ui, mode is Mode.RESERVE
        ui.cutOffSpin.visible, ui.reserveCutOffSpin.visible = not in_reserve, in_reserve
        ui.cutOffSpinLabel.toolTip = (
            ui.reserveCutOffSpin.toolTip if in_reserve else self._tips[ui.cutOffSpin.objectName]
        )
        at_rest = _AT_REST if mode is Mode.REST else ""
        for widget in (ui.cutOffSpin, ui.markCheck):
            self.allow(widget, at_rest)
        self.allow(ui.markVoxelsCheck, at_rest or (_OF_RESERVE if in_reserve else ""))
