"""The engine's own process: one job, from its folder to its result, and how a run ends.

``started`` is reported before anything heavy is imported. The run ends itself when a file ``cancel`` appears in the job
folder or its stdin closes: at the next report, or, where the solver is too deep in thought, after ``GRACE`` seconds.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from . import __version__
from .errors import Cancelled
from .events import Event, Failed, Fault, Finished, Progress, Report, Started, failed_by, within
from .job import CANCEL, CHECKPOINT, OUTPUT, RESULT, Checkpoint, Job, draft_of
from .log import LOG, EngineLog
from .results import SEAL, check_output, told

INTERVAL = 0.1
GRACE = 0.8
LAST_WORDS = 0.3
LAST = 1.0 - 1e-9
BROKEN_PIPE = (109, 233)  # Windows: the pipe has been ended; no process is on its other end
STDIN = 0


def work(folder: Path, report: Report, *, watch_stdin: bool = False) -> int:
    """Run the job of ``folder`` and return the exit code: 0 done, 2 the input is at fault, 1 a defect, 130 cancelled."""
    folder = Path(folder).absolute()
    clock = time.perf_counter()
    log = EngineLog(folder)

    def tell(event: Event) -> None:
        log(event)
        report(event)

    with Cancelling(folder / CANCEL, tell, watch_stdin=watch_stdin) as cancelling:
        try:
            guarded = cancelling.guard(tell)
            guarded(Started(__version__, os.getpid()))
            outputs = _run(folder, guarded, clock, log)
            with contextlib.suppress(OSError):  # the result is there, whether anybody listens or not
                tell(Finished(time.perf_counter() - clock, outputs))
        except (Exception, KeyboardInterrupt) as error:
            cancelling.disarm()
            return _end(error, tell, log)
    return 0


def failure(error: BaseException) -> Failed:
    """What the user reads of an exception in the engine, whose log has the details."""
    return failed_by(error, details=f"The details are in {LOG}.")


def _run(folder: Path, report: Report, started: float, log: EngineLog) -> tuple[str, ...]:
    """Read, quantify, write; returns the files of the result."""
    job = Job.read(folder)
    report(Progress("starting", 0.0))
    from .files import read_insertion, read_masks, read_study, read_weights
    from .pipeline import input_digest, quantify, with_insertion, write_analysis

    check_output(folder / OUTPUT)
    start_up = time.perf_counter() - started
    report(Progress("reading", 0.0))
    series = read_study(job.series_paths)
    masks = read_masks(job.mask_paths, series.geometry)
    slices, rows, columns = series.geometry.shape
    log.sizes(slices=slices, rows=rows, columns=columns, frames=series.frames, voxels=int(masks.myocardium.sum()))
    settings = with_insertion(job.settings, read_insertion(job.path(job.insertion)) if job.insertion else None)
    start_from = read_weights(job.path(job.start_from)) if job.start_from else None
    checkpoint = Checkpoint(folder / CHECKPOINT, input_digest(series, masks, settings, start_from))
    analysis = quantify(series, masks, settings, within(report, 0.05, 0.9), checkpoint, start_from).with_seconds(
        start_up=start_up
    )
    outputs = write_analysis(analysis, folder / OUTPUT, within(report, 0.9, 1.0))
    _publish(folder)
    checkpoint.clear()
    return outputs


def _publish(folder: Path) -> None:
    """The job's ``result.json``, last of all and by rename: whoever sees it finds the outputs whole."""
    with told(folder / RESULT), draft_of(folder / RESULT) as file:
        file.write((folder / OUTPUT / SEAL).read_bytes())


def _end(error: BaseException, tell: Report, log: EngineLog) -> int:
    failed = failure(error)
    if failed.kind is not Fault.CANCELLED:
        log.error(error)
    with contextlib.suppress(OSError):  # nobody listens any more; the exit code still tells
        tell(failed)
    return failed.kind.exit_code


class Cancelling:
    """Watches for the file ``cancel`` and the end of stdin while its block runs.

    ``guard(report)`` raises Cancelled at the first report after a cancel; a block that does not end within ``GRACE``
    seconds of it is ended by ``leave`` (the whole process). Once progress of 1 was reported, the result takes its place and
    a cancel comes too late.
    """

    def __init__(
        self, file: Path, report: Report, *, watch_stdin: bool, leave: Callable[[int], object] = os._exit
    ) -> None:
        self._file, self._report, self._leave = file, report, leave
        self._watch_stdin = watch_stdin
        self._asked, self._ended = threading.Event(), threading.Event()

    def __enter__(self) -> Cancelling:
        self._remove()  # one left by an earlier run; a cancel of this run also closes stdin
        threading.Thread(target=self._watch, daemon=True).start()
        if self._watch_stdin and os.name != "nt":
            threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.disarm()
        if self._asked.is_set():
            self._remove()

    def disarm(self) -> None:
        """From here on nothing ends the process but itself."""
        self._ended.set()

    def guard(self, report: Report) -> Report:
        """``report`` that raises Cancelled, before the event where a cancel was asked for, after it where it cannot be told
        (nobody reads) or where it was progress of 1 and a cancel came meanwhile; from then on it raises neither.
        """

        def guarded(event: Event) -> None:
            if self._ended.is_set():
                with contextlib.suppress(OSError):
                    report(event)
                return
            self._raise_where_asked()
            try:
                report(event)
            except OSError as error:
                raise Cancelled from error
            if isinstance(event, Progress) and event.fraction >= LAST:
                self._raise_where_asked()
                self.disarm()

        return guarded

    def _raise_where_asked(self) -> None:
        if self._asked.is_set() or self._file.exists():
            self._asked.set()
            raise Cancelled

    def _watch(self) -> None:
        while not self._asked.wait(INTERVAL):
            if self._ended.is_set():
                return
            if self._file.exists() or (self._watch_stdin and os.name == "nt" and _pipe_has_ended()):
                self._asked.set()
        if not self._ended.wait(GRACE):
            self._go()

    def _go(self) -> None:
        """Say why and leave; with a reader that is dead or asleep, leave all the same."""
        sure = threading.Timer(LAST_WORDS, self._leave, [Fault.CANCELLED.exit_code])
        sure.daemon = True
        sure.start()
        with contextlib.suppress(BaseException):
            self._remove()
            self._report(failure(Cancelled()))
        sure.cancel()
        self._leave(Fault.CANCELLED.exit_code)

    def _listen(self) -> None:
        try:
            while os.read(STDIN, 1024):
                pass
        except OSError:
            pass
        self._asked.set()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)


def _pipe_has_ended() -> bool:
    """Windows: True where nobody holds the other end of stdin. A read left pending instead can hang imports there."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        try:
            handle = ctypes.c_void_p(msvcrt.get_osfhandle(STDIN))
        except OSError:
            return True
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        there = kernel.PeekNamedPipe(handle, None, 0, None, None, None)
        return not there and ctypes.get_last_error() in BROKEN_PIPE
    return False
