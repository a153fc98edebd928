"""A run is scored on other data where its recipe has such data, and stays as it is."""

import json
import shutil

import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.cli.evaluate import OTHER_DATA
from keras_dtl.recipes import RECIPES, run_recipe
from tests.cli.test_full_disk import tree
from tests.cli.test_train import write_domain


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


def test_scores_on_other_data_leave_those_of_the_run_alone(folder, capsys):
    """An artifact exported afterwards was published with the scores of other data."""
    write_domain(folder / "other", 2, 30)
    before = tree(folder / "run")
    assert main(["evaluate", "run", "--target", "folder:other"]) == 0
    assert all(path.read_bytes() == content for path, content in before.items())
    assert "test: 12 images (left 6, right 6)" in capsys.readouterr().out  # not all 60
    scored = folder / "run" / OTHER_DATA
    assert json.loads((scored / "settings.json").read_text())["target"] == "folder:other"
    assert json.loads((scored / "scores.json").read_text())["target"]["count"] == 12
    words = "trained with source folder:source, target folder:target; here it is scored on"
    assert words in (scored / "report.html").read_text()


@pytest.mark.parametrize("output", ["run", "second"])
def test_no_run_gets_scores_of_other_data(folder, capsys, output):
    shutil.copytree(folder / "run", folder / "second")
    before = tree(folder)
    assert main(["evaluate", "run", "--target", "folder:source", "--output", output]) == 2
    assert f"own scores would be replaced. Received: {output}." in capsys.readouterr().err
    assert tree(folder) == before


def test_a_report_written_anew_still_says_what_went_wrong(folder, capsys):
    told = {"dead features": "99 % of them are 0."}
    (folder / "run" / "failures.json").write_text(json.dumps(told))
    assert main(["evaluate", "run"]) == 0
    assert "Dead features: 99 % of them are 0." in (folder / "run/report.html").read_text()


def test_a_target_without_labels_is_told(folder, capsys):
    write_domain(folder / "other", 2, 30)
    (folder / "flat").mkdir()
    for index, path in enumerate(sorted((folder / "other").rglob("*.png"))):
        path.rename(folder / "flat" / f"{index}.png")
    assert main(["evaluate", "run", "--target", "folder:flat"]) == 0
    assert "folder:flat has no labels: nothing is scored on the target." in capsys.readouterr().out
