"""How fast a step of the paper's networks is beside plain TensorFlow, whether both train alike, and how soon training begins.

The two step in turn in this process, three times; medians count. make bench runs this; alone:
python Testing/Benchmarks/bench_networks.py [--write]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from page import Section, asked

from MyoPINNLib.events import Progress, from_line
from MyoPINNLib.fit import PARAMETERS
from MyoPINNLib.network_settings import NetworkSettings
from MyoPINNLib.quantities import minutes_from_seconds, shown
from MyoPINNLib.settings import Method
from MyoPINNLib.simulate import objects
from MyoPINNLib.solvers.door import load_tensorflow

load_tensorflow()

from plain_network import PlainTraining  # noqa: E402

from MyoPINNLib.solvers.pinn import warm  # noqa: E402
from MyoPINNLib.solvers.pinn.device import VERSION  # noqa: E402
from MyoPINNLib.solvers.pinn.mesh import MeshObjective  # noqa: E402
from MyoPINNLib.solvers.pinn.network import PerfusionNetwork  # noqa: E402
from MyoPINNLib.solvers.pinn.objective import Objective  # noqa: E402
from MyoPINNLib.solvers.pinn.problem import slice_problems  # noqa: E402
from MyoPINNLib.solvers.pinn.training import Training  # noqa: E402

WANTED_MS = {1200: 20, 4800: 55}
METHODS = (Method.COMBINED, Method.TWO_COMPARTMENT, Method.REDUCED)
UNDER_WAY = 400
TURNS, OURS_A_TURN, PLAIN_A_TURN = 3, 20, 8
ALIKE_CURVES, ALIKE_STEPS, NEAR = 1200, 30, 300
FIRST_STEP_CURVES = 300


class Case:
    """Our training of one method on a twin of ``voxels`` curves, and the plain one of the same."""

    def __init__(self, method, voxels):
        reference = objects.twin(seed=11, voxels=voxels)
        self.reference, curves, self.settings = reference, reference.curves, NetworkSettings()
        wanted, undelayed = np.ones(voxels, dtype=bool), np.zeros(voxels)
        self.problem = slice_problems(curves, reference.aif, wanted, undelayed)[0]
        self.network = PerfusionNetwork(method, voxels, self.settings, np.random.SeedSequence([1, 0]))
        if method is Method.MESH:
            objective = MeshObjective(self.network, self.problem, self.settings, reference.aif)
        else:
            objective = Objective(self.network, self.problem, self.settings)
        self.ours = Training(self.network, objective, self.settings)

    def plain(self, dtype="float32"):
        """The plain training, in the state that ours is in."""
        reference = self.reference
        minutes, times = minutes_from_seconds(reference.curves.time[0]), self.ours.objective.random_times
        kinetics = {name: value.numpy() for name, value in self.network.parameters().items()}
        curves = (minutes, reference.curves.C_t.T, reference.aif.C_ap)
        plain = PlainTraining(self.network.method.value, *curves, kinetics, times, dtype)
        twins = {id(variable): twin for variable, twin in zip(self._variables(), plain.trained)}
        plain.optimise(twins[id(variable)] for variable in self.network.trainable_variables)
        self.put(plain)
        return plain

    def put(self, plain):
        """The state of ours into the plain training."""
        moments = self.ours.adam.moments
        first, second = ([v for name, v in moments.items() if f"adam/{kind}/" in name] for kind in ("first", "second"))
        plain.take(self._variables(), first, second, self.ours.step)

    def _variables(self):
        network = self.network
        trunk = [v for hidden in network.hidden for v in (hidden.kernel, hidden.bias, hidden.scale, hidden.shift)]
        return [*trunk, network.head_kernel, network.head_bias, *network.kinetics.values()]


def milliseconds(case, plain):
    """Medians (ours, plain) in ms a step, in turn; tracing is not counted."""
    case.ours.advance(2), float(plain.step())
    spent = []
    for _ in range(TURNS):
        begun = time.perf_counter()
        case.ours.advance(OURS_A_TURN)
        turned = time.perf_counter()
        losses = [plain.step() for _ in range(PLAIN_A_TURN)]
        float(losses[-1])
        spent.append(((turned - begun) / OURS_A_TURN, (time.perf_counter() - turned) / PLAIN_A_TURN))
    return np.median(spent, axis=0) * 1e3


def speed(section):
    """Ours and the plain one, ms a step, of a training that is under way (from a random start)."""
    section.say("", f"A step of a training that is under way (after {UNDER_WAY} steps), in turn with plain TensorFlow:")
    row = section.table(["method", "voxels", "ms", "wanted", "plain, ms", "times faster (wanted 4)"])
    for voxels, wanted in WANTED_MS.items():
        for method in METHODS:
            case = Case(method, voxels)
            case.ours.advance(UNDER_WAY)
            ours, plain = milliseconds(case, case.plain())
            row(method.value, voxels, f"{ours:.1f}", wanted, f"{plain:.0f}", f"{plain / ours:.1f}")
        mesh = Case(Method.MESH, voxels).ours
        mesh.advance(2)
        begun = time.perf_counter()
        mesh.advance(OURS_A_TURN)
        each = (time.perf_counter() - begun) / OURS_A_TURN
        row(f"{Method.MESH.value}, steps 3 to {2 + OURS_A_TURN}", voxels, f"{each * 1e3:.1f}", "–", "–", "–")


def losses_of(case):
    """Losses over ``ALIKE_STEPS`` steps from the state of ours: ours, the plain one's at each state that ours went through,
    and of runs of their own the plain one's and the plain one's in float64.
    """
    along, plain, exact = case.plain(), case.plain(), case.plain("float64")
    rows = []
    for _ in range(ALIKE_STEPS):
        case.put(along)
        here = float(along.here())
        rows.append((case.ours.advance(1)["total"], here, float(plain.step()), float(exact.step())))
    return np.array(rows).T


def apart(one, other):
    """Largest relative difference."""
    return np.abs(one / other - 1).max()


def alike(section):
    """How far the losses of both come apart, from the start and near convergence, and what of that is rounding."""
    words = "largest relative difference of the loss from plain TensorFlow's; the last column is rounding alone"
    section.say("", f"{ALIKE_CURVES} voxels, {ALIKE_STEPS} steps: {words}:")
    compared = ["at the same states (wanted 1e-5)", "each on its own", "plain, float32 and float64"]
    row = section.table(["method", "from", "loss", *compared])
    for method in METHODS:
        begin, near = Case(method, ALIKE_CURVES), Case(method, ALIKE_CURVES)
        truth = {name: shown(name, value) for name, value in near.reference.truth.items() if name in PARAMETERS}
        warm.start_at(near.network, near.problem, near.reference.aif, truth)
        near.ours.advance(NEAR)
        for label, case in (("the start", begin), ("near convergence", near)):
            ours, here, plain, exact = losses_of(case)
            differ = (apart(ours, here), apart(ours, plain), apart(plain, exact))
            row(method.value, label, f"{ours[-1]:.1e}", *(f"{value:.0e}" for value in differ))


def first_step(section):
    """Seconds from the start of the command to its first training step."""
    reference = objects.twin(seed=11, voxels=FIRST_STEP_CURVES)
    time_s, names = reference.curves.time[0], [f"curve{number}" for number in range(FIRST_STEP_CURVES)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "curves.csv")
        table = np.column_stack([time_s, reference.aif.C_ap, reference.curves.C_t.T])
        np.savetxt(path, table, delimiter=",", header=",".join(["time_s", "C_ap_mM", *names]), comments="")
        command = [
            sys.executable,
            "-m",
            "MyoPINNLib",
            "fit",
            path,
            "--method",
            "combined",
            "--steps",
            "100",
            "--T_a",
            "fixed",
        ]
        begun, seconds = time.perf_counter(), None
        with subprocess.Popen(
            [*command, "-o", Path(folder, "out.csv"), "--events"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as run:
            for line in run.stdout:
                event = from_line(line)
                if seconds is None and isinstance(event, Progress) and event.losses:
                    seconds = time.perf_counter() - begun
    if run.returncode or seconds is None:
        raise SystemExit(f"the fit ended with exit code {run.returncode} and no training step")
    command = f"`fit --method combined` of {FIRST_STEP_CURVES} curves"
    section.say(f"{command}: first training step after {seconds:.1f} s (wanted < 15).")


def main():
    """Tell each figure beside what is wanted of it."""
    given, section = asked(__doc__), Section("network steps", f"TensorFlow {VERSION}.")
    first_step(section)
    alike(section)
    speed(section)
    if given.write:
        section.write()


if __name__ == "__main__":
    main()
