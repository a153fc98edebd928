"""What an adaptation did to the answers on a target without labels, in numbers and in words."""

from collections.abc import Sequence

import numpy as np
from scipy.special import entr

FEW = 0.1
"""A class is answered for when its share reaches this part of an even one."""
MOVED = 0.3
"""Share of answers that may change class, as a whole, before it is told of as a warning."""
UNSURE = 0.2
"""By how much the mean entropy may rise, as a share of log(classes)."""


def compare_answers(before: np.ndarray, after: np.ndarray, classes: Sequence[str]) -> dict:
    """Compare the answers of a model on the same images before and after it was adapted.

    Args:
        before, after: Probabilities `(examples, classes)`.
        classes: Their names.

    Returns:
        Dictionary, JSON-ready: `"changed"`, the share of images whose class changed; `"shares"`,
        `{class: {"before", "after"}}`; `"entropy"`, means before and after as a share of
        log(classes); `"healthy"`; and `"words"`, what it means.
    """
    shares = [class_shares(p) for p in (before, after)]
    entropy = [normalized_entropy(p) for p in (before, after)]
    healthy, words = _judgement(shares, entropy, classes)
    return {
        "changed": float((before.argmax(1) != after.argmax(1)).mean()),
        "shares": {
            name: {"before": float(shares[0][k]), "after": float(shares[1][k])}
            for k, name in enumerate(classes)
        },
        "entropy": {"before": entropy[0], "after": entropy[1]},
        "healthy": healthy,
        "words": words,
    }


def class_shares(probabilities):
    """Return the share of the answers that each class has, `(classes,)`."""
    classes = probabilities.shape[1]
    return np.bincount(probabilities.argmax(1), minlength=classes) / len(probabilities)


def normalized_entropy(probabilities):
    """Return the mean entropy of answers as a share of log(classes), 0 (certain) to 1."""
    p = np.asarray(probabilities, "float64")
    return float(entr(p).sum(1).mean() / np.log(p.shape[1]))


def lost_classes(before, after):
    """Return the positions of classes that were answered for and are hardly any more, see `FEW`.

    Args:
        before, after: Shares of the classes, `(classes,)`.
    """
    few = FEW / len(before)
    return np.flatnonzero((before >= few) & (after < few))


def lost_in_words(lost, before, after, classes):
    """Return the classes that `lost_classes` gives with their shares of the answers."""
    return ", ".join(f"{classes[k]} ({after[k]:.1%}, before {before[k]:.1%})" for k in lost)


def missing_classes(before, after):
    """Return the positions of classes that are answered for neither before nor after.

    Args:
        before, after: Shares of the classes, `(classes,)`.
    """
    few = FEW / len(before)
    return np.flatnonzero((before < few) & (after < few))


def moved_share(before, after):
    """Return how much of the answers went to another class, as a whole: 0 to 1."""
    return float(np.abs(after - before).sum() / 2)


def _judgement(shares, entropy, classes):
    lost = lost_classes(*shares)
    if lost.size:
        names = lost_in_words(lost, *shares, classes)
        return False, (
            f"Collapsed: hardly an image is taken for {names}. Do not use this model unless the "
            "target really lacks them; lower the learning rate or the weight of diversity, or "
            "train fewer epochs."
        )
    if moved_share(*shares) > MOVED:
        return False, (
            f"{moved_share(*shares):.0%} of the answers went over to other classes. Look at some "
            "images before you use this model: that much is right only where the model was far "
            "off before."
        )
    if entropy[1] > entropy[0] + UNSURE:
        return False, "The answers are less certain than before: the adaptation did not settle."
    missing = missing_classes(*shares)
    if missing.size == len(classes) - 1:
        return False, (
            f"As before, all images are taken for {classes[shares[1].argmax()]}, or nearly all: "
            "unless the target holds little else, nothing is known of it."
        )
    if missing.size:
        names = ", ".join(classes[k] for k in missing)
        return True, (
            f"As before, hardly an image is taken for {names}. All other classes are still "
            "answered for, in about the shares of before."
        )
    return True, "All classes are still answered for, in about the shares of before."
