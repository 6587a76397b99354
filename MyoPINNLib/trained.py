"""A trained network as plain arrays: what the paper's methods leave beside the maps, and what the next study can start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import InputError
from .network_settings import NetworkSettings, Normalisation
from .settings import Method

VOXELS = "voxels"
_TAKE = "Take the weights.npz of a finished result."


@dataclass(frozen=True)
class TrainedNetwork:
    """``method`` and ``settings`` that a network was built by, the ``steps`` it was trained, and ``slices``, one a clock:
    weights by name, and ``voxels`` (K, 3), the k, j, i of its curves.

    Raises InputError where a weight is missing, has another shape than the build asks for, or is no number.
    """

    method: Method
    layers: int
    width: int
    normalisation: Normalisation
    steps: int
    slices: tuple[dict[str, np.ndarray], ...]

    def __post_init__(self) -> None:
        if not self.slices:
            raise InputError("The trained network holds no slice.", _TAKE)
        for weights in self.slices:
            if VOXELS not in weights or weights[VOXELS].shape[1:] != (3,):
                raise InputError("The trained network does not say which voxels it was trained on.", _TAKE)
            for name, shape in self._shapes(len(weights[VOXELS])).items():
                if name not in weights or weights[name].shape != shape:
                    found = weights[name].shape if name in weights else "missing"
                    raise InputError(f"The trained network's {name} is {found}; it must be {shape}.", _TAKE)
                if not np.isfinite(weights[name]).all():
                    raise InputError(f"The trained network's {name} holds values that are not numbers.", _TAKE)

    def _shapes(self, curves: int) -> dict[str, tuple[int, ...]]:
        """Every weight of one slice by name, and its shape."""
        mesh, width = self.method is Method.MESH, self.width
        outputs = 3 if mesh else 2 * curves + 1
        shapes: dict[str, tuple[int, ...]] = {
            "perfusion/head_kernel": (width, outputs),
            "perfusion/head_bias": (outputs,),
        }
        names = ("F_p", "v_p", "v_e") if self.method is Method.REDUCED else ("F_p", "v_p", "v_e", "PS")
        shapes |= {f"perfusion/log_{name}": (curves,) for name in names}
        batch = ("mean", "variance") if self.normalisation is Normalisation.BATCH else ()
        vectors = ("bias", "scale", "shift", *batch)
        for layer in range(1, self.layers + 1):
            inputs = width if layer > 1 else 3 if mesh else 1
            shapes[f"hidden{layer}/kernel"] = (inputs, width)
            shapes |= {f"hidden{layer}/{vector}": (width,) for vector in vectors}
        return shapes

    @property
    def build(self) -> str:
        """How it is built, for a sentence."""
        return _build(self.method, self.layers, self.width, self.normalisation)

    def check_start_of(self, method: Method, settings: NetworkSettings) -> None:
        """InputError where a network of this build cannot start from this one."""
        wanted = (settings.layers, settings.width, settings.normalisation)
        same = (self.layers, self.width, self.normalisation) == wanted
        if not same or (self.method is Method.MESH) != (method is Method.MESH):
            raise InputError(
                f"The weights are of another network ({self.build}) than the one to train ({_build(method, *wanted)}).",
                "Train with the same layers, width and normalisation, or start at random.",
            )


def _build(method: Method, layers: int, width: int, normalisation: Normalisation) -> str:
    return f"{method.value}, {layers} layers of {width}, {normalisation.value}"
