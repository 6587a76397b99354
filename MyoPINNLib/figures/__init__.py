"""Pictures of a result as PNG: bull's-eye, maps over images, curves, training, groups of segments. Matplotlib is loaded only when one is drawn.

Everything shown is in shown units; every picture carries its units, its method and "research use only".
"""

from __future__ import annotations

from .bullseye import bullseye
from .canvas import available, footer
from .curves import curves
from .groups import groups
from .overlay import overlay
from .training import training

__all__ = ["available", "bullseye", "curves", "footer", "groups", "overlay", "training"]
