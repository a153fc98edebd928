"""Counts of true against predicted classes, and what intersection over union they give."""

import numpy as np


def confusion_counts(true: np.ndarray, predicted: np.ndarray, count: int) -> np.ndarray:
    """Return how often each true class was taken for each class.

    Args:
        true, predicted: Integer arrays of one size in 0..count-1.
        count: How many classes there are.

    Returns:
        int64 `(count, count)`: true class (row) by predicted class (column).

    Raises:
        ValueError: When sizes differ, or a number is that of no class.
    """
    true, predicted = (np.asarray(x).reshape(-1).astype("int64") for x in (true, predicted))
    both = np.concatenate([true, predicted])
    if true.size != predicted.size or (both.size and (both.min() < 0 or both.max() >= count)):
        raise ValueError(
            f"Expected two arrays of one size with classes from 0 to {count - 1}. Received: "
            f"{true.size} and {predicted.size} numbers, from {both.min(initial=0)} to "
            f"{both.max(initial=0)}. Leave out what is void, such as by true[true < {count}]."
        )
    index = true * count + predicted
    return np.bincount(index, minlength=count**2).reshape(count, count)


def intersection_over_union(confusion: np.ndarray) -> np.ndarray:
    """Return the intersection over union of each class (Jaccard 1912), in 0..1.

    Args:
        confusion: What `confusion_counts` returns.

    Returns:
        float64 `(classes,)`; NaN for a class that is neither true nor predicted anywhere.
    """
    right = np.diag(confusion).astype("float64")
    union = confusion.sum(0) + confusion.sum(1) - right
    return np.divide(right, union, out=np.full(len(confusion), np.nan), where=union > 0)


def mean_iou(confusion: np.ndarray) -> float:
    """Return the mean intersection over union of the classes that truly occur, in 0..1.

    Args:
        confusion: What `confusion_counts` returns, of one count or more.
    """
    return float(np.mean(intersection_over_union(confusion)[confusion.sum(1) > 0]))
