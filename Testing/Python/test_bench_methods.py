"""The comparison of methods: who takes part, one turn in a process of its own, and what is written into the document."""

import sys
from pathlib import Path

import numpy as np
import pytest

from MyoPINNLib.settings import Method

BENCHMARKS = Path(__file__).parents[1] / "Benchmarks"
BEGIN, END = "<!-- methods: written by bench_methods.py, do not edit -->", "<!-- methods: end -->"


@pytest.fixture(scope="module")
def bench():
    """The benchmark's modules, which find each other by their folder."""
    sys.path.insert(0, str(BENCHMARKS))
    import bench_methods
    import contest
    import method_tables

    yield {"main": bench_methods, "contest": contest, "tables": method_tables}
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def a_turn(bench, tmp_path_factory):
    """(answer, truth): NLLS on twenty curves of the twin."""
    contest, folder = bench["contest"], tmp_path_factory.mktemp("turn")
    given, truth = contest.drawn(contest.CASES["twin"], seed=11, curves=20)
    source, target = folder / "given.npz", folder / "answer.npz"
    np.savez(source, **given)
    words = contest.command(contest.alone(Method.NLLS), contest.CASES["twin"], source, target)
    return contest.took_turn(words, target), truth


def test_every_method_but_the_mesh_takes_part(bench):
    labels = {entrant.label.split(",")[0] for entrant in bench["contest"].entrants(steps=None, printed=False)}
    assert {method.value for method in Method} - {Method.MESH.value} <= labels


def test_all_get_the_same_curves_of_an_object(bench):
    contest = bench["contest"]
    (one, _), (again, _), (other, _) = (
        contest.drawn(contest.CASES["stress"], seed=seed, curves=30) for seed in (11, 11, 12)
    )
    np.testing.assert_array_equal(one["C_t"], again["C_t"])
    assert one["C_t"].shape[0] == 30 and not np.array_equal(one["C_t"], other["C_t"])


def test_a_turn_gives_errors_time_and_memory(bench, a_turn):
    figures = bench["contest"].judged(*a_turn)
    assert figures["median"] < 0.3 and 0 < figures["seconds"] < 1000 and 30 < figures["peak"] < 1000


def test_no_two_methods_look_alike_in_the_picture(bench):
    import method_pictures

    looks = [tuple(method_pictures.look_of(n).items()) for n in range(20)]
    assert len(set(looks)) == 20


def test_a_turn_that_fails_says_its_last_words(bench, tmp_path):
    words = [sys.executable, "-c", "raise ValueError('no such thing')"]
    with pytest.raises(RuntimeError, match="no such thing"):
        bench["contest"].took_turn(words, tmp_path / "answer.npz")


def test_peers_that_are_not_installed_are_told(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(bench["main"], "PEERS_PYTHON", tmp_path / "python")
    peer = bench["contest"].Entrant("a peer", peer=("dcmri-2cxm", "dcmri-2cxm-delayed"))
    found = bench["main"].contest(["twin"], [peer], [11], 5, 1)
    assert found == {("twin", "a peer"): "not installed"} and bench["main"].peers_there() == {}


def test_a_power_law_has_its_power(bench):
    sizes = np.array([100, 1000, 10_000])
    assert bench["tables"].slope(sizes, 3e-3 * sizes**1.1) == pytest.approx(1.1)


def test_hand_written_text_around_the_markers_stays(bench, tmp_path):
    document = tmp_path / "validation.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    bench["tables"].write_into(["| new |"], document)
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n| new |") and text.endswith(f"{END}\nafter\n") and "old" not in text


def test_a_document_without_markers_is_left_alone(bench, tmp_path):
    document = tmp_path / "validation.md"
    document.write_text("by hand\n", encoding="utf-8")
    with pytest.raises(ValueError, match="markers"):
        bench["tables"].write_into(["| new |"], document)
    assert document.read_text(encoding="utf-8") == "by hand\n"


def test_the_document_has_its_markers(bench):
    text = bench["tables"].DOCUMENT.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
