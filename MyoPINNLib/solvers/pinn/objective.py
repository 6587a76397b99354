"""From a slice and its network to the four terms of the loss, at the random times of one step."""

from __future__ import annotations

import tensorflow as tf

from ...network_settings import Collocation, NetworkSettings
from . import losses, shared
from .network import PerfusionNetwork
from .problem import SliceProblem


class Objective:
    """The loss of the networks whose curves share a trunk; ``plain``: by curves, else by what they share (shared.py).

    ``pieces`` > 1 takes the voxels a part at a time where memory is short. Same numbers all three ways.
    """

    def __init__(
        self, network: PerfusionNetwork, problem: SliceProblem, settings: NetworkSettings, *, plain: bool = False
    ) -> None:
        self.network, self.settings, self.plain, self.pieces = network, settings, plain, 1
        self.sigma = problem.sigma_minutes
        self.domain = problem.domain
        self.shifted = bool(problem.delays.any())
        self.delays, self.share = _single(problem.delays), _single(problem.share)
        self.input_span = float(problem.aif_time[0]), float(problem.aif_time[-1])
        self.measured, self.weight = _single(problem.C_myo), _single(problem.weight)
        self.measured_aif = _single(problem.C_aif)
        self.fixed_times = _single([*problem.time, *problem.aif_time, problem.domain[0]])[:, None]
        self.sizes = len(problem.time), len(problem.aif_time), 1

    def terms(self, step) -> dict:
        """L_C, L_r, L_b, L_reg by name, and their weighted sum as "total", at the times that ``step`` draws."""
        times = self.random_times(step)
        late = self._late(times)
        drawn = self.settings.collocation_points
        x = tf.concat([self.fixed_times, times, late], axis=0)
        phi, slope = self.network.features(x, training=True)
        at_frames, at_input, at_start, phi, phi_late = tf.split(phi, [*self.sizes, drawn, late.shape[0]], axis=0)
        slope = slope[sum(self.sizes) : sum(self.sizes) + drawn] / self.sigma
        K = self.network.curves
        head = self.network.head
        p, e, c = head[:, :K], head[:, K : 2 * K], head[:, 2 * K :]
        kinetics = self.network.parameters()
        inputs = tf.transpose(tf.reshape(phi_late @ c, [-1, drawn])) if self.shifted else phi @ c
        start = at_start @ head
        start_p, start_e = start[0, :K], start[0, K : 2 * K]
        found = {
            "data": losses.data_loss(
                at_frames @ losses.tissue(p, e, kinetics),
                self.measured, self.weight, (at_input @ c)[:, 0], self.measured_aif,
            ),
            "residual": self._residual(phi, slope, inputs, p, e, kinetics),
            "initial": losses.initial_loss(start_p, start_e, losses.tissue(start_p, start_e, kinetics), start[0, 2 * K :]),
            "positive": self._positive(phi, head, p, e),
        }  # fmt: skip
        return found | {"total": losses.weighted(found, self.settings)}

    def random_times(self, step):
        """(N_r, 1) times, uniform in the slice's domain: anew each step, or those of step 0 for ever."""
        step = tf.zeros_like(step) if self.settings.collocation is Collocation.ONCE else step
        seed = tf.stack([tf.constant(self.settings.seed, tf.int64), tf.cast(step, tf.int64)])
        shape = [self.settings.collocation_points, 1]
        return tf.random.stateless_uniform(shape, seed, *self.domain)

    def _late(self, times):
        """(L N_r, 1): the times, each delay before; the input is held at its ends. Empty where nothing is late."""
        if not self.shifted:
            return tf.zeros([0, 1])
        late = tf.clip_by_value(times[:, 0] - self.delays[:, None], *self.input_span)
        return tf.reshape(late, [-1, 1])

    def _residual(self, phi, slope, late, p, e, kinetics):
        method = self.network.method
        if not self.plain:
            return shared.residual_terms(method, phi, slope, late, p, e, self.share, kinetics)
        curves = {"C_p": phi @ p, "C_e": phi @ e, "C_ap": late @ self.share, "dC_p": slope @ p, "dC_e": slope @ e}
        return losses.residual_loss(losses.residuals(method, **curves, kinetics=kinetics))

    def _positive(self, phi, head, p, e):
        if self.plain:
            return losses.positive_loss(phi @ p, phi @ e)
        return shared.positive_terms(phi, head[:, : 2 * self.network.curves], pieces=self.pieces)


def _single(values):
    return tf.constant(values, tf.float32)
