"""What noise on the arterial input does to a study's flow: the limit of any method, and method map with the input as measured and fitted.

    W = sum_i G_i'(sigma^2 + J_i S J_i')^-1 G_i,  G = (dC_t/dz, dC_t/d mean)      what tissue says of input and mean ln F_p, where the
                                                                                   spread S of the parameters is known
    W = sum_i s_i s_i',  s = d ln evidence/d(z, mean, S)                           where it is not: a wider input is then like other spreads
    W + samples / sigma_a^2 + smoothness                                           its inverse: the Bayesian Cramer-Rao limit

make bench runs this; alone: python Testing/Benchmarks/bench_joint.py [--draws 30] [--voxels 1500] [--write]
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from page import Section, parser

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.convolution import ExponentialConvolution
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.kinetics import Rates, tissue_curve, tissue_response, tissue_sensitivity
from MyoPINNLib.prior import GaussianPrior, normalised_weights
from MyoPINNLib.quantities import percent
from MyoPINNLib.settings import FitSettings, Input, Method
from MyoPINNLib.simulate.patient_like import Patient, patient_like
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.batches import batch_of
from MyoPINNLib.solvers.input_basis import InputBasis
from MyoPINNLib.solvers.input_evidence import Voxels
from MyoPINNLib.solvers.joint_input import even_draws
from MyoPINNLib.solvers.sampling import sample
from MyoPINNLib.solvers.starts import LOGARITHMS
from MyoPINNLib.solvers.workbench import Workbench

SEED = 9
FIRST_DRAW = 1201
SHARES = (0.01, 0.03)
COUNTED, AT_ONCE = 3000, 100
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


def samples_say(aif, basis, share):
    """(q, q): information of the input's own samples, whose noise is ``share`` of the peak, and of its smoothness."""
    z = aif(basis.nodes)
    at, sigma = np.isin(basis.nodes, aif.knots), share * aif.C_ap.max()
    return np.diag(at / sigma**2) + len(z) / float(z @ basis.roughness @ z) * basis.roughness


def _of_flow(W, reference, basis, share, q):
    """Standard deviation of the mean ln F_p that tissue's information W (q + more, ...) and the samples leave, less what W has if z is known."""
    both = W.copy()
    both[:q, :q] += samples_say(reference.aif, basis, share)
    return np.sqrt(np.linalg.inv(both)[q, q] - np.linalg.inv(W[q:, q:])[0, 0])


def limits(reference, share):
    """Standard deviations of the mean ln F_p that noise of ``share`` of the input's peak leaves: (fitted jointly, samples alone, scale)."""
    aif = reference.aif
    basis = InputBasis.of(aif)
    W, z, q = tissue_says(reference, basis), aif(basis.nodes), basis.nodes.size
    at, sigma = np.isin(basis.nodes, aif.knots), share * aif.C_ap.max()
    moves = np.linalg.solve(W[q:, q:], W[q:, :q])[0]
    jointly = _of_flow(W, reference, basis, share, q)
    return (
        jointly,
        np.sqrt(moves @ np.linalg.solve(samples_say(aif, basis, share), moves)),
        sigma / np.sqrt((z[at] ** 2).sum()),
    )


def scores(reference, basis, prior, rows, which):
    """(n, q + m + m (m + 1) / 2) slopes of each curve's ln evidence by z, the prior's mean and its covariance, from samples of its posterior."""
    bench = Workbench(reference.aif, MAP, lambda: None)
    batch = batch_of(reference.curves, 0, rows)
    problem = replace(bench.problem(batch), sigma=np.full(len(rows), reference.sigma))
    modes = problem.modes(problem.starts(), prior)
    drawn = sample(problem, modes, which)
    weight = normalised_weights(drawn.log_weight + prior.log_density(drawn.x))
    draws = even_draws(drawn.x, weight)
    n, d, m = draws.shape
    mean, certain = draws.mean(axis=1), np.full(batch.C_t.shape, 1 / reference.sigma)
    voxels = Voxels(batch, problem, mean, draws, certain, 0.0)
    A, J = voxels.slopes(basis, reference.aif(basis.nodes))
    r = problem.compression.curves(draws.reshape(n * d, m)) @ problem.compression.basis.T
    r = (np.repeat(batch.C_t, d, axis=0) - r) / reference.sigma**2
    flat = draws.reshape(n * d, m)
    of_z = np.einsum("ntq,nt->nq", basis.tissue(flat, batch.time, flat[:, 4]), r).reshape(n, d, -1).mean(axis=1)
    uphill = voxels.uphill() + prior.slope(draws).mean(axis=1)
    chance = np.linalg.solve(np.swapaxes(J, 1, 2) @ J + np.linalg.inv(prior.covariance), uphill[:, :, None])
    of_z -= np.einsum("ntq,nt->nq", A, (J @ chance)[:, :, 0])
    away = -prior.slope(draws)
    square = np.einsum("ndi,ndj->nij", away, away) / d - np.linalg.inv(prior.covariance)
    square[:, np.arange(m), np.arange(m)] /= 2
    return np.concatenate([of_z, away.mean(axis=1), square[(slice(None), *np.tril_indices(m))]], axis=1)


def spread_unknown(condition, voxels):
    """As ``limits`` (jointly) for each of ``SHARES``, of parameters drawn from a normal distribution whose covariance is unknown too.

    Two sets of samples of the same curves, so that their chance adds nothing to the information.
    """
    reference = patient_like(condition, seed=SEED, voxels=COUNTED, input_noise=0.0)
    x = np.column_stack([*(np.log(getattr(reference.truth, name)) for name in LOGARITHMS), reference.truth.T_a])
    prior = GaussianPrior(x.mean(axis=0), np.cov(x.T))
    x = np.random.default_rng(SEED).multivariate_normal(prior.mean, prior.covariance, COUNTED)
    time = reference.curves.time[0]
    given = dict(zip(LOGARITHMS, np.exp(x[:, :4].T), strict=True))
    C_t = tissue_curve(reference.aif, time, T_a=x[:, 4], **given)
    C_t = C_t + reference.sigma * np.random.default_rng(SEED + 1).standard_normal(C_t.shape)
    reference = replace(reference, curves=TissueCurves.on_one_clock(time, C_t))
    basis, q = InputBasis.of(reference.aif), InputBasis.of(reference.aif).nodes.size
    W = 0.0
    for first in range(0, COUNTED, AT_ONCE):
        rows = np.arange(first, first + AT_ONCE)
        one, other = (scores(reference, basis, prior, rows, 7 * rows + offset) for offset in (0, 3))
        W = W + (one.T @ other + other.T @ one) / 2
    return [_of_flow(W * voxels / COUNTED, reference, basis, share, q) for share in SHARES]


def shifts(condition, share, draws, voxels):
    """(draws,) each of the input as measured and fitted: how far F_p of a whole study moves, against the same fit with samples
    without noise; and the mean seconds of the latter. Each draw is of a study of its own."""
    found = {Input.MEASURED: [], Input.JOINT: []}
    seconds = []
    for draw in range(FIRST_DRAW, FIRST_DRAW + draws):
        reference = patient_like(condition, seed=draw, voxels=voxels, input_noise=0.0)
        true = fit(reference.curves, reference.aif, MAP).parameters.F_p
        noise = np.random.default_rng(draw).standard_normal(reference.aif.C_ap.size)
        measured = ArterialInput(reference.aif.time, reference.aif.C_ap + share * reference.aif.C_ap.max() * noise)
        for way, moved in found.items():
            result = fit(reference.curves, measured, replace(MAP, input=way))
            moved.append(np.median(result.parameters.F_p / true) - 1)
        seconds.append(result.seconds)
    return *(np.array(moved) for moved in found.values()), np.mean(seconds)


def spread(off):
    """Mean and standard deviation, in words."""
    return f"{percent(off.mean()):+.1f} %, {percent(off.std(ddof=1)):.1f} %"


def main():
    """Print every figure, and write them where asked to."""
    own = parser(__doc__)
    own.add_argument("--draws", type=int, default=8)
    own.add_argument("--voxels", type=int, default=1500)
    given = own.parse_args()
    size = f"{given.draws} studies of {given.voxels} voxels, each with noise of its own (seeds from {FIRST_DRAW})"
    section = Section("joint", f"{size}; limits: seed {SEED}.")
    section.say(
        "Noise is of the input's peak. Limits, what the samples alone leave and the input's unknowable scale are SDs of the study's flow over studies. "
        "Method map: mean and SD, against the same fit with samples without noise (wanted of a joint fit: a mean within 1 %, SD 1.6 %)."
    )
    row = section.table(
        [
            "object", "noise", "limit, parameters' spread known", "unknown", "samples alone", "scale", "map, input as measured",
            "map, joint", "s",
        ]
    )  # fmt: skip
    for condition in Patient:
        reference = patient_like(condition, seed=SEED, voxels=given.voxels, input_noise=0.0)
        for share, unknown in zip(SHARES, spread_unknown(condition, given.voxels), strict=True):
            jointly, alone, scale = (percent(value) for value in limits(reference, share))
            measured, joint, seconds = shifts(condition, share, given.draws, given.voxels)
            bounds = f"{jointly:.1f} %", f"{percent(unknown):.1f} %", f"{alone:.1f} %", f"{scale:.2f} %"
            row(
                condition.name.lower(),
                f"{percent(share):.0f} %",
                *bounds,
                spread(measured),
                spread(joint),
                f"{seconds:.0f}",
            )
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
