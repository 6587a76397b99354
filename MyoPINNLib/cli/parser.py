"""The command line's options, and settings from them: shown units, checked where every other setting is checked."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from .. import __version__
from ..errors import InputError
from ..network_settings import Collocation, Device, Normalisation, Shift, Start
from ..settings import (
    DEFAULT_METHOD,
    Bolus,
    Conversion,
    Delay,
    Input,
    Method,
    Settings,
    SliceLevel,
    Spatial,
    settings_from_json,
)
from ..untrusted import json_object

OF_ONE_STUDY = ("insertion_lps_mm", "levels")
MAX_SETTINGS_BYTES = 1_000_000


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence and a hint."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError instead of printing the usage and leaving."""
        sentence = message[:1].upper() + message[1:]
        raise InputError(f"{sentence.rstrip('.')}.", f"See: {self.prog} --help")


def _words(kind) -> str:
    return "|".join(str(member.value) for member in kind)


# option, where in the JSON settings, type, metavar, help
_METHOD = ("--method", ("fit", "method"), str, _words(Method), f"how curves are fitted ({DEFAULT_METHOD.value})")
_STUDY_OPTIONS = (
    _METHOD,
    (
        "--spatial",
        ("fit", "spatial"),
        str,
        _words(Spatial),
        "neighbours have a say, across no border; map and one-shot (none)",
    ),
    ("--hct", ("hct",), float, "FRACTION", "haematocrit (0.45)"),
    ("--density", ("density_g_mL",), float, "G_PER_ML", "density of the myocardium, g/mL (1.05)"),
    ("--conversion", ("signal", "conversion"), str, _words(Conversion), "signal to concentration (with the train)"),
    ("--bolus", ("signal", "bolus"), str, _words(Bolus), "how the agent was given (single)"),
    ("--dose-ratio", ("signal", "dose_ratio"), float, "RATIO", "pre-bolus / main bolus (0.1)"),
    ("--TS", ("signal", "TS_ms"), float, "MS", "saturation to k-space centre, ms (from the files)"),
    ("--TR", ("signal", "TR_ms"), float, "MS", "between readout pulses, ms (from the files)"),
    ("--flip-angle", ("signal", "flip_angle_deg"), float, "DEG", "of the readout pulses, degrees (from the files)"),
    ("--pulses", ("signal", "pulses"), int, "N", "readout pulses up to the k-space centre (from the files)"),
    ("--relaxivity", ("signal", "relaxivity_per_s_mM"), float, "R1", "of the agent, 1/s/mM (4.9)"),
    ("--T1-blood", ("signal", "T1_blood_ms"), float, "MS", "native T1 of blood, ms (1650)"),
    ("--T1-myocardium", ("signal", "T1_myocardium_ms"), float, "MS", "native T1 of myocardium, ms (1150)"),
    ("--baseline-frames", ("signal", "baseline_frames"), int, "N", "frames before the bolus (found)"),
    ("--segments", ("aha", "segments"), int, "16|17", "AHA model (16)"),
    ("--levels", ("aha", "levels"), str, "A,B,C", f"level of each slice as stored, of {_words(SliceLevel)} (found)"),
)

_NETWORK_OPTIONS = (
    ("--steps", "steps", int, "N", "training steps (25000)"),
    ("--start", "start", str, _words(Start), "where training starts (random)"),
    (
        "--shift",
        "shift",
        str,
        _words(Shift),
        "arterial delay: none, or the input shifted by the T_a of NLLS or --start (off)",
    ),
    ("--device", "device", str, _words(Device), "where to compute (auto: a GPU if there is one)"),
    ("--threads", "threads", int, "N", "CPU threads (all)"),
    ("--training-seed", "seed", int, "N", "of weights and random times (1)"),
    (
        "--early-stop",
        "early_stop",
        float,
        "SHARE",
        "end when the loss falls by less over a tenth of the steps (0: never)",
    ),
    ("--learning-rate", "learning_rate", float, "RATE", "of Adam (0.001)"),
    ("--layers", "layers", int, "N", "hidden layers (2)"),
    ("--width", "width", int, "N", "units a layer (32)"),
    ("--normalisation", "normalisation", str, _words(Normalisation), "after each layer (affine)"),
    ("--w-data", "w_data", float, "W", "weight of the data (5)"),
    ("--w-residual", "w_residual", float, "W", "weight of the equations' residuals (1)"),
    ("--w-initial", "w_initial", float, "W", "weight of the start at zero (1)"),
    ("--w-positive", "w_positive", float, "W", "weight of negative concentrations (1)"),
    ("--collocation-points", "collocation_points", int, "N", "random times of the residuals (500; not 2cxm-mesh)"),
    ("--collocation", "collocation", str, _words(Collocation), "when they are drawn (each-step)"),
    ("--mesh-batch", "mesh_batch", int, "N", "samples and random times a step of 2cxm-mesh (4096)"),
    ("--history-every", "history_every", int, "N", "steps between rows of training.csv (100)"),
)
_ONE_SHOT_TOO = ("w_data", "w_residual", "w_initial", "w_positive", "collocation_points", "device")
_ONE_SHOT_OPTIONS = (("--functions", "functions", int, "N", "functions of the trunk at the most (40)"),)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="myopinn", description="Quantitative myocardial perfusion MRI: from a DICOM study to MBF maps."
    )
    parser.add_argument("--version", action="version", version=f"myopinn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    _add_simulate(commands)
    _add_info(commands)
    _add_quantify(commands)
    _add_run(commands)
    _add_fit(commands)
    _add_compare(commands)
    _add_demo(commands)
    return parser


def settings_of(options: argparse.Namespace) -> Settings:
    """Settings from ``--settings FILE`` and, over it, the options that were given."""
    values = _settings_file(options.settings) if options.settings else {}
    for key, where in options.places.items():
        value = getattr(options, key, None)
        if value is not None:
            _put(values, _place(where, options, values), value.split(",") if key == "levels" else value)
    for where, value in _delay(options.T_a):
        _put(values, where, value)
    settings = settings_from_json(values)
    _check_method_options(options, settings)
    return settings


def _place(where: tuple[str, ...], options: argparse.Namespace, values: dict) -> tuple[str, ...]:
    """Where in the settings an option goes: what networks and one-shot both have, to the one that is chosen."""
    method = options.method or values.get("fit", {}).get("method")
    shared = where[:2] == ("fit", "network") and where[-1] in _ONE_SHOT_TOO
    return ("fit", "one_shot", where[-1]) if shared and method == Method.ONE_SHOT.value else where


def _check_method_options(options: argparse.Namespace, settings: Settings) -> None:
    """InputError for an option that the method would not heed."""
    method = settings.fit.method

    def given_of(rows: tuple) -> list[str]:
        return [flag for flag, *_ in rows if getattr(options, flag[2:].replace("-", "_")) is not None]

    only_one_shot = given_of(_ONE_SHOT_OPTIONS)
    if only_one_shot and method is not Method.ONE_SHOT:
        raise InputError(
            f"{only_one_shot[0]} is for one-shot, and the method is {method.value}.", "Add --method one-shot."
        )
    heeded = method is Method.ONE_SHOT
    given = given_of(tuple(row for row in _NETWORK_OPTIONS if not (heeded and row[1] in _ONE_SHOT_TOO)))
    given += ["--start-from"] if options.start_from is not None else []
    if given and not method.is_network:
        networks = "|".join(method.value for method in Method if method.is_network)
        raise InputError(
            f"{given[0]} is for the networks, and the method is {method.value}.",
            f"Add --method {networks}.",
        )


def _delay(word: str | None) -> list[tuple[tuple[str, str], object]]:
    """``--T_a fit``, ``fixed`` (at 0 or the settings' value) or a number of seconds to fix it at."""
    if word is None:
        return []
    if word in [member.value for member in Delay]:
        return [(("fit", "delay"), word)]
    try:
        return [(("fit", "delay"), Delay.FIXED.value), (("fit", "T_a_s"), float(word))]
    except ValueError:
        raise InputError(
            f"--T_a is {word!r}, which is neither a number nor a choice.", f"Choose {_words(Delay)} or seconds."
        ) from None


def _put(values: dict, where: tuple[str, ...], value) -> None:
    for name in where[:-1]:
        values = values.setdefault(name, {})
    values[where[-1]] = value


def _settings_file(path: Path) -> dict:
    """The settings of a JSON file: settings themselves, or a result.json or job.json that holds them.

    Of another study's result the insertion point and the slice levels are left out: they lie in that patient.
    """
    try:
        values = json_object(path, MAX_SETTINGS_BYTES)
    except OSError as error:
        raise InputError(f'The settings "{path.name}" could not be read: {error.strerror}.') from error
    except ValueError as error:
        raise InputError(f'The settings "{path.name}" are not valid JSON.', "Take those of a result.json.") from error
    if isinstance(values.get("settings"), dict):
        values = values["settings"]
        if isinstance(values.get("aha"), dict):
            values["aha"] = {name: value for name, value in values["aha"].items() if name not in OF_ONE_STUDY}
    return Settings.to_json(settings_from_json(values))


def _add_settings(command: argparse.ArgumentParser, rows: tuple) -> None:
    places = {}
    for flag, where, kind, metavar, words in rows:
        places[flag[2:].replace("-", "_")] = where
        command.add_argument(flag, type=kind, metavar=metavar, help=words)
    command.add_argument(
        "--T_a",
        "--delay",
        metavar="fit|fixed|S",
        help="arterial delay: fitted (networks: see --shift), fixed at 0, or fixed at S seconds (fit)",
    )
    places["input"] = ("fit", "input")
    command.add_argument(
        "--input",
        metavar=_words(Input),
        help="map and one-shot: fit the arterial input with the tissue where it is noisy, or take it as measured (measured)",
    )
    command.add_argument("--settings", type=Path, metavar="FILE", help="all settings as JSON, as in a result.json")
    networks = command.add_argument_group("the paper's networks (2cxm, 2cxm-mesh, reduced, combined)")
    for flag, name, kind, metavar, words in _NETWORK_OPTIONS:
        places[flag[2:].replace("-", "_")] = ("fit", "network", name)
        networks.add_argument(flag, type=kind, metavar=metavar, help=words)
    one_shot = command.add_argument_group(
        "the one-shot solver", "It also takes the networks' weights (--w-...), --collocation-points and --device (cpu)."
    )
    for flag, name, kind, metavar, words in _ONE_SHOT_OPTIONS:
        places[flag[2:].replace("-", "_")] = ("fit", "one_shot", name)
        one_shot.add_argument(flag, type=kind, metavar=metavar, help=words)
    networks.add_argument("--start-from", type=Path, metavar="FILE", help="weights.npz of an earlier study")
    command.set_defaults(places=places)


def _command(commands, name: str, words: str, *, events: bool = False) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    command.add_argument("--quiet", action="store_true", help="no progress and no notes")
    command.add_argument("--traceback", action="store_true", help=argparse.SUPPRESS)
    if events:
        command.add_argument("--events", action="store_true", help="progress as one JSON object a line on stdout")
    command.set_defaults(command=name, **({} if events else {"events": False}))
    return command


def _add_study(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "study",
        nargs="+",
        type=Path,
        metavar="STUDY",
        help="a DICOM folder, 4D NRRD or .seq.nrrd files, or NIfTI with a sidecar",
    )
    command.add_argument(
        "--series",
        type=int,
        metavar="N",
        help="number of one DICOM series, where a folder holds several studies' series",
    )
    command.add_argument(
        "--interval", type=float, metavar="S", help="seconds between frames, where DICOM only counts them"
    )


def _add_simulate(commands) -> None:
    command = _command(commands, "simulate", "write a synthetic study as DICOM, with masks and the truth")
    command.add_argument("preset", metavar="PRESET", help="stress, rest, dual-bolus, two-vessel, noisy or fast")
    _add_output(command, "where to write it")
    command.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same study (1)")
    command.add_argument("--noise-free", action="store_true", help="leave the noise out")


def _add_info(commands) -> None:
    _add_study(_command(commands, "info", "say what a study holds and what is doubtful about it"))


def _add_quantify(commands) -> None:
    command = _command(commands, "quantify", "make maps, an AHA table and pictures of a study", events=True)
    _add_study(command)
    command.add_argument(
        "--masks",
        action="append",
        type=Path,
        required=True,
        metavar="FILE",
        help="label map (1 blood pool, 2 myocardium, 3 right ventricle) or .seg.nrrd; again for more files",
    )
    command.add_argument(
        "--insertion", type=Path, metavar="FILE", help="anterior RV insertion point, a Slicer .mrk.json"
    )
    _add_output(command, "an empty or new folder, or an earlier result")
    _add_settings(command, _STUDY_OPTIONS)


def _add_output(command: argparse.ArgumentParser, words: str) -> None:
    command.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help=words)


def _add_run(commands) -> None:
    command = _command(commands, "run", "run a job folder", events=True)
    command.add_argument("job", type=Path, metavar="JOB", help="a folder with job.json")
    command.add_argument("--watch-stdin", action="store_true", help="end when stdin closes")


def _add_fit(commands) -> None:
    command = _command(commands, "fit", "fit plain curves", events=True)
    command.add_argument(
        "curves", type=Path, metavar="CURVES", help=".csv with time_s, C_ap_mM and a column a curve in mM, or .npz"
    )
    command.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the table of parameters, .csv"
    )
    _add_settings(command, (_METHOD,))


def _add_compare(commands) -> None:
    command = _command(
        commands, "compare", "compare segments that were scored by eye with the others, over many studies"
    )
    command.add_argument(
        "tables", nargs="+", type=Path, metavar="TABLE", help="results of quantify, or tables of segments (.csv)"
    )
    command.add_argument("--value", required=True, metavar="COLUMN", help="what is compared: MBF_mL_min_g_median")
    command.add_argument("--by", required=True, metavar="COLUMN", help="the score, 1 or 0: ischaemic")
    command.add_argument(
        "--scores",
        type=Path,
        metavar="FILE",
        help="a table with study (a result's folder), segment and the score, where the tables hold none",
    )
    _add_output(command, "an empty or new folder, or an earlier comparison")


def _add_demo(commands) -> None:
    command = _command(commands, "demo", "simulate a stress study, quantify it and compare with its truth")
    _add_output(command, "where to write study and result")
    command.add_argument(
        "--preset", default="stress", metavar="PRESET", help="another study (stress); dual-bolus needs --bolus dual"
    )
    command.add_argument("--seed", type=int, default=1, metavar="N", help="another heart (1)")
    _add_settings(command, _STUDY_OPTIONS)
