"""slicer.app with its windows, off screen: main window, module panel, layout manager, and dialogs that never wait.

a_desktop = desktop()                  # once a process, before or after the first core_application()
a_desktop.answers.give(False)          # the next question is answered No
a_desktop.answers.said                 # [("question", "Remove the environment?")]
"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer
from PySide6 import QtCore, QtWidgets

from . import sample_data
from .application import CoreApplication, close_scene, core_application
from .layout import qSlicerLayoutManager
from .pythonqt import qt, widget

SHOWN = {"infoDisplay": "information", "warningDisplay": "warning", "errorDisplay": "error", "delayDisplay": "message"}
ASKED = ("confirmYesNoDisplay", "confirmOkCancelDisplay", "confirmRetryCloseDisplay")
FILES = ("getOpenFileName", "getSaveFileName", "getExistingDirectory")


class Answers:
    """What Slicer's dialogs said, and what the test answers to their questions: yes, and no file, unless told else."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self._given: list[object] = []
        for name, kind in SHOWN.items():
            setattr(slicer.util, name, lambda text, *_, kind=kind, **__: self._hear(kind, text))
        for name in ASKED:
            setattr(slicer.util, name, lambda text, *_, **__: self._answer("question", text, True))
        for name in FILES:
            setattr(qt.QFileDialog, name, lambda *of, **__: self._answer("file", " ".join(map(str, of[1:2])), ""))

    def give(self, *answers: object) -> None:
        """The answers to the next questions: True, False or a path."""
        self._given.extend(answers)

    def clear(self) -> None:
        self.said.clear()
        self._given.clear()

    def _hear(self, kind: str, text: object) -> None:
        self.said.append((kind, str(text)))

    def _answer(self, kind: str, text: str, usual: object) -> object:
        self._hear(kind, text)
        return self._given.pop(0) if self._given else usual


class ModulePanel(QtWidgets.QScrollArea):
    """Scrolls up and down only: as wide as its module needs, as in Slicer."""

    def eventFilter(self, thing, event) -> bool:
        if event.type() in (QtCore.QEvent.Resize, QtCore.QEvent.LayoutRequest) and thing is self.widget():
            needed = thing.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width() + 2
            self.setFixedWidth(max(430, needed))
        return super().eventFilter(thing, event)


@widget
class qSlicerMainWindow(QtWidgets.QMainWindow):
    """Module panel at the left, layout at the right, status line below."""

    def __init__(self, viewport) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("3D Slicer")
        self._module, self._panel = "", ModulePanel()
        self._panel.setObjectName("ModulePanel")
        self._panel.setWidgetResizable(True)
        self._panel.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)
        self._panel.setFixedWidth(430)
        middle = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._panel)
        row.addWidget(viewport, 1)
        self.setCentralWidget(middle)
        self._selector = QtWidgets.QComboBox()
        self._selector.setMinimumWidth(200)
        bar = self.addToolBar("Modules")
        bar.setMovable(False)
        bar.addWidget(QtWidgets.QLabel(" Modules:  "))
        bar.addWidget(self._selector)
        self.statusBar()
        self.resize(1500, 900)

    def moduleSelector(self):
        return SimpleNamespace(selectModule=self.selectModule, selectedModule=self._module)

    def selectModule(self, name: str) -> None:
        """Leave the module shown and enter ``name`` ("": none); the panel that is left keeps living, hidden."""
        left, entered = (getattr(slicer.modules, f"{each}Widget", None) for each in (self._module, name))
        if name and entered is None:
            raise RuntimeError(f"Could not find module with name '{name}'")
        if left is not None:
            left.parent.isEntered = False
            left.exit()
        self._panel.takeWidget()
        self._selector.clear()
        self._module = name
        if entered is not None:
            self._selector.addItem(slicer.util.getModule(name).title)
            self._panel.setWidget(entered.parent)
            entered.parent.setVisible(True)
            entered.parent.isEntered = True
            entered.enter()


@widget
class qSlicerApplicationSignals(QtCore.QObject):
    startupCompleted = QtCore.Signal()
    aboutToQuit = QtCore.Signal()


class Desktop(CoreApplication):
    """``slicer.app`` with windows; what it lacks itself (clipboard, cursor, …) QApplication has."""

    applicationName, applicationDisplayName = "Slicer", "3D Slicer"

    def __init__(self, core: CoreApplication) -> None:
        """Take over the scene and the logics of ``core``."""
        self.__dict__.update(core.__dict__)
        self._qt = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
        self._qt.setStyle("Fusion")
        slicer.app = self
        self._signals = qSlicerApplicationSignals()
        self.connect, self.disconnect = self._signals.connect, self._signals.disconnect
        self.answers = Answers()
        qt.QSettings = lambda *_: self.settings()  # never the user's own
        qt.QStandardPaths = _standard_paths(Path(self.temporaryPath))  # never the user's own either
        sample_data.publish()
        self.prepare_scene()
        self._layouts = qSlicerLayoutManager(self.mrmlScene())
        self._window = qSlicerMainWindow(self._layouts.viewport())
        self._window.show()

    def __getattr__(self, name: str):
        return getattr(self.__dict__["_qt"], name)

    def layoutManager(self):
        return self._layouts

    def processEvents(self, *flags) -> None:
        self._qt.processEvents(*flags)

    def startupEnvironment(self):
        return QtCore.QProcessEnvironment.systemEnvironment()

    def moduleManager(self):
        names = [name for name, each in vars(slicer.modules).items() if hasattr(each, "name")]
        found = SimpleNamespace(loadedModuleNames=lambda: [getattr(slicer.modules, name).name for name in names])
        return SimpleNamespace(
            module=lambda name: getattr(slicer.modules, name.lower(), None), factoryManager=lambda: found
        )

    def complete_startup(self) -> None:
        """Say what Slicer says when all modules are loaded, to those that were loaded since."""
        self._signals.startupCompleted.emit()

    def quit(self) -> None:
        """Say that Slicer quits; the process goes on, for the other tests."""
        self._signals.aboutToQuit.emit()

    exit = quit

    def prepare_scene(self) -> None:
        super().prepare_scene()
        if not self.mrmlScene().GetSingletonNode("default", "vtkMRMLCrosshairNode"):
            self.mrmlScene().AddNode(slicer.vtkMRMLCrosshairNode())

    def reset(self) -> None:
        """An empty scene, the first layout, no module, no dialogs, no settings: as Slicer starts."""
        self._window.selectModule("")
        close_scene()
        self._layouts.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self.answers.clear()
        self.settings().clear()
        self.processEvents()
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.DeferredDelete)


def _standard_paths(folder: Path) -> type:
    """qt.QStandardPaths with all places to write inside ``folder``, one a kind."""

    class Paths(QtCore.QStandardPaths):
        @staticmethod
        def writableLocation(kind) -> str:
            return str(folder / QtCore.QStandardPaths.StandardLocation(kind).name)

    return Paths


def desktop() -> Desktop:
    """The one desktop of this process; a core that runs already is taken over with its scene."""
    running = core_application()
    return running if isinstance(running, Desktop) else Desktop(running)
