"""The one-shot physics-informed solver: the paper's loss, with a trunk made for the study's own input instead of trained.

    C_p = phi(t - T_a) a,   C_e = phi(t - T_a) b,   L(x) = min over a, b of the paper's loss       trunk.py, profiled.py
    p(x | C_t) ~ exp(-L(x) / 2) p(x)                x = ln F_p, ln v_p, ln v_e, ln PS (and T_a)

1. Noise, prior and modes of the exact model, as method `map` finds them (map.py).
2. From the exact modes a few Gauss-Newton steps on L give the modes of the softened model (soft.py).
3. For the samples L is (y - m(x))' P (y - m(x)), m the exact curve, with P of the voxel's own mode.

A voxel whose solution the trunk cannot hold keeps the exact model. The curve of a voxel is that of its heads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec

import numpy as np

from ..aif import ArterialInput
from ..events import Progress, Report
from ..fit import FitResult, TissueCurves
from ..network_settings import Device, NetworkSettings
from ..one_shot_settings import OneShotSettings
from ..settings import FitSettings
from .batches import Arrays, Batch
from .door import load_tensorflow
from .levenberg import Minimum
from .modes import Problem, some_of
from .profiled import NUMPY, Space
from .soft import Soft, SoftProblem
from .study import Pulse, Study
from .workbench import Workbench

_STAGE = "one-shot"


def fit_one_shot(
    curves: TissueCurves,
    aif: ArterialInput,
    settings: FitSettings,
    report: Report,
    checkpoint=None,
    *,
    compressions: dict | None = None,
) -> FitResult:
    """Fit F_p, v_p, v_e, PS (and T_a where ``settings.delay`` says so) to every curve, with standard deviations.

    A curve that cannot be fitted is marked in ``outcome``; nothing is raised for it. ``checkpoint`` keeps finished batches,
    ``compressions`` (a dict, or None) the input's tables for another fit. Raises InputError where a GPU is asked for and there is none.
    """
    pulse, kept = Pulse(report, Progress(_STAGE, 0.0)), {} if compressions is None else compressions
    with computing(settings.one_shot) as (space, device):
        study = SoftStudy(curves, SoftBench(aif, settings, pulse.beat, compressions=kept, space=space))
        result, found = study.fitted(pulse, checkpoint, stage=_STAGE)
    refined = sum(int(arrays["refined"].sum()) for _, arrays in found)
    return replace(result, details={"device": device, "refined": refined})


def may_need_tensorflow(settings: OneShotSettings) -> bool:
    """Whether a GPU is asked for, or wanted if there is one and TensorFlow with it."""
    return settings.device is Device.GPU or (settings.device is Device.AUTO and find_spec("tensorflow") is not None)


@contextmanager
def computing(settings: OneShotSettings) -> Iterator[tuple[Space, str]]:
    """The array library to compute with while the block runs, and where that is, in plain words."""
    if not may_need_tensorflow(settings):
        yield NUMPY, "CPU, NumPy"
        return
    load_tensorflow("A GPU needs")
    from .one_shot_tf import SPACE
    from .pinn import device as tensorflow

    if settings.device is Device.AUTO and not tensorflow.found():
        yield NUMPY, "CPU, NumPy"
        return
    with tensorflow.chosen(NetworkSettings(device=settings.device)) as name:
        yield SPACE, name


@dataclass
class SoftBench(Workbench):
    """A workbench with trunks: each clock's is made once, and kept."""

    space: Space = NUMPY
    softs: dict = field(default_factory=dict)

    def with_input(self, aif: ArterialInput) -> SoftBench:
        """The same workbench for another input."""
        return replace(self, aif=aif, softs={})

    def soft(self, batch: Batch, problem: Problem) -> Soft:
        """The trunk of the batch's clock."""
        key = (batch.time.tobytes(), batch.root_weight.tobytes())
        if key not in self.softs:
            self.softs[key] = Soft.of(self.aif, batch, problem.compression, self.settings, self.space, self.beat)
        return self.softs[key]


@dataclass
class SoftStudy(Study):
    """A study whose voxels' curves are those of their heads."""

    bench: SoftBench

    def softened(self, batch: Batch, problem: Problem, modes: list[Minimum], gaussian) -> tuple[Problem, list[Minimum]]:
        """The exact model's ``problem`` and ``modes``, softened where the trunk holds the solution."""
        return self.bench.soft(batch, problem).softened(problem, modes, gaussian)

    def explained(self, batch: Batch, problem: Problem, mode: Minimum) -> Arrays:
        """C_t (n, t) mM at every frame, and which voxels (n,) the trunk does not hold: theirs is the exact model's curve."""
        assert isinstance(problem, SoftProblem)
        if not problem.held.any():
            return super().explained(batch, problem, mode) | {"refined": ~problem.held}
        fitted = self.bench.soft(batch, problem).curves(problem, mode.x, batch.time)
        others = np.flatnonzero(~problem.held)
        if others.size:
            fitted[others] = super().explained(batch, problem, some_of(mode, others))["C_t"]
        return {"C_t": fitted, "refined": ~problem.held}
