"""AHA segments: a heart drawn in the patient must get the same segment at the same place however it is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import ndimage

from MyoPINNLib.aha import NAMES, TERRITORY, AHASegments, Half, Level, segment
from MyoPINNLib.errors import InputError
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.series import Masks
from MyoPINNLib.settings import AHASettings

BASE = np.array([-11.3, -37.2, 24.9])
AXIS = np.array([0.65, -0.6, -0.45]) / np.linalg.norm([0.65, -0.6, -0.45])
UP = np.cross(AXIS, [0.8, 0.7, -0.05])
UP = UP / np.linalg.norm(UP)
LATERAL = np.cross(UP, AXIS)
POSITIONS = (10.0, 32.0, 54.0)


@dataclass(frozen=True)
class Heart:
    """A heart in LPS mm: axis base to apex; the anterior insertion at ``insertion`` degrees from the lateral direction."""

    insertion: float = 120.0
    septum: float = 120.0

    def place(self, points):
        """Distance along the axis, radius and angle (degrees, counter-clockwise from the apex, lateral = 0)."""
        arm = points - BASE
        x, y = arm @ LATERAL, arm @ UP
        return arm @ AXIS, np.hypot(x, y), np.degrees(np.arctan2(y, x))

    def masks(self, geometry, *, rv=False, only=None):
        """The wall thins and narrows to the apex; the right ventricle lies on the septum."""
        points = lps_of(geometry)
        along, radius, angle = self.place(points)
        outer, inner = 33.0 - along / 4, 24.0 - along / 4 - np.clip(along - 70, 0, None)
        on_septum = np.mod(angle - self.insertion, 360) < self.septum
        slices = np.ones(geometry.shape[0], bool) if only is None else np.isin(np.arange(geometry.shape[0]), only)
        here = slices[:, None, None] & (along > 0)
        return Masks(
            here & (radius >= inner) & (radius < outer),
            here & (radius < inner - 2),
            geometry,
            here & on_septum & (radius >= outer) & (radius < outer + 20) if rv else None,
        )

    def point(self, along=POSITIONS[0], *, radius=32.0):
        """An LPS point at the insertion."""
        a = np.radians(self.insertion)
        return tuple(BASE + along * AXIS + radius * (np.cos(a) * LATERAL + np.sin(a) * UP))

    def bulls_eye_angle(self, geometry):
        """The angle at which every voxel belongs on the bull's-eye, degrees in 0 to 360."""
        return np.mod(self.place(lps_of(geometry))[2] - self.insertion + 120, 360)


def lps_of(geometry):
    return geometry.to_lps(np.argwhere(np.ones(geometry.shape))).reshape(*geometry.shape, 3)


def short_axis_grid(positions=POSITIONS, *, turned=17.0, size=64, pixel=1.7):
    """Slices across the axis, rows turned by ``turned`` degrees from the lateral direction."""
    t = np.radians(turned)
    row, column = np.cos(t) * LATERAL + np.sin(t) * UP, np.sin(t) * LATERAL - np.cos(t) * UP
    affines = np.tile(np.eye(4), (len(positions), 1, 1))
    affines[:, :3, 0], affines[:, :3, 1], affines[:, :3, 2] = row * pixel, column * pixel, -AXIS * 8.0
    for k, along in enumerate(positions):
        affines[k, :3, 3] = BASE + along * AXIS - (row + column) * pixel * (size / 2 - 0.3)
    return Geometry(affines, (len(positions), size, size))


def flipped(geometry, axis):
    """The same voxels stored the other way round along i (0), j (1) or k (2)."""
    affines = geometry.ijk_to_lps.copy()
    if axis == 2:
        return Geometry(affines[::-1], geometry.shape)
    affines[:, :3, 3] += affines[:, :3, axis] * (geometry.shape[2 - axis] - 1)
    affines[:, :3, axis] *= -1
    return Geometry(affines, geometry.shape)


def swapped(geometry):
    """Rows stored as columns."""
    return Geometry(geometry.ijk_to_lps[:, :, [1, 0, 2, 3]], (geometry.shape[0], geometry.shape[2], geometry.shape[1]))


def expected_label(heart, geometry, levels=(Level.BASAL, Level.MID, Level.APICAL)):
    """Segment numbers by the angle's definition, spelled out."""
    angle = heart.bulls_eye_angle(geometry)
    table = {
        Level.BASAL: [6, 1, 2, 3, 4, 5],
        Level.MID: [12, 7, 8, 9, 10, 11],
        Level.APICAL: [16, 13, 14, 15],
    }
    label = np.zeros(geometry.shape, int)
    for k, level in enumerate(levels):
        if level in table:
            numbers = np.array(table[level])
            wedge = 360 / len(numbers)
            offset = 0 if len(numbers) == 6 else 45
            label[k] = numbers[(np.mod(angle[k] + offset, 360) // wedge).astype(int)]
        elif level is Level.APEX:
            label[k] = 17
    return label


def off_borders(heart, geometry, degrees=2.0):
    """Voxels that lie clear of every border between segments."""
    angle = heart.bulls_eye_angle(geometry)
    borders = np.concatenate([np.arange(0, 361, 60), np.arange(45, 360, 90)])
    return np.abs(angle[..., None] - borders).min(axis=-1) > degrees


@pytest.fixture
def a_heart():
    return Heart()


GRIDS = {
    "as drawn": short_axis_grid(),
    "flipped i": flipped(short_axis_grid(), 0),
    "flipped j": flipped(short_axis_grid(), 1),
    "reversed k": flipped(short_axis_grid(), 2),
    "all mirrored": flipped(flipped(flipped(short_axis_grid(), 0), 1), 2),
    "rows as columns": swapped(short_axis_grid()),
    "rotated": short_axis_grid(turned=-128.0),
    "rotated and mirrored": flipped(short_axis_grid(turned=71.0), 0),
}


@pytest.mark.parametrize("name", GRIDS)
def test_the_same_heart_has_the_same_segments_on_every_grid(a_heart, name):
    geometry = GRIDS[name]
    masks = a_heart.masks(geometry)
    segments, notes = segment(masks, AHASettings(insertion_lps=(a_heart.point(),)))
    levels = [Level.BASAL, Level.MID, Level.APICAL][:: -1 if name in ("reversed k", "all mirrored") else 1]
    clear = masks.myocardium & off_borders(a_heart, geometry)
    assert clear.sum() > 0.8 * masks.myocardium.sum()
    assert np.array_equal(segments.label[clear], expected_label(a_heart, geometry, levels)[clear])
    assert segments.levels == tuple(levels)
    assert notes == ()


@pytest.mark.parametrize("name", GRIDS)
def test_the_right_ventricle_tells_the_insertion_on_every_grid(name):
    heart = Heart(insertion=104.0, septum=100.0)
    segments, notes = segment(heart.masks(GRIDS[name], rv=True), AHASettings())
    k = segments.levels.index(Level.BASAL)
    angle = heart.place(segments.insertion[k])[2]
    assert abs(angle - 104.0) < 5
    assert not segments.estimated_insertion
    assert notes == ()


def test_mirrored_storage_moves_no_label(a_heart):
    settings = AHASettings(insertion_lps=(a_heart.point(),))
    geometry = short_axis_grid()
    plain = segment(a_heart.masks(geometry), settings)[0].label
    mirrored = segment(a_heart.masks(flipped(geometry, 0)), settings)[0].label
    assert (plain != mirrored[:, :, ::-1]).mean() < 1e-3


def test_as_seen_from_the_apex_the_walls_stand_where_their_names_say(a_heart):
    geometry = short_axis_grid()
    segments, _ = segment(a_heart.masks(geometry), AHASettings(insertion_lps=(a_heart.point(),)))
    middle = {n: lps_of(geometry)[segments.label == n].mean(axis=0) - BASE for n in segments.numbers}
    assert middle[1] @ UP > 15 and middle[4] @ UP < -15 and middle[13] @ UP > 10
    assert min(middle[n] @ -LATERAL for n in (2, 3, 8, 9, 14)) > 8
    assert min(middle[n] @ LATERAL for n in (5, 6, 11, 12, 16)) > 8
    assert middle[3][2] < middle[2][2]  # the inferoseptal wall lies nearer the feet


def test_an_estimated_insertion_is_near_and_told(a_heart):
    segments, notes = segment(a_heart.masks(short_axis_grid()), AHASettings())
    angle = a_heart.place(segments.insertion[0])[2]
    assert segments.estimated_insertion
    assert abs(angle - 120) < 20
    assert len(notes) == 1 and "insertion_lps" in notes[0]


def test_a_right_ventricle_that_touches_nothing_is_told(a_heart):
    masks = a_heart.masks(short_axis_grid())
    far = np.zeros_like(masks.myocardium)
    far[:, :3, :3] = True
    segments, notes = segment(replace(masks, right_ventricle=far), AHASettings())
    assert segments.estimated_insertion
    assert "does not border" in notes[0]


def test_an_insertion_on_the_lateral_wall_is_doubted(a_heart):
    opposite = Heart(insertion=-60.0).point()
    _, notes = segment(a_heart.masks(short_axis_grid()), AHASettings(insertion_lps=(opposite,)))
    assert "face away" in notes[0]


def test_one_point_a_slice_turns_each_slice_by_its_own(a_heart):
    geometry = short_axis_grid()
    points = [Heart(insertion=angle).point(along) for angle, along in zip((120, 110, 100), POSITIONS)]
    segments, _ = segment(a_heart.masks(geometry), AHASettings(insertion_lps=tuple(points[::-1])))
    angles = [a_heart.place(point)[2] for point in segments.insertion]
    assert angles == pytest.approx([120, 110, 100], abs=1)


@pytest.mark.parametrize(
    ("positions", "levels"),
    [
        ((30.0,), "mid"),
        ((10.0, 50.0), "basal apical"),
        ((5.0, 15.0, 60.0), "basal mid apical"),
        ((5.0, 20.0, 35.0, 50.0), "basal mid mid apical"),
        (tuple(np.arange(4.0, 62.0, 10.0)), "basal basal mid mid apical apical"),
        ((5.0, 10.0, 15.0, 20.0, 60.0, 65.0), "basal basal basal basal apical apical"),
    ],
)
def test_slices_take_the_third_of_the_heart_they_lie_in(a_heart, positions, levels):
    segments, notes = segment(
        a_heart.masks(short_axis_grid(positions)), AHASettings(insertion_lps=(a_heart.point(positions[0]),))
    )
    assert [level.value for level in segments.levels] == levels.split()
    assert bool(notes) == (len(positions) < 3)


def test_a_slice_without_cavity_beyond_the_apical_is_segment_17(a_heart):
    geometry = short_axis_grid((*POSITIONS, 78.0))
    settings = AHASettings(segments=17, insertion_lps=(a_heart.point(),))
    segments, notes = segment(a_heart.masks(geometry), settings)
    assert segments.levels[3] is Level.APEX and set(np.unique(segments.label[3])) == {0, 17}
    without, notes = segment(a_heart.masks(geometry), replace(settings, segments=16))
    assert without.levels[3] is Level.NONE and not without.label[3].any()
    assert "no cavity" in notes[0]


def test_points_of_slices_without_myocardium_are_left_out_and_told(a_heart):
    points = tuple(Heart(insertion=angle).point(along) for angle, along in zip((120, 100, 140), POSITIONS))
    masks = a_heart.masks(short_axis_grid(), only=(1,))
    segments, notes = segment(masks, AHASettings(insertion_lps=points))
    alone, _ = segment(masks, AHASettings(insertion_lps=points[1:2]))
    assert (segments.label == alone.label).all()
    assert "2 of 3 RV insertion points are left out: no myocardium is drawn in their slices." in notes


def test_points_that_all_lie_in_slices_without_myocardium_are_too_many(a_heart):
    masks = a_heart.masks(short_axis_grid(), only=(1,))
    points = (a_heart.point(POSITIONS[0]), a_heart.point(POSITIONS[2]))
    with pytest.raises(InputError, match="2 RV insertion points belong to slice 2, the nearest with myocardium"):
        segment(masks, AHASettings(insertion_lps=points))


def test_empty_slices_have_no_level(a_heart):
    geometry = short_axis_grid((-20.0, *POSITIONS, 90.0, 100.0))
    segments, _ = segment(a_heart.masks(geometry, only=(1, 2, 3)), AHASettings(insertion_lps=(a_heart.point(),)))
    assert [level.value for level in segments.levels] == ["none", "basal", "mid", "apical", "none", "none"]


def test_given_levels_decide_and_a_contradiction_is_told(a_heart):
    settings = AHASettings(insertion_lps=(a_heart.point(),))
    masks = a_heart.masks(short_axis_grid())
    kept, notes = segment(masks, replace(settings, levels=("mid", "mid", "none")))
    assert set(np.unique(kept.label)) == {0, *range(7, 13)} and notes == ()
    turned, notes = segment(masks, replace(settings, levels=("apical", "mid", "basal")))
    assert set(np.unique(turned.label[0])) == {0, 13, 14, 15, 16}
    assert "against the patient's directions" in notes[0]


def test_slices_across_the_body_find_the_apex_by_size():
    across = np.cross([1.0, -1.0, -1.0], [0.0, 1.0, -1.0])
    affine = np.eye(4)
    affine[:3, 2] = 10 * across / np.linalg.norm(across)
    affine[:3, 0], affine[:3, 1] = [0, 1.4, -1.4], [1.15, -1.15, -1.15]
    j, i = np.mgrid[:40, :40]
    radius = np.hypot(j - 20, i - 20)
    wall = np.stack([(radius < outer) & (radius > outer - 4) for outer in (9, 12, 15)])
    masks = Masks(
        wall, np.stack([radius < outer - 5 for outer in (9, 12, 15)]), Geometry.from_volume(affine, wall.shape)
    )
    assert [level.value for level in segment(masks, AHASettings())[0].levels] == ["apical", "mid", "basal"]


def test_a_size_that_contradicts_the_directions_is_told():
    grows = short_axis_grid()
    j, i = np.mgrid[:64, :64]
    radius = np.hypot(j - 31.7, i - 31.7)
    wall = np.stack([(radius < outer) & (radius > outer - 5) for outer in (12, 15, 19)])
    masks = Masks(wall, np.stack([radius < outer - 6 for outer in (12, 15, 19)]), grows)
    _, notes = segment(masks, AHASettings(insertion_lps=(Heart().point(),)))
    assert "against the size" in notes[0]


def test_an_open_basal_wall_keeps_its_segments(a_heart):
    geometry = short_axis_grid()
    masks = a_heart.masks(geometry)
    gap = np.mod(a_heart.bulls_eye_angle(geometry) - 185, 360) < 50
    gap[1:] = False
    wall = masks.myocardium & ~gap
    thick = np.argwhere(ndimage.binary_erosion(wall[0], np.ones((3, 3))))
    wall[0][tuple(thick[0])] = False  # a pixel left out is no cavity
    opened = replace(masks, myocardium=wall)
    label = segment(opened, AHASettings(insertion_lps=(a_heart.point(),)))[0].label
    clear = opened.myocardium & off_borders(a_heart, geometry, 4)
    assert np.array_equal(label[clear], expected_label(a_heart, geometry)[clear])
    assert 3 not in label[0][gap[0]]


def test_the_inner_half_of_the_wall_is_endocardial(a_heart):
    geometry = short_axis_grid()
    masks = a_heart.masks(geometry)
    half = segment(masks, AHASettings())[0].half
    radius = a_heart.place(lps_of(geometry))[1]
    assert np.array_equal(half > 0, masks.myocardium)
    for k in range(3):
        inner, outer = radius[k][half[k] == Half.ENDO], radius[k][half[k] == Half.EPI]
        edge = np.percentile(inner, 98)
        assert edge == pytest.approx(28.5 - POSITIONS[k] / 4, abs=1.7)
        assert np.percentile(outer, 2) > edge - 1.7


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (AHASettings(levels=("basal", "mid")), "2 slice levels were given and the study has 3"),
        (AHASettings(levels=("basal", "apical", "mid")), "do not run from base to apex"),
        (AHASettings(levels=("mid", "apical", "apex")), "16-segment model does not have"),
        (AHASettings(insertion_lps=(tuple(BASE),)), "at the centre of the left ventricle"),
        (AHASettings(insertion_lps=(Heart().point(radius=120.0),)), "outside the heart"),
        (AHASettings(insertion_lps=(Heart().point(-60.0),)), "70 mm off the nearest slice"),
        (
            AHASettings(insertion_lps=(Heart().point(), Heart(insertion=-120).point())),
            "2 RV insertion points belong to slice 1",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(a_heart, settings, words):
    with pytest.raises(InputError, match=words):
        segment(a_heart.masks(short_axis_grid()), settings)


def test_an_unknown_level_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="apical"):
        AHASettings(levels=("basal", "middle", "apical"))


def test_every_segment_has_a_name_and_a_territory():
    assert set(NAMES) == set(TERRITORY) == set(range(1, 18))
    assert NAMES[8] == "mid anteroseptal" and TERRITORY[8] == "LAD"
    assert NAMES[14] == "apical septal" and NAMES[17] == "apex"
    assert [n for n, name in TERRITORY.items() if name == "RCA"] == [3, 4, 9, 10, 15]


def test_segments_of_another_model_cannot_be_made(a_heart):
    segments, _ = segment(a_heart.masks(short_axis_grid()), AHASettings())
    label = segments.label.copy()
    label[0, 0, 0] = 17
    with pytest.raises(InputError, match="16-segment model"):
        replace(segments, label=label)
    assert isinstance(segments, AHASegments)
