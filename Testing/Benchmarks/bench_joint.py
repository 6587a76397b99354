"""What noise on the arterial input does to a study's flow: the limit of any method, and method map with the input as measured and fitted.

    W = sum_i G_i'(sigma^2 + J_i S J_i')^-1 G_i,  G = (dC_t/dz, dC_t/d mean)      what tissue says of input and mean ln F_p
    W + samples / sigma_a^2 + smoothness                                          its inverse: the Bayesian Cramer-Rao limit

make bench runs this; alone: python Testing/Benchmarks/bench_joint.py [--draws 30] [--voxels 1500]
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

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


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--voxels", type=int, default=1500)
    given = parser.parse_args()
    for condition in Patient:
        reference = patient_like(condition, seed=SEED, voxels=given.voxels, input_noise=0.0)
        for share in (0.01, 0.03):
            jointly, alone, scale = (percent(value) for value in limits(reference, share))
            print(
                f"{condition.name.lower()}, {given.voxels} voxels, {share:.0%} noise on the input: SD of the study's flow over draws, limit "
                f"{jointly:.1f} % (samples alone {alone:.1f} %); the input's unknowable scale {scale:.2f} %",
                flush=True,
            )
        for way in (Input.MEASURED, Input.JOINT):
            off = shifts(reference, 0.03, given.draws, replace(MAP, input=way))
            print(
                f"  3 %, {way.value}, {given.draws} draws: mean {off.mean():+.1%}, SD {off.std(ddof=1):.1%}", flush=True
            )


if __name__ == "__main__":
    main()
