import numpy as np
import pytest

from keras_dtl.losses import (
    class_discrepancy,
    confusion_loss,
    gaussian_divergence,
    moment_discrepancy,
)


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


def test_discrepancy_of_classes_is_the_double_loop():
    random = np.random.default_rng(0)
    codes = random.normal(size=(6, 4)).astype("float32")
    labels = np.array([0, 1, 0, 2, 1, 0])  # the 2 is alone
    found = class_discrepancy(codes, labels, factors=(0.5,))
    prior = random.normal(size=(200_000, 4))

    def kernel(x, y):
        return np.exp(-np.square(x - y).sum(-1) / (2 * 0.5 * 4))

    terms = []
    for i in (0, 1, 2, 4, 5):
        others = [j for j in range(6) if j != i and labels[j] == labels[i]]
        among = np.mean([kernel(codes[i], codes[j]) for j in others])
        terms.append(among - 2 * kernel(codes[i], prior).mean())
    expected = np.mean(terms) + kernel(prior[::2], prior[1::2]).mean()
    np.testing.assert_allclose(found, expected, atol=3e-3)


def test_discrepancy_is_nought_at_the_prior_and_sees_classes_apart_and_shrunk():
    random = np.random.default_rng(0)
    codes = random.normal(size=(1000, 8)).astype("float32")
    labels = np.arange(1000) % 4
    assert abs(float(class_discrepancy(codes, labels))) < 3e-3
    apart = codes + (labels == 0)[:, None]
    assert float(class_discrepancy(apart, labels)) > 0.01
    assert float(class_discrepancy(0.3 * codes, labels)) > 0.05
    assert float(class_discrepancy(codes[:3], np.arange(3))) == 0  # none has a partner


def test_moments_are_those_of_numpy_and_nought_at_the_prior():
    random = np.random.default_rng(0)
    codes = random.normal(size=(7, 3)).astype("float32")
    squares = (codes.mean(0) ** 2).sum() + ((np.cov(codes.T) - np.eye(3)) ** 2).sum()
    np.testing.assert_allclose(moment_discrepancy(codes), squares / 3, rtol=1e-5)
    many = random.normal(size=(20_000, 8)).astype("float32")
    assert float(moment_discrepancy(many)) < 1e-3
    assert float(moment_discrepancy(2 * many)) > 8  # variances of 4


def test_moments_of_one_example_are_refused():
    with pytest.raises(ValueError, match="moment_discrepancy compares.*at least 2"):
        moment_discrepancy(np.ones((1, 3), "float32"))
