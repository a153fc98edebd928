"""Seeded splits of labelled examples, the same on every machine."""

from collections.abc import Sequence

import numpy as np


def stratified_split(
    labels: Sequence[int] | np.ndarray, test_fraction: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Split examples in two so that each class is divided in the same proportion.

    A class of two or more examples is found on both sides; a single example goes to training.

    Args:
        labels: Integer array `(examples,)`.
        test_fraction: Share of each class for testing, between 0 and 1.
        seed: Choice of the split; the same seed always gives the same one.

    Returns:
        `(train, test)`: two sorted integer arrays of positions, which share none.
    """
    labels = np.asarray(labels)
    random = np.random.default_rng(seed)
    test = []
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        wanted = max(1, round(len(members) * test_fraction))
        test.append(members[: min(wanted, len(members) - 1)])
    test = np.sort(np.concatenate(test))
    return np.setdiff1d(np.arange(len(labels)), test), test


def shot_split(
    labels: Sequence[int] | np.ndarray,
    shots: int,
    seed: int = 0,
    classes: Sequence[str] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Choose a few examples of every class, whose labels may then be used.

    The shots of a smaller number are among those of a larger one, so that a curve over the
    number of shots adds examples and exchanges none.

    Args:
        labels: Integer array `(examples,)`.
        shots: Examples of each class, 1 or more.
        seed: Choice of the examples.
        classes: Their names in label order, for messages.

    Returns:
        `(chosen, rest)`: two sorted integer arrays of positions, which share none.

    Raises:
        ValueError: When a class has fewer examples.
    """
    labels = np.asarray(labels)
    random = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        if not 1 <= shots <= len(members):
            raise ValueError(
                f"Expected 1 or more shots, and as many examples of each class. Received: "
                f"{shots} shots, and {len(members)} examples of class "
                f"{classes[label] if classes else label}."
            )
        chosen.append(members[:shots])
    chosen = np.sort(np.concatenate(chosen))
    return chosen, np.setdiff1d(np.arange(len(labels)), chosen)


def sample(count: int, size: int, seed: int = 0) -> np.ndarray:
    """Choose `size` of `count` examples at random, or all where there are no more.

    Args:
        count: How many there are.
        size: How many to choose, 1 or more.
        seed: Choice of the examples.

    Returns:
        Sorted integer array of positions.
    """
    if size < 1:
        raise ValueError(f"At least one example must be chosen. Received: size={size}")
    if size >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size, replace=False))


def balanced_positions(labels: np.ndarray) -> np.ndarray:
    """Return positions of examples in which all classes are equally frequent.

    Every example is there, those of rarer classes several times over.

    Args:
        labels: Integer array `(examples,)`.

    Returns:
        Sorted integer array: for each class as many as the most frequent has.
    """
    labels = np.asarray(labels)
    largest = np.bincount(labels).max()
    members = [np.resize(np.flatnonzero(labels == k), largest) for k in np.unique(labels)]
    return np.sort(np.concatenate(members))
