"""Pictures: what they show is read back from the figure, and nothing is clipped."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib import figures
from MyoPINNLib.aha import NAMES, segment
from MyoPINNLib.errors import InputError
from MyoPINNLib.figures import canvas, display
from MyoPINNLib.fit import FitResult, KineticParameters, Outcome, TissueCurves
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.maps import ParameterMaps
from MyoPINNLib.polar import label_positions
from MyoPINNLib.series import Masks, PerfusionSeries
from MyoPINNLib.settings import AHASettings

# The package's functions bear their modules' names.
bullseye, curves, overlay = (sys.modules[f"MyoPINNLib.figures.{name}"] for name in ("bullseye", "curves", "overlay"))

pytest.importorskip("matplotlib")

AXIS = np.array([0.66, -0.55, -0.51]) / np.linalg.norm([0.66, -0.55, -0.51])
RIGHTWARDS = np.array([0.65, 0.76, 0.02]) - np.array([0.65, 0.76, 0.02]) @ AXIS * AXIS
RIGHTWARDS = RIGHTWARDS / np.linalg.norm(RIGHTWARDS)
UPWARDS = np.cross(AXIS, RIGHTWARDS)
WORDS = {"title": "Stress", "footer": figures.footer("NLLS, two-compartment exchange model")}


def texts(figure):
    """All words that are drawn, with their extents."""
    from matplotlib.text import Text

    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    left_out = {id(text) for axes in figure.axes for text in _not_drawn(axes)}
    found = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and id(t) not in left_out]
    return [(t.get_text(), t.get_window_extent(renderer)) for t in found]


def _not_drawn(axes):
    """Axis words of a hidden axis, and tick labels beyond an axis' limits."""
    for along, axis in enumerate((axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.majorTicks:
            for label in (tick.label1, tick.label2):
                if not axes.axison or not low <= label.get_position()[along] <= high:
                    yield label


def assert_nothing_is_clipped(figure):
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in texts(figure):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text


def overlapping(boxes):
    return [(a[0], b[0]) for n, a in enumerate(boxes) for b in boxes[n + 1 :] if a[1].overlaps(b[1])]


def a_grid(size=36, pixel=2.6):
    """Three short-axis slices 18 mm apart, the heart off the middle."""
    affines = np.tile(np.eye(4), (3, 1, 1))
    affines[:, :3, 0], affines[:, :3, 1], affines[:, :3, 2] = RIGHTWARDS * pixel, -UPWARDS * pixel, -AXIS * 8
    for k in range(3):
        affines[k, :3, 3] = 18 * k * AXIS - (RIGHTWARDS * 15.3 - UPWARDS * 19.1) * pixel
    return Geometry(affines, (3, size, size))


def a_study(geometry):
    """Series, maps and segments of a ring around the origin, brightest at frame 6, with two unreliable voxels."""
    points = geometry.to_lps(np.argwhere(np.ones(geometry.shape))).reshape(*geometry.shape, 3)
    x, y = points @ RIGHTWARDS, points @ UPWARDS
    radius = np.hypot(x, y)
    outer = 32 - 4 * np.round(points @ AXIS / 18)
    wall, pool = (radius < outer) & (radius > outer - 9), radius < outer - 11
    right = (np.hypot(x + outer + 14, y) < 22) & (radius > outer)
    segments, _ = segment(Masks(wall, pool, geometry, right), AHASettings())
    shape = np.exp(-(((np.arange(10) - 6) / 2.0) ** 2))[:, None, None, None]
    signal = 100 + shape * (200 * pool + 100 * wall) + 0.2 * x + 0.1 * y
    flow = np.where(wall, np.where(y > 0, 0.01, 0.04), np.nan)
    valid = wall.copy()
    valid[tuple(np.argwhere(wall)[[3, 40]].T)] = False
    maps = ParameterMaps({"MBF": flow, "valid": np.where(wall, valid * 1.0, np.nan)}, valid, geometry)
    return PerfusionSeries(signal, np.arange(10.0), geometry), maps, segments


@pytest.fixture(scope="module")
def a_result():
    return a_study(a_grid())


@pytest.fixture
def the_values():
    return {n: 0.9 + 0.11 * n for n in range(1, 17)}


def bulls_eye(values, *, quantity="MBF", estimated=False, doubtful=()):
    options = {"limits": None, "estimated_insertion": estimated, "doubtful": doubtful}
    with canvas.styled():
        return bullseye.draw(values, quantity=quantity, **options, **WORDS)


def test_the_bulls_eye_shows_each_value_in_its_wedge(the_values):
    figure = bulls_eye(the_values)
    axes = figure.axes[0]
    at = {t.get_text(): t.get_position() for t in axes.texts}
    for n, place in label_positions(16).items():
        assert at[f"{the_values[n]:.2f}"] == pytest.approx(place)
    assert {str(n) for n in range(1, 17)} | {"LAD", "RCA", "LCx", "Anterior", "Septal", "Inferior", "Lateral"} <= set(
        at
    )
    assert at["Septal"][0] < -1 < 1 < at["Lateral"][0] and at["Inferior"][1] < -1 < 1 < at["Anterior"][1]


def test_the_bulls_eye_says_its_unit_version_and_use(the_values):
    words = [text for text, _ in texts(bulls_eye(the_values))]
    assert "Myocardial blood flow, MBF (mL/min/g)" in words
    assert any("MyoPINN 0" in text and "Research use only" in text for text in words)


@pytest.mark.parametrize("model", [16, 17])
def test_no_word_of_the_bulls_eye_is_clipped_or_lies_on_another(the_values, model):
    figure = bulls_eye(the_values | ({17: None} if model == 17 else {}), estimated=True)
    assert_nothing_is_clipped(figure)
    assert overlapping(texts(figure)) == []


def test_the_colour_of_a_wedge_is_that_of_its_value(the_values):
    figure = bulls_eye(the_values)
    colours = canvas.scale("MBF")
    faces = [patch.get_facecolor() for patch in figure.axes[0].patches[:16]]
    assert faces == [pytest.approx(colours.to_rgba(the_values[n])) for n in range(1, 17)]
    assert len(set(faces)) == 16


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_segment_not_measured_is_hatched_and_told(the_values, missing):
    figure = bulls_eye(the_values | {4: missing, 17: missing})
    hatched = [n for n, patch in enumerate(figure.axes[0].patches[:17], start=1) if patch.get_hatch()]
    assert hatched == [4, 17]
    assert any("not measured" in text for text, _ in texts(figure))
    assert not any("nan" in text.lower() for text, _ in texts(figure))


def test_a_value_not_reliable_stands_in_brackets_and_is_told(the_values):
    words = [text for text, _ in texts(bulls_eye(the_values | {5: None}, doubtful=(3, 5)))]
    assert f"({the_values[3]:.2f})" in words and f"{the_values[4]:.2f}" in words
    assert any("in brackets: not reliable; hatched: not measured" in text for text in words)
    assert not any("brackets" in text for text, _ in texts(bulls_eye(the_values)))


def test_a_bulls_eye_of_nothing_is_all_hatched():
    figure = bulls_eye(dict.fromkeys(range(1, 17)))
    assert all(patch.get_hatch() for patch in figure.axes[0].patches[:16])


def test_values_beyond_the_colours_are_told_by_the_bar(the_values):
    from matplotlib.colorbar import Colorbar

    bars = [bulls_eye(the_values | {1: value}).axes[1]._colorbar for value in (2.0, 9.0)]
    assert all(isinstance(bar, Colorbar) for bar in bars)
    assert [bar.extend for bar in bars] == ["neither", "max"]


def test_dark_wedges_have_light_words():
    colours = canvas.scale("MBF")
    assert canvas.ink_on(colours.to_rgba(0.2)) == "white" and canvas.ink_on(colours.to_rgba(3.9)) == "black"


@pytest.mark.parametrize(("quantity", "digits"), [("MBF", 2), ("v_p", 3), ("E", 0), ("MTT", 1)])
def test_values_have_the_decimals_that_mean_something(quantity, digits):
    text = [t.get_text() for t in bulls_eye({1: 0.123456}, quantity=quantity).axes[0].texts]
    assert f"{0.123456:.{digits}f}" in text


STORED = {
    "flipped i": lambda a: a[..., ::-1],
    "flipped j": lambda a: a[..., ::-1, :],
    "rows as columns": lambda a: np.swapaxes(a, -1, -2),
    "turned": lambda a: np.rot90(a, axes=(-2, -1)),
    "reversed k": lambda a: a[..., ::-1, :, :],
}


def stored(geometry, how):
    """The grid whose array is ``how`` of the grid's array: found by looking where its first voxels went."""
    points = geometry.to_lps(np.argwhere(np.ones(geometry.shape))).reshape(*geometry.shape, 3)
    moved = np.stack([how(points[..., axis]) for axis in range(3)], axis=-1)
    affines = np.tile(np.eye(4), (moved.shape[0], 1, 1))
    affines[:, :3, 3] = moved[:, 0, 0]
    affines[:, :3, 0], affines[:, :3, 1] = moved[:, 0, 1] - moved[:, 0, 0], moved[:, 1, 0] - moved[:, 0, 0]
    affines[:, :3, 2] = -8 * AXIS
    return Geometry(affines, moved.shape[:3])


@pytest.mark.parametrize("name", STORED)
def test_a_slice_looks_the_same_however_it_is_stored(a_result, name):
    series, _, segments = a_result
    how = STORED[name]
    k = 2 if name == "reversed k" else 0
    plain = view(series.geometry, segments, 0).picture(series.signal[0, 0])
    other_grid = stored(series.geometry, how)
    _, _, other = a_study(other_grid)
    seen = view(other_grid, other, k)
    assert np.array_equal(seen.picture(how(series.signal)[0, k]), plain)
    in_colour = np.repeat(how(series.signal)[0, k][..., None], 4, axis=-1)
    assert np.array_equal(seen.picture(in_colour), np.repeat(plain[..., None], 4, axis=-1))
    assert seen.extent == pytest.approx(view(series.geometry, segments, 0).extent)
    assert (seen.up @ UPWARDS, seen.right @ RIGHTWARDS) == pytest.approx((1, 1))


def view(geometry, segments, k):
    return display.view_of(
        geometry, k, centre=segments.centres[k], anterior=segments.anterior[k], septal=segments.septal[k]
    )


def test_letters_name_the_patients_directions():
    assert display.letters(np.array([0.0, -1.0, 0.0])) == "A"
    assert display.letters(np.array([0.66, 0.75, 0.0])) == "PL"
    assert display.letters(np.array([0.3, -0.3, 0.9])) == "H"
    assert display.letters(np.array([-0.6, 0.1, -0.8])) == "FR"


def overlay_of(a_result, **options):
    series, maps, segments = a_result
    with canvas.styled():
        return overlay.draw(series, maps, segments=segments, quantity="MBF", limits=None, **WORDS, **options)


def test_the_maps_stand_under_their_images_from_base_to_apex(a_result):
    figure = overlay_of(a_result)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["Basal  ·  slice 1", "Mid  ·  slice 2", "Apical  ·  slice 3"]
    series, maps, segments = a_study(stored(a_grid(), STORED["reversed k"]))
    titles = [axes.get_title() for axes in overlay_of((series, maps, segments)).axes if axes.get_title()]
    assert titles == ["Basal  ·  slice 3", "Mid  ·  slice 2", "Apical  ·  slice 1"]


def test_the_image_is_the_frame_of_peak_enhancement(a_result):
    series, _, segments = a_result
    shown = overlay_of(a_result).axes[0].images[0].get_array()
    assert np.allclose(shown, view(series.geometry, segments, 0).picture(series.signal[6, 0]))


def test_the_map_has_the_colours_of_its_values_and_marks_what_is_not_reliable(a_result):
    series, maps, segments = a_result
    figure = overlay_of(a_result)
    pixels = figure.axes[1].images[1].get_array()
    flat = view(series.geometry, segments, 0).picture
    grey = np.all(np.isclose(pixels, overlay._NOT_RELIABLE), axis=-1)
    assert np.array_equal(grey, flat(maps.mask[0] & ~maps.valid[0]))
    assert np.array_equal(pixels[..., 3] > 0, flat(maps.mask[0]))
    low = canvas.scale("MBF").to_rgba(0.6)
    assert np.allclose(pixels[flat(maps.valid[0] & (maps["MBF"][0] == 0.01))], low)
    words = " ".join(text for text, _ in texts(figure))
    assert f"not reliable (2 of {maps.mask.sum()} voxels)" in words and "mL/min/g" in words


def test_the_anterior_wall_is_up_and_the_septum_left_on_paper(a_result):
    series, _, segments = a_result
    v = view(series.geometry, segments, 0)
    assert v.place(series.geometry.to_lps(np.argwhere(segments.label == 1)))[:, 1].min() > 10
    assert all(v.place(series.geometry.to_lps(np.argwhere(segments.label == n)))[:, 0].max() < 0 for n in (2, 3))
    letters = [text.get_text() for text in overlay_of(a_result).axes[0].texts]
    assert letters[:4] == ["H", "F", "AR", "PL"]


@pytest.mark.parametrize("slices", [1, 3, 5])
def test_no_word_over_the_maps_is_clipped(slices):
    grid = a_grid()
    rows = np.arange(slices) % 3
    affines = grid.ijk_to_lps[rows].copy()
    affines[:, :3, 3] += (np.arange(slices) // 3)[:, None] * 9 * AXIS
    figure = overlay_of(a_study(Geometry(affines, (slices, *grid.shape[1:]))))
    assert_nothing_is_clipped(figure)
    assert len([axes for axes in figure.axes if axes.get_title()]) == slices


def test_images_of_another_grid_are_refused(a_result):
    series, maps, segments = a_result
    with pytest.raises(InputError, match="lie elsewhere"):
        overlay_of((series, replace(maps, geometry=stored(a_grid(), STORED["flipped i"])), segments))


@pytest.fixture
def fitted_segments(an_aif):
    """Curves of segments 1 to 16 but 5, the fit of segment 2 unreliable."""
    numbers = [n for n in range(1, 17) if n != 5]
    parameters = KineticParameters(
        F_p=np.linspace(0.01, 0.03, 15), v_p=np.full(15, 0.06), v_e=np.full(15, 0.2), PS=np.full(15, 0.01)
    )
    C_t = tissue_curve(an_aif, an_aif.time, **dict(parameters.items()))
    outcome = np.where(np.arange(15) == 1, Outcome.POOR_FIT, Outcome.FITTED)
    return (
        TissueCurves.on_one_clock(an_aif.time, C_t + 0.01),
        FitResult(parameters, C_t, np.full(15, 0.01), outcome, an_aif, 0.1),
        numbers,
    )


def curves_of(fitted_segments):
    with canvas.styled():
        return curves.draw(*fitted_segments, hct=0.45, density=1.05, **WORDS)


def panel(figure, segment):
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == f"{segment}  {NAMES[segment]}")


def test_each_segment_has_its_dots_its_line_and_its_flow(fitted_segments):
    measured, result, numbers = fitted_segments
    figure = curves_of(fitted_segments)
    row = numbers.index(9)
    dots, line = panel(figure, 9).lines
    assert np.array_equal(dots.get_ydata(), measured.C_t[row]) and np.array_equal(line.get_ydata(), result.C_t[row])
    flow = 60 * result.parameters.F_p[row] / 0.55 / 1.05
    assert panel(figure, 9).texts[0].get_text() == f"MBF {flow:.2f}"


def test_the_lowest_panel_of_each_column_names_its_time_axis(fitted_segments):
    figure = curves_of(fitted_segments)
    named = {n for n in range(1, 17) if panel(figure, n).get_xlabel() == "time (s)"}
    assert named == {11, 12, 13, 14, 15, 16}


def test_frames_left_out_are_not_drawn(fitted_segments):
    measured, result, numbers = fitted_segments
    weight = np.ones(measured.time.shape)
    weight[0, 7] = 0
    figure = curves_of((replace(measured, weight=weight), result, numbers))
    assert len(panel(figure, 3).lines[0].get_xdata()) == measured.time.shape[1] - 1


def test_frames_before_a_second_bolus_take_no_room(fitted_segments):
    measured, result, numbers = fitted_segments
    weight = (measured.time > 20).astype(float)
    figure = curves_of((replace(measured, weight=weight), result, numbers))
    assert figure.axes[0].get_xlim()[0] == panel(figure, 3).get_xlim()[0] == measured.time[weight > 0].min()
    assert panel(curves_of(fitted_segments), 3).get_xlim()[0] == 0


def test_doubt_and_absence_are_written_in_the_panel(fitted_segments):
    figure = curves_of(fitted_segments)
    assert "not reliable:\nthe model does not follow the\ncurve" in panel(figure, 2).texts[0].get_text()
    assert panel(figure, 2).lines[1].get_linestyle() == "--"
    assert panel(figure, 5).texts[0].get_text() == "not measured"


def test_the_arterial_input_has_its_own_axis_in_mM(fitted_segments):
    axes = curves_of(fitted_segments).axes[0]
    assert "mM" in axes.get_ylabel() and "plasma" in axes.get_title(loc="left")
    assert axes.get_ylim()[1] > 8 > panel(curves_of(fitted_segments), 1).get_ylim()[1]


def test_no_word_of_the_curves_is_clipped_or_lies_on_another(fitted_segments):
    figure = curves_of(fitted_segments)
    assert_nothing_is_clipped(figure)
    assert overlapping(texts(figure)) == []


def test_segments_and_curves_of_different_number_are_refused(fitted_segments):
    with pytest.raises(InputError, match="14 segments, 15 curves"):
        curves_of((*fitted_segments[:2], fitted_segments[2][:-1]))


def test_pictures_are_written_whole_with_their_size(the_values, a_result, fitted_segments, tmp_path):
    from matplotlib.image import imread

    series, maps, segments = a_result
    figures.bullseye(tmp_path / "bullseye.png", the_values, quantity="MBF", **WORDS)
    figures.overlay(tmp_path / "maps.png", series, maps, segments=segments, quantity="MBF", **WORDS)
    figures.curves(tmp_path / "curves.png", *fitted_segments, hct=0.45, density=1.05, **WORDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bullseye.png", "curves.png", "maps.png"]
    sizes = {path.stem: imread(path).shape for path in tmp_path.iterdir()}
    assert sizes["bullseye"][:2] == (1168, 1216)
    assert all(1000 < size[1] < 2200 and size[0] > 1000 for size in sizes.values())


def test_a_path_below_a_file_is_refused_in_a_sentence(the_values, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="bullseye.png"):
        figures.bullseye(tmp_path / "file" / "bullseye.png", the_values, quantity="MBF", **WORDS)


def test_matplotlib_is_loaded_only_to_draw_and_pyplot_never(tmp_path):
    code = (
        "import sys; from MyoPINNLib import figures; early = 'matplotlib' in sys.modules;"
        f"figures.bullseye({str(tmp_path / 'b.png')!r}, {{1: 2.0}}, quantity='MBF', title='t', footer='f');"
        "print(early, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_drawing_leaves_the_users_style_alone(the_values):
    import matplotlib

    with matplotlib.rc_context({"font.size": 31, "axes.facecolor": "pink"}):
        figure = bulls_eye(the_values)
        assert matplotlib.rcParams["font.size"] == 31
        assert_nothing_is_clipped(figure)
