"""Testing/SlicerHarness/API.md lists every name of Slicer, CTK and Qt that the module uses, and no other."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "Testing" / "SlicerHarness" / "API.md"
ROOTS = ("qt", "ctk", "slicer")
REAL = ("slicer.mrmlScene", "slicer.vtk")  # slicer-core's own: their methods need no table
OTHER = ("assert", "vtk")  # unittest's and VTK's, which are real here
OF_ANY_WIDGET = {"toolTip", "sizePolicy", "geometry", "enabled", "visible"}
CAMEL = re.compile(r"[a-z]+[0-9]*([A-Z][a-z0-9]*)+")
SIGNAL = re.compile(r"[a-z]\w*\([\w:*, ]*\)")


def sources() -> list[Path]:
    return [*sorted((ROOT / "MyoPINN").glob("*.py")), *sorted((ROOT / "MyoPINNLib" / "gui").glob("*.py"))]


def dotted(node: ast.AST) -> str:
    """The dotted name that an expression is, "" for any other."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def shortened(name: str) -> str:
    """A dotted name as the table has it: no methods of MRML, nor what comes after a third part."""
    return ".".join(name.split(".")[: 2 if name.startswith(REAL) else 3])


def used(source: str) -> set[str]:
    """Names under qt, ctk and slicer, signals connected by their text, and ".methods" written as Slicer writes them."""
    tree, found = ast.parse(source), set()
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ROOTS:
            found |= {shortened(f"{node.module}.{alias.name}") for alias in node.names}
        elif isinstance(node, ast.Attribute) and dotted(node).split(".")[0] in ROOTS:
            found |= {shortened(dotted(node))} if id(node) not in inner else set()
        elif isinstance(node, ast.Attribute) and CAMEL.fullmatch(node.attr) and not node.attr.startswith(OTHER):
            found.add(f".{node.attr}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and SIGNAL.fullmatch(node.value):
            found.add(node.value)
    return found - {f".{node.name}" for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def used_in_ui(text: str) -> set[str]:
    """Classes of a .ui file, and the properties of those that Qt does not have."""
    found = set()
    for element in ET.fromstring(text).iter("widget"):
        kind = element.get("class")
        names = {item.get("name") for item in element.findall("property") if item.get("stdset") != "0"}
        found |= {kind} if kind.startswith("Q") else {kind, *(f"{kind}.{name}" for name in names - OF_ANY_WIDGET)}
    return found


def own_names() -> set[str]:
    """Names of ours that look like Slicer's: widgets of the .ui file and parameters."""
    found = set(re.findall(r"^    (\w+): ", (ROOT / "MyoPINN" / "MyoPINN.py").read_text(encoding="utf-8"), re.M))
    for path in ROOT.glob("MyoPINN/Resources/UI/*.ui"):
        found |= {element.get("name") for element in ET.parse(path).iter("widget")}
    return found


def all_used() -> set[str]:
    sets = [used(path.read_text(encoding="utf-8")) for path in sources()]
    sets += [used_in_ui(path.read_text(encoding="utf-8")) for path in ROOT.glob("MyoPINN/Resources/UI/*.ui")]
    return set().union(*sets) - {f".{name}" for name in own_names()}


def rows() -> dict[str, list[str]]:
    """Name -> the other cells of its row."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_every_name_that_the_module_uses_stands_in_the_table():
    assert sorted(all_used() - rows().keys()) == []


def test_the_table_has_no_name_that_the_module_does_not_use():
    assert sorted(rows().keys() - all_used()) == []


def test_each_row_says_where_it_was_checked_and_what_differs():
    assert [name for name, cells in rows().items() if len(cells) != 2 or not all(cells)] == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import qt\nqt.QTimer.singleShot(0, f)", {"qt.QTimer.singleShot"}),
        ("import slicer\nslicer.mrmlScene.GetNodeByID(x)", {"slicer.mrmlScene"}),
        ("from slicer.i18n import tr as _", {"slicer.i18n.tr"}),
        ('b.connect("clicked(bool)", f)', {"clicked(bool)"}),
        ("view.sliceView().mrml_node", {".sliceView"}),
        ("def onApply(self):\n    self.onApply()", set()),
    ],
)
def test_names_are_found_where_they_are_used(source, names):
    assert used(source) == names


def test_names_of_a_ui_file_are_its_classes_and_their_own_properties():
    text = '<ui><widget class="ctkSliderWidget"><property name="suffix"/></widget><widget class="QLabel"/></ui>'
    assert used_in_ui(text) == {"ctkSliderWidget", "ctkSliderWidget.suffix", "QLabel"}
