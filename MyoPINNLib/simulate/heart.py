"""A heart seen along its long axis: contours of both ventricles in three short-axis slices.

Coordinates in a slice: x mm towards the lateral wall, y mm towards the anterior wall, origin on the long axis; angles
(rad) count from the lateral wall over the anterior wall, as a picture with anterior up and the septum on the left shows
them. Wall contours are polar, r(angle); depth is 0 at the endocardium and 1 at the epicardium.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

ANTERIOR_INSERTION = np.deg2rad(120.0)
RV_WALL = 3.5
_FAT = 4.0
_RING = 1441


class Tissue(IntEnum):
    """What a point of the phantom is made of."""

    AIR = 0
    FAT = 1
    MUSCLE = 2
    BONE = 3
    LUNG = 4
    LIVER = 5
    SPLEEN = 6
    STOMACH = 7
    AORTA = 8
    RV_WALL = 9
    RV_BLOOD = 10
    LV_BLOOD = 11
    PAPILLARY = 12
    MYOCARDIUM = 13


@dataclass(frozen=True)
class Contours:
    """The heart in one slice, mm and rad.

    ``endo`` mean radius of the cavity; ``wall`` mean thickness; ``squash`` share by which the cavity is wider than high;
    ``rv_depth`` how far the right ventricle reaches beyond the septum, between the two insertions, ``rv_lean`` how much
    of it leans to the front; ``papillary`` radius and ``seat`` (share of the endocardial radius) of both muscles.
    """

    endo: float
    wall: float
    squash: float
    rv_depth: float
    rv_lean: float
    inferior_insertion: float
    papillary: float
    seat: float

    def endocardium(self, angle: np.ndarray) -> np.ndarray:
        """r mm."""
        ripple = 0.015 * np.cos(3 * angle + 0.6) + 0.012 * np.cos(5 * angle - 1.0) + 0.012 * np.cos(11 * angle + 2.0)
        return self.endo * (1 + self.squash * np.cos(2 * angle) + ripple)

    def epicardium(self, angle: np.ndarray) -> np.ndarray:
        """r mm; the lateral wall is a little thicker than the inferior septum."""
        return self.endocardium(angle) + self.wall * (1 + 0.07 * np.cos(angle - 0.5) + 0.04 * np.cos(2 * angle))

    def depth(self, radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """Transmural place: 0 at the endocardium, 1 at the epicardium."""
        inner, outer = self.endocardium(angle), self.epicardium(angle)
        return (radius - inner) / (outer - inner)

    def right_ventricle(self, angle: np.ndarray) -> np.ndarray:
        """Outer edge of the right ventricle's cavity, r mm: a crescent that begins and ends on the epicardium."""
        along = np.clip(
            (np.mod(angle, 2 * np.pi) - ANTERIOR_INSERTION) / (self.inferior_insertion - ANTERIOR_INSERTION), 0, 1
        )
        trabeculae = 0.025 * np.cos(9 * angle + 0.4) + 0.02 * np.cos(17 * angle - 1.2) + 0.02 * np.cos(29 * angle)
        crescent = np.sin(np.pi * along) ** 0.7 * (1 + self.rv_lean * np.cos(np.pi * along) + trabeculae)
        return self.epicardium(angle) + self.rv_depth * crescent

    def outline(self, angle: np.ndarray) -> np.ndarray:
        """Outer edge of the fat around the heart, r mm, filling the grooves at the insertions."""
        ring, spread = np.linspace(-np.pi, np.pi, _RING), np.linspace(-0.45, 0.45, 9)
        smooth = np.mean([self.right_ventricle(ring + shift) for shift in spread], axis=0)
        return np.interp(angle, ring, smooth) + RV_WALL + _FAT

    def muscles(self) -> list[tuple[float, float, float]]:
        """(x, y, radius) mm of the anterolateral and the posteromedial papillary muscle."""
        places = []
        for angle, size in ((np.deg2rad(28.0), 1.0), (np.deg2rad(248.0), 0.9)):
            r = self.seat * self.endocardium(np.array(angle))
            places.append((float(r * np.cos(angle)), float(r * np.sin(angle)), self.papillary * size))
        return places

    def paint(self, tissue: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """Paint the heart into ``tissue`` (Tissue codes) at the points x, y mm, all of one shape; in place."""
        radius, angle = np.hypot(x, y), np.arctan2(y, x)
        epi, right = self.epicardium(angle), self.right_ventricle(angle)
        tissue[radius < self.outline(angle)] = Tissue.FAT
        tissue[(radius < right + RV_WALL) & (right > epi + 0.3)] = Tissue.RV_WALL
        tissue[(radius < right) & (radius > epi)] = Tissue.RV_BLOOD
        tissue[radius <= epi] = Tissue.MYOCARDIUM
        tissue[radius < self.endocardium(angle)] = Tissue.LV_BLOOD
        for centre_x, centre_y, size in self.muscles():
            muscle = np.hypot(x - centre_x, y - centre_y) < size
            tissue[muscle & (tissue == Tissue.LV_BLOOD)] = Tissue.PAPILLARY


BASAL = Contours(25.0, 10.5, 0.03, 36.0, 0.35, np.deg2rad(242.0), 2.2, 0.74)
MID = Contours(23.0, 10.0, 0.02, 30.0, 0.15, np.deg2rad(240.0), 5.2, 0.72)
APICAL = Contours(16.0, 8.5, 0.01, 19.0, 0.0, np.deg2rad(226.0), 3.4, 0.86)
SLICES = (APICAL, MID, BASAL)
LEVELS = ("apical", "mid", "basal")
