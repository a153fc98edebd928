"""How good a model is on a domain without labels: scores to choose a checkpoint by.

Each score needs what the model makes of unlabelled target images, some also of labelled source
images; none takes a target label. Higher is better. A score compares states of one training;
none is an accuracy, and each can be fooled, see what it says of itself.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import entr, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

VALIDATORS = ("entropy", "information", "density", "dev", "reverse")
# Probabilities below this are lost in float32.
SMALLEST = 1e-7
STEPS = 200  # of logistic regression


class ModelOutputs(NamedTuple):
    """What a model makes of the images of one domain."""

    features: np.ndarray
    """`(examples, ...)`; further axes are flattened."""
    probabilities: np.ndarray
    """`(examples, classes)`."""
    labels: np.ndarray | None = None
    """Integers `(examples,)`, where known."""


def validate(
    source_train: ModelOutputs,
    source_validation: ModelOutputs,
    target: ModelOutputs,
    seed: int = 0,
) -> dict:
    """Return all label-free scores by name, see `VALIDATORS`.

    Args:
        source_train: `ModelOutputs` of source images that were trained on.
        source_validation: Of source images that were not, with their labels.
        target: Of target images; its labels are never looked at.
        seed: Choice of the halves in `dev`.
    """
    losses = cross_entropies(source_validation.probabilities, source_validation.labels)
    return {
        "entropy": negative_entropy(target.probabilities),
        "information": mutual_information(target.probabilities),
        "density": soft_neighbourhood_density(target.probabilities),
        "dev": deep_embedded_validation(
            source_train.features, source_validation.features, target.features, losses, seed
        ),
        "reverse": reverse_validation(
            target.features,
            target.probabilities,
            source_validation.features,
            source_validation.labels,
        ),
    }


def negative_entropy(probabilities: np.ndarray) -> float:
    """Return minus the mean entropy of the answers, in nats: how certain they are.

    Fooled by a model that is certain of one class for all images.

    Args:
        probabilities: `(examples, classes)`.
    """
    return -float(_entropies(_check_probabilities(probabilities)).mean())


def mutual_information(probabilities: np.ndarray) -> float:
    """Return the entropy of the mean answer minus the mean entropy, in nats: certain and diverse.

    Fooled where the classes of the target are not about equally frequent.

    Args:
        probabilities: `(examples, classes)`.
    """
    p = _check_probabilities(probabilities)
    return float(_entropies(p.mean(0, keepdims=True))[0] - _entropies(p).mean())


def soft_neighbourhood_density(probabilities: np.ndarray, temperature: float = 0.05) -> float:
    """Return how many alike neighbours an answer has: the mean entropy of its similarities.

    Reference: Saito et al., "Tune it the Right Way: Unsupervised Validation of Domain Adaptation
    via Soft Neighborhood Density", ICCV 2021. Fooled by a model that gives all images one answer.

    Args:
        probabilities: `(examples, classes)`, three examples or more.
        temperature: By which cosines are divided; the smaller, the nearer neighbours must be.
    """
    p = _check_probabilities(probabilities)
    if len(p) < 3:
        raise ValueError(f"Neighbourhoods need at least 3 examples. Received: {len(p)}")
    p = p / np.linalg.norm(p, axis=1, keepdims=True)
    similarity = p @ p.T / temperature
    np.fill_diagonal(similarity, -np.inf)  # nobody is a neighbour of his own
    return float(_entropies(softmax(similarity, 1)).mean())


def deep_embedded_validation(
    source_train: np.ndarray,
    source_validation: np.ndarray,
    target: np.ndarray,
    validation_losses: np.ndarray,
    seed: int = 0,
) -> float:
    """Return minus the source's validation loss, weighted so that it stands for the target.

    Weights are how much likelier features are in the target, told by logistic regression between
    source training and target features; a control variate lowers their variance.

    Reference: You et al., "Towards Accurate Model Selection in Deep Unsupervised Domain
    Adaptation", ICML 2019. Fooled where the domains hardly overlap: few examples carry all weight.

    Args:
        source_train, source_validation, target: Features `(examples, ...)`.
        validation_losses: Loss of each validation example, `(examples,)`.
        seed: Of the regression.
    """
    train, validation, target = (_flatten(x) for x in (source_train, source_validation, target))
    domains = np.repeat([1, 0], [len(train), len(target)])
    classifier = _regression(np.concatenate([train, target]), domains, seed)
    of_source = np.clip(classifier.predict_proba(validation)[:, 1], SMALLEST, 1)
    weights = (1 - of_source) / of_source  # both domains count alike in the regression
    weighted = weights * np.asarray(validation_losses, "float64")
    variance = weights.var(ddof=1)
    control = -np.cov(weighted, weights, ddof=1)[0, 1] / variance if variance > 0 else 0.0
    return -float(weighted.mean() + control * weights.mean() - control)


def reverse_validation(
    target_features: np.ndarray,
    target_probabilities: np.ndarray,
    source_features: np.ndarray,
    source_labels: np.ndarray,
) -> float:
    """Return the accuracy on the source of a classifier that learnt the model's target answers.

    A linear classifier learns the answers on target features, then classifies source features:
    where the model is wrong about the target, it is wrong about the source.

    Reference: after Ganin et al., JMLR 2016, who repeat the whole training in reverse; here only
    the head is, on the features as they are, which takes a second.

    Args:
        target_features, source_features: `(examples, ...)`.
        target_probabilities: The model's answers, `(examples, classes)`.
        source_labels: Integers `(examples,)`.

    Returns:
        Accuracy in 0..1.
    """
    answers = np.argmax(target_probabilities, 1)
    features, labels = _flatten(source_features), np.asarray(source_labels)
    if len(np.unique(answers)) < 2:
        return float((labels == answers[0]).mean())
    return float(_regression(_flatten(target_features), answers).score(features, labels))


def proxy_a_distance(
    source_features: np.ndarray, target_features: np.ndarray, seed: int = 0
) -> float:
    """Return how well a linear classifier tells two domains apart: 0 not at all, 2 perfectly.

    `2 (1 - 2 error)` with the error on the half of the examples that it did not learn from; the
    domains count alike. Small noise may take it a little below 0.

    Reference: Ben-David et al., "Analysis of Representations for Domain Adaptation", NeurIPS 2006.

    Args:
        source_features, target_features: `(examples, ...)`, four examples of each or more.
        seed: Choice of the halves, and of the regression.

    Raises:
        ValueError: When there are fewer, or features are not finite.
    """
    halves = {"learnt": [], "tested": []}
    random = np.random.default_rng(seed)
    for features in (source_features, target_features):
        x = _flatten(features)[random.permutation(len(features))]
        if len(x) < 4:
            raise ValueError(f"A-distance needs 4 examples of each domain. Received: {len(x)}")
        halves["learnt"].append(x[: len(x) // 2])
        halves["tested"].append(x[len(x) // 2 :])
    domains = np.repeat([0, 1], [len(x) for x in halves["learnt"]])
    classifier = _regression(np.concatenate(halves["learnt"]), domains, seed)
    errors = [np.mean(classifier.predict(x) != k) for k, x in enumerate(halves["tested"])]
    return float(2 * (1 - sum(errors)))


def cross_entropies(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return each example's cross-entropy in nats, `(examples,)`.

    Args:
        probabilities: `(examples, classes)`.
        labels: Integers `(examples,)`.
    """
    p = _check_probabilities(probabilities)
    return -np.log(np.maximum(p[np.arange(len(p)), np.asarray(labels)], SMALLEST))


def _regression(features, labels, seed=0):
    """A linear classifier of standardised features, in which each class counts alike."""
    head = LogisticRegression(
        C=0.1, max_iter=STEPS, tol=1e-3, class_weight="balanced", random_state=seed
    )
    # More threads gain little at this size, and lose tenfold where another process runs too.
    with threadpool_limits(1):
        return make_pipeline(StandardScaler(), head).fit(features, labels)


def _entropies(probabilities):
    return entr(probabilities).sum(1)


def _flatten(features):
    features = np.asarray(features, "float32")
    features = features.reshape(len(features), -1)
    if not np.isfinite(features).all():
        raise ValueError("Features hold values that are not finite. Did training diverge?")
    return features


def _check_probabilities(probabilities):
    p = np.asarray(probabilities, "float64")
    if p.ndim != 2 or not np.isfinite(p).all() or p.min() < 0 or abs(p.sum(1) - 1).max() > 1e-2:
        raise ValueError(
            "Expected probabilities (examples, classes): 0 or more, each row with sum 1. "
            f"Received: shape {p.shape}. Apply a softmax to logits first."
        )
    return p
