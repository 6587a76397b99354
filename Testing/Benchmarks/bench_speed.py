"""How fast batched NLLS is beside scipy.optimize.curve_fit in a loop: same model, start, bounds and tolerance.

Both run in this process, in turn, three times; the ratio of the medians counts. make bench runs this; alone:
python Testing/Benchmarks/bench_speed.py [--write]
"""

from __future__ import annotations

import time

import numpy as np
from page import Section, asked
from scipy.optimize import curve_fit

from MyoPINNLib.convolution import ExponentialConvolution
from MyoPINNLib.kinetics import Rates, tissue_response
from MyoPINNLib.quantities import percent
from MyoPINNLib.simulate import objects
from MyoPINNLib.solvers.levenberg import levenberg_marquardt
from MyoPINNLib.solvers.nlls import ExchangeModel

CURVES, LOOPED = 4800, 40
LOWER, UPPER = np.log([1e-5, 1e-3, 1e-3, 1e-6]), np.log([0.25, 1.0, 1.0, 0.25])
START = np.log([0.017, 0.06, 0.2, 0.017])
TOLERANCE = 1e-12


def looped(reference, rows):
    """x (r, 4) by curve_fit, one curve after the other."""
    convolve = ExponentialConvolution(reference.aif, reference.curves.time[0])

    def model(_, *x):
        F_p, v_p, v_e, PS = np.exp(x)[:, None]
        return tissue_response(convolve, Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS), F_p)[0][:, 0]

    options = {"p0": START, "bounds": (LOWER, UPPER), "ftol": TOLERANCE, "xtol": TOLERANCE, "gtol": TOLERANCE}
    curves = reference.curves
    return np.array([curve_fit(model, curves.time[0], curves.C_t[row], max_nfev=2000, **options)[0] for row in rows])


def batched(reference, rows):
    """x (r, 4) of the same problems in batches of 512."""
    curves, found = reference.curves, []
    for part in np.array_split(rows, max(len(rows) // 512, 1)):
        C_t = curves.C_t[part]
        frames = np.ones(C_t.shape[1])
        model = ExchangeModel(C_t.T.copy(), curves.time[0], frames, reference.aif, ExponentialConvolution, 0.0)
        options = {"lower": LOWER, "upper": UPPER, "longest_step": np.full(4, 1.5), "max_iterations": 2000}
        found.append(levenberg_marquardt(model, np.tile(START, (len(part), 1)), tolerance=TOLERANCE, **options).x)
    return np.concatenate(found)


def timed(solve, reference, rows):
    """Seconds a curve, and the answer."""
    begun = time.perf_counter()
    x = solve(reference, rows)
    return (time.perf_counter() - begun) / len(rows), x


def cost(reference, rows, x):
    """Sum of squares (r,) at x."""
    convolve = ExponentialConvolution(reference.aif, reference.curves.time[0])
    F_p, v_p, v_e, PS = np.exp(x.T)
    C_t = tissue_response(convolve, Rates.of(F_p=F_p, v_p=v_p, v_e=v_e, PS=PS), F_p)[0].T
    return ((C_t - reference.curves.C_t[rows]) ** 2).sum(axis=1)


def main():
    """Tell the time a curve takes, how many times less that is, and how far the two agree."""
    given = asked(__doc__)
    section = Section("speed", f"Twin of {CURVES} curves, seed 11; curve_fit on {LOOPED} of them.")
    words = "the share of curves that agree within 1 % in all four parameters; where they do not, the batch's sum of squares"
    section.say(f"Times a curve, and {words} beside curve_fit's:")
    head = ["noise", "curve_fit in a loop, ms", "batch, ms", "times faster (wanted 20)"]
    row = section.table([*head, "within 1 %", "median difference", "sum of squares where not"])
    for noise in (objects.Noise.NONE, objects.Noise.PAPER):
        reference = objects.twin(seed=11, voxels=CURVES, noise=noise)
        few, many, times = np.arange(LOOPED), np.arange(CURVES), {"loop": [], "batch": []}
        for _ in range(3):
            seconds, x_loop = timed(looped, reference, few)
            times["loop"].append(seconds)
            seconds, x_batch = timed(batched, reference, many)
            times["batch"].append(seconds)
        loop, batch = np.median(times["loop"]), np.median(times["batch"])
        off = np.abs(np.expm1(x_batch[:LOOPED] - x_loop)).max(axis=1)
        worse = cost(reference, few, x_batch[:LOOPED]) / cost(reference, few, x_loop) - 1
        cells = f"{loop * 1e3:.0f}", f"{batch * 1e3:.2f}", f"{loop / batch:.0f}"
        apart = f"{np.median(worse[off > 0.01]):+.1e}" if (off > 0.01).any() else "–"
        row(noise.value, *cells, f"{percent(np.mean(off < 0.01)):.0f} %", f"{np.median(off):.0e}", apart)
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
