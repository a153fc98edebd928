from types import SimpleNamespace

import numpy as np
import pytest

from keras_dtl.evaluation import ORACLE, VALIDATORS, Validation, accuracy, outputs_of


class Network:
    """What stands for a Keras model: a function behind `predict`."""

    def __init__(self, function):
        self.function = function

    def predict(self, batches, verbose):
        return self.function(np.concatenate([*batches.as_numpy_iterator()])).astype("float32")


MODEL = SimpleNamespace(
    encoder=Network(lambda images: images.reshape(len(images), -1) / 255),
    classifier=Network(lambda features: 9 * features),
)
"""Its class is the brighter of two pixels."""


def examples(count=40, seed=0):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, 1, 2, 1)).astype("uint8")
    labels = images[:, 0, 1, 0] > images[:, 0, 0, 0]
    return SimpleNamespace(images=images, labels=labels.astype(int), classes=("a", "b"))


def test_outputs_are_a_softmax_of_the_logits():
    part = examples(3)
    found = outputs_of(MODEL, part.images, part.labels)
    exponents = np.exp(9.0 * part.images.reshape(3, 2) / 255)
    expected = exponents / exponents.sum(1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-5)
    assert found.features.shape == (3, 2) and found.labels is part.labels
    assert outputs_of(MODEL, part.images).labels is None


def test_every_validator_scores_and_target_labels_serve_the_oracle_alone():
    parts = [examples(seed=seed) for seed in range(3)]
    del parts[2].labels  # of the target, which must do without
    scores = Validation(*parts)(MODEL)
    assert set(scores) == {f"validator_{name}" for name in VALIDATORS}
    target_test = examples(seed=3)
    target_test.labels = np.where(np.arange(40) < 10, 1 - target_test.labels, target_test.labels)
    with_oracle = Validation(*parts, target_test)(MODEL)
    assert with_oracle.pop(f"validator_{ORACLE}") == pytest.approx(0.75)
    assert with_oracle == scores
    assert accuracy(MODEL, target_test) == pytest.approx(0.75)


def test_a_few_images_are_looked_at():
    parts = [examples(200, seed) for seed in range(3)]
    few = Validation(*parts, examples=20)
    assert len(few.source_train[0]) == len(few.source_test[1]) == len(few.target_train[0]) == 20
    assert few(MODEL) != Validation(*parts)(MODEL)
