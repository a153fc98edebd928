import numpy as np
import pytest

from keras_dtl.methods import SourceOnly, refit_head
from tests.methods.adaptation.test_domain_adaptation import images
from tests.networks import compiled, dense, encoder


@pytest.mark.parametrize("classes", [2, 3])
def test_refit_head_answers_as_the_svm_and_touches_nothing_else(classes):
    from sklearn.svm import LinearSVC

    model = compiled(SourceOnly(encoder(), dense(classes)))
    x, y = images(60), np.arange(60) % classes
    x[y == 0, :4] = 0  # something to learn
    before = model.encoder.get_weights()
    refit_head(model, x, y)
    features = model.encoder(x).numpy().astype("float64")
    expected = LinearSVC().fit(features, y).predict(features)
    np.testing.assert_array_equal(model(x).numpy().argmax(1), expected)
    for a, b in zip(before, model.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (expected == y).mean() > 0.5
    refit_head(model, x, np.eye(classes)[y])
    np.testing.assert_array_equal(model(x).numpy().argmax(1), expected)


def test_missing_class_is_refused():
    model = compiled(SourceOnly(encoder(), dense(3)))
    with pytest.raises(ValueError, match="all 3 classes"):
        refit_head(model, images(4), np.array([0, 1, 0, 1]))
