"""Clocks of training steps: of `fit`, everything included, and of a bare function."""

import itertools
import statistics
import time
from collections.abc import Callable


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
