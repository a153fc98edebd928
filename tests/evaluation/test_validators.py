import numpy as np
import pytest

from keras_dtl.evaluation import VALIDATORS, ModelOutputs, proxy_a_distance, validate
from keras_dtl.evaluation.validators import (
    cross_entropies,
    deep_embedded_validation,
    mutual_information,
    negative_entropy,
    reverse_validation,
    soft_neighbourhood_density,
)


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def blobs(count=90, shift=0.0, seed=0):
    """Three classes in the plane."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = np.array([[0, 4], [4, 0], [-4, -4]])
    return centres[labels] + random.normal(size=(count, 2)) + shift, labels


def test_entropy_and_information_equal_loops():
    p = softmax(np.random.default_rng(0).normal(size=(20, 4)))
    entropy = lambda q: -sum(x * np.log(x) for x in q)  # noqa: E731
    mean = np.mean([entropy(row) for row in p])
    assert negative_entropy(p) == pytest.approx(-mean)
    assert mutual_information(p) == pytest.approx(entropy(p.mean(0)) - mean)


def test_certain_answers_are_best_and_information_sees_through_a_single_class():
    diverse, single = np.eye(3)[np.arange(30) % 3], np.eye(3)[np.zeros(30, int)]
    assert negative_entropy(diverse) == negative_entropy(single) == pytest.approx(0)
    assert mutual_information(diverse) == pytest.approx(np.log(3))
    assert mutual_information(single) == pytest.approx(0)


def test_neighbourhood_density_equals_a_loop_and_prefers_clusters():
    p = softmax(np.random.default_rng(0).normal(size=(12, 3)))
    total = 0
    for i in range(12):
        cosines = [
            p[i] @ p[j] / np.linalg.norm(p[i]) / np.linalg.norm(p[j]) / 0.05
            for j in range(12)
            if j != i
        ]
        q = softmax(np.array([cosines]))[0]
        total -= (q * np.log(q)).sum() / 12
    assert soft_neighbourhood_density(p) == pytest.approx(total)
    clustered = np.eye(3)[np.arange(300) % 3] * 0.98 + 0.02 / 3
    scattered = softmax(np.random.default_rng(1).normal(size=(300, 3)))
    assert soft_neighbourhood_density(clustered) > soft_neighbourhood_density(scattered)


def test_embedded_validation_is_the_plain_loss_where_the_domains_are_one():
    train, target, validation = (blobs(600, seed=k)[0] for k in range(3))
    losses = np.random.default_rng(0).uniform(size=600)
    score = deep_embedded_validation(train, validation, target, losses)
    assert score == pytest.approx(-losses.mean(), abs=0.02)


def test_embedded_validation_weighs_what_resembles_the_target():
    """Losses grow along one axis, and the target lies further along it."""
    random = np.random.default_rng(0)
    train, validation = random.normal(size=(2, 2000, 1))
    target = random.normal(size=(2000, 1)) + 0.7
    losses = validation[:, 0] + 5
    score = deep_embedded_validation(train, validation, target, losses)
    assert score == pytest.approx(-5.7, abs=0.2)  # the target's own mean loss, not 5


def test_reverse_validation_finds_wrong_answers_on_the_target():
    source, labels = blobs()
    target, truth = blobs(seed=1)
    right = np.eye(3)[truth]
    wrong = np.eye(3)[(truth + 1) % 3]
    assert reverse_validation(target, right, source, labels) > 0.95
    assert reverse_validation(target, wrong, source, labels) < 0.05
    single = np.eye(3)[np.zeros(90, int)]
    assert reverse_validation(target, single, source, labels) == pytest.approx(1 / 3)


def test_a_distance_runs_from_0_to_2():
    same = proxy_a_distance(blobs(400)[0], blobs(400, seed=1)[0])
    near = proxy_a_distance(blobs(400)[0], blobs(400, shift=2.0)[0])
    far = proxy_a_distance(blobs(400)[0], blobs(40, shift=40.0)[0])
    assert abs(same) < 0.3
    assert same < near < far
    assert far == pytest.approx(2)


def test_all_scores_come_by_name_and_no_target_label_is_read():
    source, labels = blobs()
    outputs = ModelOutputs(source, softmax(source @ np.ones((2, 3))), labels)
    scores = validate(outputs, outputs, outputs._replace(labels=None))
    assert tuple(scores) == VALIDATORS
    assert all(np.isfinite(value) for value in scores.values())


def test_cross_entropy_stays_finite_where_the_true_class_has_no_probability():
    losses = cross_entropies(np.array([[1.0, 0.0], [0.25, 0.75]]), [1, 1])
    np.testing.assert_allclose(losses, [-np.log(1e-7), -np.log(0.75)])


@pytest.mark.parametrize(
    "probabilities", [np.full((3, 2), np.nan), np.ones((3, 2)), np.array([0.5, 0.5])]
)
def test_logits_and_broken_values_are_refused(probabilities):
    with pytest.raises(ValueError, match="probabilities"):
        negative_entropy(probabilities)


def test_too_few_or_broken_features_are_refused():
    with pytest.raises(ValueError, match="4 examples"):
        proxy_a_distance(np.ones((3, 2)), np.ones((5, 2)))
    with pytest.raises(ValueError, match="finite"):
        proxy_a_distance(np.full((5, 2), np.nan), np.ones((5, 2)))
