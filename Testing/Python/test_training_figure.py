"""The picture of a training: what it shows is read back from the figure, whatever the history holds."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from test_figures import assert_nothing_is_clipped, overlapping, texts

from MyoPINNLib import figures
from MyoPINNLib.errors import InputError
from MyoPINNLib.figures import canvas

# The package's function bears its module's name.
training = sys.modules["MyoPINNLib.figures.training"]

pytest.importorskip("matplotlib")

WORDS = {"title": "Training", "footer": figures.footer("combined network")}
LOSSES = ("total", "data", "residual", "initial", "positive")


def a_history(slices=3, rows=40, without=()):
    """Losses that fall and parameters that settle, each slice with its own level."""
    step = np.tile(100.0 * np.arange(1, rows + 1), slices)
    number = np.repeat(np.arange(1, slices + 1), rows)
    fall = np.exp(-step / 1500)
    terms = {"data": 0.04 * fall + 1e-3 * number, "residual": 0.5 * fall**2 + 1e-3, "initial": 0.01 * fall}
    terms["positive"] = 1e-3 * fall**3
    means = {"F_p": 1 + 0.4 * number * (1 - fall), "v_p": 0.1 - 0.02 * (1 - fall), "v_e": 0.1 + 0.1 * (1 - fall)}
    total = 5 * terms["data"] + terms["residual"] + terms["initial"] + terms["positive"]
    history = {"slice": number, "step": step, **terms, "total": total, **means, "PS": 1 - 0.3 * (1 - fall)}
    return {name: column for name, column in history.items() if name not in without}


def drawn(history):
    with canvas.styled():
        return training.draw(history, **WORDS)


def columns(figure):
    """The panels, a triple a slice."""
    return [figure.axes[n : n + 3] for n in range(0, len(figure.axes), 3)]


def ticks(axes):
    axes.get_figure().canvas.draw()
    return [label.get_text() for label in axes.get_yticklabels()]


@pytest.mark.parametrize("slices", [1, 3, 7, 12])
def test_each_slice_has_a_column_of_three_panels_under_its_name(slices):
    figure = drawn(a_history(slices))
    assert [column[0].get_title() for column in columns(figure)] == [f"slice {n}" for n in range(1, slices + 1)]
    assert all(len(column) == 3 for column in columns(figure))


def test_a_slice_that_was_not_trained_keeps_the_others_numbers():
    history = a_history(3)
    kept = {name: column[history["slice"] != 2] for name, column in history.items()}
    assert [column[0].get_title() for column in columns(drawn(kept))] == ["slice 1", "slice 3"]


def test_each_panel_shows_the_columns_of_its_slice():
    history = a_history()
    rows = history["slice"] == 2
    losses, flows, volumes = columns(drawn(history))[1]
    shown = dict(zip((*LOSSES, "F_p", "PS", "v_p", "v_e"), [*losses.lines, *flows.lines, *volumes.lines], strict=True))
    assert all(np.array_equal(line.get_ydata(), history[name][rows]) for name, line in shown.items())
    assert all(np.array_equal(line.get_xdata(), history["step"][rows]) for line in shown.values())


def test_losses_have_a_logarithmic_axis_and_parameters_a_straight_one_from_zero():
    losses, *parameters = columns(drawn(a_history()))[0]
    assert losses.get_yscale() == "log"
    assert [(axes.get_yscale(), axes.get_ylim()[0]) for axes in parameters] == [("linear", 0.0)] * 2


def test_all_slices_share_their_axes():
    figure = drawn(a_history())
    for row in zip(*columns(figure), strict=True):
        assert len({(axes.get_ylim(), axes.get_xlim()) for axes in row}) == 1
        assert all(np.nanmax(line.get_ydata()) < axes.get_ylim()[1] for axes in row for line in axes.lines)


def test_the_axes_name_quantities_and_units():
    losses, flows, volumes = columns(drawn(a_history()))[0]
    assert losses.get_ylabel() == "loss (no unit)"
    assert flows.get_ylabel() == "mean $F_{p}$, $PS$\n(mL/min/mL)"
    assert volumes.get_ylabel() == "mean $v_{p}$, $v_{e}$\n(mL/mL)"
    assert volumes.get_xlabel() == "training step"


def test_the_keys_name_every_line_and_cover_no_panel():
    figure = drawn(a_history())
    figure.canvas.draw()
    keys = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    names = [" ".join(text.get_text() for text in key.get_texts()) for key in keys]
    assert all(symbol in names[0] for symbol in ("$L$", "$L_C$", "$L_r$", "$L_b$", "$L_{reg}$"))
    assert "Plasma flow, $F_{p}$" in names[1] and "product, $PS$" in names[1]
    assert "Plasma volume, $v_{p}$" in names[2] and "Interstitial volume, $v_{e}$" in names[2]
    boxes = [key.get_window_extent() for key in keys]
    assert not any(box.overlaps(axes.get_window_extent()) for box in boxes for axes in figure.axes)


def test_no_two_lines_of_a_panel_look_alike():
    for axes in drawn(a_history(1)).axes:
        assert len({line.get_color() for line in axes.lines}) == len(axes.lines)
    assert len({line.get_linestyle() for line in columns(drawn(a_history(1)))[0][1].lines}) == 2


def test_the_picture_says_what_the_loss_is_its_version_and_use():
    words = [text for text, _ in texts(drawn(a_history()))]
    assert any("divided by the arterial peak, rates per minute" in text for text in words)
    assert any("MyoPINN 0" in text and "Research use only" in text for text in words)


@pytest.mark.parametrize("slices", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("zeros", [False, True])
def test_no_word_is_clipped_or_lies_on_another(slices, zeros):
    history = a_history(slices)
    history["positive"][::2] *= 0.0 if zeros else 1.0
    figure = drawn(history)
    assert_nothing_is_clipped(figure)
    assert overlapping(texts(figure)) == []


def test_a_term_of_zero_is_drawn_at_a_tick_of_its_own():
    history = a_history(1)
    history["positive"][5:] = 0.0
    losses = columns(drawn(history))[0][0]
    positive = losses.lines[LOSSES.index("positive")].get_ydata()
    assert ticks(losses)[0] == "0"
    assert np.all(positive[5:] == losses.get_yticks()[0]) and np.array_equal(positive[:5], history["positive"][:5])
    assert losses.get_ylim()[0] < positive.min() < history["initial"].min()


def test_without_zeros_there_is_no_such_tick():
    assert all(label.startswith("$") and "<" not in label for label in ticks(columns(drawn(a_history()))[0][0]))


def test_a_term_that_counts_no_more_does_not_stretch_the_axis():
    history = a_history(1)
    history["positive"][-3:] = 1e-30
    losses = columns(drawn(history))[0][0]
    assert losses.get_ylim()[0] > 1e-12 and "<" in ticks(losses)[0]


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_losses_that_are_all_zero_or_no_numbers_still_give_a_picture(value, tmp_path):
    history = a_history(2)
    history |= {name: np.full(80, value) for name in (*LOSSES, "PS")}
    figures.training(tmp_path / "training.png", history, **WORDS)
    assert columns(drawn(history))[0][0].get_yscale() == "log"


def test_a_single_row_is_shown_by_dots():
    figure = drawn(a_history(2, rows=1))
    assert all(line.get_marker() == "o" for axes in figure.axes for line in axes.lines)
    assert all(axes.get_xlim()[0] <= 100 <= axes.get_xlim()[1] for axes in figure.axes)
    assert_nothing_is_clipped(figure)
    assert all(line.get_marker() == "None" for axes in drawn(a_history()).axes for line in axes.lines)


def test_the_reduced_method_has_no_ps():
    figure = drawn(a_history(without=("PS",)))
    _, flows, volumes = columns(figure)[0]
    assert (len(flows.lines), len(volumes.lines)) == (1, 2)
    assert flows.get_ylabel() == "mean $F_{p}$\n(mL/min/mL)"
    assert not any("PS" in text or "ermeability" in text for text, _ in texts(figure))


@pytest.mark.parametrize("history", [{}, a_history(rows=0)])
def test_a_history_without_rows_is_refused_in_a_sentence(history, tmp_path):
    with pytest.raises(InputError, match="history of the training has no rows"):
        figures.training(tmp_path / "training.png", history, **WORDS)
    assert list(tmp_path.iterdir()) == []


def test_a_history_without_a_column_is_refused_by_its_name():
    with pytest.raises(InputError, match="no column initial, v_e"):
        drawn(a_history(without=("initial", "v_e")))


@pytest.mark.filterwarnings("error")
def test_the_picture_is_written_whole(tmp_path):
    from matplotlib.image import imread

    figures.training(tmp_path / "training.png", a_history(), **WORDS)
    assert [path.name for path in tmp_path.iterdir()] == ["training.png"]
    assert imread(tmp_path / "training.png").shape[:2] == (1211, 2080)
