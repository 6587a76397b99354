"""``simulate``, ``info``, ``quantify``, ``run`` and ``demo``: whole studies."""

from __future__ import annotations

import contextlib
import sys
import time
from argparse import Namespace
from pathlib import Path

from ..errors import InputError
from ..events import within
from .apart import PHANTOM, apart, of_one_kind
from .curves import times
from .muted import wake
from .parser import settings_of
from .tables import segment_lines, truth_lines
from .terminal import Terminal
from .unfinished import unfinished

PICTURES = ("bullseye.png", "maps.png", "curves.png", "training.png")


def simulate(options: Namespace, terminal: Terminal, started: float) -> int:
    """Write a synthetic study."""
    from ..results import check_output

    preset = _preset(options.preset)
    check_output(options.output)
    of_one_kind(options.output, PHANTOM)
    _write_phantom(preset, options.output, seed=options.seed, noise=not options.noise_free)
    if not options.quiet:
        print(f"{preset.value} study, seed {options.seed}: {options.output}")
        print("  dicom/ the images   masks.nrrd   insertion.mrk.json   truth/ the true maps")
    return 0


def info(options: Namespace, terminal: Terminal, started: float) -> int:
    """Say what a study holds."""
    from ..files import describe, read_study

    for line in describe(read_study(options.study, series=options.series, interval=options.interval)):
        print(line)
    return 0


def quantify(options: Namespace, terminal: Terminal, started: float) -> int:
    """Read, quantify, write; print the segments."""
    settings = settings_of(options)
    from ..files import read_study
    from ..results import check_output

    apart(options.output, [*options.study, *options.masks, options.insertion, options.settings, options.start_from])
    check_output(options.output)
    of_one_kind(options.output)
    start_up = _start_up(started)
    images = read_study(options.study, series=options.series, interval=options.interval)
    analysis = _quantified(images, options.masks, options.insertion, settings, terminal, start_up, options)
    if not (options.quiet or options.events):
        print("\n".join(segment_lines(analysis)))
        print(f"Written to {options.output}")
    terminal.line(times(analysis.seconds, time.perf_counter() - started))
    return 0


def run(options: Namespace, terminal: Terminal, started: float) -> int:
    """Run a job; how it ends is told by the worker."""
    from ..job import OUTPUT
    from ..worker import work

    code = work(options.job, terminal.report, watch_stdin=options.watch_stdin)
    with contextlib.suppress(OSError):
        terminal.wipe()
        if code == 0 and not (options.quiet or options.events):
            print(f"Written to {options.job / OUTPUT}")
    _let_go_of_the_deaf()
    return code


def _let_go_of_the_deaf() -> None:
    """Give up a stream that nobody reads: Python's own flush at its exit would turn the exit code into 120."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError, AttributeError):
            setattr(sys, name, None)


def demo(options: Namespace, terminal: Terminal, started: float) -> int:
    """A study from nothing: simulate, look, quantify, compare with the truth."""
    from ..files import describe, read_study
    from ..results import check_output

    settings, preset = settings_of(options), _preset(options.preset)
    study, result = options.output / "study", options.output / "result"
    for folder, kind in ((study, PHANTOM), (result, "")):
        check_output(folder)
        of_one_kind(folder, kind)
    start_up = _start_up(started)
    print(f"1. A synthetic {preset.value} study (seed {options.seed}) as DICOM: {study}", flush=True)
    phantom = _write_phantom(preset, study, seed=options.seed, noise=True)
    print(f"\n2. What it holds (myopinn info {study / 'dicom'}):")
    images = read_study([study / "dicom"])
    print("\n".join(f"   {line}" for line in describe(images)))
    print(f"\n3. Maps, tables and pictures (myopinn quantify): {result}", flush=True)
    masks, insertion = [study / "masks.nrrd"], study / "insertion.mrk.json"
    analysis = _quantified(images, masks, insertion, settings, terminal, start_up, options, result)
    print("\n".join(["", *truth_lines(analysis, phantom.truth["MBF"]), ""]))
    print(f"maps      {result / 'MBF.nrrd'} and others\ntables    {result / 'aha.csv'}")
    print("\n".join(f"picture   {result / name}" for name in PICTURES if (result / name).exists()))
    terminal.line(times(analysis.seconds, time.perf_counter() - started))
    return 0


def _start_up(started: float) -> float:
    """Seconds from ``started`` until all that a quantification needs is imported."""
    from .. import pipeline  # noqa: F401

    return time.perf_counter() - started


def _quantified(
    images, masks, insertion: Path | None, settings, terminal: Terminal, start_up: float, options, into=None
):
    """The analysis of images with the masks, the insertion point and the earlier network of files, written into the output
    folder, or ``into`` another.
    """
    from ..files import read_insertion, read_masks, read_weights
    from ..pipeline import input_digest, with_insertion, write_analysis
    from ..pipeline import quantify as quantify_study

    drawn, folder = read_masks(masks, images.geometry), into or options.output
    settings = with_insertion(settings, read_insertion(insertion) if insertion else None)
    earlier = read_weights(options.start_from) if options.start_from else None
    wake(settings.fit)
    with unfinished(folder, settings.fit, lambda: input_digest(images, drawn, settings, earlier)) as kept:
        report = within(terminal.report, 0.0, 0.9)
        analysis = quantify_study(images, drawn, settings, report, kept, earlier).with_seconds(start_up=start_up)
        write_analysis(analysis, folder, within(terminal.report, 0.9, 1.0))
    terminal.wipe()
    return analysis


def _preset(word: str):
    from ..simulate.phantom import Preset

    try:
        return Preset(word)
    except ValueError:
        there = ", ".join(preset.value for preset in Preset)
        raise InputError(f"There is no phantom {word!r}.", f"Choose one of: {there}.") from None


def _write_phantom(preset, folder: Path, *, seed: int, noise: bool):
    """Make a phantom and write its study into ``folder``, whole or not at all."""
    from .. import __version__
    from ..results import replaced, seal
    from ..simulate.phantom import make_phantom
    from ..simulate.scanner import write_study

    phantom = make_phantom(preset, seed=seed, noise=noise)
    with replaced(folder) as partial:
        write_study(phantom, partial)
        seal(partial, {"myopinn": __version__, "phantom": preset.value, "seed": seed, "noise": noise})
    return phantom
