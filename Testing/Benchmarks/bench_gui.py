"""How soon the Slicer module answers, in the harness: load, standstills of the GUI, results on the screen, curve under the mouse.

make bench runs this; alone: python Testing/Benchmarks/bench_gui.py [--write]
The harness has Slicer's own scene and slice pipeline, and PySide6 in place of PythonQt.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "Python")]

MOVES = 100
QUIET, QUIET_TURNS = 0.005, 50  # s of a turn in which nothing was drawn, and how many of them in a row
LONGEST = 20.0  # s


def main() -> None:
    """Tell each figure beside what is wanted of it."""
    from Testing.SlicerHarness.libraries import missing

    if trouble := missing("slicer", "slicer.util", "PySide6.QtWidgets", "PySide6.QtTest"):
        print(f"skipped: {trouble}")
        return
    longer = started()
    module, felt, worked = loaded()
    from page import Section, asked  # after the module's imports were measured

    from MyoPINNLib.settings import Method

    given, section = asked(__doc__), Section("module")
    say = section.table(["in the harness", "ms", "wanted"])

    def row(words: str, seconds: float, wanted: float) -> None:
        """One line of the table."""
        say(words, f"{seconds * 1000:.0f}", f"< {wanted * 1000:.0f}")

    row("Slicer's start: the module's file, layouts and samples", longer, 0.3)
    row("module opened first, with all that it imports", felt, 1.0)
    row("the same without waiting for a core or the disk", worked, 1.0)
    module.load_sample()
    for method in (Method.FERMI, Method.MAP):
        module.choose_method(method.label())
        computing, bringing = computed(module)
        words = method.label().split(":")[0]
        row(f"{words}: longest standstill from Compute until the engine is done", computing[0], 0.1)
        row(f"{words}: the same in the GUI thread's own work, without waiting for a core", computing[1], 0.1)
        row(f"{words}: results of three slices into scene and views", bringing[0], 2.0)
    moves = [moved(module, n) for n in range(MOVES)]
    row(f"mouse move to curve, median of {MOVES}", sorted(moves)[MOVES // 2], 0.05)
    row(f"mouse move to curve, longest of {MOVES}", max(moves), 0.05)
    if given.write:
        section.write()


def started() -> float:
    """Seconds that each start of Slicer takes longer for the module."""
    from Testing.SlicerHarness.desktop import desktop
    from Testing.SlicerHarness.loading import start_module

    running, begun = desktop(), time.perf_counter()
    start_module(ROOT / "MyoPINN" / "MyoPINN.py")
    running.complete_startup()
    return time.perf_counter() - begun


def loaded() -> tuple:
    """The module in Slicer's window, and the seconds that its loading took: felt, and worked."""
    from Testing.SlicerHarness.desktop import desktop
    from Testing.SlicerHarness.loading import load_module

    desktop()
    begun, before = time.perf_counter(), time.thread_time()
    made = load_module(ROOT / "MyoPINN" / "MyoPINN.py")
    felt, worked = time.perf_counter() - begun, time.thread_time() - before
    import slicer
    from module_cases import Module

    slicer.util.selectModule("MyoPINN")
    return Module(made.widget), felt, worked


def computed(module) -> tuple[tuple[float, float], tuple[float, float]]:
    """The longest turn while the engine works, and how long its results take to come, one turn, and to be drawn."""
    from Testing.SlicerHarness.clicks import click

    def engine_done() -> bool:
        run = module.panel.tasks.running
        return getattr(getattr(run, "progress", None), "stage", "") == "writing"

    click(module.ui.computeButton)
    computing, (felt, worked) = longest_turn(engine_done), longest_turn(lambda: not module.busy)
    drawn = until_drawn()
    return computing, (felt + drawn, worked + drawn)


def until_drawn() -> float:
    """Seconds of Qt's turns until nothing is left to be drawn."""
    from PySide6 import QtWidgets

    whole, turns = 0.0, [math.inf]
    while max(turns[-QUIET_TURNS:]) > QUIET and whole < LONGEST:
        begun = time.perf_counter()
        QtWidgets.QApplication.processEvents()
        turns.append(time.perf_counter() - begun)
        whole += turns[-1]
        time.sleep(0.002)
    return whole


def longest_turn(over) -> tuple[float, float]:
    """The longest turn of Qt's event loop until ``over()``, s: as it was felt, and as the GUI thread worked in it."""
    from PySide6 import QtWidgets

    felt = worked = 0.0
    while not over():
        begun, before = time.perf_counter(), time.thread_time()
        QtWidgets.QApplication.processEvents()
        felt, worked = max(felt, time.perf_counter() - begun), max(worked, time.thread_time() - before)
        time.sleep(0.002)
    return felt, worked


def moved(module, number: int) -> float:
    """Seconds from a mouse move over a voxel of the myocardium until its curve is drawn."""
    import numpy as np
    import slicer
    from PySide6 import QtWidgets

    from MyoPINNLib.scene.nodes import lps_from_ras
    from Testing.SlicerHarness.clicks import move_in_slice, wait

    analysis = module.panel.review.analysis
    k = analysis.label.shape[0] // 2
    voxels = np.argwhere(analysis.label[k] > 0)
    j, i = voxels[(number * 37) % len(voxels)]
    ras = lps_from_ras((analysis.geometry.ijk_to_lps[k] @ [i, j, 0.0, 1.0])[:3])
    view = slicer.app.layoutManager().sliceWidget("Yellow").sliceView()
    before, begun = module.ui.voxelLabel.text, time.perf_counter()
    move_in_slice(view, ras)
    wait(lambda: module.ui.voxelLabel.text != before, 10)
    for _ in range(2):  # the plot is drawn in the turn after
        QtWidgets.QApplication.processEvents()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
