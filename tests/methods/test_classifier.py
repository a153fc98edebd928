"""What methods share that deploy an encoder and a classifier."""

import numpy as np

from keras_dtl.methods import FineTuning
from tests.networks import SHAPE, dense, encoder


def test_metrics_may_be_given_by_their_place():
    images = np.random.default_rng(0).integers(0, 256, (24, *SHAPE)).astype("uint8")
    model = FineTuning(encoder(), dense(1))
    model.compile("sgd", "binary_crossentropy", None, ["accuracy"], None, True)
    model.classifier.layers[-1].bias.assign([0.2 - np.median(model.predict(images, verbose=0))])
    logits = model.predict(images, verbose=0)
    assert np.any((logits > 0) & (logits < 0.5)) and model.run_eagerly
    scores = model.evaluate(images, (logits > 0).astype("float32"), verbose=0, return_dict=True)
    assert scores["accuracy"] == 1
