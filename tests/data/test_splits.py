import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dtl.data.splits import balanced_positions, sample, shot_split, stratified_split


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 100))
def test_stratified_split_divides_each_class(labels, seed):
    labels = np.array(labels)
    train, test = stratified_split(labels, test_fraction=0.25, seed=seed)
    assert sorted([*train, *test]) == list(range(len(labels)))
    for label in np.unique(labels):
        members = (labels == label).sum()
        tested = (labels[test] == label).sum()
        assert tested == (0 if members == 1 else max(1, round(members * 0.25)))


def test_stratified_split_depends_on_the_seed_alone():
    labels = np.arange(50) % 5
    _, first = stratified_split(labels, seed=1)
    _, again = stratified_split(labels, seed=1)
    _, other = stratified_split(labels, seed=2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_shots_are_of_every_class_seeded_and_nested():
    labels = np.random.default_rng(0).integers(0, 4, 200)
    one, rest = shot_split(labels, 1, seed=3)
    three, _ = shot_split(labels, 3, seed=3)
    assert np.bincount(labels[three]).tolist() == [3] * 4
    assert set(one) < set(three)
    np.testing.assert_array_equal(np.sort(np.concatenate([one, rest])), np.arange(200))
    np.testing.assert_array_equal(one, shot_split(labels, 1, seed=3)[0])
    assert (one != shot_split(labels, 1, seed=4)[0]).any()


@pytest.mark.parametrize("shots", [0, 3])
def test_more_shots_than_examples_of_a_class_are_refused(shots):
    with pytest.raises(ValueError, match="2 examples of class 1"):
        shot_split([1] * 2 + [2] * 5, shots)
    with pytest.raises(ValueError, match="2 examples of class cat"):
        shot_split([1] * 2 + [2] * 5, shots, classes=("bird", "cat", "dog"))


def test_sample_takes_each_example_once():
    chosen = sample(50, 20, seed=1)
    assert len(set(chosen)) == 20
    assert len(sample(5, 20)) == 5


def test_balanced_positions_hold_every_example_and_each_class_alike():
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 3])
    found = balanced_positions(labels)
    assert set(found) == set(range(8))
    assert np.bincount(labels[found]).tolist() == [5, 5, 0, 5]
