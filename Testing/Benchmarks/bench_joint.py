"""What noise on the arterial input does to a study's flow: the limit of any method, and method map with the input as measured and fitted.

    W = sum_i G_i'(sigma^2 + J_i S J_i')^-1 G_i,  G = (dC_t/dz, dC_t/d mean)      what tissue says of input and mean ln F_p
    W + samples / sigma_a^2 + smoothness                                          its inverse: the Bayesian Cramer-Rao limit

make bench runs this; alone: python Testing/Benchmarks/bench_joint.py [--draws 30] [--voxels 1500] [--write]
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from page import Section, parser

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.convolution import ExponentialConvolution
from MyoPINNLib.kinetics import Rates, tissue_response, tissue_sensitivity
from MyoPINNLib.quantities import percent
from MyoPINNLib.settings import FitSettings, Input, Method
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.input_basis import InputBasis
from MyoPINNLib.solvers.starts import LOGARITHMS

SEED = 9
FIRST_DRAW = 1001
SHARES = (0.01, 0.03)
FITTED = 0.03
MAP = FitSettings(method=Method.MAP)


def tissue_says(reference, basis):
    """(q + m, q + m): information of all curves about the input's coefficients and the prior's mean, parameters integrated out."""
    aif, time, T_a = reference.aif, reference.curves.time[0], reference.truth.T_a
    given = {name: getattr(reference.truth, name) for name in LOGARITHMS}
    x = np.column_stack([*(np.log(value) for value in given.values()), T_a])
    rates = Rates.of(**given)
    convolve = ExponentialConvolution(basis.input(aif(basis.nodes)), time[:, None] - T_a)
    C_t, response = tissue_response(convolve, rates, given["F_p"])
    J = tissue_sensitivity(C_t, response, rates, given["F_p"], convolve.C_ap)[: x.shape[1]].transpose(2, 1, 0)
    J, A = J / reference.sigma, basis.tissue(x, time, T_a) / reference.sigma
    G, turned = np.concatenate([A, J], axis=2), np.swapaxes(J, 1, 2)
    root = np.linalg.inv(np.linalg.cholesky(turned @ J + np.linalg.inv(np.cov(x.T))))
    flat, known = G.reshape(-1, G.shape[2]), (root @ (turned @ G)).reshape(-1, G.shape[2])
    return flat.T @ flat - known.T @ known


def limits(reference, share):
    """Standard deviations of the mean ln F_p that noise of ``share`` of the input's peak leaves: (fitted jointly, samples alone, scale)."""
    aif = reference.aif
    basis = InputBasis.of(aif)
    W, z, q = tissue_says(reference, basis), aif(basis.nodes), basis.nodes.size
    at, sigma = np.isin(basis.nodes, aif.knots), share * aif.C_ap.max()
    samples = np.diag(at / sigma**2) + q / float(z @ basis.roughness @ z) * basis.roughness
    both = W.copy()
    both[:q, :q] += samples
    of_tissue = np.linalg.inv(W[q:, q:])[0, 0]
    moves = np.linalg.solve(W[q:, q:], W[q:, :q])[0]
    jointly = np.sqrt(np.linalg.inv(both)[q, q] - of_tissue)
    return jointly, np.sqrt(moves @ np.linalg.solve(samples, moves)), sigma / np.sqrt((z[at] ** 2).sum())


def shifts(reference, share, draws, settings):
    """(draws,) how far F_p of the whole study moves, against the same fit with samples without noise."""
    true = fit(reference.curves, reference.aif, MAP).parameters.F_p
    found = []
    for draw in range(FIRST_DRAW, FIRST_DRAW + draws):
        noise = np.random.default_rng(draw).standard_normal(reference.aif.C_ap.size)
        measured = reference.aif.C_ap + share * reference.aif.C_ap.max() * noise
        result = fit(reference.curves, ArterialInput(reference.aif.time, measured), settings)
        found.append(np.median(result.parameters.F_p / true) - 1)
    return np.array(found)


def spread(off):
    """Mean and standard deviation, in words."""
    return f"{percent(off.mean()):+.1f} %, {percent(off.std(ddof=1)):.1f} %"


def main():
    """Print every figure, and write them where asked to."""
    own = parser(__doc__)
    own.add_argument("--draws", type=int, default=8)
    own.add_argument("--voxels", type=int, default=1500)
    given = own.parse_args()
    section = Section(
        "joint", f"{given.draws} draws of the input's noise, one tissue of {given.voxels} voxels (seed {SEED})."
    )
    section.say(
        "Noise is of the input's peak. The limit, what the samples alone leave and the input's unknowable scale are SDs of the study's flow over draws. "
        "Method map: mean and SD over the draws, against the same fit with samples without noise (wanted of a joint fit: a mean within 1 %, SD 1.6 %)."
    )
    row = section.table(["object", "noise", "limit", "samples alone", "scale", "map, input as measured", "map, joint"])
    for condition in Patient:
        reference = patient_like(condition, seed=SEED, voxels=given.voxels, input_noise=0.0)
        for share in SHARES:
            jointly, alone, scale = (percent(value) for value in limits(reference, share))
            ways = (
                spread(shifts(reference, share, given.draws, replace(MAP, input=way))) if share == FITTED else "–"
                for way in (Input.MEASURED, Input.JOINT)
            )
            bounds = f"{jointly:.1f} %", f"{alone:.1f} %", f"{scale:.2f} %"
            row(condition.name.lower(), f"{percent(share):.0f} %", *bounds, *ways)
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
