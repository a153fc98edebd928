import keras
import numpy as np
import pytest
import scipy.linalg

from keras_dtl.layers import CORALAlignment, coral_matrix


def features(count=40, seed=0, size=4):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, size)) @ rng.normal(size=(size, size))


def test_matrix_equals_the_papers_formula():
    """Algorithm 1 of Sun, Feng & Saenko: fractional matrix powers of covariance plus identity."""
    x, y = features(), features(30, 1)
    source, target = (np.cov(z, rowvar=False) + np.eye(4) for z in (x, y))
    expected = scipy.linalg.inv(scipy.linalg.sqrtm(source)) @ scipy.linalg.sqrtm(target)
    np.testing.assert_allclose(coral_matrix(x, y), expected, atol=1e-8)


def test_without_regularisation_the_covariance_becomes_the_targets():
    x, y = features(), features(30, 1)
    aligned = x @ coral_matrix(x, y, regularization=0)
    np.testing.assert_allclose(np.cov(aligned, rowvar=False), np.cov(y, rowvar=False), atol=1e-8)


def test_layer_adapts_arrays_and_round_trips(tmp_path):
    x, y = features(), features(30, 1) + 3
    layer = CORALAlignment(recentre=True)
    layer.adapt(x, y)
    expected = (x - x.mean(0)) @ coral_matrix(x, y) + y.mean(0)
    np.testing.assert_allclose(layer(x), expected, atol=1e-4)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(x.astype("float32")), expected, atol=1e-4)


def test_before_adapt_it_is_the_identity():
    x = features().astype("float32")
    np.testing.assert_allclose(CORALAlignment()(x), x, atol=1e-6)


def test_constant_features_stay_finite():
    assert np.isfinite(coral_matrix(np.ones((5, 3)), features(size=3))).all()


def test_one_domain_far_larger_and_more_features_than_examples():
    x, y = features(3, size=8), features(2000, 1, size=8)
    assert np.isfinite(x @ coral_matrix(x, y)).all()


@pytest.mark.parametrize(
    ("source", "target", "regularization", "message"),
    [
        (np.ones((1, 4)), features(), 1.0, "at least 2"),
        (features(), features(size=3), 1.0, "same features"),
        (np.full((5, 4), np.nan), features(), 1.0, "finite"),
        (np.ones((5, 4)), features(), 0.0, "whitened"),
    ],
)
def test_unusable_features_are_refused(source, target, regularization, message):
    with pytest.raises(ValueError, match=message):
        coral_matrix(source, target, regularization)
