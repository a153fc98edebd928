import functools
import logging
import math

import keras

logger = logging.getLogger("keras_dtl")


class ProgressSchedule(keras.callbacks.Callback):
    """Sets values before every step, from the progress of the whole training.

    Progress is the share of all steps of `fit` that are done, `(epoch * steps + batch) /
    (epochs * steps)`, so a schedule ends where training ends, however long it is, and a resumed
    training (`initial_epoch`) goes on where it stopped. `fit` must know its length: pass
    `steps_per_epoch` when the data set is endless. Steps that run at once (`steps_per_execution`)
    have the value of the first of them.

    Args:
        schedules: Dictionary from what is set to a function of progress in 0..1. A key is a
            dotted path from the model to a variable (`"reversal_strength"`) or to a property
            that can be set (`"optimizer.learning_rate"`). See `keras_dtl.callbacks.schedules`.

    What others set, such as Keras' `ReduceLROnPlateau`, lasts until the next step; a warning tells.

    The values of an epoch's last step appear in the logs under the last part of the key; those of a
    player's optimizer with the player's name, such as `discriminator_learning_rate`.
    """

    def __init__(self, schedules):
        super().__init__()
        self.schedules = dict(schedules)
        self.values = {}
        self._first_step_of_epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        if not self.params.get("steps"):
            raise ValueError(
                "A schedule over the whole training needs its length. Received: a data set "
                "without end. Pass `steps_per_epoch` to fit()."
            )
        self._first_step_of_epoch = epoch * self.params["steps"]
        self._tell_others()

    def on_train_batch_begin(self, batch, logs=None):
        total = self.params["epochs"] * self.params["steps"]
        progress = (self._first_step_of_epoch + batch) / total
        for path, schedule in self.schedules.items():
            self.values[path] = schedule(progress)
            set_value(self.model, path, self.values[path])

    def _tell_others(self):
        """Say where a value is no longer the one that was set last."""
        for path, ours in self.values.items():
            found = functools.reduce(getattr, path.split("."), self.model)
            found = float(keras.ops.convert_to_numpy(found))
            if not math.isclose(found, ours, rel_tol=1e-3, abs_tol=1e-30):  # of any precision
                logger.warning(
                    "%s was changed to %g by another callback; the schedule sets it at every step. "
                    "Leave one of the two out.",
                    *(path, found),
                )

    def on_train_begin(self, logs=None):
        self.values = {}

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update({_logged_name(path): value for path, value in self.values.items()})


def _logged_name(path):
    return path.replace("optimizer.", "").rpartition(".")[2]


def set_value(model, path, value):
    """Assign `value` to the variable, or set the property, at a dotted path from `model`.

    Raises:
        AttributeError: When the path leads nowhere.
        ValueError: When a plain number of a method is there, which steps do not read again.
    """
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, model)
    current = getattr(owner, name)
    # An optimizer's learning rate reads as a variable but must go through its setter.
    if isinstance(current, keras.Variable) and not isinstance(owner, keras.optimizers.Optimizer):
        current.assign(value)
    elif name in vars(owner):
        raise ValueError(
            f"A schedule sets variables, which a step reads each time. {path!r} leads to "
            f"{current!r}, a plain number, of which a compiled step keeps what it was at first."
        )
    else:
        setattr(owner, name, value)
