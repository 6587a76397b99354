"""Where a fit starts: each curve's best matches in a dictionary of 2CXM shapes.

Scaling F_p, v_p, v_e and PS together scales C_t and changes no rate, so a dictionary needs shapes only: three rates and
the delay. The amplitude of each shape follows by least squares. That also makes a start scale with 1 - Hct, as the
parameters do, so that MBF does not depend on Hct.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ..aif import ArterialInput
from ..kinetics import Rates, tissue_response
from ..settings import Delay, FitSettings

LOGARITHMS = ("F_p", "v_p", "v_e", "PS")
WASHIN_RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
EXCHANGE_OVER_FLOW = (0.03, 0.1, 0.3, 1.0, 3.0)
INTERSTITIUM_OVER_PLASMA = (0.5, 2.0, 6.0, 20.0)
DELAY_STEP = 0.5
SMALLEST_SCALE = 1e-9
GROUPS = ((0, 1), (2, 3), (4, 5))
MIDDLE = 1


def best_match(atoms: np.ndarray, curves: np.ndarray, among: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each set of rows ``among`` the atoms (a, t): the best row for each curve (n, t), and the factor that fits it."""
    power = np.maximum((atoms**2).sum(axis=1), 1e-300)
    match = curves @ atoms.T
    score = np.where(match > 0, match**2 / power, -1.0)
    rows = [group[score[:, group].argmax(axis=1)] for group in among]
    return [(row, np.maximum(match[np.arange(len(curves)), row] / power[row], SMALLEST_SCALE)) for row in rows]


class Dictionary:
    """Shapes of unit plasma volume for one clock: ``atoms`` (a, t), their ``parameters`` (a, 5) F_p v_p v_e PS T_a."""

    def __init__(
        self, convolution, aif: ArterialInput, time: np.ndarray, delays: np.ndarray, root_weight: np.ndarray
    ) -> None:
        shapes = np.array(
            [(f, 1.0, y, e * f) for f, e, y in product(WASHIN_RATES, EXCHANGE_OVER_FLOW, INTERSTITIUM_OVER_PLASMA)]
        )
        F_p, v_p, v_e, PS = shapes.T
        rates = Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS)
        curves = [tissue_response(convolution(aif, time - T_a), rates, F_p)[0].T for T_a in delays]
        self.atoms = np.concatenate(curves) * root_weight
        self.parameters = np.concatenate([np.column_stack([shapes, np.full(len(shapes), T_a)]) for T_a in delays])
        washin = np.searchsorted(WASHIN_RATES, self.parameters[:, 0])
        self._groups = [np.flatnonzero(np.isin(washin, group)) for group in GROUPS]

    def best(self, curves: np.ndarray) -> list[np.ndarray]:
        """Per group of wash-in rates, the best shape of each curve (n, t), scaled to it: parameters (n, 5)."""
        chosen = []
        for row, scale in best_match(self.atoms, curves, self._groups):
            found = self.parameters[row].copy()
            found[:, :4] *= scale[:, None]
            chosen.append(found)
        return chosen


def bounds(settings: FitSettings) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limits (m,) of x: ln F_p, ln v_p, ln v_e, ln PS and, where it is sought, T_a."""
    ranges = [np.log(getattr(settings, f"{name}_range")) for name in LOGARITHMS]
    if settings.delay is Delay.FIT:
        ranges.append(np.array(settings.T_a_range))
    lower, upper = np.array(ranges).T
    return lower, upper


def delay_grid(limits: tuple[float, float]) -> np.ndarray:
    """Delays tried, s: the range in steps of half a second at most."""
    return np.linspace(*limits, int(np.ceil((limits[1] - limits[0]) / DELAY_STEP)) + 1)
