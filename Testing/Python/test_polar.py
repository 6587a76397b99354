"""The bull's-eye on paper: wedges fill the disc, each where cardiologists look for it."""

from __future__ import annotations

import numpy as np
import pytest

from MyoPINNLib.aha import TERRITORY, label_positions, polygons
from MyoPINNLib.errors import InputError
from MyoPINNLib.polar import RINGS, number_positions, ring_of, territory_borders


def area(outline):
    """Shoelace area of a closed outline (m, 2)."""
    x, y = outline.T
    return 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def holds(outline, point):
    """True where ``point`` lies in the outline (winding number)."""
    arm = np.asarray(outline) - point
    turn = np.angle(np.exp(1j * np.diff(np.arctan2(arm[:, 1], arm[:, 0]), append=np.arctan2(*arm[0, ::-1]))))
    return abs(turn.sum()) > np.pi


@pytest.mark.parametrize("model", [16, 17])
def test_the_wedges_fill_the_disc(model):
    outlines = polygons(model)
    assert list(outlines) == list(range(1, model + 1))
    assert sum(area(outline) for outline in outlines.values()) == pytest.approx(np.pi, rel=1e-3)
    assert max(np.hypot(*outline.T).max() for outline in outlines.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("model", [16, 17])
def test_labels_and_numbers_stand_in_their_own_wedge(model):
    outlines = polygons(model)
    for places in (label_positions(model), number_positions(model)):
        for segment, place in places.items():
            assert [n for n, outline in outlines.items() if holds(outline, place)] == [segment]


def test_anterior_is_up_and_septum_left():
    places = label_positions(16)
    for segment in (1, 7, 13):
        assert places[segment][1] > 0 and abs(places[segment][0]) < 1e-9
    assert all(places[n][0] < -0.1 for n in (2, 3, 8, 9, 14))
    assert all(places[n][0] > 0.1 for n in (5, 6, 11, 12, 16))
    assert places[2][1] > 0 > places[3][1]
    assert places[4][1] < 0 and places[15][1] < 0


def test_the_anterior_insertion_is_the_border_of_1_and_2():
    assert RINGS["basal"].angles_of(1)[1] == RINGS["basal"].angles_of(2)[0] == 120
    assert np.mean(RINGS["apical"].angles_of(14)) == RINGS["basal"].angles_of(2)[1]


@pytest.mark.parametrize("model", [16, 17])
def test_territory_borders_part_the_territories(model):
    outlines = polygons(model)
    for line in territory_borders(model):
        middle = line.mean(axis=0) if np.hypot(*line[0]) != pytest.approx(np.hypot(*line[-1])) else line[len(line) // 2]
        across = np.diff(line[[0, -1]], axis=0)[0][::-1] * (1, -1)
        across = 0.03 * across / np.hypot(*across)
        sides = {TERRITORY[n] for n, o in outlines.items() for s in (1, -1) if holds(o, middle + s * across)}
        assert len(sides) == 2


def test_what_is_no_model_is_refused():
    with pytest.raises(InputError, match="18 segments"):
        polygons(18)
    with pytest.raises(InputError, match="Segment 18"):
        ring_of(18)
