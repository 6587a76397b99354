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
    figure = canvas.new_figure(9.0, 0.62 * len(names) + 2.6)
    panels = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.13, right=0.985, top=0.87, bottom=0.3, wspace=0.06)
    for panel, (key, words) in zip(
        panels, (("bias", "bias of F_p (median error), %"), ("median", "median size of the error of F_p, %"))
    ):
        for n, label in enumerate(labels):
            there = [
                (row, figures[name, label])
                for row, name in enumerate(names)
                if isinstance(figures.get((name, label)), dict)
            ]
            rows = np.array([row for row, _ in there]) + 0.7 * ((n + 0.5) / len(labels) - 0.5)
            values = np.clip([percent(cell[key]) for _, cell in there], -WIDEST, WIDEST)
            look = {"marker": MARKERS[n % len(MARKERS)], "color": COLOURS[n % len(COLOURS)], "ms": 5.5, "ls": ""}
            panel.plot(values, rows, label=label, **look)
        panel.set_xlabel(words)
        panel.grid(axis="x", color="#dddddd", lw=0.6)
        panel.set_axisbelow(True)
        for row in range(1, len(names)):
            panel.axhline(row - 0.5, color="#bbbbbb", lw=0.6)
    panels[0].axvline(0, color=canvas.INK, lw=0.8)
    panels[1].set_xlim(left=0)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    handles, words = panels[0].get_legend_handles_labels()
    figure.legend(handles, words, loc="lower center", bbox_to_anchor=(0.5, 0.06), ncols=4, frameon=False, fontsize=8)
    canvas.add_words(
        figure, title="Plasma flow against truth, by object and method", footer=canvas.footer("simulated curves")
    )
    canvas.save(figure, place)


def _growth(grown, place):
    figure = canvas.new_figure(8.0, 3.9)
    time, memory = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.09, right=0.98, top=0.86, bottom=0.24, wspace=0.25)
    for n, method in enumerate(dict.fromkeys(method for method, _ in grown)):
        sizes = sorted(size for name, size in grown if name == method)
        look = {"marker": MARKERS[n], "color": COLOURS[n], "label": method}
        time.loglog(sizes, [grown[method, size]["seconds"] for size in sizes], **look)
        memory.loglog(sizes, [grown[method, size]["peak"] for size in sizes], **look)
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
