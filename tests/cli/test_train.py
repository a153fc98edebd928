"""The way from folders of images to an artifact, through the command line."""

import csv
import functools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_dtl.callbacks.checkpoint import FILE_NAME
from keras_dtl.cli.__main__ import main
from keras_dtl.convert import load_artifact
from keras_dtl.images import read_image, write_image

CLASSES = ("left", "right")


def write_domain(folder, seed, brightness):
    """Write bright bars at the left or at the right, 16x16 pixels, 30 images a class."""
    random = np.random.default_rng(seed)
    for label, name in enumerate(CLASSES):
        for index in range(30):
            image = random.integers(0, 60, (16, 16, 3)).astype("uint8") + brightness
            image[:, 8 * label : 8 * label + 6] += 100
            write_image(folder / name / f"{index}.png", image.astype("uint8"))


def run_verb(*words):
    command = [sys.executable, "-m", "keras_dtl.cli", *map(str, words)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "1", "CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def training(domains, folder, *words):
    return (
        *("train", "dann", "--source", f"folder:{domains}/source"),
        *("--target", f"folder:{domains}/target", "--epochs", "4", "--batch-size", "16"),
        *("--min-steps", "1"),
        *("--output", folder / "run", "--artifact", folder / "artifact", *words),
    )


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    write_domain(folder / "source", 0, 0)
    write_domain(folder / "target", 1, 60)
    return folder


@pytest.fixture(scope="module")
def trained(domains, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    answer = run_verb(*training(domains, folder))
    assert answer.returncode == 0, answer.stderr
    (folder / "stderr.txt").write_text(answer.stderr, encoding="utf-8")
    return folder


def test_tensorflow_writes_no_errors(trained):
    lines = (trained / "stderr.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("E0000")] == []


def test_a_run_leaves_everything_and_no_checkpoint(trained):
    names = {path.name for path in (trained / "run").iterdir()}
    records = {f"{name}.json" for name in ("settings", "history", "scores", "failures")}
    assert names == {"model.keras", "report.html"} | records
    settings = json.loads((trained / "run" / "settings.json").read_text())
    assert (settings["recipe"], settings["classes"]) == ("dann", list(CLASSES))
    history = json.loads((trained / "run" / "history.json").read_text())
    assert {len(values) for values in history.values()} == {4}
    assert {"label_loss", "domain_loss", "domain_accuracy", "reversal_strength"} <= set(history)


def test_scores_and_parity_travel_with_the_artifact(trained):
    scores = json.loads((trained / "run" / "scores.json").read_text())
    manifest = json.loads((trained / "artifact" / "manifest.json").read_text())
    assert manifest["metrics"]["target"]["accuracy"] == scores["target"]["accuracy"]
    assert manifest["classes"] == list(CLASSES)
    assert max(record["difference"] for record in manifest["parity"]) <= 1e-5


def test_folder_is_converted_to_the_predictions_of_the_artifact(trained, domains, tmp_path):
    answer = run_verb("convert", trained / "artifact", domains / "target", tmp_path)
    assert answer.returncode == 0, answer.stderr
    table = (tmp_path / "predictions.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines()))
    assert len(rows) == 60
    row = rows[17]
    image = read_image(domains / "target" / row["file"])[None]
    probabilities = load_artifact(trained / "artifact")(image)[0]
    assert row["class"] == CLASSES[probabilities.argmax()]
    assert float(row["probability"]) == pytest.approx(probabilities.max(), abs=1e-6)


@pytest.mark.slow
def test_evaluate_finds_the_same_scores_again(trained, tmp_path):
    answer = run_verb("evaluate", trained / "run", "--output", tmp_path)
    assert answer.returncode == 0, answer.stderr
    again = json.loads((tmp_path / "scores.json").read_text())
    assert again == json.loads((trained / "run" / "scores.json").read_text())


@pytest.mark.slow
def test_export_of_a_run_equals_what_training_published(trained, tmp_path):
    answer = run_verb("export", trained / "run", "--output", tmp_path / "again")
    assert answer.returncode == 0, answer.stderr
    image = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype("uint8")
    both = [load_artifact(path)(image) for path in (trained / "artifact", tmp_path / "again")]
    np.testing.assert_array_equal(*both)


@pytest.mark.slow
def test_interrupted_and_killed_training_resumes_to_the_same_weights(domains, trained, tmp_path):
    import keras

    import keras_dtl.methods  # noqa: F401 (registers what the file names)

    command = [sys.executable, "-m", "keras_dtl.cli", *map(str, training(domains, tmp_path))]
    checkpoint = tmp_path / "run" / FILE_NAME
    for how in (signal.SIGINT, signal.SIGKILL):
        words = ["--resume"] if checkpoint.exists() else []
        # Shells keep Ctrl-C from what they run in the background.
        hear = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen([*command, *words], stdout=subprocess.DEVNULL, preexec_fn=hear)
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(how)
        assert process.wait() == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert run_verb(*training(domains, tmp_path)).returncode == 2  # not without --resume
    answer = run_verb(*training(domains, tmp_path, "--resume"))
    assert answer.returncode == 0, answer.stderr
    ours, theirs = (
        keras.saving.load_model(folder / "run" / "model.keras") for folder in (tmp_path, trained)
    )
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_resuming_what_was_never_begun_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("keras_dtl.cli.train.train_here", lambda recipe: 0)
    run = tmp_path / "run"
    for holds in (False, False, True):  # no folder, an empty one, one with a training
        assert main(["train", "dann", "--resume", "--output", str(run)]) == 0
        assert ("holds no training to go on with" in capsys.readouterr().out) is not holds
        (run / FILE_NAME).touch() if run.exists() else run.mkdir()


def test_an_address_without_ray_is_refused(capsys):
    assert main(["train", "dann", "--address", "auto"]) == 2
    assert "add --engine ray" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: None, "no folder"),
        (lambda folder: folder.mkdir(), "no image found"),
        (lambda folder: write_one_class(folder), "class"),
        (lambda folder: write_other_classes(folder), "class"),
        (lambda folder: write_garbage(folder), "cannot be read"),
    ],
)
def test_unusable_target_is_one_line_and_status_2(prepare, message, domains, tmp_path):
    from keras_dtl.recipes import RECIPES

    target = tmp_path / "target"
    prepare(target)
    recipe = RECIPES["dann"](source=f"folder:{domains}/source", target=f"folder:{target}")
    with pytest.raises((ValueError, OSError), match=message):
        recipe.load_data()


def write_one_class(folder):
    write_domain(folder, 0, 0)
    for path in (folder / "right").iterdir():
        path.unlink()
    (folder / "right").rmdir()


def write_other_classes(folder):
    write_domain(folder, 0, 0)
    (folder / "right").rename(folder / "above")


def write_garbage(folder):
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"no image")
