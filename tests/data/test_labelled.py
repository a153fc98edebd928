import numpy as np
import pytest
from PIL import Image

from keras_dtl.data.labelled import (
    LabelledImages,
    check_same_classes,
    convert_channels,
    renumber,
    require_classes,
)
from keras_dtl.images import resize_image


def make(count=4, shape=(6, 5, 3), classes=("cat", "dog")):
    images = np.random.default_rng(0).integers(0, 256, (count, *shape), "uint8")
    return LabelledImages(images, np.arange(count) % len(classes), classes)


def test_labelled_images_basics():
    examples = make()
    assert len(examples) == 4
    assert examples.image_shape == (6, 5, 3)
    assert examples.labels.dtype == np.int32
    images, labels = examples.arrays()
    assert images is examples.images and labels is examples.labels
    bare = examples.without_labels()
    assert bare.arrays() is examples.images
    assert bare.labels is None and bare.classes == ()


def test_subset_keeps_classes_and_order():
    examples = make()
    chosen = examples.subset([3, 0])
    np.testing.assert_array_equal(chosen.images, examples.images[[3, 0]])
    assert chosen.labels.tolist() == [1, 0]
    assert chosen.classes == examples.classes


def test_resized_equals_the_serving_resize():
    examples = make()
    resized = examples.resize((3, 9))
    assert resized.images.shape == (4, 3, 9, 3)
    for before, after in zip(examples.images, resized.images, strict=True):
        np.testing.assert_array_equal(after, resize_image(before, (3, 9)))
    assert examples.resize((6, 5)) is examples


def test_with_channels_repeats_grey_and_takes_luminance():
    examples = make()
    grey = examples.with_channels(1)
    for rgb, single in zip(examples.images, grey.images, strict=True):
        np.testing.assert_array_equal(single[..., 0], np.asarray(Image.fromarray(rgb).convert("L")))
    back = grey.with_channels(3)
    assert all((back.images[..., [channel]] == grey.images).all() for channel in range(3))


def test_convert_channels_refuses_others():
    with pytest.raises(ValueError, match="channels=2"):
        convert_channels(np.zeros((1, 1, 3), "uint8"), 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 4, 4, 3)), [0, 1], ("a", "b")), "uint8 array .* float64"),
        (([[1]],), "uint8 array .* list"),
        ((np.zeros((2, 4, 4), "uint8"),), "Images must have shape"),
        ((np.zeros((2, 4, 4, 2), "uint8"),), "1, 3 or 4 channels"),
        ((np.zeros((0, 4, 4, 3), "uint8"),), "At least one image"),
        ((np.zeros((2, 4, 4, 3), "uint8"), [0], ("a",)), r"shape \(2,\)"),
        ((np.zeros((2, 4, 4, 3), "uint8"), [0.0, 1.0], ("a", "b")), "integers"),
        ((np.zeros((2, 4, 4, 3), "uint8"), [0, 2], ("a", "b")), r"0\.\.1 .* from 0 to 2"),
        ((np.zeros((2, 4, 4, 3), "uint8"), [-1, 0], ("a", "b")), "from -1 to 0"),
        ((np.zeros((2, 4, 4, 3), "uint8"), [0, 1]), "name of each class"),
        ((np.zeros((2, 4, 4, 3), "uint8"), [0, 1], ("a", "a")), "each once"),
        ((np.zeros((2, 4, 4, 3), "uint8"), None, ("a",)), "no labels"),
    ],
)
def test_labelled_images_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LabelledImages(*arguments)


def test_check_same_classes_accepts_equal_and_unlabelled():
    check_same_classes(make(), make())
    check_same_classes(make(), make(classes=("cow", "pig")).without_labels())


def test_check_same_classes_lists_what_is_missing_on_each_side():
    with pytest.raises(ValueError, match="missing in the target: dog; missing in the source: pig"):
        check_same_classes(make(), make(classes=("cat", "pig")))


def test_another_order_of_the_same_classes_is_matched_by_name():
    check_same_classes(make(), make(classes=("dog", "cat")))
    turned = renumber(make(classes=("dog", "cat")), ("cat", "dog"))
    assert (turned.labels.tolist(), turned.classes) == ([1, 0, 1, 0], ("cat", "dog"))
    wider = renumber(make().subset([1, 3]), ("ape", "dog"))
    assert (wider.labels.tolist(), wider.classes) == ([1, 1], ("ape", "dog"))
    with pytest.raises(ValueError, match="classes that the run does not know: cat. Expected some"):
        renumber(make(), ("dog", "ape"), "the run")
    unlabelled = make().without_labels()
    assert renumber(unlabelled, ("dog",)) is unlabelled


def test_require_classes_counts_those_that_occur():
    examples = make()
    require_classes(examples)
    with pytest.raises(ValueError, match="only 1: dog"):
        require_classes(examples.subset([1, 3]))
    with pytest.raises(ValueError, match="unlabelled"):
        require_classes(examples.without_labels())


def test_joined_examples_are_those_of_both():
    first, second = make(4), make(3)
    both = first.join(second)
    np.testing.assert_array_equal(both.images[4:], second.images)
    np.testing.assert_array_equal(both.labels, [0, 1, 0, 1, 0, 1, 0])
    assert len(first.without_labels().join(second.without_labels())) == 7
    with pytest.raises(ValueError, match="same classes"):
        first.join(make(classes=("dog", "cat")))
