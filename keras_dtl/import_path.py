"""From where modules are imported: never from the folder that a command happens to be run in.

Python puts the current folder first on its path under `-m` and `-c`, and so do empty and relative
entries of PYTHONPATH: a file `numpy.py` among photos would be executed. Standard library only, and
none of it but what every Python has loaded, since this runs before anything else is imported.
"""

import os
import sys

PACKAGE = os.path.dirname(os.path.abspath(__file__))

# In an interpreter that was started with -I, which knows neither the current folder nor
# PYTHONPATH: the package is loaded from its own place, whose neighbours are not on the path.
_BEGIN = """
import sys
sys.path[:] = sys.argv[3:]
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("keras_dtl", sys.argv[1] + "/__init__.py")
sys.modules["keras_dtl"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["keras_dtl"])
from importlib import import_module
import_module(sys.argv[2]).main()
"""


def safe_path() -> list[str]:
    """Return the entries of `sys.path` that name a place whatever the current folder is.

    Left out are the current folder itself, whoever put it there, and what PYTHONPATH names
    relative to it.
    """
    here = os.path.realpath(os.curdir)
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    # Python has made them absolute.
    relative = {os.path.realpath(entry) for entry in named if not os.path.isabs(entry)}
    return [
        entry
        for entry in sys.path
        if os.path.isabs(entry) and os.path.realpath(entry) not in {here, *relative}
    ]


def is_command() -> bool:
    """Whether this process was started as one of our commands, not as somebody's own program."""
    started = getattr(sys, "argv", [""])[:1]
    if not started or started == ["-m"]:  # while Python looks for the module of `-m keras_dtl...`
        return bool(started)
    folder, name = os.path.split(os.path.realpath(started[0]))
    scripts = os.path.join(os.path.dirname(PACKAGE), "scripts")
    return os.path.splitext(name)[0] == "keras-dtl" or folder == scripts


def forget_current_folder() -> None:
    """Keep this process from importing anything more from the current folder."""
    sys.path[:] = safe_path()


def command_of(module: str) -> list[str]:
    """Return the command line of a fresh interpreter that calls `main()` of a module of ours.

    It imports from where this process does, but for the folder of the script that was started
    here and the current one.

    Args:
        module: Its dotted name, such as `"keras_dtl.convert.engines.worker"`.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    beside = script and os.path.dirname(os.path.realpath(script))
    paths = [entry for entry in safe_path() if os.path.realpath(entry) != beside]
    return [sys.executable, "-I", "-c", _BEGIN, PACKAGE, module, *paths]


def environment() -> dict[str, str]:
    """Return the environment of this process, its PYTHONPATH without relative entries."""
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    here = os.path.realpath(os.curdir)
    kept = [entry for entry in named if os.path.isabs(entry) and os.path.realpath(entry) != here]
    others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**others, "PYTHONPATH": os.pathsep.join(kept)} if kept else others
