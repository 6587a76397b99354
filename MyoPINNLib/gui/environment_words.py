"""What the environment panel says: in which state it is, how far it is, and why a button cannot be used."""

from __future__ import annotations

from enum import Enum

from ..environment import EnvironmentState, Status
from ..events import Progress

MINUTE = 60


class Action(str, Enum):
    """What a user can do with the environment; the value is the button's text."""

    INSTALL = "Install..."
    CHECK = "Check"
    REPAIR = "Repair"
    REMOVE = "Remove"
    CANCEL = "Cancel"

    @property
    def says(self) -> str:
        """The tooltip of its button."""
        return _SAYS[self]

    @property
    def under_way(self) -> str:
        """What is said while it runs."""
        return _UNDER_WAY[self]


_SAYS = {
    Action.INSTALL: "Install TensorFlow, which the networks need, into a folder of its own. Asks before anything is downloaded.",
    Action.CHECK: "Start it and see whether TensorFlow works and which device it finds.",
    Action.REPAIR: "Install it anew; what is there stays until the new one works.",
    Action.REMOVE: "Delete TensorFlow and its packages. Slicer's own packages stay as they are.",
    Action.CANCEL: "End it now; what was there before stays.",
}
_UNDER_WAY = {
    Action.INSTALL: "TensorFlow is being installed; Slicer can be used meanwhile.",
    Action.CHECK: "TensorFlow is being started and looked at.",
    Action.REPAIR: "TensorFlow is being installed anew; Slicer can be used meanwhile.",
    Action.REMOVE: "TensorFlow is being removed.",
    Action.CANCEL: "",
}


def headline(status: Status, action: Action | None, trouble: str) -> str:
    """The panel's first line: what runs, what went wrong last, or what there is."""
    if action is not None:
        return action.under_way
    return trouble.strip() or f"{status.sentence} {status.hint}".strip()


def barred(action: Action, *, own: EnvironmentState, named: bool, busy: bool, in_use: bool = False) -> str:
    """Why ``action`` cannot be done; empty where it can. ``own``: the folder's state; ``named``: a Python of the user's own is;
    ``in_use``: an analysis runs.
    """
    if action is Action.CANCEL:
        return "" if busy else "Nothing runs."
    if busy:
        return "Wait for the end of what runs, or cancel it."
    if action is Action.CHECK and named:
        return ""
    if named:
        return "A Python of your own is named below; empty that line first."
    if action is Action.INSTALL:
        return "" if own is EnvironmentState.MISSING else "It is there already: Repair installs it anew."
    if own is EnvironmentState.MISSING:
        return "Nothing is installed yet."
    return "An analysis runs; wait for its end." if in_use and action is not Action.CHECK else ""


def progress_words(progress: Progress) -> str:
    """What the progress bar says: "35 %, downloading tensorflow, 2 min left"."""
    parts = [f"{progress.fraction:.0%}".replace("%", " %"), f"{progress.stage} {progress.detail}".strip()]
    if progress.seconds_left is not None:
        minutes = progress.seconds_left / MINUTE
        parts.append(f"{minutes:.0f} min left" if minutes >= 1 else "less than a minute left")
    return ", ".join(parts)
