"""What is shipped is what is there: CMake's lists, the dependencies' floors, the version, the commands in the texts."""

import importlib
import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import MyoPINNLib

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
LIBRARY, MODULE = ROOT / "MyoPINNLib", ROOT / "MyoPINN"
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def the_project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def cmake_list(path: Path, name: str) -> list[str]:
    """The items of ``set(name ...)`` in a CMake file."""
    body = re.search(rf"set\({name}\b(.*?)\)", re.sub("#.*", "", path.read_text(encoding="utf-8")), re.DOTALL)
    return body.group(1).split()


def extension() -> dict[str, str]:
    """The extension's EXTENSION_* values of CMake."""
    content = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return dict(re.findall(r'^set\(EXTENSION_(\w+) "(.*)"\)$', content, re.MULTILINE))


def files_below(folder: Path) -> set[str]:
    """What of a folder belongs into an installation, as relative paths."""
    paths = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    return {path.relative_to(folder).as_posix() for path in paths} - {"CMakeLists.txt"}


def test_the_cmake_lists_name_every_file_of_the_library_once():
    there = files_below(LIBRARY)
    scripts = cmake_list(LIBRARY / "CMakeLists.txt", "MODULE_PYTHON_SCRIPTS")
    resources = cmake_list(LIBRARY / "CMakeLists.txt", "MODULE_PYTHON_RESOURCES")
    assert scripts == sorted(path for path in there if path.endswith(".py"))
    assert resources == sorted(path for path in there if not path.endswith(".py"))


def test_every_folder_that_the_extension_builds_is_there():
    named = re.findall(r"add_subdirectory\((\w+)\)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name / "CMakeLists.txt").is_file()] == []


def test_the_cmake_lists_name_every_file_of_the_module_once():
    if not (MODULE / "CMakeLists.txt").is_file():
        pytest.skip("the module has no CMakeLists.txt yet")
    there, named = files_below(MODULE), set()
    for listed, scripts in (("MODULE_PYTHON_SCRIPTS", True), ("MODULE_PYTHON_RESOURCES", False)):
        paths = [path.replace("${MODULE_NAME}", "MyoPINN") for path in cmake_list(MODULE / "CMakeLists.txt", listed)]
        assert sorted(paths) == sorted(path for path in there if path.endswith(".py") is scripts)
        named |= set(paths)
    assert {"MyoPINN.py", "Resources/Icons/MyoPINN.png", "Resources/UI/MyoPINN.ui"} <= named
    assert "add_subdirectory(MyoPINN)" in (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")


def test_slicer_runs_the_modules_self_test():
    if not (MODULE / "CMakeLists.txt").is_file():
        pytest.skip("the module has no CMakeLists.txt yet")
    lines = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    assert re.search(r"slicer_add_python_unittest\(SCRIPT (\$\{MODULE_NAME\}|MyoPINN)\.py\)", lines)


def test_the_catalogue_entry_keeps_to_slicers_schema():
    """Version 1.0.2: these properties and no others, of these types."""
    entry = json.loads((ROOT / "MyoPINN.json").read_text(encoding="utf-8"))
    known = {
        "$schema": str, "category": str, "scm_url": str, "scm_revision": str, "scm_type": str, "build_dependencies": list,
        "dicom_support_rule": str, "build_subdirectory": str, "enabled": bool, "tier": int,
    }  # fmt: skip
    assert {"$schema", "category", "scm_url"} <= set(entry) <= set(known)
    assert [key for key, value in entry.items() if type(value) is not known[key]] == []
    assert entry["$schema"].endswith("/slicer-extension-catalog-entry-schema-v1.0.2.json#") and 1 <= entry["tier"] <= 5


def test_the_catalogue_entry_and_cmake_agree():
    entry, told = json.loads((ROOT / "MyoPINN.json").read_text(encoding="utf-8")), extension()
    assert entry["category"] == told["CATEGORY"] and entry["scm_url"] == told["HOMEPAGE"]
    assert entry["build_dependencies"] == [] and told["DEPENDS"] == "NA"
    assert entry["scm_url"].rsplit("/", 1)[1] == "SlicerMyoPINN"


def test_icon_and_screenshots_are_where_their_addresses_say():
    entry, told = json.loads((ROOT / "MyoPINN.json").read_text(encoding="utf-8")), extension()
    place = entry["scm_url"].replace("//github.com/", "//raw.githubusercontent.com/") + f"/{entry['scm_revision']}/"
    addresses = [told["ICONURL"], *told["SCREENSHOTURLS"].split()]
    assert len(addresses) > 1 and all(address.startswith(place) for address in addresses)
    assert [each for each in addresses if not (ROOT / each.removeprefix(place)).is_file()] == []


def test_the_package_carries_our_licence_and_readme():
    told = extension()
    for name in ("LICENSE_FILE", "README_FILE"):
        assert Path(told[name].replace("${CMAKE_CURRENT_SOURCE_DIR}", str(ROOT))).is_file()


@pytest.mark.parametrize("picture", ["Resources/MyoPINN.png", "MyoPINN/Resources/Icons/MyoPINN.png"])
def test_the_icon_has_128_pixels_and_a_clear_ground(picture):
    head = (ROOT / picture).read_bytes()[:26]
    width, height, depth, colours = struct.unpack(">IIBB", head[16:26])
    assert (width, height, depth, colours) == (128, 128, 8, 6)  # 6: with transparency


def test_every_folder_of_the_library_is_a_package_that_pip_installs():
    folders = {path.parent for path in LIBRARY.rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_every_dependency_has_a_floor_and_no_ceiling(the_project):
    extras = the_project["project"]["optional-dependencies"]
    needed = [the_project["project"]["dependencies"], *extras.values(), the_project["build-system"]["requires"]]
    assert {"engine", "report", "dicom", "slicer", "cohort", "test"} == set(extras)
    assert [line for lines in needed for line in lines if not re.fullmatch(r"[\w-]+>=[\d.]+(;.*)?", line)] == []


def test_the_version_is_the_same_everywhere(the_project):
    citation = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    changes = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert the_project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "MyoPINNLib.__version__"}
    assert MyoPINNLib.__version__ == citation.group(1) == changes.group(1)


def test_the_console_script_is_there(the_project):
    module, function = the_project["project"]["scripts"]["myopinn"].split(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_the_make_commands_and_links_of_a_text_are_there(text):
    content = text.read_text(encoding="utf-8")
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    commands = re.findall(r"(?:^|`)make ([a-z]\w*)", content, re.MULTILINE)
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", content)
    assert [command for command in commands if command not in targets] == []
    assert [link for link in links if not (text.parent / link).exists()] == []


def test_make_test_runs_every_file_with_windows():
    from conftest import has_windows

    told = subprocess.run(
        ["make", "--no-print-directory", "--eval", "told: ; @echo $(WINDOWS)", "told"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    there = {
        f"Testing/Python/{path.name}" for path in (ROOT / "Testing" / "Python").glob("test_*.py") if has_windows(path)
    }
    assert set(told.stdout.split()) == there
