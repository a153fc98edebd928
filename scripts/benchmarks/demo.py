"""The embedded demonstration over several seeds: how much adaptation gains, and how long it takes.

    python scripts/benchmarks/demo.py

Runs `keras-dtl demo` for each seed, one after the other, and writes results/demo.json. About a
minute a seed on two CPU cores that have nothing else to do.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import column_summary, summary, write_result

METHODS = ("source-only", "dann")


def demonstrate(seed):
    """Return the accuracies on the target's test split, in percent, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "keras_dtl.cli", "demo", "--seed", str(seed)]
        places = ["--output", f"{folder}/runs", "--artifact", f"{folder}/artifact"]
        started = time.monotonic()
        subprocess.run([*command, *places], check=True)
        seconds = time.monotonic() - started
        files = {name: Path(folder) / "runs" / name / "scores.json" for name in METHODS}
        scores = {name: json.loads(file.read_text("utf-8")) for name, file in files.items()}
    accuracies = {name: 100 * score["target"]["accuracy"] for name, score in scores.items()}
    return {"seed": seed, **accuracies, "seconds": round(seconds)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    runs = [demonstrate(seed) for seed in range(parser.parse_args().seeds)]
    gains = [one["dann"] - one["source-only"] for one in runs]
    result = {
        "what": "accuracy on the test split of digits_m in percent, last iterate; no target labels",
        **column_summary({name: one[name] for name in METHODS} for one in runs),
        "gain": {**summary(gains), "least": min(gains)},
        "runs": runs,
    }
    write_result("demo", result)


if __name__ == "__main__":
    main()
