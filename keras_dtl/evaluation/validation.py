"""A model scored by every validator as it trains, and by the oracle to read these against."""

import numpy as np
from scipy.special import softmax

from keras_dtl.evaluation.classification import evaluate_classifier
from keras_dtl.evaluation.embedding import choose_indices
from keras_dtl.evaluation.validators import ModelOutputs, validate
from keras_dtl.prediction import predict

ORACLE = "oracle"
"""Accuracy on labelled target test images: what nobody has who needs adaptation."""
VALIDATION_EXAMPLES = 1000
"""How many images of each kind a validator looks at."""


class Validation:
    """Scores a model by every validator; called by `keras_dtl.callbacks.Measure`.

    Called with a model that has an `encoder` and a `classifier`, such as a `DomainAdaptation`, it
    returns `{"validator_NAME": score}`. The oracle's score is computed beside them, is never
    chosen by, and is named so everywhere.

    Args:
        source_train: Source images that are trained on: an object with `images`, uint8
            `(examples, height, width, channels)`, and `labels`, integers `(examples,)`, such as
            `keras_dtl.data.LabelledImages`.
        source_test: The same of the source's test split.
        target_train: The same of the target; its labels are never looked at and may be None.
        target_test: Labelled target images for the oracle, or None.
        seed: Choice of the images, and of the halves that validators need.
        examples: How many images of each are looked at.
    """

    def __init__(
        self,
        source_train,
        source_test,
        target_train,
        target_test=None,
        seed: int = 0,
        examples: int = VALIDATION_EXAMPLES,
    ):
        self.seed, self.examples = seed, examples
        self.source_train = self._choose(source_train.images, source_train.labels)
        self.source_test = self._choose(source_test.images, source_test.labels)
        self.target_train = self._choose(target_train.images)
        self.target_test = None
        if target_test is not None:
            self.target_test = self._choose(target_test.images, target_test.labels)

    def _choose(self, *arrays):
        chosen = choose_indices(len(arrays[0]), self.examples, self.seed)
        return tuple(array[chosen] for array in arrays)

    def __call__(self, model) -> dict:
        parts = (self.source_train, self.source_test, self.target_train)
        scores = validate(*(outputs_of(model, *part) for part in parts), self.seed)
        if self.target_test is not None:
            answers = outputs_of(model, *self.target_test).probabilities.argmax(1)
            scores[ORACLE] = float((answers == self.target_test[1]).mean())
        return {log_name(name): score for name, score in scores.items()}


def log_name(name: str) -> str:
    """Return what a validator's score is called in the logs.

    Args:
        name: One of `VALIDATORS`, or `ORACLE`.
    """
    return f"validator_{name}"


def outputs_of(model, images: np.ndarray, labels: np.ndarray | None = None) -> ModelOutputs:
    """Return what a model of an encoder and a classifier makes of images.

    Args:
        model: Has the Keras models `encoder`, from uint8 images to features, and `classifier`,
            from features to logits.
        images: uint8 `(examples, height, width, channels)`, 0..255.
        labels: Their classes `(examples,)`, where known.
    """
    features = predict(model.encoder, images)
    logits = predict(model.classifier, features).astype("float64")
    return ModelOutputs(features, softmax(logits, 1), labels)


def accuracy(model, examples) -> float:
    """Return the share of images whose class a model finds, in 0..1.

    Args:
        model: As for `outputs_of`.
        examples: Object with `images`, `labels` and the names `classes`, such as
            `keras_dtl.data.LabelledImages`.
    """
    probabilities = outputs_of(model, examples.images).probabilities
    return evaluate_classifier(probabilities, examples.labels, examples.classes).accuracy
