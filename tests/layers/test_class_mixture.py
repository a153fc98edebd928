import keras
import numpy as np
import pytest

from keras_dtl.layers import ClassMixture


def built(classes, numbers=3, components=4):
    layer = ClassMixture(classes, components)
    layer.build((None, 1 + numbers + classes))
    return layer


def normal(count, numbers=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, numbers)).astype("float32")


def told(noise, labels, classes):
    return np.concatenate([noise, np.eye(classes, dtype="float32")[labels]], -1)


@pytest.mark.parametrize("classes", [0, 2])
def test_noise_stays_what_it_is_before_anything_is_fitted(classes):
    noise = normal(4, 4)
    inputs = told(noise, [0, 1, 1, 0], 2) if classes else noise
    np.testing.assert_array_equal(built(classes)(inputs), inputs[:, 1:])


def test_draws_of_a_class_have_its_mean_and_covariance():
    layer, labels = built(2, components=1), np.repeat([0, 1], 4000)
    mixing = np.random.default_rng(1).normal(size=(2, 3, 3))
    codes = np.concatenate([normal(4000) @ mixing[0] + 5, normal(4000, seed=2) @ mixing[1]])
    layer.adapt(codes, labels)
    found = np.asarray(layer(told(normal(8000, 4, seed=3), labels, 2)))
    np.testing.assert_array_equal(found[:, 3:], np.eye(2)[labels])
    for row in (0, 1):
        own = codes[labels == row]
        np.testing.assert_allclose(found[labels == row, :3].mean(0), own.mean(0), atol=0.15)
        drawn = np.cov(found[labels == row, :3].T)
        np.testing.assert_allclose(drawn, np.cov(own.T), atol=0.06 * np.trace(np.cov(own.T)))


def test_each_component_is_drawn_as_often_as_its_codes_are():
    """Three clusters of 10, 20 and 70 %: one Gaussian would fill the room between them."""
    layer, places = built(0, components=3), np.array([[-40, 0, 0], [0, 40, 0], [40, 0, 40]])
    cluster = np.repeat([0, 1, 2], [100, 200, 700])
    layer.adapt(normal(1000) + places[cluster])
    drawn = np.asarray(layer(normal(6000, 4, seed=6)))
    distances = np.linalg.norm(drawn[:, None] - places, axis=-1)
    assert distances.min(1).max() < 6
    shares = np.bincount(distances.argmin(1)) / len(drawn)
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.7], atol=0.02)


def test_frames_of_a_sequence_are_codes_each():
    layer = built(2)
    layer.adapt(normal(50, seed=4) * [1, 2, 3] + 1, np.repeat([0, 1], 25))
    inputs = told(normal(6, 4), [0, 1, 0, 1, 0, 1], 2)
    whole = layer(inputs.reshape(2, 3, 6))
    assert layer.compute_output_shape((2, 3, 6)) == whole.shape
    np.testing.assert_allclose(np.reshape(whole, (6, 5)), layer(inputs), atol=1e-6)


def test_a_class_of_one_code_takes_the_mixture_of_all():
    layer, alone = built(2), built(0)
    codes = normal(20) + 3
    layer.adapt(codes, [0] * 19 + [1])
    alone.adapt(codes)
    noise = normal(5, 4, seed=5)
    found = np.asarray(layer(told(noise, [1] * 5, 2)))[:, :3]
    np.testing.assert_allclose(found, alone(noise), atol=1e-5)


def test_codes_that_lie_on_a_line_are_drawn_on_it():
    layer = built(0)
    layer.adapt(np.linspace(-1, 1, 60)[:, None] * [1, 2, 0] + [0, 0, 7])
    drawn = np.asarray(layer(normal(50, 4, seed=7)))
    np.testing.assert_allclose(drawn[:, 1], 2 * drawn[:, 0], atol=0.02)
    np.testing.assert_allclose(drawn[:, 2], 7, atol=0.02)


def test_codes_that_are_all_the_same_are_drawn_so():
    layer = built(0, components=1)
    layer.adapt(np.full((9, 3), 5.0))
    np.testing.assert_allclose(layer(normal(4, 4)), 5, atol=1e-4)


def test_what_was_fitted_is_saved(tmp_path):
    layer = built(0)
    layer.adapt(normal(30) * 4 + 2)
    noise = keras.Input((4,))
    keras.Model(noise, layer(noise)).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(normal(5, 4)), layer(normal(5, 4)), atol=1e-6)
    assert not layer.trainable_weights


def test_no_component_is_refused():
    with pytest.raises(ValueError, match="1 or more. Received: 0"):
        ClassMixture(components=0)
