"""The computer that TensorFlow is to be installed on: which GPU, if any, and what will be downloaded for it."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from .status import GB, Recipe

DRIVER = Path("/proc/driver/nvidia/gpus")
TOOL_OF_WSL = "/usr/lib/wsl/lib/nvidia-smi"
TOOL_SECONDS = 5.0
# Bytes to download and on the disk, measured with TensorFlow 2.21 on Linux; the GPU's libraries come on top.
_PLAIN = (0.65 * GB, 2.3 * GB)
_GPU = (2.8 * GB, 4.2 * GB)
_INTEL_MAC = "TensorFlow stops at version 2.16 for Intel Macs, for which this Python is built, and MyoPINN needs 2.18."
_OTHERS = "The methods map, nlls, fermi and one-shot need no TensorFlow; a Python of your own may have it."


@dataclass(frozen=True)
class Machine:
    """``system`` and ``processor`` as Python's platform names them; ``gpus``: names of the NVIDIA GPUs."""

    system: str
    processor: str
    gpus: tuple[str, ...] = ()

    @classmethod
    def here(cls) -> Machine:
        """This computer; may take a second where NVIDIA's tool is asked."""
        return cls(platform.system(), platform.machine(), find_gpus())

    @property
    def takes_gpu(self) -> bool:
        """True where TensorFlow's packages can use the GPU."""
        return bool(self.gpus) and (self.system, self.processor) == ("Linux", "x86_64")

    @property
    def why(self) -> str:
        """Why a GPU is used, or not."""
        if self.takes_gpu:
            return f"It will compute on the GPU ({self.gpus[0]})."
        if self.system == "Windows":
            return "It computes on the CPU: TensorFlow has no GPU on Windows; one needs Linux, or Slicer inside WSL."
        if self.system == "Darwin":
            return "It computes on the CPU: TensorFlow's packages have no GPU on a Mac."
        if self.gpus:
            return f"It computes on the CPU: TensorFlow's packages for {self.processor} have no GPU."
        return "It computes on the CPU: no NVIDIA GPU was found."

    @property
    def obstacle(self) -> str:
        """Why TensorFlow cannot be installed here; empty where it can."""
        if self.system == "Darwin" and self.processor == "x86_64":
            return _INTEL_MAC
        if self.system == "Windows" and self.processor.lower() in ("arm64", "x86"):
            return f"TensorFlow has no packages for Windows on {self.processor}."
        return ""


@dataclass(frozen=True)
class Plan:
    """What ``make(plan.recipe)`` would do: ``download`` and ``disk`` bytes, ``free`` bytes where it goes, ``why`` a GPU is used or
    not; ``obstacle`` and ``hint`` say why it cannot be done.
    """

    folder: Path
    recipe: Recipe
    download: float
    disk: float
    free: float
    why: str
    obstacle: str = ""
    hint: str = ""

    @property
    def text(self) -> str:
        """What the user is asked to agree to."""
        if self.recipe.source:
            load = f'TensorFlow and its packages will be installed from the folder "{self.recipe.source}"'
        else:
            load = (
                f"TensorFlow and its packages will be downloaded from the internet (about {self.download / GB:.1f} GB)"
            )
        place = (
            f'into "{self.folder}", where they take about {self.disk / GB:.1f} GB ({self.free / GB:.0f} GB are free)'
        )
        return f"{load} {place}. {self.why} Slicer's own packages stay as they are."


def planned(folder: Path, machine: Machine, source: str = "", *, free: Callable[[Path], int] | None = None) -> Plan:
    """The plan of an installation into ``folder`` on ``machine``, from the local folder ``source`` if one is named."""
    recipe = Recipe(machine.takes_gpu and (not source or any(Path(source).glob("nvidia_*"))), source)
    download, disk = sizes(recipe)
    room = (free or free_bytes)(folder)
    left_out = machine.takes_gpu and not recipe.gpu
    why = "It computes on the CPU: the folder holds no packages for the GPU (nvidia_*)." if left_out else machine.why
    plan = Plan(folder, recipe, download, disk, room, why, machine.obstacle, _OTHERS if machine.obstacle else "")
    try:
        if not plan.obstacle:
            check_recipe(recipe)
            check_room(room, recipe)
    except InputError as error:
        return replace(plan, obstacle=error.sentence, hint=error.hint)
    return plan


def sizes(recipe: Recipe) -> tuple[float, float]:
    """Bytes to download, and on the disk; about."""
    parts = (_PLAIN, _GPU) if recipe.gpu else (_PLAIN,)
    return sum(part[0] for part in parts), sum(part[1] for part in parts)


def fill_command() -> str:
    """What fills a folder with packages for this Python, on another computer."""
    version = "{}.{}".format(*sys.version_info)
    return f"pip download --only-binary :all: --python-version {version} -r requirements.txt"


def check_recipe(recipe: Recipe) -> None:
    """InputError where the local folder of packages holds none."""
    if recipe.source and not any(Path(recipe.source).glob("*.whl")):
        raise InputError(
            f'The folder "{recipe.source}" holds no packages (*.whl).',
            f"Fill it on a computer of the same system with internet: {fill_command()}",
        )


def check_room(free: float, recipe: Recipe) -> None:
    """InputError where the disk has no room for it: while it is installed the downloads lie there too."""
    needed = sum(sizes(recipe))
    if not recipe.source and free < needed:
        raise InputError(
            f"The disk has {free / GB:.1f} GB free, and TensorFlow needs {needed / GB:.1f} GB while it is installed.",
            "Free space there or choose another folder.",
        )


def free_bytes(folder: Path) -> int:
    """Bytes free where ``folder`` lies or will lie."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path.cwd())
    return shutil.disk_usage(there).free


def find_gpus(driver: Path = DRIVER, run: Callable = subprocess.run) -> tuple[str, ...]:
    """Names of the NVIDIA GPUs as the driver gives them, or else NVIDIA's tool."""
    told = [file.read_text(errors="replace") for file in sorted(driver.glob("*/information"))]
    names = [line.partition(":")[2].strip() for text in told for line in text.splitlines() if line.startswith("Model:")]
    return tuple(names) or _asked(run)


def _asked(run: Callable) -> tuple[str, ...]:
    tool = shutil.which("nvidia-smi") or shutil.which(TOOL_OF_WSL)
    if tool is None:
        return ()
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        asked = run(command, capture_output=True, text=True, timeout=TOOL_SECONDS, check=True, creationflags=flags)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(filter(None, map(str.strip, asked.stdout.splitlines())))
