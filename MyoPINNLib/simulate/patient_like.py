"""Patient-like curves of known perfusion, at stress and at rest: what the twin (objects.py) lacks.

A first pass with its recirculation, sampled once a heartbeat that varies, with noise; tissue frames at the same beats;
every voxel with a delay of its own that the fit has to find; parameters log-normal about values of a heart, and at stress
a fifth of the voxels with a third of the flow. Curves are exact 2CXM of the input without its noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from ..aif import ArterialInput
from ..fit import KineticParameters, TissueCurves
from ..kinetics import tissue_curve
from ..quantities import inside
from .objects import ReferenceObject
from .passage import Blood, Passage, heartbeats

HCT = 0.45
LONGEST_DELAY = 1.5
TISSUE_NOISE, INPUT_NOISE = 0.03, 0.01
ISCHAEMIC_SHARE, ISCHAEMIC_FLOW = 0.2, 1 / 3
LEAST_V_P, MOST_V_P = 0.01, 0.15
_AFTER = 5.0
_JITTER = 0.04


@dataclass(frozen=True)
class Condition:
    """Frames, seconds a heartbeat, medians of F_p and PS mL/min/mL, of v_p and v_e, and the bolus's arrival and peak s."""

    frames: int
    interval: float
    F_p: float
    v_p: float
    v_e: float
    PS: float
    arrival: float
    to_peak: float


class Patient(Enum):
    """Under adenosine, or at rest."""

    STRESS = Condition(frames=68, interval=0.65, F_p=1.7, v_p=0.07, v_e=0.2, PS=1.1, arrival=5.0, to_peak=4.0)
    REST = Condition(frames=62, interval=0.9, F_p=0.6, v_p=0.06, v_e=0.2, PS=0.7, arrival=6.0, to_peak=5.0)


SPREAD = {"F_p": 0.3, "v_p": 0.4, "v_e": 0.25, "PS": 0.35}


def patient_like(
    condition: Patient,
    *,
    seed: int,
    voxels: int = 1500,
    tissue_noise: float = TISSUE_NOISE,
    input_noise: float = INPUT_NOISE,
    tissue: Callable[..., np.ndarray] = tissue_curve,
) -> ReferenceObject:
    """Noisy curves of ``voxels`` voxels; the ``aif`` is the noisy one that a solver may see.

    ``tissue_noise``, ``input_noise``: standard deviations as shares of the median noise-free peak and of the input's.
    ``tissue`` makes the curves (n, t) of input, times and parameters: 2CXM unless another is given.
    """
    heart, rng = condition.value, np.random.default_rng([seed, 2])
    time = heartbeats(rng, frames=heart.frames, interval=heart.interval, jitter=_JITTER)
    blood = Blood((Passage(heart.arrival, 6.0, heart.to_peak),))
    true_input = blood.plasma_input(float(time[-1]) + _AFTER, HCT)
    truth = _parameters(condition, rng, voxels)
    C_t = tissue(true_input, time, **dict(truth.items()))
    sigma = tissue_noise * float(np.median(C_t.max(axis=1)))
    noisy = C_t + sigma * rng.standard_normal(C_t.shape)
    sampled = true_input(time)
    sampled = sampled + input_noise * sampled.max() * rng.standard_normal(sampled.shape)
    curves = TissueCurves.on_one_clock(time, noisy)
    return ReferenceObject(curves, ArterialInput(time, sampled), truth, C_t, None, sigma)


def ischaemic(truth: KineticParameters, condition: Patient) -> np.ndarray:
    """(n,) bool: the voxels at a third of the flow: at stress the first fifth, at rest none."""
    share = ISCHAEMIC_SHARE if condition is Patient.STRESS else 0.0
    return np.arange(len(truth.F_p)) < round(share * len(truth.F_p))


def _parameters(condition: Patient, rng: np.random.Generator, voxels: int) -> KineticParameters:
    heart = condition.value
    drawn = {name: getattr(heart, name) * np.exp(sd * rng.standard_normal(voxels)) for name, sd in SPREAD.items()}
    truth = KineticParameters(
        F_p=inside("F_p", drawn["F_p"]),
        v_p=np.clip(drawn["v_p"], LEAST_V_P, MOST_V_P),
        v_e=drawn["v_e"],
        PS=inside("PS", drawn["PS"]),
        T_a=rng.uniform(0.0, LONGEST_DELAY, voxels),
    )
    truth.F_p[ischaemic(truth, condition)] *= ISCHAEMIC_FLOW
    return truth
