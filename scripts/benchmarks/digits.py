"""MNIST to MNIST-M beside the published figures: mean and deviation over seeds, last iterate.

    TFDS_DATA_DIR=... python scripts/benchmarks/digits.py

Runs `keras-dtl train` for each method and seed, one after the other; runs that are done are not
repeated and one that was stopped is resumed, so it can be killed at any time. Target labels are
used for the final score alone. Writes results/digits.json. About 45 minutes on two CPU cores.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from keras_dtl.files import write_json

RESULT = Path(__file__).parent / "results" / "digits.json"
SOURCE, TARGET, EPOCHS = "mnist", "mnist_m", 15
# Ganin et al., JMLR 2016, table 2; a linear SVM refits the last layer there, not here.
METHODS = {
    "dann": {"published": 76.66, "words": ["dann"]},
    "source-only": {"published": 52.25, "words": ["source-only"]},
    "target-only": {"published": 95.96, "words": ["source-only", "--labels-from", "target"]},
}


def train(method, seed, folder):
    """Train once, unless that is done, and return the accuracies in percent."""
    run = folder / f"{method}-{seed}"
    scores = run / "scores.json"
    if not scores.exists():
        command = [sys.executable, "-m", "keras_dtl.scripts", "train", *METHODS[method]["words"]]
        settings = {
            "source": SOURCE,
            "target": TARGET,
            "epochs": EPOCHS,
            "seed": seed,
            "output": run,
            "artifact": run / "artifact",
        }
        for name, value in settings.items():
            command += [f"--{name}", str(value)]
        subprocess.run([*command, "--resume"], check=True)
    found = json.loads(scores.read_text(encoding="utf-8"))
    return {domain: 100 * score["accuracy"] for domain, score in found.items()}


def summary(method, runs):
    accuracies = [run["target"] for run in runs]
    return {
        "target_accuracy_mean": statistics.mean(accuracies),
        "target_accuracy_sd": statistics.stdev(accuracies) if len(accuracies) > 1 else None,
        "published": METHODS[method]["published"],
        "runs": runs,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks/digits"))
    arguments = parser.parse_args()
    runs = {}
    for method in METHODS:
        for seed in range(arguments.seeds):
            runs.setdefault(method, []).append(train(method, seed, arguments.folder))
            write_json(RESULT, result_of(runs))
    for method, found in result_of(runs)["methods"].items():
        mean, sd = found["target_accuracy_mean"], found["target_accuracy_sd"] or 0
        print(f"{method:12} {mean:5.2f} +- {sd:4.2f}   published {found['published']:5.2f}")


def result_of(runs):
    return {
        "task": f"{SOURCE} to {TARGET}, {EPOCHS} epochs",
        "selection": "last iterate of each seed from 0; target labels for scoring alone",
        "machine": {"cores": os.cpu_count(), "processor": platform.machine()},
        "methods": {method: summary(method, found) for method, found in runs.items()},
    }


if __name__ == "__main__":
    main()
