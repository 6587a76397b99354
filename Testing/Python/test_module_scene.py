"""The module beside the life of the scene and of Slicer: closed, saved, reopened, left, entered, ended, while work goes on."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets", "PySide6.QtTest"):
    pytest.skip(trouble, allow_module_level=True)

import slicer
from module_cases import QUICK, add_case, begin, engines

from MyoPINNLib.scene import find_analyses
from Testing.SlicerHarness.clicks import screenshot, wait

ROOT = Path(__file__).parents[2]


def save(folder: Path) -> None:
    """File > Save as an .mrb."""
    assert slicer.mrmlScene.WriteToMRB(str(folder / "study.mrb"), None, slicer.vtkMRMLMessageCollection())


def reopen(folder: Path) -> None:
    """Drop the .mrb on Slicer."""
    assert slicer.mrmlScene.ReadFromMRB(str(folder / "study.mrb"), True)


def test_a_scene_that_closes_ends_the_engine_and_the_module_works_in_the_next_one(a_patient, a_small_heart):
    begin(a_patient)
    slicer.mrmlScene.Clear(False)
    assert not a_patient.busy and not engines()
    assert "No perfusion series is chosen" in a_patient.status
    screenshot(a_patient.window, "scene_1_closed")
    add_case(a_small_heart)
    a_patient.widget.enter()
    a_patient.compute(QUICK)
    assert len(find_analyses()) == 1


def test_a_module_that_is_left_goes_on_computing_and_shows_it_when_entered_again(a_patient):
    begin(a_patient)
    slicer.util.selectModule("")
    before = slicer.app.layoutManager().layout
    a_patient.finish()
    assert slicer.app.layoutManager().layout == before
    assert "Open MyoPINN to see it" in a_patient.window.statusBar().currentMessage()
    slicer.util.selectModule("MyoPINN")
    assert a_patient.panel.review.layout.shown
    assert len(find_analyses()) == 1 and "voxels are reliable" in a_patient.status
    screenshot(a_patient.window, "scene_2_entered_again")


def test_a_result_that_comes_while_a_scene_is_added_is_taken_once_it_is_there(a_patient):
    scene = slicer.mrmlScene
    begin(a_patient)
    scene.InvokeEvent(scene.StartImportEvent)
    wait(lambda: not engines(), 120)
    for _ in range(20):  # several beats of the queue
        slicer.app.processEvents()
        time.sleep(0.02)
    assert not find_analyses() and a_patient.busy
    scene.InvokeEvent(scene.EndImportEvent)
    a_patient.finish()
    assert len(find_analyses()) == 1 and "voxels are reliable" in a_patient.status


def test_what_happens_in_the_scene_costs_nothing_while_the_module_is_left(a_patient, monkeypatch):
    updates = []
    monkeypatch.setattr(a_patient.panel.review, "update", lambda: updates.append(1))
    slicer.util.selectModule("")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode")
    a_patient.chosen.opacity = 0.5
    slicer.app.processEvents()
    assert not updates
    slicer.util.selectModule("MyoPINN")
    assert updates


def test_entering_the_module_again_keeps_its_parameter_node(a_patient):
    before = a_patient.chosen
    a_patient.widget.enter()
    assert a_patient.chosen is before


def test_what_is_chosen_and_computed_is_there_again_after_save_close_and_open(a_patient, tmp_path):
    a_patient.compute()
    chosen = [node.GetName() for node in a_patient.panel.images.series], a_patient.chosen.segmentation.GetName()
    save(tmp_path)
    slicer.mrmlScene.Clear(False)
    assert find_analyses() == [] and a_patient.chosen.segmentation is None
    reopen(tmp_path)
    assert a_patient.chosen.method.value == "fermi"
    assert (
        [node.GetName() for node in a_patient.panel.images.series],
        a_patient.chosen.segmentation.GetName(),
    ) == chosen
    assert a_patient.chosen.analysis is find_analyses()[0].node
    assert a_patient.ui.computeButton.enabled
    wait(lambda: a_patient.panel.review.analysis is not None)
    screenshot(a_patient.window, "scene_3_reopened")


def test_a_scene_opened_while_the_engine_runs_gets_nothing_of_the_one_before(a_patient, tmp_path):
    save(tmp_path)
    begin(a_patient)
    slicer.mrmlScene.Clear(False)
    reopen(tmp_path)
    assert not a_patient.busy and not engines() and find_analyses() == []
    assert a_patient.status == "Ready to compute."


def in_a_fresh_process(program: str, *, path: Path) -> str:
    """What a program printed in a process of its own that stands elsewhere and has ``path`` alone on its path."""
    told = subprocess.run(
        [sys.executable, "-P" if sys.version_info >= (3, 11) else "-s", "-c", program],
        capture_output=True, text=True, check=False, timeout=120, cwd=tempfile.gettempdir(),
        env={"PYTHONPATH": str(path), "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-2000:]
    return told.stdout


SHELL = f"""
import sys
from pathlib import Path
sys.path.append({str(ROOT)!r})
from Testing.SlicerHarness.desktop import desktop
from Testing.SlicerHarness import loading
desktop()
sys.path[:] = [each for each in sys.path if not (Path(each) / "MyoPINNLib").is_dir()]
sys.meta_path[:] = [each for each in sys.meta_path if "editable" not in str(each)]
loading.load_module({str(ROOT / "MyoPINN" / "MyoPINN.py")!r})
import MyoPINNLib
print(MyoPINNLib.__file__, sys.path[-1], *{{"tensorflow", "keras", "matplotlib", "pydicom"}} & set(sys.modules))
"""


def test_the_shell_finds_the_library_where_only_its_own_folder_is_on_the_path_and_loads_nothing_heavy():
    library, last, *heavy = in_a_fresh_process(SHELL, path=ROOT / "MyoPINN").split()
    assert Path(library).parents[1] == ROOT and Path(last) == ROOT and not heavy


def test_the_shell_is_thin():
    assert len((ROOT / "MyoPINN" / "MyoPINN.py").read_text().splitlines()) <= 400


QUIT = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "Testing" / "Python")!r}]
from Testing.SlicerHarness.desktop import desktop
from Testing.SlicerHarness.loading import load_module, unload
desktop()
loaded = load_module({str(ROOT / "MyoPINN" / "MyoPINN.py")!r})
import slicer
from module_cases import QUICK, Module, add_case, begin, engines
from scene_cases import a_heart
slicer.util.selectModule("MyoPINN")
module = Module(loaded.widget)
add_case(a_heart(shared_clock=True))
loaded.widget.enter()
module.choose_method(QUICK)
begin(module)
print(len(engines()), end=" ")
busy = module.panel.tasks
unload(loaded)
loaded.widget.cleanup()
print(len(engines()), busy.busy)
"""


def test_slicer_takes_the_engine_along_when_it_quits():
    assert in_a_fresh_process(QUIT, path=ROOT).splitlines()[-1] == "1 0 False"


def test_the_self_test_passes(a_module):
    slicer.modules.MyoPINNInstance.runTest(msec=100)
    assert len(find_analyses()) == 1 and "MyoPINN passed" in [text for _, text in slicer.app.answers.said][-1]


START = f"""
import sys, time
sys.path.append({str(ROOT)!r})
from Testing.SlicerHarness.desktop import desktop
from Testing.SlicerHarness import loading
desktop()
before = set(sys.modules)
begun = time.thread_time()
started = loading.start_module({str(ROOT / "MyoPINN" / "MyoPINN.py")!r})
desktop().complete_startup()
seconds = time.thread_time() - begun
print(seconds, *(set(sys.modules) - before))
"""


def test_slicer_starts_without_loading_what_only_the_panel_needs():
    seconds, *loaded = in_a_fresh_process(START, path=ROOT).split()
    heavy = ("scipy", "SimpleITK", "MyoPINNLib.scene", "MyoPINNLib.simulate", "MyoPINNLib.gui.panel")
    assert float(seconds) < 0.3 and not [name for name in loaded if name.startswith(heavy)]


ALONE = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "Testing" / "Python")!r}]
from Testing.SlicerHarness.desktop import desktop
from Testing.SlicerHarness.loading import load_module, start_module, unload
running = desktop()
import slicer
from scene_cases import a_heart
from module_cases import QUICK, Module, add_case
MODULE = {str(ROOT / "MyoPINN" / "MyoPINN.py")!r}
manager = running.layoutManager()

def computed(widget):
    add_case(a_heart(shared_clock=True))
    slicer.util.selectModule("MyoPINN")
    module = Module(widget)
    module.compute(QUICK)
    return module
"""

RELOAD = """
first, factories = load_module(MODULE).widget, len(manager._factories)
computed(first)
shown = manager.layout
first.onReload()
second, left = slicer.modules.MyoPINNWidget, manager.layout
second.enter()
second.panel.review.show()
bullseye = second.panel.review.bullseye
print(shown, left < shown, manager.layout, len(bullseye.bullseye.content.known), bullseye.widget.isVisible())
print(first.panel, first.Observations, len(manager._factories) - factories)
"""


def test_a_reloaded_module_takes_over_from_the_one_before():
    *_, shown, kept = in_a_fresh_process(ALONE + RELOAD, path=ROOT).splitlines()
    assert (shown, kept) == ("5173 True 5173 16 True", "None [] 0")


WITHOUT_WINDOW = """
running.layoutManager = lambda: None
loaded = load_module(MODULE)
running.complete_startup()
module = computed(loaded.widget)
print("voxels are reliable" in module.status, loaded.source.MyoPINNLogic().getParameterNode().quantity)
unload(loaded)
"""


def test_the_module_works_without_slicers_main_window():
    assert in_a_fresh_process(ALONE + WITHOUT_WINDOW, path=ROOT).splitlines()[-1] == "True MBF"


OPENED = """
import tempfile
file = tempfile.mkdtemp() + "/saved.mrb"
node = manager.layoutLogic().GetLayoutNode()
node.SetViewArrangement(5172)  # as another Slicer, that knows it, would save it
slicer.mrmlScene.WriteToMRB(file, None, slicer.vtkMRMLMessageCollection())
STARTUP
slicer.mrmlScene.Clear(False)
manager.setLayout(node.SlicerLayoutFourUpView)
slicer.mrmlScene.ReadFromMRB(file, True)
shown = [manager.sliceWidget(name).isVisible() for name in ("Red", "Yellow", "Green")]
widget = load_module(MODULE).widget
widget.panel.review.layout.show(2)
running.processEvents()
print(*shown, manager.plotViewCount, widget.panel.review.bullseye.widget.isVisible())
"""


@pytest.mark.parametrize(
    ("startup", "shown"),
    [("start_module(MODULE); running.complete_startup()", "True True False"), ("", "True True True")],
)
def test_a_scene_saved_in_the_perfusion_layout_opens_in_a_fresh_slicer(startup, shown):
    told = in_a_fresh_process(ALONE + OPENED.replace("STARTUP", startup), path=ROOT).splitlines()[-1]
    assert told == f"{shown} 1 True"
