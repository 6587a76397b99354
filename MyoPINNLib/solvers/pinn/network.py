"""The network of the paper (eq. 4) and the kinetic parameters that train with it.

    f(t) -> C_p^1 .. C_p^K, C_e^1 .. C_e^K, C_AIF        paper; `2cxm-mesh`: f(t, x, y) -> C_p, C_e, C_AIF of one pixel

Hidden layers of tanh, each followed by a scale and a shift (or by batch statistics); a linear last layer, so that all
outputs are the trunk's features (and a constant) times the ``head``: C = features @ head.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from ...network_settings import NetworkSettings, Normalisation
from ...settings import Method
from ...trained import parameter_names

VOLUMES, FLOWS = ("v_p", "v_e"), ("F_p", "PS")
START_RANGE = (0.05, 0.15)
FLOWS_OVER_VOLUMES = 10.0
_EPSILON, _MOMENTUM = 1e-3, 0.99


class Hidden(keras.layers.Layer):
    """tanh(x W + b), then scale and shift; with ``batch`` first the batch's own mean and variance are taken out."""

    def __init__(self, inputs: int, width: int, *, batch: bool, seed: int, name: str) -> None:
        super().__init__(name=name, dtype="float32")
        self.batch = batch
        glorot = keras.initializers.GlorotUniform(seed=seed)
        self.kernel = self.add_weight(name="kernel", shape=(inputs, width), initializer=glorot)
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
        self.scale = self.add_weight(name="scale", shape=(width,), initializer="ones")
        self.shift = self.add_weight(name="shift", shape=(width,), initializer="zeros")
        if batch:
            self.mean = self.add_weight(name="mean", shape=(width,), initializer="zeros", trainable=False)
            self.variance = self.add_weight(name="variance", shape=(width,), initializer="ones", trainable=False)

    def call(self, x, slope, *, training: bool = False):
        """Values (b, width) and their time derivatives, from values (b, inputs) and derivatives of those."""
        value = tf.tanh(x @ self.kernel + self.bias)
        slope = (1.0 - value * value) * (slope @ self.kernel)
        if self.batch:
            mean, variance = self._moments(value, training)
            spread = tf.math.rsqrt(variance + _EPSILON)
            value, slope = (value - mean) * spread, slope * spread
        return value * self.scale + self.shift, slope * self.scale

    def _moments(self, value, training: bool):
        if not training:
            return self.mean, self.variance
        mean, variance = tf.nn.moments(value, axes=[0])
        self.mean.assign(_MOMENTUM * self.mean + (1.0 - _MOMENTUM) * mean)
        self.variance.assign(_MOMENTUM * self.variance + (1.0 - _MOMENTUM) * variance)
        return mean, variance


class PerfusionNetwork(keras.Model):
    """Trunk, head and kinetic parameters of K curves; ``kinetics`` are the logarithms, flows in 1/min.

    Keras tracks what ``add_weight`` makes, so the kinetic parameters are trained with the rest. ``inputs`` is 1 (t), or 3
    (t, x, y) for the mesh, whose head has the three outputs of one pixel.
    """

    def __init__(self, method: Method, curves: int, settings: NetworkSettings, seed: np.random.SeedSequence) -> None:
        super().__init__(name="perfusion", dtype="float32")
        self.method, self.curves = method, curves
        inputs, outputs = (3, 3) if method is Method.MESH else (1, 2 * curves + 1)
        seeds = [int(number) for number in seed.generate_state(settings.layers + 1)]
        batch = settings.normalisation is Normalisation.BATCH
        sizes = [inputs, *[settings.width] * settings.layers]
        self.hidden = [
            Hidden(size, settings.width, batch=batch, seed=seeds[number], name=f"hidden{number + 1}")
            for number, size in enumerate(sizes[:-1])
        ]
        glorot = keras.initializers.GlorotUniform(seed=seeds[-1])
        self.head_kernel = self.add_weight(name="head_kernel", shape=(settings.width, outputs), initializer=glorot)
        self.head_bias = self.add_weight(name="head_bias", shape=(outputs,), initializer="zeros")
        draw = np.random.default_rng(seed.spawn(1)[0])
        self.kinetics = {}
        for name in parameter_names(method):
            start = draw.uniform(*np.log(START_RANGE), curves) + (np.log(FLOWS_OVER_VOLUMES) if name in FLOWS else 0.0)
            constant = keras.initializers.Constant(start.astype(np.float32))
            self.kinetics[name] = self.add_weight(name=f"log_{name}", shape=(curves,), initializer=constant)
        self.built = True

    @property
    def head(self):
        """(width + 1, outputs): the last layer with its bias as the last row."""
        return tf.concat([self.head_kernel, self.head_bias[None]], axis=0)

    def parameters(self) -> dict:
        """name -> (K,): F_p, v_p, v_e and, where the method has it, PS; flows in 1/min."""
        return {name: tf.exp(value) for name, value in self.kinetics.items()}

    def features(self, x, *, training: bool = False):
        """phi (b, width + 1), the last column 1, and d phi/dt^, of inputs (b, 1 or 3) whose first is t^."""
        slope = tf.concat([tf.ones_like(x[:, :1]), tf.zeros_like(x[:, 1:])], axis=1)
        value = x
        for hidden in self.hidden:
            value, slope = hidden(value, slope, training=training)
        one = tf.ones_like(x[:, :1])
        return tf.concat([value, one], axis=1), tf.concat([slope, 0.0 * one], axis=1)

    def call(self, x, *, training: bool = False):
        """All outputs (b, outputs) at inputs (b, 1 or 3)."""
        return self.features(x, training=training)[0] @ self.head

    def state(self) -> dict[str, tf.Variable]:
        """Every variable by name: what a checkpoint keeps."""
        return {variable.path: variable.value for variable in self.variables}
