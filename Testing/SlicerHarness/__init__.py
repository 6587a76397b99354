"""Slicer's side without the desktop: slicer-core's real MRML under clean-room stand-ins of what needs Slicer's own Qt.

``application`` needs no Qt; ``desktop`` adds the windows. API.md lists every name that the module uses.
"""

import os

# Both are read once, when PySide6 is first imported: no screen is needed, and enums are ints as PythonQt's are.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYSIDE6_OPTION_PYTHON_ENUM", "0x02")
