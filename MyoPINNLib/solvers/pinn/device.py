"""Where TensorFlow computes: a GPU if there is one, with memory taken as it is needed, else the CPU's threads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from ...errors import InputError
from ...network_settings import Device, NetworkSettings

VERSION = tf.__version__


def found() -> int:
    """How many GPUs there are."""
    return len(tf.config.list_physical_devices("GPU"))


@contextlib.contextmanager
def chosen(settings: NetworkSettings) -> Iterator[str]:
    """Compute on the device that the settings ask for while the block runs; gives its name in plain words.

    Raises InputError where a GPU is asked for and TensorFlow sees none, and where Keras computes with something else.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"Keras computes with {keras.backend.backend()} in this process, and the networks need TensorFlow.",
            "Set KERAS_BACKEND=tensorflow before Keras is first imported.",
        )
    gpus = tf.config.list_physical_devices("GPU")
    if settings.device is Device.CPU:
        with contextlib.suppress(RuntimeError):  # in use already: then it stays visible, and idle
            tf.config.set_visible_devices([], "GPU")
        gpus = []
    if settings.device is Device.GPU and not gpus:
        raise InputError(
            "TensorFlow sees no GPU on this computer.",
            "Choose the device auto or cpu. On Windows, TensorFlow has no GPU; on Linux: pip install tensorflow[and-cuda].",
        )
    for gpu in gpus:
        with contextlib.suppress(RuntimeError, ValueError):  # already in use: it stays as it is
            tf.config.experimental.set_memory_growth(gpu, True)
    _set_threads(settings.threads)
    with tf.device("/GPU:0" if gpus else "/CPU:0"):
        yield _name(gpus[0]) if gpus else _threads()


def _set_threads(wanted: int | None) -> None:
    """TensorFlow takes a number of threads only before its first work; later it keeps what it has, which ``_threads`` says."""
    if wanted:
        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(wanted)
            tf.config.threading.set_inter_op_parallelism_threads(wanted)


def _threads() -> str:
    count = tf.config.threading.get_intra_op_parallelism_threads()
    return f"CPU, {count} thread{'s' if count > 1 else ''}" if count else "CPU, all threads"


def _name(gpu) -> str:
    details = tf.config.experimental.get_device_details(gpu)
    return f"GPU {details.get('device_name', '')}".strip()
