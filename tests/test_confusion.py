import numpy as np
import pytest

from keras_dtl.confusion import confusion_counts, intersection_over_union, mean_iou

TRUE = np.array([[0, 0, 1], [1, 1, 3]])
PREDICTED = np.array([[0, 1, 1], [1, 2, 3]])


def test_counts_are_true_by_predicted():
    counts = confusion_counts(TRUE, PREDICTED, 5)
    expected = np.zeros((5, 5), int)
    for true, found in zip(TRUE.ravel(), PREDICTED.ravel(), strict=True):
        expected[true, found] += 1
    np.testing.assert_array_equal(counts, expected)
    assert counts.dtype == "int64"


def test_iou_is_the_share_of_the_union_and_the_mean_over_true_classes():
    counts = confusion_counts(TRUE, PREDICTED, 5)
    np.testing.assert_allclose(
        intersection_over_union(counts), [1 / 2, 2 / 4, 0, 1, np.nan], equal_nan=True
    )
    # Class 2 was found and is nowhere; class 4 is neither.
    assert mean_iou(counts) == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)


def test_small_integers_do_not_overflow():
    maps = np.full(3, 200, "uint8")
    assert confusion_counts(maps, maps, 256)[200, 200] == 3


@pytest.mark.parametrize(
    ("true", "predicted"), [([0, 1], [2, 0]), ([0, -1], [0, 1]), ([255, 0], [0, 1]), ([0], [0, 1])]
)
def test_numbers_of_no_class_are_refused(true, predicted):
    """A prediction of class 2 of 2 was counted as class 0 for the true class after."""
    with pytest.raises(ValueError, match="from 0 to 1. Received"):
        confusion_counts(np.array(true), np.array(predicted), 2)
