import pytest

from keras_dtl.callbacks import ProgressSchedule
from keras_dtl.recipes.fast_style import FastStyleRecipe


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
