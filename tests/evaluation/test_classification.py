import json

import numpy as np
import pytest

from keras_dtl.evaluation import evaluate_classifier

CLASSES = ("cat", "dog", "owl")
# True classes 0, 0, 0, 1, 1; predicted 0, 0, 1, 1, 0; no owl.
LABELS = np.array([0, 0, 0, 1, 1])
SCORES = np.array([[5, 1, 0], [3, 2, 1], [0, 2, 1], [-4, -1, -9], [0.6, 0.3, 0.1]])


def test_evaluate_classifier_counts_by_hand():
    scores = evaluate_classifier(SCORES, LABELS, CLASSES)
    assert scores.count == 5
    assert scores.accuracy == pytest.approx(3 / 5)
    np.testing.assert_array_equal(scores.confusion, [[2, 1, 0], [1, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(scores.per_class_accuracy, [2 / 3, 1 / 2, np.nan])
    assert scores.mean_class_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_evaluate_classifier_takes_logits_and_probabilities_alike():
    logits = np.random.default_rng(0).normal(size=(50, 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.arange(50) % 3
    first = evaluate_classifier(logits, labels, CLASSES)
    assert first.to_dict() == evaluate_classifier(probabilities, labels, CLASSES).to_dict()


def test_to_dict_is_strict_json():
    saved = json.dumps(evaluate_classifier(SCORES, LABELS, CLASSES).to_dict(), allow_nan=False)
    assert json.loads(saved)["per_class_accuracy"] == {"cat": 2 / 3, "dog": 0.5, "owl": None}


@pytest.mark.parametrize(
    ("scores", "labels", "classes", "message"),
    [
        (SCORES[:, :2], LABELS, CLASSES, r"\(samples, 3\).*\(5, 2\)"),
        (SCORES[0], LABELS, CLASSES, r"got shape \(3,\)"),
        (SCORES[:0], LABELS[:0], CLASSES, "empty"),
        (SCORES, LABELS[:4], CLASSES, r"\(5,\).*\(4,\)"),
        (SCORES, np.eye(3)[LABELS], CLASSES, "argmax"),
        (SCORES, LABELS.astype(float), CLASSES, "integer"),
        (SCORES, LABELS + 2, CLASSES, "from 2 to 3"),
        (SCORES, LABELS - 1, CLASSES, "from -1 to 0"),
        (np.where(SCORES == 2, np.nan, SCORES), LABELS, CLASSES, "2 of 5 rows.*row 1"),
        (SCORES, LABELS, ("cat", "cat", "owl"), "different"),
        (SCORES[:, :1], LABELS, ("cat",), "two classes"),
    ],
)
def test_evaluate_classifier_refuses_bad_input(scores, labels, classes, message):
    with pytest.raises(ValueError, match=message):
        evaluate_classifier(scores, labels, classes)
