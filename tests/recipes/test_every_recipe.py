"""What holds for every recipe."""

import inspect
from pathlib import Path

import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.cli.export import Export, output_of
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.base import Recipe

QUESTIONS = [name for name, member in vars(Recipe).items() if inspect.isfunction(member)]


def test_each_says_what_it_is_for(capsys):
    assert main(["recipes"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said[::2]] == list(RECIPES)
    for line in said[1::2]:
        assert line.strip().startswith("for ") and len(line) <= 100


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("question", [name for name in QUESTIONS if not name.startswith("_")])
def test_takes_what_the_commands_pass(name, question):
    """A recipe that answers with other arguments fails only once it is trained."""
    expected = inspect.signature(getattr(Recipe, question)).parameters
    inspect.signature(getattr(RECIPES[name], question)).bind(*expected)


def test_the_length_of_a_training_is_said_in_words():
    recipe = RECIPES["dann"]
    assert [recipe(epochs=count).length for count in (1, 20)] == ["1 epoch", "20 epochs"]


@pytest.mark.parametrize("name", RECIPES)
def test_two_runs_of_a_recipe_are_two_artifacts(name, tmp_path):
    """The second was published as the next version of the first, which servers take at once."""
    first, second = (RECIPES[name](output=tmp_path / folder) for folder in ("run", "run-1"))
    for recipe in (first, second):
        assert recipe.artifact_folder == output_of(Export(recipe.run_folder))
    assert first.artifact_folder != second.artifact_folder
    assert RECIPES[name]().artifact_folder == Path("exported") / name
