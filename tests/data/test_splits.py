import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keras_dtl.data.splits import stratified_split


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
