import numpy as np
import pytest

from keras_dtl.data import LabelledImages, hold_out_classes, view_batches


def examples(counts=(3, 2, 5)):
    """Return images that are their own number, in an order that mixes the classes."""
    labels = np.repeat(np.arange(len(counts)), counts)
    labels = labels[np.random.default_rng(1).permutation(len(labels))]
    images = np.arange(len(labels), dtype="uint8").reshape(-1, 1, 1, 1)
    return LabelledImages(images, labels, tuple("abcdefgh"[: len(counts)]))


def drawn(data, steps=40, **kwargs):
    batches = list(view_batches(data, 5, **kwargs).take(steps).as_numpy_iterator())
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


@pytest.mark.parametrize("other", ["any", "different", None])
def test_second_is_another_of_the_same_class(other):
    data = examples()
    batches = drawn(data, other=other)
    first, second = (batches[name].ravel() for name in ("first", "second"))
    assert (first != second).all()
    np.testing.assert_array_equal(data.labels[first], batches["label"])
    np.testing.assert_array_equal(data.labels[second], batches["label"])
    # Every ordered pair of a class comes up.
    assert len(set(zip(first, second, strict=True))) == 3 * 2 + 2 + 5 * 4
    if other is None:
        assert set(batches) == {"first", "second", "label"}
        return
    np.testing.assert_array_equal(data.labels[batches["other"].ravel()], batches["other_label"])
    assert (batches["other_label"] == batches["label"]).any() == (other == "any")
    assert set(batches["other_label"]) == {0, 1, 2}


def test_each_pass_shows_every_image_once():
    first = drawn(examples(), steps=2)["first"].ravel()
    assert sorted(first) == list(range(10))


def test_resumed_batches_are_the_same():
    whole, rest = drawn(examples(), steps=9, seed=3), drawn(examples(), 5, seed=3, first_step=4)
    for name in whole:
        np.testing.assert_array_equal(whole[name][20:], rest[name])
    assert (drawn(examples(), 9, seed=4)["second"] != whole["second"]).any()


def test_a_class_of_one_image_is_refused_by_name():
    with pytest.raises(ValueError, match="only one of: b"):
        view_batches(examples((3, 1, 2)), 4)
    with pytest.raises(ValueError, match="At least 2 classes"):
        view_batches(examples((3,)), 4, other="different")
    with pytest.raises(ValueError, match="unlabelled"):
        view_batches(examples().without_labels(), 4)
    with pytest.raises(ValueError, match="other"):
        view_batches(examples(), 4, other="same")


def test_held_out_classes_are_whole():
    kept, held = hold_out_classes(examples(), 0.3)
    assert len(kept) + len(held) == 10 and len(set(held.labels)) == 1
    assert not set(kept.labels) & set(held.labels)
    for share in (0.0, 1.0, 0.9):
        with pytest.raises(ValueError, match="held out"):
            hold_out_classes(examples(), share)
