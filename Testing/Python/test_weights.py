"""Weights come from anyone: what is no trained network is refused in one sentence, before it takes memory or time."""

from __future__ import annotations

import contextlib
import io
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.files.weights import FORMAT, read_weights, write_weights
from MyoPINNLib.network_settings import Normalisation
from MyoPINNLib.settings import Method
from MyoPINNLib.trained import TrainedNetwork

CURVES, WIDTH = 6, 4
SCALES = {"time_mean_s": np.array(24.0), "time_sigma_s": np.array(14.0), "peak_mM": np.array(8.0)}


def a_slice(curves: int = CURVES) -> dict[str, np.ndarray]:
    """The weights of one slice as a training leaves them: 32 bits, voxels as whole numbers."""
    draw = np.random.default_rng(3)
    shapes = {"perfusion/head_kernel": (WIDTH, 2 * curves + 1), "perfusion/head_bias": (2 * curves + 1,)}
    shapes |= {f"perfusion/log_{name}": (curves,) for name in ("F_p", "v_p", "v_e", "PS")}
    for layer, inputs in ((1, 1), (2, WIDTH)):
        shapes[f"hidden{layer}/kernel"] = (inputs, WIDTH)
        shapes |= {f"hidden{layer}/{vector}": (WIDTH,) for vector in ("bias", "scale", "shift")}
    weights = {name: draw.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    return weights | {"voxels": np.arange(3 * curves).reshape(curves, 3)}


def a_network(*slices: dict) -> TrainedNetwork:
    return TrainedNetwork(Method.COMBINED, 2, WIDTH, Normalisation.AFFINE, 20, slices or (a_slice(),))


@pytest.fixture
def a_file(tmp_path):
    return write_weights(tmp_path / "weights.npz", a_network())


def rewrite(path, changes: dict, **options):
    """The same file with other arrays; None takes one away."""
    with np.load(path) as arrays:
        values = {name: arrays[name] for name in arrays.files} | changes
    np.savez(path, **{name: value for name, value in values.items() if value is not None}, **options)
    return path


def with_member(path, name: str, content: bytes):
    """The same file whose array ``name`` is ``content``, byte for byte."""
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()} | {f"{name}.npy": content}
    with zipfile.ZipFile(path, "w") as archive:
        for each, value in members.items():
            archive.writestr(each, value)
    return path


def bytes_of(array, *, shape: str | None = None) -> bytes:
    """An array as in a file, its header perhaps a lie."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array)
    content = stream.getvalue()
    if shape is None:
        return content
    lie = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return content[:8] + len(lie).to_bytes(2, "little") + lie.encode() + content[128:]


def refused(path, words: str) -> None:
    """One sentence with the words, a hint, and within a second."""
    begun = time.monotonic()
    with pytest.raises(InputError, match=words) as told:
        read_weights(path)
    assert told.value.hint and "\n" not in told.value.sentence and len(told.value.sentence) < 250
    assert time.monotonic() - begun < 1.0


def test_weights_survive_a_file(a_file):
    found = read_weights(a_file)
    assert found.build == a_network().build and found.steps == 20
    for name, value in a_slice().items():
        assert np.array_equal(found.slices[0][name], value) and found.slices[0][name].dtype == value.dtype


def test_what_the_weights_are_scaled_by_survives_a_file(tmp_path):
    found = read_weights(write_weights(tmp_path / "weights.npz", a_network(a_slice() | SCALES, a_slice(2))))
    assert [found.slices[0][name] for name in SCALES] == [24.0, 14.0, 8.0]
    assert "peak_mM" not in found.slices[1] and len(found.slices[1]["voxels"]) == 2


def test_a_training_that_ended_before_its_first_step_is_kept(tmp_path):
    assert read_weights(write_weights(tmp_path / "weights.npz", replace(a_network(), steps=0))).steps == 0


def test_a_file_that_is_cut_off_is_told(a_file):
    whole = a_file.read_bytes()
    a_file.write_bytes(whole[: len(whole) // 2])
    refused(a_file, "cut off")


@pytest.mark.parametrize("path", ["missing.npz", "text.npz", "pickle.npz", "other.npz"])
def test_what_is_no_trained_network_is_told(tmp_path, path):
    (tmp_path / "text.npz").write_text("weights")
    np.savez(tmp_path / "pickle.npz", format=np.array(1), slices=np.array(1), method=np.array({"a": 1}, dtype=object))
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    refused(tmp_path / path, "no trained network|not there")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop("hidden2/kernel"), "hidden2/kernel is missing"),
        (lambda w: w.update({"perfusion/log_PS": np.zeros(2)}), r"log_PS is \(2,\); it must be \(6,\)"),
        (lambda w: w.update({"hidden1/bias": np.full(WIDTH, np.nan)}), "not numbers"),
        (lambda w: w.update({"hidden1/bias": np.full(WIDTH, 1e300)}), r"hidden1/bias holds 1e\+300"),
        (lambda w: w.update({"hidden1/bias": np.full(WIDTH, 1j)}), "hidden1/bias is of type complex128"),
        (lambda w: w.update({"hidden1/bias": np.full(WIDTH, "x")}), "hidden1/bias is of type <U1"),
        (lambda w: w.update({"hidden1/bias": np.ones(WIDTH, dtype=int)}), "hidden1/bias is of type int64"),
        (lambda w: w.pop("voxels"), "which voxels"),
        (lambda w: w.update(voxels=np.zeros(3, dtype=int)), "which voxels"),
        (lambda w: w.update(voxels=np.zeros((CURVES, 3), dtype="datetime64[s]")), "voxels is of type datetime64"),
        (lambda w: w.update(voxels=np.full((CURVES, 3), np.nan)), "voxels is of type float64"),
        (lambda w: w.update(voxels=np.full((CURVES, 3), "1")), "voxels is of type <U1"),
        (lambda w: w.update(voxels=np.full((CURVES, 3), np.iinfo(np.int64).min)), "voxels holds -9.22e"),
        (lambda w: w.update(time_sigma_s=np.array(np.nan)), "time_sigma_s"),
        (lambda w: w.update(peak_mM=np.zeros(2)), r"peak_mM is \(2,\)"),
        (lambda w: w.update(peak_mM=np.array("8")), "peak_mM is of type <U1"),
    ],
)
def test_weights_that_do_not_fit_together_are_told(tmp_path, a_file, change, said):
    weights = a_slice() | SCALES
    change(weights)
    with pytest.raises(InputError, match=said) as told:
        a_network(weights)
    assert told.value.hint and "\n" not in told.value.sentence
    gone = {f"slice1/{name}": None for name in a_slice()}
    refused(rewrite(a_file, gone | {f"slice1/{name}": value for name, value in weights.items()}), said)


def test_a_network_without_voxels_is_told():
    with pytest.raises(InputError, match="0 voxels"):
        a_network(a_slice(0))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("format", -5, "format -5 and this MyoPINN reads 1"),
        ("format", FORMAT + 1, "format 2 and this MyoPINN reads 1"),
        ("format", "1", "format is '1'"),
        ("slices", 0, "slices is 0"),
        ("slices", -1, "slices is -1"),
        ("slices", 10**9, "slices is 1000000000"),
        ("slices", 2, "which voxels"),
        ("slices", 1.0, "slices is 1.0"),
        ("slices", [1], r"slices is an array of shape \(1,\)"),
        ("layers", 10**9, r"layers is 1e\+09; it must lie from 1 to 10"),
        ("layers", 0, "layers is 0; it must lie from 1 to 10"),
        ("layers", "1", "layers is '1'"),
        ("layers", 3, "hidden3/kernel is missing"),
        ("width", 10**9, r"width is 1e\+09; it must lie from 2 to 1024"),
        ("width", 2**63 - 1, "width is 9.22337e"),
        ("width", True, "width is True"),
        ("steps", -3, "steps is -3"),
        ("steps", 10**12, r"steps is 1e\+12"),
        ("method", "nlls", "method is 'nlls'"),
        ("method", "magic", "method is 'magic'"),
        ("method", 3, "method is 3"),
        ("normalisation", "magic", "normalisation is 'magic'"),
        ("normalisation", "x" * 1000, "normalisation is 'xxx"),
        ("slice9/hidden1/bias", np.zeros(WIDTH), "'slice9/hidden1/bias'.*slices 1 to 1"),
        ("slice-7/voxels", np.zeros(WIDTH), "'slice-7/voxels'"),
        ("slice0/voxels", np.zeros(WIDTH), "'slice0/voxels'"),
        ("slice01/voxels", np.zeros(WIDTH), "'slice01/voxels'"),
        ("slice1 /voxels", np.zeros(WIDTH), "'slice1 /voxels'"),
        ("slice\u0661/voxels", np.zeros(WIDTH), "slices 1 to 1"),
        ("1/voxels", np.zeros(WIDTH), "'1/voxels'"),
        ("a\nb/voxels", np.zeros(WIDTH), "slices 1 to 1"),
        ("slice1/voxels", np.zeros((0, 3), dtype=int), "0 voxels"),
    ],
)
def test_a_file_that_says_something_impossible_of_itself_is_told(a_file, name, value, said):
    refused(rewrite(a_file, {name: np.array(value)}), said)


def test_more_than_a_network_needs_is_not_read(a_file):
    lie = bytes_of(np.zeros(3, dtype=np.float32), shape="(10**12,)")
    with_member(with_member(a_file, "slice1/stranger", lie), "comment", lie)
    assert set(read_weights(a_file).slices[0]) == set(a_slice())


@pytest.mark.parametrize("shape", ["(1000000000000,)", "(2,)", "(-1, -4)", "(True,)", "x", "(" * 90, "'" * 3, "-" * 60])
def test_an_array_whose_header_lies_is_told(a_file, shape):
    lie = bytes_of(np.zeros(WIDTH, dtype=np.float32), shape=shape)
    refused(with_member(a_file, "slice1/hidden1/bias", lie), "no trained network|hidden1/bias")


def test_the_numbers_of_a_header_that_lies_are_told(a_file):
    lie = bytes_of(np.zeros(WIDTH, dtype=np.float32), shape="(1000000000000,)")
    refused(with_member(a_file, "slice1/hidden1/bias", lie), "hidden1/bias.* needs 4000000000000 bytes and has 16")


def test_an_array_that_is_there_twice_is_told(a_file):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(a_file, "a") as archive:
        archive.writestr("layers.npy", bytes_of(np.array(2)))
    refused(a_file, "twice")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_we_do_not_write_is_told(a_file, compression):
    with zipfile.ZipFile(a_file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(a_file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    refused(a_file, f"compression {compression}")


@pytest.mark.parametrize(("offset", "value", "said"), [(8, 1, "encrypted"), (10, 99, "compression 99")])
def test_a_file_that_only_a_password_or_an_unknown_program_opens_is_told(a_file, offset, value, said):
    content = bytearray(a_file.read_bytes())
    place = content.find(b"PK\x01\x02")
    content[place + offset] = value
    a_file.write_bytes(content)
    refused(a_file, said)


def test_a_file_that_would_fill_the_memory_is_told(a_file, monkeypatch):
    monkeypatch.setattr("MyoPINNLib.files.weights.MAX_BYTES", 1000)
    refused(a_file, r"bytes; at most 1000 ")


def test_a_file_of_very_many_arrays_is_told(a_file, monkeypatch):
    monkeypatch.setattr("MyoPINNLib.files.npz.MAX_ARRAYS", 10)
    refused(a_file, "22 arrays; at most 10 ")


@pytest.mark.parametrize("seed", range(300))
def test_a_file_with_a_few_wrong_bytes_is_read_or_told(a_file, seed):
    draw, content = np.random.default_rng(seed), bytearray(a_file.read_bytes())
    for place in draw.integers(0, len(content), 4):
        content[place] = draw.integers(0, 256)
    a_file.write_bytes(content)
    with contextlib.suppress(InputError):  # nothing else
        read_weights(a_file)
