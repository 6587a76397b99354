"""The comparison of methods as two pictures in docs/figures: errors of F_p by object, and how cost grows."""

from __future__ import annotations

import numpy as np
from contest import CASES, ROOT
from method_tables import PICTURES

from MyoPINNLib.figures import canvas
from MyoPINNLib.quantities import percent

COLOURS = ("#0067a5", "#c2570c", "#00755a", "#7f3c8d", "#888888", "#b8860b", "#d1495b", "#333333", "#5aa9e6", "#94a61f")
MARKERS = "osD^vPX<>*"
WIDEST = 120.0
ABOVE, BELOW, LEGEND, LEGEND_ROW = 0.6, 1.05, 0.5, 0.18  # inches
LEGEND_COLUMNS = 3


def look_of(n):
    """Marker and colour of the n-th method; once all markers are used they come again, hollow and in other colours."""
    turn, place = divmod(n, len(MARKERS))
    shift = 3 * turn
    fill = {"fillstyle": "none"} if turn else {}
    return {"marker": MARKERS[place], "color": COLOURS[(place + shift) % len(COLOURS)]} | fill


def draw(figures, labels, grown):
    """Both pictures, where there is something to draw."""
    places = [ROOT / "docs" / path for path in PICTURES]
    places[0].parent.mkdir(exist_ok=True)
    with canvas.styled():
        _flow(figures, [label for label in labels if "own rule" not in label], places[0])
        if grown:
            _growth(grown, places[1])


def _flow(figures, labels, place):
    names = [name for name in CASES if any(key[0] == name for key in figures)]
    below = BELOW + LEGEND_ROW * -(-len(labels) // LEGEND_COLUMNS)
    height = below + 0.62 * len(names) + ABOVE
    figure = canvas.new_figure(9.0, height)
    bias, size = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.13, right=0.985, top=1 - ABOVE / height, bottom=below / height, wspace=0.06)
    _points(bias, figures, names, labels, "bias")
    _points(size, figures, names, labels, "median")
    bias.set_xlabel("bias of F_p (median error), %")
    size.set_xlabel("median size of the error of F_p, %")
    bias.axvline(0, color=canvas.INK, lw=0.8)
    size.set_xlim(left=0)
    bias.set_yticks(range(len(names)), names)
    bias.set_ylim(len(names) - 0.5, -0.5)
    handles, words = bias.get_legend_handles_labels()
    figure.legend(
        handles,
        words,
        loc="lower center",
        bbox_to_anchor=(0.5, LEGEND / height),
        ncols=LEGEND_COLUMNS,
        frameon=False,
        fontsize=8,
    )
    title = "Plasma flow against truth, by object and method"
    edge = f"What lies beyond {WIDEST:.0f} % stands at the edge."
    canvas.add_words(figure, title=title, footer=canvas.footer("simulated curves"), notes=[edge])
    canvas.save(figure, place)


def _points(panel, figures, names, labels, key):
    """A point a method and object; what lies beyond ``WIDEST`` stands at the edge."""
    for n, label in enumerate(labels):
        there = [
            (row, figures[name, label])
            for row, name in enumerate(names)
            if isinstance(figures.get((name, label)), dict)
        ]
        rows = [row + 0.7 * ((n + 0.5) / len(labels) - 0.5) for row, _ in there]
        values = np.clip([percent(cell[key]) for _, cell in there], -WIDEST, WIDEST)
        panel.plot(values, rows, label=label, ms=5.5, ls="", **look_of(n))
    panel.grid(axis="x", color="#dddddd", lw=0.6)
    panel.set_axisbelow(True)
    for row in range(1, len(names)):
        panel.axhline(row - 0.5, color="#bbbbbb", lw=0.6)


def _growth(grown, place):
    figure = canvas.new_figure(8.0, 3.9)
    time, memory = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.1, right=0.98, top=0.86, bottom=0.24, wspace=0.25)
    for n, method in enumerate(dict.fromkeys(method for method, _ in grown)):
        sizes = sorted(size for name, size in grown if name == method)
        look = look_of(n) | {"label": method}
        time.loglog(sizes, [grown[method, size]["seconds"] for size in sizes], **look)
        memory.loglog(sizes, [grown[method, size]["peak"] for size in sizes], **look)
    memory.set_yscale("linear")
    memory.set_ylim(bottom=0)
    time.set_ylabel("processor time, s")
    memory.set_ylabel("peak memory, MiB")
    for panel in (time, memory):
        panel.set_xlabel("curves of 100 frames")
        panel.grid(which="major", color="#dddddd", lw=0.6)
        panel.legend(frameon=False)
    canvas.add_words(
        figure, title="How cost grows with the number of curves", footer=canvas.footer("simulated curves, one thread")
    )
    canvas.save(figure, place)
