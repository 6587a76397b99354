"""The bull's-eye in a view: a click chooses a segment, the mouse over one tells its numbers, and the picture can be taken out.

view = BullseyeView(new_view(), on_select=analysis.highlight)
layout.addWidget(view.widget)
view.show(analysis, "MBF", cut_off=1.5)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import vtk

from ..errors import InputError
from ..scene import Colours, SceneAnalysis
from .bullseye import Bullseye, BullseyeContent, Statistic, content_of

_HINT = "as seen from the apex; small numbers: AHA segments"


def new_view():
    """A view of CTK's for a bull's-eye, without the axes in its corner."""
    import ctk

    view = ctk.ctkVTKRenderView()
    view.orientationWidgetVisible = False
    return view


def picture_of(window) -> vtk.vtkImageData:
    """What a render window shows, as large as it is."""
    window.Render()
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ShouldRerenderOff()  # it would ask the interactor, which only schedules a rendering
    grab.ReadFrontBufferOff()
    grab.Update()
    return grab.GetOutput()


def png_of(window) -> bytes:
    """The same as PNG."""
    writer = vtk.vtkPNGWriter()
    writer.WriteToMemoryOn()
    writer.SetInputData(picture_of(window))
    writer.Write()
    return bytes(memoryview(writer.GetResult()))


class BullseyeView:
    """A bull's-eye in ``widget``, which is a ctkVTKRenderView or has its methods renderWindow, interactor and scheduleRender.
    ``on_select`` and ``on_hover`` are called with a segment's number, 0 for none.
    """

    def __init__(
        self,
        widget,
        *,
        on_select: Callable[[int], object] | None = None,
        on_hover: Callable[[int], object] | None = None,
    ) -> None:
        self.widget = widget
        self.bullseye = Bullseye(widget.renderWindow().GetRenderers().GetFirstRenderer())  # PythonQt sees no renderer()
        self._on_select, self._on_hover = on_select, on_hover
        self._hovered = 0
        self._interactor = widget.interactor()
        self._style = vtk.vtkInteractorStyleUser()  # turns and zooms nothing
        self._style.AddObserver("CharEvent", lambda *_: None)  # the base class would quit at q and draw wires at w
        self._interactor.SetInteractorStyle(self._style)
        heard = {"LeftButtonPressEvent": self._click, "MouseMoveEvent": self._move, "LeaveEvent": self._leave}
        self._observers = [self._interactor.AddObserver(event, what) for event, what in heard.items()]

    def show(
        self,
        analysis: SceneAnalysis | None,
        quantity: str = "MBF",
        statistic: Statistic = Statistic.MEAN_CURVE,
        *,
        cut_off: float | None = None,
        colours: Colours = Colours.ORDERED,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """A quantity of an analysis; None empties the view. Raises InputError where the analysis does not hold it."""
        content = None
        if analysis is not None:
            content = content_of(analysis, quantity, statistic, cut_off=cut_off, colours=colours, limits=limits)
        self.show_content(content)

    def show_content(self, content: BullseyeContent | None) -> None:
        """Any content, also a reserve; the chosen segment stays chosen where there is one."""
        self.bullseye.show(content)
        self._say(0)

    def select(self, segment: int) -> None:
        """Outline a segment, 0 none, without telling anyone."""
        self.bullseye.select(segment)
        self.widget.scheduleRender()

    def picture(self) -> vtk.vtkImageData:
        """What the view shows, as large as it is on the screen."""
        return picture_of(self.widget.renderWindow())

    def png(self) -> bytes:
        """The picture as PNG, for a file or the clipboard (qt.QImage's loadFromData). InputError where there is none."""
        if self.bullseye.content is None:
            raise InputError("The bull's-eye is empty.", "Compute a study or choose an analysis first.")
        return png_of(self.widget.renderWindow())

    def save(self, path: Path) -> None:
        """Write the picture as PNG. Raises InputError where ``path`` cannot be written."""
        path, picture = Path(path), self.png()
        try:
            path.write_bytes(picture)
        except OSError as error:
            raise InputError(f'"{path.name}" cannot be written: {error.strerror}.', "Choose another folder.") from None

    def close(self) -> None:
        """Let go of the view, which stays."""
        for observer in self._observers:
            self._interactor.RemoveObserver(observer)
        self._observers = []
        self.bullseye.close()

    def _click(self, *_event) -> None:
        segment = self._under_mouse()
        self.select(segment)
        if self._on_select is not None:
            self._on_select(segment)

    def _move(self, *_event) -> None:
        segment = self._under_mouse()
        if segment != self._hovered:
            self._say(segment)
            if self._on_hover is not None:
                self._on_hover(segment)

    def _leave(self, *_event) -> None:
        if self._hovered:
            self._say(0)
            if self._on_hover is not None:
                self._on_hover(0)

    def _under_mouse(self) -> int:
        return self.bullseye.segment_at(*self._interactor.GetEventPosition())

    def _say(self, segment: int) -> None:
        """The line about a segment, or what the picture is where it is none."""
        self._hovered, content = segment, self.bullseye.content
        self.bullseye.say(content.describe(segment) if content is not None and segment else _HINT)
        self.widget.scheduleRender()
