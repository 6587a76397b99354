"""Which map of an analysis is shown, and from which to which value its colours run."""

from __future__ import annotations

from collections.abc import Callable

from ..looks import Mode
from ..quantities import QUANTITIES
from ..scene import SceneAnalysis, usual_limits
from ..scene.drawing import decimals
from .overlay import Shown

_STEPS = 200  # of the range of the colours, that a spin box tells apart


class MapChoice:
    """The widgets of the map. ``tell`` says a sentence, ``changed`` is called when the colours run otherwise."""

    def __init__(self, ui, parameters: Callable, *, tell: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._ui, self._parameters, self._tell, self._changed = ui, parameters, tell, changed
        self._analysis: SceneAnalysis | None = None  # whose colours are set
        self._viewed: SceneAnalysis | None = None
        self._quantities: list[str] = []  # that can be chosen: those that both have
        self._filling = False
        ui.quantitySelector.connect("currentIndexChanged(int)", lambda _: self._choose_quantity())
        for spin in (ui.lowSpin, ui.highSpin):
            spin.connect("valueChanged(double)", lambda _: self._choose_limits())
        ui.rangeButton.connect("clicked()", self._usual_limits)

    @property
    def quantity(self) -> str:
        """The map that is shown."""
        wanted = self._parameters().quantity
        return wanted if wanted in self._quantities else "MBF"

    @property
    def without_sd(self) -> SceneAnalysis | None:
        """An analysis without standard deviations of the map, None where there is none such."""
        both = (self._analysis, self._viewed)
        return next((each for each in both if not each.volumes(self.quantity, sd=True)), None)

    def show(self, analysis: SceneAnalysis | None, viewed: SceneAnalysis | None = None) -> None:
        """List the maps of ``analysis`` and show the chosen one's limits; None: nothing can be chosen. ``viewed``: the rest
        analysis that the views show in its colours.
        """
        self._analysis, self._viewed = analysis, viewed or analysis
        if analysis is not None:
            there = set(self._viewed.quantities)
            self._quantities = [name for name in analysis.quantities if name in there]
            self._filling = True
            self._fill_quantities()
            self._fill_limits()
            self._filling = False

    def shown(self, selected: int) -> Shown:
        """What is to be shown, with the segment ``selected``."""
        chosen, quantity = self._parameters(), self.quantity
        sd = chosen.deviation and self.without_sd is None
        under_stress = chosen.mode is Mode.ANALYSIS and not self._analysis.at_rest
        marked = chosen.markVoxels and quantity == "MBF" and not sd and under_stress
        cut_off = chosen.cutOff if marked else None
        limits = None if self._viewed.node is self._analysis.node else self._analysis.limits(quantity, sd=sd)
        return Shown(
            self._viewed, quantity, sd=sd, colours=chosen.colours, limits=limits, opacity=chosen.opacity, cut_off=cut_off,
            segments=chosen.paintSegments, selected=selected,
        )  # fmt: skip

    def _fill_quantities(self) -> None:
        quantities, box = self._quantities, self._ui.quantitySelector
        if [box.itemData(n) for n in range(box.count)] != quantities:
            box.clear()
            for name in quantities:
                box.addItem(_words(name), name)
        box.currentIndex = quantities.index(self.quantity)

    def _fill_limits(self) -> None:
        shown = self.shown(0)
        limits = shown.limits or self._analysis.limits(shown.quantity, sd=shown.sd)
        unit, places = QUANTITIES[shown.quantity].unit, decimals((limits[1] - limits[0]) / _STEPS)
        self._ui.highSpin.suffix = "" if unit == "1" else f" {unit}"
        for spin, value in zip((self._ui.lowSpin, self._ui.highSpin), limits, strict=True):
            spin.decimals = places
            spin.singleStep = 10.0 ** (1 - places)
            spin.value = value

    def _choose_quantity(self) -> None:
        number = self._ui.quantitySelector.currentIndex
        if not self._filling and number >= 0:
            self._parameters().quantity = self._ui.quantitySelector.itemData(number)

    def _choose_limits(self) -> None:
        low, high = self._ui.lowSpin.value, self._ui.highSpin.value
        if self._filling or self._analysis is None:
            return
        if low < high:
            self._set_limits((low, high))
        else:
            self._tell(
                f"The colours cannot run from {low:g} to {high:g}. Give a lower end that is below the upper one."
            )

    def _usual_limits(self) -> None:
        if self._analysis is not None:
            shown = self.shown(0)
            self._set_limits(usual_limits(shown.quantity, sd=shown.sd))

    def _set_limits(self, limits: tuple[float, float]) -> None:
        shown = self.shown(0)
        self._analysis.colour(shown.quantity, shown.colours, limits=limits, sd=shown.sd, cut_off=shown.cut_off)
        self._changed()


def _words(name: str) -> str:
    quantity = QUANTITIES[name]
    unit = f", {quantity.unit}" if quantity.unit != "1" else ""
    return f"{name}: {quantity.label}{unit}"
