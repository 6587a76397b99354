"""`2cxm-mesh`: time and place are inputs, so that neighbours share what they know; trained in mini-batches.

f(t, x, y) -> C_p, C_e, C_AIF of one pixel; its kinetic parameters are its own, as in the other networks
"""

from __future__ import annotations

import tensorflow as tf

from ...network_settings import Collocation, NetworkSettings
from . import losses
from .network import PerfusionNetwork
from .problem import SliceProblem

_DRAWS = ("frames", "times", "pixels", "start")


class MeshObjective:
    """The loss at ``settings.mesh_batch`` random samples (a frame of a pixel) and as many random times of random pixels."""

    def __init__(self, network: PerfusionNetwork, problem: SliceProblem, settings: NetworkSettings, aif) -> None:
        self.network, self.settings = network, settings
        self.sigma, self.domain = problem.sigma_minutes, problem.domain
        self.shifted = bool(problem.delays.any())
        self.input_span = float(problem.aif_time[0]), float(problem.aif_time[-1])
        self.place = tf.constant(problem.position, tf.float32)
        self.T_a = tf.constant(problem.T_a / problem.sigma, tf.float32)
        self.time, self.weight = tf.constant(problem.time, tf.float32), tf.constant(problem.weight, tf.float32)
        self.measured = tf.constant(problem.C_myo, tf.float32)
        seconds = problem.time * problem.sigma + problem.mean
        self.measured_aif = tf.constant(aif(seconds) / problem.peak, tf.float32)

    def terms(self, step) -> dict:
        """L_C, L_r, L_b, L_reg by name, and their weighted sum as "total", of the mini-batch that ``step`` draws."""
        found = {**self._at_frames(step), **self._at_random_times(step), "initial": self._at_start(step)}
        return found | {"total": losses.weighted(found, self.settings)}

    def _at_frames(self, step) -> dict:
        frames, pixels = self._draw(step, "frames", len(self.time)), self._draw(step, "pixels", self.network.curves)
        C_p, C_e, C_aif = self._outputs(tf.gather(self.time, frames), pixels)[0]
        kinetics = self._kinetics(pixels)
        measured = tf.gather_nd(self.measured, tf.stack([frames, pixels], axis=1))
        weight, measured_aif = tf.gather(self.weight, frames), tf.gather(self.measured_aif, frames)
        off = losses.tissue(C_p, C_e, kinetics) - measured
        return {"data": tf.reduce_mean(weight * off**2) + tf.reduce_mean((C_aif - measured_aif) ** 2)}

    def _at_random_times(self, step) -> dict:
        anew = tf.zeros_like(step) if self.settings.collocation is Collocation.ONCE else step
        times = tf.random.stateless_uniform([self.settings.mesh_batch], self._seed(anew, "times"), *self.domain)
        pixels = self._draw(anew, "times", self.network.curves)
        (C_p, C_e, C_aif), (dC_p, dC_e, _) = self._outputs(times, pixels)
        if self.shifted:
            late = tf.clip_by_value(times - tf.gather(self.T_a, pixels), *self.input_span)
            C_aif = self._outputs(late, pixels)[0][2]
        curves = {"C_p": C_p, "C_e": C_e, "C_ap": C_aif, "dC_p": dC_p / self.sigma, "dC_e": dC_e / self.sigma}
        found = losses.residuals(self.network.method, **curves, kinetics=self._kinetics(pixels))
        return {"residual": losses.residual_loss(found), "positive": losses.positive_loss(C_p, C_e)}

    def _at_start(self, step):
        pixels = self._draw(step, "start", self.network.curves)
        C_p, C_e, C_aif = self._outputs(tf.fill([self.settings.mesh_batch], self.domain[0]), pixels)[0]
        return losses.initial_loss(C_p, C_e, losses.tissue(C_p, C_e, self._kinetics(pixels)), C_aif)

    def _outputs(self, times, pixels) -> tuple[list, list]:
        """C_p, C_e, C_AIF and their time derivatives (by t^), each (b,)."""
        x = tf.concat([times[:, None], tf.gather(self.place, pixels)], axis=1)
        phi, slope = self.network.features(x, training=True)
        head = self.network.head
        return tf.unstack(phi @ head, axis=1), tf.unstack(slope @ head, axis=1)

    def _kinetics(self, pixels) -> dict:
        return {name: tf.gather(value, pixels) for name, value in self.network.parameters().items()}

    def _draw(self, step, what: str, count: int):
        shape = [self.settings.mesh_batch]
        return tf.random.stateless_uniform(shape, self._seed(step, what) + 1, 0, count, dtype=tf.int32)

    def _seed(self, step, what: str):
        lane = self.settings.seed * len(_DRAWS) + _DRAWS.index(what)
        return tf.stack([tf.constant(lane, tf.int64), 2 * tf.cast(step, tf.int64)])
