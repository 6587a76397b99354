"""Signal and concentration: saturation recovery with and without its readout train, and the linear approximation.

    M = M0 [ (1 - e^(-TD R1)) a^(n-1) + (1 - e^(-TR R1)) (1 - a^(n-1)) / (1 - a) ]
    TD = TS - (n - 1) TR,   a = cos(alpha) e^(-TR R1),   R1 = 1/T1 + r1 [Gd]

with n pulses up to the k-space centre; n = 1 is plain saturation recovery, M = M0 (1 - e^(-TS R1)). The T2* decay of
blood at its peak, the Readout of a dual sequence's input images and M0 from proton-density frames (in place of the
baseline's) belong here when they come.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ive

from .errors import InputError
from .quantities import milliseconds_from_seconds as ms
from .settings import Conversion

FASTEST_R1 = 120.0
_TABLE_SIZE = 2000
_NEWTON_STEPS = 6
_BRIGHT = 1e6  # squared SNR, from which on the variance is 1 to 1e-6; the Bessel functions end later


@dataclass(frozen=True)
class Readout:
    """How R1 becomes signal: ``TS`` s from saturation to the k-space centre, ``pulses`` up to it, ``TR`` s apart, each of
    ``flip_angle`` rad. One pulse is plain saturation recovery and needs neither TR nor flip angle.

    Raises InputError where the readout cannot be: a train longer than TS, no saturation time, a train without pulses.
    """

    TS: float
    TR: float = 0.0
    flip_angle: float = 0.0
    pulses: int = 1

    def __post_init__(self) -> None:
        if not (np.isfinite([self.TS, self.TR, self.flip_angle]).all() and self.TS > 0 and self.pulses >= 1):
            raise InputError(
                f"A saturation time of {ms(self.TS):g} ms with {self.pulses} readout pulses is no readout.",
                "TS is usually 100 to 150 ms.",
            )
        if self.pulses > 1 and not (self.TR > 0 and 0 < self.flip_angle <= np.pi / 2):
            raise InputError(
                f"A train of {self.pulses} pulses {ms(self.TR):g} ms apart, of {np.rad2deg(self.flip_angle):g} degrees, is no readout.",
                "Give --TR (about 2 ms) and --flip-angle (10 to 15 degrees).",
            )
        if self.TD <= 0:
            raise InputError(
                f"{self.pulses} readout pulses {ms(self.TR):g} ms apart last {ms((self.pulses - 1) * self.TR):g} ms, "
                f"longer than the saturation time of {ms(self.TS):g} ms.",
                "TS runs from saturation to the k-space centre: check --TS, --TR and --pulses.",
            )

    @property
    def TD(self) -> float:
        """From saturation to the first readout pulse, s."""
        return self.TS - (self.pulses - 1) * self.TR

    def signal(self, R1, M0=1.0) -> np.ndarray:
        """M for R1 1/s of any shape; ``M0`` broadcasts against it."""
        return M0 * self._signal_and_slope(np.asarray(R1, dtype=float))[0]

    def R1(self, signal, M0=1.0) -> np.ndarray:
        """R1 1/s of a signal of any shape, the inverse of ``signal``: a table look-up polished by Newton's method.

        Below no signal it goes on in a straight line, so that noise averages out; above what ``FASTEST_R1`` gives it
        stays there. What is not a number stays so.
        """
        wanted = np.asarray(signal, dtype=float) / M0
        rates = np.concatenate([[0.0], np.geomspace(1e-3, FASTEST_R1, _TABLE_SIZE)])
        table = self._signal_and_slope(rates)[0]
        top = int(np.argmax(table))
        R1 = np.interp(wanted, table[: top + 1], rates[: top + 1])
        for _ in range(_NEWTON_STEPS):
            value, slope = self._signal_and_slope(R1)
            R1 = np.clip(R1 - (value - wanted) / np.maximum(slope, 1e-12), 0.0, rates[top])
        return np.where(wanted < 0, wanted / self._signal_and_slope(np.zeros(()))[1], R1)

    def _signal_and_slope(self, R1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """M / M0 and its derivative by R1, s."""
        before = self.pulses - 1
        late, between = np.exp(-self.TD * R1), np.exp(-self.TR * R1)
        a = np.cos(self.flip_angle) * between
        kept = a**before
        fresh = np.maximum(1 - a, 1e-15)
        grown, steady = 1 - late, (1 - between) / fresh
        value = grown * kept + steady * (1 - kept)
        steady_slope = self.TR * (between - steady * a) / fresh
        kept_slope = -before * self.TR * kept
        slope = self.TD * late * kept + grown * kept_slope + steady_slope * (1 - kept) - steady * kept_slope
        return value, slope


def without_noise_floor(signal, sigma: float) -> np.ndarray:
    """Magnitude ``signal`` with the Rician bias of noise ``sigma`` taken off: a mean m becomes (m + sqrt(m^2 - 2 sigma^2))/2.

    Noise lifts a magnitude image by about sigma^2 / (2 A). Before the contrast agent comes that is some per cent of a dark
    blood pool, and saturation recovery turns it into several times as much at the peak.
    """
    signal = np.asarray(signal, dtype=float)
    return (signal + np.sqrt(np.maximum(signal**2 - 2 * sigma**2, 0.0))) / 2


def magnitude_variance(squared_snr: float) -> float:
    """Variance of a magnitude (Rician) signal in units of the variance of its noise; ``squared_snr``: (A / sigma)^2 of the signal
    A without noise. 0.43 in the dark, 1 where it is bright.
    """
    squared_snr = min(squared_snr, _BRIGHT)
    quarter = squared_snr / 4
    mean = np.sqrt(np.pi / 8) * ((2 + squared_snr) * ive(0, quarter) + squared_snr * ive(1, quarter))
    return float(2 + squared_snr - mean**2)


def signal_from_concentration(C, *, T1: float, relaxivity: float, readout: Readout, M0=1.0) -> np.ndarray:
    """Signal of [Gd] ``C`` mM (any shape): M(1/T1 + r1 C). ``T1`` s native, ``relaxivity`` r1 in 1/s/mM."""
    return readout.signal(1.0 / T1 + relaxivity * np.asarray(C, dtype=float), M0)


def concentration_from_signal(
    signal: np.ndarray,
    baseline: np.ndarray,
    *,
    T1: float,
    relaxivity: float,
    readout: Readout,
    conversion: Conversion = Conversion.TRAIN,
) -> np.ndarray:
    """[Gd] (n, t) mM of ``signal`` (n, t), whose mean before the contrast agent is ``baseline`` (n,).

    TRAIN and SATURATION_RECOVERY take M0 from the baseline and ``T1`` and invert the equation above (the second without
    its train). LINEAR: C = (S - S0)/S0 (1 - e^(-TS/T1)) / (r1 TS e^(-TS/T1)), each tissue with its own T1.
    A curve whose baseline is not positive has no M0: it is NaN.
    """
    start = np.where(np.asarray(baseline) > 0, baseline, np.nan)[:, None]
    if conversion is Conversion.LINEAR:
        recovered = np.exp(-readout.TS / T1)
        return (signal / start - 1.0) * (1.0 - recovered) / (relaxivity * readout.TS * recovered)
    if conversion is Conversion.SATURATION_RECOVERY:
        readout = Readout(readout.TS)
    M0 = start / readout.signal(1.0 / T1)
    return (readout.R1(signal, M0) - 1.0 / T1) / relaxivity
