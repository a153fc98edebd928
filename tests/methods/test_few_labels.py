"""MME and CCSA, where a few target labels are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import contrastive_alignment, mean_entropy
from keras_dtl.methods import CCSA, MME
from tests.methods.test_every_adaptation import cosine_head, full_batch
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


def test_pairs_are_those_of_source_and_labelled_target():
    data = full_batch()
    model = compiled(CCSA(encoder(), dense(CLASSES), 0.5))
    (x, y), (x_target, y_target) = data["source"], data["target_labelled"]
    alignment, separation = contrastive_alignment(
        model.encoder(x), y, model.encoder(x_target), y_target
    )
    logs = {name: float(value) for name, value in model.train_step(data).items()}
    assert logs["alignment_loss"] == pytest.approx(float(alignment), rel=1e-4)
    assert logs["separation_loss"] == pytest.approx(float(separation), rel=1e-4, abs=1e-6)
    total = logs["label_loss"] + 0.5 * (logs["alignment_loss"] + logs["separation_loss"])
    assert logs["loss"] == pytest.approx(total, rel=1e-5)


def test_adversarial_weight_cannot_be_automatic():
    with pytest.raises(ValueError, match="number of 0 or more"):
        MME(encoder(), cosine_head(), "auto")
