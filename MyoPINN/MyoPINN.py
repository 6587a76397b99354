"""MyoPINN: myocardial blood flow from first-pass perfusion MRI, with a bull's-eye. Research use only.

This file is the module's shell: what Slicer asks of a scripted module. The panel is ``MyoPINNLib.gui``, the scene side
``MyoPINNLib.scene``, and the engine runs in a process of its own.
"""

import os
import sys
import uuid
from pathlib import Path
from typing import Annotated

import slicer
import vtk
from slicer import vtkMRMLMarkupsFiducialNode, vtkMRMLScriptedModuleNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

try:
    import MyoPINNLib
except ImportError:  # a source tree, of which the module path holds this folder alone
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    import MyoPINNLib

# Slicer imports this file at every start: what takes time is imported where it is first used.
from MyoPINNLib.looks import CUT_OFF, RESERVE_CUT_OFF, Colours, Curve, Mode, Statistic
from MyoPINNLib.network_settings import Device, Start
from MyoPINNLib.sample_list import Sample, register_samples
from MyoPINNLib.settings import DEFAULT_METHOD, Conversion, Method

WARM_STEPS = 2500  # a network that starts at MAP's result has come far enough by then (docs/validation.md)


class MyoPINN(ScriptedLoadableModule):
    """What Slicer shows of the module in its lists and its help."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MyoPINN")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        self.parent.dependencies = []
        self.parent.contributors = ["The MyoPINN maintainers"]
        self.parent.helpText = _(
            "Quantifies myocardial perfusion MRI: pick the perfusion series, LV blood pool and myocardium, press Compute "
            "MBF, and read maps and bull's-eye. For research only; not for diagnosis or treatment."
        )
        self.parent.acknowledgementText = _(
            "The networks follow van Herten, Chiribiri, Breeuwer, Veta, Scannell: Physics-informed neural networks for "
            "myocardial perfusion MRI quantification, Medical Image Analysis 78 (2022) 102399."
        )
        slicer.app.connect("startupCompleted()", self._register)

    def _register(self):
        """Make samples and layouts known: a scene that was saved in one of the layouts opens in it."""
        import SampleData

        from MyoPINNLib.gui.layout import register_layouts

        register_layouts()
        icons = Path(self.parent.path).parent / "Resources" / "Icons"
        register_samples(SampleData.SampleDataLogic, icons, _load_sample)


def _load_sample(sample):
    """What a click in the Sample Data module does."""
    from MyoPINNLib.scene import load_sample

    return load_sample(sample)


@parameterNodeWrapper
class MyoPINNParameterNode:
    """All that is chosen in the panel, kept in the scene; series and segments are kept beside it (gui.input_section)."""

    segmentation: vtkMRMLSegmentationNode
    restSegmentation: vtkMRMLSegmentationNode
    insertion: vtkMRMLMarkupsFiducialNode
    myocardium: str = ""
    bloodPool: str = ""
    restMyocardium: str = ""
    restBloodPool: str = ""
    levels: list[str]
    hct: Annotated[float, WithinRange(0.0, 0.85)] = 0.45
    density: Annotated[float, WithinRange(0.5, 2.0)] = 1.05  # g/mL
    conversion: Conversion = Conversion.TRAIN
    saturationTime: Annotated[float, WithinRange(0.0, 2000.0)] = 0.0  # ms, 0: as the files say
    readoutTR: Annotated[float, WithinRange(0.0, 100.0)] = 0.0  # ms, 0: as the files say
    flipAngle: Annotated[float, WithinRange(0.0, 90.0)] = 0.0  # degrees, 0: as the files say
    pulses: Annotated[int, WithinRange(0, 1024)] = 0  # 0: as the files say
    bloodT1: Annotated[float, WithinRange(100.0, 5000.0)] = 1650.0  # ms
    myocardiumT1: Annotated[float, WithinRange(100.0, 5000.0)] = 1150.0  # ms
    relaxivity: Annotated[float, WithinRange(0.5, 50.0)] = 4.9  # 1/s/mM
    method: Method = DEFAULT_METHOD
    device: Device = Device.AUTO
    steps: Annotated[int, WithinRange(100, 1000000)] = WARM_STEPS
    start: Start = Start.MAP
    segments: Annotated[str, Choice(["16", "17"])] = "16"
    spatial: bool = False
    analysis: vtkMRMLScriptedModuleNode
    restAnalysis: vtkMRMLScriptedModuleNode
    quantity: str = "MBF"
    deviation: bool = False
    opacity: Annotated[float, WithinRange(0.0, 1.0)] = 1.0
    colours: Colours = Colours.ORDERED
    cutOff: Annotated[float, WithinRange(0.0, 10.0)] = CUT_OFF  # mL/min/g
    reserveCutOff: Annotated[float, WithinRange(0.0, 10.0)] = RESERVE_CUT_OFF
    markBelow: bool = True
    markVoxels: bool = False
    statistic: Statistic = Statistic.MEDIAN
    mode: Mode = Mode.ANALYSIS
    curve: Curve = Curve.VOXEL
    paintSegments: bool = False
    followMouse: bool = True


class MyoPINNWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel's life in Slicer: made once, told when the scene closes and opens."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = self.panel = self._parameterNode = self._connected = None

    def setup(self):
        """Make the panel from MyoPINN.ui."""
        from MyoPINNLib.gui.panel import Panel

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/MyoPINN.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = MyoPINNLogic()
        requirements = Path(self.resourcePath("requirements.txt"))
        self.panel = Panel(
            self.ui, lambda: self._parameterNode, jobs=self.logic.newJobFolder, requirements=requirements
        )
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._sceneCloses)
        self.addObserver(scene, scene.EndCloseEvent, self._sceneOpens)
        self.addObserver(scene, scene.StartImportEvent, self._sceneImports)
        self.addObserver(scene, scene.EndImportEvent, self._sceneOpens)
        self.addObserver(scene, scene.NodeAddedEvent, self._nodesChanged)
        self.addObserver(scene, scene.NodeRemovedEvent, self._nodesChanged)
        self.addObserver(scene, scene.EndBatchProcessEvent, self._nodesChanged)
        self._take(self.logic.getParameterNode())

    def enter(self):
        """The module is opened: what the scene has gained since is chosen by its usual names."""
        if self._parameterNode is None or self._parameterNode.parameterNode.GetScene() is None:
            self._take(self.logic.getParameterNode())
        self.panel.enter()

    def exit(self):
        """The module is left: a computation goes on, and what was asked of the mouse ends."""
        if self.panel is not None:
            self.panel.leave()

    def cleanup(self):
        """The module is unloaded, when Slicer ends, or reloaded."""
        if self.panel is not None:
            self.panel.close()
        self._take(None)
        self.removeObservers()
        self.panel = None

    def onReload(self):
        """Reload the module for its developers, with the library."""
        for name in [each for each in sys.modules if each.partition(".")[0] == "MyoPINNLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _sceneCloses(self, caller=None, event=None):
        self.panel.scene_closed()
        self._take(None)

    def _sceneImports(self, caller=None, event=None):
        self.panel.scene_imports()
        self._take(None)

    def _sceneOpens(self, caller=None, event=None):
        self._take(self.logic.getParameterNode())

    def _nodesChanged(self, caller=None, event=None):
        scene = slicer.mrmlScene
        if not (scene.IsClosing() or scene.IsImporting() or scene.IsBatchProcessing()):
            self.panel.nodes_changed()

    def _take(self, parameterNode):
        """Join the widgets to a parameter node, None: to none."""
        if self._parameterNode is not None and self._connected is not None:
            self._parameterNode.disconnectGui(self._connected)
            self.removeObserver(
                self._parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self._parametersChanged
            )
        self._parameterNode, self._connected = parameterNode, None
        if parameterNode is not None:
            self._connected = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self._parametersChanged)
            self.panel.scene_opened()

    def _parametersChanged(self, caller=None, event=None):
        self.panel.update()


class MyoPINNLogic(ScriptedLoadableModuleLogic):
    """The same without the panel, for scripts: ``slicer.util.getModuleLogic("MyoPINN").quantify(sequence, segmentation)``."""

    def quantify(self, *given, **options):
        """Compute a study, as ``MyoPINNLib.scene.quantify`` describes it."""
        from MyoPINNLib.scene import quantify

        return quantify(*given, **options)

    def addSample(self, sample=Sample.STRESS):
        """Draw a synthetic study into the scene."""
        from MyoPINNLib.scene import add_sample

        return add_sample(sample)

    def getParameterNode(self):
        """What is chosen, as the scene keeps it."""
        return MyoPINNParameterNode(super().getParameterNode())

    def newJobFolder(self):
        """A folder for the files of a training, which outlive a cancel."""
        return Path(slicer.app.temporaryPath) / "MyoPINN" / uuid.uuid4().hex


class MyoPINNTest(ScriptedLoadableModuleTest):
    """The sample from end to end in a real Slicer; README.md has the line that runs it."""

    def setUp(self):
        """An empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """All of it."""
        self.setUp()
        self.test_sample_from_end_to_end()

    def test_sample_from_end_to_end(self):
        """MBF of the sample's LAD territory is low, and that of the others is not."""
        logic = MyoPINNLogic()
        self.delayDisplay("Drawing the sample")
        sample = logic.addSample()
        self.delayDisplay("Computing MBF")
        run = logic.quantify(list(sample.stress.nodes), sample.segmentation, insertion=sample.insertion)
        flows = dict(zip(run.segments["segment"], run.segments["MBF_mL_min_g_median"], strict=True))
        low, remote = (sum(flows[n] for n in part) / len(part) for part in ((7, 13), (4, 5, 10, 11)))
        self.assertLess(low, 0.6 * remote)
        self.assertTrue(MyoPINNLib.__version__)
        self.delayDisplay("MyoPINN passed")
