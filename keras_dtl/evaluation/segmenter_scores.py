"""Scores of a segmenter, and its answers laid over the images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_dtl.confusion import confusion_counts, intersection_over_union, mean_iou

VOID = 255


@dataclass(frozen=True, eq=False)
class SegmenterScores:
    """What a segmenter got right over all pixels that have a class.

    Attributes:
        classes: Class names.
        iou: Intersection over union of each class, float64 `(classes,)`; NaN for a class that
            occurs neither in the masks nor in the answers.
        confusion: Pixels by true class (row) and predicted class (column), int64.
    """

    classes: tuple
    iou: np.ndarray
    confusion: np.ndarray

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that occur in the masks, in 0..1."""
        return mean_iou(self.confusion)

    @property
    def pixel_accuracy(self) -> float:
        """Share of pixels whose class was found, in 0..1."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    def to_dict(self) -> dict:
        """Return plain Python values, ready for JSON; a class that does not occur is None."""
        return {
            "mean_iou": self.mean_iou,
            "pixel_accuracy": self.pixel_accuracy,
            "iou": {
                name: None if np.isnan(value) else float(value)
                for name, value in zip(self.classes, self.iou, strict=True)
            },
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
        }


def evaluate_segmenter(
    predicted: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> SegmenterScores:
    """Compare class maps with the true ones; pixels that are void (255) in these do not count.

    Args:
        predicted, labels: Integer arrays `(images, height, width)`.
        classes: Class names.

    Raises:
        ValueError: When shapes differ, a number is out of range, or every pixel is void.
    """
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    if predicted.shape != labels.shape:
        raise ValueError(
            f"Maps must have one shape. Received: {predicted.shape} against {labels.shape}."
        )
    known, count = labels != VOID, len(classes)
    true, found = labels[known].astype("int64"), predicted[known].astype("int64")
    if not true.size or max(true.max(), found.max()) >= count or min(true.min(), found.min()) < 0:
        raise ValueError(
            f"Expected numbers in 0..{count - 1} for {count} classes, in at least one pixel that "
            "is not void."
        )
    confusion = confusion_counts(true, found, count)
    return SegmenterScores(tuple(classes), intersection_over_union(confusion), confusion)


def overlay(
    images: np.ndarray, maps: np.ndarray, colors: np.ndarray, opacity: float = 0.5
) -> np.ndarray:
    """Return images with their classes in colour over them; void stays as it is.

    Args:
        images: uint8 array `(n, height, width, 3)`.
        maps: Integer array `(n, height, width)`.
        colors: uint8 array `(classes, 3)`.
        opacity: Share of the colour, in 0..1.
    """
    table = np.zeros((256, 3), "float32")
    table[: len(colors)] = colors
    mixed = (1 - opacity) * images + opacity * table[maps]
    return np.where((maps < len(colors))[..., None], mixed.round(), images).astype("uint8")
