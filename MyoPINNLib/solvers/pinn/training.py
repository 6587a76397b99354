"""Training: Adam, step by step, with a history, and a state that goes on bit by bit where it was left.

What a step draws at random depends on the seed and the step's number alone, so a run that was cut into pieces is the
same as one that was not.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ...network_settings import NetworkSettings
from .losses import TERMS
from .network import PerfusionNetwork

BREATH = 0.2
FEWEST_ROWS = 5
MOST_PIECES = 256
_STEP = "step"
Row = dict[str, float]
State = dict[str, np.ndarray]


class Adam:
    """Adam (Kingma and Ba 2015) with TensorFlow's own step, whose state has the names of the variables it moves.

    Keras's optimiser numbers its state, in an order that has changed, and leaves a trace of every training in memory.
    """

    BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7

    def __init__(self, variables: list, rate: float) -> None:
        self.rate = rate
        self.variables = {variable.path: variable.value for variable in variables}
        self.moments = {
            f"adam/{kind}/{name}": tf.Variable(tf.zeros_like(variable))
            for kind in ("first", "second")
            for name, variable in self.variables.items()
        }

    def move(self, slopes: list, step) -> None:
        """Step number ``step`` (the first is 0) down the ``slopes``, one a variable."""
        power = tf.cast(step + 1, tf.float32)
        betas = tf.constant(self.BETA_1), tf.constant(self.BETA_2)
        powers = betas[0] ** power, betas[1] ** power
        for (name, variable), slope in zip(self.variables.items(), slopes, strict=True):
            first, second = (self.moments[f"adam/{kind}/{name}"] for kind in ("first", "second"))
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=first.handle, v=second.handle, beta1_power=powers[0], beta2_power=powers[1],
                lr=self.rate, beta1=betas[0], beta2=betas[1], epsilon=self.EPSILON, grad=slope,
            )  # fmt: skip


class Training:
    """One network on one slice. ``objective.terms(step)`` gives the loss; ``state`` and ``restore`` keep everything."""

    def __init__(self, network: PerfusionNetwork, objective, settings: NetworkSettings) -> None:
        self.network, self.objective, self.settings = network, objective, settings
        self.adam = Adam(network.trainable_variables, settings.learning_rate)
        self._step = tf.Variable(0, dtype=tf.int64)
        self._run: Callable | None = None

    @property
    def step(self) -> int:
        """Steps made."""
        return int(self._step.numpy())

    def advance(self, count: int) -> Row:
        """Make ``count`` steps; the terms of the last one and the mean parameters after it, by name."""
        if self._run is None:
            self._run = tf.function(self._steps, [tf.TensorSpec([], tf.int64)]).get_concrete_function()
        terms = self._run(tf.constant(count, tf.int64))
        means = {name: float(tf.reduce_mean(value)) for name, value in self.network.parameters().items()}
        return {name: float(value) for name, value in terms.items()} | means

    def save_memory(self) -> bool:
        """Take the voxels in twice as many pieces from here on; False where that cannot help any more."""
        if getattr(self.objective, "pieces", MOST_PIECES) >= MOST_PIECES:
            return False
        self.objective.pieces *= 2
        self._run = None
        return True

    def state(self) -> State:
        """Weights, kinetic parameters, Adam's moments and the step, by name."""
        return {name: variable.numpy() for name, variable in self._variables().items()}

    def restore(self, state: State) -> bool:
        """Take over a ``state``; False, and nothing changed, where it is not one of this network, or is damaged."""
        variables = self._variables()
        fits = all(name in state and state[name].shape == tuple(v.shape) for name, v in variables.items())
        if not fits or not is_sound(state) or not 0 <= int(state[_STEP]) <= self.settings.steps:
            return False
        for name, variable in variables.items():
            variable.assign(state[name])
        return True

    def _variables(self) -> dict:
        return {**self.network.state(), **self.adam.moments, _STEP: self._step}

    def _steps(self, count):
        terms = {name: tf.constant(0.0) for name in (*TERMS, "total")}
        trained = list(self.adam.variables.values())
        for _ in tf.range(count):
            with tf.GradientTape() as tape:
                terms = self.objective.terms(self._step)
            slopes = tape.gradient(terms["total"], trained)
            self.adam.move(list(map(tf.convert_to_tensor, slopes)), self._step)
            self._step.assign_add(1)
        return terms


def is_sound(state: State) -> bool:
    """True where all of it are finite numbers."""
    return all(value.dtype.kind in "fiu" and bool(np.isfinite(value).all()) for value in state.values())


class History:
    """Rows of a training, one every so many steps: step, terms of the loss, mean parameters in shown units."""

    def __init__(self, settings: NetworkSettings, rows: list[Row] | None = None) -> None:
        self.settings, self.rows = settings, list(rows or [])

    def due(self, step: int) -> int:
        """Steps from ``step`` to the next row: the first step, every so many, and the last."""
        every = self.settings.history_every if step else 1
        return min((step // every + 1) * every, self.settings.steps) - step

    def add(self, step: int, row: Row) -> None:
        """Keep a row."""
        self.rows.append({_STEP: step, **row})

    def settled(self) -> bool:
        """True where the rule of ``NetworkSettings.early_stop`` ends the training."""
        window = max(self.settings.steps // self.settings.history_every // 10, FEWEST_ROWS)
        if not self.settings.early_stop or len(self.rows) < 2 * window:
            return False
        totals = np.array([row["total"] for row in self.rows[-2 * window :]])
        before, lately = totals[:window].mean(), totals[window:].mean()
        return bool(lately > (1.0 - self.settings.early_stop) * before)

    def arrays(self) -> dict[str, np.ndarray]:
        """The rows as columns."""
        names = self.rows[0] if self.rows else ()
        return {f"history/{name}": np.array([row[name] for row in self.rows]) for name in names}

    @classmethod
    def from_arrays(cls, settings: NetworkSettings, arrays: State) -> History | None:
        """The history that ``arrays`` wrote; None where its columns do not fit together."""
        columns = {name.split("/", 1)[1]: values for name, values in arrays.items() if name.startswith("history/")}
        if len({column.shape for column in columns.values()}) > 1 or not is_sound(columns):
            return None
        rows = [dict(zip(columns, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True)]
        return cls(settings, rows)


def train(
    training: Training,
    history: History,
    *,
    tell: Callable[[int, Row, float | None], None],
    warn: Callable[[str], None],
) -> None:
    """Train to the last step, to the rule of ``early_stop``, or until a loss is no number (then from the last good state).

    ``tell(step, row, seconds_left)`` after each piece of about ``BREATH`` seconds; it may raise Cancelled. The seconds are
    None as long as the pieces still hold the making of the graph.
    """
    last = training.settings.steps
    good, count, pieces = training.state(), 1, 0
    while training.step < last and not history.settled():
        begun, step = clock.perf_counter(), training.step
        due = history.due(step)
        count = min(count, due)
        row = _tried(training, count, good, warn)
        if row is None:
            count = 1
            continue
        state = training.state()
        if not (np.isfinite(list(row.values())).all() and is_sound(state)):
            training.restore(good)
            warn(
                f"The training met a loss that is not a number near step {training.step + count}; the state before it is kept."
            )
            return
        good, each, pieces = state, (clock.perf_counter() - begun) / count, pieces + 1
        if count == due:
            history.add(training.step, row)
        tell(training.step, row, each * (last - training.step) if pieces > 2 else None)
        count = max(int(BREATH / each), 1)


def _tried(training: Training, count: int, good: dict, warn: Callable[[str], None]) -> Row | None:
    """``training.advance(count)``; where memory runs out, None, the last good state, and smaller pieces."""
    try:
        return training.advance(count)
    except tf.errors.ResourceExhaustedError:
        if not training.save_memory():
            raise MemoryError from None
        training.restore(good)
        warn("There is too little memory to train all voxels at once; they are taken in parts, which is slower.")
        return None
