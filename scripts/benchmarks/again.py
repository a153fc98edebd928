"""Measure a sample of the published figures again, and compare.

    python scripts/benchmarks/again.py --data DATA --weights WEIGHTS.h5

Takes one run of each benchmark below out of a copy of its file in results/, lets the benchmark do
what is missing there, and compares each number of the new run with the old one. Both may come from
other versions and processors, whose sums differ in their last bits, so a training ends near the
old one and not on it: figures count as found again within `--points` percent points. Seconds are
no such figures. Resumable; writes results/again.json. About fifteen minutes on two CPU cores.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from record import RESULTS, ROOT, run_missing

SAMPLE = {
    "label_shift": ("digits-digits_m dann as-they-are 0", ()),
    "pacs": ("photo-sketch dann 0", ()),
    "search_regret": ("photo art_painting 0", ()),
    "shots": ("mme 3 0", ()),
    "pacs_end_to_end": (
        "photo-art_painting mcc+ 0",
        ("--tasks", "photo-art_painting", "--methods", "mcc+", "--seeds", "0"),
    ),
}
"""One run of each benchmark, by its key in `runs`, and words that keep it to that run."""
OF_MACHINES = ("seconds", "step_ms", "cost")
"""Numbers that no two machines share."""


def numbers_of(value, name: str = "") -> dict[str, float]:
    """Return the numbers of a run by dotted names, without those that machines decide."""
    if isinstance(value, dict):
        parts = (numbers_of(v, f"{name}.{k}".lstrip(".")) for k, v in value.items())
        return {key: number for part in parts for key, number in part.items()}
    if isinstance(value, (int, float)) and not name.endswith(OF_MACHINES):
        return {name or "figure": float(value)}
    return {}


def measure_again(name: str, words: list[str]) -> dict[str, list[float]]:
    """Return `{figure: [published, found again]}` of the sampled run of a benchmark.

    Args:
        name: The benchmark.
        words: What its command line is given.
    """
    key, narrow = SAMPLE[name]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{name}.json"
        shutil.copy(RESULTS / copy.name, copy)
        content = json.loads(copy.read_text(encoding="utf-8"))
        published = numbers_of(content["runs"].pop(key))
        copy.write_text(json.dumps(content), encoding="utf-8")
        environment = {**os.environ, "KERAS_DTL_RESULTS": folder, "PYTHONPATH": str(ROOT)}
        script = Path(__file__).with_name(f"{name}.py")
        subprocess.run([sys.executable, script, *words, *narrow], env=environment, check=True)
        found = numbers_of(json.loads(copy.read_text(encoding="utf-8"))["runs"][key])
    return {figure: [value, found[figure]] for figure, value in published.items()}


def largest_difference(pairs: dict[str, list[float]]) -> float:
    """Return the largest difference of a run's figures."""
    return max(abs(before - after) for before, after in pairs.values())


def result_of(runs, points):
    rows = {}
    for key, pairs in runs.items():
        apart = largest_difference(pairs)
        rows[key] = {"largest_difference": apart, "found_again": apart <= points}
    share = sum(row["found_again"] for row in rows.values()) / len(rows)
    what = "one run of each benchmark measured again; differences of its figures, in their units"
    return {"what": what, "points": points, "found_again": share, "rows": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds pacs/, a folder a domain")
    parser.add_argument("--weights", required=True, help="of MobileNetV2 without its top")
    parser.add_argument("--points", type=float, default=3.0, help="difference that is let pass")
    parser.add_argument("--benchmarks", nargs="+", default=list(SAMPLE), choices=SAMPLE)
    arguments = parser.parse_args()
    photos = ["--folder", str(arguments.data / "pacs"), "--weights", arguments.weights]
    run_missing(
        "again",
        [(name,) for name in arguments.benchmarks],
        lambda name: measure_again(name, photos),
        lambda runs: result_of(runs, arguments.points),
        points=arguments.points,
    )


if __name__ == "__main__":
    main()
