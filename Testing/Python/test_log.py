"""The engine's log: nothing that a file name can reach stands in it, it helps, and it is never a reason to fail."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from MyoPINNLib import files, worker
from MyoPINNLib.errors import InputError
from MyoPINNLib.events import Failed, Fault, Finished, Progress, Started, Warned, to_line
from MyoPINNLib.log import LOG, MAX_LOG_BYTES, EngineLog, trail
from MyoPINNLib.worker import work

NAMES = ("DOE, JOHN", "O'Brien", "Müller")


def said(folder: Path) -> list[str]:
    """The lines of a log without the time of day."""
    return [line[20:] for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]


def is_private(folder: Path) -> bool:
    """True where nothing of the patients' names stands in the log."""
    text = (folder / LOG).read_text(encoding="utf-8")
    return not any(part in text for part in ("DOE", "JOHN", "Brien", "ller"))


@pytest.fixture(params=NAMES)
def a_folder(request, tmp_path) -> Path:
    """A job folder that bears a patient's name."""
    folder = tmp_path / request.param / "job"
    folder.mkdir(parents=True)
    return folder


def test_a_log_tells_a_run_in_lines(tmp_path):
    clock = iter((0.0, 0.1, 0.2, 1.5, 1.6, 2.0))
    log = EngineLog(tmp_path, clock=lambda: next(clock))
    for event in (Started("0.1.0"), Progress("reading", 0.0), Progress("fit of voxels", 0.25)):
        log(event)
    log.sizes(slices=3, voxels=812)
    for event in (Progress("fit of voxels", 0.5), Warned("slow"), Warned("slower"), Finished(2.0)):
        log(event)
    lines = said(tmp_path)
    assert lines[0].startswith(f"started: MyoPINN 0.1.0, Python {sys.version_info.major}.{sys.version_info.minor}.")
    assert lines[1:-1] == [
        "reading, 0 % after 0.1 s",
        "fit of voxels, 25 % after 0.2 s",
        "sizes: slices 3, voxels 812",
        "warning 1",
        "warning 2",
    ]
    assert lines[-1].startswith("finished after 2.0 s; numpy ")


def test_a_failure_is_logged_by_its_kind_alone(tmp_path):
    EngineLog(tmp_path)(Failed(Fault.INPUT, "The file DOE, JOHN.nrrd is empty.", "Open 'DOE, JOHN.nrrd' again."))
    assert said(tmp_path)[0].split(";")[0] == "failed (input)"
    assert is_private(tmp_path)


def test_a_stage_or_version_that_is_not_ours_is_not_written(tmp_path):
    log = EngineLog(tmp_path)
    log(Progress("reading /data/DOE, JOHN", 0.1))
    log(Started("DOE 1.0"))
    assert is_private(tmp_path)


def test_an_input_error_leaves_no_name_in_the_log(a_folder):
    heard = []
    assert work(a_folder.parent, heard.append) == 2
    assert a_folder.parent.name in heard[-1].text
    assert is_private(a_folder.parent)
    assert any(line.startswith("InputError at ") and "job.py:" in line for line in said(a_folder.parent))


def test_a_warning_leaves_no_name_in_the_log(a_folder, monkeypatch):
    def warn(folder, report, *_):
        report(Warned(f"The file {folder}/{NAMES[0]}.dcm is short."))
        return ()

    monkeypatch.setattr(worker, "_run", warn)
    assert work(a_folder, lambda event: None) == 0
    assert is_private(a_folder)
    assert "warning 1" in said(a_folder)


def test_a_defect_leaves_no_name_in_the_log(a_folder, monkeypatch):
    def defect(folder):
        try:
            (folder / NAMES[1] / "IM1").read_bytes()
        except OSError as error:
            raise ZeroDivisionError(f"cannot read {folder}/{NAMES[2]}: {error}") from error

    monkeypatch.setattr(worker.Job, "read", defect)
    assert work(a_folder, lambda event: None) == 1
    assert is_private(a_folder)
    text = "\n".join(said(a_folder))
    assert "ZeroDivisionError at worker.py:" in text
    assert "caused by FileNotFoundError (ENOENT)" in text


def error_of(action) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        action()
    return caught.value


def test_a_trail_names_our_files_and_functions_and_of_others_the_package(tmp_path):
    words = trail(error_of(lambda: to_line(Warned(Path("DOE, JOHN")))))
    assert re.fullmatch(r"TypeError at another package > events\.py:\d+ in to_line > json", words)
    bad = tmp_path / "DOE.nrrd"
    bad.write_bytes(b"NRRD0004\n\n")
    words = trail(error_of(lambda: files.read_study([bad])))
    assert "InputError at another package > files/" in words
    assert "DOE" not in words


def test_a_trail_of_endless_recursion_is_short():
    def again():
        again()

    assert len(trail(error_of(again))) < 4000


def test_a_trail_that_turns_in_a_circle_ends():
    first, second = InputError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert trail(first).count("InputError") == 1


def test_a_crash_is_logged_by_its_code_and_by_words_that_we_know(tmp_path):
    lines = ["free(): invalid pointer in /data/DOE, JOHN/x", "No module named 'numpy.DOE'", "Müller"]
    EngineLog(tmp_path).crash(-6, lines)
    assert said(tmp_path) == [
        "no result, exit code -6; in the last 3 lines: free(): invalid pointer, No module named 'numpy"
    ]


def test_a_log_grown_large_begins_anew(tmp_path):
    (tmp_path / LOG).write_text("x" * MAX_LOG_BYTES)
    EngineLog(tmp_path)(Warned("new"))
    assert (tmp_path / LOG).stat().st_size < 100


def test_a_log_that_cannot_be_written_is_no_failure(tmp_path):
    (tmp_path / LOG).mkdir()
    EngineLog(tmp_path)(Warned("x"))
    EngineLog(tmp_path / "missing")(Warned("x"))
    assert not (tmp_path / "missing").exists()


def test_a_folder_that_may_not_be_looked_into_is_no_failure(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "refused")

    monkeypatch.setattr(Path, "is_symlink", refuse)
    EngineLog(tmp_path)(Warned("x"))


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_log_that_is_a_link_is_not_written(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / LOG).symlink_to(tmp_path / "mine")
    EngineLog(tmp_path)(Warned("x"))
    assert (tmp_path / "mine").read_text() == "mine"
