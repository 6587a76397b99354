"""The comparison of methods: who takes part, one turn in a process of its own, and what is written into the document."""

import re
import sys

import numpy as np
import pytest

from MyoPINNLib.settings import Method
from MyoPINNLib.simulate import objects

BEGIN, END = "<!-- methods: begin -->", "<!-- methods: end -->"


@pytest.fixture(scope="module")
def bench(the_benchmarks):
    """The benchmark's modules."""
    import bench_methods
    import contest
    import method_tables

    return {"main": bench_methods, "contest": contest, "tables": method_tables}


@pytest.fixture(scope="module")
def a_turn(bench, tmp_path_factory):
    """(answer, truth): NLLS on twenty curves of the twin."""
    contest, folder = bench["contest"], tmp_path_factory.mktemp("turn")
    given, truth = contest.drawn(contest.CASES["twin"], seed=11, curves=20)
    source, target = folder / "given.npz", folder / "answer.npz"
    np.savez(source, **given)
    words = contest.command(contest.alone(Method.NLLS), contest.CASES["twin"], source, target)
    return contest.took_turn(words, target), truth


def test_every_method_takes_part_and_the_mesh_where_voxels_have_places(bench):
    contest = bench["contest"]
    rows = contest.entrants(steps=None)
    assert {method.value for method in Method} <= {row.label.split(",")[0] for row in rows}
    (mesh,) = (row for row in rows if row.label.startswith(Method.MESH.value))
    assert all(contest.CASES[name].whole for name in mesh.cases)


def test_the_thinned_grid_keeps_all_atoms_and_its_maps_stay_maps(bench):
    reference = bench["contest"].thinned_grid(seed=11)
    assert reference.shape == (3, 12, 36) and len(reference.curves) == 3 * 12 * 36
    np.testing.assert_array_equal(reference.curves.voxels, np.argwhere(np.ones(reference.shape)))
    F_p = reference.truth.F_p.reshape(reference.shape)
    assert (F_p == F_p[:, ::3, :1].repeat(3, axis=1)).all() and len(np.unique(F_p)) == len(objects.FLOWS)
    atoms = np.unique(np.stack([value for _, value in reference.truth.items()]), axis=1)
    assert atoms.shape[1] == 144


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


def test_a_turn_tells_how_often_the_truth_lies_within_the_deviations(bench, a_turn):
    found, truth = a_turn
    sure = {name: 0.1 * np.asarray(value) for name, value in truth.items()}
    off = dict(truth.items()) | {f"sd {name}": value for name, value in sure.items()}
    off["F_p"] = truth.F_p * np.exp(np.where(np.arange(20) < 5, 0.15, 0.05))
    off["sd F_p"] = 0.1 * off["F_p"]
    assert bench["contest"].coverage(off, truth)["F_p"] == pytest.approx([0.75, 1.0])
    shares = bench["contest"].judged(found, truth)["cover F_p"]
    assert 0.2 < shares[0] <= shares[1] <= 1


def test_a_fit_that_was_kept_is_not_done_again(bench, tmp_path, monkeypatch):
    main, contest = bench["main"], bench["contest"]
    monkeypatch.setattr(main, "place", lambda *words: tmp_path / f"{words[1]}.json")
    rows = [contest.alone(Method.FERMI)]
    first = main.contest(["twin"], rows, [11], 5, 1, keep=True)
    monkeypatch.setattr(main, "took_turn", lambda *_: pytest.fail("a fit was done again"))
    again = main.contest(["twin"], rows, [11], 5, 1, keep=True)
    assert again == first and first["twin", "fermi"]["median"] < 1


def test_networks_as_printed_have_a_row_each_once_run_and_what_was_not_run_is_named(bench, monkeypatch, tmp_path):
    import study_printed

    contest = bench["contest"]
    monkeypatch.setattr(study_printed, "printed", lambda: [contest.alone(Method.FERMI), contest.alone(Method.NLLS)])
    monkeypatch.setattr(study_printed, "place", lambda *words: tmp_path / f"{words[1]}-{words[3]}.json")
    monkeypatch.setattr(study_printed, "CURVES", 5)
    study_printed.runs(["twin"], 11, 0.0)
    assert not list(tmp_path.iterdir()), "a run was begun after the time was over"
    study_printed.runs(["twin"], 11, np.inf)
    (tmp_path / "twin-nlls.json").unlink()
    section = study_printed.Section("methods as printed")
    study_printed.tell(section, 11)
    assert any(line.startswith("| fermi | ") for line in section.lines)
    missing = {line.split("`")[1]: line for line in section.lines if "not run yet" in line}
    assert " twin," in missing["nlls"] and " twin," not in missing["fermi"]


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


def test_the_document_has_the_markers_of_every_command_that_writes_into_it(bench, the_benchmarks):
    text = bench["tables"].DOCUMENT.read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in the_benchmarks.glob("*.py")]
    names = {name for source in sources for name in re.findall(r'Section\(\s*"([^"]+)"', source)} | {"methods"}
    assert len(names) > 3
    for name in names:
        assert text.count(f"<!-- {name}: begin -->") == text.count(f"<!-- {name}: end -->") == 1, name


def test_curves_of_a_peer_that_are_not_alike_end_the_run(bench):
    bench["main"].alike("its curves", 1e-9)
    with pytest.raises(SystemExit, match="its curves"):
        bench["main"].alike("its curves", 1e-3)
