"""Training that stops and goes on must end as if it had never stopped."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.callbacks import Checkpoint, ProgressSchedule, inverse_decay, reversal_ramp
from keras_dtl.data import LabelledImages, domain_batches
from keras_dtl.methods import DANN
from tests.methods.test_base import assert_same_state
from tests.networks import CLASSES, SHAPE, compiled, dense, encoder

STEPS = 5


def examples(seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (23, *SHAPE)).astype("uint8")
    return LabelledImages(images, rng.integers(0, CLASSES, 23), ("a", "b", "c"))


def make():
    networks = encoder(batch_norm=True, dropout=0.3), dense(CLASSES), dense(1)
    return compiled(DANN(*networks), keras.optimizers.Adam(1e-3))


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


def train(folder, epochs=4, stop=None):
    keras.utils.set_random_seed(7)
    model, checkpoint = make(), Checkpoint(folder)
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
    whole, whole_log = train(tmp_path / "whole")
    for epoch, batch in ((0, 2), (2, 3), (3, 0)):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "parts", stop=StopAt(epoch, batch))
    parts, parts_log = train(tmp_path / "parts")
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
        with open(path, "wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model, "save_weights", full_disk)
    checkpoint.set_model(model)
    with pytest.raises(OSError, match="No space"):
        checkpoint.on_epoch_end(1, {"loss": 1.0})
    assert checkpoint.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.path.name]


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
    model = compiled(dense(3), "adam")
    data = tf.data.Dataset.from_tensors((np.ones((4, 6), "float32"), np.zeros(4, "int32"))).repeat()
    model.fit(data, steps_per_epoch=2, verbose=0, callbacks=[Checkpoint(tmp_path)])
    copy = compiled(dense(3), "adam")
    assert Checkpoint(tmp_path).restore(copy) == 1
    np.testing.assert_array_equal(copy.get_weights()[0], model.get_weights()[0])
