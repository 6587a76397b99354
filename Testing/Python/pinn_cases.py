"""What the tests of the networks share: a few exact curves, and the network, loss and training that belong to them."""

from dataclasses import replace

import numpy as np

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.kinetics import tissue_curve
from MyoPINNLib.network_settings import NetworkSettings
from MyoPINNLib.settings import Delay, FitSettings, Method

TIME = np.cumsum(np.random.default_rng(5).uniform(0.62, 0.98, 60))
TRUTH = {
    "F_p": np.array([0.008, 0.02, 0.03, 0.04, 0.02, 0.015]),
    "v_p": np.array([0.08, 0.06, 0.12, 0.1, 0.04, 0.05]),
    "v_e": np.array([0.2, 0.15, 0.25, 0.1, 0.3, 0.2]),
    "PS": np.array([0.01, 0.015, 0.02, 0.008, 0.02, 0.012]),
}


def blood(t):
    """Plasma concentration of a first pass, mM."""
    x = np.clip(np.asarray(t, dtype=float) - 6, 0, None) / 4
    return 8 * x**3 * np.exp(3 * (1 - x)) + 1.2 * (1 - np.exp(-x))


def an_input() -> ArterialInput:
    """Its samples, once a heartbeat."""
    return ArterialInput(TIME, blood(TIME))


def exact_curves(T_a=0.0, truth=None) -> TissueCurves:
    """Exact curves of ``truth`` on one clock, each in a voxel of its own."""
    truth = TRUTH if truth is None else truth
    C_t = tissue_curve(an_input(), TIME, **truth, T_a=T_a)
    voxels = np.array([(0, n // 3, n % 3) for n in range(len(C_t))])
    return TissueCurves(TIME[None], np.zeros(len(C_t), dtype=int), C_t, voxels=voxels)


def hearts(size: int) -> dict:
    """``TRUTH`` for ``size`` voxels that all differ."""
    draw = np.random.default_rng(2)
    return {name: np.resize(value, size) * np.exp(draw.normal(0, 0.2, size)) for name, value in TRUTH.items()}


def network_fit(method="combined", *, delay=Delay.FIXED, **network) -> FitSettings:
    """Settings for a short training; fixed, the delay is 0."""
    network = {"steps": 20, "history_every": 10, "threads": 1} | network
    return FitSettings(method=Method(method), delay=delay, network=NetworkSettings(**network))


def a_training(method="combined", *, plain=False, T_a=0.0, noise=0.0, truth=None, **network):
    """(network, problem, training) of the exact curves, with noise of a share of their largest value."""
    from MyoPINNLib.solvers.pinn.mesh import MeshObjective
    from MyoPINNLib.solvers.pinn.network import PerfusionNetwork
    from MyoPINNLib.solvers.pinn.objective import Objective
    from MyoPINNLib.solvers.pinn.problem import slice_problems
    from MyoPINNLib.solvers.pinn.training import Training

    curves, options = exact_curves(T_a, truth), network_fit(method, **network).network
    sigma = noise * curves.C_t.max()
    curves = replace(curves, C_t=curves.C_t + np.random.default_rng(0).normal(0, 1, curves.C_t.shape) * sigma)
    count = len(curves)
    [problem] = slice_problems(curves, an_input(), np.ones(count, dtype=bool), np.zeros(count) + T_a)
    net = PerfusionNetwork(Method(method), count, options, np.random.SeedSequence([options.seed, 0]))
    if net.method is Method.MESH:
        objective = MeshObjective(net, problem, options, an_input())
    else:
        objective = Objective(net, problem, options, plain=plain)
    return net, problem, Training(net, objective, options)
