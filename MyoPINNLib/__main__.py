"""``python -m MyoPINNLib`` is the command ``myopinn``.

``-m`` puts the current folder first on the path of imports, and a study's folder may hold a ``numpy.py`` of anyone. So that
place is given up before anything is imported that is not loaded yet. The folder that holds the library stays, but last: a
source folder runs uninstalled, and where it is the site-packages of another Python it hides nothing of this one's.
(``-P`` does the first half from Python 3.11 on; ``engine`` asks for it too.)
"""

from __future__ import annotations

import os
import sys


def _search_own_places_last() -> None:
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if sys.path and sys.path[0] in ("", _here()) and not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    sys.path[:] = [*(place for place in sys.path if place != home), home]


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


if __name__ == "__main__":
    _search_own_places_last()
    from .cli import main

    sys.exit(main())
