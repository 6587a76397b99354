"""Run by Slicer (see CMakeLists.txt beside this file): the engine library loads with the packages that Slicer ships."""

import importlib

import slicer.testing

try:
    importlib.import_module("MyoPINNLib.pipeline")
except ImportError as missing:
    slicer.testing.exitFailure(str(missing))
slicer.testing.exitSuccess()
