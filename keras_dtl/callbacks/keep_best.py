import math
from pathlib import Path
from typing import NamedTuple

import keras

from keras_dtl.callbacks.logged import number
from keras_dtl.callbacks.weights_file import read_attributes, read_weights, write_weights


class Best(NamedTuple):
    """The epoch, from 1, in which a logged value was best, and that value."""

    epoch: int
    value: float


class KeepBest(keras.callbacks.Callback):
    """Saves the weights whenever a logged value is better than ever before.

    The value is kept in the file beside the weights, so a resumed training goes on comparing; one
    that begins anew forgets what an earlier one left there. Put it behind the `Measure` that logs
    the value, and before a `Checkpoint`.

    Args:
        path: File to write, which ends in `.weights.h5`.
        monitored: Name in the logs; epochs that lack it, or where it is not finite, are passed
            over. Of a metric of a number for each class, `NAME_0` and so on.
        lowest: Whether the lowest value is the best, not the highest.
    """

    def __init__(self, path, monitored, lowest=False):
        super().__init__()
        self.path = Path(path)
        self.monitored = monitored
        self.lowest = lowest

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.path.unlink(missing_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        value = number(logs, self.monitored)
        if value is None or not math.isfinite(value) or not self._is_better(value):
            return
        write_weights(self.model, self.path, {"epoch": epoch + 1, "value": value})

    def _is_better(self, value):
        best = self.best()
        if best is None:
            return True
        return value < best.value if self.lowest else value > best.value

    def best(self):
        """Return the `Best` of what was saved, or None."""
        if not self.path.exists():
            return None
        found = read_attributes(self.path, self._remedy)
        return Best(int(found["epoch"]), float(found["value"]))

    def load_best(self, model):
        """Put the weights that were saved into a model.

        Raises:
            OSError, ValueError: They are missing or damaged.
        """
        read_weights(model, self.path, self._remedy)

    @property
    def _remedy(self):
        return f"Remove {self.path.parent} and train again."
