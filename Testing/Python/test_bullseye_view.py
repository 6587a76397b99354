"""The bull's-eye in VTK: values where cardiologists look for them, at every size, and a mouse that finds its segment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "vtk"):
    pytest.skip(trouble, allow_module_level=True)

import vtk
from scene_cases import FERMI, a_heart
from vtk.util.numpy_support import vtk_to_numpy

from MyoPINNLib.errors import InputError
from MyoPINNLib.figures.canvas import scale
from MyoPINNLib.gui.bullseye import RESERVE, Bullseye, BullseyeContent, Statistic, content_of, reserve_of
from MyoPINNLib.gui.bullseye_parts import colour_of
from MyoPINNLib.gui.bullseye_shapes import wedges
from MyoPINNLib.gui.bullseye_view import BullseyeView, new_view, picture_of
from MyoPINNLib.polar import label_positions, polygons, ring_of
from MyoPINNLib.scene import Colours, add_insertion, add_segmentation, add_series, quantify, show_job

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
ALL = {n: 0.2 * n for n in range(1, 17)}
GREY = np.array([0xD9, 0xD9, 0xD9])


class Offscreen:
    """The three methods of a ctkVTKRenderView that the bull's-eye uses, without a screen."""

    def __init__(self, size=(400, 400)) -> None:
        self._window, self.the_renderer = vtk.vtkRenderWindow(), vtk.vtkRenderer()
        self._window.SetOffScreenRendering(1)
        self._window.SetSize(*size)
        self._window.AddRenderer(self.the_renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self.scheduled = 0

    def renderWindow(self):
        return self._window

    def interactor(self):
        return self._interactor

    def scheduleRender(self):
        self.scheduled += 1

    def pixels(self) -> np.ndarray:
        """(row from the bottom, column, 3)."""
        image = picture_of(self._window)
        columns, rows, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, 3).astype(int)

    def mouse(self, event: str, x: int, y: int) -> None:
        """A mouse event at a pixel, as the window system sends it."""
        self._interactor.SetEventInformation(x, y, 0, 0, "\0", 0, None)
        self._interactor.InvokeEvent(event)


@pytest.fixture
def a_screen():
    return Offscreen()


@pytest.fixture
def a_bullseye(a_screen):
    bullseye = Bullseye(a_screen.the_renderer)
    bullseye.show(BullseyeContent(ALL, title="Stress"))
    return bullseye


@pytest.fixture(scope="module")
def a_job(an_application, tmp_path_factory):
    """A finished job of a small heart; nobody changes it."""
    heart, folder = a_heart(), tmp_path_factory.mktemp("bullseye")
    point = add_insertion(heart.insertion, "RV insertion")
    nodes = add_series(heart.series, "Stress"), add_segmentation(heart.masks, "Heart")
    quantify(*nodes, insertion=point, settings=FERMI, keep_job=folder / "job")
    an_application.mrmlScene().Clear(False)
    return folder / "job"


def area(triangles) -> float:
    (ax, ay), (bx, by) = np.moveaxis(triangles[:, 1:] - triangles[:, :1], (1, 2), (0, 1))
    return 0.5 * np.abs(ax * by - ay * bx).sum()


def beside(segment: int, model: int) -> np.ndarray:
    """A place in a wedge that no words cover: near the outer rim, away from its number."""
    angle = np.radians(ring_of(segment).angles_of(segment)[0] + 0.8 * ring_of(segment).wedge)
    return 0.93 * np.hypot(*polygons(model)[segment].T).max() * np.array([np.cos(angle), np.sin(angle)])


def face(pixels, bullseye, segment: int) -> np.ndarray:
    """The colour of a wedge in the picture, 0 to 255."""
    x, y = bullseye.pixel_of(beside(segment, bullseye.content.model))
    return pixels[y, x]


def keep(screen, name: str) -> None:
    """The picture for whoever looks at the tests' pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(PICTURES / f"{name}.png"))
    writer.SetInputData(picture_of(screen.renderWindow()))
    writer.Write()


@pytest.mark.parametrize("model", [16, 17])
def test_the_triangles_of_a_wedge_fill_it_and_nothing_else(model):
    for segment, outline in polygons(model).items():
        x, y = outline.T
        assert area(wedges(model)[segment]) == pytest.approx(0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


@pytest.mark.parametrize("model", [16, 17])
@pytest.mark.parametrize("size", [(250, 250), (400, 400), (1200, 1200), (700, 320), (300, 600)])
def test_each_wedge_has_the_colour_of_its_value_at_every_size(model, size):
    screen = Offscreen(size)
    bullseye = Bullseye(screen.the_renderer)
    bullseye.show(BullseyeContent({n: 0.2 * n for n in range(1, model + 1)}, model=model, title="Stress"))
    pixels = screen.pixels()
    for segment in range(1, min(model, 16) + 1):
        wanted = 255 * colour_of(bullseye.content, 0.2 * segment)
        assert np.abs(face(pixels, bullseye, segment) - wanted).max() < 3
    keep(screen, f"bullseye_{model}_{size[0]}x{size[1]}")


def test_the_wedge_at_twelve_o_clock_is_anterior(a_screen, a_bullseye):
    a_bullseye.show(BullseyeContent({**dict.fromkeys(ALL, 0.0), 1: 4.0}))
    x, y = a_bullseye.pixel_of((0.0, 0.93))
    red, green, blue = a_screen.pixels()[y, x]
    assert red > 200 and green > 200 and blue < 80
    assert a_bullseye.segment_at(x, y) == 1 and y > 200


def test_the_septum_is_left_and_the_lateral_wall_right(a_screen, a_bullseye):
    a_screen.pixels()
    left, right = a_bullseye.pixel_of((-0.55, 0.1)), a_bullseye.pixel_of((0.55, 0.1))
    assert (a_bullseye.segment_at(*left), a_bullseye.segment_at(*right)) == (8, 12)
    assert left[0] < 200 and a_bullseye.segment_at(*a_bullseye.pixel_of((-0.55, -0.1))) == 9


def test_beside_the_disc_there_is_no_segment(a_screen, a_bullseye):
    a_screen.pixels()
    for place in ((0.0, 1.02), (1.3, 0.0), (-1.1, -1.1)):
        assert a_bullseye.segment_at(*a_bullseye.pixel_of(place)) == 0
    a_bullseye.show(None)
    assert a_bullseye.segment_at(*a_bullseye.pixel_of((0.0, 0.9))) == 0


@pytest.mark.parametrize("model", [16, 17])
def test_every_wedge_is_found_where_polar_says_it_is(a_screen, a_bullseye, model):
    a_bullseye.show(BullseyeContent(ALL, model=model))
    a_screen.pixels()
    for segment, place in label_positions(model).items():
        assert a_bullseye.segment_at(*a_bullseye.pixel_of(place)) == segment


def test_a_segment_below_the_cut_off_looks_different_and_the_others_do_not(a_screen, a_bullseye):
    plain = a_screen.pixels()
    a_bullseye.show(replace(a_bullseye.content, cut_off=0.5))
    changed = np.abs(a_screen.pixels() - plain).max(axis=2) > 40
    counts = dict.fromkeys(range(17), 0)
    for y, x in np.argwhere(changed):
        counts[a_bullseye.segment_at(x, y)] += 1
    assert counts[1] > 100 and counts[2] > 100
    assert counts[0] > 100  # the legend says what the hatching means, and the bar where it begins
    assert max(counts[n] for n in range(3, 17)) < 5
    keep(a_screen, "bullseye_cut_off")


def words_of(screen) -> list[str]:
    """All words that a picture shows."""
    screen.pixels()
    props = screen.the_renderer.GetViewProps()
    actors = [props.GetItemAsObject(n) for n in range(props.GetNumberOfItems())]
    return [each.GetInput() for each in actors if isinstance(each, vtk.vtkTextActor) and each.GetVisibility()]


@pytest.mark.parametrize("size", [(400, 400), (322, 421)])
def test_the_legend_says_whole_that_the_cut_off_is_of_another_method(size):
    screen = Offscreen(size)
    bullseye = Bullseye(screen.the_renderer)
    bullseye.show(BullseyeContent({**ALL, 3: float("nan")}, cut_off=1.94, doubtful=frozenset({4})))
    said = words_of(screen)
    assert "hatched: below 1.94, a cut-off of another method" in said
    assert "( ): not reliable   –: no value" in said
    keep(screen, f"bullseye_legend_{size[0]}")


def test_the_legend_calls_a_cut_off_of_ones_own_nobody_elses():
    screen = Offscreen((400, 400))
    bullseye = Bullseye(screen.the_renderer)
    bullseye.show(BullseyeContent(ALL, cut_off=2.8))
    assert "hatched: below 2.8" in words_of(screen)
    bullseye.show(BullseyeContent(ALL, RESERVE, cut_off=2.0))
    assert "hatched: below 2, a cut-off of another method" in words_of(screen)


def test_a_segment_without_a_value_is_grey(a_screen, a_bullseye):
    a_bullseye.show(BullseyeContent({**ALL, 11: float("nan")}))
    assert np.abs(face(a_screen.pixels(), a_bullseye, 11) - GREY).max() < 3
    assert a_bullseye.content.describe(11) == "11 mid inferolateral: no value"
    keep(a_screen, "bullseye_no_value")


def test_a_value_that_is_not_reliable_looks_different(a_screen, a_bullseye):
    plain = a_screen.pixels()
    a_bullseye.show(replace(a_bullseye.content, doubtful=frozenset({3})))
    y, x = np.argwhere(np.abs(a_screen.pixels() - plain).max(axis=2) > 40).T
    assert {a_bullseye.segment_at(*place) for place in zip(x, y)} == {0, 3}


def test_the_outline_goes_round_the_chosen_segment(a_screen, a_bullseye):
    plain = a_screen.pixels()
    a_bullseye.select(9)
    y, x = np.argwhere(np.abs(a_screen.pixels() - plain).max(axis=2) > 40).T
    found = [a_bullseye.segment_at(*place) for place in zip(x, y)]
    assert set(found) <= {2, 3, 4, 8, 9, 10, 14, 15} and found.count(9) > 0.35 * len(found)
    keep(a_screen, "bullseye_chosen")


def test_other_colours_and_limits_change_the_wedges(a_screen, a_bullseye):
    a_bullseye.show(replace(a_bullseye.content, colours=Colours.CLINICAL, limits=(0.0, 2.4)))
    red, _green, blue = face(a_screen.pixels(), a_bullseye, 12)
    assert red > 200 and blue < 60
    keep(a_screen, "bullseye_clinical")


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.3, 2.6, 4.0, 9.0])
def test_a_value_has_the_colour_that_the_engine_s_picture_gives_it(value):
    pytest.importorskip("matplotlib")
    wanted = scale("MBF").to_rgba(value)[:3]
    assert colour_of(BullseyeContent(ALL), value) == pytest.approx(wanted, abs=0.03)


def test_the_picture_follows_the_window(a_screen, a_bullseye):
    a_screen.pixels()
    small = a_bullseye.pixel_of((1.0, 0.0))[0] - a_bullseye.pixel_of((-1.0, 0.0))[0]
    a_screen.renderWindow().SetSize(800, 800)
    a_screen.pixels()
    assert a_bullseye.pixel_of((1.0, 0.0))[0] - a_bullseye.pixel_of((-1.0, 0.0))[0] == pytest.approx(2 * small, abs=2)
    assert np.abs(face(a_screen.pixels(), a_bullseye, 5) - 255 * colour_of(a_bullseye.content, 1.0)).max() < 3


def test_nothing_of_it_stays_in_the_renderer(a_screen, a_bullseye):
    a_screen.pixels()
    a_bullseye.close()
    assert a_screen.the_renderer.GetViewProps().GetNumberOfItems() == 0
    assert a_screen.pixels().min() == 255


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"quantity": "flow"}, "no quantity"), ({"model": 18}, "18 segments"), ({"limits": (4.0, 0.0)}, "from 4 to 0")],
)
def test_what_cannot_be_shown_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        BullseyeContent(ALL, **changes)


def test_an_analysis_gives_its_table(a_job, a_scene):
    analysis = show_job(a_job)
    content = content_of(analysis, "MBF", Statistic.MEAN, cut_off=1.5)
    assert list(content.known.values()) == pytest.approx(analysis.segments["MBF_mL_min_g_mean"])
    assert content.model == 16 and content.title == analysis.name and content.unit == "mL/min/g"
    flow, spread = (analysis.segments[f"MBF_mL_min_g_{what}"][7] for what in ("mean", "sd"))
    voxels = int(analysis.segments["voxels"][7])
    assert content.describe(8) == f"8 mid anteroseptal: MBF {flow:.2f} mL/min/g, SD {spread:.2g}, {voxels} voxels"
    assert content.below == {n for n, value in content.known.items() if value < 1.5} != set()


def test_the_head_of_the_values_says_what_stands_after_the_sign(a_job, a_scene):
    analysis = show_job(a_job)
    assert content_of(analysis, "MBF", Statistic.MEDIAN).column == "MBF ± spread, mL/min/g"
    assert content_of(analysis, "MBF").column == "MBF ± SD, mL/min/g"
    assert reserve_of(analysis, show_job(a_job)).column == RESERVE


def test_the_numbers_are_those_of_the_engine_s_own_picture_and_of_the_segments_curves(a_job, a_scene):
    analysis = show_job(a_job)
    content = content_of(analysis)
    assert list(content.known.values()) == pytest.approx(analysis.segments["MBF_mL_min_g_mean_curve"])
    assert content.subtitle == "MBF, fit of the mean curve"


def test_an_analysis_without_the_quantity_says_so(a_job, a_scene):
    with pytest.raises(InputError, match="holds no PS"):
        content_of(show_job(a_job), "PS")


def test_the_reserve_is_stress_over_rest_without_a_unit(a_job, a_scene):
    content = reserve_of(show_job(a_job), show_job(a_job))
    assert content.quantity == RESERVE and content.unit == "" and content.range == (0.0, 4.0)
    assert list(content.known.values()) == pytest.approx([1.0] * 16)
    assert content.describe(1).startswith("1 basal anterior: MPR 1.00, stress ")


@pytest.fixture
def a_view(a_screen, a_job, a_scene):
    """A view that shows the flow of an analysis, and what it told: (chosen, hovered)."""
    chosen, hovered = [], []
    view = BullseyeView(a_screen, on_select=chosen.append, on_hover=hovered.append)
    view.show(show_job(a_job), "MBF", cut_off=1.5)
    a_screen.pixels()
    return view, a_screen, chosen, hovered


def test_a_click_chooses_a_segment(a_view):
    view, screen, chosen, _ = a_view
    screen.mouse("LeftButtonPressEvent", *view.bullseye.pixel_of((-0.55, -0.1)))
    assert chosen == [9] and view.bullseye.selected == 9 and screen.scheduled > 0
    screen.mouse("LeftButtonPressEvent", 2, 2)
    assert chosen == [9, 0] and view.bullseye.selected == 0


def test_the_mouse_over_a_segment_tells_its_numbers_once(a_view):
    view, screen, _, hovered = a_view
    for place in ((0.0, 0.85), (0.02, 0.86), (0.0, 0.55)):
        screen.mouse("MouseMoveEvent", *view.bullseye.pixel_of(place))
    assert hovered == [1, 7] and view.bullseye.line == view.bullseye.content.describe(7)
    keep(screen, "bullseye_hover")
    screen.mouse("LeaveEvent", 0, 0)
    assert hovered == [1, 7, 0] and "apex" in view.bullseye.line


def test_the_mouse_and_keys_turn_nothing(a_view):
    _, screen, _, _ = a_view
    before = screen.pixels()
    camera = screen.the_renderer.GetActiveCamera()
    where = camera.GetPosition(), camera.GetViewUp(), camera.GetParallelScale()
    for event in ("RightButtonPressEvent", "MouseWheelForwardEvent", "MiddleButtonPressEvent"):
        screen.mouse(event, 150, 150)
        screen.mouse("MouseMoveEvent", 3, 3)
    for key in "werj":
        screen.interactor().SetKeyCode(key)
        screen.interactor().InvokeEvent("CharEvent")
    assert (camera.GetPosition(), camera.GetViewUp(), camera.GetParallelScale()) == where
    assert np.abs(screen.pixels() - before).max() == 0


def test_a_choice_stays_when_another_quantity_is_shown(a_view):
    view, screen, _, _ = a_view
    view.select(4)
    view.show_content(replace(view.bullseye.content, quantity="F_p"))
    assert view.bullseye.selected == 4
    view.show(None)
    assert view.bullseye.selected == 0 and screen.pixels().min() == 255


def test_a_saved_picture_is_what_the_view_shows(a_view, tmp_path):
    view, screen, _, _ = a_view
    view.save(tmp_path / "bullseye.png")
    reader = vtk.vtkPNGReader()
    reader.SetFileName(str(tmp_path / "bullseye.png"))
    reader.Update()
    saved = vtk_to_numpy(reader.GetOutput().GetPointData().GetScalars()).reshape(400, 400, 3)
    assert np.array_equal(saved, screen.pixels())


def test_what_cannot_be_saved_is_told(a_view, tmp_path):
    view, _, _, _ = a_view
    with pytest.raises(InputError, match="cannot be written"):
        view.save(tmp_path / "nowhere" / "bullseye.png")
    view.show(None)
    with pytest.raises(InputError, match="empty"):
        view.save(tmp_path / "bullseye.png")


def test_a_closed_view_hears_nothing(a_view):
    view, screen, chosen, _ = a_view
    view.close()
    screen.mouse("LeftButtonPressEvent", 150, 150)
    assert chosen == [] and screen.pixels().min() == 255


def test_a_click_in_slicer_s_own_view_chooses_a_segment(a_job, a_desktop):
    from Testing.SlicerHarness.clicks import screenshot, send_mouse

    chosen = []
    view = BullseyeView(new_view(), on_select=chosen.append)
    widget = view.widget
    widget.resize(420, 420)
    view.show(show_job(a_job), "MBF", cut_off=1.5)
    widget.show()
    a_desktop.processEvents()
    x, y = view.bullseye.pixel_of((-0.55, -0.1))
    send_mouse(widget, "MouseMove", x, 419 - y)
    send_mouse(widget, "MouseButtonPress", x, 419 - y, _left())
    a_desktop.processEvents()
    screenshot(widget, "bullseye_in_slicer")
    assert chosen == [9] and view.bullseye.line.startswith("9 mid inferoseptal: MBF ")
    assert not widget.orientationWidgetVisible
    view.close()
    widget.close()


def _left():
    import qt

    return qt.Qt.LeftButton


def test_a_segment_with_few_valid_voxels_is_doubtful_and_says_how_many(a_job, a_scene):
    analysis = show_job(a_job)
    table = analysis.node.GetNodeReference("table.segments").GetTable()
    voxels = int(table.GetColumnByName("voxels").GetValue(7))
    table.GetColumnByName("valid_percent").SetValue(7, 10.0)
    content = content_of(analysis, "MBF", Statistic.MEDIAN)
    assert content.doubtful == {8} and content.reasons[8] == f"{round(voxels / 10)} of {voxels} voxels valid"


def test_a_reserve_of_an_analysis_with_itself_is_refused(a_job, a_scene):
    analysis = show_job(a_job)
    with pytest.raises(InputError, match="for stress and for rest"):
        reserve_of(analysis, analysis)
