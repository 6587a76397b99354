"""Slicer's side without the desktop: slicer-core's real MRML under clean-room stand-ins of what needs Slicer's own Qt.

``application`` needs no Qt; ``desktop`` adds the windows. API.md lists every name that the module uses.
"""
