"""The page that says what was tried to break the package, and what was found."""

from faults_points import POINTS
from record import ROOT

PAGE = ROOT / "docs" / "reliability.md"
HEAD = """# What was tried to break it

Written by `python scripts/benchmarks/faults.py` from `scripts/benchmarks/results/faults.json`.
"""
KILLS = """
## Kills

A kill is SIGKILL at a random moment of a command; the same command is then given again, trainings,
adaptations and style transfers with `--resume`. *Half files* are files under their own names that
are not whole: of conversions, any that is neither what the old nor what the new options give.
*Refused* are second runs that did not end with status 0. *Different* are results that are not, bit
for bit, those of a run that nothing disturbed: of conversions every output; of trainings the
weights with the state of every optimizer, the logs, the scores, and of the exported graph what
it computes, by operations and weights: names and order may differ. An export that was over when it
was killed is one version further when it is given again: versions are compared by their age. A run
that has ended before its moment is no kill.
"""
SIGNALS = """
## Signals

Signals at random moments of conversions by threads and by processes, half of them twice. Stated are
0 for what was done all the same, 130 after Ctrl-C, and after SIGTERM the signal itself (in a shell
143). A worker that dies is begun again. In the first instant, before Python has given the command
to this package, Python itself answers Ctrl-C, as it does in any program.
"""
DISKS = """
## Full disks

Each command on ten file systems that hold from nothing to 99 % of what it needs, and then again
with room. *Stated* are runs that ended with status 2 and one message, or with 0 where the room was
enough.
"""
REPEATS = """
## Steps that repeat

One training step of every recipe, started so often from one state, and how many outcomes that had,
compared bit for bit: weights, optimizers, statistics and logs. This holds for what
`keras-dtl` trains without `--jit on`, on one machine with one version of TensorFlow. A program of
your own calls `keras_dtl.cli.repeatable.repeat_steps()` first for the same; without it TensorFlow
adds three gradients and more in an order of chance, and the last bits differ.
"""
TESTS = """
## What broke once

Each with the test that fails if it breaks again. Beside these, `tests/cli/test_full_disk.py` fills
the disk at every write of trainings, studies, style transfers, exports and scores, and
`tests/test_damaged.py` changes BVH files, masks, checkpoints and records at random. `check` and
`push` write nothing.
"""


def table(columns, rows):
    """Return a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def count_kills(runs):
    """Return how many runs were killed: some end before their moment."""
    return sum(run["killed"] for run in runs)


def kill_rows(kills):
    """Return a row of sums for each case, and one for them all."""
    rows = [
        [
            name,
            count_kills(runs),
            sum(bool(run["half_files"]) for run in runs),
            sum(run["status"] != 0 for run in runs),
            sum(bool(run["different"]) for run in runs),
        ]
        for name, runs in kills.items()
    ]
    return [*rows, ["all", *(sum(row[place] for row in rows) for place in range(1, 5))]]


def signal_rows(signals):
    """Return a row for each kind of disturbance."""
    return [
        [
            name,
            counts["sent"],
            counts["hung"],
            counts["not_stated"],
            ", ".join(f"{status}: {count}" for status, count in counts["statuses"].items()),
        ]
        for name, counts in signals.items()
    ]


def is_stated(run):
    """Whether a run on a full disk ended as stated."""
    said = len([line for line in run["messages"] if line.startswith("error:")])
    return run["status"] == 0 or (run["status"] == 2 and said == 1 and len(run["messages"]) == 1)


def disk_rows(disks):
    """Return a row for each case."""
    return [
        [
            name,
            len(runs),
            sum(run["status"] == 2 for run in runs),
            sum(not is_stated(run) for run in runs),
            sum(bool(run["lost"] or run["half_files"]) for run in runs),
            sum(run["status_with_room"] != 0 for run in runs),
            sum(bool(run["different"]) for run in runs),
        ]
        for name, runs in disks.items()
    ]


def page(result):
    """Return the page, in Markdown.

    Args:
        result: The content of results/faults.json.
    """
    columns = ("command", "kills", "with half files", "refused", "different")
    parts = [HEAD, KILLS, "\n", table(columns, kill_rows(result.get("kills", {})))]
    columns = ("disturbance", "sent", "hung", "with a status that is not stated", "statuses")
    seconds = f"\nFor {result.get('seconds_of_signals', 0)} seconds.\n"
    parts += [SIGNALS, seconds, "\n", table(columns, signal_rows(result.get("signals", {})))]
    columns = ("command", "disks", "too small", "not stated", "something lost or half")
    columns = (*columns, "refused with room", "different with room")
    parts += [DISKS, "\n", table(columns, disk_rows(result.get("full_disks", {})))]
    columns = ("recipe", "repeats", "outcomes")
    rows = [[k, run["repeats"], run["outcomes"]] for k, run in result.get("repeats", {}).items()]
    parts += [REPEATS, "\n", table(columns, rows), TESTS, "\n"]
    tests = [[point, f"`{test.replace('::', '` `')}`"] for point, test in POINTS.items()]
    return "".join([*parts, table(("fault", "test"), tests)])
