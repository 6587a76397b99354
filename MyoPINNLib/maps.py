"""Parameter maps, their statistics by AHA segment, and the segments' mean curves.

F_b = F_p / (1 - Hct)   v_b = v_p / (1 - Hct)   MBF = F_b / density   PS_g = PS / density
E = PS / (F_p + PS)     K_trans = E F_p         MTT = (v_p + v_e) / F_p
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .aha import NAMES, AHASegments, Half
from .errors import InputError
from .fit import FitResult, KineticParameters, TissueCurves
from .geometry import Geometry
from .kinetics import blood_from_plasma, extraction, mean_transit_time, myocardial_blood_flow, transfer_constant

LEAST_VALID = 0.5  # of a segment's voxels, for what is said of them to be sure
_PROPORTIONAL = {"F_b": "F_p", "MBF": "F_p", "v_b": "v_p", "PS_g": "PS"}


@dataclass(frozen=True)
class SegmentStatistics:
    """One quantity in one segment, inside units, over its valid voxels; ``None`` where no voxel is valid.

    ``voxels`` in the segment; ``valid_share`` of them, 0 to 1, ``None`` where the segment has no voxel; ``sd`` of the
    sample, ``None`` for one voxel.
    """

    segment: int
    name: str
    voxels: int
    valid_share: float | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    mean: float | None = None
    sd: float | None = None

    @property
    def measured(self) -> bool:
        """False where no slice reaches the segment or none of its voxels is valid: "not measured"."""
        return self.median is not None


@dataclass(frozen=True)
class ParameterMaps:
    """``values`` quantity name -> (k, j, i), inside units, NaN outside the myocardium and where nothing was fitted;
    ``valid`` (k, j, i) bool, the voxels that the solver vouches for; ``geometry``; ``sd`` standard deviations of the quantities
    that the method gives them for, likewise; ``told`` parameter -> (k, j, i) bool, whether the voxel's own curve tells it.

    Raises InputError for a map that is not on the grid.
    """

    values: dict[str, np.ndarray]
    valid: np.ndarray
    geometry: Geometry
    sd: dict[str, np.ndarray] = field(default_factory=dict)
    told: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in (("valid", self.valid), *self.values.items(), *self.sd.items(), *self.told.items()):
            if np.shape(value) != self.geometry.shape:
                raise InputError(
                    f"The {name} map is {np.shape(value)} (slices, rows, columns) and its grid is {self.geometry.shape}."
                )

    def __getitem__(self, quantity: str) -> np.ndarray:
        """The map (k, j, i) of a quantity, inside unit; raises InputError where the method does not give it."""
        if quantity not in self.values:
            raise InputError(f"There is no map of {quantity}.", f"There are: {', '.join(self.values)}.")
        return self.values[quantity]

    @property
    def mask(self) -> np.ndarray:
        """(k, j, i) bool: the voxels that were to be fitted."""
        if "valid" in self.values:
            return np.isfinite(self.values["valid"])
        return self.valid | np.any([np.isfinite(value) for value in self.values.values()], axis=0)

    def told_share(self, here: np.ndarray, quantity: str) -> float | None:
        """The share, 0 to 1, of the valid voxels ``here`` (k, j, i) bool whose own curves tell a quantity; None where the method
        does not say or none is valid.
        """
        told, counted = self.told.get(source_of(quantity)), here & self.valid
        return None if told is None or not counted.any() else float(told[counted].mean())

    def by_segment(self, segments: AHASegments, quantity: str, *, half: Half | None = None) -> list[SegmentStatistics]:
        """Statistics of every segment of the model in order, of its inner or outer half where ``half`` says so."""
        values, trusted = self[quantity], self.valid & np.isfinite(self[quantity])
        if segments.label.shape != values.shape:
            raise InputError(
                f"The segments are {segments.label.shape} (slices, rows, columns) and the maps {values.shape}."
            )
        table = []
        for number in segments.numbers:
            here = segments.voxels_in(number) if half is None else segments.voxels_in(number) & (segments.half == half)
            table.append(_statistics(number, int(here.sum()), values[here & trusted]))
        return table


def _statistics(segment: int, voxels: int, values: np.ndarray) -> SegmentStatistics:
    """Statistics of a segment of ``voxels`` voxels, of which ``values`` (n,) are valid."""
    name = NAMES[segment]
    if not values.size:
        return SegmentStatistics(segment, name, voxels, 0.0 if voxels else None)
    q1, median, q3 = (float(value) for value in np.percentile(values, [25, 50, 75]))
    sd = float(values.std(ddof=1)) if values.size > 1 else None
    return SegmentStatistics(segment, name, voxels, values.size / voxels, median, q1, q3, float(values.mean()), sd)


def derived_quantities(parameters: KineticParameters, *, hct: float, density: float) -> dict[str, np.ndarray]:
    """Everything that follows from the parameters (n,), inside units: only what the method's parameters allow.

    ``hct`` fraction; ``density`` g/mL. A quotient without a value (0/0 where there is neither flow nor exchange) is NaN.
    """
    given = dict(parameters.items())
    found = {
        "F_p": given["F_p"],
        "F_b": blood_from_plasma(given["F_p"], hct=hct),
        "MBF": myocardial_blood_flow(given["F_p"], hct=hct, density=density),
    }
    found |= {name: given[name] for name in ("v_p", "v_e", "PS", "T_a") if name in given}
    if "v_p" in given:
        found["v_b"] = blood_from_plasma(given["v_p"], hct=hct)
    with np.errstate(divide="ignore", invalid="ignore"):
        if "PS" in given:
            found["PS_g"] = given["PS"] / density
            found["E"] = extraction(given["F_p"], given["PS"])
            found["K_trans"] = transfer_constant(given["F_p"], given["PS"])
        if "v_p" in given and "v_e" in given:
            found["MTT"] = mean_transit_time(given["F_p"], given["v_p"], given["v_e"])
    return {name: np.where(np.isfinite(value), value, np.nan) for name, value in found.items()}


def derived_deviations(sd: KineticParameters | None, *, hct: float, density: float) -> dict[str, np.ndarray]:
    """Standard deviations (n,), inside units, of the parameters and of what is proportional to one of them; empty without any."""
    if sd is None:
        return {}
    given = dict(sd.items())
    found = {
        **given,
        "F_b": blood_from_plasma(given["F_p"], hct=hct),
        "MBF": myocardial_blood_flow(given["F_p"], hct=hct, density=density),
    }
    if "v_p" in given:
        found["v_b"] = blood_from_plasma(given["v_p"], hct=hct)
    if "PS" in given:
        found["PS_g"] = given["PS"] / density
    return {name: value for name, value in found.items() if np.isfinite(value).any()}


def source_of(quantity: str) -> str:
    """The parameter that a quantity is proportional to; itself where it is a parameter."""
    return _PROPORTIONAL.get(quantity, quantity)


def derived_from(names: tuple[str, ...]) -> list[str]:
    """``names`` of parameters and of the quantities that are made of them."""
    made_of: dict[str, tuple[str, ...]] = {name: (source,) for name, source in _PROPORTIONAL.items()}
    made_of |= {"E": ("PS",), "K_trans": ("PS",), "MTT": ("v_p", "v_e")}
    return [*names, *(name for name, sources in made_of.items() if set(sources) & set(names))]


def parameter_maps(
    result: FitResult, curves: TissueCurves, geometry: Geometry, *, hct: float, density: float
) -> ParameterMaps:
    """Maps of a voxel-wise fit: the parameters, what follows from them, ``residual`` and ``valid`` (1 or 0)."""
    if len(result.outcome) != len(curves):
        raise InputError(f"The fit holds {len(result.outcome)} curves and there are {len(curves)} voxels.")
    columns = derived_quantities(result.parameters, hct=hct, density=density)
    columns |= {"residual": result.residual, "valid": result.valid.astype(float)}
    values = {name: curves.scatter(column, geometry.shape) for name, column in columns.items()}
    deviations = derived_deviations(result.sd, hct=hct, density=density)
    sd = {name: curves.scatter(column, geometry.shape) for name, column in deviations.items()}
    told = {name: curves.scatter(column, geometry.shape, 0.0) == 1 for name, column in result.told.items()}
    return ParameterMaps(values, values["valid"] == 1, geometry, sd, told)


def mean_curves(
    curves: TissueCurves, segments: AHASegments, *, without: np.ndarray | None = None
) -> tuple[TissueCurves, tuple[int, ...]]:
    """One mean curve for each segment that has a voxel, and the segments' numbers.

    Only curves that are finite at every counted frame take part, and not those ``without`` (n,) bool. A segment that spans slices with clocks of their own
    gets the clock of most of its voxels; the other slices' means are brought onto it by linear interpolation between
    their frames, and all are averaged by their number of voxels. Frames left out are interpolated (their weight stays 0).
    """
    counted = curves.weight[curves.clock] > 0
    usable = np.where(counted, np.isfinite(curves.C_t), True).all(axis=1) & counted.any(axis=1)
    usable &= True if without is None else ~without
    label = np.where(usable, segments.label[tuple(curves.voxels.T)], 0)
    numbers = tuple(number for number in segments.numbers if (label == number).any())
    if not numbers:
        raise InputError("No segment holds a curve of finite values.", "Check the myocardium mask and the images.")
    means = [_mean_curve(curves, label == number) for number in numbers]
    clock, C_t = zip(*means, strict=True)
    places = np.array([_middle(curves.voxels[label == number]) for number in numbers])
    return TissueCurves(curves.time, np.array(clock), np.stack(C_t), curves.weight, places), numbers


def _middle(voxels: np.ndarray) -> np.ndarray:
    """The one of the voxels (m, 3) that lies nearest to their centre."""
    return voxels[((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1).argmin()]


def _mean_curve(curves: TissueCurves, members: np.ndarray) -> tuple[int, np.ndarray]:
    """Clock and mean curve (t,) mM of the curves ``members`` (n,) bool."""
    clocks, counts = np.unique(curves.clock[members], return_counts=True)
    main = clocks[counts.argmax()]
    on_main = []
    for clock in clocks:
        counted = curves.weight[clock] > 0
        mean = curves.C_t[np.ix_(members & (curves.clock == clock), counted)].mean(axis=0)
        on_main.append(np.interp(curves.time[main], curves.time[clock][counted], mean))
    return int(main), np.average(on_main, axis=0, weights=counts)
