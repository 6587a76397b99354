"""What the benchmarks say of a fit against its truth: errors, NMSE, how often intervals hold the truth; as figures and as cells."""

from __future__ import annotations

import numpy as np

from MyoPINNLib.quantities import percent
from MyoPINNLib.simulate import metrics

NAMES = metrics.PAPER_PARAMETERS
EACH = " / ".join(NAMES)
HEAD = (f"error {EACH}", "P90 of F_p", "bias of F_p", "off by > 100 %", f"NMSE {EACH}", "NMSE, all", "not valid")
ERRORS = (
    "Error: the median of the relative error's size, of all voxels. P90: its 90th percentile; bias: the median with sign; "
    "off by > 100 %: the share of such voxels; all three of F_p."
)


def accuracy(result, truth):
    """Figures of one fit, by name; NaN for a parameter that the method does not give."""
    errors, scores = metrics.error_summary(result.parameters, truth), metrics.nmse(result.parameters, truth)
    figures = {f"error {name}": errors[name]["median"] if name in errors else np.nan for name in NAMES}
    figures |= {f"NMSE {name}": scores.get(name, np.nan) for name in NAMES}
    figures |= {key: errors["F_p"][key] for key in ("p90", "bias", "share_off")}
    whole = scores["all"] if set(NAMES) <= set(scores) else np.nan
    return figures | {"NMSE all": whole, "invalid": (~result.valid).mean()}


def mean_of(found):
    """The mean of several fits' figures, each a number or a list of some; words are left out."""
    keys = [key for key, value in found[0].items() if not isinstance(value, str)]
    return {key: np.mean([figures[key] for figures in found], axis=0).tolist() for key in keys}


def nmse(figures):
    """Two cells: NMSE of each parameter, and of all."""
    each, whole = [figures[f"NMSE {name}"] for name in NAMES], figures["NMSE all"]
    words = "–" if np.isnan(whole) else f"{whole:.4f}" if whole < 1 else f"{whole:.2f}"
    return " / ".join("–" if np.isnan(value) else f"{value:.3f}" for value in each), words


def shares(values):
    """A value a parameter, in per cent and words."""
    return " / ".join("–" if np.isnan(value) else f"{percent(value):.1f}" for value in values) + " %"


def cells(figures):
    """The cells under ``HEAD``."""
    return (
        shares(figures[f"error {name}"] for name in NAMES),
        f"{percent(figures['p90']):.0f} %",
        f"{percent(figures['bias']):+.1f} %",
        f"{percent(figures['share_off']):.2f} %",
        *nmse(figures),
        f"{percent(figures['invalid']):.1f} %",
    )


def within(off, sd):
    """Shares that lie within 1 and within 1.96 SD."""
    return tuple(float(np.mean(np.abs(off) < times * sd)) for times in (1.0, 1.96))


def intervals(value, sd, true):
    """Shares of 68 % and 95 % intervals in the logarithm that hold the truth."""
    return within(np.log(value / true), sd / value)


def pair(shares):
    """Two shares in per cent, in words."""
    return ", ".join(f"{percent(share):.0f}" for share in shares)
