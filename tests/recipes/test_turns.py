"""One training, and one study, at a time in one folder."""

import pytest

from keras_dtl.recipes import DANNRecipe
from keras_dtl.recipes.layer_transfer import LayerTransfer
from keras_dtl.recipes.training import train
from keras_dtl.turns import turn
from tests.cli.test_study import settings  # noqa: F401 (a fixture)


def test_a_second_training_in_one_folder_is_refused(tmp_path):
    """The weights were those of one, the settings those of the other."""
    recipe = DANNRecipe(source="digits", target="digits_m", output=tmp_path / "run")
    with turn(recipe.run_folder, "training"), pytest.raises(BlockingIOError, match="Another train"):
        train(recipe)
    assert list(tmp_path.iterdir()) == []


def test_a_second_study_in_one_folder_is_refused(settings):  # noqa: F811
    study = LayerTransfer(settings)
    with turn(study.path, "study"), pytest.raises(BlockingIOError, match="Another study"):
        study.run()
    assert not study.path.exists()
