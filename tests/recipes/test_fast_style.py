from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_dtl.callbacks import ProgressSchedule
from keras_dtl.data import LabelledImages
from keras_dtl.recipes.fast_style import FastStyleRecipe, StyleData


def test_unusable_settings_are_refused():
    with pytest.raises(ValueError, match="Give the image of a style"):
        FastStyleRecipe().check()
    with pytest.raises(ValueError, match="--crop-size must be a multiple of 4.*Received: 30"):
        FastStyleRecipe(style=("a.jpg",), crop_size=30).check()


def test_learning_rate_rises_holds_and_falls():
    recipe = FastStyleRecipe()
    (schedule,) = recipe.callbacks(None)
    assert isinstance(schedule, ProgressSchedule)
    (rate,) = schedule.schedules.values()
    shares = [rate(progress) / recipe.learning_rate for progress in (0, 0.025, 0.3, 0.75, 1)]
    assert shares == pytest.approx([0.02, 0.52, 1, 0.5, 0])


def test_report_shows_the_style_beside_the_photos():
    photos = LabelledImages(np.zeros((2, 8, 8, 3), "uint8"))
    data = StyleData(photos, photos, [np.full((6, 9, 3), 200, "uint8")])
    image = keras.Input((None, None, 3), dtype="uint8")
    unchanged = keras.Model(image, keras.layers.Identity(dtype="uint8")(image))
    model = SimpleNamespace(deployable=lambda number: unchanged)
    scores = {"style_0": {"content_loss": 0.5, "style_loss": 2.0, "style_left": 0.25}}
    recipe = FastStyleRecipe(style=("paintings/night.jpg",), epochs=1)
    page = recipe.report(model, data, {"loss": [1.0]}, scores).html()
    assert "Style 0, night.jpg, as it was learnt." in page
    assert "25.0%" in page and "share of the photo&#x27;s own distance" in page
    assert "1 epoch on 2 photos" in page
