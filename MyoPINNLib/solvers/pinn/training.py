"""Training: Adam, step by step, with a history, and a state that goes on bit by bit where it was left.

What a step draws at random depends on the seed and the step's number alone, so a run that was cut into pieces is the
same as one that was not.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from ...network_settings import NetworkSettings
from .losses import TERMS
from .network import PerfusionNetwork

BREATH = 0.2
MOST_PIECES = 256
_STEP, _OPTIMISER = "step", "optimiser"
Row = dict[str, float]


class Training:
    """One network on one slice. ``objective.terms(step)`` gives the loss; ``state`` and ``restore`` keep everything."""

    def __init__(self, network: PerfusionNetwork, objective, settings: NetworkSettings) -> None:
        self.network, self.objective, self.settings = network, objective, settings
        self.optimiser = keras.optimizers.Adam(settings.learning_rate)
        self.optimiser.build(network.trainable_variables)
        self._step = tf.Variable(0, dtype=tf.int64)
        self._retrace()

    @property
    def step(self) -> int:
        """Steps made."""
        return int(self._step.numpy())

    def advance(self, count: int) -> Row:
        """Make ``count`` steps; the terms of the last one and the mean parameters after it, by name."""
        terms = self._run(tf.constant(count, tf.int64))
        means = {name: float(tf.reduce_mean(value)) for name, value in self.network.parameters().items()}
        return {name: float(value) for name, value in terms.items()} | means

    def save_memory(self) -> bool:
        """Take the voxels in twice as many pieces from here on; False where that cannot help any more."""
        if getattr(self.objective, "pieces", MOST_PIECES) >= MOST_PIECES:
            return False
        self.objective.pieces *= 2
        self._retrace()
        return True

    def state(self) -> dict[str, np.ndarray]:
        """Weights, kinetic parameters, optimiser and step, by name."""
        return {name: variable.numpy() for name, variable in self._variables().items()}

    def restore(self, state: dict[str, np.ndarray]) -> bool:
        """Take over a ``state``; False, and nothing changed, where it is not one of this network."""
        variables = self._variables()
        fits = all(name in state and state[name].shape == tuple(v.shape) for name, v in variables.items())
        if fits:
            for name, variable in variables.items():
                variable.assign(state[name])
        return fits

    def _variables(self) -> dict:
        numbered = {f"{_OPTIMISER}/{number}": variable for number, variable in enumerate(self.optimiser.variables)}
        return {**self.network.state(), **numbered, _STEP: self._step}

    def _retrace(self) -> None:
        self._run = tf.function(self._steps)

    def _steps(self, count):
        terms = {name: tf.constant(0.0) for name in (*TERMS, "total")}
        trained = self.network.trainable_variables
        for _ in tf.range(count):
            with tf.GradientTape() as tape:
                terms = self.objective.terms(self._step)
            slopes = tape.gradient(terms["total"], trained)
            self.optimiser.apply(list(map(tf.convert_to_tensor, slopes)), trained)
            self._step.assign_add(1)
        return terms


class History:
    """Rows of a training, one every so many steps: step, terms of the loss, mean parameters in shown units."""

    def __init__(self, settings: NetworkSettings, rows: list[Row] | None = None) -> None:
        self.settings, self.rows = settings, list(rows or [])

    def due(self, step: int) -> int:
        """Steps from ``step`` to the next row."""
        every = self.settings.history_every
        return min((step // every + 1) * every, self.settings.steps) - step

    def add(self, step: int, row: Row) -> None:
        """Keep a row."""
        self.rows.append({_STEP: step, **row})

    def settled(self) -> bool:
        """True where the rule of ``NetworkSettings.early_stop`` ends the training."""
        window = max(self.settings.steps // self.settings.history_every // 10, 1)
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
    def from_arrays(cls, settings: NetworkSettings, arrays: dict[str, np.ndarray]) -> History:
        """The history that ``arrays`` wrote."""
        columns = {name.split("/", 1)[1]: values for name, values in arrays.items() if name.startswith("history/")}
        rows = [dict(zip(columns, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True)]
        return cls(settings, rows)


def train(
    training: Training,
    history: History,
    *,
    tell: Callable[[int, Row, float], None],
    warn: Callable[[str], None],
) -> None:
    """Train to the last step, to the rule of ``early_stop``, or until a loss is no number (then from the last good state).

    ``tell(step, row, seconds_left)`` after each piece of about ``BREATH`` seconds; it may raise Cancelled.
    """
    last = training.settings.steps
    good, count = training.state(), 1
    while training.step < last:
        begun, step = clock.perf_counter(), training.step
        count = min(count, history.due(step))
        row = _tried(training, count, good, warn)
        if row is None:
            count = 1
            continue
        if not np.isfinite(row["total"]) or not all(np.isfinite(value) for value in row.values()):
            training.restore(good)
            warn(
                f"The training met a loss that is not a number near step {training.step + count}; the state before it is kept."
            )
            return
        good, each = training.state(), (clock.perf_counter() - begun) / count
        if training.step % training.settings.history_every == 0 or training.step == last:
            history.add(training.step, row)
        tell(training.step, row, each * (last - training.step))
        if history.rows and history.rows[-1][_STEP] == training.step and history.settled():
            return
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
