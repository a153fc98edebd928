import keras
import numpy as np
import pytest

from keras_dtl.methods import SourceOnly, adapt_statistics, check_statistics
from keras_dtl.methods.batch_norm import fused_batch_norm
from tests.methods.adaptation.test_domain_adaptation import images
from tests.networks import CLASSES, dense, encoder


def trained(**kwargs):
    network = encoder(batch_norm=True, **kwargs)
    network(images(20, low=0, high=100), training=True)
    return SourceOnly(network, dense(CLASSES))


def norm_of(model):
    return next(
        la for la in model.encoder.layers if isinstance(la, keras.layers.BatchNormalization)
    )


def test_statistics_are_those_of_the_images():
    model, x = trained(dropout=0.5), images(40, seed=3, low=150)
    norm = norm_of(model)
    inputs = keras.Model(model.encoder.inputs[0], norm.input)
    maps = inputs(x).numpy()
    weights = [w.numpy() for w in model.trainable_weights]
    adapt_statistics(model, x, batch_size=40)
    np.testing.assert_allclose(norm.moving_mean, maps.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, maps.var((0, 1, 2)), rtol=1e-3)
    for old, new in zip(weights, model.trainable_weights, strict=True):
        np.testing.assert_array_equal(old, new)
    assert norm.momentum == 0.5
    assert model.encoder.layers[-1].rate == 0.5


def test_statistics_may_be_adapted_while_a_method_learns():
    model, x = trained(), images(40, seed=3)
    with fused_batch_norm(model):
        learning = norm_of(model).call
        adapt_statistics(model, x)
        assert norm_of(model).call is learning
    assert "call" not in vars(norm_of(model))


def test_noise_and_random_changes_rest():
    layers, image = keras.layers, keras.Input((4, 4, 3))
    x = layers.RandomFlip()(layers.GaussianNoise(1.0)(image))
    x = layers.SpatialDropout2D(0.5)(layers.GaussianDropout(0.5)(x))
    model = keras.Model(image, layers.BatchNormalization()(layers.RandomBrightness(0.5, (0, 1))(x)))
    x = np.random.default_rng(0).uniform(size=(30, 4, 4, 3)).astype("float32")
    model(x, training=True)
    adapt_statistics(model, x)
    mean, variance = (w.numpy() for w in model.non_trainable_weights[:2])
    np.testing.assert_allclose(mean, x.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(variance, x.var((0, 1, 2)), rtol=1e-3)
    assert np.abs(model(x, training=True) - model(x)).max() > 0.1  # and are back


def test_frozen_layers_take_them_too_and_stay_frozen():
    model = SourceOnly(trained().encoder, dense(CLASSES), batch_norm="frozen")
    before = norm_of(model).moving_mean.numpy()
    adapt_statistics(model, images(40, low=200))
    assert np.abs(norm_of(model).moving_mean - before).max() > 0.01
    assert not norm_of(model).trainable


def test_brighter_and_flatter_images_are_answered_as_before():
    """A change that normalisation takes back: answers return with the target's statistics."""
    model, x = trained(), images(64, low=0, high=100)
    adapt_statistics(model, x, batch_size=64)
    expected = model(x).numpy()
    changed = (x // 2 + 150).astype("uint8")
    worse = np.abs(model(changed).numpy() - expected).mean()
    adapt_statistics(model, changed, batch_size=64)
    assert np.abs(model(changed).numpy() - expected).mean() < 0.3 * worse


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="no batch normalisation"):
        adapt_statistics(SourceOnly(encoder(), dense(CLASSES)), images(4))
    with pytest.raises(ValueError, match="folded"):
        adapt_statistics(SourceOnly(encoder(batch_norm=True), dense(CLASSES)), images(4))
    with pytest.raises(ValueError, match="at least 2 images. Received: 1"):
        adapt_statistics(trained(), images(1))
    with pytest.raises(ValueError, match=r"expected in 0..255"):
        adapt_statistics(trained(), images(4) / 255)
    check_statistics(encoder(batch_norm=True), trained=False)
