import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dtl.data.batches import (
    domain_batches,
    endless_arrays,
    endless_batches,
    ordered_batches,
    steps_per_epoch,
)
from keras_dtl.data.labelled import LabelledImages


def numbered_images(count, first=0, labelled=True):
    """One-pixel images; every byte holds the example's number, its label the parity."""
    numbers = np.arange(first, first + count)
    images = np.broadcast_to(numbers[:, None, None, None], (count, 2, 2, 1)).astype("uint8")
    return (
        LabelledImages(images, numbers % 2, ("even", "odd")) if labelled else LabelledImages(images)
    )


def numbers(batches):
    return np.concatenate([batch[:, 0, 0, 0] for batch in batches])


def take(dataset, count):
    return list(dataset.take(count).as_numpy_iterator())


def assert_same(actual, expected):
    assert len(actual) == len(expected)
    tf.nest.map_structure(np.testing.assert_array_equal, actual, expected)


@given(
    length=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    seed=st.integers(0, 2**40),
)
@settings(max_examples=10, deadline=None)
def test_endless_shows_every_example_once_in_every_pass(length, batch_size, seed):
    dataset = endless_batches(numbered_images(length, labelled=False), batch_size, seed)
    steps = -(-3 * length // batch_size)  # enough for three passes
    shown = numbers(take(dataset, steps))
    for start in range(0, 3 * length, length):
        assert sorted(shown[start : start + length]) == list(range(length))


@given(
    length=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    first_step=st.integers(0, 60),
)
@settings(max_examples=6, deadline=None)
def test_endless_resumes_as_if_never_stopped(length, batch_size, first_step):
    examples = numbered_images(length)
    whole = endless_batches(examples, batch_size, seed=3)
    resumed = endless_batches(examples, batch_size, seed=3, first_step=first_step)
    assert_same(take(resumed, 3), take(whole.skip(first_step), 3))


def test_endless_keeps_image_and_label_together():
    for images, labels in take(endless_batches(numbered_images(21), 8), 6):
        np.testing.assert_array_equal(images[:, 0, 0, 0] % 2, labels)


def test_endless_orders_differ_between_passes_and_seeds():
    examples = numbered_images(50, labelled=False)
    first, second = np.split(numbers(take(endless_batches(examples, 50, seed=0), 2)), 2)
    other_seed = numbers(take(endless_batches(examples, 50, seed=1), 1))
    orders = [tuple(order) for order in (first, second, other_seed, range(50))]
    assert len(set(orders)) == 4


def test_endless_is_deterministic():
    examples = numbered_images(30)
    assert_same(
        take(endless_batches(examples, 7, seed=5), 20),
        take(endless_batches(examples, 7, seed=5), 20),
    )


def test_endless_shapes_are_static():
    images, labels = endless_batches(numbered_images(5), 8).element_spec
    assert images == tf.TensorSpec((8, 2, 2, 1), tf.uint8)
    assert labels == tf.TensorSpec((8,), tf.int32)


def test_endless_shuffles_well():
    # The place of example 0 over many passes is uniform: chi-square with 9 degrees of freedom.
    shown = numbers(take(endless_batches(numbered_images(10, labelled=False), 10, seed=1), 400))
    places = np.bincount(np.argmin(shown.reshape(400, 10), axis=1), minlength=10)
    assert ((places - 40) ** 2 / 40).sum() < 28  # exceeded once in a thousand seeds


def test_augment_sees_images_only_and_a_seed_for_each_step():
    def stamp(images, seed):
        assert images.shape == (4, 2, 2, 1)
        return tf.random.stateless_uniform(tf.shape(images), seed)

    examples = numbered_images(6)
    batches = take(endless_batches(examples, 4, seed=2, augment=stamp), 4)
    assert len({images.tobytes() for images, _ in batches}) == 4
    assert_same(
        take(endless_batches(examples, 4, seed=2, first_step=2, augment=stamp), 2), batches[2:]
    )


def test_endless_arrays_keeps_the_structure():
    arrays = {"clip": np.arange(12.0).reshape(6, 2), "pair": (np.arange(6), np.arange(6) * 10)}
    batch = take(endless_arrays(arrays, 4), 1)[0]
    np.testing.assert_array_equal(batch["pair"][0] * 10, batch["pair"][1])
    np.testing.assert_array_equal(batch["clip"][:, 0], batch["pair"][0] * 2.0)


def test_endless_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"same number of examples.*\[3, 4\]"):
        endless_arrays((np.zeros(3), np.zeros(4)), 2)


def test_mapped_file_gives_the_same_batches_as_memory(tmp_path):
    images = np.arange(40 * 12, dtype="uint8").reshape(40, 2, 2, 3)
    mapped = np.memmap(tmp_path / "images", "uint8", "w+", shape=images.shape)
    mapped[:] = images
    expected = take(endless_batches(LabelledImages(images), 16), 5)
    assert_same(take(endless_batches(LabelledImages(mapped), 16), 5), expected)
    assert_same(
        take(endless_batches(LabelledImages(mapped[1:]), 16), 2),
        take(endless_batches(LabelledImages(images[1:]), 16), 2),
    )


def test_domain_batches_never_hold_target_labels():
    spec = domain_batches(numbered_images(9), numbered_images(5), 4).element_spec
    assert set(spec) == {"source", "target"}
    assert spec["target"] == tf.TensorSpec((4, 2, 2, 1), tf.uint8)
    assert [part.shape for part in spec["source"]] == [(4, 2, 2, 1), (4,)]


def test_domain_batches_shuffle_domains_independently():
    same = numbered_images(40)
    batches = domain_batches(same, same, 40, target_labelled=same)
    batch = take(batches, 1)[0]
    orders = (batch["source"][0], batch["target"], batch["target_labelled"][0])
    assert len({order.tobytes() for order in orders}) == 3


def test_domain_batches_repeat_unequal_lengths():
    batches = take(domain_batches(numbered_images(7), numbered_images(3, first=100), 6), 7)
    assert np.bincount(numbers([b["source"][0] for b in batches])).tolist() == [6] * 7
    assert np.bincount(numbers([b["target"] for b in batches]))[100:].tolist() == [14] * 3


def test_domain_batches_resume():
    arguments = (numbered_images(11), numbered_images(7), 4, 9)
    few = numbered_images(2)
    whole = take(domain_batches(*arguments, target_labelled=few), 12)
    assert_same(take(domain_batches(*arguments, 5, target_labelled=few), 7), whole[5:])


def test_domain_batches_without_target():
    assert set(domain_batches(numbered_images(3), None, 2).element_spec) == {"source"}


def test_domain_batches_adding_labels_leaves_the_other_streams_alone():
    source, target = numbered_images(9), numbered_images(8)
    without = take(domain_batches(source, target, 4), 5)
    with_labels = take(domain_batches(source, target, 4, target_labelled=source), 5)
    for name in ("source", "target"):
        assert_same([batch[name] for batch in with_labels], [batch[name] for batch in without])


def test_domain_batches_unlabelled_source_is_refused():
    with pytest.raises(ValueError, match="source images must be labelled"):
        domain_batches(numbered_images(4, labelled=False), numbered_images(4), 2)


def test_domain_batches_of_different_shapes_are_refused():
    colour = numbered_images(4).with_channels(3)
    with pytest.raises(ValueError, match=r"source \(2, 2, 1\), target \(2, 2, 3\)"):
        domain_batches(numbered_images(4), colour, 2)


@pytest.mark.parametrize("arguments", [{"batch_size": 0}, {"batch_size": 2, "first_step": -1}])
def test_endless_bad_position_is_refused(arguments):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        endless_batches(numbered_images(4), **arguments)


def test_in_order_goes_through_once():
    batches = take(ordered_batches(numbered_images(10), 4), -1)
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    np.testing.assert_array_equal(numbers([images for images, _ in batches]), np.arange(10))
    unlabelled = ordered_batches(numbered_images(3, labelled=False), 4)
    assert unlabelled.element_spec.shape == (None, 2, 2, 1)


@pytest.mark.parametrize(("length", "steps"), [(128, 2), (127, 1), (10, 1)])
def test_steps_per_epoch_counts_full_batches(length, steps):
    assert steps_per_epoch(numbered_images(length), 64) == steps


def test_strong_changes_are_of_the_same_images_and_resume():
    weak = lambda images, seed: images + 1  # noqa: E731
    strong = lambda images, seed: images + 100  # noqa: E731
    changes = {"augment": weak, "strong": strong}
    arguments = (numbered_images(11), numbered_images(7), 4, 9)
    few = numbered_images(2)
    whole = take(domain_batches(*arguments, target_labelled=few, **changes), 12)
    plain = take(domain_batches(*arguments, target_labelled=few), 12)
    for batch, same in zip(whole, plain, strict=True):
        for name, images in (("source", same["source"][0]), ("target", same["target"])):
            changed = batch[name][0] if name == "source" else batch[name]
            np.testing.assert_array_equal(changed, images + 1)
            np.testing.assert_array_equal(batch[f"{name}_strong"], images + 100)
        np.testing.assert_array_equal(batch["source"][1], same["source"][1])
        np.testing.assert_array_equal(batch["target_labelled"][0], same["target_labelled"][0] + 1)
    assert_same(take(domain_batches(*arguments, 5, target_labelled=few, **changes), 7), whole[5:])


def test_arrays_and_none_are_no_domains():
    images = np.zeros((2, 8, 8, 3), "uint8")
    source = LabelledImages(images, np.zeros(2, int), ("a",))
    with pytest.raises(ValueError, match="`target` must be .* an array of shape .2, 8, 8, 3."):
        domain_batches(source, images, 2)
    with pytest.raises(ValueError, match="`source` must be a data set .* Received: NoneType"):
        domain_batches(None, None, 2)


def test_labels_of_the_target_must_count_the_classes_as_the_source_does():
    source = numbered_images(4)
    other = LabelledImages(source.images, source.labels, ("odd", "even"))
    with pytest.raises(ValueError, match="odd, even, and even, odd of the source.*renumber"):
        domain_batches(source, source, 2, target_labelled=other)
    domain_batches(source, other, 2)  # labels of the target enter no batch


def test_batch_of_no_whole_number_is_refused():
    with pytest.raises(ValueError, match="whole number"):
        domain_batches(numbered_images(4), None, 2.5)
