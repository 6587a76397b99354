"""A trained network as plain arrays: what the paper's methods leave beside the maps, and what the next study can start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import InputError
from .network_settings import NetworkSettings, Normalisation
from .settings import Method

VOXELS = "voxels"
SCALES = ("time_mean_s", "time_sigma_s", "peak_mM", "curves_rms_mM")
LARGEST = 1e6
_TAKE = "Take the weights.npz of a finished result."
_FLOATS, _WHOLE, _NUMBERS = "f", "iu", "fiu"  # kinds of NumPy's types


def parameter_names(method: Method) -> tuple[str, ...]:
    """A network's kinetic parameters: PS never enters the loss of the reduced model."""
    return ("F_p", "v_p", "v_e") if method is Method.REDUCED else ("F_p", "v_p", "v_e", "PS")


def network_method(value) -> Method:
    """The method that ``value`` names; InputError where it names none of the networks."""
    networks = [method for method in Method if method.is_network]
    if value not in networks:
        there = ", ".join(method.value for method in networks)
        raise InputError(f"The trained network's method is {value!r:.40}.", f"The networks are: {there}. {_TAKE}")
    return Method(value)


def network_build(layers, width, normalisation, steps) -> NetworkSettings:
    """Settings of that build; InputError where one of the numbers lies outside its limits. No step at all counts as one: a
    training may end before its first.
    """
    try:
        return NetworkSettings(
            layers=layers, width=width, normalisation=normalisation, steps=1 if steps == 0 else steps
        )
    except InputError as error:
        raise InputError(f"The trained network's {error.sentence}", f"{error.hint} {_TAKE}".strip()) from error


def weight_shapes(method: Method, build: NetworkSettings, curves: int) -> dict[str, tuple[int, ...]]:
    """Every weight of one slice by name, and its shape."""
    mesh, width = method is Method.MESH, build.width
    outputs = 3 if mesh else 2 * curves + 1
    shapes: dict[str, tuple[int, ...]] = {
        "perfusion/head_kernel": (width, outputs),
        "perfusion/head_bias": (outputs,),
    }
    shapes |= {f"perfusion/log_{name}": (curves,) for name in parameter_names(method)}
    batch = ("mean", "variance") if build.normalisation is Normalisation.BATCH else ()
    vectors = ("bias", "scale", "shift", *batch)
    for layer in range(1, build.layers + 1):
        inputs = width if layer > 1 else 3 if mesh else 1
        shapes[f"hidden{layer}/kernel"] = (inputs, width)
        shapes |= {f"hidden{layer}/{vector}": (width,) for vector in vectors}
    return shapes


@dataclass(frozen=True)
class TrainedNetwork:
    """``method``, ``layers``, ``width`` and ``normalisation`` that a network was built by, the ``steps`` it was trained, and
    ``slices``, one a clock: weights by name, ``voxels`` (K, 3), the k, j, i of its curves, and, where they are known,
    ``SCALES``: mean and standard deviation (s) of the frame times, the input's peak (mM), and the root mean square of the
    measured curves (mM), by which the same curves are known again.

    Raises InputError where the build is none of a network, a weight is missing, has another shape or type than the build
    asks for, or is no number below ``LARGEST``.
    """

    method: Method
    layers: int
    width: int
    normalisation: Normalisation
    steps: int
    slices: tuple[dict[str, np.ndarray], ...]

    def __post_init__(self) -> None:
        method = network_method(self.method)
        build = network_build(self.layers, self.width, self.normalisation, self.steps)
        object.__setattr__(self, "method", method)
        object.__setattr__(self, "normalisation", build.normalisation)
        if not self.slices:
            raise InputError("The trained network holds no slice.", _TAKE)
        for weights in self.slices:
            curves = _count_voxels(weights)
            for name, shape in weight_shapes(method, build, curves).items():
                _check(name, weights, shape, _FLOATS)
            for name in SCALES:
                if name in weights:
                    _check(name, weights, (), _NUMBERS, largest=np.inf)

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


def _count_voxels(weights: dict[str, np.ndarray]) -> int:
    """K, where the voxels (K, 3) are some."""
    if VOXELS not in weights or weights[VOXELS].shape[1:] != (3,):
        raise InputError("The trained network does not say which voxels it was trained on.", _TAKE)
    count = len(weights[VOXELS])
    if count < 1:
        raise InputError("The trained network was trained on 0 voxels; at least 1 is needed.", _TAKE)
    _check(VOXELS, weights, (count, 3), _WHOLE)
    return count


def _check(
    name: str, weights: dict[str, np.ndarray], shape: tuple[int, ...], kinds: str, *, largest: float = LARGEST
) -> None:
    """InputError where ``weights[name]`` is missing, of another shape, of no type of ``kinds``, or not below ``largest``."""
    value = weights.get(name)
    if value is None or value.shape != shape:
        found = "missing" if value is None else value.shape
        raise InputError(f"The trained network's {name} is {found}; it must be {shape}.", _TAKE)
    if value.dtype.kind not in kinds:
        wanted = "whole" if kinds == _WHOLE else "floating-point"
        raise InputError(
            f"The trained network's {name} is of type {value.dtype!s:.40}; it must hold {wanted} numbers.", _TAKE
        )
    if not np.isfinite(value).all():
        raise InputError(f"The trained network's {name} holds values that are not numbers.", _TAKE)
    furthest = max(value.min(), value.max(), key=lambda number: abs(float(number)))
    if not abs(float(furthest)) < largest:
        raise InputError(f"The trained network's {name} holds {furthest:.3g}; it must lie below {largest:g}.", _TAKE)
