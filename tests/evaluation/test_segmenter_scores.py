import numpy as np
import pytest

from keras_dtl.evaluation import evaluate_segmenter, overlay


def test_iou_is_the_formula_and_void_does_not_count():
    labels = np.array([[[0, 0, 1, 255]]])
    predicted = np.array([[[0, 1, 1, 2]]])
    scores = evaluate_segmenter(predicted, labels, ("a", "b", "c"))
    np.testing.assert_allclose(scores.iou, [1 / 2, 1 / 2, np.nan])
    assert scores.mean_iou == 0.5
    assert scores.pixel_accuracy == pytest.approx(2 / 3)
    assert scores.to_dict()["iou"] == {"a": 0.5, "b": 0.5, "c": None}


def test_class_that_is_only_predicted_lowers_no_mean():
    scores = evaluate_segmenter(np.array([[[0, 2]]]), np.array([[[0, 0]]]), "abc")
    assert scores.iou[2] == 0.0
    assert scores.mean_iou == 0.5


@pytest.mark.parametrize(
    ("predicted", "labels"),
    [([[[0]]], [[[0, 0]]]), ([[[3]]], [[[0]]]), ([[[0]]], [[[7]]]), ([[[0]]], [[[255]]])],
)
def test_unusable_maps_are_refused(predicted, labels):
    with pytest.raises(ValueError, match="Expected|one shape"):
        evaluate_segmenter(predicted, labels, "abc")


def test_overlay_colours_classes_and_leaves_void():
    images = np.full((1, 1, 2, 3), 100, "uint8")
    colored = overlay(images, np.array([[[1, 255]]]), np.array([[0, 0, 0], [200, 0, 100]], "uint8"))
    assert colored.tolist() == [[[[150, 50, 100], [100, 100, 100]]]]
