"""Distances between sets stand in a headline only where they say something."""

import pytest

from keras_dtl.recipes import RECIPES

PIX2PIX = {"kid": 0.1, "absolute_error": 20.0}
CYCLEGAN = {"a_to_b": {"kid": 0.1}, "b_to_a": {"kid": 0.2}, "cycle_error": 9.0}


@pytest.mark.parametrize(("name", "scores"), [("pix2pix", PIX2PIX), ("cyclegan", CYCLEGAN)])
@pytest.mark.parametrize(
    ("features", "count", "told"),
    [("random", 5000, False), ("inception_v3:w.h5", 30, False), ("inception_v3:w.h5", 500, True)],
)
def test_kid_is_told_of_learnt_features_and_enough_images(name, scores, features, count, told):
    recipe = RECIPES[name](features=features)
    headline = recipe.headline({**scores, "test_images": count})
    assert any("KID" in label for label in headline) == told
    assert any("levels of 255" in label for label in headline)
