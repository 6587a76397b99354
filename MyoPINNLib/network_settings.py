"""What a user can choose about the paper's networks: defaults as printed.

L = w_r L_r + w_C L_C + w_b L_b + w_reg L_reg     paper eq. 6; w_C = 5, all other weights 1
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from . import options
from .errors import InputError
from .options import Choice, Number, option


class Normalisation(str, Enum):
    """What follows each tanh. The released code's batch normalisation never leaves inference: a scale and a shift."""

    AFFINE = "affine"
    BATCH = "batch"


class Collocation(str, Enum):
    """When the random times of the residuals are drawn."""

    EACH_STEP = "each-step"
    ONCE = "once"


class Shift(str, Enum):
    """The arterial delay in a network: none, as printed, or the input shifted per voxel by the T_a that NLLS finds (or the
    method that the training starts at).
    """

    OFF = "off"
    PRESHIFT = "preshift"


class Start(str, Enum):
    """Where training starts: random, as printed, or at what another method finds."""

    RANDOM = "random"
    NLLS = "nlls"
    MAP = "map"
    ONE_SHOT = "one-shot"

    @property
    def words(self) -> str:
        """Its name in a sentence."""
        return "NLLS" if self is Start.NLLS else self.value

    def label(self) -> str:
        """Its words in a list."""
        return "Random, as published" if self is Start.RANDOM else f"At what {self.words} finds, with its delays"


class Device(str, Enum):
    """Where TensorFlow computes."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"

    def label(self) -> str:
        """Its words in a list."""
        return "Automatic" if self is Device.AUTO else self.name


MOST_ROWS = 100_000
_WEIGHT = Number(0, 1e6)


@dataclass(frozen=True)
class NetworkSettings:
    """The networks. ``w_*`` weigh the terms of the loss (paper eq. 6); ``early_stop``: training ends once the loss, averaged
    over the rows of the history in the last tenth of ``steps`` (five rows at least), lies less than this share below its
    average over as many before; 0: never. The mesh draws ``mesh_batch`` random times a step, the others ``collocation_points``.
    """

    steps: int = option(25000, Number(1, 10**7, whole=True))
    learning_rate: float = option(1e-3, Number(1e-8, 1.0))
    layers: int = option(2, Number(1, 10, whole=True))
    width: int = option(32, Number(2, 1024, whole=True))
    normalisation: Normalisation = option(Normalisation.AFFINE, Choice(Normalisation))
    w_data: float = option(5.0, _WEIGHT)
    w_residual: float = option(1.0, _WEIGHT)
    w_initial: float = option(1.0, _WEIGHT)
    w_positive: float = option(1.0, _WEIGHT)
    collocation_points: int = option(500, Number(1, 100000, whole=True))
    collocation: Collocation = option(Collocation.EACH_STEP, Choice(Collocation))
    mesh_batch: int = option(4096, Number(1, 10**7, whole=True, hint="Pixels and times in one step of 2cxm-mesh."))
    shift: Shift = option(Shift.OFF, Choice(Shift))
    start: Start = option(Start.RANDOM, Choice(Start))
    seed: int = option(1, Number(0, 2**31 - 1, whole=True))
    early_stop: float = option(0.0, Number(0, 1))
    history_every: int = option(100, Number(1, 10**6, whole=True, hint="Steps between two rows of the history."))
    device: Device = option(Device.AUTO, Choice(Device))
    threads: int | None = option(None, Number(1, 1024, whole=True, optional=True, hint="CPU threads; all if left out."))

    def __post_init__(self) -> None:
        options.checked(self)
        if self.steps // self.history_every > MOST_ROWS:
            raise InputError(
                f"{self.steps} steps with a row every {self.history_every} make more than {MOST_ROWS} rows of history.",
                "Keep a row more seldom (history_every).",
            )

    @property
    def ahead(self) -> Start | None:
        """The method whose fit goes ahead of the training, for its parameters or its delays; None: there is none."""
        if self.start is not Start.RANDOM:
            return self.start
        return Start.NLLS if self.shift is Shift.PRESHIFT else None
