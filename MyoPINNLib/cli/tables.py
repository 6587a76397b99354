"""The AHA table on a terminal, alone and beside the truth of a phantom."""

from __future__ import annotations

from ..quantities import percent, shown


def segment_lines(analysis) -> list[str]:
    """One line a segment: MBF of its mean curve, and median, quartiles and valid share of its voxels."""
    lines = ["MBF, mL/min/g         mean curve   voxels: median (quartiles)   valid"]
    for row in analysis.segment_table:
        name = f"{row.segment:2d} {row.name:<20s}"
        flow = row.statistics["MBF"]
        if not row.mean_curve:
            lines.append(f"{name}not measured")
            continue
        voxels = "-" if not flow.measured else f"{_mbf(flow.median)} ({_mbf(flow.q1)} - {_mbf(flow.q3)})"
        valid = f"{percent(flow.valid_share):.0f} % of {row.voxels}"
        lines.append(f"{name}{_mbf(row.mean_curve['MBF']):>9s}   {voxels:>28s}   {valid}  {row.reason}".rstrip())
    return lines


def truth_lines(analysis, truth) -> list[str]:
    """One line a segment: true MBF (mean over ``truth`` (k, j, i), inside unit), what was found, and the error."""
    lines = ["MBF, mL/min/g           truth   mean curve   error    voxel median   error"]
    errors, of_medians = [], []
    for row in analysis.segment_table:
        if not row.mean_curve:
            lines.append(f"{row.segment:2d} {row.name:<20s}not measured")
            continue
        true = float(truth[analysis.segments.voxels_in(row.segment)].mean())
        found, median = row.mean_curve["MBF"], row.statistics["MBF"].median
        errors.append(found / true - 1)
        of_medians += [] if median is None else [median / true - 1]
        voxels = f"{_mbf(median):>12s}  {percent(median / true - 1):+6.1f} %" if median is not None else f"{'-':>12s}"
        lines.append(
            f"{row.segment:2d} {row.name:<20s}{_mbf(true):>6s}   {_mbf(found):>10s}  {percent(errors[-1]):+6.1f} %  {voxels}"
        )
    close, median_close = (sum(abs(error) <= 0.1 for error in each) for each in (errors, of_medians))
    last = f"{median_close} of {len(errors)} segments within 10 % of the truth by the voxels' median, {close} by the fit of the mean curve."
    return [*lines, last]


def _mbf(value: float) -> str:
    return f"{shown('MBF', value):.2f}"
