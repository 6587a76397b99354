"""Tissue that is not a 2CXM: what a fit of the 2CXM makes of it.

    distributed   plasma flows through the capillary, losing agent to the interstitium beside it, instead of being mixed:
                  C_t(s) = F_p C_ap(s) (1 - exp(-(s v_p + PS s v_e / (s v_e + PS)) / F_p)) / s
    dispersed     a 2CXM whose input is smeared by exp(-t / 1.5 s) on its way from the blood pool

in Laplace's variable s; transformed numerically, on a fine grid, with damping. Parameters, clock, delays and input are those of
the patient-like objects (simulate/patient_like.py).
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

import numpy as np

from MyoPINNLib.aif import ArterialInput
from MyoPINNLib.fit import TissueCurves
from MyoPINNLib.simulate.objects import ReferenceObject
from MyoPINNLib.simulate.patient_like import INPUT_NOISE, TISSUE_NOISE, Patient, patient_like

DISPERSION = 1.5
STEP, SPAN, DAMPING = 0.02, 400.0, 0.02


class Tissue(str, Enum):
    """How the tissue, or what comes before it, differs from a 2CXM."""

    MIXED = "a 2CXM after all"
    DISTRIBUTED = "distributed exchange"
    DISPERSED = "dispersed input"


def other_tissue(
    tissue: Tissue, condition: Patient, *, seed: int, voxels: int = 600, input_noise: float = INPUT_NOISE
) -> ReferenceObject:
    """A patient-like object of ``tissue`` with noise, as ``patient_like`` makes one of the 2CXM."""
    reference = patient_like(condition, seed=seed, voxels=voxels, input_noise=0.0)
    time, times = reference.curves.time[0], np.arange(round(SPAN / STEP)) * STEP
    damping = np.exp(-DAMPING * times)
    s = DAMPING + 2j * np.pi * np.fft.rfftfreq(times.size, STEP)
    flowing = np.where(times <= time[-1] + 2.0, reference.aif(times), 0.0) * damping
    C_ap = np.fft.rfft(flowing)
    exact = []
    for F_p, v_p, v_e, PS, T_a in zip(*(values for _, values in reference.truth.items()), strict=True):
        response = _transfer(tissue, s, F_p, v_p, v_e, PS)
        curve = np.fft.irfft(C_ap * response, times.size) / damping
        exact.append(np.interp(time - T_a, times, curve, left=0.0))
    return _noisy(reference, np.array(exact), seed, input_noise)


def _transfer(tissue: Tissue, s: np.ndarray, F_p, v_p, v_e, PS) -> np.ndarray:
    """C_t / C_ap at s."""
    if tissue is Tissue.DISTRIBUTED:
        return F_p / s * (1 - np.exp(-(s * v_p + PS * s * v_e / (s * v_e + PS)) / F_p))
    C_p = F_p / (s * v_p + F_p + PS - PS**2 / (s * v_e + PS))
    whole = v_p * C_p + v_e * PS * C_p / (s * v_e + PS)
    return whole / (1 + s * DISPERSION) if tissue is Tissue.DISPERSED else whole


def _noisy(reference: ReferenceObject, exact: np.ndarray, seed: int, input_noise: float) -> ReferenceObject:
    rng, time = np.random.default_rng([seed, 4]), reference.curves.time[0]
    sigma = TISSUE_NOISE * float(np.median(exact.max(axis=1)))
    curves = TissueCurves.on_one_clock(time, exact + sigma * rng.standard_normal(exact.shape))
    C_ap = reference.aif.C_ap
    sampled = ArterialInput(time, C_ap + input_noise * C_ap.max() * rng.standard_normal(C_ap.shape))
    return replace(reference, curves=curves, C_t_exact=exact, sigma=sigma, aif=sampled)
