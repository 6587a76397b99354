"""Run by the Python that is asked about, by its path and never imported: says what that Python is and what it holds.

Plain Python, since that may be any version. Each fact is a line of its own, told before the next is looked for, so that a
library which ends the whole process is known by the silence after it.
"""

import importlib
import json
import os
import sys

MARK = "myopinn-probe "


def tell(**fact):
    """One fact as a line of JSON behind the mark."""
    sys.stdout.write("\n" + MARK + json.dumps(fact) + "\n")
    sys.stdout.flush()


def look_at(name):
    """Import a library; its version, or what it raised."""
    tell(looking=name)
    try:
        library = importlib.import_module(name)
    except BaseException as error:
        missing = isinstance(error, ImportError) and getattr(error, "name", None) == name
        tell(library=name, missing=missing, error="%s: %s" % (type(error).__name__, str(error)[:300]))  # noqa: UP031
        return None
    tell(library=name, version=str(getattr(library, "__version__", "")))
    return library


def devices_of(tensorflow):
    """The names of the GPUs that TensorFlow sees."""
    names = []
    for gpu in tensorflow.config.list_physical_devices("GPU"):
        details = tensorflow.config.experimental.get_device_details(gpu)
        names.append(details.get("device_name", "GPU"))
    return names


def bytes_below(folder):
    """Bytes of all files below a folder."""
    places = (os.path.join(root, name) for root, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(place).st_size for place in places)


def main(libraries, folder):
    """Tell all: the version of Python, each library, the GPUs, and the size of ``folder`` if one is given."""
    tell(python=list(sys.version_info[:3]))
    if sys.version_info < (3, 10):  # noqa: UP036 - any Python may be asked
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    found = {name: look_at(name) for name in libraries}
    if found.get("tensorflow") is not None:
        tell(looking="TensorFlow, looking for GPUs,")
        tell(devices=devices_of(found["tensorflow"]))
    if folder:
        tell(size=bytes_below(folder))
    tell(done=True)


if __name__ == "__main__":
    main(sys.argv[2].split(","), sys.argv[1])
