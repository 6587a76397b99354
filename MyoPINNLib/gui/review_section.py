"""The panel's Review: which analysis and map is looked at, how it is coloured, what is marked, and whose curve is shown."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer
import vtk

from ..errors import InputError
from ..looks import Mode
from ..scene import SceneAnalysis, find_analyses
from .bullseye_content import BullseyeContent, content_of, has_segments, reserve_of
from .bullseye_view import BullseyeView
from .curves import CurveInspector
from .layout import PerfusionLayout
from .map_choice import MapChoice
from .overlay import Overlay
from .review_curves import ReviewCurves
from .review_widgets import ReviewWidgets
from .segment_table import SegmentTable
from .slice_choice import SliceChoice


class ReviewSection:
    """``parameters`` gives the parameter node's wrapper, ``view`` the render view of the bull's-eye."""

    def __init__(self, ui, parameters: Callable, view, say: Callable[[str], None]) -> None:
        self._ui, self._parameters, self._say = ui, parameters, say
        self.layout, self.bullseye = PerfusionLayout(view), BullseyeView(view, on_select=self.select)
        self.overlay, self._table = Overlay(self.layout, self._views_moved), SegmentTable()
        self._map = MapChoice(ui, parameters, tell=self._tell, changed=self.update)
        self._slices = SliceChoice(ui.sliceSelector, self._choose_slices)
        self._analysis: SceneAnalysis | None = None
        self._viewed: SceneAnalysis | None = None  # in the views: the analysis, or the one at rest beside it
        self._curves = ReviewCurves(self.layout, parameters, self._tell_curve)
        self._selected, self._told, self._shown_name = 0, "", ""
        self._named: tuple | None = None
        self._widgets = ReviewWidgets(ui)
        self._beside: SceneAnalysis | None = None  # the rest analysis in the bull's-eye
        for selector in (ui.analysisSelector, ui.restAnalysisSelector):
            selector.addAttribute("vtkMRMLScriptedModuleNode", "MyoPINN.analysis", "1")
        self._connect()

    def _connect(self) -> None:
        ui = self._ui
        for button, pressed in (
            (ui.removeButton, self.remove),
            (ui.layoutButton, self.show),
            (ui.copyCurveButton, self.copy_curves),
        ):
            button.connect("clicked()", pressed)

    @property
    def curves(self) -> CurveInspector | None:
        """The curves that are shown."""
        return self._curves.inspector

    @property
    def analysis(self) -> SceneAnalysis | None:
        """The analysis that is looked at."""
        return self._analysis

    @property
    def reserve(self) -> BullseyeContent | None:
        """Stress over rest, None where there are no two analyses for it."""
        try:
            return reserve_of(self._analysis, self._rest(), self._parameters().statistic)
        except InputError:
            return None

    def guess(self) -> None:
        """Look at the scene's last analysis where none is chosen."""
        if self._parameters().analysis is None and (there := find_analyses()):
            self._parameters().analysis = there[-1].node

    def show(self) -> None:
        """The perfusion layout, with every view on its slice."""
        if self._analysis is not None:
            self._view(self._at_rest() or self._analysis)
            self.overlay.place(self._viewed, rest=self._shows_rest)
            self.update()

    def show_images(self, series) -> None:
        """The perfusion layout with the images of a study that is not computed yet."""
        self.overlay.place_images(series)

    def update(self) -> None:
        """Bring everything on the screen to what is chosen; a sentence where the analysis has lost some of its nodes."""
        words = self._take(self._parameters().analysis)
        self._widgets.enable(words, chosen=self._parameters().analysis is not None)
        self._widgets.show_marks(self._parameters().mode)
        if self._analysis is not None:
            try:
                self._show_all()
            except InputError as error:
                words = str(error)
        self._tell(words)

    def select(self, segment: int) -> None:
        """A segment was clicked in the bull's-eye (0: none): show it in the slice views, and its curve until the mouse or a
        choice shows another.
        """
        self._selected = segment
        if self._viewed is None or self._parameters() is None:
            return
        self.overlay.paint(self._viewed, segment, self._parameters().paintSegments)
        if segment:
            self.overlay.reveal(self._viewed, segment)
        try:
            if segment:
                self._curves.show_segment(segment)
            else:
                self._curves.show(self._viewed, 0)
        except InputError as error:
            self._tell(str(error))

    def remove(self) -> None:
        """Take the analysis out of the scene, if the user means it."""
        gone = SceneAnalysis(self._parameters().analysis)
        asked = f'Remove the analysis "{gone.name}" with its maps, tables and curves? This cannot be undone.'
        if not slicer.util.confirmYesNoDisplay(asked, windowTitle="MyoPINN"):
            return
        self._parameters().analysis = None
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
        elif self._beside is not None and not self._beside.there:
            self._beside = None
            self.bullseye.show_content(None)
            if self._viewed is not None and not self._viewed.there:
                self._curves.let_go()
                self._view(None)
                self.overlay.clear()

    def close(self) -> None:
        """Slicer or the module closes: let go of the scene."""
        self.forget()
        self._table.close()
        self.bullseye.close()
        self.layout.close()

    def _take(self, node) -> str:
        """Look at the analysis of ``node``, None: at none. Returns why it cannot be looked at, "" where it can."""
        analysis, words = _whole(node)
        if analysis is not None and self._analysis is not None and self._analysis.node is node and self._analysis.there:
            return ""
        self._curves.let_go()
        self._analysis = analysis
        self._watch_name(node)
        self._selected = 0
        self.bullseye.select(0)
        self._view(analysis and (self._at_rest() or analysis))
        if analysis is None:
            self._show_nothing()
        elif self.layout.shown:
            self.overlay.place(self._viewed, rest=self._shows_rest)
        return words

    def _at_rest(self) -> SceneAnalysis | None:
        """The rest analysis where it is the one to be shown."""
        chosen = self._parameters()
        another = chosen.restAnalysis is not chosen.analysis
        return _whole(chosen.restAnalysis)[0] if chosen.mode is Mode.REST and another else None

    @property
    def viewed(self) -> SceneAnalysis | None:
        """The analysis whose map is in the views: the one that is looked at, or that at rest beside it."""
        return self._viewed

    @property
    def _shows_rest(self) -> bool:
        return self._viewed is not None and self._analysis is not None and self._viewed.node is not self._analysis.node

    def _view(self, analysis: SceneAnalysis | None) -> bool:
        """Let the views be of ``analysis`` from now on; True where they were of another one."""
        before = self._viewed
        if before is not None and analysis is not None and before.node is analysis.node and before.there:
            return False
        self._viewed = analysis
        self._slices.fill(analysis and analysis.label)
        return True

    def _show_nothing(self) -> None:
        self.overlay.clear()
        self.bullseye.show_content(None)
        self._map.show(None)
        self._ui.voxelLabel.text = ""

    def _show_all(self) -> None:
        """Map, bull's-eye, table and curve as they are chosen; raises InputError where one of them cannot be shown."""
        self._shown_name = self._analysis.name
        changed = self._view(self._at_rest() or self._analysis)
        if self.layout.shown and (changed or not self.overlay.is_on(self._viewed)):
            self.overlay.change_to(self._viewed, rest=self._shows_rest)
        self._map.show(self._analysis, self._viewed)
        quantity = self._map.quantity
        lacking = self._map.without_sd
        why_not = f"{lacking.method_name} gives no standard deviation of {quantity}." if lacking is not None else ""
        self._widgets.allow(self._ui.deviationCheck, why_not)
        self._views_moved()
        self.overlay.show(self._map.shown(self._selected))
        self._show_segments()

    def _views_moved(self) -> None:
        """The list of slices says what the views show."""
        self._slices.follow(list(self.overlay.slices.values()))
        if self._analysis is not None:
            self._widgets.allow(
                self._ui.sliceSelector, "All slices of the heart are in the views." if self._slices.alone else ""
            )

    def _choose_slices(self, slices: list[int]) -> None:
        if self._viewed is not None:
            self.overlay.place_on(self._viewed, slices, rest=self._shows_rest)
            self.update()

    def _watch_name(self, node) -> None:
        """Hear of a new name from now on."""
        if self._named is not None:
            self._named[0].RemoveObserver(self._named[1])
        self._named = None
        if node is not None:
            self._named = node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._renamed())

    def _renamed(self) -> None:
        if self._analysis is not None and self._analysis.name != self._shown_name:
            self.update()

    def _show_segments(self) -> None:
        """Bull's-eye, table and curve."""
        self._curves.show(self._viewed, self._selected)
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
        chosen, quantity = self._parameters(), self._map.quantity
        if not has_segments(self._analysis, quantity):
            quantity = "MBF"  # the bull's-eye says so
        mark = chosen.cutOff if chosen.markBelow else None
        looks = {"colours": chosen.colours}
        self._beside = None if chosen.mode is Mode.ANALYSIS else self._rest()
        if chosen.mode is Mode.ANALYSIS:
            under_stress = quantity == "MBF" and not self._analysis.at_rest
            cut_off, limits = (mark if under_stress else None), self._analysis.limits(quantity)
            return content_of(self._analysis, quantity, chosen.statistic, cut_off=cut_off, limits=limits, **looks)
        rest = self._beside
        if chosen.mode is Mode.REST:
            return content_of(rest, quantity, chosen.statistic, limits=self._analysis.limits(quantity), **looks)
        cut_off = chosen.reserveCutOff if chosen.markBelow else None
        return reserve_of(self._analysis, rest, chosen.statistic, cut_off=cut_off, **looks)

    def _rest(self) -> SceneAnalysis:
        """The chosen rest analysis; raises InputError where there is none."""
        chosen = self._parameters()
        if chosen.restAnalysis is None:
            raise InputError("The bull's-eye is empty: no rest analysis is chosen.", "Choose it under Rest analysis.")
        if chosen.restAnalysis is chosen.analysis:
            name = SceneAnalysis(chosen.analysis).name
            raise InputError(f"{name} is chosen for stress and for rest.", "Choose another rest analysis.")
        rest, words = _whole(chosen.restAnalysis)
        if rest is None:
            raise InputError(words)
        return rest

    def _tell_curve(self) -> None:
        self._ui.voxelLabel.text = self._curves.text

    def _tell(self, words: str) -> None:
        """What is wrong with what is chosen; "" takes it back."""
        if words != self._told:
            self._told = words
            self._say(words)


def _whole(node) -> tuple[SceneAnalysis | None, str]:
    """The analysis of ``node`` where nothing that it needs was removed; else None, and a sentence."""
    if node is None:
        return None, ""
    analysis = SceneAnalysis(node)
    try:
        analysis.check_whole()
    except InputError as error:
        return None, str(error)
    return analysis, ""
