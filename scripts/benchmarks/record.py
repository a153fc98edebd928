"""What every benchmark does with its figures: run what is missing, sum up, write, keep.

A file in results/ says where its figures come from: commit, versions, processor, threads. Where
figures of an earlier run are kept, theirs is listed under `earlier`.
"""

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from keras_dtl.convert.runtimes.cores import core_count
from keras_dtl.files import write_json
from keras_dtl.version import __version__

ROOT = Path(__file__).resolve().parents[2]
# Elsewhere while figures are measured again, see again.py.
RESULTS = Path(os.environ.get("KERAS_DTL_RESULTS") or Path(__file__).parent / "results")
PACKAGES = (
    *("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "scikit-image", "pillow"),
    *("onnxruntime", "onnxruntime-gpu", "onnx", "tf2onnx", "openvino", "nncf"),
    *("tensorflow-datasets", "ray", "torch", "adapt"),
)
"""Whose versions a result records, where they are installed."""
INPUTS = (".", ":!scripts/benchmarks/results", ":!README.md", ":!CHANGELOG.md", ":!docs")
"""Of the checkout, what figures depend on: not on the files that hold them."""


def processor_name() -> str:
    """Return the processor's name, or its architecture where the system does not tell."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.exists() else ()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def package_versions() -> dict[str, str]:
    """Return the versions of Python, keras_dtl and of the `PACKAGES` that are installed."""
    found = {"python": platform.python_version(), "keras_dtl": __version__}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def checkout_state(root: Path = ROOT) -> dict[str, str | bool | None]:
    """Return the commit of a checkout, and whether its code differs from it; None without git."""
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", *INPUTS)
    return {"commit": commit, "uncommitted_changes": None if changes is None else bool(changes)}


def _git(root, *words):
    try:
        answer = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, check=False
        )
    except OSError:  # no git here
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


MACHINE = {
    "cores": os.cpu_count(),
    "threads": core_count(),
    "processor": platform.machine(),
    "processor_name": processor_name(),
}
"""Logical processors, how many of them this process may use, architecture and name."""
# Read when a benchmark starts: a commit made while it runs is not the code that it runs.
ORIGIN = {**checkout_state(), "machine": MACHINE, "versions": package_versions()}
"""Where figures that this process measures come from."""


def in_a_process(script: str, *arguments):
    """Run a benchmark again in a fresh process and return what its last line says.

    Args:
        script: Its `__file__`.
        *arguments: What it is given; they choose the part that it does and prints, as JSON.

    Raises:
        RuntimeError: With the end of its log, when it failed.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, script, *map(str, arguments)]
    answer = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **quiet}, check=False
    )
    if answer.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{answer.stderr[-2000:]}")
    return json.loads(answer.stdout.splitlines()[-1])


def read_result(name: str, **same) -> dict:
    """Return what results/NAME.json holds; nothing where it is of other settings.

    Args:
        name: Name of the benchmark.
        **same: Keys of the file, and what they must hold for its figures to be kept.

    Returns:
        The whole content, or `{}` when there is no such file.
    """
    path = RESULTS / f"{name}.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found if all(found.get(key) == value for key, value in same.items()) else {}


def write_result(
    name: str, result: dict, show: Iterable[str] | None = None, before: dict | None = None
):
    """Write results/NAME.json whole or not at all, with its origin, and print it.

    Args:
        name: Name of the benchmark.
        result: What it measured, with its settings, as JSON holds it.
        show: Keys to print; by default all.
        before: The content of the file whose figures `result` keeps, if it does.
    """
    before = before or {}
    past = [*before.get("earlier", []), {key: before[key] for key in ORIGIN if key in before}]
    earlier = [one for place, one in enumerate(past) if one and one not in past[:place]]
    earlier = [one for one in earlier if one != ORIGIN]
    figures = {key: value for key, value in result.items() if key not in {"earlier", *ORIGIN}}
    origin = {**ORIGIN, "earlier": earlier} if earlier else ORIGIN
    write_json(RESULTS / f"{name}.json", {**origin, **figures})
    if shown := {key: figures[key] for key in (figures if show is None else show)}:
        print(json.dumps(shown, indent=2), flush=True)


class Deadline:
    """When no further run is begun.

    Args:
        minutes: From now; None for never.
    """

    def __init__(self, minutes: float | None = None):
        self.minutes, self.begun = minutes, time.monotonic()

    def is_over(self) -> bool:
        return bool(self.minutes) and time.monotonic() - self.begun > 60 * self.minutes


def run_missing(
    name: str,
    runs: Iterable[tuple],
    run: Callable,
    result_of: Callable[[dict], dict],
    minutes: float | None = None,
    show: Callable = lambda found: found,
    **same,
):
    """Do the runs that results/NAME.json does not hold, and write it after each.

    The file keeps them under `runs`, by their words with spaces between. It is read anew before
    each: another process may have written meanwhile.

    Args:
        name: Name of the benchmark.
        runs: Words of each run, such as `("dann", 0)`.
        run: Function of those words that returns what it found; None is not kept.
        result_of: Function from all runs to the content of the file.
        minutes: Begin none after so many.
        show: Function from what was found to what is printed of it.
        **same: As of `read_result`: runs of other settings are begun anew.
    """
    deadline = Deadline(minutes)
    for words in runs:
        key = " ".join(map(str, words))
        if key in read_result(name, **same).get("runs", {}):
            continue
        if deadline.is_over():
            print("Time is up; the same command goes on.")
            return
        found = run(*words)
        if found is None:
            continue
        print(key, show(found), flush=True)
        before = read_result(name, **same)
        kept = {**before.get("runs", {}), key: found}
        write_result(name, {**result_of(kept), "runs": kept}, show=(), before=before)


def groups(runs: dict[str, object], separator: str = " ") -> dict[str, list]:
    """Return runs that differ in the last word of their key, the seed, in a list."""
    found = {}
    for key, run in runs.items():
        found.setdefault(key.rpartition(separator)[0], []).append(run)
    return found


def summary(values: Iterable[float], name: str = "") -> dict[str, float | None]:
    """Return mean and deviation over runs: `{"mean": .., "sd": ..}`, or NAME_mean and NAME_sd.

    The deviation is that of a sample (n - 1); of a single run it is None.
    """
    values, stem = list(values), f"{name}_" if name else ""
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {f"{stem}mean": statistics.mean(values), f"{stem}sd": deviation}


def column_summary(runs: Iterable[dict[str, float]]) -> dict[str, dict[str, float | None]]:
    """Return mean and deviation of each figure: `{"mean": {figure: ..}, "sd": {figure: ..}}`.

    A figure that some runs lack is that of the others.
    """
    columns = {}
    for run in runs:
        for figure, value in run.items():
            columns.setdefault(figure, []).append(value)
    found = {figure: summary(values) for figure, values in columns.items()}
    return {kind: {figure: one[kind] for figure, one in found.items()} for kind in ("mean", "sd")}
