"""The loss of the paper with its linear heads solved out: what is left is a loss of four parameters and a delay.

    L(x) = min over a, b of  |C_t - v_p phi a - v_e phi b|^2 / sigma^2                              data      A.1
                           + k w_r <r_p^2 + r_e^2 + r_myo^2>                                        residual  A.2
                           + k w_b (C_p^2 + C_e^2 + C_myo^2 at the start) + k w_reg <min(C, 0)^2>   A.3, A.4
    k = N_C / (w_C sigma^2)

which is eq. 6 in units of the noise. All terms are squares of what is linear in z = (a, b), so A z = q gives the heads exactly,
and (variable projection) with the rows r(x, z), J = dr/dx and Z = dr/dz at the solution

    L = |r|^2,    dL/dx / 2 = J'r,    Gauss-Newton matrix  J'J - (Z'J)' A^-1 (Z'J),    A = Z'Z

so one factorisation of A serves all three. r_p, r_e and r_myo are linear in dC_p, C_p, dC_e, C_e, C_ap and in F_p, v_p, v_e, PS:
A is a sum of a few fixed Gram matrices. The arithmetic is written for any array library that ``Space`` names (n voxels at once).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..kinetics import mass_balance, tissue_balance
from .trunk import Trunk

PARTS, ROWS, PARAMETERS = 5, 3, 4


@dataclass(frozen=True)
class Space:
    """What differs between array libraries: ``array`` of NumPy's, and back by ``numpy``; ``take`` rows; ``factor`` A once and
    ``solve`` A X = B with it, as often as wanted.
    """

    array: Callable
    numpy: Callable
    exp: Callable
    concat: Callable
    take: Callable
    factor: Callable
    solve: Callable
    transpose: Callable
    reshape: Callable
    sum: Callable


# NumPy cannot keep the factors of many small matrices: to factor them twice is quicker than to invert them once.
NUMPY = Space(
    array=np.asarray,
    numpy=np.asarray,
    exp=np.exp,
    concat=np.concatenate,
    take=lambda values, rows: values[rows],
    factor=lambda A: A,
    solve=np.linalg.solve,
    transpose=np.transpose,
    reshape=np.reshape,
    sum=lambda values, axis: values.sum(axis=axis),
)


def equations() -> np.ndarray:
    """(PARAMETERS, ROWS, PARTS): r_p, r_e, r_myo by the parts dC_p, C_p, dC_e, C_e, C_ap for each parameter's unit."""
    dC_p, C_p, dC_e, C_e, C_ap = np.eye(PARTS)
    found = []
    for F_p, v_p, v_e, PS in np.eye(PARAMETERS):
        r_p, r_e = mass_balance(C_p, C_e, C_ap, dC_p, dC_e, F_p=F_p, v_p=v_p, v_e=v_e, PS=PS)
        r_myo = tissue_balance(v_p * dC_p + v_e * dC_e, C_p, C_ap, F_p=F_p)
        found.append([r_p, r_e, r_myo])
    return np.array(found)


@dataclass(frozen=True)
class Tables:
    """What all voxels of a clock share.

    ``terms``: ``equations``. ``root`` (2, p, q) and ``root_input`` (q,): phi', phi and C_ap over the collocation points, in
    as many rows as they span, so that |R w|^2 is a mean over the points. ``grams`` (4, p p): phi' or phi times phi' or phi;
    ``forcing`` (2, p): times C_ap. ``start`` (p,): phi where it begins. ``data``, ``late`` (b, d, p): phi and dphi/dT_a at the
    frames, compressed, for delays (b,) ``first`` and on in steps of ``step`` s.
    """

    terms: Any
    root: Any
    root_input: Any
    grams: Any
    forcing: Any
    start: Any
    data: Any
    late: Any

    @classmethod
    def of(cls, trunk: Trunk, time: np.ndarray, weighted_basis: np.ndarray, delays: np.ndarray) -> Tables:
        """For frames ``time`` (t,) s, seen through ``weighted_basis`` (t, d), at ``delays`` (b,) s."""
        phi, slope, C_ap = (values[trunk.points] for values in (trunk.phi, trunk.slope, trunk.C_ap))
        p = phi.shape[1]
        R = np.linalg.qr(np.column_stack([slope, phi, C_ap]))[1] / np.sqrt(len(phi))
        root = np.stack([R[:, :p], R[:, p : 2 * p]])
        grams = np.einsum("iqa,jqb->ijab", root, root).reshape(4, p * p)
        times = time - delays[:, None]
        data, late = weighted_basis.T @ trunk.at(times), -weighted_basis.T @ trunk.slope_at(times)
        forcing = np.einsum("iqa,q->ia", root, R[:, -1])
        turned = np.ascontiguousarray(root.transpose(0, 2, 1))
        return cls(equations(), turned, R[:, -1], grams, forcing, trunk.phi[0], data, late)

    def on(self, space: Space) -> Tables:
        """The same tables in another array library."""
        return replace(self, **{f.name: space.array(getattr(self, f.name)) for f in fields(self)})


@dataclass(frozen=True)
class Point:
    """Where a loss is asked for: ``x`` (n, m), the compressed curves ``y`` (n, d) and noise ``sigma`` (n,) as shares of
    the peak, the nearest tabled delay's row ``node`` (n,) and how much ``late`` (n,) s the delay is after it.

    ``weights`` (3, n): k w_r (in 1/s), k w_b, k w_reg / points. ``negative`` (n, 2, p, p) or None: the Gram matrices of phi over
    the points at which C_p, C_e are negative.
    """

    x: Any
    y: Any
    sigma: Any
    node: Any
    late: Any
    weights: Any
    negative: Any = None

    def take(self, rows, negative=None) -> Point:
        """The point of some voxels, where their curves are ``negative``."""
        x, y, sigma, node, late = (part[rows] for part in (self.x, self.y, self.sigma, self.node, self.late))
        return Point(x, y, sigma, node, late, self.weights[:, rows], negative)

    def on(self, space: Space) -> Point:
        """The same point in another array library."""
        placed = {f.name: space.array(getattr(self, f.name)) for f in fields(self) if f.name != "negative"}
        return Point(**placed, negative=None if self.negative is None else space.array(self.negative))


@dataclass(frozen=True)
class _System:
    """A (n, 2p, 2p) and q (n, 2, p) of a point, and what they were made of."""

    A: Any
    q: Any
    theta: Any
    volumes: Any
    phi: Any
    lines: Any


def system(space: Space, tables: Tables, point: Point) -> _System:
    """The heads' normal equations A z = q."""
    n, p = point.x.shape[0], tables.start.shape[0]
    theta = space.exp(point.x[:, :PARAMETERS])
    volumes = theta[:, 1:3]
    lines = space.reshape(theta @ space.reshape(tables.terms, (PARAMETERS, -1)), (n, ROWS, PARTS))
    squares = _turned(space, lines) @ lines * point.weights[0][:, None, None]
    parts = space.reshape(squares[:, :4, :4], (n, 2, 2, 2, 2))
    parts = space.reshape(space.transpose(parts, (0, 1, 3, 2, 4)), (n, 4, 4))
    phi = _at_frames(space, tables, point)
    white = 1.0 / point.sigma**2
    frames = _turned(space, phi) @ phi * white[:, None, None]
    pairs = volumes[:, :, None] * volumes[:, None, :]
    start = tables.start[:, None] * tables.start[None, :]
    starts = (pairs + np.eye(2)) * point.weights[1][:, None, None]
    A = space.reshape(parts @ tables.grams, (n, 2, 2, p, p))
    A = A + pairs[:, :, :, None, None] * frames[:, None, None] + starts[:, :, :, None, None] * start
    if point.negative is not None:
        A = A + np.eye(2)[:, :, None, None] * (point.negative * point.weights[2][:, None, None, None])[:, :, None]
    q = -space.reshape(squares[:, :4, 4], (n, 2, 2)) @ tables.forcing
    seen = (_turned(space, phi) @ point.y[:, :, None])[:, :, 0] * white[:, None]
    q = q + volumes[:, :, None] * seen[:, None, :]
    A = space.reshape(space.transpose(A, (0, 1, 3, 2, 4)), (n, 2 * p, 2 * p))
    return _System(A, q, theta, volumes, phi, lines)


def evaluate(space: Space, tables: Tables, point: Point):
    """L (n,), half its gradient (n, m), the Gauss-Newton matrix (n, m, m) and the heads z (n, 2, p)."""
    made = system(space, tables, point)
    n, m, p = point.x.shape[0], point.x.shape[1], tables.start.shape[0]
    factor = space.factor(made.A)
    z = space.reshape(space.solve(factor, space.reshape(made.q, (n, 2 * p, 1))), (n, 2, p))
    blocks = [_equation_block(space, tables, point, made, z), _data_block(space, tables, point, made, z)]
    blocks.append(_start_block(space, tables, point, made, z))
    cost, gradient, square = (sum(block[i] for block in blocks) for i in range(3))
    cross = space.reshape(sum(block[3] for block in blocks), (n, m, 2 * p))
    if point.negative is not None:
        pull = point.negative * point.weights[2][:, None, None, None]
        cost = cost + space.sum(z * (pull @ z[:, :, :, None])[:, :, :, 0], (1, 2))
    turned = _turned(space, cross)
    return cost, gradient, square - cross @ space.solve(factor, turned), z


def softness(space: Space, tables: Tables, point: Point, probes):
    """K W (n, d, r) for ``probes`` W (d, r): what the heads can take up of a misfit, K = B A^-1 B' / sigma^2, B = phi (v_p, v_e);
    and the loss (n,), without the pull on negative curves.

    As a function of the exact curve m the loss is (y - m)' (1 - K) (y - m) / sigma^2, if the trunk holds m's solution.
    """
    made = system(space, tables, point)
    n, p = point.x.shape[0], tables.start.shape[0]
    turned = _turned(space, made.phi)
    B = space.concat([turned * made.volumes[:, i, None, None] for i in range(2)], 1) / point.sigma[:, None, None]
    q = space.reshape(made.q, (n, 2 * p, 1))
    found = space.solve(space.factor(made.A), space.concat([B @ probes, q], 2))
    forced = made.lines[:, :, 4]
    none = space.sum(forced * forced, 1) * point.weights[0] * space.sum(tables.root_input**2, 0)
    none = none + space.sum(point.y * point.y, 1) / point.sigma**2
    return _turned(space, B) @ found[:, :, :-1], none - space.sum(q * found[:, :, -1:], (1, 2))


def _equation_block(space, tables, point, made, z):
    """The residuals' part of L, half gradient, J'J and Z'J (n, m, 2, p)."""
    n, m = point.x.shape[0], point.x.shape[1]
    weight, q, p = point.weights[0], tables.root.shape[2], tables.start.shape[0]
    both = space.reshape(space.transpose(tables.root, (1, 0, 2)), (p, 2 * q))
    parts = space.reshape(z @ both, (n, 4, q))
    forced = parts[:, :1] * 0.0 + tables.root_input
    parts = space.concat([parts, forced], 1)
    J = space.reshape(space.reshape(tables.terms, (PARAMETERS * ROWS, PARTS)) @ parts, (n, PARAMETERS, ROWS * q))
    J = J * made.theta[:, :, None]
    r = space.sum(J, 1)
    gradient = (J @ r[:, :, None])[:, :, 0]
    square = J @ _turned(space, J)
    rows = space.reshape(J, (n, PARAMETERS, ROWS, q))
    onto = _turned(space, made.lines)[:, None, :4] @ rows
    onto = space.reshape(onto, (n, PARAMETERS * 2, 2 * q))
    cross = onto @ space.reshape(space.transpose(tables.root, (0, 2, 1)), (2 * q, p))
    cross = space.reshape(cross, (n, PARAMETERS, 2, p))
    found = gradient * weight[:, None], square * weight[:, None, None], cross * weight[:, None, None, None]
    return space.sum(r * r, 1) * weight, *_widened(space, found, m)


def _data_block(space, tables, point, made, z):
    """The data's part of L, half gradient, J'J and Z'J (n, m, 2, p)."""
    m, white = point.x.shape[1], 1.0 / point.sigma
    C = made.phi @ _turned(space, z) * (made.volumes * white[:, None])[:, None, :]
    r = space.sum(C, 2) - point.y * white[:, None]
    none = C[:, :, :1] * 0.0
    columns = [none, C, none]
    if m > PARAMETERS:
        heads = space.sum(z * made.volumes[:, :, None], 1)
        columns.append(_take(space, tables.late, point.node) @ heads[:, :, None] * white[:, None, None])
    J = space.concat(columns, 2)
    turned = _turned(space, J)
    onto = turned @ made.phi * white[:, None, None]
    cross = onto[:, :, None, :] * made.volumes[:, None, :, None]
    return space.sum(r * r, 1), (turned @ r[:, :, None])[:, :, 0], turned @ J, cross


def _start_block(space, tables, point, made, z):
    """The initial condition's part of L, half gradient, J'J and Z'J (n, m, 2, p)."""
    weight = point.weights[1]
    C = (z @ tables.start[:, None])[:, :, 0]
    parts = C * made.volumes
    C_t = space.sum(parts, 1)
    none = parts[:, :1] * 0.0
    columns = [none, parts, none] + [none] * (point.x.shape[1] - PARAMETERS)
    J = space.concat(columns, 1)
    cross = J[:, :, None, None] * made.volumes[:, None, :, None] * tables.start
    cost = space.sum(C * C, 1) + C_t * C_t
    square = J[:, :, None] * J[:, None, :] * weight[:, None, None]
    return cost * weight, J * (C_t * weight)[:, None], square, cross * weight[:, None, None, None]


def _at_frames(space, tables, point):
    """phi (n, d, p) at the frames: first order in how much later the delay is than the tabled one."""
    phi = _take(space, tables.data, point.node)
    if point.x.shape[1] == PARAMETERS:
        return phi
    return phi + _take(space, tables.late, point.node) * point.late[:, None, None]


def _take(space, table, node):
    return table if table.shape[0] == 1 else space.take(table, node)


def _widened(space, found, m: int):
    """Gradient, square and cross of four parameters as those of ``m``: the delay has no part in them."""
    gradient, square, cross = found
    for _ in range(m - PARAMETERS):
        gradient = space.concat([gradient, gradient[:, :1] * 0.0], 1)
        square = space.concat([square, square[:, :1] * 0.0], 1)
        square = space.concat([square, square[:, :, :1] * 0.0], 2)
        cross = space.concat([cross, cross[:, :1] * 0.0], 1)
    return gradient, square, cross


def _turned(space, values):
    """The last two axes exchanged."""
    order = tuple(range(len(values.shape)))
    return space.transpose(values, (*order[:-2], order[-1], order[-2]))
