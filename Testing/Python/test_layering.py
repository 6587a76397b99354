"""The house's floors, held by the imports themselves: docs/architecture.md says why, this file says what.

``violations`` reads sources as text, so that the same rules judge the tree and the bad snippets below.
"""

from __future__ import annotations

import ast
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The first pattern that matches a path says its floor. An import points down or sideways.
FLOORS = (
    ("MyoPINN/*", 6),
    ("MyoPINNLib/gui/*", 6),
    ("MyoPINNLib/cli/*", 5),
    ("MyoPINNLib/scene/*", 5),
    ("MyoPINNLib/__main__.py", 5),
    ("MyoPINNLib/environment/*", 4),
    *((f"MyoPINNLib/{name}.py", 4) for name in ("pipeline", "analysis", "writing", "engine", "launching", "worker")),
    *((f"MyoPINNLib/{name}/*", 3) for name in ("files", "solvers", "simulate", "figures")),
    *((f"MyoPINNLib/{name}.py", 3) for name in ("job", "results", "swap", "log", "events", "aside", "motion")),
    *(
        (f"MyoPINNLib/{name}.py", 2)
        for name in (
            "relaxation",
            "bolus",
            "dual_bolus",
            "bloodpool",
            "plausibility",
            "concentration",
            "aha",
            "anatomy",
            "insertion",
            "polar",
            "fit",
            "maps",
            "prior",
            "segmental",
            "groups",
            "trained",
        )
    ),
    *(
        (f"MyoPINNLib/{name}.py", 1)
        for name in (
            "geometry",
            "series",
            "aif",
            "robust",
            "convolution",
            "kinetics",
            "residue",
            "settings",
            "network_settings",
            "one_shot_settings",
        )
    ),
    *(
        (f"MyoPINNLib/{name}.py", 0)
        for name in ("quantities", "codes", "errors", "looks", "options", "sample_list", "untrusted", "__init__")
    ),
)

# Who may import a library; whatever is not named here or in the standard library may not be imported at all.
LIBRARIES = {
    "numpy": ("*",),
    "scipy": ("*",),
    "SimpleITK": ("MyoPINNLib/files/*", "MyoPINNLib/motion.py"),
    "pydicom": ("MyoPINNLib/files/dicom*.py", "MyoPINNLib/simulate/scanner.py"),
    "highdicom": ("MyoPINNLib/files/dicom*.py", "MyoPINNLib/simulate/scanner.py"),
    "matplotlib": ("MyoPINNLib/figures/*",),
    "skimage": ("MyoPINNLib/simulate/metrics.py",),
    "tensorflow": ("MyoPINNLib/solvers/pinn/*", "MyoPINNLib/solvers/*_tf.py"),
    "keras": ("MyoPINNLib/solvers/pinn/*",),
    "psutil": ("MyoPINNLib/launching.py", "MyoPINNLib/job.py"),
    "slicer": ("MyoPINNLib/scene/*", "MyoPINNLib/gui/*", "MyoPINN/*"),
    "vtk": ("MyoPINNLib/scene/*", "MyoPINNLib/gui/*", "MyoPINN/*"),
    "qt": ("MyoPINNLib/gui/*", "MyoPINN/*"),
    "ctk": ("MyoPINNLib/gui/*", "MyoPINN/*"),
    "SampleData": ("MyoPINN/*",),  # Slicer's module
}
ONLY_IN_FUNCTIONS = ("matplotlib", "psutil", "skimage", "SampleData")
# These import TensorFlow at once, and are themselves imported only inside functions.
BEHIND_A_DOOR = ("MyoPINNLib/solvers/pinn/*", "MyoPINNLib/solvers/*_tf.py")
NOT_FOR_THE_GUI = ("MyoPINNLib/pipeline.py", "MyoPINNLib/solvers/*")
STANDARD = {"MyoPINNLib", *sys.stdlib_module_names}
UNIT_FACTORS = (60, 100, 1000, 6000)
UNIT_TABLE = "MyoPINNLib/quantities.py"


def floor_of(path: str) -> int | None:
    """The floor of a file, None where the table above has forgotten it."""
    return next((floor for pattern, floor in FLOORS if fnmatch(path, pattern)), None)


def behind_a_door(path: str) -> bool:
    """True for a file that brings TensorFlow with it."""
    return any(fnmatch(path, pattern) for pattern in BEHIND_A_DOOR)


def imports(path: str, tree: ast.Module):
    """(node, dotted name, waits) of every import; relative names are made absolute.

    An import waits where it stands in a function, or under TYPE_CHECKING, which no run ever reads.
    """
    waiting = {id(below) for node in ast.walk(tree) if _waits(node) for below in ast.walk(node)}
    package = path.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, id(node) in waiting) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join(base + ([node.module] if node.module else []))
            yield from ((node, f"{base}.{alias.name}", id(node) in waiting) for alias in node.names)


def _waits(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return getattr(node.test, "id", "") == "TYPE_CHECKING"
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))


def own_file(name: str, sources: dict[str, str]) -> str | None:
    """The project's file that an import of the dotted ``name`` reads (a module, or the package that holds the name)."""
    parts = name.split(".")
    for end in (len(parts), len(parts) - 1):
        stem = "/".join(parts[:end])
        for path in (f"{stem}.py", f"{stem}/__init__.py"):
            if path in sources:
                return path
    return None


def import_faults(path: str, tree: ast.Module, sources: dict[str, str]):
    """Imports that point up, or at a library that has no business on this floor."""
    floor = floor_of(path)
    for node, name, waits in imports(path, tree):
        library, target = name.split(".")[0], own_file(name, sources)
        at = f"{path}:{node.lineno}"
        if path == "MyoPINNLib/__init__.py" and name != "__future__.annotations":
            yield f"{at} MyoPINNLib/__init__.py imports {name}; it imports nothing"
        if target:
            if (floor_of(target) or 0) > floor:
                yield f"{at} floor {floor} imports {target} of floor {floor_of(target)}"
            if behind_a_door(target) and not behind_a_door(path) and not waits:
                yield f"{at} imports {target}, and with it TensorFlow, outside a function"
            if floor == 6 and any(fnmatch(target, pattern) for pattern in NOT_FOR_THE_GUI):
                yield f"{at} the GUI imports {target}; it speaks through a job folder and events"
        elif library not in STANDARD:
            if floor == 0 or not any(fnmatch(path, pattern) for pattern in LIBRARIES.get(library, ())):
                yield f"{at} {library} may not be imported here"
            if library in ONLY_IN_FUNCTIONS and not waits:
                yield f"{at} {library} is imported outside a function"


def habit_faults(path: str, tree: ast.Module):
    """Prints below the command line, and units converted by a bare number."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print" and floor_of(path) < 5:
            yield f"{path}:{node.lineno} a library prints"
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, (ast.Mult, ast.Div)):
            sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
            values = [side.value for side in sides if isinstance(side, ast.Constant)]
            bare = [value for value in values if value in UNIT_FACTORS]
            if bare and path != UNIT_TABLE and not any(isinstance(value, str) for value in values):
                yield f"{path}:{node.lineno} a bare {bare[0]:g}; quantities.py converts units"


def circle_faults(trees: dict[str, ast.Module], sources: dict[str, str]):
    """Files that import each other in a circle, whether at import or inside functions."""
    arrows = {path: {own_file(name, sources) for _, name, _ in imports(path, tree)} for path, tree in trees.items()}
    done: set[str] = set()

    def walk(path: str, trail: tuple[str, ...]):
        if path in trail:
            yield "a circle of imports: " + " > ".join((*trail[trail.index(path) :], path))
        elif path not in done:
            for target in sorted(arrows[path] - {None, path}):
                yield from walk(target, (*trail, path))
            done.add(path)

    for path in sorted(arrows):
        yield from walk(path, ())


def violations(sources: dict[str, str]) -> list[str]:
    """Everything in ``sources`` (path from the root -> text) that breaks a rule of the house."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    found = [f"{path} is on no floor: add it to the table" for path in trees if floor_of(path) is None]
    for path, tree in trees.items():
        if floor_of(path) is not None:
            found += [*import_faults(path, tree, sources), *habit_faults(path, tree)]
    return found + list(circle_faults(trees, sources))


def the_tree() -> dict[str, str]:
    files = [file for folder in ("MyoPINN", "MyoPINNLib") for file in sorted((ROOT / folder).rglob("*.py"))]
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}


def test_the_tree_keeps_the_house_rules():
    assert violations(the_tree()) == []


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("MyoPINNLib/stray.py", "", "on no floor"),
        ("MyoPINNLib/aif.py", "from .pipeline import quantify", "floor 1 imports MyoPINNLib/pipeline.py of floor 4"),
        ("MyoPINNLib/aif.py", "def f():\n    from . import pipeline", "floor 1 imports MyoPINNLib/pipeline.py"),
        ("MyoPINNLib/solvers/nlls.py", "import MyoPINNLib.pipeline", "floor 3 imports MyoPINNLib/pipeline.py"),
        ("MyoPINNLib/quantities.py", "import numpy", "numpy may not be imported here"),
        ("MyoPINNLib/fit.py", "import SimpleITK", "SimpleITK may not be imported here"),
        ("MyoPINNLib/files/nrrd.py", "from pydicom import dcmread", "pydicom may not be imported here"),
        ("MyoPINNLib/pipeline.py", "def f():\n    import matplotlib.pyplot", "matplotlib may not be imported here"),
        ("MyoPINNLib/figures/curves.py", "from matplotlib import pyplot", "outside a function"),
        ("MyoPINNLib/solvers/nlls.py", "def f():\n    import tensorflow", "tensorflow may not be imported here"),
        ("MyoPINNLib/solvers/networks.py", "from .pinn import training", "with it TensorFlow, outside a function"),
        ("MyoPINNLib/solvers/map.py", "from .one_shot_tf import SPACE", "with it TensorFlow, outside a function"),
        ("MyoPINNLib/pipeline.py", "def f():\n    import keras", "keras may not be imported here"),
        ("MyoPINNLib/engine.py", "import slicer", "slicer may not be imported here"),
        ("MyoPINNLib/scene/show.py", "import qt", "qt may not be imported here"),
        ("MyoPINNLib/cli/parser.py", "import click", "click may not be imported here"),
        ("MyoPINNLib/gui/table.py", "from ..pipeline import quantify", "the GUI imports MyoPINNLib/pipeline.py"),
        ("MyoPINN/MyoPINN.py", "from MyoPINNLib import solvers", "the GUI imports MyoPINNLib/solvers/__init__.py"),
        ("MyoPINNLib/pipeline.py", "print('done')", "a library prints"),
        ("MyoPINNLib/kinetics.py", "F_p = 2.0 / 60", "a bare 60"),
        ("MyoPINNLib/cli/study.py", "t = 1e3 * 0.1", "a bare 1000"),
        ("MyoPINNLib/maps.py", "E = 0.5\nE *= 100", "a bare 100"),
        ("MyoPINNLib/__init__.py", "from .fit import FitResult", "imports nothing"),
        ("MyoPINNLib/fit.py", "from .maps import x", "a circle of imports: MyoPINNLib/fit.py > MyoPINNLib/maps.py"),
    ],
)
def test_a_broken_rule_is_told(path, text, said):
    around = {
        "MyoPINNLib/pipeline.py": "",
        "MyoPINNLib/solvers/__init__.py": "",
        "MyoPINNLib/maps.py": "from . import fit",
        "MyoPINNLib/solvers/pinn/training.py": "",
        "MyoPINNLib/solvers/one_shot_tf.py": "",
    }
    assert any(said in fault for fault in violations({"MyoPINNLib/fit.py": "", **around, path: text}))


def test_good_code_is_not_blamed():
    good = {
        "MyoPINNLib/solvers/pinn/training.py": "import tensorflow as tf\nfrom ...fit import FitResult",
        "MyoPINNLib/solvers/networks.py": "def f():\n    from .pinn import training",
        "MyoPINNLib/figures/curves.py": "if TYPE_CHECKING:\n    from matplotlib.axes import Axes",
        "MyoPINNLib/fit.py": "import numpy as np\nfrom .quantities import shown\nx = 2 * np.pi",
        "MyoPINNLib/quantities.py": "y = 3 / 60.0",
        "MyoPINNLib/cli/study.py": "print('-' * 60)\nfrom ..solvers import networks",
        "MyoPINNLib/solvers/__init__.py": "",
        "MyoPINNLib/gui/table.py": "import qt, slicer\nfrom ..engine import EngineRun",
    }
    assert violations(good) == []
