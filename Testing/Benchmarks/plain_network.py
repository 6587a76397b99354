"""The paper's networks in plain TensorFlow and Keras, from its equations alone: what ours must equal, and be faster than.

    f(t^) -> C_p^1 .. C_p^K, C_e^1 .. C_e^K, C_AIF     eq. 4: Dense 32, tanh, scale and shift, twice; then Dense 2 K + 1
    L = 5 L_C + L_r + L_b + L_reg                      eq. 6, the mean over the K curves; A.1 to A.4

Every curve and every time derivative is made in full, at the frames, at t = 0 and at the random times.

Derivatives by t^ come by forward mode through the model. Measured on two busy cores (best of three), a whole step of 1200 /
4800 curves: forward mode 23 / 88 ms; two backward passes (the slope of the pull u -> d(u . outputs)/dt^) 20 / 92 ms; one
backward pass an output (batch_jacobian) 78 ms for 100 curves, where the others take 4 ms.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

WIDTH = 32


class ScaleShift(keras.layers.Layer):
    """x * scale + shift, one of each a feature: batch normalisation that never leaves inference."""

    def build(self, shape):
        """Make both."""
        self.scale = self.add_weight(name="scale", shape=shape[-1:], initializer="ones")
        self.shift = self.add_weight(name="shift", shape=shape[-1:], initializer="zeros")

    def call(self, x):
        """Scaled and shifted."""
        return x * self.scale + self.shift


def curves_model(curves, dtype):
    """f (eq. 4) of ``curves`` curves."""
    layers = [keras.layers.Input((1,), dtype=dtype)]
    for _ in range(2):
        layers += [keras.layers.Dense(WIDTH, activation="tanh", dtype=dtype), ScaleShift(dtype=dtype)]
    return keras.Sequential([*layers, keras.layers.Dense(2 * curves + 1, dtype=dtype)])


def with_slopes(model, t):
    """Outputs (b, 2 K + 1) at t^ (b, 1) and their derivatives by t^, by forward mode through the model."""
    with tf.autodiff.ForwardAccumulator(t, tf.ones_like(t)) as forward:
        outputs = model(t)
    return outputs, forward.jvp(outputs)


class PlainTraining:
    """One slice: ``minutes`` (t,), ``C_myo`` (t, K) and ``C_aif`` (t,) mM; ``kinetics`` name -> (K,) to begin at, flows
    1/min (without PS for `reduced`); ``times(step)`` gives the random times (N_r, 1), standardised.

    ``step()`` makes one step and gives the loss before it; ``here()`` gives the loss alone.
    """

    def __init__(self, method, minutes, C_myo, C_aif, kinetics, times, dtype="float32"):
        mean, self.sigma, peak = minutes.mean(), minutes.std(), C_aif.max()  # eq. 10, 11
        self.method, self.dtype = method, dtype
        self.times = lambda number: tf.cast(times(number), dtype)
        self.frames = tf.constant((minutes[:, None] - mean) / self.sigma, dtype)
        self.start = tf.constant([[(0.0 - mean) / self.sigma]], dtype)
        self.C_myo = tf.constant(C_myo / peak, dtype)
        self.C_aif = tf.constant(C_aif[:, None] / peak, dtype)
        self.curves = C_myo.shape[1]
        self.model = curves_model(self.curves, dtype)
        self.log_kinetics = {name: tf.Variable(np.log(value), dtype=dtype) for name, value in kinetics.items()}
        self.trained = [*self.model.trainable_variables, *self.log_kinetics.values()]
        self.number = tf.Variable(0, dtype=tf.int64)
        self.optimise(self.trained)

    def optimise(self, order):
        """Adam takes the variables in ``order``, and begins anew."""
        self.order = list(order)
        self.optimiser = keras.optimizers.Adam(1e-3)
        self.optimiser.build(self.order)
        self.step = tf.function(self._step)
        self.here = tf.function(self.loss)

    def take(self, values, first, second, number):
        """Go on from ``values`` of ``trained``, Adam's moments (in the order of ``optimise``) and the number of steps made."""
        moments = self.optimiser.variables
        mine = [[v for v in moments if v.path.endswith(kind)] for kind in ("momentum", "velocity")]
        for variable, value in zip([*self.trained, *mine[0], *mine[1]], [*values, *first, *second], strict=True):
            variable.assign(tf.cast(value, variable.dtype))
        self.optimiser.iterations.assign(number)
        self.number.assign(number)

    def _step(self):
        """One step of Adam; the loss before it."""
        with tf.GradientTape() as tape:
            loss = self.loss()
        slopes = tape.gradient(loss, self.order)
        self.optimiser.apply_gradients(zip(slopes, self.order))
        self.number.assign_add(1)
        return loss

    def loss(self):
        """L (eq. 6)."""
        return 5.0 * self.data() + self.equations() + self.initial()

    def data(self):
        """L_C (A.1)."""
        C_p, C_e, C_aif = self.split(self.model(self.frames))
        return tf.reduce_mean((self.tissue(C_p, C_e) - self.C_myo) ** 2) + tf.reduce_mean((C_aif - self.C_aif) ** 2)

    def equations(self):
        """L_r (A.2) of the residuals (eq. 5 and 8, with B.1), and L_reg (A.4), at the same random times."""
        outputs, slopes = with_slopes(self.model, self.times(self.number))
        C_p, C_e, C_aif = self.split(outputs)
        dC_p, dC_e, _ = self.split(slopes / self.sigma)
        F_p, v_p, v_e, PS = (self.kinetic(name) for name in ("F_p", "v_p", "v_e", "PS"))
        residuals = []
        if self.method != "reduced":
            residuals.append(v_p * dC_p - PS * (C_e - C_p) - F_p * (C_aif - C_p))
            residuals.append(v_e * dC_e - PS * (C_p - C_e))
        if self.method != "2cxm":
            residuals.append(self.tissue(dC_p, dC_e) - F_p * (C_aif - C_p))
        negative = [tf.reduce_mean(tf.minimum(C, 0.0) ** 2) for C in (C_p, C_e)]
        return sum(tf.reduce_mean(r**2) for r in residuals) + sum(negative)

    def initial(self):
        """L_b (A.3)."""
        C_p, C_e, C_aif = self.split(self.model(self.start))
        return sum(tf.reduce_mean(C**2) for C in (C_p, C_e, self.tissue(C_p, C_e), C_aif))

    def split(self, outputs):
        """C_p, C_e (b, K) and C_AIF (b, 1) of outputs."""
        return tf.split(outputs, [self.curves, self.curves, 1], axis=1)

    def tissue(self, C_p, C_e):
        """C_myo (eq. 3)."""
        return self.kinetic("v_p") * C_p + self.kinetic("v_e") * C_e

    def kinetic(self, name):
        """(K,): a parameter, or None where the method has it not."""
        return tf.exp(self.log_kinetics[name]) if name in self.log_kinetics else None
