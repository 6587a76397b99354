"""What a user can choose about the one-shot solver: the weights of the paper's loss, and its trunk.

L = w_C L_C + w_r L_r + w_b L_b + w_reg L_reg     paper eq. 6, as the networks have it (network_settings.py)
"""

from __future__ import annotations

from dataclasses import dataclass

from . import options
from .network_settings import Device
from .options import Choice, Number, option

_WEIGHT = Number(0, 1e6)


@dataclass(frozen=True)
class OneShotSettings:
    """The weights ``w_*`` of the terms; the equations are strict from a ``w_residual`` of about a thousand ``w_data`` on.

    ``collocation_points`` even points of time carry the residuals; ``functions``: the most that the trunk may have.
    ``device``: cpu needs NumPy alone, gpu TensorFlow and a GPU; auto takes a GPU where TensorFlow is there and sees one.
    """

    w_data: float = option(5.0, Number(1e-3, 1e6, hint="Without a weight of the data there is nothing to fit."))
    w_residual: float = option(1.0, Number(1e-4, 1e6, hint="Without the equations a curve has no parameters."))
    w_initial: float = option(1.0, _WEIGHT)
    w_positive: float = option(1.0, _WEIGHT)
    collocation_points: int = option(500, Number(50, 5000, whole=True))
    functions: int = option(40, Number(4, 60, whole=True, hint="Functions of the trunk: 20 to 30 hold every solution."))
    device: Device = option(Device.CPU, Choice(Device))

    def __post_init__(self) -> None:
        options.checked(self)
