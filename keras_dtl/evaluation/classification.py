"""Scores of a classifier on labelled samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn import metrics


@dataclass(frozen=True, eq=False)
class ClassificationScores:
    """What a classifier got right, over all samples and class by class.

    Attributes:
        classes: Class names, in the order of the rows and columns below.
        accuracy: Share of samples whose highest score is at their label, in 0..1.
        per_class_accuracy: The same within each true class, float64 of shape `(classes,)`; NaN
            for a class without samples.
        confusion: Number of samples by true class (row) and predicted class (column), int64 of
            shape `(classes, classes)`.
        count: Number of samples.
    """

    classes: tuple
    accuracy: float
    per_class_accuracy: np.ndarray
    confusion: np.ndarray
    count: int

    @property
    def mean_class_accuracy(self) -> float:
        """Mean of the per-class accuracies over the classes that have samples, in 0..1."""
        return float(np.nanmean(self.per_class_accuracy))

    def to_dict(self) -> dict:
        """Return plain Python values, ready for JSON; a class without samples is None."""
        return {
            "count": self.count,
            "accuracy": self.accuracy,
            "mean_class_accuracy": self.mean_class_accuracy,
            "per_class_accuracy": {
                name: None if np.isnan(value) else float(value)
                for name, value in zip(self.classes, self.per_class_accuracy, strict=True)
            },
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
        }


def evaluate_classifier(
    scores: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> ClassificationScores:
    """Compare a classifier's outputs with the true labels.

    Args:
        scores: Probabilities or logits, `(samples, classes)`; only their order within a row
            counts, and the first of equal scores wins.
        labels: True class indices, integers of shape `(samples,)` in `0..len(classes) - 1`.
        classes: Class names, as many as `scores` has columns, all different.

    Returns:
        `ClassificationScores`.

    Raises:
        ValueError: When shapes disagree, there is no sample, a score is NaN, or a label is not
            an index of a class.
    """
    classes = tuple(str(name) for name in classes)
    scores, labels = np.asarray(scores), np.asarray(labels)
    _check_scores(scores, classes)
    _check_labels(labels, len(scores), len(classes))
    predicted = scores.argmax(axis=1)
    confusion = metrics.confusion_matrix(labels, predicted, labels=np.arange(len(classes)))
    totals = confusion.sum(axis=1)
    return ClassificationScores(
        classes=classes,
        accuracy=float(metrics.accuracy_score(labels, predicted)),
        per_class_accuracy=np.divide(
            confusion.diagonal(), totals, out=np.full(len(classes), np.nan), where=totals > 0
        ),
        confusion=confusion,
        count=len(labels),
    )


def _check_scores(scores, classes):
    if len(set(classes)) < len(classes):
        raise ValueError(f"Class names must all be different, got {list(classes)}.")
    if len(classes) < 2:
        raise ValueError(f"At least two classes are needed, got {list(classes)}.")
    if scores.ndim != 2 or scores.shape[1] != len(classes):
        raise ValueError(
            f"Scores must have shape (samples, {len(classes)}), one column for each class, got "
            f"shape {scores.shape}. Pass the model's probabilities or logits as they are."
        )
    if not len(scores):
        raise ValueError("There is no sample to evaluate on: the scores are empty.")
    broken = np.isnan(scores).any(axis=1)
    if broken.any():
        raise ValueError(
            f"{broken.sum()} of {len(scores)} rows of scores hold NaN, the first is row "
            f"{broken.argmax()}. Did training diverge? Look at its loss, lower the learning rate."
        )


def _check_labels(labels, count, num_classes):
    if labels.shape != (count,):
        raise ValueError(
            f"Labels must have shape ({count},), one class index for each row of scores, got "
            f"shape {labels.shape}. For one-hot labels pass `labels.argmax(axis=1)`."
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"Labels must be integer class indices, got {labels.dtype}. "
            "Convert with `labels.astype(int)`."
        )
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"Labels must be in 0..{num_classes - 1} for {num_classes} classes, got values from "
            f"{labels.min()} to {labels.max()}. Is a class name missing?"
        )
