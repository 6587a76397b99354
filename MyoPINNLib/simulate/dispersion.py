"""An input that spreads on its way from the left ventricle to the muscle: 2CXM tissue, but not of the input that is seen.

    C_ap,tissue(t) = int h(s) C_ap(t - s) ds        h(t) = (b t)^(m-1) b exp(-b t) / (m - 1)!,   b = m / spread

h, the vascular transport function, has unit area and the mean ``spread`` s: m mixing stages in a row; one stage is the
exponential of Calamante, Gadian and Connelly 2000. No agent is lost, so the area under the input stays.
"""

from __future__ import annotations

import numpy as np

from ..aif import ArterialInput
from ..convolution import ExponentialConvolution
from ..kinetics import tissue_curve

SPREADS = (0.5, 1.0, 1.5)


def dispersed(aif: ArterialInput, *, spread: float, stages: int = 1) -> ArterialInput:
    """The input behind ``stages`` mixing stages that take ``spread`` s together on average; the same input for 0 s."""
    for _ in range(stages if spread > 0 else 0):
        aif = _mixed(aif, stages / spread)
    return aif


def dispersed_curve(aif: ArterialInput, time, *, F_p, v_p, v_e, PS, T_a=0.0) -> np.ndarray:
    """C_t (n, t) mM of 2CXM tissue behind each of ``SPREADS`` s in turn, one stage each; arguments as ``tissue_curve``."""
    given = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a, dtype=float)) for a in (F_p, v_p, v_e, PS, T_a)))
    found = np.zeros((given[0].size, len(time)))
    for turn, spread in enumerate(SPREADS):
        names = zip(("F_p", "v_p", "v_e", "PS", "T_a"), given, strict=True)
        mine = {name: values[turn :: len(SPREADS)] for name, values in names}
        if mine["F_p"].size:
            found[turn :: len(SPREADS)] = tissue_curve(dispersed(aif, spread=spread), time, **mine)
    return found


def _mixed(aif: ArterialInput, rate: float) -> ArterialInput:
    """The input behind one stage that empties at ``rate`` 1/s: rate E(rate), on knots as fine as it needs."""

    def curve(t: np.ndarray) -> np.ndarray:
        return rate * ExponentialConvolution(aif, np.asarray(t, dtype=float))(np.array([rate]))[0][:, 0]

    return ArterialInput.from_function(curve, aif.knots, tolerance=1e-5)
