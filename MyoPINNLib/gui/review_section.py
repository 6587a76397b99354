"""The panel's Review: which analysis and map is looked at, how it is coloured, what is marked, and whose curve is shown."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer
import vtk

from ..errors import InputError
from ..looks import Curve, Mode
from ..quantities import QUANTITIES
from ..scene import SceneAnalysis, find_analyses, usual_limits
from ..scene.drawing import decimals
from .bullseye_content import BullseyeContent, content_of, has_segments, reserve_of
from .bullseye_view import BullseyeView
from .curves import CurveInspector
from .frames import FrameFollower
from .layout import PerfusionLayout
from .overlay import Overlay, Shown, images_of
from .segment_table import SegmentTable
from .slices import pages

_RESERVE_CUT_OFF = 2.0
_STEPS = 200  # of the range of the colours, that a spin box tells apart


class ReviewSection:
    """``parameters`` gives the parameter node's wrapper, ``view`` the render view of the bull's-eye."""

    def __init__(self, ui, parameters: Callable, view, say: Callable[[str], None]) -> None:
        self._ui, self._parameters, self._say = ui, parameters, say
        self.layout, self.bullseye = PerfusionLayout(view), BullseyeView(view, on_select=self.select)
        self.overlay, self._table = Overlay(self.layout), SegmentTable()
        self._analysis: SceneAnalysis | None = None
        self.curves: CurveInspector | None = None
        self._frames = FrameFollower(self._show_frame)
        self._selected, self._filling, self._told = 0, False, ""
        self._named: tuple | None = None
        self._tips = {widget.objectName: widget.toolTip for widget in self._needing()}
        for selector in (ui.analysisSelector, ui.restAnalysisSelector):
            selector.addAttribute("vtkMRMLScriptedModuleNode", "MyoPINN.analysis", "1")
        self._connect()

    def _connect(self) -> None:
        ui = self._ui
        ui.quantitySelector.connect("currentIndexChanged(int)", lambda _: self._choose_quantity())
        ui.sliceSelector.connect("currentIndexChanged(int)", lambda _: self._choose_slices())
        for spin in (ui.lowSpin, ui.highSpin):
            spin.connect("valueChanged(double)", lambda _: self._choose_limits())
        for button, pressed in (
            (ui.rangeButton, self._usual_limits),
            (ui.removeButton, self.remove),
            (ui.layoutButton, self.show),
            (ui.copyCurveButton, self.copy_curves),
        ):
            button.connect("clicked()", pressed)

    @property
    def analysis(self) -> SceneAnalysis | None:
        """The analysis that is looked at."""
        return self._analysis

    def guess(self) -> None:
        """Look at the scene's last analysis where none is chosen."""
        if self._parameters().analysis is None and (there := find_analyses()):
            self._parameters().analysis = there[-1].node

    def show(self) -> None:
        """The perfusion layout, with every view on its slice."""
        if self._analysis is not None:
            self.overlay.place(self._analysis)
            self._fill_slices()
            self.update()

    def show_images(self, series) -> None:
        """The perfusion layout with the images of a study that is not computed yet."""
        self.overlay.place_images(series)

    def update(self) -> None:
        """Bring everything on the screen to what is chosen."""
        chosen = self._parameters()
        self._take(chosen.analysis)
        self._enable(self._analysis is not None)
        if self._analysis is None:
            return
        try:
            self._fill_quantities()
            self._show_limits()
            self.overlay.show(self._shown())
            self._show_segments()
        except InputError as error:
            self._tell(str(error))
        else:
            self._tell("")

    def select(self, segment: int) -> None:
        """A segment was clicked in the bull's-eye (0: none): show it in the slice views, and its curve."""
        self._selected = segment
        if self._analysis is None:
            return
        self.overlay.paint(self._analysis, segment, self._parameters().paintSegments)
        if segment:
            self.overlay.reveal(self._analysis, segment)
            self._parameters().curve = Curve.SEGMENT
        self._show_curve()

    def remove(self) -> None:
        """Take the analysis out of the scene, if the user means it."""
        asked = f'Remove the analysis "{self._analysis.name}" with its maps, tables and curves? This cannot be undone.'
        if not slicer.util.confirmYesNoDisplay(asked, windowTitle="MyoPINN"):
            return
        gone, self._parameters().analysis = self._analysis, None
        self._take(None)
        gone.remove()
        self.guess()
        self.update()

    def copy_curves(self) -> None:
        """The curves that are shown, as CSV on the clipboard."""
        if self.curves is not None:
            qt.QApplication.clipboard().setText(self.curves.csv())
            self._say("The curves are on the clipboard.")

    def forget(self) -> None:
        """The scene has closed."""
        self._take(None)

    def let_go(self) -> None:
        """Look at no analysis that is gone."""
        if self._analysis is not None and not self._analysis.there:
            self._take(None)

    def close(self) -> None:
        """Slicer or the module closes: let go of the scene."""
        self.forget()
        self._table.close()
        self.bullseye.close()
        self.layout.close()

    def _take(self, node) -> None:
        """Look at the analysis of ``node``, None: at none."""
        if self._analysis is not None and node is self._analysis.node and self._analysis.there:
            return
        if self.curves is not None:
            self.curves.close()
        self._analysis = SceneAnalysis(node) if node is not None else None
        self._watch_name(node)
        self.curves = self._inspector()
        self._selected = 0
        self.bullseye.select(0)
        self._fill_slices()
        if self.curves is None:
            self._frames.stop()
            self.overlay.clear()
            self.bullseye.show_content(None)
            self._ui.voxelLabel.text = ""
            return
        self.curves.show_segment(self._first_segment())
        self._follow()
        if self.layout.shown:
            self.overlay.place(self._analysis)
        self._frames.follow(images_of(self._analysis))

    def _watch_name(self, node) -> None:
        """Hear of a new name from now on."""
        if self._named is not None:
            self._named[0].RemoveObserver(self._named[1])
        self._named = None
        if node is not None:
            self._named = node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._renamed())

    def _renamed(self) -> None:
        content = self.bullseye.bullseye.content
        if self._analysis is not None and content is not None and self._analysis.name not in content.title:
            self.update()

    def _inspector(self) -> CurveInspector | None:
        if self._analysis is None:
            return None
        return CurveInspector(self._analysis, on_change=self._tell_curve, later=qt.QTimer.singleShot)

    def _follow(self) -> None:
        """Follow the mouse where that is wanted."""
        if self.curves is None:
            return
        chosen = self._parameters()
        if chosen.followMouse and chosen.curve is Curve.VOXEL:
            self.curves.follow(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode"))
        else:
            self.curves.stop()

    def _needing(self) -> tuple:
        """The widgets that need an analysis."""
        ui = self._ui
        return (
            ui.removeButton, ui.layoutButton, ui.copyCurveButton, ui.rangeButton, ui.quantitySelector, ui.deviationCheck,
            ui.lowSpin, ui.highSpin, ui.sliceSelector,
        )  # fmt: skip

    def _enable(self, there: bool) -> None:
        for widget in self._needing():
            self._allow(widget, "" if there else "There is no analysis yet: compute one.")

    def _allow(self, widget, why_not: str) -> None:
        """Enable a widget, or say in its tooltip why it is not."""
        widget.enabled = not why_not
        widget.toolTip = why_not or self._tips[widget.objectName]

    def _fill_slices(self) -> None:
        """Which slices can be looked at together."""
        box = self._ui.sliceSelector
        self._filling = True
        box.clear()
        for page in self._pages():
            words = ", ".join(str(k + 1) for k in page)
            box.addItem(f"slice{'s' * (len(page) > 1)} {words} of {len(self._analysis.label)}")
        self._filling = False

    def _pages(self) -> list[list[int]]:
        return pages(self._analysis.label) if self._analysis is not None else []

    def _choose_slices(self) -> None:
        number = self._ui.sliceSelector.currentIndex
        if not self._filling and self._analysis is not None and number >= 0:
            self.overlay.place_on(self._analysis, self._pages()[number])
            self.update()

    def _fill_quantities(self) -> None:
        """The list of maps of the analysis."""
        quantities, box = self._analysis.quantities, self._ui.quantitySelector
        wanted = self._parameters().quantity
        self._filling = True
        if [box.itemData(n) for n in range(box.count)] != quantities:
            box.clear()
            for name in quantities:
                box.addItem(_words(name), name)
        if wanted not in quantities:
            wanted = "MBF"
        box.currentIndex = quantities.index(wanted)
        self._filling = False
        method, has_sd = self._analysis.method.split(":")[0], bool(self._analysis.volumes(wanted, sd=True))
        self._allow(self._ui.deviationCheck, "" if has_sd else f"{method} gives no standard deviation of {wanted}.")
        alone = len(self._pages()) < 2
        self._allow(self._ui.sliceSelector, "All slices of the heart are in the views." if alone else "")

    def _quantity(self) -> str:
        wanted = self._parameters().quantity
        return wanted if wanted in self._analysis.quantities else "MBF"

    def _shown(self) -> Shown:
        chosen, quantity = self._parameters(), self._quantity()
        sd = chosen.deviation and bool(self._analysis.volumes(quantity, sd=True))
        cut_off = chosen.cutOff if chosen.markVoxels and quantity == "MBF" and not sd else None
        return Shown(
            self._analysis, quantity, sd=sd, colours=chosen.colours, opacity=chosen.opacity,
            cut_off=cut_off,
            segments=chosen.paintSegments, selected=self._selected,
        )  # fmt: skip

    def _show_segments(self) -> None:
        """Bull's-eye, table and curve."""
        self._show_curve()
        try:
            content = self._content()
        except InputError:
            self.bullseye.show_content(None)
            raise
        self.bullseye.show_content(content)
        self._table.show(content)
        view = self.layout.table_node
        if view is not None:
            view.SetTableNodeID(self._table.node.GetID())
            view.Modified()  # the columns take the width of what is in them

    def _content(self) -> BullseyeContent:
        chosen, quantity = self._parameters(), self._quantity()
        if not has_segments(self._analysis, quantity):
            quantity = "MBF"  # the bull's-eye says so
        mark = chosen.cutOff if chosen.markBelow else None
        looks = {"colours": chosen.colours}
        if chosen.mode is Mode.ANALYSIS:
            cut_off, limits = (mark if quantity == "MBF" else None), self._analysis.limits(quantity)
            return content_of(self._analysis, quantity, chosen.statistic, cut_off=cut_off, limits=limits, **looks)
        rest = SceneAnalysis(chosen.restAnalysis) if chosen.restAnalysis is not None else None
        if rest is None:
            raise InputError("The bull's-eye is empty: no rest analysis is chosen.", "Choose it under Rest analysis.")
        if chosen.mode is Mode.REST:
            return content_of(rest, quantity, chosen.statistic, limits=self._analysis.limits(quantity), **looks)
        cut_off = _RESERVE_CUT_OFF if chosen.markBelow else None
        return reserve_of(self._analysis, rest, chosen.statistic, cut_off=cut_off, **looks)

    def _show_curve(self) -> None:
        chosen = self._parameters()
        if chosen.curve is Curve.INPUT:
            self.curves.show_input()
        elif chosen.curve is Curve.SEGMENT:
            self.curves.show_segment(self._selected or self._first_segment())
        self._follow()
        view = self.layout.plot_node
        if view is not None:
            view.SetPlotChartNodeID(self.curves.chart.GetID())
        self._tell_curve()

    def _first_segment(self) -> int:
        return int(self._analysis.label[self._analysis.label > 0].min())

    def _tell_curve(self) -> None:
        if self.curves is not None:
            self._ui.voxelLabel.text = self.curves.text()

    def _show_limits(self) -> None:
        self._filling = True
        shown = self._shown()
        limits = self._analysis.limits(shown.quantity, sd=shown.sd)
        unit, places = QUANTITIES[shown.quantity].unit, decimals((limits[1] - limits[0]) / _STEPS)
        self._ui.highSpin.suffix = "" if unit == "1" else f" {unit}"
        for spin, value in zip((self._ui.lowSpin, self._ui.highSpin), limits, strict=True):
            spin.decimals = places
            spin.singleStep = 10.0 ** (1 - places)
            spin.value = value
        self._filling = False

    def _tell(self, words: str) -> None:
        """What is wrong with what is chosen; "" takes it back."""
        if words != self._told:
            self._told = words
            self._say(words)

    def _show_frame(self, number: int | None) -> None:
        if self.curves is not None:
            self.curves.show_frame(number)

    def _choose_quantity(self) -> None:
        if not self._filling and self._ui.quantitySelector.currentIndex >= 0:
            self._parameters().quantity = self._ui.quantitySelector.itemData(self._ui.quantitySelector.currentIndex)

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
        shown = self._shown()
        self._set_limits(usual_limits(shown.quantity, sd=shown.sd))

    def _set_limits(self, limits: tuple[float, float]) -> None:
        shown = self._shown()
        self._analysis.colour(shown.quantity, shown.colours, limits=limits, sd=shown.sd, cut_off=shown.cut_off)
        self.update()


def _words(name: str) -> str:
    quantity = QUANTITIES[name]
    unit = f", {quantity.unit}" if quantity.unit != "1" else ""
    return f"{name}: {quantity.label}{unit}"
