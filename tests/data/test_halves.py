import numpy as np
import pytest

from keras_dtl.data import LabelledImages
from keras_dtl.data.halves import class_halves, only_classes

NAMES = ("ant", "bee", "cat", "dog", "elk")


def examples(labels=(4, 0, 1, 2, 3, 4)):
    images = np.arange(len(labels), dtype="uint8").reshape(-1, 1, 1, 1)
    return LabelledImages(images, np.array(labels), NAMES)


def test_halves_hold_every_class_once_and_differ_between_seeds():
    halves = [class_halves(NAMES, seed) for seed in range(6)]
    for first, second in halves:
        assert sorted(first + second) == sorted(NAMES)
        assert (len(first), len(second)) == (2, 3)
    assert class_halves(NAMES, 3) == halves[3]
    assert len(set(halves)) > 1


def test_given_half_keeps_the_order_of_the_classes():
    assert class_halves(NAMES, first=("dog", "bee")) == (("bee", "dog"), ("ant", "cat", "elk"))


@pytest.mark.parametrize(
    ("names", "first", "message"),
    [
        (NAMES, ("ant", "yak"), "no class yak"),
        (NAMES, ("ant",), "at least 2"),
        (NAMES, NAMES, "at least 2"),
        (NAMES[:3], None, "at least 2"),
    ],
)
def test_halves_that_are_no_tasks_are_refused(names, first, message):
    with pytest.raises(ValueError, match=message):
        class_halves(names, first=first)


def test_labels_are_numbered_anew():
    chosen = only_classes(examples(), ("dog", "elk"))
    assert chosen.classes == ("dog", "elk")
    assert chosen.labels.tolist() == [1, 0, 1]
    assert chosen.images.ravel().tolist() == [0, 4, 5]


def test_class_without_images_is_named():
    with pytest.raises(ValueError, match="cat"):
        only_classes(examples((0, 1, 3, 4)), ("bee", "cat"))
