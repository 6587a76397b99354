"""Draws the extension's icon and the thumbnails of the samples again, from the AHA model and the phantoms themselves.

python Resources/draw_icons.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from MyoPINNLib.aha import segment  # noqa: E402
from MyoPINNLib.figures.canvas import new_figure, scale, styled  # noqa: E402
from MyoPINNLib.figures.display import view_of  # noqa: E402
from MyoPINNLib.polar import TERRITORY, polygons, ring_of, territory_borders  # noqa: E402
from MyoPINNLib.quantities import QUANTITIES  # noqa: E402
from MyoPINNLib.scene.playing import peak_frame  # noqa: E402
from MyoPINNLib.scene.samples import Sample  # noqa: E402
from MyoPINNLib.settings import AHASettings, SliceLevel  # noqa: E402
from MyoPINNLib.simulate.phantom import make_phantom  # noqa: E402

MODEL = 16
SIZE = 128
# Okabe and Ito, made to be told apart by colour-blind readers
COLOURS = {"LAD": (213, 94, 0), "RCA": (0, 114, 178), "LCx": (0, 158, 115)}
TINT = {SliceLevel.BASAL: 0.0, SliceLevel.MID: 0.28, SliceLevel.APICAL: 0.55}
WIDE, HIGH = 288, 192
MID = 1
HALF = 52.0  # mm about the heart


def icon() -> str:
    """The bull's-eye as SVG: three rings, the territories in their colours, paler towards the apex."""
    middle, radius = SIZE / 2, SIZE / 2 - 3

    def path(points: np.ndarray) -> str:
        return "M" + "L".join(f"{middle + radius * x:.2f} {middle - radius * y:.2f}" for x, y in points)

    wedges = [f'<path d="{path(outline)}Z" fill="{_fill(n)}"/>' for n, outline in polygons(MODEL).items()]
    rings = [f'<circle cx="{middle}" cy="{middle}" r="{share * radius:.2f}"/>' for share in (0.4, 0.7)]
    borders = [f'<path d="{path(line)}"/>' for line in territory_borders(MODEL)]
    rim = f'<circle cx="{middle}" cy="{middle}" r="{radius:.2f}" fill="none" stroke="#263238" stroke-width="4"/>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">',
            "<title>MyoPINN</title>",
            *wedges,
            '<g fill="none" stroke="white" stroke-width="4">',
            *rings,
            *borders,
            "</g>",
            rim,
            "</svg>\n",
        ]
    )


def _fill(number: int) -> str:
    share = TINT[ring_of(number).level]
    return "#" + "".join(f"{round(part + share * (255 - part)):02x}" for part in COLOURS[TERRITORY[number]])


def icon_picture(path: Path) -> None:
    """The same as PNG."""
    from matplotlib.patches import Circle, Polygon

    figure = new_figure(SIZE / 160, SIZE / 160)
    figure.patch.set_alpha(0)
    axes = figure.add_axes((0, 0, 1, 1))
    edge = SIZE / (SIZE - 6)
    axes.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
    axes.set_axis_off()
    line = 4 * 72 / 160
    for number, outline in polygons(MODEL).items():
        axes.add_patch(Polygon(outline, facecolor=_fill(number), edgecolor=_fill(number), linewidth=0.2))
    for share in (0.4, 0.7):
        axes.add_patch(Circle((0, 0), share, fill=False, edgecolor="white", linewidth=line))
    for border in territory_borders(MODEL):
        axes.plot(*border.T, color="white", linewidth=line, solid_capstyle="butt", zorder=2)
    axes.add_patch(Circle((0, 0), 1.0, fill=False, edgecolor="#263238", linewidth=line, zorder=3))
    figure.savefig(path, dpi=160, transparent=True)


def thumbnail(sample: Sample, path: Path) -> None:
    """The middle slice of each study of a sample, with the flow that it was drawn with."""
    figure = new_figure(WIDE / 160, HIGH / 160)
    figure.patch.set_facecolor("black")
    share = 1 / len(sample.value)
    for n, preset in enumerate(sample.value):
        axes = figure.add_axes((n * share, 0, share, 1))
        _heart(axes, make_phantom(preset, seed=1), high=HALF, wide=HALF * share * WIDE / HIGH)
        axes.text(0.05, 0.95, preset.value, color="white", size=8, va="top", transform=axes.transAxes)
    figure.text(0.975, 0.04, "synthetic", color="#bbbbbb", size=6, ha="right")
    figure.savefig(path, dpi=160)


def _heart(axes, phantom, *, high: float, wide: float) -> None:
    segments, _ = segment(phantom.masks, AHASettings(insertion_lps=phantom.insertion_lps))
    view = view_of(
        phantom.series.geometry,
        MID,
        centre=segments.centres[MID],
        anterior=segments.anterior[MID],
        septal=segments.septal[MID],
    )
    image = phantom.series.signal[peak_frame(phantom.series), MID]
    flow = QUANTITIES["MBF"].shown(phantom.truth["MBF"][MID])
    axes.imshow(view.picture(image), cmap="gray", extent=view.extent, vmax=np.quantile(image, 0.995))
    colours = scale("MBF")
    axes.imshow(colours.to_rgba(view.picture(np.ma.masked_invalid(flow))), extent=view.extent, interpolation="nearest")
    axes.set(xlim=(-wide, wide), ylim=(-high, high))
    axes.set_axis_off()


def main() -> None:
    """Write them all."""
    icons = ROOT / "MyoPINN" / "Resources" / "Icons"
    icons.mkdir(parents=True, exist_ok=True)
    (ROOT / "Resources" / "MyoPINN.svg").write_text(icon(), encoding="utf-8")
    with styled():
        for path in (ROOT / "Resources" / "MyoPINN.png", icons / "MyoPINN.png"):
            icon_picture(path)
        for sample in Sample:
            thumbnail(sample, icons / sample.thumbnail)


if __name__ == "__main__":
    main()
