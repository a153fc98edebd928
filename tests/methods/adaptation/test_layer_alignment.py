"""DAN and Deep CORAL: which layers are compared, by which distance."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.backbones import mlp
from keras_dtl.losses import correlation_alignment, maximum_mean_discrepancy
from keras_dtl.methods import DAN, DeepCORAL
from tests.methods.adaptation.test_domain_adaptation import batch
from tests.networks import CLASSES, compiled, dense, encoder


def make(cls, compared, **kwargs):
    networks = encoder(), mlp((6,), (5,), CLASSES)
    return compiled(cls(*networks, compared=compared, **kwargs))


@pytest.mark.parametrize(
    ("cls", "distance", "term"),
    [
        (DAN, maximum_mean_discrepancy, "discrepancy"),
        (DeepCORAL, correlation_alignment, "coral_loss"),
    ],
)
def test_distances_of_all_compared_layers_are_summed(cls, distance, term):
    model = make(cls, ("features", "hidden_1", "logits"))
    data = batch()
    outputs = []
    for x in (data["source"][0], data["target"]):
        features = model.encoder(x)
        hidden = model.classifier.get_layer("hidden_1")(features)
        outputs.append((features, hidden, model.classifier(features)))
    expected = sum(float(distance(a, b)) for a, b in zip(*outputs))
    assert float(model.train_step(data)[term]) == pytest.approx(expected, rel=1e-4)


def test_layers_of_the_encoder_can_be_compared_too():
    plain = encoder()
    name = plain.layers[2].name  # the convolution
    model = compiled(DAN(plain, dense(CLASSES), compared=(name,)))
    maps = keras.Model(plain.input, plain.layers[2].output)
    data = batch()
    expected = maximum_mean_discrepancy(maps(data["source"][0]), maps(data["target"]))
    assert float(model.train_step(data)["discrepancy"]) == pytest.approx(float(expected), rel=1e-4)


def test_a_name_that_both_networks_have_is_refused():
    layer = keras.layers.Dense(6, name="hidden_1")
    image, features = keras.Input((4,)), keras.Input((6,))
    classifier = keras.Model(
        features, keras.layers.Dense(3)(layer.from_config(layer.get_config())(features))
    )
    with pytest.raises(ValueError, match="one each: hidden_1"):
        DAN(keras.Model(image, layer(image)), classifier, compared=("hidden_1",))


@pytest.mark.parametrize("policy", ["joint", "separate"])
def test_compared_layers_follow_the_policy_of_batch_norm(policy):
    model = compiled(
        DAN(
            encoder(batch_norm=True),
            mlp((6,), (5,), CLASSES),
            compared=("hidden_1",),
            batch_norm=policy,
        )
    )
    outputs = model.domain_outputs(batch()["source"][0], batch()["target"])
    hidden = model.classifier.get_layer("hidden_1")(outputs.features)
    np.testing.assert_allclose(outputs.activations["hidden_1"], hidden, atol=1e-6)


def test_unknown_layer_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match="conv9.*hidden_1"):
        make(DAN, ("conv9",))


def test_learnt_kernel_weights_stay_on_the_simplex_and_are_saved(tmp_path):
    model = make(DAN, ("features", "logits"), learn_kernel_weights=True)
    for _ in range(3):
        model.train_step(batch(source=12, target=12))
    weights = model.kernel_weights["features"].numpy()
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    assert weights.min() >= 0
    assert np.ptp(weights) > 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.kernel_weights["features"].numpy(), weights)


def test_automatic_weight_makes_both_losses_alike():
    model = make(DeepCORAL, ("features",), adaptation_weight="auto")
    model.balance.largest = 1e4
    for _ in range(3):
        logs = {name: float(value) for name, value in model.train_step(batch()).items()}
        weighted = logs["adaptation_weight"] * logs["coral_loss"]
    assert weighted == pytest.approx(logs["label_loss"], rel=0.3)
    assert logs["loss"] == pytest.approx(2 * logs["label_loss"], rel=0.3)


def test_automatic_weight_is_bounded_and_zero_losses_are_no_trouble():
    from keras_dtl.methods.adaptation.balance import Balance

    balance = Balance(momentum=0.5)
    assert float(balance(tf.constant(1.0), tf.constant(0.0))) == 1
    assert float(balance(tf.constant(0.0), tf.constant(-3.0))) == pytest.approx(
        (0.5 * 0.5) / (0.5 * 3), rel=1e-5
    )


@pytest.mark.slow
def test_automatic_weight_cannot_keep_the_classes_from_being_learnt():
    """Activations shrunk to nothing covary alike; a weight that follows would hold them there."""
    model = make(DeepCORAL, ("logits",), adaptation_weight="auto")
    model.optimizer.learning_rate.assign(0.3)
    data = batch(source=24, target=24)
    x, y = data["source"]
    x[y == 0, :4] = 0  # something to learn
    x[y == 1, 4:] = 0
    for _ in range(60):
        logs = model.train_step(data)
        model.reset_metrics()
    assert float(logs["label_loss"]) < 0.7


def test_one_compared_layer_may_be_a_text():
    assert DAN(encoder(), dense(CLASSES), compared="features").compared == ("features",)
