import logging

import keras

from keras_dtl.callbacks.logged import numbers

logger = logging.getLogger("keras_dtl")


class Watch(keras.callbacks.Callback):
    """Warns in words while a training runs, each finding once.

    Pass it before the callbacks that read the logs, such as `Checkpoint`.

    Args:
        watch: Function of the model, the logs so far `{name: [a value an epoch]}` and the progress
            of the training, 0 to 1, to `(measures, findings)`: numbers that join the logs, and
            `{verdict: words}`. See `keras_dtl.evaluation.AdaptationWatch`.
    """

    def __init__(self, watch):
        super().__init__()
        self.watch = watch
        self.columns = {}
        self.said = set()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        for name, value in numbers(logs).items():
            self.columns.setdefault(name, []).append(value)
        progress = (epoch + 1) / self.params["epochs"]
        measures, findings = self.watch(self.model, self.columns, progress)
        logs.update(measures)
        for verdict, words in findings.items():
            if verdict not in self.said:
                self.said.add(verdict)
                logger.warning("Epoch %d: %s", epoch + 1, words)
