import numpy as np

from keras_dtl.losses import confusion_loss, gaussian_divergence


def test_divergence_is_that_of_numpy():
    random = np.random.default_rng(0)
    mean, log_variance = random.normal(size=(2, 5, 3)).astype("float32")
    expected = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1).mean()
    np.testing.assert_allclose(gaussian_divergence(mean, log_variance), expected, rtol=1e-5)
    assert float(gaussian_divergence(np.zeros((2, 3)), np.zeros((2, 3)))) == 0


def test_confusion_is_the_divergence_of_the_uniform_distribution():
    logits = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = np.mean(np.sum(0.25 * np.log(0.25 / probability), 1))
    np.testing.assert_allclose(confusion_loss(logits), expected, rtol=1e-5)
    assert abs(float(confusion_loss(np.ones((3, 4), "float32")))) < 1e-6
