import keras
import numpy as np
import pytest

from keras_dtl.layers import TimeGate


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_frames_are_values_times_waves():
    layer, sequence = TimeGate(3, frames=8, waves=2), numbers(2, 8, 5)
    found = layer(sequence)
    t = np.arange(8)[:, None] * np.pi / 8
    waves = np.concatenate([np.sin(t), np.sin(2 * t), np.cos(t), np.cos(2 * t)], 1)
    kernels = [np.array(dense.kernel, "float64") for dense in (layer.values, layer.courses)]
    expected = (sequence @ kernels[0]) * (waves @ kernels[1])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_shorter_sequences_are_the_beginning_and_longer_ones_are_refused():
    layer, sequence = TimeGate(3, frames=8), np.repeat(numbers(2, 1, 5), 9, 1)
    np.testing.assert_allclose(layer(sequence[:, :4]), layer(sequence[:, :8])[:, :4], atol=1e-6)
    with pytest.raises(ValueError, match="up to 8 frames here.*Received: 9"):
        layer(sequence)
    free = keras.Input((None, 5))
    model = keras.Model(free, layer(free))
    with pytest.raises(Exception, match=r"[Ii]ncompatible shapes|up to 8 frames"):
        model.predict(sequence, verbose=0)


def test_saved_layer_is_the_same(tmp_path):
    free = keras.Input((None, 5))
    model = keras.Model(free, TimeGate(3, 8, 2)(free))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(numbers(2, 6, 5)), model(numbers(2, 6, 5)))


@pytest.mark.parametrize("arguments", [{"frames": 1}, {"frames": 8, "waves": 0}])
def test_unusable_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="`frames` must be 2 or more"):
        TimeGate(3, **arguments)
