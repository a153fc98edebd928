"""A run is scored on other data only where its recipe has such data."""

import json

import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.recipes import RECIPES, run_recipe


def write_settings(folder, recipe):
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({"recipe": recipe}))
    return folder


@pytest.mark.parametrize(
    ("recipe", "flag", "offered"),
    [
        ("pix2pix", "--target", "--source"),
        ("fine-tuning", "--source", "--target"),
        ("fast-style", "--source", "neither --source nor --target"),
    ],
)
def test_data_that_a_recipe_lacks_is_an_error_in_words(tmp_path, capsys, recipe, flag, offered):
    run = write_settings(tmp_path / "run", recipe)
    assert main(["evaluate", str(run), flag, "digits"]) == 2
    error = capsys.readouterr().err
    assert f"A run of {recipe} has no {flag.strip('-')}" in error
    assert f"takes {offered}." in error


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_a_recipe_says_its_own_name(recipe):
    assert RECIPES[recipe].name == recipe


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_what_a_run_keeps_is_looked_for_in_its_own_folder(tmp_path, recipe):
    """Not in runs/NAME, where another run of the recipe may lie."""
    run = write_settings(tmp_path / "run", recipe)
    assert run_recipe(run).run_folder == run
