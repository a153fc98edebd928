import json
import types

import numpy as np
import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.cli.search import publish_winner, ranking_text
from keras_dtl.evaluation import evaluate_classifier
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe
from keras_dtl.recipes.search import candidate_recipes, is_done
from keras_dtl.recipes.training import Trained


def candidates(folder, methods, **fields):
    common = DomainAdaptationRecipe(seed=3, epochs=7, **fields)
    return candidate_recipes(common, RECIPES, methods, (0.1, 0.01), (1.0, 0.3), folder)


def test_each_method_meets_each_setting_and_the_baseline_is_first(tmp_path):
    found = candidates(tmp_path, ("mcc", "adabn", "source-only"))
    names = list(found)
    assert names[0] == "source-only rate=0.1"
    assert len(names) == 2 + 4 + 2
    assert found["mcc rate=0.01 weight=0.3"].adaptation_weight == 0.3
    assert found["adabn rate=0.1"].adapt_statistics
    assert not found["source-only rate=0.1"].adapt_statistics
    assert {(r.seed, r.epochs) for r in found.values()} == {(3, 7)}
    assert len({r.run_folder for r in found.values()}) == len(found)


@pytest.mark.parametrize("method", ["pix2pix", "nothing", "shot"])
def test_what_cannot_be_searched_is_named(tmp_path, method):
    with pytest.raises(ValueError, match=f"Received: {method}. There are: adabn, dann"):
        candidates(tmp_path, (method,))


def test_finished_run_is_known_and_one_of_other_settings_refused(tmp_path):
    recipe = candidates(tmp_path, ())["source-only rate=0.1"]
    assert not is_done(recipe)
    recipe.run_folder.mkdir(parents=True)
    settings = json.dumps(recipe.settings(), default=str)
    (recipe.run_folder / "settings.json").write_text(settings)
    (recipe.run_folder / "scores.json").write_text("{}")
    assert is_done(recipe)
    other = candidates(tmp_path, (), batch_size=5)["source-only rate=0.1"]
    with pytest.raises(ValueError, match="other settings .batch_size."):
        is_done(other)


def test_text_tells_places_refusals_and_regrets():
    rows = [
        {"name": "mcc", "score": 0.75, "refused": None, "target_accuracy": 0.5},
        {"name": "dann", "score": 0.2, "refused": "it collapsed", "target_accuracy": None},
    ]
    text = ranking_text({"ranking": rows, "regret": {"ensemble": 0.013}})
    assert "  1   0.75   50.0%  mcc" in text
    assert "dann (refused: it collapsed)" in text
    assert "Choosing by ensemble costs 1.3 points on the target." in text


@pytest.mark.slow
def test_search_goes_on_where_it_was_and_exports_the_winner(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--epochs", "1", "--min-steps", "5", "--rates", "0.01", "--adaptation-weights", "1"]
    search = ["search", "--source", "digits", "--target", "digits_m", *words, "--methods", "mcc"]
    assert main(search) == 0
    first = capsys.readouterr().out
    assert main(search) == 0
    assert "mcc: accuracy" in first and "mcc: accuracy" not in capsys.readouterr().out
    result = json.loads((tmp_path / "runs/search/search.json").read_text())
    assert {row["name"] for row in result["ranking"]} == {
        "source-only rate=0.01",
        "mcc rate=0.01 weight=1",
    }
    assert (tmp_path / "exported/search/manifest.json").exists()


def test_winner_that_is_not_worth_publishing_is_said(tmp_path, capsys, monkeypatch):
    recipe = RECIPES["source-only"](output=tmp_path / "run")
    scores = {"source": evaluate_classifier(np.eye(2)[[0] * 8], np.arange(8) % 2, "ab").to_dict()}
    trained = Trained(None, None, {}, scores)
    monkeypatch.setattr("keras_dtl.recipes.training.finished_run", lambda *_: trained)
    monkeypatch.setattr("keras_dtl.recipes.training.publish", lambda *_: False)
    arguments = types.SimpleNamespace(artifact_folder=tmp_path / "artifact")
    assert publish_winner(arguments, recipe, None) is False
    told = capsys.readouterr()
    assert "one class for all" in told.err
    assert "Not exported" in told.out
    assert f"--output {tmp_path / 'artifact'} --export-anyway" in told.out
    assert "Artifact:" not in told.out


def test_statistics_that_are_not_there_are_told_before_any_training(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--source", "digits", "--target", "digits_m", "--methods", "adabn"]
    assert main(["search", *words]) == 2
    assert "no batch normalisation" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
