import keras
import numpy as np
import pytest
from scipy.ndimage import convolve1d

from keras_dtl.layers import SmoothFrames


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("frames", [1, 2, 9])
def test_frames_are_means_with_those_beside_and_the_ends_repeat(frames):
    motion = numbers(2, frames, 3)
    expected = convolve1d(motion, np.array([1, 4, 1]) / 6, axis=1, mode="nearest")
    np.testing.assert_allclose(SmoothFrames()(motion, training=False), expected, atol=1e-6)


def test_frames_that_a_network_learns_from_stay_as_they_are():
    motion = numbers(2, 5, 3)
    np.testing.assert_array_equal(SmoothFrames()(motion, training=True), motion)


def test_straight_ways_stay_and_trembling_keeps_a_third():
    time = np.arange(8, dtype="float32")
    motion = np.stack([3 * time + 1, (-1) ** time], -1)[None]
    found = np.asarray(SmoothFrames()(motion))[:, 1:-1]
    np.testing.assert_allclose(found, motion[:, 1:-1] * [1, 1 / 3], atol=1e-5)


def test_saved_layer_is_the_same(tmp_path):
    motion = keras.Input((None, 3))
    keras.Model(motion, SmoothFrames(2.5)(motion)).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(numbers(2, 6, 3)), SmoothFrames(2.5)(numbers(2, 6, 3)))


@pytest.mark.parametrize("weight", [1.9, float("nan")])
def test_weights_that_turn_signs_are_refused(weight):
    with pytest.raises(ValueError, match="2 or more"):
        SmoothFrames(weight)
