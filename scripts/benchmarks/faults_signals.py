"""Random Ctrl-C, SIGTERM and deaths of workers, and how the commands that got them ended."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

from faults_cases import begin

LONGEST = 60
"""Seconds after a signal until a command counts as one that hangs."""
EARLIEST = 0.15
"""Seconds until Python itself has started, which ends by a signal as it likes."""
STATED = {
    "SIGINT": (0, 130),
    "SIGTERM": (0, -signal.SIGTERM),
    "death of a worker": (0,),
}
"""0 where all was done all the same; Ctrl-C; SIGTERM, in a shell 143."""


def children_of(process):
    """Return the ids of the processes that a process has begun; Linux alone tells."""
    found = []
    for path in Path(f"/proc/{process.pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in path.read_text(encoding="ascii").split()]
    return found


def disturb(process, kind, chance):
    """Send a signal to a command, or kill one of its workers; return whether there was one."""
    if process.poll() is not None:
        return False
    if kind in ("SIGINT", "SIGTERM"):
        process.send_signal(getattr(signal, kind))
        return True
    workers = children_of(process)
    with contextlib.suppress(OSError, IndexError):
        os.kill(chance.choice(workers), signal.SIGKILL)
        return True
    return False


def signal_all(cases, folder, seconds, seed=0):
    """Disturb commands for some time, some of them twice; return how they ended.

    Args:
        cases: `Case`s, whose conversions by processes are those that have workers.
        folder: To work in.
        seconds: For how long further ones are begun.
        seed: Choice of commands, signals and moments.
    """
    chance, found, end, number = random.Random(seed), {}, time.monotonic() + seconds, 0
    while time.monotonic() < end:
        kind = chance.choice(list(STATED))
        of_workers = [case for case in cases if "processes" in case.name]
        case = chance.choice(of_workers if kind.startswith("death") else cases)
        counts = found.setdefault(kind, {"sent": 0, "statuses": {}, "not_stated": 0, "hung": 0})
        number += 1
        out = folder / f"signals {number}"
        shutil.copytree(before_of(case, folder), out)
        status, sent = signal_one(case, out, kind, chance)
        shutil.rmtree(out)
        if not sent:
            continue
        print(kind, case.name, status, flush=True)
        counts["sent"] += 1
        counts["hung"] += status == "hung"
        counts["not_stated"] += status not in STATED[kind]
        counts["statuses"][f"{status}"] = counts["statuses"].get(f"{status}", 0) + 1
    return found


def before_of(case, folder):
    """Return a folder that holds what a case begins from; made once."""
    place = folder / f"before {case.name}"
    if not place.exists():
        place.mkdir(parents=True)
        for words in case.before:
            begin(words, place).wait()
    return place


def signal_one(case, out, kind, chance):
    """Disturb one command; return its status, or "hung", and whether a signal was sent."""
    process = begin(case.words, out)
    time.sleep(chance.uniform(EARLIEST, 4 if case.is_conversion else 30))
    sent = disturb(process, kind, chance)
    if sent and chance.random() < 0.5:
        time.sleep(chance.uniform(0, 0.5))
        disturb(process, kind, chance)
    try:
        return process.wait(timeout=LONGEST), sent
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return "hung", sent
