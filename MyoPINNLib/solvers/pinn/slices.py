"""One slice, from its curves to trained parameters: start or resume, train, read off."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from ...aif import ArterialInput
from ...errors import Cancelled
from ...settings import FitSettings, Method
from ...trained import VOXELS, TrainedNetwork
from . import warm
from .losses import tissue
from .mesh import MeshObjective
from .network import PerfusionNetwork
from .objective import Objective
from .problem import SliceProblem
from .training import History, Row, Training, train

KEEP_EVERY = 10.0
LARGEST_DRIFT = 0.02
_POINTS_AT_ONCE = 100_000


@dataclass(frozen=True)
class SliceFit:
    """What training left: parameters (K,) shown units by name, ``C_t`` (K, t) mM at every frame, rows of the history, the
    network's weights by name, and the steps made.
    """

    parameters: dict[str, np.ndarray]
    C_t: np.ndarray
    history: list[Row]
    weights: dict[str, np.ndarray]
    steps: int


@dataclass(frozen=True)
class Begin:
    """Where training begins: at ``found`` name -> (n,) parameters of all curves (shown units), at an earlier ``trained``
    network, or, without both, at random.
    """

    found: dict[str, np.ndarray] | None = None
    trained: TrainedNetwork | None = None


def fit_slice(
    problem: SliceProblem,
    aif: ArterialInput,
    settings: FitSettings,
    begin: Begin,
    tell: Callable[[int, Row, float | None], None],
    warn: Callable[[str], None],
    checkpoint=None,
) -> SliceFit:
    """Train the network of one slice, from its checkpoint where there is one.

    ``tell(step, row, seconds_left)`` may raise Cancelled: then the state is kept first.
    """
    training, key = _training(problem, aif, settings), f"slice-{problem.clock}"
    history = _resumed(training, checkpoint, key)
    if history is None:
        history = History(settings.network)
        _begin(training.network, problem, aif, begin)
    keep = _keeper(checkpoint, key, training, history)
    try:
        train(training, history, tell=_both(keep, tell), warn=warn)
    except (Cancelled, KeyboardInterrupt):
        keep(now=True)
        raise
    keep(now=True)
    if not _has_converged(history, begin):
        first, last = history.rows[0]["total"], history.rows[-1]["total"]
        warn(f"The training went astray: its loss was {first:.3g} and is {last:.3g}. Lower the learning rate.")
    if abs(drift := _drift(history)) > LARGEST_DRIFT:
        warn(f"The mean F_p still moved by {drift:+.0%} in the last fifth of the training: it needs more steps.")
    return _read_off(training, history, problem)


def _drift(history: History) -> float:
    """By how much of itself the mean flow moved in the last fifth of the steps; 0 where the history is too short to say."""
    steps = [row["step"] for row in history.rows]
    earlier = [row for row in history.rows if row["step"] <= 0.8 * steps[-1]] if len(steps) > 1 else []
    return history.rows[-1]["F_p"] / earlier[-1]["F_p"] - 1.0 if earlier else 0.0


def _training(problem: SliceProblem, aif: ArterialInput, settings: FitSettings) -> Training:
    """Network, loss and training of a slice, at a random start of its own."""
    options = settings.network
    seed = np.random.SeedSequence([options.seed, problem.clock])
    network = PerfusionNetwork(settings.method, len(problem.rows), options, seed)
    is_mesh = settings.method is Method.MESH
    objective = MeshObjective(network, problem, options, aif) if is_mesh else Objective(network, problem, options)
    return Training(network, objective, options)


def _read_off(training: Training, history: History, problem: SliceProblem) -> SliceFit:
    """What the training left; with the weights what turns them back into curves."""
    network = training.network
    units = {"time_mean_s": problem.mean, "time_sigma_s": problem.sigma, "peak_mM": problem.peak}
    units["curves_rms_mM"] = problem.curves_rms
    weights = {name: value.numpy() for name, value in network.state().items()}
    weights |= {VOXELS: problem.voxels, **{name: np.array(value) for name, value in units.items()}}
    parameters = {name: value.numpy().astype(float) for name, value in network.parameters().items()}
    return SliceFit(parameters, fitted_curves(network, problem), history.rows, weights, training.step)


def _resumed(training: Training, checkpoint, key: str) -> History | None:
    """The history of a training that goes on from its checkpoint; None where there is none that is sound."""
    kept = checkpoint.load(key) if checkpoint is not None else None
    history = None if kept is None else History.from_arrays(training.settings, kept)
    return history if history is not None and training.restore(kept) else None


def _has_converged(history: History, begin: Begin) -> bool:
    """False where the loss ended ten times above its lowest, or, after a random start, hardly below where it began."""
    totals = [row["total"] for row in history.rows]
    random = begin.found is None and begin.trained is None
    return not totals or not (
        totals[-1] > 10.0 * min(totals) or (random and len(totals) > 1 and totals[-1] > totals[0])
    )


def _begin(network: PerfusionNetwork, problem: SliceProblem, aif: ArterialInput, begin: Begin) -> None:
    if begin.trained is not None:
        weights = min(begin.trained.slices, key=lambda part: abs(_level(part[VOXELS]) - _level(problem.voxels)))
        warm.transfer(network, weights, same=_same_curves(weights, problem))
    if begin.found is not None:
        warm.start_at(network, problem, aif, {name: value[problem.rows] for name, value in begin.found.items()})


def _same_curves(weights: dict[str, np.ndarray], problem: SliceProblem) -> bool:
    """True where the weights were trained on these very curves, not on another study's in voxels of the same numbers."""
    voxels, rms = weights[VOXELS], float(weights.get("curves_rms_mM", np.nan))
    same_places = voxels.shape == problem.voxels.shape and bool((voxels == problem.voxels).all())
    return same_places and abs(rms - problem.curves_rms) <= 1e-9 * problem.curves_rms


def _level(voxels: np.ndarray) -> float:
    """The slice that voxels (K, 3) lie in."""
    return float(voxels[:, 0].mean())


def _keeper(checkpoint, key: str, training: Training, history: History):
    """A function that saves the state of the training every ``KEEP_EVERY`` seconds, or now."""
    last = clock.monotonic()

    def keep(*, now: bool = False) -> None:
        nonlocal last
        if checkpoint is not None and (now or clock.monotonic() - last > KEEP_EVERY):
            checkpoint.save(key, {**training.state(), **history.arrays()})
            last = clock.monotonic()

    return keep


def _both(keep, tell):
    def told(step: int, row: Row, left: float | None) -> None:
        keep()
        tell(step, row, left)

    return told


def fitted_curves(network: PerfusionNetwork, problem: SliceProblem) -> np.ndarray:
    """The network's C_myo (K, t) mM at the frames."""
    kinetics = network.parameters()
    time = tf.constant(problem.time[:, None], tf.float32)
    if network.method is not Method.MESH:
        K = network.curves
        outputs = network(time)
        return (tissue(outputs[:, :K], outputs[:, K : 2 * K], kinetics).numpy().T * problem.peak).astype(float)
    together, curves = max(_POINTS_AT_ONCE // len(problem.time), 1), []
    for first in range(0, network.curves, together):
        place = problem.position[first : first + together]
        frames = np.tile(problem.time, len(place))[:, None]
        x = tf.constant(np.hstack([frames, np.repeat(place, len(problem.time), axis=0)]), tf.float32)
        C_p, C_e, _ = np.moveaxis(network(x).numpy().reshape(len(place), len(problem.time), 3), 2, 0)
        part = {name: value.numpy()[first : first + together, None] for name, value in kinetics.items()}
        curves.append(tissue(C_p, C_e, part))
    return np.concatenate(curves).astype(float) * problem.peak
