"""Tiny packages that stand for TensorFlow, and processes that stand for pip."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from MyoPINNLib.environment import Machine
from MyoPINNLib.launching import launch

LINUX = Machine("Linux", "x86_64")
TENSORFLOW = """
__version__ = "2.99.1"
class config:
    list_physical_devices = staticmethod(lambda kind: [])
"""


def wheel(folder: Path, name: str, version: str, text: str, needs: tuple[str, ...] = ()) -> None:
    """A package of one file as pip takes it."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    needed = "".join(f"Requires-Dist: {need}\n" for need in needs)
    files = {
        f"{name}/__init__.py": text,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        for path, content in {**files, f"{info}/RECORD": "".join(f"{path},,\n" for path in files)}.items():
            file.writestr(path, content)


def fill(folder: Path, tensorflow: str = TENSORFLOW, version: str = "2.99.1") -> str:
    """A local folder of packages as a hospital without internet has it."""
    wheel(folder, "tensorflow", version, tensorflow, ("keras",))
    wheel(folder, "keras", "3.9", '__version__ = "3.9"')
    return str(folder)


def named_packages(folder: Path, wheels: str) -> str:
    """The packages of ``wheels`` as a Python of somebody's own has them; a folder for its PYTHONPATH."""
    for file in Path(wheels).glob("*.whl"):
        zipfile.ZipFile(file).extractall(folder)
    return str(folder)


class FakeProcess:
    """A launch that runs ``body`` in this Python whatever is asked for; keeps what was asked."""

    def __init__(self, *bodies: str) -> None:
        self.bodies, self.asked, self.env = list(bodies), [], []

    def __call__(self, command, env=None):
        self.asked.append(list(command))
        self.env.append(env)
        return launch([sys.executable, "-c", self.bodies.pop(0)], None)


PIP = 'print("pip 24.2 from /x/pip (python 3.12)")'
SLEEP = "import time; time.sleep(60)"
