"""Whether a trained classifier knows more than a guess, and the images that it is watched on."""

import numpy as np

PROBED = 64
"""About how many training images are asked about after each epoch."""
PROBED_HELD_OUT = 200
"""The same of others, whose share of right answers is compared with chance."""
PROBED_TARGET = 200
"""The same of a target without labels: the share of its commonest answer is known within 2 %."""


def guessing_failure(score: dict):
    """Return what is wrong with a classifier that does not beat guessing, or None.

    Args:
        score: A dictionary as `ClassificationScores.to_dict` makes it, of images whose domain was
            learnt.

    Returns:
        `keras_dtl.callbacks.Failure`, when all images are taken for one class, or no class is
        known better on average than by drawing one at random.
    """
    from keras_dtl.callbacks import Failure

    confusion = np.asarray(score["confusion"])
    chance = 1 / max(1, np.count_nonzero(confusion.sum(1)))
    if chance == 1:
        return None
    if np.count_nonzero(confusion.sum(0)) == 1:
        name = score["classes"][int(confusion.sum(0).argmax())]
        words = f"every one of {score['count']} test images is taken for {name!r}."
        return Failure("one class for all", words)
    if score["mean_class_accuracy"] > chance:
        return None
    return Failure(
        "no better than guessing",
        f"{score['mean_class_accuracy']:.1%} of the test images of a class are right on average, "
        f"where guessing gives {chance:.1%}.",
    )


def collapse(answers: dict):
    """Return what is wrong with a classifier whose answers became one where there were several.

    Args:
        answers: What `keras_dtl.evaluation.compare_answers` returned.

    Returns:
        `keras_dtl.callbacks.Failure`, or None.
    """
    from keras_dtl.callbacks import Failure
    from keras_dtl.callbacks.failures import ONE_ANSWER

    shares = answers["shares"]
    name = max(shares, key=lambda name: shares[name]["after"])
    before, after = (max(share[when] for share in shares.values()) for when in ("before", "after"))
    if after < ONE_ANSWER or before >= ONE_ANSWER:
        return None
    words = f"{after:.0%} of the target's images are taken for {name!r}. {answers['words']}"
    return Failure("one class for the target", words)


def probe(images, seed: int = 0, probed: int = PROBED):
    """Return `(images, labels)` of a few labelled images, about as many of each class.

    Args:
        images: `LabelledImages`, or None.
        seed: Chooses them.
        probed: About how many.
    """
    if images is None or images.labels is None:
        return None
    random = np.random.default_rng(seed)
    classes = np.unique(images.labels)
    count = max(1, probed // len(classes))
    chosen = [random.permutation(np.flatnonzero(images.labels == k))[:count] for k in classes]
    few = images.subset(np.concatenate(chosen)[: 4 * PROBED])
    return few.images, few.labels


def probe_without_labels(images, seed: int = 0):
    """Return a few images of a domain, drawn at random, without a look at any label.

    Args:
        images: `LabelledImages`, or None.
        seed: Chooses them.
    """
    if images is None:
        return None
    chosen = np.random.default_rng(seed).permutation(len(images.images))[:PROBED_TARGET]
    return images.images[np.sort(chosen)]


def add_failures(report, failures: tuple, verdict=None) -> None:
    """Name in the headline of a report what went wrong.

    Args:
        report: `keras_dtl.evaluation.Report`.
        failures: `keras_dtl.callbacks.Failure`s of the last epoch.
        verdict: That of the trained model, or None.
    """
    named = {failure.name: failure for failure in (*failures, verdict) if failure is not None}
    if not named:
        return
    report.numbers = {
        "training failed" if verdict else "warning": ", ".join(named)
    } | report.numbers
    words = " ".join(f"{name[0].upper()}{name[1:]}: {f.words}" for name, f in named.items())
    report.summary = f"{words}\n\n{report.summary}"
