"""Which epoch to publish: validators without target labels, and the oracle to read them against."""

import numpy as np

from keras_dtl.callbacks import KeepBest
from keras_dtl.evaluation import ModelOutputs, choose_indices, evaluate_classifier, validate
from keras_dtl.evaluation.validators import VALIDATORS
from keras_dtl.recipes.domain_adaptation import VALIDATION_EXAMPLES

ORACLE = "oracle"
"""Accuracy on labelled target test images: what nobody has who needs adaptation."""


class Validation:
    """Scores a model by every validator; called by `keras_dtl.callbacks.Measure`.

    Logs `validator_NAME`. The oracle's score is computed beside them, is never chosen by, and is
    named so everywhere.
    """

    def __init__(self, data, seed):
        self.parts = {
            name: few(getattr(data, name), seed)
            for name in ("source_train", "source_test", "target_train")
        }
        self.target_test = None if data.target_test is None else few(data.target_test, seed)
        self.seed = seed

    def __call__(self, model):
        outputs = {name: outputs_of(model, images) for name, images in self.parts.items()}
        scores = validate(
            outputs["source_train"],
            outputs["source_test"],
            outputs["target_train"]._replace(labels=None),
            self.seed,
        )
        if self.target_test is not None:
            answers = outputs_of(model, self.target_test).probabilities.argmax(1)
            scores[ORACLE] = float((answers == self.target_test.labels).mean())
        return {logged(name): score for name, score in scores.items()}


def logged(name):
    return f"validator_{name}"


def keepers(folder):
    """Return the callback of every validator, and of the oracle, that keeps its best weights."""
    return {
        name: KeepBest(folder / f"best_{name}.weights.h5", logged(name))
        for name in (*VALIDATORS, ORACLE)
    }


def few(images, seed):
    return images.subset(choose_indices(len(images), VALIDATION_EXAMPLES, seed))


def outputs_of(model, images):
    """Return the `ModelOutputs` of a `DomainAdaptation` model on images."""
    features = model.encoder.predict(images.images, batch_size=256, verbose=0)
    logits = model.classifier.predict(features, batch_size=256, verbose=0).astype("float64")
    logits -= logits.max(1, keepdims=True)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return ModelOutputs(features, probabilities, images.labels)


def select_weights(recipe, model, data):
    """Score every validator's choice on the target, and leave the chosen weights in the model.

    Returns:
        `{name: {"epoch", "value", "target_accuracy"}}` for the last epoch, every validator and
        the oracle, and `"published"`, which of them the model now holds.
    """
    kept = keepers(recipe.run_folder)
    best = {name: keeper.best() for name, keeper in kept.items() if keeper.best()}
    last = model.get_weights()
    choices = {"last": {"epoch": recipe.epochs, "target_accuracy": accuracy(model, data)}}
    for name, found in best.items():
        model.load_weights(kept[name].path)
        choices[name] = {**found._asdict(), "target_accuracy": accuracy(model, data)}
    if recipe.select == "last":
        model.set_weights(last)
    else:
        model.load_weights(kept[recipe.select].path)
    for name in best:
        kept[name].path.unlink()
    return {"published": recipe.select, "choices": choices}


def accuracy(model, data):
    if data.target_test is None:
        return None
    probabilities = outputs_of(model, data.target_test).probabilities
    test = data.target_test
    return evaluate_classifier(probabilities, test.labels, test.classes).accuracy
