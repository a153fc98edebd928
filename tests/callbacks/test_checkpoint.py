"""Training that stops and goes on must end as if it had never stopped."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl import files
from keras_dtl.callbacks import Checkpoint, ProgressSchedule, inverse_decay, reversal_ramp
from keras_dtl.data import LabelledImages, domain_batches
from keras_dtl.methods import DANN
from tests.methods.test_base import assert_same_state
from tests.networks import CLASSES, SHAPE, compiled, dense, encoder

STEPS = 3


def examples(seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (23, *SHAPE)).astype("uint8")
    return LabelledImages(images, rng.integers(0, CLASSES, 23), ("a", "b", "c"))


def make(eager=True):
    networks = encoder(batch_norm=True, dropout=0.3), dense(CLASSES), dense(1)
    return compiled(DANN(*networks), keras.optimizers.Adam(1e-3), run_eagerly=eager)


class StopAt(keras.callbacks.Callback):
    """Ends the process, so to say, in the middle of an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.place = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            raise KeyboardInterrupt


def train(folder, epochs=4, stop=None, eager=True):
    keras.utils.set_random_seed(7)
    model, checkpoint = make(eager), Checkpoint(folder)
    done = checkpoint.restore(model)
    schedule = ProgressSchedule(
        {"reversal_strength": reversal_ramp(), "optimizer.learning_rate": inverse_decay(0.01)}
    )
    model.fit(
        domain_batches(examples(0), examples(1), 8, seed=3, first_step=done * STEPS),
        epochs=epochs,
        initial_epoch=done,
        steps_per_epoch=STEPS,
        verbose=0,
        callbacks=[schedule, *([stop] if stop else []), checkpoint],
    )
    return model, checkpoint


def test_stopped_and_resumed_training_equals_an_uninterrupted_one_bit_for_bit(tmp_path):
    whole, whole_log = train(tmp_path / "whole", eager=False)
    for epoch, batch in ((0, 1), (2, 2)):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "parts", stop=StopAt(epoch, batch), eager=False)
    parts, parts_log = train(tmp_path / "parts", eager=False)
    assert_same_state(whole, parts)
    assert whole_log.columns().keys() == parts_log.columns().keys()
    for name, values in whole_log.columns().items():
        assert len(values) == 4
        # The weights are equal to the bit; running means of logs are summed in any order.
        np.testing.assert_allclose(parts_log.columns()[name], values, rtol=1e-6)


def test_nothing_saved_restores_nothing(tmp_path):
    assert Checkpoint(tmp_path).restore(make()) == 0


def test_failed_write_keeps_the_last_whole_checkpoint(tmp_path, monkeypatch):
    model, checkpoint = train(tmp_path, epochs=1)
    before = checkpoint.path.read_bytes()

    def full_disk(path):
        path.write_bytes(before[:1000])
        raise OSError(28, "No space left on device")

    checkpoint.set_model(model)
    monkeypatch.setattr(files, "_replace", lambda temporary, path: full_disk(temporary))
    with pytest.raises(OSError, match="No space"):
        checkpoint.on_epoch_end(1, {"loss": 1.0})
    assert checkpoint.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.path.name]


@pytest.mark.slow
@pytest.mark.parametrize(
    "saving",
    [
        "checkpoint.on_epoch_end(0, {})",
        "KeepBest(checkpoint.path.with_name('best.weights.h5'), 'x').on_epoch_end(0, {'x': 1.0})",
        "write_weights(model, checkpoint.path)",  # as studies do
    ],
)
def test_a_full_disk_at_a_checkpoint_ends_with_its_message_and_no_crash(tmp_path, saving):
    """A limit of the size of files stands for the disk; HDF5 ended the process by a signal."""
    code = f"""if True:
        import keras, resource, signal
        from keras_dtl.callbacks import Checkpoint, KeepBest
        from keras_dtl.callbacks.weights_file import write_weights
        KeepBest.model = property(lambda self: model)
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4096)])
        model.compile("sgd", "mse")
        checkpoint = Checkpoint({str(tmp_path)!r})
        checkpoint.set_model(model)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        {saving}"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1] == "OSError: [Errno 27] File too large"
    assert "h5py" not in answer.stderr and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "place", [0.5, *(pytest.param(place, marks=pytest.mark.slow) for place in (0.1, 0.9, 0.9999))]
)
def test_every_byte_of_a_checkpoint_counts(tmp_path, place):
    _, checkpoint = train(tmp_path, epochs=1)
    data = bytearray(checkpoint.path.read_bytes())
    data[int(place * len(data))] ^= 1
    checkpoint.path.write_bytes(data)
    with pytest.raises(ValueError, match=r"training\.weights\.h5 .*damaged"):
        Checkpoint(tmp_path).restore(make())


def test_checkpoints_without_a_checksum_are_read(tmp_path):
    trained, checkpoint = train(tmp_path, epochs=1)
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-50])  # the mark and 32 bytes
    model = make()
    assert Checkpoint(tmp_path).restore(model) == 1
    assert_same_state(trained, model)


def test_checkpoint_of_another_network_is_refused(tmp_path):
    train(tmp_path, epochs=1)
    other = compiled(DANN(encoder(features=5), dense(CLASSES, 5), dense(1, 5)), "adam")
    with pytest.raises(ValueError, match="does not fit"):
        Checkpoint(tmp_path).restore(other)


def test_damaged_checkpoint_is_named(tmp_path):
    _, checkpoint = train(tmp_path, epochs=1)
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"training\.weights\.h5"):
        Checkpoint(tmp_path).restore(make())


def test_plain_keras_models_are_served_too(tmp_path):
    model = compiled(dense(3), "adam", run_eagerly=True)
    data = tf.data.Dataset.from_tensors((np.ones((4, 6), "float32"), np.zeros(4, "int32"))).repeat()
    model.fit(data, steps_per_epoch=2, verbose=0, callbacks=[Checkpoint(tmp_path)])
    copy = compiled(dense(3), "adam")
    assert Checkpoint(tmp_path).restore(copy) == 1
    np.testing.assert_array_equal(copy.get_weights()[0], model.get_weights()[0])
