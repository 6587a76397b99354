"""A synthetic perfusion study of a heart whose blood flow is known.

    M(t) = coil sum_tissues share M0 f(R10 + r1 C(t))     f: saturation recovery with its readout train
    signal = |M + sigma (n1 + i n2)|                      Rician noise

Heart muscle follows the exact 2CXM pixel by pixel; a pixel on a border mixes the signals of its tissues.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..aif import ArterialInput
from ..kinetics import tissue_curve
from ..quantities import inside
from ..series import Acquisition, Masks, PerfusionSeries
from .chest import HEART_CENTRE, Anatomy, build_anatomy
from .heart import SLICES, Tissue
from .passage import Blood, heartbeats, slice_clocks
from .perfusion import true_parameters
from .recipes import Preset, Recipe, recipe

MUSCLE = (Tissue.MYOCARDIUM, Tissue.PAPILLARY, Tissue.RV_WALL)
PURE = 0.99
DRAWN = 0.8
FULL_SCALE = 2600.0
_MUSCLE_DENSITY = 0.85
_BREATH = 4.2
_AFTER_THE_LAST_FRAME = 2.0


@dataclass(frozen=True)
class Phantom:
    """A study and its truth.

    ``truth`` name -> (k, j, i) in inside units, NaN outside the myocardium mask; ``aif`` the true plasma input on the
    series' clock; ``insertion_lps`` anterior RV insertion, one point a slice; ``sigma`` of the noise and ``shift`` (k, t) mm
    by which breathing moved each frame along its columns.
    """

    series: PerfusionSeries
    masks: Masks
    truth: dict[str, np.ndarray]
    aif: ArterialInput
    insertion_lps: tuple[tuple[float, float, float], ...]
    hct: float
    density: float
    name: str
    seed: int
    sigma: float
    shift: np.ndarray

    @property
    def acquisition(self) -> Acquisition:
        """How the series was made."""
        return self.series.acquisition


def make_phantom(preset: Preset | Recipe, *, seed: int, noise: bool = True) -> Phantom:
    """Draw a study: the same ``seed`` gives the same study; ``noise=False`` leaves the noise out and nothing else."""
    how = preset if isinstance(preset, Recipe) else recipe(preset)
    body = build_anatomy(how.grid)
    beats = heartbeats(np.random.default_rng([seed, 1]), frames=how.frames, interval=how.RR, jitter=how.jitter)
    time = slice_clocks(beats, how.offsets)
    aif = how.blood(how.left).plasma_input(float(time.max()) + _AFTER_THE_LAST_FRAME, how.hct)
    parameters = _muscle_parameters(how, body, seed)
    clean = _images(how, body, time, aif, parameters, seed)
    masks = _masks(body)
    enhancement = np.median((clean.max(axis=0) - clean[0])[masks.myocardium])
    sigma = float(how.noise * enhancement) if noise else 0.0
    shift = how.breathing / 2 * (1 - np.cos(2 * np.pi * time / _BREATH))
    signal = _rician(_moved(clean, shift / how.grid.pixel), sigma, np.random.default_rng([seed, 2]))
    series = PerfusionSeries(signal.astype(np.float32), time, body.geometry, how.acquisition)
    truth = {name: np.where(masks.myocardium, value, np.nan) for name, value in parameters.items()}
    name = preset.value if isinstance(preset, Preset) else "recipe"
    return Phantom(series, masks, truth, aif, body.insertion_lps, how.hct, how.density, name, seed, sigma, shift)


def _masks(body: Anatomy) -> Masks:
    """What a careful user would draw: pure myocardium, the cavity with its papillary muscles, the right ventricle."""
    share = body.fraction
    return Masks(
        myocardium=share[Tissue.MYOCARDIUM] >= PURE,
        blood_pool=share[Tissue.LV_BLOOD] + share[Tissue.PAPILLARY] >= DRAWN,
        geometry=body.geometry,
        right_ventricle=share[Tissue.RV_BLOOD] >= DRAWN,
    )


def _muscle_share(body: Anatomy) -> np.ndarray:
    return sum(body.fraction[tissue] for tissue in MUSCLE)


def _muscle_parameters(how: Recipe, body: Anatomy, seed: int) -> dict[str, np.ndarray]:
    """Name -> (k, j, i), NaN where there is no heart muscle."""
    muscle = _muscle_share(body) > 0
    maps: dict[str, np.ndarray] = {}
    for k, contours in enumerate(SLICES):
        where = muscle[k]
        values = true_parameters(
            contours,
            k,
            body.x[where],
            body.y[where],
            normal=how.normal,
            lesions=how.lesions,
            variation=how.variation,
            hct=how.hct,
            density=how.density,
            seed=seed,
        )
        for name, value in values.items():
            maps.setdefault(name, np.full(muscle.shape, np.nan))[k][where] = value
    return maps


def _images(
    how: Recipe, body: Anatomy, time: np.ndarray, aif: ArterialInput, parameters: dict, seed: int
) -> np.ndarray:
    """Noise-free signal (t, k, j, i)."""
    readout = how.readout
    shade = FULL_SCALE * coil(body.lps) * _texture(body, seed)
    muscle_share, images = _muscle_share(body), np.zeros((time.shape[1], *body.geometry.shape))
    curves = _other_tissues(how, aif)
    for k, clock in enumerate(time):
        for tissue, (density, T1, C) in curves.items():
            brightness = density * readout.signal(1 / T1 + how.contrast.relaxivity * C(clock))
            images[:, k] += brightness[:, None, None] * body.fraction[tissue, k]
        where = muscle_share[k] > 0
        local = {name: parameters[name][k][where] for name in ("F_p", "v_p", "v_e", "PS", "T_a")}
        R1 = 1 / how.contrast.T1_myocardium + how.contrast.relaxivity * tissue_curve(aif, clock, **local)
        images[:, k, where] += _MUSCLE_DENSITY * (readout.signal(R1) * muscle_share[k][where][:, None]).T
    return images * shade


def _other_tissues(how: Recipe, aif: ArterialInput) -> dict[Tissue, tuple[float, float, Callable]]:
    """Tissue -> proton density, T1 s and concentration mM as a function of time s: all but heart muscle and air."""
    left, right, T1_blood = how.blood(how.left), how.blood(how.right), how.contrast.T1_blood
    return {
        Tissue.FAT: (0.62, 0.34, _never),
        Tissue.MUSCLE: (0.75, 1.4, _organ(aif, F_p=0.05, v_p=0.02, v_e=0.12, PS=0.05, T_a=3.0)),
        Tissue.BONE: (0.34, 0.6, _organ(aif, F_p=0.1, v_p=0.03, v_e=0.1, PS=0.1, T_a=3.0)),
        Tissue.LUNG: (0.13, 1.2, _between(right, left)),
        Tissue.LIVER: (0.8, 0.81, _organ(aif, F_p=0.35, v_p=0.12, v_e=0.25, PS=1.0, T_a=7.0)),
        Tissue.SPLEEN: (0.85, 1.3, _organ(aif, F_p=1.4, v_p=0.18, v_e=0.15, PS=0.6, T_a=2.0)),
        Tissue.STOMACH: (0.3, 1.5, _never),
        Tissue.AORTA: (0.95, T1_blood, lambda t: left(t - 0.8)),
        Tissue.RV_BLOOD: (0.95, T1_blood, right),
        Tissue.LV_BLOOD: (0.95, T1_blood, left),
    }


def _organ(aif: ArterialInput, *, F_p: float, PS: float, v_p: float, v_e: float, T_a: float) -> Callable:
    """2CXM curve of an organ; F_p and PS in mL/min/mL."""
    flow, exchange = inside("F_p", F_p), inside("PS", PS)
    return lambda t: tissue_curve(aif, t, F_p=flow, v_p=v_p, v_e=v_e, PS=exchange, T_a=T_a)[0]


def _between(right: Blood, left: Blood) -> Callable:
    """Lung: mostly blood on its way from the right to the left ventricle."""
    return lambda t: 0.35 * (right(t - 1.2) + left(t + 1.2)) / 2


def _never(t: np.ndarray) -> np.ndarray:
    return np.zeros(np.shape(t))


def coil(lps: np.ndarray) -> np.ndarray:
    """Sensitivity of a chest and a back coil at points (..., 3) LPS mm; 1 at the heart's centre."""

    def reach(point):
        chest = np.exp(-np.linalg.norm(point - np.array([10.0, -150.0, 5.0]), axis=-1) / 95)
        back = np.exp(-np.linalg.norm(point - np.array([40.0, 150.0, 5.0]), axis=-1) / 95)
        return 0.12 + 1.3 * chest + 0.8 * back

    return reach(lps) / reach(HEART_CENTRE)


def _texture(body: Anatomy, seed: int) -> np.ndarray:
    """Proton density's own pattern (k, j, i) around 1: strong in lung, visible in liver and muscle, faint elsewhere."""
    rng = np.random.default_rng([seed, 3])
    white = rng.standard_normal(body.geometry.shape)
    smooth = ndimage.gaussian_filter(white, (0, 1.0, 1.0), mode="wrap")
    smooth /= smooth.std()
    strength = {
        Tissue.LUNG: 0.3,
        Tissue.LIVER: 0.07,
        Tissue.MUSCLE: 0.12,
        Tissue.FAT: 0.1,
        Tissue.STOMACH: 0.3,
        Tissue.BONE: 0.15,
    }
    amount = 0.015 + sum(share * body.fraction[tissue] for tissue, share in strength.items())
    return np.maximum(1 + amount * smooth, 0.1)


def _moved(images: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Images (t, k, j, i) moved along their columns by ``pixels`` (k, t)."""
    if not pixels.any():
        return images
    moved = np.empty_like(images)
    for k, t in np.ndindex(pixels.shape):
        moved[t, k] = ndimage.shift(images[t, k], (pixels[k, t], 0), order=3, mode="nearest")
    return moved


def _rician(images: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    if sigma == 0:
        return np.abs(images)
    return np.abs(images + sigma * (rng.standard_normal(images.shape) + 1j * rng.standard_normal(images.shape)))
