"""Importing the library costs nothing: Slicer does it at every start."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys, time
start = time.perf_counter()
import MyoPINNLib
print(json.dumps([time.perf_counter() - start, sorted(name.split(".")[0] for name in sys.modules)]))
"""
HEAVY = {"tensorflow", "keras", "matplotlib", "pydicom", "SimpleITK", "scipy", "numpy"}


def fresh_import() -> tuple[float, set[str]]:
    """Seconds of the import in a new process, and what it left loaded."""
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    seconds, modules = json.loads(output)
    return seconds, set(modules)


def test_the_library_imports_in_half_a_second_and_loads_nothing_heavy():
    seconds, modules = zip(*(fresh_import() for _ in range(3)))
    assert statistics.median(seconds) < 0.5
    assert not HEAVY & set.union(*modules)


def test_every_module_but_the_networks_loads_without_tensorflow():
    """TensorFlow and matplotlib wait behind functions, so that no module of the command line needs them."""
    names = [
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for path in sorted((ROOT / "MyoPINNLib").rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py")
        and not {"gui", "pinn", "scene"} & set(path.parts)
        and not path.stem.endswith("_tf")
    ]
    program = f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\nprint(*sys.modules)"
    output = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert not {"tensorflow", "keras", "matplotlib"} & set(output.split())
