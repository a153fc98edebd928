"""Which of several adapted models to take, where the target has no labels to tell."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_dtl.evaluation.answers import class_shares, lost_classes, lost_in_words
from keras_dtl.evaluation.validators import ModelOutputs, validate

COUNTED = ("information", "entropy")
"""Validators whose ranks are averaged. Information supposes classes that are about equally
frequent, entropy does not, and what fools it, a collapse, is refused before. The others are told
beside: on six tasks of photos each cost more (scripts/benchmarks/search_regret.py)."""
SOURCE_LOSS = 0.10
"""How much accuracy on the source a candidate may lose against the best before it is refused."""

NOT_NUMBERS = "its answers are not numbers: the training diverged"


class Candidate(NamedTuple):
    """What one trained model makes of the images of both domains."""

    source_train: ModelOutputs
    source_validation: ModelOutputs
    target: ModelOutputs


class Ranked(NamedTuple):
    """A candidate's place."""

    name: str
    score: float
    """Mean over counted validators of the share of other candidates that it beats, 0 to 1."""
    validators: dict
    """Score by every validator."""
    refused: str | None
    """Why it is not taken, in words, or None."""


def rank_candidates(
    candidates: dict, baseline: str, seed: int = 0, classes: Sequence[str] | None = None
) -> list:
    """Rank models by an ensemble of validators without target labels, best first.

    Each validator can be fooled in its own way, so ranks are averaged, see `COUNTED`. Before,
    candidates are refused that have lost what any good one keeps: a class that the baseline
    answers for on the target and they hardly do, or a tenth of the accuracy on the source. The
    baseline is never refused; it is taken where no other candidate scores higher.

    Args:
        candidates: `{name: Candidate}`.
        baseline: Name of the one without adaptation.
        seed: Of the validators.
        classes: Their names, for words. Default: their numbers.

    Returns:
        List of `Ranked`: those that may be taken, best first, then those refused.

    Raises:
        ValueError: When the baseline is not among the candidates.
    """
    broken = [name for name, c in candidates.items() if not _is_finite(c)]
    candidates = {name: c for name, c in candidates.items() if name not in broken}
    if baseline not in candidates:
        raise ValueError(
            f"The baseline {baseline!r} must be among the candidates whose answers are numbers. "
            f"Received: {', '.join(candidates)}."
        )
    scores = {name: validate(*candidate, seed) for name, candidate in candidates.items()}
    refused = {name: _fault(name, candidates, baseline, classes) for name in candidates}
    kept = [name for name in candidates if refused[name] is None]
    shares = {name: _share_beaten(name, kept, scores) for name in candidates}
    order = sorted(
        candidates,
        key=lambda name: (refused[name] is None, shares[name], name == baseline),
        reverse=True,
    )
    ranking = [Ranked(name, shares[name], scores[name], refused[name]) for name in order]
    return ranking + [Ranked(name, 0.0, {}, NOT_NUMBERS) for name in broken]


def regrets(ranking: list, accuracies: dict[str, float]) -> dict[str, float]:
    """Return how many points each way to choose loses against the best candidate.

    Args:
        ranking: What `rank_candidates` returned.
        accuracies: `{name: accuracy}` on labelled target images, in any unit.

    Returns:
        `{validator: regret}`, with `"ensemble"`, the ranking's own choice, among them.
    """
    best = max(accuracies.values())
    choices = {"ensemble": ranking[0].name}
    for validator in ranking[0].validators:
        scored = [row for row in ranking if row.validators]
        choices[validator] = max(scored, key=lambda row: row.validators[validator]).name
    return {validator: best - accuracies[name] for validator, name in choices.items()}


def _share_beaten(name, kept, scores):
    others = [other for other in kept if other != name]
    if not others:
        return 1.0
    beaten = [
        np.mean([_above(scores[name][v], scores[other][v]) for other in others]) for v in COUNTED
    ]
    return float(np.mean(beaten))


def _above(ours, theirs):
    return 0.5 if ours == theirs else float(ours > theirs)


def _fault(name, candidates, baseline, classes):
    """Return why a candidate is refused, in words, or None."""
    if name == baseline:
        return None
    accuracy = {n: _source_accuracy(c) for n, c in candidates.items()}
    if accuracy[name] < accuracy[baseline] - SOURCE_LOSS:
        return (
            f"it forgot the source: {accuracy[name]:.1%} there, {accuracy[baseline]:.1%} without "
            "adaptation"
        )
    shares = [class_shares(candidates[n].target.probabilities) for n in (baseline, name)]
    lost = lost_classes(*shares)
    if lost.size:
        names = [f"class {k}" for k in range(len(shares[0]))] if classes is None else classes
        return f"it collapsed: it hardly answers {lost_in_words(lost, *shares, names)}"
    return None


def _is_finite(candidate):
    return all(
        np.isfinite(array).all()
        for part in candidate
        for array in (part.features, part.probabilities)
    )


def _source_accuracy(candidate):
    validation = candidate.source_validation
    return float((validation.probabilities.argmax(1) == validation.labels).mean())
