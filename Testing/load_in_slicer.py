"""Run by Slicer (see CMakeLists.txt beside this file): the engine library loads with the packages that Slicer ships."""

import importlib
import sys
from pathlib import Path

import slicer.testing

sys.path.insert(0, str(Path(__file__).parents[1]))  # a test's Slicer does not know where the extension is built

try:
    importlib.import_module("MyoPINNLib.pipeline")
    importlib.import_module("MyoPINNLib.scene")
except ImportError as missing:
    slicer.testing.exitFailure(str(missing))
slicer.testing.exitSuccess()
