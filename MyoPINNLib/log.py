"""``engine.log`` of a job: what happened and when, without the names of patients that stand in paths."""

from __future__ import annotations

import re
import time
from pathlib import Path

from .events import Event, Finished, Progress, Started, Warned

LOG = "engine.log"
MAX_LOG_BYTES = 1_000_000


class EngineLog:
    """``engine.log``: what happened and when, without the names that stand in paths; never a reason to fail."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path, self._stage = folder, folder / LOG, ""

    def __call__(self, event: Event) -> None:
        """Write an event down; of progress only a new stage."""
        if isinstance(event, Progress):
            if event.stage != self._stage:
                self.write(event.stage)
            self._stage = event.stage
        elif isinstance(event, Started):
            self.write(f"started: MyoPINN {event.version}")
        elif isinstance(event, Warned):
            self.write(f"warning: {event.text}")
        elif isinstance(event, Finished):
            self.write(f"finished after {event.seconds:.1f} s")
        else:
            self.write(f"failed ({event.kind.value}): {event.text} {event.hint}".rstrip())

    def write(self, text: str) -> None:
        """Add ``text`` with the time of day; a log grown large begins anew."""
        if self._path.is_symlink() or not self._folder.is_dir():
            return
        try:
            small = not self._path.exists() or self._path.stat().st_size < MAX_LOG_BYTES
            with self._path.open("a" if small else "w", encoding="utf-8", errors="replace") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {private(text, self._folder).rstrip()}\n")
        except OSError:
            pass


def private(text: str, folder: Path) -> str:
    """``text`` without the places of a user's files: names of patients often stand in them."""
    for root, word in ((Path(folder), "<job>"), (Path.home(), "<home>")):
        for spelling in {str(root), str(root.resolve()), root.as_posix()}:
            if len(spelling) > 1:
                text = re.sub(re.escape(spelling) + r"[^'\":;,\n]*", word, text)
    return re.sub(r"(?<![\w<.])(?:[A-Za-z]:)?[\\/](?:[^\\/'\":;,\n]+[\\/])+", "", text)
