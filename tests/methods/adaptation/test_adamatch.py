import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import AdaMatch
from tests.methods.adaptation.test_domain_adaptation import batch, images
from tests.networks import CLASSES, compiled, dense, encoder


def strong_batch():
    return {**batch(), "source_strong": images(6, seed=2), "target_strong": images(4, seed=3)}


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def crossentropy(truth, logits):
    return -(truth * np.log(softmax(logits))).sum(1)


@pytest.mark.parametrize("threshold", [0.5, 1.0])
def test_losses_equal_the_papers_in_numpy(threshold):
    model, data = compiled(AdaMatch(encoder(), dense(CLASSES), threshold=threshold)), strong_batch()
    for layer in (model.encoder.layers[-1], model.classifier.layers[-1]):
        layer.kernel.assign(5 * layer.kernel)  # answers that differ in certainty
    x, y = data["source"]
    weak, strong, target, target_strong = (
        model(part).numpy()
        for part in (x, data["source_strong"], data["target"], data["target_strong"])
    )
    truth = np.eye(CLASSES)[y]
    label_loss = (crossentropy(truth, weak).mean() + crossentropy(truth, strong).mean()) / 2
    source, answers = softmax(weak), softmax(target)
    aligned = answers * source.mean(0) / answers.mean(0)
    aligned /= aligned.sum(1, keepdims=True)
    certain = aligned.max(1) >= threshold * source.max(1).mean()
    pseudo = (certain * crossentropy(aligned, target_strong)).mean()
    logs = {name: float(value) for name, value in model.train_step(data).items()}
    assert logs["label_loss"] == pytest.approx(label_loss, rel=1e-4)
    assert logs["pseudo_labelled"] == pytest.approx(certain.mean())
    assert logs["pseudo_label_loss"] == pytest.approx(pseudo, rel=1e-4, abs=1e-6)
    assert logs["loss"] == pytest.approx(label_loss + pseudo, rel=1e-4)


def test_pseudo_labels_teach_nothing_to_the_images_they_come_from():
    """The gradient of the target's loss reaches the encoder through strong images alone."""
    model, data = compiled(AdaMatch(encoder(), dense(CLASSES), threshold=0.1)), strong_batch()
    images_of = {name: tf.Variable(tf.cast(data[name], "float32")) for name in ("target",)}
    with tf.GradientTape() as tape:
        logits = model.classifier(model.encoder(images_of["target"]))
        labels, certain = model.pseudo_labels(logits, logits, data["source"][1])
        loss = tf.reduce_sum(labels**2) + tf.reduce_sum(certain)
    assert tape.gradient(loss, images_of["target"]) is None


def test_mixed_logits_move_statistics_by_the_joint_pass_alone():
    data = strong_batch()
    ours = compiled(AdaMatch(encoder(batch_norm=True), dense(CLASSES)))
    assert ours.mixing is not None
    x = np.concatenate(
        [data["source"][0], data["source_strong"], data["target"], data["target_strong"]]
    )
    others = keras.models.clone_model(ours.encoder)
    others.set_weights(ours.encoder.get_weights())
    others(x, training=True)
    expected = next(layer for layer in others.layers if "batch" in layer.name).moving_mean.numpy()
    ours.train_step(data)
    np.testing.assert_allclose(ours._batch_norm_layers[0].moving_mean, expected, rtol=1e-5)


def test_frozen_normalisation_needs_no_second_pass():
    model = AdaMatch(encoder(batch_norm=True), dense(CLASSES), batch_norm="frozen")
    assert model.mixing is None


def test_batch_without_strong_images_says_where_they_come_from():
    with pytest.raises(ValueError, match=r"source_strong, target_strong.*domain_batches"):
        compiled(AdaMatch(encoder(), dense(CLASSES))).train_step(batch())


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ValueError, match="threshold"):
        AdaMatch(encoder(), dense(CLASSES), threshold=threshold)


def views(count, seed, target):
    """Two features of the class; the first is turned into noise by a strong change.

    In the source only the first tells the class, in the target both do: weak answers, by the first,
    teach the second.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    sign = 2.0 * labels - 1
    first = rng.normal(sign * (0.6 if target else 1.0), 0.5 if target else 0.2)
    second = rng.normal(sign if target else 0 * sign, 0.2)
    weak = np.stack([first, second], 1).astype("float32")
    strong = np.stack([rng.normal(0, 0.5, count), second], 1).astype("float32")
    return weak, strong if target else weak, labels.astype("int32")


def toy_accuracy(weight):
    keras.utils.set_random_seed(0)
    x = keras.Input((2,))
    features = keras.Model(x, keras.layers.Dense(16, activation="relu")(x))
    model = compiled(AdaMatch(features, dense(2, 16), weight), keras.optimizers.Adam(0.02))
    source, target = views(256, 0, False), views(256, 1, True)
    domains = {"source": (source[0], source[2]), "source_strong": source[1]}
    domains |= {"target": target[0], "target_strong": target[1]}
    data = tf.data.Dataset.from_tensors(domains).repeat()
    model.fit(data, steps_per_epoch=150, verbose=0)
    weak, _, truth = views(512, 2, True)
    return (model(weak).numpy().argmax(1) == truth).mean()


def test_toy_is_won_by_adaptation_and_lost_without_its_weight():
    assert toy_accuracy(1.0) > 0.97
    assert toy_accuracy(0.0) < 0.95
