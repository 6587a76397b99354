"""The trials of make soak, a few turns of each: damaged input ends in words, and work that is done twice after a kill is noticed."""

import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

FORMS = ("DICOM", "NRRD series", "NRRD masks", "NIfTI", "CSV", "job JSON")


@pytest.fixture(scope="module")
def soak(the_benchmarks):
    """The trials' modules."""
    import soak_fuzz
    import soak_kills

    return SimpleNamespace(fuzz=soak_fuzz, kills=soak_kills)


@pytest.fixture(scope="module")
def study(soak, a_study, tmp_path_factory):
    """A small study as DICOM, as a sequence and as NIfTI."""
    where = tmp_path_factory.mktemp("soak") / "study"
    shutil.copytree(a_study, where, copy_function=os.link)
    soak.fuzz.with_volumes(where)
    return where


def test_every_form_has_its_share_of_the_damaged_inputs(soak):
    assert set(soak.fuzz.SHARES) == set(soak.fuzz.FORMS) == set(FORMS)
    assert sum(soak.fuzz.SHARES.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("form", FORMS)
def test_damaged_input_ends_with_a_result_or_a_sentence(soak, study, tmp_path, form):
    good, refused, troubles = soak.fuzz.tried(form, study, tmp_path, 8, 5)
    assert troubles == [] and good + refused == 8


def test_a_defect_is_told_with_the_smallest_damage_that_shows_it(soak, study, tmp_path, monkeypatch):
    monkeypatch.setattr(soak.fuzz, "quiet", lambda _: (1, "a defect"))
    _, _, (trouble,) = soak.fuzz.tried("CSV", study, tmp_path, 3, 5)
    assert trouble.startswith("CSV: ") and "0.0" in trouble and trouble.endswith("exit code 1: a defect")


@pytest.mark.parametrize(
    ("later", "wrong"),
    [({"step": np.array(900)}, []), ({"step": np.array(300)}, ["slice.npz"]), ({"F_p": np.ones(3)}, ["slice.npz"])],
    ids=["goes on", "fewer steps", "a batch again"],
)
def test_what_was_kept_may_go_on_and_not_begin_anew(soak, tmp_path, later, wrong):
    watch = object.__new__(soak.kills.Watch)
    watch.folder, watch.again = tmp_path, []
    np.savez(tmp_path / "slice.npz", step=np.array(600))
    watch.kept = watch.there()
    watch.compare()
    assert watch.again == []
    (tmp_path / "slice.npz").unlink()
    np.savez(tmp_path / "other.npz", **later)
    shutil.move(tmp_path / "other.npz", tmp_path / "slice.npz")
    watch.compare()
    assert watch.again == wrong
