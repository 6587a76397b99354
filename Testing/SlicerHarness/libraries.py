"""A missing wheel or system library in one sentence, with the command that installs it, never a bare import error.

missing("slicer")  ->  None, or "the system library libEGL.so.1 is missing; install it (… apt-get install libegl1)"
"""

from __future__ import annotations

import importlib
import re

# Import name -> the package of extra ``slicer`` in pyproject.toml.
WHEELS = {"slicer": "slicer-core", "vtk": "vtk", "PySide6.QtWidgets": "PySide6-Essentials"}

# Start of the shared library's file name -> the Debian package that holds it.
DEBIAN = {
    "libEGL": "libegl1",
    "libGL.": "libgl1",
    "libGLX": "libglx0",
    "libOpenGL": "libopengl0",
    "libxkbcommon": "libxkbcommon0",
    "libdbus-1": "libdbus-1-3",
    "libfontconfig": "libfontconfig1",
    "libfreetype": "libfreetype6",
    "libglib-2": "libglib2.0-0",
    "libX11": "libx11-6",
    "libXrender": "libxrender1",
    "libXt": "libxt6",
}
EVERYTHING = "libegl1 libgl1-mesa-dri libxkbcommon0 libdbus-1-3 libfontconfig1"


def sentence(error: ImportError) -> str:
    """What ``error`` means to the person who started the tests, and what to type."""
    found = re.search(r"(lib[\w.+-]+): cannot open shared object", str(error))
    if found:
        library = found[1]
        package = next((DEBIAN[start] for start in DEBIAN if library.startswith(start)), EVERYTHING)
        return (
            f"the system library {library} is missing; install it (Debian and Ubuntu: sudo apt-get install {package})"
        )
    if isinstance(error, ModuleNotFoundError):
        wheel = next((WHEELS[name] for name in WHEELS if name.split(".")[0] == (error.name or "").split(".")[0]), None)
        return (
            f"the package {wheel or error.name} is not installed; install it (pip install -e '.[slicer]'; "
            "slicer-core has wheels for CPython 3.10 to 3.13 on Linux x86-64)"
        )
    return f"the installed packages do not work: {error}"


def missing(*names: str) -> str | None:
    """One sentence about the first of the modules ``names`` that cannot be imported, None where all can."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            return sentence(error)
    return None


def require(*names: str) -> None:
    """Raise ImportError with that one sentence."""
    trouble = missing(*names)
    if trouble:
        raise ImportError(f"MyoPINN's Slicer harness cannot start: {trouble}.")
