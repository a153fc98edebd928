import logging

import h5py
import keras

from keras_dtl.files import atomic_path

logger = logging.getLogger("keras_dtl")


class Measure(keras.callbacks.Callback):
    """Adds measures of the model to the logs of an epoch.

    Pass it before the callbacks that read them, such as `KeepLowest` and `Checkpoint`.

    Args:
        measure: Function from the model to `{name: number}`.
        every: After how many epochs it is called again; always after the last.
    """

    def __init__(self, measure, every=1):
        super().__init__()
        self.measure = measure
        self.every = every

    def on_epoch_end(self, epoch, logs=None):
        if is_due(epoch, self.every, self.params["epochs"]) and logs is not None:
            logs.update(self.measure(self.model))


class KeepLowest(keras.callbacks.Callback):
    """Saves the weights whenever a logged value is lower than ever before.

    The value is kept in the file beside the weights, so a resumed training goes on comparing; one
    that begins anew forgets what an earlier one left there.

    Args:
        path: File to write, which ends in `.weights.h5`.
        monitored: Name in the logs; epochs that lack it are passed over.
    """

    def __init__(self, path, monitored):
        super().__init__()
        self.path = path
        self.monitored = monitored

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.path.unlink(missing_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitored)
        best = self.best()
        if value is None or not (best is None or value < best[1]):
            return
        with atomic_path(self.path) as temporary:
            self.model.save_weights(temporary)
            with h5py.File(temporary, "a") as file:
                file.attrs["epoch"], file.attrs["value"] = epoch + 1, value

    def best(self):
        """Return `(epoch, value)` of what was saved, or None."""
        if not self.path.exists():
            return None
        with h5py.File(self.path) as file:
            return int(file.attrs["epoch"]), float(file.attrs["value"])


class Alarm(keras.callbacks.Callback):
    """Warns when a logged value falls below what it should.

    Args:
        monitored: Name in the logs; epochs that lack it are passed over.
        below: The lowest value that is no cause for alarm.
        message: What it means and how to mend it.
    """

    def __init__(self, monitored, below, message):
        super().__init__()
        self.monitored = monitored
        self.below = below
        self.message = message

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitored)
        if value is not None and value < self.below:
            logger.warning(
                "Epoch %d: %s is %.2f. %s", epoch + 1, self.monitored, value, self.message
            )


def is_due(epoch, every, epochs):
    """Return whether something that is done every so many epochs is due after this one."""
    return (epoch + 1) % every == 0 or epoch + 1 == epochs
