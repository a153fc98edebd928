"""Nothing finished is lost: what becomes of a run folder that holds a training already."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest

import keras_dtl.export
from keras_dtl.callbacks import Checkpoint
from keras_dtl.convert import load_artifact
from keras_dtl.evaluation import evaluate_classifier
from keras_dtl.files import write_json
from keras_dtl.images import write_image
from keras_dtl.manifest import read_manifest
from keras_dtl.recipes import RECIPES, run_recipe, standing
from keras_dtl.recipes.closing import is_published, published_scores
from keras_dtl.recipes.training import publish, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes of bright bars, 16x16 pixels, and a run of one epoch."""
    folder = tmp_path_factory.mktemp("standing")
    random = np.random.default_rng(0)
    for label, name in enumerate(("left", "right")):
        for index in range(20):
            image = random.integers(0, 60, (16, 16, 3)).astype("uint8")
            image[:, 8 * label : 8 * label + 6] += 100
            write_image(folder / "images" / name / f"{index}.png", image)
    train(recipe(folder))
    return folder


def recipe(folder, **fields):
    fields = {"epochs": 1, "batch_size": 8, "min_steps": 1, **fields}
    return RECIPES["fine-tuning"](
        target=f"folder:{folder / 'images'}",
        output=folder / "run",
        artifact=folder / "artifact",
        **fields,
    )


def weights(folder):
    return keras.saving.load_model(folder / "run" / "model.keras", compile=False).get_weights()


def test_second_training_is_refused_and_the_first_stays(folder):
    before = weights(folder)
    with pytest.raises(FileExistsError, match="--overwrite"):
        train(recipe(folder, seed=7))
    for a, b in zip(before, weights(folder), strict=True):
        np.testing.assert_array_equal(a, b)


def test_resuming_what_is_finished_trains_nothing(folder, capsys):
    trained = train(recipe(folder, resume=True))
    assert "nothing to train" in capsys.readouterr().out
    for a, b in zip(trained.model.get_weights(), weights(folder), strict=True):
        np.testing.assert_array_equal(a, b)
    assert trained.scores == json.loads((folder / "run" / "scores.json").read_text())


def test_other_settings_and_fewer_epochs_are_refused(folder, monkeypatch):
    with pytest.raises(ValueError, match="seed: 0, now 3"):
        train(recipe(folder, resume=True, seed=3))
    longer = json.dumps({"label_loss": [1.0, 0.5]})
    monkeypatch.setattr(standing, "run_record", lambda *_: json.loads(longer))
    with pytest.raises(ValueError, match="2 epochs, more than --epochs 1"):
        train(recipe(folder, resume=True))


def test_more_epochs_go_on_from_the_finished_run(folder, tmp_path, capsys):
    begun = recipe(folder, resume=True)
    assert run_recipe(folder / "run").settings() == begun.settings()
    shutil.copytree(folder / "run", tmp_path / "run")
    longer = dataclasses.replace(begun, epochs=3, output=tmp_path / "run")
    trained = train(longer)
    assert "Going on after epoch 1 of 3.\n" in capsys.readouterr().out  # of no replicas
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    first = json.loads((folder / "run" / "history.json").read_text())
    assert len(history["label_loss"]) == 3
    assert history["label_loss"][0] == first["label_loss"][0]
    assert int(trained.model.optimizer.iterations.numpy()) == 3 * 4


@pytest.mark.slow
def test_failed_export_costs_nothing_and_versions_count_up(folder, tmp_path, monkeypatch):
    once = dataclasses.replace(recipe(folder, resume=True), export_anyway=True)
    trained = train(once)
    with monkeypatch.context() as patch:
        patch.setattr(keras_dtl.export, "export_model", full_disk)
        with pytest.raises(OSError, match="No space"):
            publish(once, trained)
    assert not is_published(once, trained)
    assert publish(once, train(once))
    assert is_published(once, trained)
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert f"keras-dtl convert {folder / 'artifact'} FOLDER out/" in page
    publish(once, trained)
    assert {"1", "2"} <= {path.name for path in (folder / "artifact").iterdir()}
    assert (folder / "artifact" / "1" / "model.onnx").is_file()
    assert json.loads((folder / "artifact" / "1" / "manifest.json").read_text())["version"] == 1
    assert read_manifest(folder / "artifact").version == 2
    load_artifact(folder / "artifact")
    publish(dataclasses.replace(once, keep_versions=1), trained)
    assert {path.name for path in (folder / "artifact").glob("[0-9]*")} == {"2", "3"}


def full_disk(*_, **__):
    raise OSError(28, "No space left on device")


def test_overwriting_begins_anew(folder, tmp_path):
    shutil.copytree(folder / "run", tmp_path / "run")
    anew = dataclasses.replace(recipe(folder), output=tmp_path / "run", overwrite=True, seed=5)
    train(anew)
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["seed"] == 5
    assert not (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize("classes", [2, 100, 101, 1000])
def test_scores_of_many_classes_are_published_without_their_confusion(classes):
    answers = np.eye(classes, dtype="float32")
    names = [f"class {number}" for number in range(classes)]
    of_domain = evaluate_classifier(answers, np.arange(classes), names).to_dict()
    scores = {"source": of_domain, "target": {"accuracy": 0.5}}
    published = published_scores(scores)
    assert published["target"] == scores["target"]
    left_out = set(of_domain) - set(published["source"])
    assert left_out == ({"confusion"} if classes > 100 else set())
    assert len(json.dumps(published, indent=2)) < 2**20


def test_a_first_stage_of_other_settings_is_not_taken_for_its_own(tmp_path, monkeypatch):
    learnt = []

    def train(recipe, data, strategy):
        learnt.append(recipe.source)
        write_json(recipe.run_folder / "settings.json", recipe.settings())
        (recipe.run_folder / "model.keras").touch()

    monkeypatch.setattr("keras_dtl.recipes.training.train", train)
    adda = RECIPES["adda"](output=tmp_path, source="digits")
    for _ in range(2):
        assert adda.first_stage(None) == tmp_path / "first-stage"
    other = dataclasses.replace(adda, source="mnist")
    with pytest.raises(ValueError, match="source: 'digits', now 'mnist'"):
        other.first_stage(None)
    dataclasses.replace(other, overwrite=True).first_stage(None)
    assert learnt == ["digits", "mnist"]


@pytest.mark.parametrize("name", ["shot", "dann", "fine-tuning"])
def test_a_run_is_not_replaced_by_what_starts_from_it(name, tmp_path):
    (tmp_path / "model.keras").touch()
    fields = {"output": tmp_path, "overwrite": True}
    for start in (tmp_path, tmp_path / "model.keras", tmp_path / "." / "sub" / ".."):
        begun = RECIPES[name](start=str(start), **fields)
        with pytest.raises(ValueError, match="starts from. Name another folder"):
            standing.standing_of(begun, Checkpoint(tmp_path))
    other = RECIPES[name](start=str(tmp_path / "other"), **fields)
    assert standing.standing_of(other, Checkpoint(tmp_path)) == "replaced"
