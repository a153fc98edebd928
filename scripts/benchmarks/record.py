"""What every benchmark does with its figures."""

import json
import os
import platform
from pathlib import Path

from keras_dtl.files import write_json

RESULTS = Path(__file__).parent / "results"
MACHINE = {"cores": os.cpu_count(), "processor": platform.machine()}


def write_result(name, result, show=None):
    """Write results/NAME.json whole or not at all, with the machine, and print it.

    Args:
        name: Name of the benchmark.
        result: What it measured, with its settings, as JSON holds it.
        show: Keys to print; by default all.
    """
    write_json(RESULTS / f"{name}.json", {"machine": MACHINE, **result})
    print(json.dumps({key: result[key] for key in show or result}, indent=2), flush=True)
