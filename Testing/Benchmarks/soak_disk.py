"""The trials of soak.py that find no room: files that may not grow, a disk that is full, places that may not be written.

Each ends in words, with the earlier result as it was.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from page import ROOT

from MyoPINNLib import cli

GOOD, AT_FAULT = 0, 2
PATIENCE = 120.0
MOST = (0, 1, 100, 1000, 5000, 20_000, 50_000, 100_000)  # bytes of a file
ROOM = (0, 4096, 16_384, 65_536, 262_144, 524_288)  # bytes left on a disk of 1 MiB
LIMITED = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); "


def quiet(arguments):
    """(exit code, what was said) of a command line in this process; None and words where it does not end in time."""
    said = io.StringIO()
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(int(PATIENCE))
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = cli.main(arguments)
    except TimeoutError as late:
        return None, str(late)
    finally:
        signal.alarm(0)
    return code, said.getvalue()


def _late(*_):
    raise TimeoutError(f"no end after {PATIENCE:.0f} s")


def quantify(images, masks, out):
    """The command line of a whole quantification by Fermi."""
    return ["quantify", str(images), "--masks", str(masks), "-o", str(out), "--method", "fermi", "--quiet"]


def judged(code, said, what):
    """What is wrong with how a command ended: [] for a result, or a sentence about the input."""
    if code == GOOD or (code == AT_FAULT and said.strip() and "Traceback" not in said):
        return []
    return [f"{what}: exit code {code}: {said.strip()[-300:]}"]


def disk(study, folder, rng):
    """A result that finds no room: files limited to fewer and fewer bytes, then a disk that is full, where one may be mounted."""
    out, troubles = folder / "out", []
    assert quiet(quantify(study / "dicom", study / "masks.nrrd", out))[0] == GOOD
    for most in MOST:
        troubles += no_room(study, out, f"files of {most} bytes at most", LIMITED.format(most))
    with small_disk(folder / "disk") as mounted:
        if not mounted:
            return f"{len(MOST)} sizes of a file; no full disk, this process may not mount one", troubles
        troubles += full(study, out, folder / "disk")
    return f"{len(MOST)} sizes of a file; a really full disk with {len(ROOM)} sizes of room", troubles


def no_room(study, out, what, first=""):
    """What is wrong where a quantification finds no room: it must fail in words and leave ``out`` as it was. ``first``: Python before it."""
    before, run = files_of(out), f"{first}import sys; from MyoPINNLib import cli; sys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", run, *quantify(study / "dicom", study / "masks.nrrd", out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    troubles = judged(done.returncode, done.stdout + done.stderr, what)
    troubles += [f"{what}: exit code 0"] if done.returncode == GOOD else []
    return troubles + ([f"{what}: the earlier result is not as it was"] if files_of(out) != before else [])


def full(study, earlier, place):
    """What is wrong on a full disk, over an earlier result (less its pictures, which need more than the disk has) and at a new place."""
    troubles, filler = [], place / "filler"
    shutil.copytree(earlier, place / "out", ignore=shutil.ignore_patterns("*.png"))
    for room in ROOM:
        filler.write_bytes(b"")
        filler.write_bytes(bytes(max(shutil.disk_usage(place).free - room, 0)))
        for out in ("out", "new"):
            troubles += no_room(study, place / out, f"a disk with {room} bytes left, {out}")
    return troubles


@contextlib.contextmanager
def small_disk(place):
    """A disk of 1 MiB in ``place`` for as long as the block lasts; hands out False where this process may not mount."""
    place.mkdir()
    mount = [shutil.which("mount") or "false", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place]
    mounted = subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", place], check=True)


def files_of(folder):
    """Path -> bytes of all files below ``folder``."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def closed(study, folder, rng):
    """Folders and files that may not be written; as root, which may, below a file and in /proc."""
    (folder / "file").write_text("x")
    (folder / "shut").mkdir()
    (folder / "shut").chmod(0o500)
    places = [folder / "file" / "out", Path("/proc/out"), Path("/sys/out")]
    places += [folder / "shut" / "out"] if os.geteuid() else []
    troubles = []
    for place in places:
        code, said = quiet(quantify(study / "dicom", study / "masks.nrrd", place))
        troubles += judged(code, said, str(place)) + ([f"{place}: exit code 0"] if code == GOOD else [])
    return f"{len(places)} places that cannot be written", troubles
