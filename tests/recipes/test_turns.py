"""One training, and one study, at a time in one folder."""

import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.files import write_json
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


def test_an_evaluation_of_a_run_that_is_trained_is_refused(tmp_path, capsys, monkeypatch):
    """The scores were those of the weights before, beside the new ones."""
    monkeypatch.setattr("keras_dtl.cli.session.start_session", lambda *_, **__: "")
    write_json(tmp_path / "run/settings.json", {"recipe": "dann", "source": "digits"})
    (tmp_path / "link").symlink_to("run")
    for output in ([], ["--output", str(tmp_path / "link")]):
        with turn(tmp_path / "run", "training or evaluation"):
            assert main(["evaluate", str(tmp_path / "run"), *output]) == 2
        assert "Another training or evaluation is writing" in capsys.readouterr().err


def test_a_second_study_in_one_folder_is_refused(settings):  # noqa: F811
    study = LayerTransfer(settings)
    with turn(study.path, "study"), pytest.raises(BlockingIOError, match="Another study"):
        study.run()
    assert not study.path.exists()
