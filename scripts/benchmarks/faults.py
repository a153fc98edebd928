"""Conversions that are killed, interrupted and begun again, and what is left of their outputs.

    python scripts/benchmarks/faults.py --kills 60
    python scripts/benchmarks/faults.py --signals 120   # seconds of random signals

Each kill ends a conversion at a random moment: a first one, or one that is made again with another
option, by each engine of this machine. Looked for are half files, and outputs of our own that the
next run refuses. Writes results/faults.json and docs/reliability.md, which is made of that.
"""

import argparse
import collections
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from record import ROOT, read_result, write_result

sys.path.insert(0, str(ROOT))
from keras_dtl.files import write_text
from keras_dtl.images import write_image

PAGE = ROOT / "docs" / "reliability.md"
IMAGES, SIDE = 80, 48
TASKS, ENGINES = ("classifier", "generator"), ("threads", "processes")
WAYS = ("first", "again")
SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}
STATED = {0, 130, -signal.SIGTERM, -signal.SIGINT}
"""Done; Ctrl-C; SIGTERM; Ctrl-C before Python itself had started."""


def artifacts(folder):
    """Write a classifier and a generator of a few operations, without a training."""
    from tests.convert.conftest import write_classifier, write_negative

    return {
        "classifier": write_classifier(folder / "classifier", (8, 8)),
        "generator": write_negative(folder / "generator"),
    }


def photos(folder):
    noise = np.random.default_rng(0)
    for index in range(IMAGES):
        image = noise.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        write_image(folder / f"{index}.png", image)
    return folder


def command(task, engine, way):
    """Return the words between artifact and output: another option makes all outputs again."""
    other = {"classifier": ["--top", "2"], "generator": ["--format", "jpg"]}
    options = other[task] if way == "again" else []
    return ["--engine", engine, "--workers", "2", "--device", "cpu", "--gallery", "0", *options]


def begin(artifact, source, out, words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "keras_dtl.cli", "convert", artifact, source, out, *words]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(list(map(str, line)), stdout=quiet, stderr=quiet, env=environment)


def outputs(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if not path.relative_to(folder).parts[0].startswith((".", "report", "gallery"))
    }


class Case:
    """One task by one engine, first or again: what it gives undisturbed, and how long it takes."""

    def __init__(self, folder, artifact, source, task, engine, way):
        self.folder, self.artifact, self.source = folder, artifact, source
        self.words, self.first = command(task, engine, way), command(task, engine, "first")
        self.again = way == "again"
        started = time.monotonic()
        self.expected = {}
        if self.again:
            self.run(folder / "whole", self.first)
            self.expected |= {name: {data} for name, data in outputs(folder / "whole").items()}
            started = time.monotonic()
        self.run(folder / "whole", self.words)
        self.seconds = time.monotonic() - started
        self.final = outputs(folder / "whole")
        for name, data in self.final.items():
            self.expected.setdefault(name, set()).add(data)

    def run(self, out, words):
        return begin(self.artifact, self.source, out, words).wait()

    def kill(self, name, moment):
        """Kill one run at a share of its time and finish it; return what was found."""
        out = self.folder / name
        if self.again:
            self.run(out, self.first)
        process = begin(self.artifact, self.source, out, self.words)
        time.sleep(self.seconds * moment)
        process.kill()
        killed = process.wait() != 0
        found = outputs(out) if out.exists() else {}
        half = sum(data not in self.expected.get(name, ()) for name, data in found.items())
        status = self.run(out, self.words)
        finished = outputs(out)
        return {
            "killed": int(killed),
            "half_files": half,
            "refused": int(status != 0),
            "different": sum(finished.get(key) != data for key, data in self.final.items()),
        }


def kill_all(count, seed=0):
    """Return what `count` kills, spread over all cases, found: sums by case."""
    moments, found = random.Random(seed), {}
    cases = list(itertools.product(TASKS, ENGINES, WAYS))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        made, source = artifacts(folder / "artifacts"), photos(folder / "photos")
        for place, (task, engine, way) in enumerate(cases):
            case = Case(folder / str(place), made[task], source, task, engine, way)
            sums = collections.Counter(kills=0)
            for attempt in range(count // len(cases)):
                sums.update(case.kill(f"{attempt}", moments.uniform(0.2, 1.0)))
                sums["kills"] += 1
            found[f"{task}, {engine}, {way}"] = dict(sums)
            print(task, engine, way, found[f"{task}, {engine}, {way}"], flush=True)
    return found


def signal_all(seconds, seed=0):
    """Send random signals to conversions for some time; return how they ended, by signal."""
    moments, found, end = random.Random(seed), {}, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        made, source = artifacts(folder / "artifacts"), photos(folder / "photos")
        for attempt in itertools.count():
            if time.monotonic() > end:
                return found
            task, engine = moments.choice(TASKS), moments.choice(ENGINES)
            name = moments.choice(list(SIGNALS))
            process = begin(made[task], source, folder / f"{attempt}", command(task, engine, ""))
            time.sleep(moments.uniform(0, 4))
            process.send_signal(SIGNALS[name])
            counts = found.setdefault(name, {"sent": 0, "hung": 0, "other_status": 0})
            counts["sent"] += 1
            try:
                counts["other_status"] += process.wait(timeout=60) not in STATED
            except subprocess.TimeoutExpired:
                process.kill()
                counts["hung"] += 1


def page(result):
    """Return the page that says what was tried and what was found."""
    lines = [
        "| conversion | kills | half files | refused | different |",
    ]
    lines += ["|---|---|---|---|---|"]
    for name, sums in result.get("kills", {}).items():
        keys = ("kills", "half_files", "refused", "different")
        lines.append(f"| {name} | {' | '.join(str(sums.get(key, 0)) for key in keys)} |")
    lines += [
        "",
        "| signal | sent | hung | ended with another status than stated |",
        "|---|---|---|---|",
    ]
    for name, counts in result.get("signals", {}).items():
        lines.append(f"| {name} | {' | '.join(map(str, counts.values()))} |")
    return HEAD + "\n".join(lines) + "\n"


HEAD = """# What was tried to break it

Written by `python scripts/benchmarks/faults.py` from `scripts/benchmarks/results/faults.json`.

A kill is SIGKILL at a random moment of a command; the same command is then given again. *Half
files* are outputs that are none of what the old or the new options give; *refused* are second runs
that did not end with status 0; *different* are outputs that differ from those of a run that nothing
disturbed. Statuses are 0 for what was done before the signal came, 130 after Ctrl-C, -15 after
SIGTERM, and -2 where Ctrl-C came before Python itself had started.

Tests beside these: `tests/convert/test_faults.py` (a death at every rename and a full disk at every
write, of classifiers, images and motion), `tests/convert/test_hostile.py` (graphs, pipes, names,
small PNG files), `tests/test_import_path.py`, `tests/callbacks/test_checkpoint.py`.

"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=0, help="how many, over all cases")
    parser.add_argument("--signals", type=float, default=0, help="for how many seconds")
    arguments = parser.parse_args()
    before = read_result("faults")
    result = dict(before)
    if arguments.kills:
        result["kills"] = kill_all(arguments.kills)
    if arguments.signals:
        result["signals"] = signal_all(arguments.signals)
    write_result("faults", result, before=before)
    write_text(PAGE, page(result))


if __name__ == "__main__":
    main()
