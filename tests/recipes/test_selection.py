"""The epoch that is published, chosen among those whose weights were kept."""

import json
import types

import keras
import numpy as np
import pytest

from keras_dtl.callbacks.weights_file import write_weights
from keras_dtl.methods import load_model
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.domain_selection import keepers, select_weights
from keras_dtl.recipes.training import finish_run, train

UNLABELLED = types.SimpleNamespace(target_test=None)
BEST = {"entropy": 3.0, "dev": 7.0}  # validator: the one weight of the epoch that it chose


def recipe_in(folder, **values):
    short = {"source_size": 20, "target_size": 20, "epochs": 2, "min_steps": 1, "preset": "paper"}
    return RECIPES["source-only"](output=folder, **{"select": "entropy", **short, **values})


@pytest.fixture
def model():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])


@pytest.fixture
def run(tmp_path, model):
    """A folder with the weights that two validators chose; the model has those of the end."""
    for number, (name, weight) in enumerate(BEST.items()):
        model.set_weights([np.full((1, 1), weight)])
        about = {"epoch": number + 1, "value": 0.5}
        write_weights(model, keepers(tmp_path)[name].path, about)
    model.set_weights([np.ones((1, 1))])
    return tmp_path


@pytest.mark.parametrize(("select", "weight"), [("entropy", 3.0), ("dev", 7.0), ("last", 1.0)])
def test_a_training_that_stops_after_it_has_chosen_can_choose_again(run, model, select, weight):
    """The weights to choose from were gone: it could not go on, or published the last epoch."""
    recipe = recipe_in(run, select=select)
    found = []
    for _ in range(2):
        found.append(select_weights(recipe, model, UNLABELLED))
        assert model.get_weights() == [[[weight]]]
        model.set_weights([np.ones((1, 1))])
    assert found[0] == found[1]
    assert found[0]["published"] == select
    assert {name: choice["epoch"] for name, choice in found[0]["choices"].items()} == {
        **{"last": 2, "entropy": 1, "dev": 2}
    }


def test_what_there_was_to_choose_from_goes_once_the_run_is_saved(run, monkeypatch):
    kept = [keepers(run)[name].path for name in BEST]
    checkpoint = types.SimpleNamespace(path=run / "training.weights.h5", columns=dict)
    checkpoint.path.touch()
    seen = []
    monkeypatch.setattr(RECIPES["source-only"], "select_weights", lambda *arguments: None)
    monkeypatch.setattr(RECIPES["source-only"], "score", lambda *arguments: {})
    monkeypatch.setattr(
        "keras_dtl.recipes.training.save_run",
        lambda *arguments: seen.extend(path.exists() for path in kept),
    )
    finish_run(recipe_in(run), None, None, checkpoint)
    assert seen == [True, True]
    assert list(run.iterdir()) == []


def test_kept_weights_that_were_damaged_are_named(run, model):
    """A changed byte was published in silence, of half a file there was no name."""
    path = keepers(run)["entropy"].path
    whole = path.read_bytes()
    flipped = [
        bytes([*whole[:place], whole[place] ^ 1, *whole[place + 1 :]])
        for place in range(0, len(whole) - 64, 997)  # before the checksum
    ]
    for damaged in (*flipped, whole[: len(whole) // 2], b"", b"{}"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"entropy\.weights\.h5 is damaged: .* train again"):
            select_weights(recipe_in(run), model, UNLABELLED)


def test_a_choice_without_any_number_is_said(run, model, caplog):
    found = select_weights(recipe_in(run, select="density"), model, UNLABELLED)
    assert "No epoch has a number by density: the last one is published." in caplog.text
    assert found["published"] == "last"
    assert model.get_weights() == [[[1.0]]]


@pytest.mark.slow
def test_a_training_that_was_stopped_when_it_was_scored_is_one_that_never_was(
    tmp_path, monkeypatch
):
    def stop(*arguments):
        raise KeyboardInterrupt

    folders = [tmp_path / name for name in ("whole", "stopped")]
    train(recipe_in(folders[0]))
    with monkeypatch.context() as patch:
        patch.setattr(RECIPES["source-only"], "score", stop)
        with pytest.raises(KeyboardInterrupt):
            train(recipe_in(folders[1]))
    train(recipe_in(folders[1], resume=True))
    one, other = (json.loads((folder / "selection.json").read_text()) for folder in folders)
    assert one == other
    assert other["published"] == "entropy"
    weights = [load_model(folder).get_weights() for folder in folders]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not list(folders[1].glob("best_*"))
