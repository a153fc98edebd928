import math

import keras

from keras_dtl.callbacks.logged import numbers


class TrainingDiverged(FloatingPointError):
    """A loss is no longer a number."""


class StopWhenDiverged(keras.callbacks.Callback):
    """Ends training with an error as soon as a logged value is not finite.

    It stops in the step where it happens, before the end of the epoch, so a `Checkpoint` keeps
    the last good state.

    Raises:
        TrainingDiverged: Naming the term, the step and what to try.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        for name, value in numbers(logs).items():
            if not math.isfinite(value):
                raise TrainingDiverged(
                    f"`{name}` became {value} in epoch {self._epoch + 1}, step {batch + 1}. "
                    "Lower the learning rate, or clip gradients with the optimizer's "
                    "`global_clipnorm`, and check the data for values that are not finite."
                )
