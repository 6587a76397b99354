"""The engine's own Python environment: found, planned, made, checked, repaired and removed, without Qt and without Slicer.

environment = EngineEnvironment(folder, requirements)
environment.make(environment.plan().recipe).wait()
python, env = environment.python_and_env(settings)
"""

from __future__ import annotations

from .machine import Machine, Plan, fill_command
from .own import EngineEnvironment, Interpreter, check_python, needs_tensorflow, python_in, uses_tensorflow
from .status import EnvironmentState, Recipe, Status
from .work import Work

__all__ = [
    "EngineEnvironment",
    "EnvironmentState",
    "Interpreter",
    "Machine",
    "Plan",
    "Recipe",
    "Status",
    "Work",
    "check_python",
    "fill_command",
    "needs_tensorflow",
    "python_in",
    "uses_tensorflow",
]
