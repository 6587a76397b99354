"""The engine's own environment: a whole life of it with real pip and tiny packages, and all that may go wrong on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from environment_cases import LINUX, PIP, SLEEP, FakeProcess, fill, named_packages, wheel

from MyoPINNLib.engine import State
from MyoPINNLib.environment import (
    EngineEnvironment,
    EnvironmentState,
    Machine,
    Recipe,
    check_python,
    fill_command,
    needs_tensorflow,
    python_in,
)
from MyoPINNLib.environment import alone as alone_module
from MyoPINNLib.environment.installer import Hearing, bytes_loaded, pip_command, why_pip_failed
from MyoPINNLib.environment.judging import FLOORS, Facts, judged
from MyoPINNLib.environment.machine import find_gpus, planned
from MyoPINNLib.environment.status import Memory
from MyoPINNLib.errors import Cancelled, EngineError, InputError
from MyoPINNLib.launching import launch
from MyoPINNLib.network_settings import Device
from MyoPINNLib.one_shot_settings import OneShotSettings
from MyoPINNLib.settings import FitSettings, Method, Settings

GB = 1e9


@pytest.fixture(scope="session")
def the_made(tmp_path_factory, the_packages) -> EngineEnvironment:
    """One that real pip has made; nobody changes it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "requirements.txt").write_text("tensorflow>=2.18\n")
    made = EngineEnvironment(folder / "engine", folder / "requirements.txt", machine=lambda: LINUX)
    made.make(made.plan(the_packages).recipe).wait(60)
    return made


def names_in(folder: Path) -> list[str]:
    return sorted(path.name.partition("-")[0] for path in folder.iterdir())


def wait_for(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def settings(method: Method, device: Device = Device.CPU) -> Settings:
    return Settings(fit=FitSettings(method=method, one_shot=OneShotSettings(device=device)))


# --- a whole life of it, with real pip


def test_an_installation_from_a_local_folder_is_ready_and_remembered(the_made):
    status = the_made.status
    assert status.state is EnvironmentState.READY
    assert status.tensorflow == "2.99.1" and status.size > 0
    assert status.sentence.startswith("TensorFlow 2.99.1 on the CPU, ")
    assert names_in(the_made.folder) == ["environment.json", "packages"]


def test_the_engine_finds_the_packages_and_they_come_before_its_own(the_made):
    python, env = the_made.python_and_env(settings(Method.COMBINED))
    program = "import tensorflow, MyoPINNLib, numpy; print(tensorflow.__version__, tensorflow.__file__)"
    out, _ = launch([python, "-c", program], env).communicate(timeout=20)
    version, place = out.decode().split()
    assert version == "2.99.1" and Path(place).is_relative_to(the_made.folder)


@pytest.mark.parametrize("method", [Method.NLLS, Method.MAP, Method.FERMI, Method.ONE_SHOT])
def test_methods_without_tensorflow_run_in_slicer_s_own_python_without_the_packages(the_made, method):
    python, env = the_made.python_and_env(settings(method))
    assert python == sys.executable
    assert str(the_made.folder) not in env.get("PYTHONPATH", "")


def test_one_shot_that_would_like_a_gpu_takes_the_environment_where_it_is(the_made, an_environment):
    wish = settings(Method.ONE_SHOT, Device.AUTO)
    assert str(the_made.folder) in the_made.python_and_env(wish).env["PYTHONPATH"]
    assert str(an_environment.folder) not in an_environment.python_and_env(wish).env.get("PYTHONPATH", "")


def test_a_check_finds_what_was_broken_and_a_repair_heals_it(an_environment, the_packages):
    an_environment.make(Recipe(source=the_packages)).wait(60)
    (module,) = an_environment.folder.glob("packages-*/tensorflow/__init__.py")
    module.write_text("raise OSError('libm is gone')")
    assert an_environment.check().wait(60).state is EnvironmentState.BROKEN
    assert an_environment.status.sentence == "tensorflow is there but does not load (OSError: libm is gone)."
    assert an_environment.repair().wait(60).state is EnvironmentState.READY
    assert names_in(an_environment.folder) == ["environment.json", "packages"]


def test_a_removal_leaves_nothing(an_environment, the_packages):
    an_environment.make(Recipe(source=the_packages)).wait(60)
    assert an_environment.remove().wait(20).state is EnvironmentState.MISSING
    assert not an_environment.folder.exists()


def test_a_removal_leaves_what_others_put_into_the_folder(an_environment, the_packages):
    an_environment.make(Recipe(source=the_packages)).wait(60)
    (an_environment.folder / "notes.txt").write_text("mine")
    an_environment.remove().wait(20)
    assert names_in(an_environment.folder) == ["notes.txt"]


def test_a_folder_that_was_not_made_here_is_neither_filled_nor_removed(an_environment, the_packages):
    an_environment.folder.mkdir()
    (an_environment.folder / "thesis.tex").write_text("mine")
    an_environment.remove().wait(20)
    with pytest.raises(InputError, match="holds other files"):
        an_environment.make(Recipe(source=the_packages)).wait(20)
    assert names_in(an_environment.folder) == ["thesis.tex"]


def test_a_cancelled_installation_leaves_the_earlier_one(an_environment, the_packages):
    an_environment.make(Recipe(source=the_packages)).wait(60)
    before = Memory.read(an_environment.folder)
    hanging = replace(an_environment, launch=FakeProcess(PIP, SLEEP))
    work = hanging.make(Recipe(source=the_packages))
    wait_for(lambda: work.poll().stage == "looking up packages")
    work.cancel()
    assert work.state is State.CANCELLED
    wait_for(lambda: names_in(an_environment.folder) == ["environment.json", "packages"])
    assert Memory.read(an_environment.folder) == before


def test_a_first_installation_that_is_cancelled_leaves_no_folder(an_environment, the_packages):
    work = replace(an_environment, launch=FakeProcess(PIP, SLEEP)).make(Recipe(source=the_packages))
    wait_for(lambda: work.poll().stage == "looking up packages")
    work.cancel()
    wait_for(lambda: not an_environment.folder.exists())
    with pytest.raises(Cancelled):
        work.wait()


def test_a_cancel_ends_all_that_the_installation_started(an_environment, the_packages):
    child = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', '{SLEEP}']); print('child', p.pid, flush=True); p.wait()"
    work = replace(an_environment, launch=FakeProcess(PIP, child)).make(Recipe(source=the_packages))
    wait_for(lambda: work.poll() and any(line.startswith("child") for line in work.text))
    pid = int(work.text[-1].split()[1])
    work.cancel()
    wait_for(lambda: not Path(f"/proc/{pid}/cmdline").is_file() or not Path(f"/proc/{pid}/cmdline").read_bytes(), 3)


def test_what_was_installed_and_does_not_work_leaves_the_earlier_one(an_environment, the_packages, tmp_path):
    an_environment.make(Recipe(source=the_packages)).wait(60)
    before = Memory.read(an_environment.folder)
    bad = fill(tmp_path / "bad", "raise ImportError('no AVX')", "3.0")
    with pytest.raises(EngineError, match="What was installed does not work: tensorflow is there but does not load"):
        an_environment.make(Recipe(source=bad)).wait(60)
    assert Memory.read(an_environment.folder) == before and an_environment.status.state is EnvironmentState.READY
    wait_for(lambda: names_in(an_environment.folder) == ["environment.json", "packages"])


def test_two_installations_are_never_at_once(an_environment, the_packages, monkeypatch):
    monkeypatch.setattr(alone_module, "PATIENCE", 0.2)
    first = replace(an_environment, launch=FakeProcess(PIP, SLEEP)).make(Recipe(source=the_packages))
    wait_for(lambda: first.poll().stage == "looking up packages")
    with pytest.raises(InputError, match=rf"Another MyoPINN \(process {os.getpid()}\) installs into"):
        an_environment.make(Recipe(source=the_packages)).wait(20)
    first.cancel()


def test_the_lock_of_a_dead_installation_holds_nobody_up(an_environment, the_packages):
    an_environment.folder.mkdir()
    (an_environment.folder / "busy").write_text(" 1")
    (an_environment.folder / "packages-0a1b2c3d").mkdir()
    (an_environment.folder / "workshop-0a1b2c3d").mkdir()
    an_environment.make(Recipe(source=the_packages)).wait(60)
    assert names_in(an_environment.folder) == ["environment.json", "packages"]


# --- what is told when it does not work


def failure(environment: EngineEnvironment, recipe: Recipe) -> str:
    with pytest.raises((EngineError, InputError)) as caught:
        environment.make(recipe).wait(60)
    return caught.value.sentence


def test_a_folder_is_filled_by_real_pip_with_the_command_that_is_told(tmp_path, the_packages):
    (tmp_path / "requirements.txt").write_text("tensorflow>=2.98\n")
    command = [sys.executable, "-m", *fill_command().split(), "--no-index", "--find-links", the_packages]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    assert sorted(path.name.partition("-")[0] for path in tmp_path.glob("*.whl")) == ["keras", "tensorflow"]


def test_a_package_that_the_local_folder_lacks_is_named(an_environment, tmp_path):
    wheel(tmp_path / "few", "keras", "3.9", "")
    assert failure(an_environment, Recipe(source=str(tmp_path / "few"))) == (
        f'The folder "{tmp_path / "few"}" has no tensorflow>=2.18 for this computer and its Python.'
    )


def test_a_local_folder_without_packages_is_told_before_pip_runs(an_environment, tmp_path):
    assert "holds no packages" in failure(replace(an_environment, launch=FakeProcess()), Recipe(source=str(tmp_path)))
    assert "holds no packages" in an_environment.plan(str(tmp_path)).obstacle


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_the_right_to_write_is_told(an_environment, the_packages, tmp_path):
    tmp_path.chmod(0o500)
    assert "cannot be written to: Permission denied" in failure(an_environment, Recipe(source=the_packages))


def test_a_file_in_the_place_of_the_folder_is_told(an_environment, the_packages):
    an_environment.folder.write_text("")
    assert "cannot be written to" in failure(an_environment, Recipe(source=the_packages))


def test_a_python_without_pip_is_told(an_environment, the_packages):
    fake = FakeProcess("import sys; sys.exit('No module named pip')")
    assert failure(replace(an_environment, launch=fake), Recipe(source=the_packages)) == (
        f"{sys.executable} has no pip, which installs packages."
    )


def test_a_python_that_is_too_old_is_told_with_both_versions(an_environment, the_packages):
    fake = FakeProcess('print("pip 23.0 from /x/pip (python 3.9)")')
    assert failure(replace(an_environment, launch=fake), Recipe(source=the_packages)) == (
        f"{sys.executable} is Python 3.9, and TensorFlow needs 3.10 or later."
    )


def test_a_python_that_is_not_there_is_told(an_environment, the_packages):
    gone = replace(an_environment, python="/nowhere/python")
    assert failure(gone, Recipe(source=the_packages)) == (
        "The Python /nowhere/python could not be started: No such file or directory."
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full."),
        ("OSError: [Errno 13] Permission denied: '/opt'", "The folder cannot be written to."),
        ("WARNING: Retrying ... NewConnectionError('...: [Errno -3] Temporary failure in name resolution')", "The package server was not reached."),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out", "The package server was not reached."),
        ("(Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "The package server's certificate was refused."),
        ("ERROR: No matching distribution found for tensorflow>=2.18", "The package server has no tensorflow>=2.18 for this computer and its Python."),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "A package did not arrive whole."),
        ("what nobody foresaw", "pip stopped (exit code 2)."),
    ],
)  # fmt: skip
def test_what_pip_says_of_its_failure_becomes_one_sentence_and_a_hint(line, sentence):
    told = why_pip_failed(["Collecting tensorflow", line], 2, Recipe())
    assert told.sentence == sentence and told.hint


def test_without_a_network_the_server_counts_and_not_the_package(an_environment):
    lines = [
        "Retrying after connection broken by 'NewConnectionError'",
        "No matching distribution found for tensorflow",
    ]
    assert why_pip_failed(lines, 1, Recipe()).sentence == "The package server was not reached."


def test_a_server_that_is_not_reached_is_told(an_environment):
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")} | nowhere
    assert failure(replace(an_environment, env=env), Recipe()) == "The package server was not reached."
    wait_for(lambda: not an_environment.folder.exists())


# --- what pip is asked, and how far it is


def test_pip_is_asked_for_the_gpu_s_libraries_only_where_there_is_one():
    plain, gpu = (pip_command("py", Path("t"), Path("r.txt"), Recipe(gpu)) for gpu in (False, True))
    assert [word for word in gpu if word not in plain] == ["tensorflow[and-cuda]"]


def test_pip_s_own_settings_cannot_lead_it_elsewhere(an_environment, the_packages, monkeypatch):
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")
    assert an_environment.make(Recipe(source=the_packages)).wait(60).state is EnvironmentState.READY


def test_progress_counts_the_bytes_that_are_there_whatever_pip_says(tmp_path):
    (tmp_path / "pip-unpack-x1").mkdir()
    package, seconds = tmp_path / "pip-unpack-x1" / "tensorflow-2.21.whl", iter(range(0, 1000, 10))
    hearing = Hearing(1000.0, lambda: bytes_loaded(tmp_path), lambda: next(seconds))
    hearing.hear("  Downloading tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl (572.4 MB)")
    package.write_bytes(bytes(500))
    progress = hearing.hear("")
    assert (progress.detail, progress.seconds_left) == ("tensorflow", 20.0)
    assert progress.fraction == pytest.approx(0.02 + 0.68 * 0.5)
    assert hearing.hear("Installing collected packages: keras, tensorflow").fraction == pytest.approx(0.7)


# --- the plan


def test_the_plan_says_what_is_downloaded_where_to_and_how_much():
    text = planned(Path("/data/engine"), LINUX, free=lambda _: 76e9).text
    assert "downloaded from the internet (about 0.7 GB)" in text
    assert '"/data/engine", where they take about 2.3 GB (76 GB are free)' in text
    assert "It computes on the CPU: no NVIDIA GPU was found." in text


def test_with_an_nvidia_gpu_on_linux_its_libraries_come_along():
    plan = planned(Path("/data"), replace(LINUX, gpus=("NVIDIA H200",)), free=lambda _: 76e9)
    assert plan.recipe.gpu and plan.disk == pytest.approx(6.5 * GB)
    assert "It will compute on the GPU (NVIDIA H200)." in plan.text


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (Machine("Windows", "AMD64", ("RTX",)), "TensorFlow has no GPU on Windows"),
        (Machine("Linux", "aarch64", ("GH200",)), "for aarch64 have no GPU"),
        (Machine("Darwin", "arm64"), "no GPU on a Mac"),
    ],
)
def test_a_gpu_that_tensorflow_cannot_use_is_told(machine, said):
    plan = planned(Path("/data"), machine, free=lambda _: 76e9)
    assert said in plan.text and not plan.recipe.gpu and not plan.obstacle


def test_an_intel_mac_is_told_that_tensorflow_stops_there():
    plan = planned(Path("/data"), Machine("Darwin", "x86_64"), free=lambda _: 76e9)
    assert "stops at version 2.16" in plan.obstacle and "need no TensorFlow" in plan.hint


def test_a_disk_without_room_is_told_with_both_numbers():
    plan = planned(Path("/data"), LINUX, free=lambda _: 1.2e9)
    assert plan.obstacle == "The disk has 1.2 GB free, and TensorFlow needs 3.0 GB while it is installed."


def test_the_driver_s_files_name_the_gpus(tmp_path):
    (tmp_path / "0000:01:00.0").mkdir()
    (tmp_path / "0000:01:00.0" / "information").write_text("Model: \t NVIDIA H200\nIRQ:   1\n")
    assert find_gpus(tmp_path, run=None) == ("NVIDIA H200",)


@pytest.mark.parametrize("trouble", [OSError(2, "gone"), subprocess.TimeoutExpired("x", 5), None])
def test_nvidia_s_tool_is_asked_where_the_driver_has_no_files(tmp_path, monkeypatch, trouble):
    def run(command, **options):
        if trouble:
            raise trouble
        return subprocess.CompletedProcess(command, 0, stdout="NVIDIA RTX A2000\n")

    monkeypatch.setattr("MyoPINNLib.environment.machine.shutil.which", lambda name: f"/usr/bin/{name}")
    assert find_gpus(tmp_path, run) == (() if trouble else ("NVIDIA RTX A2000",))


# --- what is remembered


def test_nothing_is_there_before_the_first_installation(an_environment):
    assert an_environment.status.state is EnvironmentState.MISSING
    assert "TensorFlow is not installed" in an_environment.status.sentence
    assert an_environment.check().wait(5).state is EnvironmentState.MISSING
    assert an_environment.remove().wait(5).state is EnvironmentState.MISSING
    assert not an_environment.folder.exists()


def test_a_network_without_tensorflow_is_refused_with_a_way_out(an_environment):
    with pytest.raises(InputError, match="TensorFlow is needed and is not ready"):
        an_environment.python_and_env(settings(Method.REDUCED))


def test_packages_of_another_python_are_not_used(the_made):
    later = replace(the_made, version=(3, 99))
    assert later.status.state is EnvironmentState.BROKEN
    assert later.status.sentence.endswith(f"{sys.version_info[1]}.{sys.version_info[2]}, and this is Python 3.99.")


def test_packages_that_somebody_deleted_are_told(an_environment):
    an_environment.folder.mkdir()
    Memory(packages="packages-0a1b2c3d", status=replace(an_environment.status, tensorflow="2.21")).write(
        an_environment.folder
    )
    assert an_environment.status.sentence == "The environment's packages were taken away."


@pytest.mark.parametrize("text", ["", "[]", '{"packages": 1}', '{"packages": "../../home"}', "\0"])
def test_a_memory_that_cannot_be_read_is_broken_and_leads_nowhere(an_environment, text):
    an_environment.folder.mkdir()
    whole = json.loads(text) if text.startswith("{") else None
    if whole:
        Memory().write(an_environment.folder)
        text = json.dumps(json.loads((an_environment.folder / "environment.json").read_text()) | whole)
    (an_environment.folder / "environment.json").write_text(text)
    assert an_environment.status.state is EnvironmentState.BROKEN
    with pytest.raises(InputError, match="cannot be read"):
        an_environment.python_and_env(settings(Method.COMBINED))


# --- a Python of the user's own


@pytest.fixture
def a_named(an_environment, tmp_path, the_packages) -> EngineEnvironment:
    """An environment whose TensorFlow lies in a Python that the user names."""
    named_env = {**os.environ, "PYTHONPATH": named_packages(tmp_path / "own", the_packages)}
    return replace(an_environment, named=sys.executable, named_env=named_env, python="/slicer/PythonSlicer")


def test_a_named_python_computes_once_it_was_checked_and_what_needs_no_tensorflow_stays_in_slicer_s(a_named):
    assert a_named.status.sentence == "The Python of your own was not checked yet."
    a_named.check().wait(60)
    assert a_named.status.sentence == "TensorFlow 2.99.1 on the CPU."
    assert a_named.python_and_env(settings(Method.COMBINED)).python == sys.executable
    assert a_named.python_and_env(settings(Method.MAP)).python == "/slicer/PythonSlicer"


def test_another_named_python_is_another_that_was_not_checked(a_named):
    a_named.check().wait(60)
    assert replace(a_named, named="/other/python").status.state is EnvironmentState.MISSING


def test_a_program_that_is_no_python_is_never_run():
    with pytest.raises(InputError, match="is no path of a Python"):
        check_python("/bin/rm", launch=FakeProcess()).wait(5)


def test_the_folder_of_an_environment_stands_for_its_python(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    assert python_in(str(tmp_path)) == str(tmp_path / "bin" / "python")
    assert python_in("/opt/python3") == "/opt/python3"


GOOD = {name: {"library": name, "version": ".".join(map(str, floor)) + ".1"} for name, floor in FLOORS.items()}


@pytest.mark.parametrize(
    ("facts", "code", "said"),
    [
        (Facts(), 1, "/x/python is no Python that answers (exit code 1)."),
        (Facts(python=(3, 8, 1)), 0, "/x/python is Python 3.8.1, and MyoPINN needs 3.10 or later."),
        (Facts((3, 12), {"numpy": {"error": "ModuleNotFoundError", "missing": True}}), 0, "/x/python has no numpy."),
        (Facts((3, 12), GOOD | {"tensorflow": {"version": "2.15.0"}}), 0, "tensorflow is version 2.15.0 in /x/python, and MyoPINN needs 2.18 or later."),
        (Facts((3, 12), {}, "tensorflow"), -4, "tensorflow ended the whole Python (ended by SIGILL)."),
    ],
)  # fmt: skip
def test_a_python_that_cannot_compute_is_told_why(facts, code, said):
    status = judged(facts, code, "/x/python")
    assert status.state is EnvironmentState.BROKEN and status.sentence == said and status.hint


def test_the_gpu_that_tensorflow_sees_is_named():
    status = judged(Facts((3, 12, 1), GOOD, devices=("NVIDIA H200",), done=True), 0, "/x/python")
    assert status.sentence == "TensorFlow 2.18.1 on NVIDIA H200."


# --- which settings need it


@pytest.mark.parametrize("method", list(Method))
def test_the_networks_need_tensorflow_and_nothing_else_on_the_cpu(method):
    assert needs_tensorflow(settings(method)) == method.is_network


def test_one_shot_needs_tensorflow_where_a_gpu_is_asked_for():
    assert needs_tensorflow(settings(Method.ONE_SHOT, Device.GPU))
    assert not needs_tensorflow(settings(Method.ONE_SHOT, Device.AUTO))


def test_the_floors_are_those_of_the_project():
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    for name in ("numpy", "scipy", "SimpleITK", "tensorflow"):
        assert f'"{name}>={".".join(map(str, FLOORS[name]))}"' in project


def test_the_requirements_name_tensorflow_with_the_project_s_floor():
    text = (Path(__file__).parents[2] / "MyoPINN" / "Resources" / "requirements.txt").read_text(encoding="utf-8")
    assert "tensorflow>=2.18\n" in text and "numpy>=2.0\n" in text
