"""The module as a person meets it: its panel in Slicer's window, and the steps that many tests begin with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import slicer
from scene_cases import Study

from MyoPINNLib.scene import add_insertion, add_segmentation, add_study
from Testing.SlicerHarness.clicks import choose, click, wait

MODULE = Path(__file__).parents[2] / "MyoPINN" / "MyoPINN.py"
A_HANG = 3.0  # s that only a GUI that waits for its work would stand still; bench_gui.py measures how much less it is
QUICK = "Fermi: deconvolution, flow alone"


class Module:
    """MyoPINN opened in the desktop: ``ui`` its widgets, ``panel`` what joins them, ``window`` Slicer's main window."""

    def __init__(self, widget) -> None:
        self.widget, self.ui, self.panel = widget, widget.ui, widget.panel
        self.window = slicer.util.mainWindow()

    @property
    def chosen(self):
        """The parameter node."""
        return self.widget._parameterNode

    @property
    def status(self) -> str:
        """The status line."""
        return self.ui.statusLabel.text

    @property
    def busy(self) -> bool:
        """True while anything runs."""
        return self.panel.tasks.busy

    def finish(self, seconds: float = 120.0) -> None:
        """Wait until nothing runs."""
        wait(lambda: not self.busy, seconds)

    def load_sample(self) -> None:
        """Press Load sample and wait for it."""
        click(self.ui.sampleButton)
        self.finish()

    def compute(self, method: str | None = None) -> None:
        """Press Compute and wait for its end."""
        if method is not None:
            self.choose_method(method)
        click(self.ui.computeButton)
        self.finish()

    def choose_method(self, method: str) -> None:
        """Open the section and choose a method."""
        if self.ui.methodSection.collapsed:
            click(self.ui.methodSection)
        choose(self.ui.methodSelector, method)


def add_case(study: Study, name: str = "Stress perfusion"):
    """A small study with usual names in the scene, as someone would have loaded it: (study, segmentation, insertion)."""
    added = add_study(study.series, name)
    heart = add_segmentation(study.masks, "Heart")
    return added, heart, add_insertion(study.insertion, "RV insertion")


def engines() -> list[int]:
    """The engine's processes that this one started and that live."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()]
    ours = [row for row in rows if row[1] == str(os.getpid()) and "Z" not in row[2]]
    return [int(row[0]) for row in ours if "MyoPINNLib run" in row[3]]


def begin(module: Module) -> None:
    """Press Compute and wait until the engine runs."""
    click(module.ui.computeButton)
    wait(engines)
