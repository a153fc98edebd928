"""README's Python example over several seeds: what adaptation gains, and how long it takes.

    python scripts/benchmarks/readme_example.py --seeds 20

Runs the first block of Python of README.md, each time in a process and a folder of its own, with
another seed in place of its 0, and writes results/readme_example.json. Resumable seed by seed.
About a minute a seed on two CPU cores that have nothing else to do.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import ROOT, run_missing, summary

FENCE = re.compile(r"```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SEED = "keras.utils.set_random_seed(0)"
PRINTED = re.compile(r"^(SourceOnly|DANN): ([0-9.]+)%", re.MULTILINE)


def example(seed):
    """Return README's first block of Python with another seed.

    Raises:
        ValueError: When the block has no seed to take the place of.
    """
    code = FENCE.search((ROOT / "README.md").read_text(encoding="utf-8")).group(1)
    if SEED not in code:
        raise ValueError(f"README's example has no line {SEED}, where a seed could stand.")
    return code.replace(SEED, SEED.replace("0", str(seed)))


def run_once(seed):
    """Return the accuracies that the example prints, in percent, and the seconds it took."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.pathsep.join(paths)}
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        answer = subprocess.run(
            [sys.executable, "-c", example(seed)],
            cwd=folder,
            env={**os.environ, **quiet},
            capture_output=True,
            text=True,
            check=True,
        )
        exported = (Path(folder) / "exported" / "dann" / "1" / "model.onnx").is_file()
    accuracies = {name: float(value) for name, value in PRINTED.findall(answer.stdout)}
    seconds = round(time.monotonic() - started)
    return {**accuracies, "exported": exported, "seconds": seconds}


def result_of(runs):
    """Return what is told of all seeds: gains in points, and how many reach 8."""
    found = list(runs.values())
    gains = [run["DANN"] - run["SourceOnly"] for run in found]
    return {
        "what": "README's Python example; accuracy on the test split of digits_m in percent",
        "example": example(0),
        **{name: summary(run[name] for run in found) for name in ("SourceOnly", "DANN", "seconds")},
        "gain": {**summary(gains), "least": min(gains)},
        "gains_of_8_points": f"{sum(gain >= 8 for gain in gains)} of {len(gains)}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds, from 0")
    parser.add_argument("--minutes", type=float, help="begin no further run after so many")
    arguments = parser.parse_args()
    seeds = [(seed,) for seed in range(arguments.seeds)]
    same = {"example": example(0)}
    run_missing("readme_example", seeds, run_once, result_of, arguments.minutes, **same)


if __name__ == "__main__":
    main()
