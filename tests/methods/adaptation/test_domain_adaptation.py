"""The step that the methods of domain adaptation share."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import DomainAdaptation, SourceOnly
from keras_dtl.methods.adaptation.examples import unpack
from tests.networks import CLASSES, SHAPE, compiled, dense, encoder


@keras.saving.register_keras_serializable("tests")
class Alignment(DomainAdaptation):
    """The squared distance between the domains' mean features."""

    tracked = ("label_loss", "distance")

    def adaptation_terms(self, outputs):
        (source, _), (target, _) = outputs.source, outputs.target
        means = [tf.reduce_mean(features, 0) for features in (source, target)]
        return {"distance": tf.reduce_sum((means[0] - means[1]) ** 2)}


def images(count, seed=0, low=0, high=256):
    return np.random.default_rng(seed).integers(low, high, (count, *SHAPE)).astype("uint8")


def labels(count, seed=0):
    return np.random.default_rng(seed).integers(0, CLASSES, count).astype("int32")


def batch(source=6, target=4, **more):
    return {"source": (images(source), labels(source)), "target": images(target, 1), **more}


def make(cls=Alignment, with_batch_norm=False, **kwargs):
    return compiled(cls(encoder(with_batch_norm), dense(CLASSES), **kwargs))


def test_losses_equal_numpy():
    model, data = make(adaptation_weight=0.5), batch()
    source, target = (model.encoder(x).numpy() for x in (data["source"][0], data["target"]))
    logits = model.classifier(source).numpy()
    log_probability = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    label_loss = -log_probability[np.arange(6), data["source"][1]].mean()
    distance = ((source.mean(0) - target.mean(0)) ** 2).sum()
    logs = {name: float(value) for name, value in model.train_step(data).items()}
    assert logs["label_loss"] == pytest.approx(label_loss, rel=1e-5)
    assert logs["distance"] == pytest.approx(distance, rel=1e-5)
    assert logs["loss"] == pytest.approx(label_loss + 0.5 * distance, rel=1e-5)
    assert logs["accuracy"] == pytest.approx((logits.argmax(1) == data["source"][1]).mean())


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_target_images_reach_the_encoder_by_the_weight_alone(weight):
    first, second = make(adaptation_weight=weight), make(adaptation_weight=weight)
    second.set_weights(first.get_weights())
    first.train_step(batch())
    second.train_step({**batch(), "target": images(4, seed=9)})
    same = all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights()))
    assert same == (weight == 0)


def test_encoder_learns_the_task_and_the_adaptation():
    """What ADAPT's DeepCORAL lost: the encoder must receive both gradients."""
    data = batch()
    task_only = make(adaptation_weight=0.0)
    both = make(adaptation_weight=1.0)
    both.set_weights(task_only.get_weights())
    start = task_only.encoder.get_weights()
    task_only.train_step(data)
    both.train_step(data)
    task = [a - b for a, b in zip(task_only.encoder.get_weights(), start)]
    more = [a - b for a, b in zip(both.encoder.get_weights(), task_only.encoder.get_weights())]
    assert sum(np.abs(x).sum() for x in task) > 0
    assert sum(np.abs(x).sum() for x in more) > 0


def test_known_target_labels_join_the_label_loss():
    model, plain = make(adaptation_weight=0.0), make(SourceOnly)
    plain.set_weights(model.get_weights())
    labelled = (images(4, seed=5), labels(4, seed=5))
    joined = tuple(np.concatenate(pair) for pair in zip(batch()["source"], labelled, strict=True))
    model.train_step(batch(target_labelled=labelled))
    plain.train_step({"source": joined})
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_sample_weight_zero_removes_an_example():
    model, reference = make(SourceOnly), make(SourceOnly)
    reference.set_weights(model.get_weights())
    x, y = batch()["source"]
    weight = np.array([2, 2, 2, 0, 0, 0], "float32")
    model.train_step({"source": (x, y, weight)})
    reference.train_step({"source": (x[:3], y[:3])})
    for a, b in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("of_source", [None, np.array([[2], [0], [1], [0], [3], [0]])])
def test_weights_of_labelled_target_images_count(of_source):
    model, (x, y) = make(Alignment), batch()["source"]
    of_target = np.array([0, 3])
    losses = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    expected = losses(y, model(x)).numpy()
    known = (x[:2], y[:2], of_target)
    source = (x, y) if of_source is None else (x, y, of_source)
    weights = [np.ones(6) if of_source is None else of_source[:, 0], of_target]
    data = {"source": source, "target": images(4, 1), "target_labelled": known}
    expected = np.concatenate([expected, expected[:2]]) * np.concatenate(weights)
    logs = model.train_step(data)
    assert float(logs["label_loss"]) == pytest.approx(expected.mean(), rel=1e-5)
    np.testing.assert_array_equal(unpack(data).weights, [*weights[0], 0, 3, 1, 1, 1, 1])
    weighted = {**data, "label_weight": tf.ones(8)}
    np.testing.assert_array_equal(unpack(weighted).sample_weight, np.concatenate(weights))


def test_source_only_never_looks_at_the_target():
    first, second = make(SourceOnly, with_batch_norm=True), make(SourceOnly, with_batch_norm=True)
    second.set_weights(first.get_weights())
    first.train_step(batch())
    second.train_step({"source": batch()["source"]})
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def moving_mean_after(policy, source, target):
    networks = encoder(batch_norm=True), dense(CLASSES)
    model = compiled(Alignment(*networks, batch_norm=policy), keras.optimizers.SGD(0.0))
    (layer,) = model._batch_norm_layers
    before = layer.moving_mean.numpy().copy()
    model.train_step({"source": (source, labels(len(source))), "target": target})
    return before, layer.moving_mean.numpy(), model


def activations(model, x):
    (layer,) = model._batch_norm_layers
    return keras.Model(model.encoder.input, layer.input)(x).numpy()


def test_batch_norm_policies_keep_the_statistics_they_promise():
    source, target = images(6, high=128), images(6, seed=1, low=128)
    for policy, seen in (
        ("joint", np.concatenate([source, target])),
        ("separate", target),
        ("frozen", None),
    ):
        before, after, model = moving_mean_after(policy, source, target)
        if seen is None:
            np.testing.assert_array_equal(after, before)
            continue
        batch_mean = activations(model, seen).mean((0, 1, 2))
        np.testing.assert_allclose(after, 0.5 * before + 0.5 * batch_mean, atol=1e-5)


def test_separate_policy_normalises_each_domain_by_itself():
    source, target = images(6, high=128), images(6, seed=1, low=128)
    model = make(with_batch_norm=True)
    outputs = {}
    for policy in ("joint", "separate"):
        copy = Alignment(model.encoder, model.classifier, batch_norm=policy)
        outputs[policy] = copy.domain_outputs(tf.constant(source), tf.constant(target)).features
    alone = model.encoder(source, training=True)
    np.testing.assert_allclose(outputs["separate"][:6], alone, atol=1e-5)
    assert np.abs(outputs["joint"][:6] - alone).max() > 1e-3


def test_frozen_policy_trains_everything_but_batch_norm():
    model = make(with_batch_norm=True)
    frozen = compiled(Alignment(model.encoder, model.classifier, batch_norm="frozen"))
    (layer,) = frozen._batch_norm_layers
    norm, other = [w.numpy() for w in layer.weights], frozen.encoder.layers[2].kernel.numpy()
    frozen.train_step(batch())
    for a, b in zip(norm, layer.weights, strict=True):
        np.testing.assert_array_equal(a, b.numpy())
    assert (other != frozen.encoder.layers[2].kernel.numpy()).any()


def test_deployable_model_gives_probabilities_of_the_trained_path():
    model = make()
    deployed = model.deployable()
    assert deployed.inputs[0].dtype == "uint8"
    assert (deployed.inputs[0].name, deployed.layers[-1].name) == ("image", "probabilities")
    for count in (1, 5):
        expected = keras.ops.softmax(model(images(count)))
        np.testing.assert_allclose(deployed(images(count)), expected, atol=1e-6)


@pytest.mark.slow
def test_saved_model_round_trip(tmp_path):
    model = make(adaptation_weight=0.5, batch_norm="joint")
    model.fit(tf.data.Dataset.from_tensors(batch()).repeat(), steps_per_epoch=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.adaptation_weight, loaded.batch_norm) == (0.5, "joint")
    np.testing.assert_array_equal(
        loaded.predict(images(3), verbose=0), model.predict(images(3), verbose=0)
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_and_reports_float32(policy):
    keras.config.set_dtype_policy(policy)
    model = make()
    data = tf.data.Dataset.from_tensors(batch()).repeat()
    losses = model.fit(data, epochs=15, steps_per_epoch=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model(images(2)).dtype == "float32"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_norm": "both"}, "batch_norm"),
        ({"adaptation_weight": -1}, "adaptation_weight"),
        ({"adaptation_weight": float("nan")}, "adaptation_weight"),
    ],
)
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Alignment(encoder(), dense(CLASSES), **arguments)


def test_classifier_with_softmax_is_refused():
    with pytest.raises(ValueError, match="logits"):
        SourceOnly(encoder(), dense(CLASSES, activation="softmax"))


def test_batch_normalisation_that_another_model_froze_is_told(caplog):
    network = encoder(True)
    SourceOnly(network, dense(CLASSES), batch_norm="frozen")
    assert not caplog.records
    SourceOnly(network, dense(CLASSES))
    assert "batch_norm='joint' 1 of 1 layers of batch normalisation do not learn" in caplog.text
