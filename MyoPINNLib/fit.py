"""What goes into a solver and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import IntEnum

import numpy as np

from .aif import ArterialInput
from .errors import InputError
from .trained import TrainedNetwork

PARAMETERS = ("F_p", "v_p", "v_e", "PS", "T_a")


class Outcome(IntEnum):
    """How the fit of a voxel ended; ``reason`` is what the user reads."""

    FITTED = 0
    NO_ENHANCEMENT = 1
    NOT_FINITE = 2
    TOO_FEW_FRAMES = 3
    NOT_CONVERGED = 4
    FLOW_AT_LIMIT = 5
    POOR_FIT = 6
    DELAY_AT_LIMIT = 7
    OUTLYING_FRAME = 8
    UNDETERMINED = 9
    OFF_THE_MODEL = 10
    BLOOD = 11

    @property
    def reason(self) -> str:
        """Plain words; empty for a good fit."""
        return _REASONS[self]


_REASONS = {
    Outcome.FITTED: "",
    Outcome.NO_ENHANCEMENT: "no enhancement above the noise",
    Outcome.NOT_FINITE: "the curve holds values that are not numbers",
    Outcome.TOO_FEW_FRAMES: "fewer frames than parameters",
    Outcome.NOT_CONVERGED: "the fit did not converge",
    Outcome.FLOW_AT_LIMIT: "the flow ended at the limit of its range",
    Outcome.POOR_FIT: "the model does not follow the curve",
    Outcome.DELAY_AT_LIMIT: "the delay ended at the limit of its range",
    Outcome.OUTLYING_FRAME: "a frame lies far off the curve",
    Outcome.UNDETERMINED: "the curve does not determine the flow",
    Outcome.OFF_THE_MODEL: "the network's curve is not that of its parameters",
    Outcome.BLOOD: "it enhances far more than muscle does",
}


@dataclass(frozen=True)
class TissueCurves:
    """Curves of n voxels on s clocks.

    ``time`` (s, t) s, one clock a slice; ``clock`` (n,) row of ``time`` of each curve; ``C_t`` (n, t) mM;
    ``weight`` (s, t), 0 for a frame left out; ``voxels`` (n, 3) k, j, i (zeros where the curves are no voxels).
    Raises InputError where the shapes disagree or a clock does not increase.
    """

    time: np.ndarray
    clock: np.ndarray
    C_t: np.ndarray
    weight: np.ndarray | None = None
    voxels: np.ndarray | None = None

    def __post_init__(self) -> None:
        time, C_t = np.atleast_2d(np.array(self.time, dtype=float)), np.atleast_2d(np.asarray(self.C_t, dtype=float))
        clock = np.array(self.clock, dtype=int)
        weight = np.ones(time.shape) if self.weight is None else np.array(self.weight, dtype=float)
        voxels = np.zeros((len(C_t), 3), dtype=int) if self.voxels is None else np.array(self.voxels, dtype=int)
        if C_t.shape[1] != time.shape[1] or weight.shape != time.shape:
            raise InputError(
                f"Curves of shape {C_t.shape} do not fit times of shape {time.shape} and weights of shape {weight.shape}."
            )
        if clock.shape != (len(C_t),) or voxels.shape != (len(C_t), 3):
            raise InputError(f"{len(C_t)} curves came with {clock.size} clocks and voxels of shape {voxels.shape}.")
        if clock.size and (clock.min() < 0 or clock.max() >= len(time)):
            raise InputError(f"A curve names clock {int(clock.max())} and there are {len(time)}.")
        if not (np.diff(time, axis=1) > 0).all():
            raise InputError(
                "The times of the tissue curves do not increase, or are not numbers.", "Check the time axis."
            )
        if not (weight >= 0).all():
            raise InputError(f"A frame has the weight {weight.min():g}; a weight is 0 (left out) or more.")
        for name, value in (("time", time), ("clock", clock), ("C_t", C_t), ("weight", weight), ("voxels", voxels)):
            object.__setattr__(self, name, value)

    @classmethod
    def on_one_clock(cls, time: np.ndarray, C_t: np.ndarray) -> TissueCurves:
        """Plain curves (n, t) that share one time axis (t,) s."""
        C_t = np.atleast_2d(C_t)
        return cls(np.asarray(time)[None], np.zeros(len(C_t), dtype=int), C_t)

    def __len__(self) -> int:
        return len(self.C_t)

    def and_then(self, others: TissueCurves) -> TissueCurves:
        """These curves, then ``others`` of the same clocks and weights. Raises InputError where the clocks differ."""
        if not (np.array_equal(self.time, others.time) and np.array_equal(self.weight, others.weight)):
            raise InputError("Curves of different clocks cannot be fitted together.")
        clock, C_t = np.concatenate([self.clock, others.clock]), np.concatenate([self.C_t, others.C_t])
        return TissueCurves(self.time, clock, C_t, self.weight, np.concatenate([self.voxels, others.voxels]))

    def scatter(self, values: np.ndarray, shape: tuple[int, int, int], fill: float = np.nan) -> np.ndarray:
        """``values`` (n,) at their voxels in an array of ``shape`` (k, j, i), ``fill`` elsewhere."""
        grid = np.full(shape, fill, dtype=float)
        grid[tuple(self.voxels.T)] = values
        return grid


@dataclass(frozen=True)
class KineticParameters:
    """Per-curve parameters (n,), by name, inside units; ``None`` where a method does not give the quantity."""

    F_p: np.ndarray
    v_p: np.ndarray | None = None
    v_e: np.ndarray | None = None
    PS: np.ndarray | None = None
    T_a: np.ndarray | None = None

    def __post_init__(self) -> None:
        size = np.shape(self.F_p)
        for name, value in self.items():
            if np.shape(value) != size or len(size) != 1:
                raise InputError(f"{name} has shape {np.shape(value)} and F_p {size}; each is one number a curve.")

    def items(self) -> list[tuple[str, np.ndarray]]:
        """(name, values) of the quantities that are there."""
        return [(f.name, getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) is not None]


@dataclass(frozen=True)
class FitResult:
    """One solver's answer for n curves.

    ``parameters``; ``sd`` their standard deviations (inside units) where the method gives them; ``C_t`` (n, t) mM fitted;
    ``residual`` (n,) mM, root mean square; ``outcome`` (n,) Outcome codes; ``aif`` used (or fitted); ``history`` of the
    fit (name -> sequence); ``seconds`` in the solver alone; ``details`` of how it was made (name -> word or number);
    ``notes`` that the user should read; ``doubtful``: parameters that the method gives but does not determine;
    ``trained``: the network, where one was trained; ``measured_aif``: the input as it came, where ``aif`` was fitted;
    ``shared``: parameter -> relative standard deviation of the error that all curves share, which no averaging lessens;
    ``told``: parameter -> (n,) bool, whether the curve itself tells it, or a prior alone; empty where the method does not say.
    """

    parameters: KineticParameters
    C_t: np.ndarray
    residual: np.ndarray
    outcome: np.ndarray
    aif: ArterialInput
    seconds: float
    sd: KineticParameters | None = None
    history: dict = field(default_factory=dict)
    details: dict = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    trained: TrainedNetwork | None = None
    measured_aif: ArterialInput | None = None
    shared: dict[str, float] = field(default_factory=dict)
    told: dict[str, np.ndarray] = field(default_factory=dict)

    def parted(self, first: int) -> tuple[FitResult, FitResult]:
        """The result of the first ``first`` curves, and of the others; the seconds stay with the others."""
        return replace(self._of(slice(None, first)), seconds=0.0), self._of(slice(first, None))

    def _of(self, rows: slice) -> FitResult:
        def part(found: KineticParameters | None) -> KineticParameters | None:
            return None if found is None else KineticParameters(**{name: value[rows] for name, value in found.items()})

        return replace(
            self,
            parameters=part(self.parameters),
            sd=part(self.sd),
            C_t=self.C_t[rows],
            residual=self.residual[rows],
            outcome=self.outcome[rows],
            told={name: value[rows] for name, value in self.told.items()},
        )

    @property
    def valid(self) -> np.ndarray:
        """(n,) bool: the voxels that the solver vouches for."""
        return self.outcome == Outcome.FITTED

    @property
    def reasons(self) -> list[str]:
        """Per curve, why it is not valid ("" where it is)."""
        return [Outcome(code).reason for code in self.outcome]
