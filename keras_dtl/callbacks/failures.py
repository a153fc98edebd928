"""What answers to a few images tell of a training that fails, in words."""

import math
from typing import NamedTuple

import numpy as np

ONE_CLASS = 0.98
"""Share of equal answers to evenly drawn images from which on the answer is always the same."""
ONE_ANSWER = 0.95
"""The same for images of another domain, whose classes nobody knows."""
DEAD = 0.99
"""Share of the features that are the same number for all images from which on a network is dead."""


class Failure(NamedTuple):
    """What goes wrong with a training: a short name, and words that say what to do."""

    name: str
    words: str

    def __str__(self):
        return f"{self.name}: {self.words}"


class Probe(NamedTuple):
    """Images `(count, height, width, channels)` and their labels, as in a batch."""

    images: object
    labels: object

    @property
    def known(self):
        """The labels as integers, `(count,)` or maps; those of one number a class as its place."""
        labels = np.asarray(self.labels)
        if labels.ndim == 2:
            return labels.argmax(-1) if labels.shape[1] > 1 else labels[:, 0]
        return labels


class Known(NamedTuple):
    """The share of the training images that are right, and what guessing reaches by luck."""

    share: float
    by_luck: float
    is_most: bool
    """Whether it is nearer to all than to chance."""

    @classmethod
    def of(cls, answers, labels):
        """Return it of answers and labels `(count,)`."""
        share, classes = float(np.mean(answers == labels)), len(np.unique(labels))
        return cls(share, beyond_chance(classes, len(labels)), share > (1 + 1 / classes) / 2)


def find_one_class(answers, labels, name_of):
    """Return the failure that all images get one answer, or None.

    Args:
        answers: Integers `(count, ...)`.
        labels: Of the images, as many of each class.
        name_of: Function from the number of a class to what it is called.
    """
    share, most = _commonest(answers)
    if share < ONE_CLASS or len(np.unique(labels)) < 2:
        return None
    return Failure(
        "one class for all",
        f"{share:.0%} of images of several classes are taken for {name_of(most)}. Lower "
        "the learning rate, and look whether a class outnumbers the others by far.",
    )


def find_one_answer(answers, name_of):
    """Return the failure that all images of a target without labels get one answer, or None.

    Args:
        answers, name_of: As of `find_one_class`.
    """
    share, most = _commonest(answers)
    if share < ONE_ANSWER:
        return None
    return Failure(
        "one class for the target",
        f"{share:.0%} of the target's images are taken for {name_of(most)}. Unless they hold "
        "little else, nothing is known of them. Where it were several classes without adaptation, "
        "lower its weight; else take more or other images, --augment, or pretrained weights.",
    )


def find_dead_features(features):
    """Return the failure that an encoder gives the same for every image, or None.

    Args:
        features: `(count, ...)`.
    """
    features = features.reshape(len(features), -1)
    spread = np.ptp(features, axis=0)
    share = float(np.mean(spread <= 1e-6 * max(1.0, float(np.abs(features).max()))))
    if share < DEAD:
        return None
    return Failure(
        "dead features",
        f"{share:.0%} of the encoder's outputs are the same for every image: no gradient leads "
        "back. Begin again with a lower learning rate, and check that images are in 0..255.",
    )


def find_known_by_heart(answers, labels, other_answers, other_labels):
    """Return the failure that training images are known and others are guessed, or None.

    Others are guessed where they are right no more often than chance allows, and surely less
    often than half as far above it as the training images are.

    Args:
        answers, labels: Of training images, as many of each class.
        other_answers, other_labels: Of images that are not trained with.
    """
    count, classes = len(other_labels), len(np.unique(other_labels))
    if classes < 2:
        return None
    known, chance = float(np.mean(answers == labels)), 1 / classes
    right = other_answers == other_labels
    accuracy = float(np.mean([right[other_labels == k].mean() for k in np.unique(other_labels)]))
    by_luck = beyond_chance(classes, count)
    learnt = known > beyond_chance(classes, len(labels))
    surely_less = accuracy + by_luck - chance < (chance + known) / 2
    if not learnt or accuracy > by_luck or not surely_less:
        return None
    return Failure(
        "known by heart",
        f"{known:.0%} of the training images are right, and {accuracy:.0%} of others, which is "
        "guessing. Check that labels belong to their images; take more images, --augment, or "
        "pretrained weights.",
    )


def beyond_chance(classes, count):
    """Return the mean accuracy of `classes` that guessing exceeds in one of 20 cases.

    Args:
        classes: How many there are, 1 or more.
        count: How many images were answered, of all classes.
    """
    chance = 1 / classes
    return min(1.0, chance + 1.64 * math.sqrt(chance * (1 - chance) / max(1, count)))


def _commonest(answers):
    """Return the share of the commonest answer, and which it is."""
    counts = np.bincount(answers.ravel())
    return counts.max() / counts.sum(), int(counts.argmax())
