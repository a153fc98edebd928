import numpy as np
import pytest

from keras_dtl.evaluation import Candidate, ModelOutputs, rank_candidates, regrets


def outputs(sharpness, count, seed, moved=0.0, collapsed=False):
    """Answers of a classifier on three blobs, of which a move mixes the second with the third."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    centres = np.eye(3)[labels] * 3
    centres[labels == 2] += moved * np.array([0, 3, -3])
    features = centres + rng.normal(0, 0.5, (count, 3))
    logits = sharpness * features
    if collapsed:
        logits[:, 0] += 100
    p = np.exp(logits - logits.max(1, keepdims=True))
    return ModelOutputs(features, p / p.sum(1, keepdims=True), labels)


def candidate(moved, collapsed=False, forgetful=False):
    source = outputs(0.1 if forgetful else 2, 200, 1)
    if forgetful:
        source = source._replace(probabilities=source.probabilities[:, [1, 2, 0]])
    target = outputs(2, 200, 2, moved, collapsed)._replace(labels=None)
    return Candidate(outputs(2, 200, 0), source, target)


def test_the_better_aligned_is_first_and_the_baseline_can_lose():
    candidates = {"plain": candidate(0.3), "middle": candidate(0.15), "good": candidate(0.0)}
    ranking = rank_candidates(candidates, "plain")
    assert [row.name for row in ranking] == ["good", "middle", "plain"]


def test_a_collapse_is_refused_however_certain_it_is():
    candidates = {"plain": candidate(0.5), "sure": candidate(0.5, collapsed=True)}
    ranking = rank_candidates(candidates, "plain")
    assert ranking[0].name == "plain"
    assert "hardly answers class 1 (0.0%, before " in ranking[1].refused
    named = rank_candidates(candidates, "plain", classes=("cat", "dog", "owl"))
    assert "hardly answers dog (0.0%, before " in named[1].refused
    assert ranking[1].validators["entropy"] > ranking[0].validators["entropy"]


def test_who_forgot_the_source_is_refused():
    candidates = {"plain": candidate(0.5), "forgetful": candidate(0.0, forgetful=True)}
    ranking = rank_candidates(candidates, "plain")
    assert ranking[0].name == "plain"
    assert "forgot the source" in ranking[1].refused


def test_training_that_diverged_is_refused_and_breaks_no_search():
    broken = candidate(0.0)
    nan = np.full_like(broken.target.probabilities, np.nan)
    broken = broken._replace(target=broken.target._replace(probabilities=nan))
    ranking = rank_candidates({"plain": candidate(0.3), "broken": broken}, "plain")
    assert [row.name for row in ranking] == ["plain", "broken"]
    assert "diverged" in ranking[1].refused
    assert regrets(ranking, {"plain": 0.5, "broken": 0.1})["information"] == 0


def test_baseline_is_taken_when_all_are_alike():
    alike = {name: candidate(0.2) for name in ("a", "plain", "b")}
    assert rank_candidates(alike, "plain")[0].name == "plain"


def test_baseline_that_is_missing_is_named():
    with pytest.raises(ValueError, match="'plain' must be among"):
        rank_candidates({"a": candidate(0.0)}, "plain")


def test_regret_is_what_a_choice_loses_against_the_best():
    candidates = {"plain": candidate(0.3), "middle": candidate(0.15), "good": candidate(0.0)}
    ranking = rank_candidates(candidates, "plain")
    found = regrets(ranking, {"plain": 0.9, "middle": 0.7, "good": 0.6})
    assert found["ensemble"] == pytest.approx(0.3)
    assert set(found) == {"ensemble", *ranking[0].validators}
    assert regrets(ranking, {"plain": 0.5, "middle": 0.5, "good": 0.6})["ensemble"] == 0
