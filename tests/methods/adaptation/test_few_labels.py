"""MME and CCSA, where a few target labels are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import contrastive_alignment, mean_entropy
from keras_dtl.methods import CCSA, MME
from tests.methods.adaptation.test_every_adaptation import cosine_head, full_batch
from tests.networks import CLASSES, compiled, dense, encoder


def test_entropy_is_raised_by_the_classifier_and_lowered_by_the_encoder():
    data = full_batch()
    model = compiled(MME(encoder(), cosine_head(), 0.5), keras.optimizers.SGD(1.0))
    plain = compiled(MME(encoder(), cosine_head(), 0.0), keras.optimizers.SGD(1.0))
    plain.set_weights(model.get_weights())
    with tf.GradientTape() as tape:
        entropy = mean_entropy(model.classifier(model.encoder(data["target"])))
    networks = (model.encoder, model.classifier)
    variables = [v for network in networks for v in network.trainable_variables]
    gradients = tape.gradient(entropy, variables)
    logs = model.train_step(data)
    plain.train_step(data)
    others = [v for network in (plain.encoder, plain.classifier) for v in network.weights]
    signs = [-1] * len(model.encoder.trainable_variables) + [1]
    for variable, other, gradient, sign in zip(variables, others, gradients, signs, strict=True):
        np.testing.assert_allclose(variable - other, sign * 0.5 * gradient, atol=1e-6)
    assert float(logs["negative_entropy"]) == pytest.approx(-float(entropy), rel=1e-5)


@pytest.mark.parametrize("unit_length", [True, False])
def test_pairs_are_those_of_source_and_labelled_target(unit_length):
    data = full_batch()
    model = compiled(CCSA(encoder(), dense(CLASSES), 0.5, unit_length=unit_length))
    (x, y), (x_target, y_target) = data["source"], data["target_labelled"]
    features = [model.encoder(images).numpy() for images in (x, x_target)]
    if unit_length:
        features = [f / np.linalg.norm(f, axis=1, keepdims=True) for f in features]
    alignment, separation = contrastive_alignment(features[0], y, features[1], y_target)
    logs = {name: float(value) for name, value in model.train_step(data).items()}
    assert logs["alignment_loss"] == pytest.approx(float(alignment), rel=1e-4)
    assert logs["separation_loss"] == pytest.approx(float(separation), rel=1e-4, abs=1e-6)
    total = logs["label_loss"] + 0.5 * (logs["alignment_loss"] + logs["separation_loss"])
    assert logs["loss"] == pytest.approx(total, rel=1e-5)


def test_contrast_does_not_depend_on_the_scale_of_features():
    data = full_batch()
    plain, larger = (CCSA(encoder(), dense(CLASSES)) for _ in range(2))
    larger.set_weights(plain.get_weights())
    last = larger.encoder.layers[-1]
    last.set_weights([100 * w for w in last.get_weights()])  # before a ReLU: so are the features
    expected, logs = (compiled(model).train_step(data) for model in (plain, larger))
    for name in ("alignment_loss", "separation_loss"):
        assert float(logs[name]) == pytest.approx(float(expected[name]), rel=1e-3)
        assert 0 < float(logs[name]) < 2


def test_adversarial_weight_cannot_be_automatic():
    with pytest.raises(ValueError, match="number of 0 or more"):
        MME(encoder(), cosine_head(), "auto")
