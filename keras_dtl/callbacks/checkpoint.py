import json
import warnings
from pathlib import Path

import h5py
import keras

from keras_dtl.callbacks.logged import numbers
from keras_dtl.callbacks.weights_file import LARGEST, MemoryFile, with_checksum, without_checksum
from keras_dtl.distribution import file_of_chief, is_chief
from keras_dtl.distribution.memory import ReplicaStates, restore_states
from keras_dtl.files import atomic_path, read_regular, remove_abandoned

FILE_NAME = "training.weights.h5"
RANDOM_STATES = "random_states"
REPLICA_STATES = "replica_states"


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

    Of several workers the chief alone writes and reads it, and hands it to the others, who need
    no disk in common. What replicas do not share, such as pools of images, is in it too: as many
    replicas go on to the bit.

    Args:
        folder: Where the file is kept.

    Attributes:
        replicas: How many replicas wrote the file that was restored, or None.
    """

    def __init__(self, folder):
        super().__init__()
        self.path = Path(folder) / FILE_NAME
        self.history = []
        self.replicas = None

    def restore(self, model):
        """Load the last saved state into a compiled model, if there is one.

        Args:
            model: A compiled `Method`, or any compiled Keras model.

        Returns:
            How many epochs are done: 0 when nothing was saved.

        Raises:
            ValueError: When the file does not fit the model, or is damaged.
        """
        strategy = model.distribute_strategy
        if is_chief(strategy):
            remove_abandoned(self.path.parent)
            self._remove_leftovers()
        with file_of_chief(self.path, strategy) as path:
            if path is None:
                return 0
            with strategy.scope():
                build = getattr(model, "build_optimizers", None)
                build() if build else model.optimizer.build(model.trainable_variables)
            try:
                self._load(model, path)
            except (
                OSError,
                LookupError,
                TypeError,
                ValueError,
                RuntimeError,
                UserWarning,
            ) as error:
                raise ValueError(
                    f"{self.path} does not fit this model: {error}. Train with the settings it "
                    "was made with, or choose another output folder."
                ) from error
        return len(self.history)

    def _load(self, model, path):
        data = without_checksum(read_regular(path, LARGEST))
        with warnings.catch_warnings():
            # Keras only warns where it leaves a part of the model as it was.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(MemoryFile(data))
        with h5py.File(MemoryFile(data)) as file:
            for seed, state in zip(random_states(model), file[RANDOM_STATES], strict=True):
                seed.assign(state)
            states = file.get(REPLICA_STATES, {})
            restore_states(model, {int(place): states[place][()] for place in states})
            self.history = json.loads(file.attrs["history"])
            self.replicas = int(file.attrs.get("replicas", 1))

    def _remove_leftovers(self):
        """Remove the half files of trainings that were killed as they wrote."""
        for path in self.path.parent.glob(f".*.{FILE_NAME}"):
            path.unlink(missing_ok=True)

    def set_model(self, model):
        super().set_model(model)
        self.states = ReplicaStates(model)

    def columns(self):
        """Return the logs of all epochs so far as `{name: [a value an epoch]}`."""
        names = dict.fromkeys(name for logs in self.history for name in logs)
        return {name: [logs.get(name) for logs in self.history] for name in names}

    def on_epoch_end(self, epoch, logs=None):
        self.history.append(numbers(logs))
        strategy = self.model.distribute_strategy
        states = self.states.find()
        if not is_chief(strategy):
            return
        # In memory first: HDF5 that meets a full disk ends the whole process when this one ends.
        memory = MemoryFile()
        self.model.save_weights(memory)
        with h5py.File(memory, "a") as file:
            file[RANDOM_STATES] = [seed.numpy() for seed in random_states(self.model)]
            for place, values in states.items():
                file[f"{REPLICA_STATES}/{place}"] = values
            file.attrs["replicas"] = strategy.num_replicas_in_sync
            file.attrs["history"] = json.dumps(self.history)
        with atomic_path(self.path) as temporary:
            temporary.write_bytes(with_checksum(memory.getbuffer()))


def random_states(model):
    """Return the seed variables of dropout and its like, which Keras does not save as weights."""
    others = {id(variable) for variable in (*model.weights, *model.metrics_variables)}
    return [variable for variable in model.variables if id(variable) not in others]
