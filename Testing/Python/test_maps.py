"""Maps and their statistics: what follows from the parameters, and what a segment's numbers stand for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import trapezoid

from MyoPINNLib.aha import AHASegments, Half, Level
from MyoPINNLib.errors import InputError
from MyoPINNLib.fit import FitResult, KineticParameters, Outcome, TissueCurves
from MyoPINNLib.geometry import Geometry
from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.maps import ParameterMaps, derived_quantities, mean_curves, parameter_maps

SHAPE = (2, 3, 4)


@pytest.fixture
def a_geometry():
    return Geometry.from_volume(np.eye(4), SHAPE)


@pytest.fixture
def the_segments():
    """Segment 1 in both slices, 2 in the second one; the rest is no myocardium."""
    label = np.zeros(SHAPE, dtype=np.uint8)
    label[0, 0], label[1, 0, :2], label[1, 1] = 1, 1, 2
    half = np.where(label > 0, Half.EPI, Half.NONE)
    half[0, 0, :2] = Half.ENDO
    nowhere = np.full((2, 3), np.nan)
    return AHASegments(label, (Level.BASAL, Level.BASAL), 16, False, half, nowhere, nowhere, nowhere, nowhere)


@pytest.fixture
def the_parameters():
    return KineticParameters(
        F_p=np.array([0.03, 0.01, 0.0]),
        v_p=np.array([0.08, 0.05, 0.0]),
        v_e=np.array([0.2, 0.15, 0.1]),
        PS=np.array([0.02, 0.005, 0.0]),
        T_a=np.array([0.5, 0.0, 0.1]),
    )


def maps_of(values, valid, geometry):
    return ParameterMaps({"MBF": values}, valid, geometry)


def test_flow_per_gram_does_not_depend_on_the_haematocrit(an_aif, the_parameters):
    """C_ap scales with 1/(1 - Hct), so the fitted F_p scales with 1 - Hct and MBF stays."""
    low, high = 0.25, 0.55
    scale = (1 - high) / (1 - low)
    other = replace(the_parameters, F_p=the_parameters.F_p * scale)
    one = derived_quantities(the_parameters, hct=low, density=1.05)
    two = derived_quantities(other, hct=high, density=1.05)
    assert two["MBF"] == pytest.approx(one["MBF"], rel=1e-9)
    assert one["MBF"][0] == pytest.approx(0.03 / 0.75 / 1.05)


def test_extraction_and_transit_time_follow_from_the_curve(an_aif):
    """MTT is the area of the residue over its start: here by an input that ends and a long look."""
    flow, v_p, v_e, PS = 0.03, 0.08, 0.2, 0.02
    found = derived_quantities(
        KineticParameters(*(np.array([value]) for value in (flow, v_p, v_e, PS))), hct=0.45, density=1.05
    )
    time = np.linspace(0, 900, 90001)
    C_ap = an_aif(time) * (time < an_aif.time[-1])
    curve = tissue_curve(type(an_aif)(time, C_ap), time, F_p=flow, v_p=v_p, v_e=v_e, PS=PS)[0]
    assert found["MTT"][0] == pytest.approx(trapezoid(curve, time) / trapezoid(C_ap, time) / flow, rel=1e-3)
    assert found["K_trans"][0] == pytest.approx(found["E"][0] * flow) == pytest.approx(0.02 * 0.03 / 0.05)


def test_no_flow_has_no_transit_time_and_no_warning(the_parameters):
    with np.errstate(all="raise"):
        found = derived_quantities(the_parameters, hct=0.45, density=1.05)
    assert np.isnan(found["MTT"][2]) and np.isnan(found["E"][2])
    assert found["MBF"][2] == 0


def test_a_method_that_gives_flow_alone_invents_nothing():
    found = derived_quantities(KineticParameters(F_p=np.array([0.02])), hct=0.45, density=1.05)
    assert set(found) == {"F_p", "F_b", "MBF"}


def test_maps_hold_every_voxel_at_its_place(a_geometry, the_parameters, an_aif):
    voxels = np.array([[0, 1, 2], [1, 0, 3], [1, 2, 0]])
    curves = TissueCurves(np.arange(10.0), np.zeros(3), np.zeros((3, 10)), voxels=voxels)
    outcome = np.array([Outcome.FITTED, Outcome.POOR_FIT, Outcome.FITTED])
    result = FitResult(the_parameters, curves.C_t, np.array([0.01, 0.02, 0.03]), outcome, an_aif, 0.1)
    maps = parameter_maps(result, curves, a_geometry, hct=0.45, density=1.05)
    assert maps["PS"][0, 1, 2] == 0.02 and maps["PS_g"][1, 0, 3] == pytest.approx(0.005 / 1.05)
    assert maps["residual"][1, 2, 0] == 0.03
    assert np.isnan(maps["F_p"]).sum() == maps.valid.size - 3
    assert maps.valid.sum() == 2 and not maps.valid[1, 0, 3]
    assert maps.mask.sum() == 3 and maps.mask[1, 0, 3]


def test_statistics_are_those_of_the_valid_voxels(a_geometry, the_segments):
    values = np.full(SHAPE, np.nan)
    values[0, 0], values[1, 0, :2] = [1.0, 2.0, 3.0, 4.0], [5.0, 100.0]
    valid = np.isfinite(values)
    valid[1, 0, 1] = False
    row = maps_of(values, valid, a_geometry).by_segment(the_segments, "MBF")[0]
    assert (row.segment, row.name, row.voxels) == (1, "basal anterior", 6)
    assert (row.median, row.q1, row.q3, row.mean) == (3.0, 2.0, 4.0, 3.0)
    assert row.valid_share == pytest.approx(5 / 6)
    assert row.sd == pytest.approx(np.sqrt(2.5))


def test_a_segment_that_no_slice_reaches_is_not_measured(a_geometry, the_segments):
    values = np.where(the_segments.label == 1, 2.0, np.nan)
    table = maps_of(values, np.isfinite(values), a_geometry).by_segment(replace(the_segments, model=17), "MBF")
    assert len(table) == 17
    assert not table[16].measured and (table[16].voxels, table[16].valid_share) == (0, None)
    assert not table[1].measured and (table[1].voxels, table[1].valid_share) == (4, 0.0)
    assert table[0].measured and table[0].sd == 0


def test_each_half_of_the_wall_has_its_own_numbers(a_geometry, the_segments):
    values = np.where(the_segments.half == Half.ENDO, 1.0, 3.0)
    maps = maps_of(values, the_segments.label > 0, a_geometry)
    assert maps.by_segment(the_segments, "MBF", half=Half.ENDO)[0].median == 1.0
    assert maps.by_segment(the_segments, "MBF", half=Half.EPI)[0].voxels == 4


def test_a_map_that_is_not_there_is_named(a_geometry):
    maps = maps_of(np.zeros(SHAPE), np.ones(SHAPE, bool), a_geometry)
    with pytest.raises(InputError, match=r"no map of PS.*MBF"):
        maps["PS"]
    with pytest.raises(InputError, match=r"\(1, 3, 4\)"):
        replace(maps, valid=np.ones((1, 3, 4), bool))


def curves_in(segments, signal, *, clocks=2, frames=40):
    """Curves of all labelled voxels, ``signal(time, voxel)`` mM, slices half a beat apart where they have two clocks."""
    voxels = np.argwhere(segments.label > 0)
    time = np.arange(frames)[None] * 0.9 + 0.45 * np.arange(clocks)[:, None]
    clock = voxels[:, 0] if clocks == 2 else np.zeros(len(voxels), int)
    C_t = np.stack([signal(time[c], n) for n, c in enumerate(clock)])
    return TissueCurves(time, clock, C_t, voxels=voxels)


def test_a_mean_curve_is_the_mean_of_its_voxels(the_segments):
    curves = curves_in(the_segments, lambda t, n: n + 0.1 * t, clocks=1)
    means, numbers = mean_curves(curves, the_segments)
    assert numbers == (1, 2)
    assert means.C_t[0] == pytest.approx(2.5 + 0.1 * curves.time[0])
    assert means.C_t[1] == pytest.approx(7.5 + 0.1 * curves.time[0])


def test_a_segment_on_two_clocks_takes_that_of_most_voxels(the_segments):
    curves = curves_in(the_segments, lambda t, n: np.exp(-(((t - 15) / 6) ** 2)))
    means, _ = mean_curves(curves, the_segments)
    assert list(means.clock) == [0, 1]
    expected = np.exp(-(((means.time[0] - 15) / 6) ** 2))
    assert np.abs(means.C_t[0] - expected).max() < 3e-3
    assert np.abs(curves.C_t[:6].mean(axis=0) - expected).max() > 1e-2  # a mean that forgets the clocks


def test_curves_that_are_not_finite_take_no_part(the_segments):
    curves = curves_in(the_segments, lambda t, n: np.full(t.shape, np.nan if n == 0 else 1.0))
    means, _ = mean_curves(curves, the_segments)
    assert np.all(means.C_t == 1.0)


def test_a_frame_left_out_of_a_slice_leaves_no_hole(the_segments):
    curves = curves_in(the_segments, lambda t, n: 0.1 * t)
    weight = np.ones(curves.time.shape)
    weight[0, 5] = 0
    broken = np.where((curves.clock == 0)[:, None] & (np.arange(40) == 5), np.nan, curves.C_t)
    means, _ = mean_curves(replace(curves, C_t=broken, weight=weight), the_segments)
    assert means.C_t[0][1:] == pytest.approx(0.1 * means.time[0][1:])
    assert means.weight[0, 5] == 0


def test_segments_without_any_curve_are_refused(the_segments):
    curves = curves_in(the_segments, lambda t, n: np.full(t.shape, np.nan))
    with pytest.raises(InputError, match="finite"):
        mean_curves(curves, the_segments)
