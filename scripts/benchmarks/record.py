"""What every benchmark does with its figures."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from keras_dtl.files import write_json

RESULTS = Path(__file__).parent / "results"
MACHINE = {"cores": os.cpu_count(), "processor": platform.machine()}


def in_a_process(script, *arguments):
    """Run a benchmark again in a fresh process and return what its last line says.

    Args:
        script: Its `__file__`.
        *arguments: What it is given; they choose the part that it does and prints, as JSON.

    Raises:
        RuntimeError: With the end of its log, when it failed.
    """
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, script, *map(str, arguments)]
    answer = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **quiet}, check=False
    )
    if answer.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{answer.stderr[-2000:]}")
    return json.loads(answer.stdout.splitlines()[-1])


def write_result(name, result, show=None):
    """Write results/NAME.json whole or not at all, with the machine, and print it.

    Args:
        name: Name of the benchmark.
        result: What it measured, with its settings, as JSON holds it.
        show: Keys to print; by default all.
    """
    write_json(RESULTS / f"{name}.json", {"machine": MACHINE, **result})
    print(json.dumps({key: result[key] for key in show or result}, indent=2), flush=True)
