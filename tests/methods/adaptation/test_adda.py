import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import ADDA
from keras_dtl.methods.adaptation.adda import copy_of, inverted_loss
from tests.methods.adaptation.test_domain_adaptation import batch, images
from tests.networks import CLASSES, compiled, dense, encoder


def make(rate=0.05, **kwargs):
    width = 6 if kwargs.get("discriminated") == "features" else CLASSES
    model = ADDA(encoder(), dense(CLASSES), dense(1, width), **kwargs)
    player = keras.optimizers.SGD(rate)
    return compiled(model, keras.optimizers.SGD(rate), discriminator_optimizer=player)


def values(network):
    return [w.numpy() for w in network.weights]


def test_target_encoder_starts_as_the_source_encoder_which_stays_bit_for_bit():
    model = make()
    start, head = values(model.encoder), values(model.classifier)
    for a, b in zip(start, values(model.source_encoder), strict=True):
        np.testing.assert_array_equal(a, b)
    for _ in range(3):
        model.train_step(batch())
    for network, before in ((model.source_encoder, start), (model.classifier, head)):
        for a, b in zip(values(network), before, strict=True):
            np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(values(model.encoder), start, strict=True))


def test_frozen_source_encoder_keeps_its_batch_norm_statistics_and_normalises_by_them():
    model = ADDA(encoder(batch_norm=True), dense(CLASSES), dense(1, CLASSES))
    player = keras.optimizers.SGD(0.05)
    compiled(model, discriminator_optimizer=player)
    before = values(model.source_encoder)
    model.train_step(batch())
    for a, b in zip(values(model.source_encoder), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("discriminated", ["logits", "features"])
def test_both_updates_follow_the_gradients_of_the_papers_losses(discriminated):
    model = make(rate=1.0, discriminated=discriminated)
    data = batch()

    def seen(network, x):
        features = network(x)
        return model.classifier(features) if discriminated == "logits" else features

    with tf.GradientTape(persistent=True) as tape:
        source = model.discriminator(seen(model.source_encoder, data["source"][0]))
        target = model.discriminator(seen(model.encoder, data["target"]))
        cross = tf.nn.sigmoid_cross_entropy_with_logits
        told = tf.reduce_mean(cross(tf.zeros_like(source), source))
        told = 0.5 * told + 0.5 * tf.reduce_mean(cross(tf.ones_like(target), target))
        fooled = tf.reduce_mean(cross(tf.zeros_like(target), target))
    pairs = (
        (model.discriminator.trainable_variables, told),
        (model.encoder.trainable_variables, fooled),
    )
    expected = [[v.numpy() - tape.gradient(loss, v).numpy() for v in vs] for vs, loss in pairs]
    model.train_step(data)
    for (variables, _), wanted in zip(pairs, expected, strict=True):
        for variable, value in zip(variables, wanted, strict=True):
            np.testing.assert_allclose(variable.numpy(), value, atol=1e-5)


def test_mapping_loss_is_small_when_the_target_is_taken_for_the_source():
    assert float(inverted_loss(tf.constant([[-20.0]]))) < 1e-6
    assert float(inverted_loss(tf.constant([[20.0]]))) == pytest.approx(20)


def test_deployed_path_is_the_target_encoder():
    model = make()
    model.encoder.set_weights([w + 0.1 for w in model.encoder.get_weights()])
    expected = model.classifier(model.encoder(images(3)))
    np.testing.assert_allclose(model(images(3)), expected, atol=1e-6)


def test_unknown_place_of_the_discriminator_is_refused():
    with pytest.raises(ValueError, match="discriminated"):
        make(discriminated="pixels")


def test_weights_of_labels_and_examples_count_in_the_label_loss_and_the_metrics():
    data = batch(target_labelled=(images(4, seed=7), np.array([0, 1, 2, 1])))
    known = np.array([0.0, 2.0, 0.5, 2.0])
    source = np.random.default_rng(0).uniform(0, 1, len(data["source"][1]))
    x, y = data["source"]
    model = make(0.0)
    model.compile(
        keras.optimizers.SGD(0.0),
        model.loss,
        weighted_metrics=["accuracy"],
        discriminator_optimizer=keras.optimizers.SGD(0.0),
    )
    weight = np.concatenate([np.ones(len(y)), known]).astype("float32")
    logs = model.train_step(
        {**data, "source": (x, y, source.astype("float32")), "label_weight": weight}
    )
    logits = model(data["target_labelled"][0]).numpy()
    losses = -np.log(tf.nn.softmax(logits).numpy()[np.arange(4), data["target_labelled"][1]])
    assert float(logs["label_loss"]) == pytest.approx((known * losses).mean(), rel=1e-4)
    right = model(x).numpy().argmax(1) == y
    assert float(logs["accuracy"]) == pytest.approx((source * right).sum() / source.sum())


def test_one_encoder_cannot_learn_and_stay():
    network = encoder()
    with pytest.raises(ValueError, match="cannot be one object"):
        ADDA(network, dense(CLASSES), dense(1, features=CLASSES), source_encoder=network)


def test_the_copy_scales_by_what_the_encoder_was_shown():
    """It had the weights of an adapted Normalization, and computed with a mean of 0."""
    scale = keras.layers.Normalization()
    scale.adapt(np.random.default_rng(0).normal(30, 4, (50, 3)))
    network = keras.Sequential([keras.Input((3,)), scale])
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(copy_of(network)(x), network(x))
