"""Several devices on the command line learn, score and export what one does."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_train import run_verb, training, write_domain
from tests.cli.test_train_translation import SMALL, words_for


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_devices_leave_what_one_does(tmp_path):
    from keras_dtl.recipes.runs import run_model

    write_domain(tmp_path / "source", 0, 0)
    write_domain(tmp_path / "target", 1, 60)
    ways = {"one": (), "two": ("--devices", "2")}
    for name, words in ways.items():
        words = ("--validators", "--export-anyway", *words)  # so short a training may learn nothing
        answer = run_verb(*training(tmp_path, tmp_path / name, *words))
        assert answer.returncode == 0, answer.stderr
    ours, theirs = (run_model(tmp_path / name / "run").get_weights() for name in ways)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    of_files = {}
    for name in ways:
        folder = tmp_path / name / "run"
        of_files[name] = {path.name for path in folder.iterdir()}
        of_files[f"{name} history"] = json.loads((folder / "history.json").read_text())
    assert of_files["one"] == of_files["two"]
    one, two = of_files["one history"], of_files["two history"]
    assert one["reversal_strength"] == two["reversal_strength"]
    assert one.keys() == two.keys()
    np.testing.assert_allclose(one["label_loss"], two["label_loss"], rtol=1e-3)
    settings = [json.loads((tmp_path / name / "run/settings.json").read_text()) for name in ways]
    assert [Path(one.pop("artifact")).parent.name for one in settings] == list(ways)
    assert settings[0] == settings[1]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("method", ["adda", "cyclegan"])
def test_a_recipe_of_stages_and_one_of_pools_end_on_two_devices(method, tmp_path):
    words = ["--devices", "2", "--output", tmp_path / "run", "--artifact", tmp_path / "artifact"]
    if method == "adda":
        write_domain(tmp_path / "source", 0, 0)
        write_domain(tmp_path / "target", 1, 60)
        words = [*training(tmp_path, tmp_path, *words, "--source-epochs", "1", "--export-anyway")]
        words[1] = "adda"
    else:
        words = ["train", *words_for(method, tmp_path), *SMALL, *words]
    answer = run_verb(*words)
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "artifact/manifest.json").exists()


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_one_line(tmp_path):
    write_domain(tmp_path / "source", 0, 0)
    write_domain(tmp_path / "target", 1, 60)
    answer = run_verb(*training(tmp_path, tmp_path, "--devices", "3"))
    assert answer.returncode == 2
    assert "batch of 16 examples cannot be divided evenly among 3 replicas" in answer.stderr
