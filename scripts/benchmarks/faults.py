"""Commands that are killed, interrupted and given again, and what is left of their outputs.

    python scripts/benchmarks/faults.py --kills 6 --trainings 2   # of each case; goes on
    python scripts/benchmarks/faults.py --signals 120             # seconds more of random signals
    python scripts/benchmarks/faults.py --full-disk               # Linux; goes on
    python scripts/benchmarks/faults.py --repeats 50              # of one step; goes on

Each kill ends a command at a random moment, and the same command is then given again: conversions
by each engine, first ones and ones that are made again with another option; a training of every
recipe; studies, style transfers, exports, scores and adaptations. Looked for are half files,
outputs of our own that the next run refuses, and results that differ from those of a run that
nothing disturbed. Writes results/faults.json and docs/reliability.md, which is made of that.
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faults_cases import begin, conversions, other_verbs, trainings
from faults_data import write_artifacts, write_data, write_network
from faults_disk import enter_own_names, fill_all
from faults_outputs import half_files, outputs
from faults_page import PAGE, count_kills, page
from faults_signals import signal_all
from record import ROOT, Deadline, read_result, write_result

from keras_dtl.files import write_text

KINDS = ("classifier", "generator", "motion"), ("threads", "processes"), ("first", "again")
SIGNALLED = [f"convert {task}, {engine}, {way}" for task, engine, way in itertools.product(*KINDS)]
"""Commands that get random signals."""
EARLIEST = 0.3
"""Share of a command's processor time before which it is not killed: it imports alone."""


class Undisturbed:
    """What a case gives that nothing disturbs, and how long it takes.

    Args:
        case: The `Case`.
        folder: Where it is run, and what is run before it is kept to begin from.
    """

    def __init__(self, case, folder):
        self.case, self.folder = case, folder
        self.before, whole = folder / "before", folder / "whole"
        if not self.before.exists():  # cases that begin alike have one place
            whole.mkdir(parents=True)
            for words in case.before:
                # At the very place where the case runs: what a run says of its paths is a setting.
                self.require(words, whole)
            whole.rename(self.before)
        shutil.copytree(self.before, whole)
        self.known = {} if not case.is_conversion else outputs(case, self.before)
        self.seconds = self.require(case.words, whole)
        self.expected = outputs(case, whole)
        shutil.rmtree(whole)

    def require(self, words, folder):
        """Run a command that must succeed; return its processor seconds."""
        folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "log", "w+", encoding="utf-8") as log:
            process = begin(words, folder, stdout=log, stderr=subprocess.STDOUT)
            seconds = wait_until(process, float("inf"))
            log.seek(0)
            if process.wait():
                raise RuntimeError(f"{self.case.name}: {log.read()[-2000:]}")
            return seconds

    def kill(self, moment):
        """Kill one run at a share of its time and finish it; return what was found."""
        out = self.folder / "whole"
        shutil.copytree(self.before, out)
        process = begin(self.case.words, out)
        wait_until(process, self.seconds * moment)
        process.kill()
        killed = process.wait() == -signal.SIGKILL
        half = self.half(out)
        status = begin((*self.case.words, *self.case.again), out).wait()
        found = outputs(self.case, out)
        different = [key for key, data in self.expected.items() if found.get(key) != data]
        left = [str(path) for path in out.rglob(".*.training.weights.h5")]
        shutil.rmtree(out)
        return {
            "moment": round(moment, 3),
            "killed": killed,
            "half_files": half,
            "status": status,
            "different": different + left,
        }

    def half(self, out):
        """Return the names of files that are not whole: of a conversion, neither old nor new."""
        if not self.case.is_conversion:
            return half_files(out)
        found, wanted = outputs(self.case, out), (self.known, self.expected)
        return [key for key, data in found.items() if data not in [w.get(key) for w in wanted]]


def wait_until(process, seconds):
    """Wait until a process has taken so much processor time, or has ended; return how much.

    By the clock of the wall a machine that does other things too would move the moments.
    """
    taken = 0.0
    while process.poll() is None and taken < seconds:
        with contextlib.suppress(OSError, IndexError):
            status = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii")
            ticks = status.rpartition(")")[2].split()[11:13]
            taken = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") or taken
        time.sleep(0.01)
    return taken


def chosen(cases, words):
    """Return the cases whose name holds one of some words, which are set apart by a stroke."""
    return [case for case in cases if any(word in case.name for word in words.split("|"))]


def runs_of(case):
    """Return what results/faults.json holds of runs of a case that were to be killed."""
    return read_result("faults").get("kills", {}).get(case.name, [])


def kill_missing(cases, count, folder, deadline, seed=0):
    """Kill each case so often as results/faults.json lacks it, and note what was found.

    A run that has ended before its moment counts for nothing, and the next moment is an earlier
    one: processor time is not the same in every run.
    """
    places = {}
    for case in cases:
        if count_kills(runs_of(case)) >= count:
            continue
        if deadline.is_over():
            print("Time is up; the same command goes on.")
            return
        place = folder / f"{places.setdefault(case.before, len(places))}"
        undisturbed = Undisturbed(case, place)
        latest = 1.0
        while count_kills(runs := runs_of(case)) < count and latest > EARLIEST + 0.01:
            moment = random.Random(f"{seed} {case.name} {len(runs)}").uniform(EARLIEST, latest)
            found = undisturbed.kill(moment)
            print(case.name, found, flush=True)
            latest = 1.0 if found["killed"] else moment
            before = read_result("faults")
            note(before, kills={**before.get("kills", {}), case.name: [*runs, found]})


def repeat_missing(count, folder, deadline):
    """Repeat one training step of every recipe that results/faults.json lacks, from one state."""
    from keras_dtl.recipes import RECIPES

    for name in RECIPES:
        if name in read_result("faults").get("repeats", {}):
            continue
        if deadline.is_over():
            print("Time is up; the same command goes on.")
            return
        words = [sys.executable, "-m", "tests.recipes.step_repeats", f"{count}", f"{folder}", name]
        answer = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(answer.stdout.splitlines()[-1])
        print(found, flush=True)
        before = read_result("faults")
        note(before, repeats={**before.get("repeats", {}), name: {"repeats": count, **found}})


def note(before, **found):
    """Write figures beside those that results/faults.json holds, and the page of them all."""
    result = {**before, **found}
    write_result("faults", result, show=(), before=before)
    write_text(PAGE, page(result))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=0, help="of each conversion")
    parser.add_argument("--trainings", type=int, default=0, help="kills of each other verb")
    parser.add_argument("--only", default="", help="cases whose name holds this, or|this")
    parser.add_argument(
        "--signals", type=float, default=0, help="for so many seconds, beside what is there"
    )
    parser.add_argument("--full-disk", action="store_true", help="at sizes between none and all")
    parser.add_argument("--repeats", type=int, default=0, help="of a step of each recipe")
    parser.add_argument("--minutes", type=float, help="begin no further case after so many")
    arguments = parser.parse_args()
    if arguments.full_disk:
        enter_own_names()
    deadline = Deadline(arguments.minutes)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        artifacts, data = folder / "artifacts", folder / "data"
        every = chosen(conversions(data, artifacts), arguments.only)
        others = chosen([*trainings(data), *other_verbs(data)], arguments.only)
        write_artifacts(artifacts)
        write_data(data)
        if others:
            write_network(data)
        kill_missing(every, arguments.kills, folder / "kills", deadline)
        kill_missing(others, arguments.trainings, folder / "others", deadline)
        if arguments.repeats:
            repeat_missing(arguments.repeats, folder / "repeats", deadline)
        if arguments.full_disk:
            fill_all([*every, *others], folder, deadline, note)
        if arguments.signals:
            some = [case for case in every if case.name in SIGNALLED]
            signal_all(some, folder, arguments.signals, note)
    note(read_result("faults"))


if __name__ == "__main__":
    main()
