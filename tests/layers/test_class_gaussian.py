import keras
import numpy as np
import pytest

from keras_dtl.layers import ClassGaussian


def built(classes, numbers=3):
    layer = ClassGaussian(classes)
    layer.build((None, numbers + classes))
    return layer


def normal(count, numbers=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, numbers)).astype("float32")


def told(noise, labels, classes):
    return np.concatenate([noise, np.eye(classes, dtype="float32")[labels]], -1)


@pytest.mark.parametrize("classes", [0, 2])
def test_noise_stays_what_it_is_before_anything_is_fitted(classes):
    inputs = told(normal(4), [0, 1, 1, 0], 2) if classes else normal(4)
    np.testing.assert_array_equal(built(classes)(inputs), inputs)


def test_draws_of_a_class_have_its_mean_and_covariance():
    layer, labels = built(2), np.repeat([0, 1], 4000)
    mixing = np.random.default_rng(1).normal(size=(2, 3, 3))
    codes = np.concatenate([normal(4000) @ mixing[0] + 5, normal(4000, seed=2) @ mixing[1]])
    layer.adapt(codes, labels)
    found = np.asarray(layer(told(normal(8000, seed=3), labels, 2)))
    np.testing.assert_array_equal(found[:, 3:], np.eye(2)[labels])
    for row in (0, 1):
        own = codes[labels == row]
        np.testing.assert_allclose(found[labels == row, :3].mean(0), own.mean(0), atol=0.15)
        drawn = np.cov(found[labels == row, :3].T)
        np.testing.assert_allclose(drawn, np.cov(own.T), atol=0.06 * np.trace(np.cov(own.T)))


def test_frames_of_a_sequence_are_codes_each():
    layer = built(2)
    layer.adapt(normal(50, seed=4) * [1, 2, 3] + 1, np.repeat([0, 1], 25))
    inputs = told(normal(6), [0, 1, 0, 1, 0, 1], 2)
    whole = layer(inputs.reshape(2, 3, 5))
    np.testing.assert_allclose(np.reshape(whole, (6, 5)), layer(inputs), atol=1e-6)


def test_a_class_of_one_code_takes_the_gaussian_of_all():
    layer, alone = built(2), built(0)
    codes = normal(20) + 3
    layer.adapt(codes, [0] * 19 + [1])
    alone.adapt(codes)
    noise = normal(5, seed=5)
    found = np.asarray(layer(told(noise, [1] * 5, 2)))[:, :3]
    np.testing.assert_allclose(found, alone(noise), atol=1e-5)


def test_what_was_fitted_is_saved(tmp_path):
    layer = built(0)
    layer.adapt(normal(30) * 4 + 2)
    noise = keras.Input((3,))
    keras.Model(noise, layer(noise)).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(normal(5)), layer(normal(5)), atol=1e-6)
    assert not layer.trainable_weights
