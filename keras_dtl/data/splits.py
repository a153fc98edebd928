"""Seeded splits of labelled examples, the same on every machine."""

import numpy as np


def stratified_split(labels, test_fraction=0.2, seed=0):
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
