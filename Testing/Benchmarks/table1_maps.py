"""The paper's Fig. 2: maps of one slice of its object, the truth and each method's, with NMSE and SSIM under each."""

from __future__ import annotations

import numpy as np
from judging import NAMES

from MyoPINNLib.figures import canvas
from MyoPINNLib.quantities import QUANTITIES, shown

ROWS, COLUMNS = 40, 120
LIMITS = {"F_p": (0, 2.5), "v_p": (0, 0.25), "v_e": (0, 0.6), "PS": (0, 3)}


def draw(found, truth, place):
    """A row of maps for the truth and for each of ``found``: (words, parameters by name, {"nmse": .., "ssim": ..})."""
    rows = [("Truth", dict(truth.items()), None), *found]
    height = 1.25 + 1.02 * len(rows)
    with canvas.styled():
        figure = canvas.new_figure(11.5, height)
        axes = figure.subplots(len(rows), len(NAMES), squeeze=False)
        figure.subplots_adjust(
            left=0.125, right=0.985, top=1 - 0.62 / height, bottom=0.95 / height, hspace=0.3, wspace=0.11
        )
        for line, (words, held, scores) in zip(axes, rows, strict=True):
            for cell, name in zip(line, NAMES, strict=True):
                one(cell, name, held.get(name), scores)
            line[0].set_ylabel(words, rotation=0, ha="right", va="center", size=8)
        for column, name in enumerate(NAMES):
            axes[0, column].set_title(f"{name}{in_unit(name)}", size=10, weight="bold")
            beside = axes[-1, column].get_position()
            bar = figure.add_axes((beside.x0, 0.62 / height, beside.width, 0.09 / height))
            figure.colorbar(canvas.scale(name, LIMITS[name]), cax=bar, orientation="horizontal")
            bar.tick_params(labelsize=8)
        footer = canvas.footer(
            "the paper's object, slice PS = 0.5 mL/min/mL; under each map NMSE (SSIM) as the paper takes them"
        )
        canvas.add_words(figure, title="Parameter maps of the paper's object", footer=footer)
        canvas.save(figure, place)


def one(cell, name, values, scores):
    """A map, or the words that there is none."""
    cell.set_xticks([])
    cell.set_yticks([])
    if values is None:
        cell.text(0.5, 0.5, "not fitted", ha="center", va="center", transform=cell.transAxes, size=9)
        return
    scale = canvas.scale(name, LIMITS[name])
    cell.imshow(shown(name, np.asarray(values)).reshape(ROWS, COLUMNS), cmap=scale.cmap, norm=scale.norm, aspect="auto")
    if scores:
        cell.set_xlabel(f"{scores['nmse'][name]:.2f} ({scores['ssim'][name]:.2f})", size=8, labelpad=2)


def in_unit(name):
    """Its unit for a title."""
    unit = QUANTITIES[name].unit
    return f", {unit}" if unit else ""
