"""The engine's own environment: TensorFlow in a folder of its own, or in a Python that the user names.

    FOLDER/ environment.json  packages-1a2b3c4d/ (PYTHONPATH leads there)   busy  workshop-1a2b3c4d/ (while it is installed)

Packages are installed under a new name and checked there; then ``environment.json`` names them, by rename. So an
installation that fails, is cancelled or killed leaves the earlier packages as they were. TensorFlow is never imported here.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ..errors import EngineError, InputError
from ..events import Progress
from ..launching import launch, surroundings
from ..network_settings import Device
from ..settings import Method, Settings
from .alone import alone
from .installer import CHECKING, check_pip, installed, pip_command, pip_environment
from .judging import probed
from .machine import Machine, Plan, check_recipe, check_room, free_bytes, planned
from .status import MEMORY, PACKAGES, WORKSHOP, EnvironmentState, Memory, Recipe, Status
from .work import Launch, Say, Steps, Work

_IN_AN_ENVIRONMENT = ("bin/python3", "bin/python", "Scripts/python.exe", "python.exe")


class Interpreter(NamedTuple):
    """The program ``python`` and the environment variables that it needs: what ``scene.quantify`` and a ``Run`` take."""

    python: str
    env: dict[str, str]


def needs_tensorflow(settings: Settings) -> bool:
    """True where these settings cannot be computed without TensorFlow: the networks, and one-shot on a GPU."""
    fit = settings.fit
    return fit.method.is_network or (fit.method is Method.ONE_SHOT and fit.one_shot.device is Device.GPU)


def uses_tensorflow(settings: Settings) -> bool:
    """True where these settings need TensorFlow, or take it where it is: one-shot with device auto."""
    fit = settings.fit
    return needs_tensorflow(settings) or (fit.method is Method.ONE_SHOT and fit.one_shot.device is Device.AUTO)


@dataclass(frozen=True)
class EngineEnvironment:
    """``folder`` for the packages that ``requirements`` (a file) names, made by and for ``python``, whose variables are ``env``
    and whose version is ``version``: in Slicer PythonSlicer and os.environ. Where ``named`` is given, that Python of the
    user's own computes instead and brings TensorFlow itself; ``named_env`` are its variables: in Slicer
    ``slicer.util.startupEnvironment()``.
    """

    folder: Path
    requirements: Path
    python: str = sys.executable
    env: Mapping[str, str] | None = None
    version: tuple[int, int] = sys.version_info[:2]
    named: str = ""
    named_env: Mapping[str, str] | None = None
    launch: Launch = launch
    machine: Callable[[], Machine] = Machine.here

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder).absolute())

    @property
    def status(self) -> Status:
        """What is remembered of the last installation or check; costs one small file."""
        memory = Memory.read(self.folder)
        if self.named:
            unknown = Status(trouble="The Python of your own was not checked yet.", hint="Check it.")
            return memory.named_status if memory.named == self.named else unknown
        made_for, ours = memory.status.python, "{}.{}".format(*self.version)
        if memory.status.state is EnvironmentState.READY and made_for.split(".")[:2] != ours.split("."):
            trouble = f"The environment was made for Python {made_for}, and this is Python {ours}."
            return Status(EnvironmentState.BROKEN, trouble=trouble, hint="Repair the environment.")
        return memory.status

    def plan(self, source: str = "") -> Plan:
        """What an installation would do, from the internet or from a local folder ``source``; may take seconds: call it aside."""
        return planned(self.folder, self.machine(), source)

    def make(self, recipe: Recipe) -> Work[Status]:
        """Install TensorFlow as ``plan().recipe`` says; what is there stays until the new one has been checked."""
        return Work(lambda say: alone(self.folder, self._made(recipe, say)))

    @property
    def recipe(self) -> Recipe:
        """How the packages that are there were installed."""
        return Memory.read(self.folder).recipe

    def repair(self) -> Work[Status]:
        """Install it anew as it was installed."""
        return self.make(self.recipe)

    def check(self) -> Work[Status]:
        """Run it and see: its value is the new ``status``, broken too."""
        if self.named:
            return Work(lambda say: alone(self.folder, self._checked_named(say)))
        if not Memory.read(self.folder).packages:
            return Work(lambda say: _nothing(self.status))
        return Work(lambda say: alone(self.folder, self._checked(say)))

    def remove(self) -> Work[Status]:
        """Delete the packages. A folder that holds no ``environment.json`` was not made here and is not touched."""
        if not (self.folder / MEMORY).is_file():
            return Work(lambda say: _nothing(Status()))
        return Work(lambda say: alone(self.folder, self._removed()))

    def python_and_env(self, settings: Settings) -> Interpreter:
        """The Python that computes these settings; InputError where they need TensorFlow and it is not ready.

        What needs no TensorFlow runs in Slicer's own Python, without the packages.
        """
        plain = Interpreter(self.python, self._env())
        if not uses_tensorflow(settings):
            return plain
        status = self.status
        if status.state is EnvironmentState.READY:
            return Interpreter(self.named, self._named_env()) if self.named else self._with_packages()
        if needs_tensorflow(settings):
            raise InputError(f"TensorFlow is needed and is not ready. {status.sentence}", _way_out(status))
        return plain

    def _made(self, recipe: Recipe, say: Say) -> Steps[Status]:
        check_recipe(recipe)
        check_room(free_bytes(self.folder), recipe)
        env, name = self._env(), secrets.token_hex(4)
        yield from check_pip(self.python, env, say, launch=self.launch)
        target, workshop = self.folder / (PACKAGES + name), self.folder / (WORKSHOP + name)
        workshop.mkdir()
        command, around = pip_command(self.python, target, self.requirements, recipe), pip_environment(env, workshop)
        yield from installed(command, around, recipe, say, workshop=workshop, launch=self.launch)
        status = yield from self._probed(target, say, start=CHECKING)
        if status.state is not EnvironmentState.READY:
            raise EngineError(f"What was installed does not work: {status.trouble}", status.hint)
        if recipe.gpu and not status.device:
            status = replace(status, hint="TensorFlow sees no GPU: the driver of the NVIDIA GPU may be too old.")
        status = replace(status, made=status.checked)
        self._remember(packages=target.name, recipe=recipe, status=status)
        return status

    def _checked(self, say: Say) -> Steps[Status]:
        memory = Memory.read(self.folder)
        status = yield from self._probed(self.folder / memory.packages, say)
        status = replace(status, made=memory.status.made)
        self._remember(status=status)
        return status

    def _checked_named(self, say: Say) -> Steps[Status]:
        status = yield from asked(self.named, self._named_env(), say, launch=self.launch)
        self._remember(named=self.named, named_status=status)
        return status

    def _removed(self) -> Steps[Status]:
        yield Progress("removing", 0.0)
        memory = Memory.read(self.folder)
        Memory(named=memory.named, named_status=memory.named_status).write(self.folder)
        return Status()

    def _probed(self, packages: Path, say: Say, start: float = 0.0) -> Steps[Status]:
        env = led_to(packages, self._env())
        return probed(self.python, env, say, folder=packages, launch=self.launch, start=start)

    def _remember(self, **news) -> None:
        replace(Memory.read(self.folder), **news).write(self.folder)

    def _env(self) -> dict[str, str]:
        return dict(surroundings() if self.env is None else self.env)

    def _named_env(self) -> dict[str, str]:
        return dict(surroundings() if self.named_env is None else self.named_env)

    def _with_packages(self) -> Interpreter:
        return Interpreter(self.python, led_to(self.folder / Memory.read(self.folder).packages, self._env()))


def check_python(path: str, env: Mapping[str, str] | None = None, *, launch: Launch = launch) -> Work[Status]:
    """Whether the networks run in the Python ``path``: a status, whose ``trouble`` and ``hint`` say why not."""
    return Work(lambda say: asked(path, dict(surroundings() if env is None else env), say, launch=launch))


def asked(path: str, env: Mapping[str, str], say: Say, *, launch: Launch) -> Steps[Status]:
    """Ask the program ``path`` what it holds. Only what is called python is run: other programs take files as orders."""
    name = Path(path).name.lower()
    if not name.startswith("python") or not os.path.isabs(path):
        raise InputError(f'"{path}" is no path of a Python.', "Name the program itself, such as /opt/env/bin/python.")
    return (yield from probed(path, env, say, launch=launch))


def python_in(path: str) -> str:
    """The Python of an environment's folder ``path``; any other path as it is."""
    inside = (Path(path) / name for name in _IN_AN_ENVIRONMENT)
    return next((str(python) for python in inside if python.is_file()), path)


def led_to(packages: Path, env: Mapping[str, str]) -> dict[str, str]:
    """``env`` in which a Python finds ``packages`` before its own."""
    paths = [str(packages), *filter(None, [env.get("PYTHONPATH")])]
    return {**env, "PYTHONPATH": os.pathsep.join(paths)}


def _nothing(status: Status) -> Steps[Status]:
    yield Progress("done", 1.0)
    return status


def _way_out(status: Status) -> str:
    return status.hint or "Install it under Engine, or choose the method map, nlls, fermi or one-shot on the CPU."
