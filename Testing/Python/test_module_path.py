"""The cardiologist's path, by real clicks: from the sample to bull's-eye and curve, in two clicks, and back after reopening."""

from __future__ import annotations

import pytest

from Testing.SlicerHarness.libraries import missing

if trouble := missing("slicer", "PySide6.QtWidgets"):
    pytest.skip(trouble, allow_module_level=True)


from module_cases import A_HANG

from MyoPINNLib.scene import find_analyses
from Testing.SlicerHarness.clicks import click, heartbeat, screenshot, wait


def test_two_clicks_lead_from_the_sample_to_the_bulls_eye(a_module):
    assert not a_module.ui.computeButton.enabled and "No perfusion series is chosen" in a_module.status
    screenshot(a_module.window, "1_opened")
    a_module.load_sample()
    assert a_module.status == "Ready to compute."
    screenshot(a_module.window, "2_sample_loaded")
    with heartbeat() as beat:
        click(a_module.ui.computeButton)
        wait(lambda: a_module.ui.progressBar.value > 90)
    screenshot(a_module.window, "3_computing")
    a_module.finish()
    assert beat.longest < A_HANG, f"the GUI stood still for {beat.longest * 1000:.0f} ms"
    (analysis,) = find_analyses()
    assert a_module.panel.review.bullseye.bullseye.content.known.keys() == set(range(1, 17))
    screenshot(a_module.window, "4_result")
    assert analysis.maps["MBF"].shape[0] == 3
    assert "voxels are reliable" in a_module.status
