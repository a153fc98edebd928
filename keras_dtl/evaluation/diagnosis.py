"""What the accuracy of a domain classifier says about an adversarial training, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_EPOCHS = 3
# A domain classifier above this much over chance has learnt something.
LEARNT = 0.10
# Its accuracy counts as chance again within this distance.
CONFUSED = 0.15
# From here on it tells the domains apart as if nobody had opposed it.
SEPARATED = 0.90
# The proxy A-distance of features that a linear classifier separates so.
APART = 2 * (2 * SEPARATED - 1)
# The label loss has risen when it ends this many times, and this much, above its lowest.
RISEN_TIMES, RISEN_BY = 1.5, 0.10
# It has never fallen when it ends above this share of a first value worth lowering.
UNCHANGED, WORTH_LOWERING = 0.95, 0.50


@dataclass(frozen=True)
class Diagnosis:
    """A finding about a training.

    Attributes:
        verdict: One of "too_short", "not_finite", "collapsed", "never_learnt", "oscillating",
            "confused", "gave_up", "partly_separated", "separated".
        healthy: False when something should be changed before the model is used.
        words: One to three sentences: what was seen, what it means, what to try.
    """

    verdict: str
    healthy: bool
    words: str

    def __str__(self):
        return self.words


def diagnose_domain_classifier(
    domain_accuracy: Sequence[float],
    label_loss: Sequence[float] | None = None,
    chance: float = 0.5,
    proxy_distance: float | None = None,
) -> Diagnosis:
    """Read the history of a domain classifier that an encoder was trained against.

    Chance at the end is ambiguous by itself: either the features are aligned, or the domain
    classifier does not work. What it reached before, and whether another classifier tells the
    domains apart by the same features, decide between the two. The rules, in order;
    the end of a history is its mean over the last quarter, the lowest value such a mean too:

    1. fewer than 3 epochs: too short; a value that is not finite: not finite;
    2. the label loss ends at 1.5 times its lowest value and 0.1 above it, or never fell:
       collapsed;
    3. domain accuracy never 0.1 above chance: never learnt, or oscillating if 0.1 below;
    4. domain accuracy ends at 0.9 or more: separated; within 0.15 of chance: confused;
       0.15 or more below: oscillating; else: partly separated;
    5. confused, but the proxy A-distance is 1.6 or more: gave up; partly separated, and it is:
       not healthy.

    Args:
        domain_accuracy: Accuracy of the domain classifier, one value in 0..1 an epoch.
        label_loss: Loss of the label classifier on the source, one value an epoch, or None.
        chance: Accuracy of guessing; 0.5 for two domains in equal parts.
        proxy_distance: `proxy_a_distance` of the final features in 0..2, where it is known.

    Returns:
        `Diagnosis`; `str()` of it gives the words.

    Raises:
        ValueError: For an empty or not one-dimensional history, or accuracies outside 0..1.
    """
    accuracy = _history("domain_accuracy", domain_accuracy)
    loss = None if label_loss is None else _history("label_loss", label_loss)
    finite = accuracy[np.isfinite(accuracy)]
    if finite.size and not 0 <= finite.min() <= finite.max() <= 1:
        raise ValueError(
            f"Domain accuracies must be in 0..1, got {finite.min():g} to {finite.max():g}. "
            "Divide percentages by 100."
        )
    return (
        _find_not_finite("domain accuracy", accuracy)
        or _find_not_finite("label loss", loss)
        or _find_too_short(accuracy)
        or _find_collapse(loss)
        or _read_accuracy(accuracy, chance, proxy_distance)
    )


def _history(name, values):
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"`{name}` must hold one number for each epoch, got shape {values.shape}.")
    return values


def _running_means(values):
    """Return running means over a quarter of the history; the last one is how it ended."""
    width = max(1, len(values) // 4)
    return np.convolve(values, np.full(width, 1 / width), mode="valid")


def _find_not_finite(name, values):
    if values is None or np.isfinite(values).all():
        return None
    epoch = int(np.argmin(np.isfinite(values))) + 1
    return Diagnosis(
        "not_finite",
        False,
        f"The {name} is not finite from epoch {epoch} on: training diverged and the model is of "
        "no use. Lower the learning rate, clip the gradients, or look for NaN in the data.",
    )


def _find_too_short(accuracy):
    if len(accuracy) >= MIN_EPOCHS:
        return None
    return Diagnosis(
        "too_short",
        True,
        f"{len(accuracy)} epochs are too few to judge the domain classifier; "
        f"at least {MIN_EPOCHS} are needed.",
    )


def _find_collapse(loss):
    if loss is None:
        return None
    smoothed = _running_means(loss)
    end, lowest = smoothed[-1], smoothed.min()
    if end > max(RISEN_TIMES * lowest, lowest + RISEN_BY):
        return Diagnosis(
            "collapsed",
            False,
            f"The label loss rose from {lowest:.2g} to {end:.2g}: the features are giving up the "
            "classes to hide the domain. Lower the reversal strength or raise it more slowly.",
        )
    if loss[0] > WORTH_LOWERING and end > UNCHANGED * loss[0]:
        return Diagnosis(
            "collapsed",
            False,
            f"The label loss never fell ({loss[0]:.2g} at first, {end:.2g} at the end): the model "
            "does not learn the source itself. Check its labels and the learning rate, and try "
            "a reversal strength of 0 first.",
        )
    return None


def _read_accuracy(accuracy, chance, distance):
    end, best = _running_means(accuracy)[-1], accuracy.max()
    if end < chance - CONFUSED or (best < chance + LEARNT and end < chance - LEARNT):
        return _oscillation(end)
    if best < chance + LEARNT:
        return _learning_failure(best)
    if end >= SEPARATED:
        return _separation(end)
    if end <= chance + CONFUSED:
        if distance is not None and distance >= APART:
            return _surrender(end, distance)
        return _confusion(best, end, distance)
    return _partial_separation(end, distance)


def _oscillation(end):
    return Diagnosis(
        "oscillating",
        False,
        f"The domain classifier ends at {end:.0%}, worse than guessing: the encoder swaps the "
        "domains faster than the classifier follows. Lower the reversal strength or the "
        "learning rate.",
    )


def _learning_failure(best):
    return Diagnosis(
        "never_learnt",
        False,
        f"The domain classifier stayed at chance from the first epoch on (best {best:.0%}): it "
        "never learnt, so its being fooled says nothing about the features. Give it more "
        "capacity or a higher learning rate, start the reversal later, and check that its "
        "domain labels are right. Or the domains did not differ to begin with.",
    )


def _separation(end):
    return Diagnosis(
        "separated",
        False,
        f"The domain classifier still tells the domains apart ({end:.0%} at the end): the "
        "features are not aligned. Raise the reversal strength or train longer; if the label "
        "loss then rises, the encoder is too small or its learning rate too low.",
    )


def _confusion(best, end, distance):
    words = (
        f"The domain classifier first told the domains apart (best {best:.0%}), then was "
        f"confused ({end:.0%} at the end): this classifier can no longer tell the features' "
        "domain. That the classes match across domains is likely, not proven."
    )
    if distance is not None:
        words += f" Nor can a fresh linear one tell it well (proxy A-distance {distance:.2f} of 2)."
    return Diagnosis("confused", True, words)


def _surrender(end, distance):
    return Diagnosis(
        "gave_up",
        False,
        f"The domain classifier is at chance ({end:.0%} at the end) because it stopped learning, "
        "not because the features are aligned: a fresh linear classifier tells the domains apart "
        f"by the same features (proxy A-distance {distance:.2f} of 2). Give the domain classifier "
        "more capacity or a higher learning rate, or raise the reversal strength more slowly.",
    )


def _partial_separation(end, distance):
    if distance is not None and distance >= APART:
        return Diagnosis(
            "partly_separated",
            False,
            f"The domain classifier ends at {end:.0%}, and a fresh linear one tells the domains "
            f"apart by the same features (proxy A-distance {distance:.2f} of 2): they are not "
            "aligned. Raise the reversal strength or train longer.",
        )
    measured = "" if distance is None else f" (proxy A-distance {distance:.2f} of 2)"
    return Diagnosis(
        "partly_separated",
        True,
        f"The domain classifier still does better than guessing ({end:.0%} at the end): the "
        f"features are aligned in part{measured}. More epochs or a higher reversal strength may "
        "help.",
    )
