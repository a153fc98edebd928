import json
import warnings
from pathlib import Path

import h5py
import keras

from keras_dtl.files import atomic_path

FILE_NAME = "training.weights.h5"
RANDOM_STATES = "random_states"


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole state of training after each epoch, in one file that is never half written.

    The file holds every weight and optimizer of the model, the state of its random layers, and
    the logs of all epochs so far. Data whose order depends on the step alone (see
    `keras_dtl.data.domain_batches`) needs no state of its own. Training goes on from it as if
    it had never stopped:

        checkpoint = Checkpoint("runs/dann")
        epoch = checkpoint.restore(model)
        model.fit(batches(first_step=epoch * steps), steps_per_epoch=steps, epochs=20,
                  initial_epoch=epoch, callbacks=[schedule, checkpoint])

    Pass it last, so that it sees what the other callbacks add to the logs. Keras'
    `BackupAndRestore` writes weights and epoch as two files in place, so a crash between them
    repeats an epoch; it knows one optimizer, and dropout starts again from its first mask.

    Args:
        folder: Where the file is kept.
    """

    def __init__(self, folder):
        super().__init__()
        self.path = Path(folder) / FILE_NAME
        self.history = []

    def restore(self, model):
        """Load the last saved state into a compiled model, if there is one.

        Args:
            model: A compiled `Method`, or any compiled Keras model.

        Returns:
            How many epochs are done: 0 when nothing was saved.

        Raises:
            ValueError: When the file does not fit the model.
        """
        if not self.path.exists():
            return 0
        build = getattr(model, "build_optimizers", None)
        build() if build else model.optimizer.build(model.trainable_variables)
        try:
            with warnings.catch_warnings():
                # Keras only warns where it leaves a part of the model as it was.
                warnings.simplefilter("error", UserWarning)
                model.load_weights(self.path)
            with h5py.File(self.path) as file:
                for seed, state in zip(random_states(model), file[RANDOM_STATES], strict=True):
                    seed.assign(state)
                self.history = json.loads(file.attrs["history"])
        except (OSError, KeyError, ValueError, UserWarning) as error:
            raise ValueError(
                f"{self.path} does not fit this model: {error}. Train with the settings it was "
                "made with, or choose another output folder."
            ) from error
        return len(self.history)

    def columns(self):
        """Return the logs of all epochs so far as `{name: [a value an epoch]}`."""
        names = dict.fromkeys(name for logs in self.history for name in logs)
        return {name: [logs.get(name) for logs in self.history] for name in names}

    def on_epoch_end(self, epoch, logs=None):
        self.history.append({name: float(value) for name, value in (logs or {}).items()})
        with atomic_path(self.path) as temporary:
            self.model.save_weights(temporary)
            with h5py.File(temporary, "a") as file:
                file[RANDOM_STATES] = [seed.numpy() for seed in random_states(self.model)]
                file.attrs["history"] = json.dumps(self.history)


def random_states(model):
    """Return the seed variables of dropout and its like, which Keras does not save as weights."""
    others = {id(variable) for variable in (*model.weights, *model.metrics_variables)}
    return [variable for variable in model.variables if id(variable) not in others]
