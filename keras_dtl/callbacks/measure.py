import logging

import keras

from keras_dtl.callbacks.logged import number

logger = logging.getLogger("keras_dtl")


class Measure(keras.callbacks.Callback):
    """Adds measures of the model to the logs of an epoch.

    Pass it before the callbacks that read them, such as `KeepBest` and `Checkpoint`.

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
        value = number(logs, self.monitored)
        if value is not None and value < self.below:
            logger.warning(
                "Epoch %d: %s is %.2f. %s", epoch + 1, self.monitored, value, self.message
            )


def is_due(epoch, every, epochs):
    """Return whether something that is done every so many epochs is due after this one."""
    return (epoch + 1) % every == 0 or epoch + 1 == epochs
