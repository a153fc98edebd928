"""Clocks of training steps: of `fit`, everything included, and of a bare function."""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable

from record import in_a_process


class StepClock:
    """Notes when each step of `fit` ends; `callback` is what `fit` gets.

    Args:
        warm_up: Steps at the beginning that do not count.
    """

    def __init__(self, warm_up: int):
        import keras

        self.warm_up, self.ends = warm_up, []
        self.callback = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: self.ends.append(time.perf_counter())
        )

    def seconds(self) -> list[float]:
        """Return the seconds from each end to the next, what lies between them included."""
        return [after - before for before, after in itertools.pairwise(self.ends)][self.warm_up :]

    def median(self) -> float:
        """Return the median milliseconds of a step."""
        return 1000 * statistics.median(self.seconds())


def call_seconds(step: Callable, warm_up: int, steps: int) -> list[float]:
    """Return the seconds of each of so many calls of a function after the warm-up."""
    seconds = []
    for _ in range(warm_up + steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return seconds[warm_up:]


def rounds_in_turn(
    description: str, parts: dict[str, Callable[[], list[float]]], count: int
) -> list[dict[str, float]]:
    """Return the median milliseconds of each part, `{name: milliseconds}` a round.

    Each is measured in a process of its own, for which this command is run again with `--only`:
    then it prints those of one part and ends.

    Args:
        description: What the help says.
        parts: Functions by name that return the seconds of each step.
        count: How many rounds.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--only", choices=parts, help=argparse.SUPPRESS)
    if only := parser.parse_args().only:
        print(1000 * statistics.median(parts[only]()))
        raise SystemExit
    return [
        {name: in_a_process(sys.argv[0], "--only", name) for name in parts} for _ in range(count)
    ]
