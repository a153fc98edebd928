import pytest

from keras_dtl.callbacks import ProgressSchedule
from keras_dtl.scripts.recipes.fast_style import FastStyleRecipe


def test_unusable_settings_are_refused():
    with pytest.raises(ValueError, match="Give the image of a style"):
        FastStyleRecipe().check()
    with pytest.raises(ValueError, match="--crop-size must be a multiple of 4.*Received: 30"):
        FastStyleRecipe(style=("a.jpg",), crop_size=30).check()


def test_learning_rate_is_a_schedule():
    (schedule,) = FastStyleRecipe().callbacks(None)
    assert isinstance(schedule, ProgressSchedule)
