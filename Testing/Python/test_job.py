"""Jobs come from anyone: nothing in one leads out of its folder, and a checkpoint is used only where it fits."""

from __future__ import annotations

import io
import json
import os
import zipfile

import numpy as np
import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.job import Checkpoint, Job
from MyoPINNLib.settings import FitSettings, Method, Settings


@pytest.fixture
def a_job(tmp_path) -> Job:
    (tmp_path / "job" / "input").mkdir(parents=True)
    for name in ("series.nrrd", "masks.nrrd"):
        (tmp_path / "job" / "input" / name).write_text("x")
    job = Job(
        tmp_path / "job", ("input/series.nrrd",), ("input/masks.nrrd",), None, Settings(fit=FitSettings(Method.FERMI))
    )
    job.write()
    return job


@pytest.fixture
def a_checkpoint(tmp_path) -> Checkpoint:
    return Checkpoint(tmp_path / "checkpoint", "digest")


def rewrite(job: Job, **changes) -> None:
    values = json.loads((job.folder / "job.json").read_text()) | changes
    (job.folder / "job.json").write_text(json.dumps({key: value for key, value in values.items() if value != "gone"}))


def test_a_job_survives_its_file(a_job):
    assert Job.read(a_job.folder) == a_job
    assert [path.name for path in a_job.series_paths] == ["series.nrrd"]


@pytest.mark.parametrize(
    "outside",
    [
        "../secret.nrrd",
        "input/../../secret.nrrd",
        "/etc/passwd",
        "C:\\secret.nrrd",
        "..\\secret.nrrd",
        "\\\\server\\share",
        "input/a\0b",
    ],
)
@pytest.mark.parametrize("key", ["series", "masks", "insertion"])
def test_a_path_outside_the_folder_is_refused(a_job, key, outside):
    rewrite(a_job, **{key: outside if key == "insertion" else [outside]})
    with pytest.raises(InputError, match="outside its folder"):
        Job.read(a_job.folder)


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
@pytest.mark.parametrize("inside_a_folder", [False, True])
def test_a_link_that_leads_out_is_refused(a_job, tmp_path, inside_a_folder):
    (tmp_path / "secret.nrrd").write_text("x")
    (a_job.folder / "input" / "link.nrrd").symlink_to(tmp_path / "secret.nrrd")
    rewrite(a_job, series=["input"] if inside_a_folder else ["input/link.nrrd"])
    with pytest.raises(InputError, match="outside its folder by a link"):
        Job.read(a_job.folder)


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
@pytest.mark.parametrize("place", ["output", "engine.log", "checkpoint", "result.json"])
def test_a_place_to_write_that_is_a_link_is_refused(a_job, tmp_path, place):
    (a_job.folder / place).symlink_to(tmp_path)
    with pytest.raises(InputError, match="is a link"):
        Job.read(a_job.folder)


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
@pytest.mark.parametrize("name", ["0123.npz", "0123.partial", "deep/er"])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_the_checkpoint_is_refused(a_job, tmp_path, name, there):
    link = a_job.folder / "checkpoint" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path if there else tmp_path / "nowhere")
    with pytest.raises(InputError, match="checkpoint/.* is a link") as told:
        Job.read(a_job.folder)
    assert link.name in told.value.sentence and told.value.hint


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_link_that_leads_to_itself_is_refused(a_job):
    (a_job.folder / "input" / "loop.nrrd").symlink_to("loop.nrrd")
    rewrite(a_job, series=["input"])
    with pytest.raises(InputError, match="by a link|is not there"):
        Job.read(a_job.folder)


def planted(place, victim, kind: str) -> None:
    """At ``place`` a link to ``victim``, which holds a word of the user's."""
    victim.write_text("mine")
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(victim) if kind == "symbolic" else place.hardlink_to(victim)


LINKS = pytest.mark.parametrize(
    "kind",
    ["hard", pytest.param("symbolic", marks=pytest.mark.skipif(os.name == "nt", reason="needs a right on Windows"))],
)


@LINKS
@pytest.mark.parametrize("name", ["job.json", ".job.json.partial"])
def test_a_planted_link_is_not_written_through_by_a_job(a_job, tmp_path, name, kind):
    (a_job.folder / "job.json").unlink()
    planted(a_job.folder / name, tmp_path / "victim", kind)
    a_job.write()
    assert (tmp_path / "victim").read_text() == "mine" and Job.read(a_job.folder) == a_job
    assert sorted(path.name for path in a_job.folder.iterdir()) == ["input", "job.json"]


@LINKS
@pytest.mark.parametrize("suffix", [".npz", ".partial", ".npz.partial"])
def test_a_planted_link_is_not_written_through_by_a_checkpoint(a_checkpoint, tmp_path, suffix, kind):
    a_checkpoint.save("nlls-0", {"F_p": np.zeros(3)})
    (file,) = a_checkpoint.folder.iterdir()
    file.unlink()
    for name in (file.with_suffix(suffix), file.with_name(f".{file.stem}{suffix}")):
        planted(name, tmp_path / f"victim of {name.name}", kind)
    a_checkpoint.save("nlls-0", {"F_p": np.arange(3.0)})
    assert all(victim.read_text() == "mine" for victim in tmp_path.glob("victim*"))
    np.testing.assert_array_equal(a_checkpoint.load("nlls-0")["F_p"], [0.0, 1.0, 2.0])


def test_a_draft_whose_place_is_taken_by_a_folder_is_told(a_job):
    (a_job.folder / ".job.json.partial").mkdir()
    with pytest.raises(InputError, match=r'"job\.json" could not be written'):
        a_job.write()


def test_a_draft_that_breaks_off_leaves_nothing(a_checkpoint):
    class Broken:
        def __array__(self, *arguments, **options):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        a_checkpoint.save("nlls-0", {"F_p": np.arange(3.0), "v_p": Broken()})
    assert list(a_checkpoint.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 2}, "schema 2 and this MyoPINN reads 1"),
        ({"schema": "1"}, "no schema number"),
        ({"schema": "gone"}, "no schema number"),
        ({"series": "input/series.nrrd"}, "list of relative paths"),
        ({"series": []}, "names no series"),
        ({"masks": [3]}, "must be a relative path"),
        ({"masks": ["input/missing.nrrd"]}, "is not there"),
        ({"settings": {"fit": {"method": "magic"}}}, "Choose one of: nlls, fermi"),
        ({"settings": 3}, "must be an object"),
        ({"run": "rm"}, "is not known"),
    ],
)
def test_a_job_with_a_fault_is_refused(a_job, changes, words):
    rewrite(a_job, **changes)
    with pytest.raises(InputError, match=words):
        Job.read(a_job.folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, " " * 1_000_001, "\ud800"])
def test_a_job_file_that_is_no_small_json_object_is_refused(a_job, text):
    (a_job.folder / "job.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=r"job\.json"):
        Job.read(a_job.folder)


def test_a_folder_without_a_job_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no job\.json"):
        Job.read(tmp_path)


def test_a_checkpoint_gives_back_what_it_was_given(a_checkpoint):
    a_checkpoint.part("voxels").save("nlls-0", {"F_p": np.arange(3.0), "outcome": np.array([0, 1, 2])})
    arrays = a_checkpoint.part("voxels").load("nlls-0")
    np.testing.assert_array_equal(arrays["F_p"], [0.0, 1.0, 2.0])
    assert a_checkpoint.part("segments").load("nlls-0") is None


def test_a_checkpoint_of_other_inputs_is_not_used(a_checkpoint):
    a_checkpoint.save("nlls-0", {"F_p": np.arange(3.0)})
    assert Checkpoint(a_checkpoint.folder, "another digest").load("nlls-0") is None


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_a_truncated_checkpoint_counts_as_absent(a_checkpoint, keep):
    a_checkpoint.save("nlls-0", {"F_p": np.arange(100.0)})
    (file,) = a_checkpoint.folder.iterdir()
    file.write_bytes(file.read_bytes()[:keep])
    assert a_checkpoint.load("nlls-0") is None


def test_a_checkpoint_with_a_pickle_is_not_opened(a_checkpoint):
    a_checkpoint.save("nlls-0", {"F_p": np.arange(3.0)})
    (file,) = a_checkpoint.folder.iterdir()
    np.savez(file, F_p=np.array([{"a": 1}], dtype=object))
    assert a_checkpoint.load("nlls-0") is None


def saved(checkpoint: Checkpoint):
    checkpoint.save("nlls-0", {"F_p": np.arange(3.0)})
    (file,) = checkpoint.folder.iterdir()
    return file


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_checkpoint_that_is_a_link_or_a_pipe_counts_as_absent(a_checkpoint, tmp_path):
    file = saved(a_checkpoint)
    file.rename(tmp_path / "elsewhere.npz")
    file.symlink_to(tmp_path / "elsewhere.npz")
    assert a_checkpoint.load("nlls-0") is None
    file.unlink()
    os.mkfifo(file)
    assert a_checkpoint.load("nlls-0") is None


def test_a_checkpoint_that_would_fill_the_memory_counts_as_absent(a_checkpoint, monkeypatch):
    file = saved(a_checkpoint)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("F_p.npy", array_bytes(np.zeros(100_000)))
    assert file.stat().st_size < 10_000
    assert len(a_checkpoint.load("nlls-0")["F_p"]) == 100_000
    monkeypatch.setattr("MyoPINNLib.job.MAX_CHECKPOINT_BYTES", 500_000)
    assert a_checkpoint.load("nlls-0") is None


def array_bytes(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("shape", [b"(2,)", b"(1000000000000,)", b"(-1, -3)", b"x", b"-" * 40])
def test_a_checkpoint_whose_header_lies_counts_as_absent(a_checkpoint, shape):
    file = saved(a_checkpoint)
    with zipfile.ZipFile(file, "w") as archive:
        header, data = array_bytes(np.zeros(3))[:128], np.zeros(3).tobytes()
        lie = header.replace(b"(3,)", shape).rstrip().ljust(127) + b"\n"
        archive.writestr("F_p.npy", lie + data)
    assert a_checkpoint.load("nlls-0") is None


@pytest.mark.parametrize(("offset", "value"), [(8, 1), (10, 14), (10, 99)])
def test_a_checkpoint_that_is_encrypted_or_of_unknown_compression_counts_as_absent(a_checkpoint, offset, value):
    file = saved(a_checkpoint)
    content = bytearray(file.read_bytes())
    content[content.find(b"PK\x01\x02") + offset] = value
    file.write_bytes(content)
    assert a_checkpoint.load("nlls-0") is None


@pytest.mark.parametrize("seed", range(200))
def test_a_checkpoint_with_a_few_wrong_bytes_is_whole_or_absent(a_checkpoint, seed):
    file = saved(a_checkpoint)
    draw, content = np.random.default_rng(seed), bytearray(file.read_bytes())
    for place in draw.integers(0, len(content), 3):
        content[place] = draw.integers(0, 256)
    file.write_bytes(content)
    arrays = a_checkpoint.load("nlls-0")
    assert arrays is None or all(array.dtype.kind != "O" for array in arrays.values())


def test_a_checkpoint_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="could not be written"):
        Checkpoint(tmp_path / "file", "digest").save("nlls-0", {"F_p": np.arange(3.0)})
