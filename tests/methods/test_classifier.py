"""What methods share that deploy an encoder and a classifier."""

import logging

import numpy as np
import pytest

from keras_dtl.methods import ADDA, DANN, SHOT, FineTuning, SourceOnly
from tests.networks import CLASSES, SHAPE, compiled, dense, encoder


def test_metrics_may_be_given_by_their_place():
    images = np.random.default_rng(0).integers(0, 256, (24, *SHAPE)).astype("uint8")
    model = FineTuning(encoder(), dense(1))
    model.compile("sgd", "binary_crossentropy", None, ["accuracy"], None, True)
    model.classifier.layers[-1].bias.assign([0.2 - np.median(model(images).numpy())])
    logits = model(images).numpy()
    assert np.any((logits > 0) & (logits < 0.5)) and model.run_eagerly
    scores = model.evaluate(images, (logits > 0).astype("float32"), verbose=0, return_dict=True)
    assert scores["accuracy"] == 1


@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: {"classifier": x}])
def test_losses_and_metrics_in_lists_and_dictionaries_are_those_of_logits(wrap):
    images = np.random.default_rng(0).integers(0, 256, (24, *SHAPE)).astype("uint8")
    labels = (np.arange(24) > 11).astype("float32")
    model, scores = FineTuning(encoder(), dense(1)), []
    for each in (lambda x: x, wrap):
        model.compile("sgd", each("binary_crossentropy"), metrics=each(["accuracy", "AUC"]))
        found = model.evaluate(images, labels, verbose=0, return_dict=True)
        scores.append([found["loss"], found["accuracy"], found["AUC"]])
    assert scores[1] == pytest.approx(scores[0], rel=1e-5)


def test_classifier_of_other_features_is_refused():
    with pytest.raises(ValueError, match=r"must take what `encoder` gives.*6\).*7\)"):
        DANN(encoder(), dense(CLASSES, 7), dense(1))


@pytest.mark.parametrize(
    ("other", "method", "frozen"),
    [
        (lambda *nets: ADDA(*nets, dense(1, CLASSES)), SourceOnly, "classifier"),
        (SHOT, FineTuning, "classifier"),
        (
            lambda *nets: FineTuning(*nets, train_from="head"),
            lambda *nets: DANN(*nets, dense(1)),
            "encoder",
        ),
    ],
)
def test_networks_that_another_model_froze_are_told(other, method, frozen, caplog):
    networks = encoder(), dense(CLASSES)
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        compiled(method(*networks))
        assert not caplog.text
        other(*networks)
        compiled(method(*networks))
    assert f"nothing of `{frozen}` learns" in caplog.text


def test_networks_that_a_method_freezes_itself_are_not_told(caplog):
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        compiled(ADDA(encoder(), dense(CLASSES), dense(1, CLASSES)), discriminator_optimizer="sgd")
        compiled(SHOT(encoder(), dense(CLASSES)))
        compiled(FineTuning(encoder(), dense(CLASSES), train_from="head"))
    assert not caplog.text


@pytest.mark.parametrize("several", [tuple, list])
def test_labels_are_not_asked_about(several):
    model = compiled(FineTuning(encoder(), dense(CLASSES)))
    images = np.zeros((2, *SHAPE), "uint8")
    with pytest.raises(ValueError, match=f"one array of images. Received: a {several.__name__} of"):
        model.predict(several((images, np.zeros(2))))
    with pytest.raises(ValueError, match="images alone"):
        model.evaluate(images, verbose=0)
