"""A network that does not begin at random: at another method's parameters, or at an earlier study's weights.

The exact curves C_p, C_e of given parameters are known (kinetics.py). The trunk is trained to hold the few functions
they are made of (their leading singular vectors) and the input; then the head is solved, since it is linear.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

from ...aif import ArterialInput
from ...kinetics import compartment_curves
from ...quantities import inside
from ...settings import Method
from .network import FLOWS, FLOWS_OVER_VOLUMES, START_RANGE, PerfusionNetwork
from .problem import SliceProblem
from .training import Adam

GRID, FUNCTIONS, ITERATIONS = 200, 12, 400
MESH_STEPS, MESH_SAMPLES, MESH_RATE = 1500, 2048, 5e-3
RIDGE = 1e-6
SLOPE_WEIGHT = 0.05
LIMITS = {"F_p": (0.05, 10.0), "v_p": (0.005, 0.9), "v_e": (0.005, 0.9), "PS": (0.02, 10.0)}


def start_at(
    network: PerfusionNetwork, problem: SliceProblem, aif: ArterialInput, found: dict[str, np.ndarray]
) -> None:
    """Begin at parameters ``found`` name -> (K,), shown units: the curves of the network become their exact curves.

    A parameter that is no number takes the others' median, one that is not there the middle of the range in which a random
    start is drawn; one beyond what a heart can have is held at ``LIMITS``.
    """
    unknown = np.full(network.curves, np.nan)
    start = {name: np.clip(_filled(name, found.get(name, unknown)), *LIMITS[name]) for name in LIMITS}
    for name, variable in network.kinetics.items():
        variable.assign(np.log(start[name]).astype(np.float32))
    grid = np.linspace(*problem.domain, GRID)
    C_p, C_e, C_aif = _exact(problem, aif, grid, start)
    if network.method is Method.MESH:
        _train_mesh(network, problem, grid, np.stack([C_p, C_e, np.broadcast_to(C_aif[:, None], C_p.shape)], axis=2))
        return
    x, curves = tf.constant(grid[:, None], tf.float32), np.concatenate([C_p, C_e], axis=1)
    basis, sizes, _ = np.linalg.svd(curves, full_matrices=False)
    targets = np.column_stack([(basis * sizes)[:, :FUNCTIONS] / np.sqrt(curves.shape[1]), C_aif])
    _train_trunk(network, x, _with_slopes(targets, grid))
    phi = tf.concat(_weighed(*network.features(x, training=_batch(network))), axis=0).numpy().astype(float)
    head = _solved(phi, _with_slopes(np.column_stack([curves, C_aif]), grid))
    network.head_kernel.assign(head[:-1].astype(np.float32))
    network.head_bias.assign(head[-1].astype(np.float32))


def _train_mesh(network: PerfusionNetwork, problem: SliceProblem, grid: np.ndarray, curves: np.ndarray) -> None:
    """Make the network of a mesh, which has no head a curve, follow ``curves`` (GRID, K, 3): Adam on random samples."""
    time, place = tf.constant(grid, tf.float32), tf.constant(problem.position, tf.float32)
    wanted, weights = tf.constant(curves, tf.float32), [v for v in network.trainable_variables if _is_layer(v)]
    adam = Adam(weights, MESH_RATE)

    def train(steps):
        for step in tf.range(steps):
            frames, pixels = (
                tf.random.stateless_uniform([MESH_SAMPLES], [lane, step], 0, count, dtype=tf.int32)
                for lane, count in ((1, GRID), (2, network.curves))
            )
            x = tf.concat([tf.gather(time, frames)[:, None], tf.gather(place, pixels)], axis=1)
            with tf.GradientTape() as tape:
                off = network(x, training=True) - tf.gather_nd(wanted, tf.stack([frames, pixels], axis=1))
                loss = tf.reduce_mean(off * off)
            adam.move(tape.gradient(loss, [v.value for v in weights]), tf.cast(step, tf.int64))

    tf.function(train, [tf.TensorSpec([], tf.int32)]).get_concrete_function()(tf.constant(MESH_STEPS))


def _is_layer(variable) -> bool:
    return not variable.path.rsplit("/", 1)[-1].startswith("log_")


def transfer(network: PerfusionNetwork, weights: dict[str, np.ndarray], *, same: bool) -> None:
    """Begin at an earlier network's ``weights``. Where they were trained on the ``same`` curves, go on; else the trunk as it is,
    and each curve begins as the earlier ones' typical curve: nothing of one patient's voxels reaches another's.
    """
    for name, variable in network.state().items():
        if name not in weights:  # PS, after the reduced model
            continue
        value = weights[name]
        if tuple(variable.shape) != value.shape or not (same or _of_trunk(name)):
            value = _typical(name, value, network.curves, mesh=network.hidden[0].kernel.shape[0] > 1)
        variable.assign(value.astype(np.float32))


def _of_trunk(name: str) -> bool:
    return name.startswith("hidden")


def _typical(name: str, value: np.ndarray, curves: int, *, mesh: bool) -> np.ndarray:
    """The average curve ``curves`` times over: its head, or the mean of the logarithms of a parameter."""
    if "head" not in name:
        return np.full(curves, value.mean())
    if mesh:
        return value
    m = (value.shape[-1] - 1) // 2
    parts = [value[..., :m], value[..., m : 2 * m]]
    means = [np.repeat(part.mean(axis=-1, keepdims=True), curves, axis=-1) for part in parts]
    return np.concatenate([*means, value[..., 2 * m :]], axis=-1)


def _filled(name: str, values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    middle = np.sqrt(np.prod(START_RANGE)) * (FLOWS_OVER_VOLUMES if name in FLOWS else 1.0)
    return np.where(known, values, np.median(values[known]) if known.any() else middle)


def _exact(problem: SliceProblem, aif: ArterialInput, grid: np.ndarray, start: dict[str, np.ndarray]):
    """C_p, C_e (GRID, K) and C_AIF (GRID,) over the input's peak."""
    seconds = grid * problem.sigma + problem.mean
    given = {name: inside(name, value) for name, value in start.items()}
    times = np.broadcast_to(seconds, (len(problem.T_a), GRID))
    C_p, C_e = compartment_curves(aif, times, T_a=problem.T_a, **given)
    return C_p.T / problem.peak, C_e.T / problem.peak, aif(seconds) / problem.peak


def _train_trunk(network: PerfusionNetwork, x, targets: np.ndarray) -> None:
    """Make the features span the ``targets`` (2 GRID, q), values and then slopes: least squares over the trunk's weights, the
    head solved out. Without the slopes a unit may turn between two points of the grid, unseen.
    """
    variables = [variable for hidden in network.hidden for variable in hidden.trainable_variables]
    shapes = [tuple(variable.shape) for variable in variables]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    wanted = tf.constant(targets, tf.float64)

    @tf.function
    def misfit():
        with tf.GradientTape() as tape:
            phi = tf.cast(tf.concat(_weighed(*network.features(x, training=_batch(network))), axis=0), tf.float64)
            gram = tf.matmul(phi, phi, transpose_a=True)
            root = tf.linalg.cholesky(gram + RIDGE * GRID * tf.eye(phi.shape[1], dtype=tf.float64))
            left = wanted - phi @ tf.linalg.cholesky_solve(root, tf.matmul(phi, wanted, transpose_a=True))
            total = tf.reduce_sum(left * left)
        return total, tape.gradient(total, variables)

    def at(flat: np.ndarray) -> tuple[float, np.ndarray]:
        for variable, part, shape in zip(variables, np.split(flat, ends[:-1]), shapes, strict=True):
            variable.assign(part.reshape(shape).astype(np.float32))
        total, slopes = misfit()
        return float(total), np.concatenate([slope.numpy().ravel() for slope in slopes]).astype(float)

    begin = np.concatenate([variable.numpy().ravel() for variable in variables]).astype(float)
    at(minimize(at, begin, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x)


def _with_slopes(curves: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """(2 GRID, q): curves, and their weighed slopes below."""
    return np.concatenate(_weighed(curves, np.gradient(curves, grid, axis=0)))


def _weighed(values, slopes) -> tuple:
    return values, SLOPE_WEIGHT * slopes


def _solved(phi: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """The head (f, m) that turns features (t, f) into curves (t, m), held small by a ridge."""
    ridge = RIDGE * len(phi) * np.eye(phi.shape[1])
    return np.linalg.solve(phi.T @ phi + ridge, phi.T @ curves)


def _batch(network: PerfusionNetwork) -> bool:
    return network.hidden[0].batch
